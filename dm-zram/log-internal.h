/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Insides of the cold log, shared by its files:
 *
 *   log.c	life cycle, drain, totals
 *   append.c	reserve, commit, pins
 *   grouplog.c	the same for groups, and moving them
 *   segwrite.c	writing a segment, and what happens when that fails
 *   coldread.c	reading one object
 *   coldrun.c	reading neighbours at once
 *   cleaner.c	moving live objects out of mostly dead segments
 *   logmove.c	another cold device, or a larger one
 *   salvage.c	what can be had of a segment that cannot be read as a whole
 */
#ifndef DZR_LOG_INTERNAL_H
#define DZR_LOG_INTERNAL_H

#include <linux/jiffies.h>
#include <linux/mempool.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "cleaner.h"
#include "group.h"
#include "log-format.h"
#include "log.h"

/* Segment buffers of the user stream: one fills while others are written. */
#define DZR_USER_BUFS		4U

/* Buffers of the cleaner, so that it can go on when the user's are stuck. */
#define DZR_CLEANER_BUFS	2U

#define DZR_NR_BUFS		(DZR_USER_BUFS + DZR_CLEANER_BUFS)

/* Free segments that only the cleaner may take: its buffers, twice. */
#define DZR_CLEANER_SEGS	(2U * DZR_CLEANER_BUFS + 2U)

/* A log of fewer segments than this is none. */
#define DZR_MIN_SEGMENTS	(2U * (DZR_CLEANER_SEGS + DZR_NR_BUFS))

/*
 * A user's segment that could not be written may move to one of those, but
 * must leave these: what the cleaner has open, and two for its own failures.
 */
#define DZR_CLEANER_KEEP	3U

/* Cold reads that can be in flight without any memory from the system. */
#define DZR_READ_RESERVE	32U

/* Segment writes that fail in a row before the device counts as failed. */
#define DZR_MAX_FAILURES	3U

/* How long a failed device is left alone, in milliseconds. */
#define DZR_RETRY_MS		2000U

/*
 * An open segment is closed when the newest version is that far beyond what it
 * was at opening, so that 32 bits are enough in its objects; there may be as
 * many more before its last writer is done.
 */
#define DZR_VERSION_SPAN	(1LL << 31)

/**
 * enum dzr_buf_state - life of a segment buffer
 * @DZR_BUF_FREE: on its stream's free list
 * @DZR_BUF_OPEN: takes objects
 * @DZR_BUF_CLOSED: full; the last writer submits it
 * @DZR_BUF_WRITING: the write is in flight, or its outcome being dealt with
 * @DZR_BUF_STUCK: the write failed; waits for the next try
 * @DZR_BUF_DONE: on the device; the last reader frees it
 */
enum dzr_buf_state {
	DZR_BUF_FREE,
	DZR_BUF_OPEN,
	DZR_BUF_CLOSED,
	DZR_BUF_WRITING,
	DZR_BUF_STUCK,
	DZR_BUF_DONE,
};

/**
 * struct dzr_buf - memory of one segment that is not on the device yet
 * @log: the log
 * @link: on the free list of its stream
 * @data: the segment's content
 * @seg: the segment
 * @seq: its sequence number, whole
 * @old_seg: while a failed write is moved: the segment it comes from
 * @base: newest version when the segment was opened
 * @used: bytes filled
 * @counted: bytes counted as live, at the time
 * @objects: number of objects
 * @writers: objects reserved and not committed
 * @readers: pins that use @data
 * @state: see &enum dzr_buf_state
 * @stream: whose buffer
 * @since: when it was submitted, nanoseconds
 * @status: outcome of the write
 * @submit: writes the segment
 * @work: deals with the outcome
 * @bio: the write
 * @vecs: for @bio
 *
 * log->lock guards all but @data, @since, @status, @work and @bio.
 */
struct dzr_buf {
	struct dzr_log *log;
	struct list_head link;
	u8 *data;
	u32 seg;
	u64 seq;
	u32 old_seg;
	s64 base;
	u32 used;
	u32 counted;
	u32 objects;
	u32 writers;
	u32 readers;
	enum dzr_buf_state state;
	enum dzr_log_stream stream;
	u64 since;
	blk_status_t status;
	struct work_struct submit;
	struct work_struct work;
	struct bio bio;
	struct bio_vec *vecs;
};

