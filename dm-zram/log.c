// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a cold log: geometry, creation, draining, stopping, totals.
 *
 * Locks: log->lock for the buffers; see log.h for the order.
 */
#include <linux/blkdev.h>
#include <linux/crc32c.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "log-internal.h"

/* Beyond the cleaner's reserve, clean what pays when less than 1/32 is free. */
#define DZR_CLEAN_AHEAD_SHIFT	5

/* Room beyond that many times this is plenty. */
#define DZR_PLENTY		4

/* The least dead space that makes cleaning worth while: see segment.h. */
#define DZR_MIN_GAIN		(2 * dzr_object_size(4096))

/* Else what may be lost at the end of a segment is more than cleaning gains. */
static_assert(DZR_MAX_GROUP < 2 * DZR_MAX_OBJECT);

u64 dzr_log_least_segments(u64 bytes, u32 segment_size)
{
	u64 usable = dzr_log_capacity(segment_size) - DZR_MIN_GAIN;

	return DIV_ROUND_UP_ULL(bytes, usable) + DZR_CLEANER_SEGS +
	       DZR_NR_BUFS;
}

sector_t dzr_log_min_sectors(u64 nr_blocks, u32 segment_size)
{
	u64 segs = dzr_log_least_segments(nr_blocks * dzr_object_size(4096),
					  segment_size);

	return (DZR_HEADER_AREA + segs * segment_size) >> SECTOR_SHIFT;
}

static void dzr_bufs_exit(struct dzr_log *log)
{
	unsigned int i;

	if (!log->bufs)
		return;
	for (i = 0; i < DZR_NR_BUFS; i++) {
		kfree(log->bufs[i].vecs);
		vfree(log->bufs[i].data);
	}
	kfree(log->bufs);
}

static int dzr_bufs_init(struct dzr_log *log)
{
	unsigned int i;

	INIT_LIST_HEAD(&log->free[DZR_STREAM_USER]);
	INIT_LIST_HEAD(&log->free[DZR_STREAM_CLEANER]);
	log->bufs = kcalloc(DZR_NR_BUFS, sizeof(*log->bufs), GFP_KERNEL);
	if (!log->bufs)
		return -ENOMEM;
	for (i = 0; i < DZR_NR_BUFS; i++) {
		struct dzr_buf *buf = &log->bufs[i];

		buf->log = log;
		buf->stream = i < DZR_USER_BUFS ? DZR_STREAM_USER :
						  DZR_STREAM_CLEANER;
		INIT_WORK(&buf->submit, dzr_buf_submit_work);
		INIT_WORK(&buf->work, dzr_buf_done);
		list_add_tail(&buf->link, &log->free[buf->stream]);
		buf->data = vzalloc(log->segment_size);
		buf->vecs = kcalloc(log->segment_size / PAGE_SIZE,
				    sizeof(*buf->vecs), GFP_KERNEL);
		if (!buf->data || !buf->vecs)
			return -ENOMEM;
	}
	return 0;
}

u32 dzr_log_segments(sector_t sectors, u32 segment_size)
{
	u64 bytes = (u64)sectors << SECTOR_SHIFT;

	if (bytes <= DZR_HEADER_AREA)
		return 0;
	return min_t(u64, (bytes - DZR_HEADER_AREA) / segment_size,
		     DZR_MAX_SEGMENTS);
}

u32 dzr_log_clean_below(u32 segs)
{
	return max(4U, segs >> DZR_CLEAN_AHEAD_SHIFT);
}

/* A log without any of the parts that it allocates. */
static struct dzr_log *dzr_log_new(const struct dzr_log_params *p, u32 segs)
{
	struct dzr_log *log = kzalloc(sizeof(*log), GFP_KERNEL);

	if (!log)
		return NULL;
	log->extent[0] = (struct dzr_extent){
		.bdev = p->bdev,
		.nr = segs,
		.lbs = max_t(u32, bdev_logical_block_size(p->bdev),
			     SECTOR_SIZE),
	};
	log->wq = p->wq;
	log->stats = p->stats;
	log->ops = p->ops;
	log->owner = p->owner;
	log->dev = p->dev;
	log->segment_size = p->segment_size;
	log->read_size = dzr_read_size(log->extent[0].lbs);
	log->clean_below = dzr_log_clean_below(segs);
	get_random_bytes(log->id, sizeof(log->id));
	log->crc_seed = crc32c(~0U, log->id, sizeof(log->id));
	dzr_log_set_discard(log, p->discard);
	raw_spin_lock_init(&log->lock);
	init_waitqueue_head(&log->wait);
	INIT_DELAYED_WORK(&log->retry, dzr_log_retry);
	INIT_DELAYED_WORK(&log->move_wait, dzr_move_wake);
	return log;
}

