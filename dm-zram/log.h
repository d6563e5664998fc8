/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cold log: objects packed into segments on the cold device.
 *
 * The log knows segments, checksums, writing, reading back and cleaning. It
 * does not know which blocks are hot, nor the block table: whoever owns the
 * entries tells it what dies, and is asked, through &struct dzr_log_ops, to
 * re-point an entry when an object moves.
 *
 * Appending takes three steps: dzr_log_reserve() claims room in the open
 * segment's buffer, the caller copies the data in and publishes the location
 * under its entry lock, where dzr_log_publish() gives the object its version,
 * and dzr_log_commit() completes the object. From
 * publication until the segment is on the device, reads are served from the
 * buffer. No step allocates memory: buffers are set aside at creation, and
 * when all are in flight the answer is -EAGAIN, followed by ops->kick().
 *
 * Lock order: entry -> log->lock -> segs->lock. ops->repoint() is called with
 * none of them held.
 */
#ifndef DZR_LOG_H
#define DZR_LOG_H

#include <linux/bio.h>
#include <linux/workqueue.h>

#include "btable.h"
#include "latency.h"
#include "log-format.h"
#include "segment.h"
#include "stats.h"

struct block_device;
struct dzr_log;
struct dzr_log_change;
struct dzr_buf;

/**
 * enum dzr_log_stream - who appends; each has its own open segment
 * @DZR_STREAM_USER: demotion, and writes that bypass the pool
 * @DZR_STREAM_CLEANER: objects that the cleaner moves
 */
enum dzr_log_stream {
	DZR_STREAM_USER,
	DZR_STREAM_CLEANER,
	DZR_NR_STREAMS
};

/**
 * struct dzr_log_ops - what the log asks of the owner of the entries
 */
struct dzr_log_ops {
	/**
	 * @is_live: does the entry of @block refer to @loc?
	 *
	 * Context: process, no lock held. A hint; may be outdated on return.
	 */
	bool (*is_live)(void *owner, u32 block, dzr_loc_t loc);
	/**
	 * @repoint: if the entry of @block refers to @old, make it @new.
	 *
	 * The log has counted @new as live before and takes back @old or
	 * @new after, as the answer says.
	 *
	 * Context: process, no lock held; takes the entry lock.
	 * Return: true if the entry was changed.
	 */
	bool (*repoint)(void *owner, u32 block, dzr_loc_t old, dzr_loc_t new);
	/**
	 * @kick: something that an -EAGAIN waited for may be there now.
	 *
	 * Context: process or softirq, no lock held.
	 */
	void (*kick)(void *owner);
	/**
	 * @low_space: cleaning can hardly gain space any more, or, if @full,
	 * none at all: appending will fail.
	 *
	 * Context: process, no lock held; called once for either until space
	 * returns.
	 */
	void (*low_space)(void *owner, bool full);
	/**
	 * @written: that many bytes are about to be written.
	 *
	 * Context: process, no lock held.
	 */
	void (*written)(void *owner, u64 bytes);
	/**
	 * @moved: nothing is left on the old device: dzr_log_forget() is due.
	 *
	 * Context: process, no lock held; may be called again until then.
	 */
	void (*moved)(void *owner);
	/**
	 * @is_busy: is somebody being served?
	 *
	 * Context: any.
	 */
	bool (*is_busy)(void *owner);
	/**
	 * @ungroup: compress a member of a group alone.
	 *
	 * @data is that of the group, @len bytes, valid and with a checksum
	 * that holds. The answer goes to @dst, which has room for a block.
	 *
	 * Context: process, no lock held; may sleep, but not for I/O.
	 * Return: bytes, or -EIO if it cannot be decompressed.
	 */
	int (*ungroup)(void *owner, const void *data, u32 len,
		       unsigned int member, void *dst, u8 *codec);
};

/**
 * enum dzr_log_changed - what has become of a log
 * @DZR_LOG_SAME: its device is the one that it was
 * @DZR_LOG_NEW: it has a new one; what was its device is the old one now
 * @DZR_LOG_BACK: the old one is its device again, and the other is the old one
 */
enum dzr_log_changed {
	DZR_LOG_SAME,
	DZR_LOG_NEW,
	DZR_LOG_BACK,
};

/**
 * struct dzr_log_params - what a log is made from
 * @bdev: the cold device
 * @sectors: its size
 * @segment_size: bytes, a power of two
 * @discard: pass discards of freed segments down
 * @wq: workqueue for completions and the cleaner, with a rescuer
 * @stats: counters of the device
 * @ops: callbacks
 * @owner: first argument of the callbacks
 * @dev: device number of the owner, for tracepoints
 */