/**
 * enum dzr_log_full - is there nothing left to clean?
 * @DZR_NOT_FULL: not known
 * @DZR_MAYBE_FULL: the cleaner is looking; any death takes this back
 * @DZR_FULL: it has looked everywhere, and nothing has died since
 */
enum dzr_log_full {
	DZR_NOT_FULL,
	DZR_MAYBE_FULL,
	DZR_FULL,
};

/**
 * enum dzr_fault - how a cold read has ended
 * @DZR_FAULT_OK: with the object
 * @DZR_FAULT_IO: the device failed it
 * @DZR_FAULT_DAMAGED: what was read is not what it should be
 */
enum dzr_fault {
	DZR_FAULT_OK,
	DZR_FAULT_IO,
	DZR_FAULT_DAMAGED,
};

/**
 * struct dzr_extent - the segments of one cold device
 * @bdev: the device
 * @first: number of its first segment
 * @nr: how many it has; 0: no device
 * @lbs: its logical block size
 */
struct dzr_extent {
	struct block_device *bdev;
	u32 first;
	u32 nr;
	u32 lbs;
};

/**
 * struct dzr_log - a cold log
 * @extent: the cold device, and in a move the old one. Read without a lock: who has
 *	a segment that is open, pinned or free has its extent
 * @active: which of them takes new segments
 * @changes: how often extents have come or grown, or changed their roles
 * @moving: there is an old one
 * @move_next: when the next segment may be moved, in jiffies
 * @move_wait: wakes the cleaner at @move_next
 * @let_go: segments of the old device whose content has been discarded at the end
 * @segs: accounting of segments
 * @wq: for completions, the cleaner and retries
 * @stats: counters of the device
 * @ops: callbacks
 * @owner: their first argument
 * @dev: device number of the owner
 * @id: identifies this log on the device
 * @crc_seed: crc32c of @id, where the checksum of each object starts
 * @segment_size: bytes
 * @clean_below: clean when fewer segments than this are free for users
 * @lock: raw, since it nests in the entry's bit lock; guards what follows up to @failed, and the buffers
 * @open: the buffer that each stream fills, or NULL
 * @free: free buffers of each stream
 * @seq: sequence number of the last segment opened, whole: the accounting
 *	has its low half
 * @version: version of the object that was published last
 * @failures: segment writes that failed in a row
 * @failed: the device does not take writes
 * @blind: users are out of segments, and none that could be cleaned can be
 *	read; set by the cleaner, under @lock
 * @full: see &enum dzr_log_full
 * @low: low_space() was called; only the cleaner writes it and @told_full
 * @told_full: the same for a full log
 * @stopped: no cleaning, no retries
 * @passdown: pass discards down
 * @discard: the same, if the active device has them
 * @wait: for buffers that become free, and writes that end
 * @retry: tries stuck buffers again
 * @cleaner: the cleaner
 * @reads: reserve of &struct dzr_cold_read
 * @read_size: bytes of the buffer of each
 * @reads_short: somebody waits for one
 * @latency: how long they take
 * @bufs: the buffers, DZR_NR_BUFS of them
 */
struct dzr_log {
	struct dzr_extent extent[2];
	unsigned int active;
	u32 changes;
	bool moving;
	unsigned long move_next;
	struct delayed_work move_wait;
	u32 let_go;
	struct dzr_segs *segs;
	struct workqueue_struct *wq;
	struct dzr_stats __percpu *stats;
	const struct dzr_log_ops *ops;
	void *owner;
	dev_t dev;
	__le64 id[2];
	u32 crc_seed;
	u32 segment_size;
	u32 clean_below;
	raw_spinlock_t lock;
	struct dzr_buf *open[DZR_NR_STREAMS];
	struct list_head free[DZR_NR_STREAMS];
	u64 seq;
	atomic64_t version;
	unsigned int failures;
	bool failed;
	bool blind;
	int full;
	bool low;
	bool told_full;
	bool stopped;
	bool passdown;
	bool discard;
	wait_queue_head_t wait;
	struct delayed_work retry;
	struct dzr_cleaner cleaner;
	mempool_t *reads;
	u32 read_size;
	bool reads_short;
	struct dzr_latency latency;
	struct dzr_buf *bufs;
};

/**
 * dzr_log_extent - which device has a segment
 * @log: the log
 * @seg: a segment that cannot go away now
 */