struct dzr_log *dzr_log_create(const struct dzr_log_params *p)
{
	u32 segs = dzr_log_segments(p->sectors, p->segment_size);
	struct dzr_log *log;

	if (segs < DZR_MIN_SEGMENTS)
		return ERR_PTR(-ENOSPC);
	log = dzr_log_new(p, segs);
	if (!log)
		return ERR_PTR(-ENOMEM);
	log->segs = dzr_segs_create(segs, dzr_log_capacity(p->segment_size),
				    DZR_CLEANER_SEGS, DZR_MIN_GAIN);
	log->reads = dzr_reads_create(log->read_size);
	if (!log->segs || !log->reads || dzr_bufs_init(log) ||
	    dzr_latency_init(&log->latency) || dzr_cleaner_init(log)) {
		dzr_log_destroy(log);
		return ERR_PTR(-ENOMEM);
	}
	return log;
}

bool dzr_log_quiet(struct dzr_log *log)
{
	unsigned int i;

	lockdep_assert_held(&log->lock);

	for (i = 0; i < DZR_NR_BUFS; i++)
		if (log->bufs[i].state == DZR_BUF_CLOSED ||
		    log->bufs[i].state == DZR_BUF_WRITING)
			return false;
	return true;
}

static bool dzr_log_busy(struct dzr_log *log)
{
	bool quiet;

	raw_spin_lock(&log->lock);
	quiet = dzr_log_quiet(log);
	raw_spin_unlock(&log->lock);
	return !quiet;
}

/*
 * From @stopped on, no step of the cleaner and no retry begins; what has begun
 * is waited for, the outcomes of writes included, which may begin another
 * write.
 */
void dzr_log_stop(struct dzr_log *log)
{
	unsigned int i;

	raw_spin_lock(&log->lock);
	WRITE_ONCE(log->stopped, true);
	raw_spin_unlock(&log->lock);
	wake_up_all(&log->wait);

	cancel_delayed_work_sync(&log->retry);
	cancel_delayed_work_sync(&log->move_wait);
	flush_work(&log->cleaner.work);
	wait_event(log->wait, READ_ONCE(log->cleaner.state) !=
			      DZR_CLEAN_READING);
	flush_work(&log->cleaner.ended);
	do {
		wait_event(log->wait, !dzr_log_busy(log));
		for (i = 0; i < DZR_NR_BUFS; i++) {
			flush_work(&log->bufs[i].submit);
			flush_work(&log->bufs[i].work);
		}
	} while (dzr_log_busy(log));
	cancel_work_sync(&log->cleaner.work);
	cancel_delayed_work_sync(&log->move_wait);
	cancel_delayed_work_sync(&log->retry);
}

void dzr_log_start(struct dzr_log *log)
{
	raw_spin_lock(&log->lock);
	WRITE_ONCE(log->stopped, false);
	raw_spin_unlock(&log->lock);
	/* Who would have ended the rest of a move was stopped, too. */
	WRITE_ONCE(log->move_next, jiffies);
	mod_delayed_work(log->wq, &log->retry, 0);
	dzr_cleaner_wake(log);
}

void dzr_log_destroy(struct dzr_log *log)
{
	if (!log)
		return;
	if (log->cleaner.data)
		dzr_log_stop(log);
	dzr_cleaner_exit(log);
	dzr_latency_exit(&log->latency);
	mempool_destroy(log->reads);
	dzr_bufs_exit(log);
	dzr_segs_destroy(log->segs);
	kfree(log);
}

void dzr_log_kick(struct dzr_log *log)
{
	if (wq_has_sleeper(&log->wait))
		wake_up_all(&log->wait);
	/* A cleaner that stopped for want of a buffer goes on. */
	if (READ_ONCE(log->cleaner.state) != DZR_CLEAN_IDLE ||
	    READ_ONCE(log->moving))
		dzr_cleaner_wake(log);
	log->ops->kick(log->owner);
}