struct dzr_log_params {
	struct block_device *bdev;
	sector_t sectors;
	u32 segment_size;
	bool discard;
	struct workqueue_struct *wq;
	struct dzr_stats __percpu *stats;
	const struct dzr_log_ops *ops;
	void *owner;
	dev_t dev;
};

/**
 * struct dzr_append - an object being appended
 * @log: the log
 * @buf: the open segment's buffer
 * @data: where the data goes, @len bytes
 * @loc: where the object will be; of a group, with no member's weight
 * @len: bytes of data
 */
struct dzr_append {
	struct dzr_log *log;
	struct dzr_buf *buf;
	u8 *data;
	dzr_loc_t loc;
	u32 len;
};

/**
 * struct dzr_pin - an object that cannot go away
 * @log: the log
 * @loc: its location
 * @buf: the buffer that still has it, or NULL
 * @data: its data in the buffer, or NULL when it must be read
 */
struct dzr_pin {
	struct dzr_log *log;
	dzr_loc_t loc;
	struct dzr_buf *buf;
	const u8 *data;
};

/**
 * struct dzr_cold_read - the reading of one object
 * @pin: keeps the object where it is; the reader unpins
 * @block: the block that it must belong to; of a group, the first one wanted
 * @wanted: of a group, bit for each member that is wanted
 * @len: bytes of @data
 * @data: the data, once it was read and found good
 * @error: 0, or -EIO when it could not be read or was not what it should be
 * @codec: how the data is compressed
 * @end: called when the read has ended, from the log's workqueue
 * @owner: for @end's use
 * @iter: for @end's use
 * @age: of the block before this read; for @end's use, too
 * @ages: of the members of a group, the same
 * @since: when it was submitted, nanoseconds
 * @start: where in the segment what has to be read begins, whole logical blocks
 * @stop: where it ends
 * @link: among those that are sent together
 * @work: runs @end
 * @buf: what is read, whole logical blocks
 * @bio: the read
 * @vec: its one segment
 */
struct dzr_cold_read {
	struct dzr_pin pin;
	u32 block;
	const u8 *data;
	u32 len;
	int error;
	u8 codec;
	u8 wanted;
	void (*end)(struct dzr_cold_read *cr);
	void *owner;
	struct bvec_iter iter;
	u8 age;
	u8 ages[DZR_GROUP_BLOCKS];
	u64 since;
	u32 start;
	u32 stop;
	struct list_head link;
	struct work_struct work;
	u8 *buf;
	struct bio bio;
	struct bio_vec vec;
};

/**
 * dzr_log_min_sectors - how large a cold device must be to back every block
 * @nr_blocks: number of blocks, all incompressible
 * @segment_size: bytes of a segment
 *
 * Return: 512-byte sectors, header area and the cleaner's reserve included.
 */
sector_t dzr_log_min_sectors(u64 nr_blocks, u32 segment_size);

/**
 * dzr_log_create - create an empty log
 * @params: what from
 *
 * The device is not touched.
 *
 * Context: process; may sleep (GFP_KERNEL).
 * Return: the log; ERR_PTR(-ENOMEM), or ERR_PTR(-ENOSPC) when the device has
 * too few segments for a log.
 */
struct dzr_log *dzr_log_create(const struct dzr_log_params *params);

/**
 * dzr_log_destroy - free a log
 * @log: the log, or NULL
 *
 * Waits for I/O in flight. What is in the buffers is dropped.
 *
 * Context: process; may sleep. No other user of the log is left.
 */
void dzr_log_destroy(struct dzr_log *log);

/**
 * dzr_log_change_check - can a log have this device?
 * @log: the log
 * @bdev: its own device, perhaps larger now, or another one
 * @nr_blocks: number of blocks that it must be able to hold, all incompressible;
 *	0 with overcommit
 *
 * Context: process; may sleep. If a change is applied meanwhile, the answer means
 * nothing: see dzr_log_changes().
 * Return: NULL, or why not.
 */
char *dzr_log_change_check(struct dzr_log *log, struct block_device *bdev,
			   u64 nr_blocks);

/**
 * dzr_log_changes - how often have the log's extents changed?
 * @log: the log
 *
 * What is found out of the log, and made for it, is good for as long as this is
 * the same. That an old device is let go does not count: what was made before
 * fits after.
 *
 * Context: process; under the lock that dzr_log_change_apply() is called with.
 */