static inline const struct dzr_extent *dzr_log_extent(struct dzr_log *log,
						      u32 seg)
{
	const struct dzr_extent *e = &log->extent[0];

	return seg - READ_ONCE(e->first) < READ_ONCE(e->nr) ? e : e + 1;
}

/**
 * dzr_log_sector - where a segment starts
 * @log: the log
 * @e: its extent
 * @seg: the segment
 */
static inline sector_t dzr_log_sector(struct dzr_log *log,
				      const struct dzr_extent *e, u32 seg)
{
	return (DZR_HEADER_AREA + (u64)(seg - e->first) * log->segment_size) >>
	       SECTOR_SHIFT;
}

/**
 * dzr_log_capacity - bytes of objects that a segment holds
 * @segment_size: its size
 */
static inline u32 dzr_log_capacity(u32 segment_size)
{
	return segment_size - sizeof(struct dzr_seg_header);
}

/**
 * dzr_log_segments - how many segments a device has
 * @sectors: its size
 * @segment_size: bytes of a segment
 */
u32 dzr_log_segments(sector_t sectors, u32 segment_size);

/**
 * dzr_log_clean_below - clean when fewer segments than this are spare
 * @segs: segments of the log
 */
u32 dzr_log_clean_below(u32 segs);

/**
 * dzr_log_least_segments - segments that are enough for some bytes of objects
 * @bytes: what they are to hold
 * @segment_size: bytes of a segment
 */
u64 dzr_log_least_segments(u64 bytes, u32 segment_size);

/**
 * dzr_move_due - is it time to look for a segment to be moved?
 * @log: the log
 *
 * Context: any.
 */
static inline bool dzr_move_due(struct dzr_log *log)
{
	return READ_ONCE(log->moving) &&
	       !time_before(jiffies, READ_ONCE(log->move_next));
}

/**
 * dzr_log_bio - prepare a bio over a buffer from vmalloc()
 * @log: the log
 * @bio: the bio
 * @vecs: room for one segment for each page of a log segment
 * @opf: operation and flags
 * @seg: the log segment
 * @data: the buffer
 * @bytes: how much
 */
void dzr_log_bio(struct dzr_log *log, struct bio *bio, struct bio_vec *vecs,
		 blk_opf_t opf, u32 seg, void *data, u32 bytes);

/**
 * dzr_log_not_full - there may be something to clean, or a free segment
 * @log: the log
 *
 * Context: any.
 * Return: true if that is news.
 */
static inline bool dzr_log_not_full(struct dzr_log *log)
{
	if (likely(READ_ONCE(log->full) == DZR_NOT_FULL))
		return false;
	WRITE_ONCE(log->full, DZR_NOT_FULL);
	return true;
}

/**
 * dzr_log_quiet - is no write in flight, or about to be?
 * @log: the log
 *
 * Context: log->lock held.
 */
bool dzr_log_quiet(struct dzr_log *log);

/**
 * dzr_log_room - what is left of the open segment of a stream
 * @log: the log
 * @stream: the stream
 *
 * Context: process; takes log->lock. The answer may be outdated on return.
 * Return: bytes; 0 if no segment is open.
 */
u32 dzr_log_room(struct dzr_log *log, enum dzr_log_stream stream);

/**
 * dzr_log_kick - something that was waited for may be there
 * @log: the log
 *
 * Context: process, no lock held.
 */
void dzr_log_kick(struct dzr_log *log);

/**
 * dzr_buf_assign - give a buffer a segment of its own
 * @buf: the buffer
 * @again: it had one, which could not be written
 *
 * Context: log->lock held.
 * Return: false when no segment is free.
 */
bool dzr_buf_assign(struct dzr_buf *buf, bool again);

/**
 * dzr_buf_close - no more objects into this buffer
 * @buf: an open buffer
 *
 * Context: log->lock held.
 * Return: true if the caller must call dzr_buf_submit() after unlocking.
 */
bool dzr_buf_close(struct dzr_buf *buf);

/**
 * dzr_log_close - close the open buffers of all streams, and have them written
 * @log: the log
 * @retiring: only those whose segments are of the retiring extent
 *
 * Context: Process context; takes log->lock.
 */
void dzr_log_close(struct dzr_log *log, bool retiring);

/**
 * dzr_buf_submit - have a closed buffer written to its segment
 * @buf: the buffer, in state DZR_BUF_WRITING
 *
 * Context: any.
 */
void dzr_buf_submit(struct dzr_buf *buf);