bool dzr_log_failed(struct dzr_log *log)
{
	return READ_ONCE(log->failed) || READ_ONCE(log->blind);
}

void dzr_log_close(struct dzr_log *log, bool retiring)
{
	unsigned int i;

	for (i = 0; i < DZR_NR_STREAMS; i++) {
		struct dzr_buf *buf;
		bool submit = false;

		raw_spin_lock(&log->lock);
		buf = log->open[i];
		if (buf && (!retiring || dzr_segs_retires(log->segs, buf->seg)))
			submit = dzr_buf_close(buf);
		raw_spin_unlock(&log->lock);
		if (submit)
			dzr_buf_submit(buf);
	}
}

int dzr_log_drain(struct dzr_log *log)
{
	dzr_log_close(log, false);
	if (wait_event_killable(log->wait, !dzr_log_busy(log)))
		return -EINTR;
	return dzr_log_failed(log) ? -EIO : 0;
}

/* Could a user's dzr_log_reserve() answer anything but -EAGAIN? */
static bool dzr_log_has_room(struct dzr_log *log)
{
	bool room;

	raw_spin_lock(&log->lock);
	room = dzr_log_failed(log) || log->stopped ||
	       READ_ONCE(log->full) == DZR_FULL ||
	       (!list_empty(&log->free[DZR_STREAM_USER]) &&
		dzr_segs_spare(log->segs) > 0);
	raw_spin_unlock(&log->lock);
	return room;
}

bool dzr_log_plenty(struct dzr_log *log)
{
	struct list_head *free = &log->free[DZR_STREAM_USER];
	bool two;

	raw_spin_lock(&log->lock);
	two = !list_empty(free) && !list_is_singular(free);
	raw_spin_unlock(&log->lock);
	return two && !dzr_log_failed(log) &&
	       dzr_segs_spare(log->segs) >
	       (s64)log->clean_below * DZR_PLENTY;
}

int dzr_log_wait_room(struct dzr_log *log)
{
	long ret;

	do {
		dzr_cleaner_wake(log);
		ret = wait_event_killable_timeout(log->wait,
						  dzr_log_has_room(log),
						  msecs_to_jiffies(100));
	} while (!ret);
	return ret < 0 ? -EINTR : 0;
}

void dzr_log_set_discard(struct dzr_log *log, bool discard)
{
	struct block_device *bdev = log->extent[log->active].bdev;

	WRITE_ONCE(log->passdown, discard);
	WRITE_ONCE(log->discard, discard && bdev_max_discard_sectors(bdev));
}

void dzr_log_idle_work(struct dzr_log *log, unsigned int max)
{
	dzr_cleaner_wake(log);
	/* Those that the cleaner needs, or that users wait for, come later. */
	while (max-- && READ_ONCE(log->discard) && !dzr_log_failed(log) &&
	       dzr_segs_spare(log->segs) > 0) {
		u32 seg = dzr_segs_take_stale(log->segs);
		const struct dzr_extent *e = dzr_log_extent(log, seg);
		int err;

		if (seg == DZR_NO_SEGMENT)
			return;
		err = blkdev_issue_discard(e->bdev, dzr_log_sector(log, e, seg),
					   log->segment_size >> SECTOR_SHIFT,
					   GFP_NOIO);
		dzr_segs_discarded(log->segs, seg);
		if (err == -EOPNOTSUPP)
			WRITE_ONCE(log->discard, false);
		if (!err)
			dzr_stat_add(log->stats, DZR_STAT_SEGS_DISCARDED, 1);
		dzr_log_kick(log);
	}
}

void dzr_log_totals(struct dzr_log *log, struct dzr_segs_totals *totals)
{
	dzr_segs_totals(log->segs, totals);
}

struct dzr_latency *dzr_log_latency(struct dzr_log *log)
{
	return &log->latency;
}

u64 dzr_log_bytes(struct dzr_log *log)
{
	u64 vecs = log->segment_size / PAGE_SIZE * sizeof(struct bio_vec);

	/* One more buffer, with its vector, is the cleaner's; and a block. */
	return sizeof(*log) + dzr_segs_bytes(log->segs) +
	       dzr_reads_bytes(log) +
	       (u64)num_possible_cpus() * sizeof(struct dzr_latency_cpu) +
	       (DZR_NR_BUFS + 1) * (log->segment_size + vecs) + 4096;
}