u32 dzr_log_changes(struct dzr_log *log);

/**
 * dzr_log_change_create - make what a log needs to have this device
 * @log: the log
 * @bdev: as for dzr_log_change_check(), which said that it can
 * @since: dzr_log_changes() from before that check
 *
 * Context: process; may sleep (GFP_KERNEL). If another change is applied
 * meanwhile, this one will never be ready.
 * Return: the change, or NULL without memory.
 */
struct dzr_log_change *dzr_log_change_create(struct dzr_log *log,
					     struct block_device *bdev,
					     u32 since);

/**
 * dzr_log_change_ready - can a change be applied?
 * @log: the log
 * @change: the change
 *
 * Context: as dzr_log_changes().
 * Return: false if another one was applied since the log was looked at for it.
 */
bool dzr_log_change_ready(struct dzr_log *log,
			  const struct dzr_log_change *change);

/**
 * dzr_log_change_apply - from now on the log has the device
 * @log: the log, stopped; nobody appends or reads
 * @change: one that is ready; only segments that had not been emptied when it was
 *	made may have been emptied since
 *
 * Context: process; one at a time, under a lock of the owner's; allocates nothing.
 * All reads have been freed.
 */
enum dzr_log_changed dzr_log_change_apply(struct dzr_log *log,
					  struct dzr_log_change *change);

/**
 * dzr_log_change_destroy - free what of it is not in use
 * @change: the change, applied or not; or NULL
 */
void dzr_log_change_destroy(struct dzr_log_change *change);

/**
 * dzr_log_forget - the log has done with its old device
 * @log: the log
 *
 * After ops->moved(). Discards what was on the old device, if that is wanted.
 *
 * Context: process; sleeps for the discards, but not for long if the log is
 * stopped meanwhile. Not at the same time as dzr_log_change_apply().
 * Return: true if the device is not used any more; false if there is none, or it
 * has to be called again.
 */
bool dzr_log_forget(struct dzr_log *log);

/**
 * dzr_log_reserve - claim room for an object
 * @log: the log
 * @stream: on whose behalf
 * @block: the block's number
 * @codec: how the data is compressed
 * @len: bytes of data, 1 to 4096
 * @a: the claim, for dzr_log_commit()
 *
 * The object counts as live from here on.
 *
 * Context: process; takes log->lock; may submit a full segment.
 * Return: 0; -EAGAIN: all buffers are in flight, or the cleaner is about to
 * free a segment, and ops->kick() will follow; -ENOSPC: the log is full of
 * live objects; -EIO: the device does not take writes.
 */
int dzr_log_reserve(struct dzr_log *log, enum dzr_log_stream stream, u32 block,
		    u8 codec, u32 len, struct dzr_append *a);

/**
 * dzr_log_publish - this object is the newest of its block
 * @a: the claim
 *
 * The order of the versions of a block is the order in which its entry was
 * changed, so this belongs under the entry lock. The cleaner, which changes an
 * entry only if it still refers to a pinned object, may do it before.
 *
 * Context: any.
 */
void dzr_log_publish(struct dzr_append *a);

/**
 * dzr_log_commit - complete an object
 * @a: the claim; data is in place, and dzr_log_publish() was called if @live
 * @live: false: nothing refers to the object, it is dead
 *
 * Context: process; may submit a full segment.
 */
void dzr_log_commit(struct dzr_append *a, bool live);

/**
 * dzr_log_reserve_group - claim room for a group
 * @log: the log
 * @stream: on whose behalf
 * @first: number of member 0
 * @head: members and weights; those that are not dead count as live from here on
 * @frame: the members, compressed
 * @len: bytes of the frame
 * @a: the claim, for dzr_log_commit_group()
 *
 * The data is in place then.
 *
 * Context: as dzr_log_reserve().
 * Return: as dzr_log_reserve().
 */
int dzr_log_reserve_group(struct dzr_log *log, enum dzr_log_stream stream,
			  u32 first, const struct dzr_group_head *head,
			  const void *frame, u32 len, struct dzr_append *a);

/**
 * dzr_log_publish_member - this member is the newest of its block
 * @a: the claim
 * @member: one that is not dead
 *
 * Context: as dzr_log_publish().
 * Return: its location.
 */
dzr_loc_t dzr_log_publish_member(struct dzr_append *a, unsigned int member);

/**
 * dzr_log_commit_group - complete a group
 * @a: the claim
 * @live: bit for each member that an entry refers to, or did since it was
 *	published; the others are dead
 *
 * Context: process; may submit a full segment.
 */