/**
 * dzr_buf_submit_work - write a buffer
 * @work: the buffer's submit
 */
void dzr_buf_submit_work(struct work_struct *work);

/**
 * dzr_buf_done - deal with the outcome of a segment's write
 * @work: of the buffer
 */
void dzr_buf_done(struct work_struct *work);

/**
 * dzr_buf_release - make a buffer free if nobody needs it any more
 * @buf: the buffer
 *
 * Context: log->lock held.
 */
void dzr_buf_release(struct dzr_buf *buf);

/**
 * dzr_log_retry - try stuck buffers again, and reading if that has failed
 * @work: of the log
 */
void dzr_log_retry(struct work_struct *work);

/**
 * dzr_object_seal - write the header of an object
 * @log: the log
 * @loc: where it is
 * @hdr: the header, data following
 */
void dzr_object_seal(struct dzr_log *log, dzr_loc_t loc,
		     struct dzr_object_header *hdr);

/**
 * dzr_object_intact - does the checksum of an object hold?
 * @log: the log
 * @loc: where it is, in a segment that is pinned
 * @hdr: the header; as much data as it says can be looked at
 */
bool dzr_object_intact(struct dzr_log *log, dzr_loc_t loc,
		       const struct dzr_object_header *hdr);

/**
 * dzr_object_check - is this the object it should be?
 * @log: the log
 * @loc: where it must be, in a segment that is pinned
 * @hdr: the header, data following
 * @block: the block it must belong to
 *
 * Return: false if anything is wrong.
 */
bool dzr_object_check(struct dzr_log *log, dzr_loc_t loc,
		      const struct dzr_object_header *hdr, u32 block);

/**
 * dzr_log_claim - claim room in the open segment of a stream
 * @log: the log
 * @stream: on whose behalf
 * @len: bytes of data
 * @head: the members to be counted as live; NULL: an object of one block
 * @a: the claim
 *
 * Context: process; takes log->lock; may submit a full segment.
 * Return: as dzr_log_reserve(). The object header is to be filled in.
 */
int dzr_log_claim(struct dzr_log *log, enum dzr_log_stream stream, u32 len,
		  const struct dzr_group_head *head, struct dzr_append *a);

/**
 * dzr_log_done - an object is complete: one writer less
 * @a: the claim; the object is sealed
 *
 * Context: process; may submit a full segment.
 */
void dzr_log_done(struct dzr_append *a);

/**
 * dzr_group_repoint - members of a group have moved with their buffer
 * @buf: the buffer, which has a new segment
 * @off: offset of the group
 * @from: the old segment
 *
 * Context: process, no lock held; takes entry locks.
 */
void dzr_group_repoint(struct dzr_buf *buf, u32 off, u32 from);

/**
 * dzr_read_size - bytes that hold the largest object, wherever it starts
 * @lbs: logical block size of the device
 */
u32 dzr_read_size(u32 lbs);

/**
 * dzr_reads_create - create a reserve of cold reads
 * @size: bytes of the buffer of each
 *
 * Return: the reserve, or NULL.
 */
mempool_t *dzr_reads_create(u32 size);

/**
 * dzr_reads_bytes - memory of the reserve
 * @log: the log
 */
u64 dzr_reads_bytes(struct dzr_log *log);

/**
 * dzr_cold_read_send - read an object by a bio of its own
 * @cr: from dzr_cold_read_submit()
 *
 * Context: process; does not wait for the I/O.
 */
void dzr_cold_read_send(struct dzr_cold_read *cr);

/**
 * dzr_cold_read_check - find the object in what was read
 * @cr: the read
 *
 * Context: any.
 * Return: true, with @cr->data, if it is the right one.
 */
bool dzr_cold_read_check(struct dzr_cold_read *cr);

/**
 * dzr_cold_read_came - a read has ended: look at what came, and call its end
 * @cr: the read, gone on return
 * @status: outcome of the bio
 *
 * Context: the workqueue.
 */
void dzr_cold_read_came(struct dzr_cold_read *cr, blk_status_t status);

/**
 * dzr_run_add - let a read wait in the task's plug for others that lie near
 * @log: the log
 * @cr: from dzr_cold_read_submit()
 *
 * Context: process.
 * Return: false if there is no plug, or no memory.
 */
bool dzr_run_add(struct dzr_log *log, struct dzr_cold_read *cr);

#endif /* DZR_LOG_INTERNAL_H */