void dzr_log_commit_group(struct dzr_append *a, u8 live);

/**
 * dzr_log_put - an object, or a member of a group, is dead
 * @log: the log
 * @loc: its location, which no entry holds any more
 *
 * Context: process; takes segs->lock for the last object of a segment.
 */
void dzr_log_put(struct dzr_log *log, dzr_loc_t loc);

/**
 * dzr_log_pin - keep an object where it is
 * @log: the log
 * @loc: its location
 * @pin: the pin
 *
 * Context: process, with the lock held of the entry that says @loc.
 */
void dzr_log_pin(struct dzr_log *log, dzr_loc_t loc, struct dzr_pin *pin);

/**
 * dzr_log_unpin - let go of an object
 * @pin: from dzr_log_pin()
 *
 * Context: process; no entry lock held.
 */
void dzr_log_unpin(struct dzr_pin *pin);

/**
 * dzr_cold_read_alloc - get what is needed for reading one object
 * @log: the log
 *
 * Context: any; does not sleep. After a failure ops->kick() follows.
 * Return: NULL when memory and reserve are used up.
 */
struct dzr_cold_read *dzr_cold_read_alloc(struct dzr_log *log);

/**
 * dzr_cold_read_free - give it back
 * @cr: from dzr_cold_read_alloc(); its pin was given back before
 */
void dzr_cold_read_free(struct dzr_cold_read *cr);

/**
 * dzr_cold_read_submit - read the pinned object
 * @cr: pin (without a buffer), block, age, end and owner are set
 *
 * If the caller has a plug, the read waits there for others that lie near.
 * @cr->end runs once, in the log's workqueue.
 *
 * Context: process; does not wait for the I/O.
 */
void dzr_cold_read_submit(struct dzr_cold_read *cr);

/**
 * dzr_log_drain - bring all that was appended to the device
 * @log: the log
 *
 * Closes segments that are partly filled.
 *
 * Context: process; sleeps until the writes have ended.
 * Return: 0; -EIO if some could not be written (their blocks stay readable
 * from memory, and writing is tried again later); -EINTR after a fatal
 * signal.
 */
int dzr_log_drain(struct dzr_log *log);

/**
 * dzr_log_stop - stop cleaning and retries
 * @log: the log
 *
 * Context: process; waits for the cleaner's step and I/O to end.
 */
void dzr_log_stop(struct dzr_log *log);

/**
 * dzr_log_start - undo dzr_log_stop()
 * @log: the log
 */
void dzr_log_start(struct dzr_log *log);

/**
 * dzr_log_idle_work - discard some freed segments and clean ahead
 * @log: the log
 * @max: segments to discard at the most
 *
 * Context: process; sleeps for the discards.
 */
void dzr_log_idle_work(struct dzr_log *log, unsigned int max);

/**
 * dzr_log_set_discard - pass discards of freed segments down, or not
 * @log: the log
 * @discard: whether; without effect on a device that has no discard
 */
void dzr_log_set_discard(struct dzr_log *log, bool discard);

/**
 * dzr_log_failed - does the device refuse writes at the moment?
 * @log: the log
 *
 * Context: any; one read.
 */
bool dzr_log_failed(struct dzr_log *log);

/**
 * dzr_log_plenty - is there room for what need not be written now?
 * @log: the log
 *
 * Context: process; takes log->lock.
 * Return: true while two of the users' buffers are free, and four times as many
 * segments as the cleaner wants to have.
 */
bool dzr_log_plenty(struct dzr_log *log);

/**
 * dzr_log_wait_room - wait until dzr_log_reserve() may succeed
 * @log: the log
 *
 * Context: process; sleeps.
 * Return: 0, or -EINTR after a fatal signal.
 */
int dzr_log_wait_room(struct dzr_log *log);

/**
 * dzr_log_totals - how full the log is
 * @log: the log
 * @totals: the answer
 */
void dzr_log_totals(struct dzr_log *log, struct dzr_segs_totals *totals);

/**
 * dzr_log_latency - how long cold reads take
 * @log: the log
 *
 * From the submission until the data has been checked in the workqueue; the
 * failed ones, too.
 *
 * Return: the histogram.
 */
struct dzr_latency *dzr_log_latency(struct dzr_log *log);

/**
 * dzr_log_bytes - memory that the log holds
 * @log: the log
 *
 * Return: bytes: segment accounting, buffers and read reserves.
 */
u64 dzr_log_bytes(struct dzr_log *log);

#endif /* DZR_LOG_H */
