// SPDX-License-Identifier: GPL-2.0
/*
 * Another cold device for a log, or a larger one.
 *
 * A log has the segments of its device, and, in a move, those of the old one,
 * too. They have numbers of their own: see segment.h. Nothing is opened on the
 * old device any more, and the cleaner empties its segments, one after the
 * other, when it has nothing that is more urgent; the owner is told when the
 * last one is empty. To go back is a move in the other direction.
 *
 * What cannot be read stays where it is, and the old device with it.
 *
 * Locks: none of its own. Extents change while the log is stopped; dzr_log_forget()
 * takes one away that nobody uses.
 */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "log-internal.h"

/* Segments that must be spare for one to be moved: what it may need, and one. */
#define DZR_MOVE_SPARE		2

/* How long to wait for them. */
#define DZR_MOVE_SPARE_MS	100U

/* How long to wait between two segments while somebody is being served. */
#define DZR_MOVE_BUSY_MS	20U

/* How long to wait for segments that somebody holds, or that are damaged. */
#define DZR_MOVE_HELD_MS	500U

/* Bytes of one discard when all of the old device is discarded. */
#define DZR_LET_GO_BYTES	(64U << 20)

/**
 * struct dzr_log_change - what a log is to become
 * @since: dzr_log_changes() before anything was looked at
 * @bdev: its device
 * @nr: segments of that
 * @lbs: its logical block size
 * @room: accounts for new segments, or NULL
 * @reads: a reserve of larger reads, or NULL
 * @read_size: bytes of each of them
 */
struct dzr_log_change {
	u32 since;
	struct block_device *bdev;
	u32 nr;
	u32 lbs;
	struct dzr_segs_room *room;
	mempool_t *reads;
	u32 read_size;
};

static struct dzr_extent *dzr_active(struct dzr_log *log)
{
	return &log->extent[log->active];
}

static struct dzr_extent *dzr_other(struct dzr_log *log)
{
	return &log->extent[!log->active];
}

static bool dzr_log_can_grow(struct dzr_log *log, struct block_device *bdev)
{
	return dzr_active(log)->bdev == bdev && !READ_ONCE(log->moving);
}

/* Segments that the log would have on a device. */
static u32 dzr_log_would_have(struct dzr_log *log, struct block_device *bdev)
{
	u32 nr = dzr_log_segments(bdev_nr_sectors(bdev), log->segment_size);
	struct dzr_extent *act = dzr_active(log);

	if (dzr_log_can_grow(log, bdev))
		return min(nr, DZR_MAX_SEGMENTS - act->first);
	/* During a move, extents stay as they are. */
	if (act->bdev == bdev)
		return min(nr, act->nr);
	if (READ_ONCE(log->moving) && dzr_other(log)->bdev == bdev)
		return min(nr, dzr_other(log)->nr);
	return nr;
}

/* Can a device that the log has be so small? */
static bool dzr_log_shrunk(struct dzr_log *log, struct block_device *bdev,
			   u32 nr)
{
	return (dzr_active(log)->bdev == bdev && nr < dzr_active(log)->nr) ||
	       (READ_ONCE(log->moving) && dzr_other(log)->bdev == bdev &&
		nr < dzr_other(log)->nr);
}

char *dzr_log_change_check(struct dzr_log *log, struct block_device *bdev,
			   u64 nr_blocks)
{
	u32 nr = dzr_log_would_have(log, bdev);
	struct dzr_segs_totals t;

	if (dzr_log_shrunk(log, bdev, nr))
		return "Cold device has become smaller than what is in use of it";
	if (nr_blocks &&
	    nr < dzr_log_least_segments(nr_blocks * DZR_MAX_OBJECT,
					log->segment_size))
		return "Cold device is too small to back every block (see overcommit)";
	if (dzr_active(log)->bdev == bdev)
		return NULL;
	if (READ_ONCE(log->moving) && dzr_other(log)->bdev != bdev)
		return "Blocks are still moving off another cold device: wait, or go back to it";
	if (nr < DZR_MIN_SEGMENTS)
		return "Cold device is too small for a log";
	dzr_segs_totals(log->segs, &t);
	if (nr < dzr_log_least_segments(t.most_bytes, log->segment_size))
		return "Cold device is too small for the data";
	if (dzr_segs_place(log->segs, nr) == DZR_NO_SEGMENT)
		return "Cold device is too large to move to: both have more than 2^26 segments";
	return NULL;
}

/* What of a change needs memory. */
static int dzr_log_change_prepare(struct dzr_log *log,
				  struct dzr_log_change *c)
{
	u32 more = c->nr;

	/* Not below 0, should the device have been made smaller just now. */
	if (dzr_active(log)->bdev == c->bdev)
		more -= min(more, dzr_active(log)->nr);
	if (more) {
		c->room = dzr_segs_room_create(log->segs, more);
		if (!c->room)
			return -ENOMEM;
	}
	c->read_size = dzr_read_size(c->lbs);
	if (c->read_size > log->read_size) {
		c->reads = dzr_reads_create(c->read_size);
		if (!c->reads)
			return -ENOMEM;
	}
	return 0;
}

u32 dzr_log_changes(struct dzr_log *log)
{
	return log->changes;
}

struct dzr_log_change *dzr_log_change_create(struct dzr_log *log,
					     struct block_device *bdev,
					     u32 since)
{
	struct dzr_log_change *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->since = since;
	c->bdev = bdev;
	c->nr = dzr_log_would_have(log, bdev);
	c->lbs = max_t(u32, bdev_logical_block_size(bdev), SECTOR_SIZE);
	if (dzr_log_change_prepare(log, c)) {
		dzr_log_change_destroy(c);
		return NULL;
	}
	return c;
}

void dzr_log_change_destroy(struct dzr_log_change *c)
{
	if (!c)
		return;
	dzr_segs_room_destroy(c->room);
	mempool_destroy(c->reads);
	kfree(c);
}

bool dzr_log_change_ready(struct dzr_log *log, const struct dzr_log_change *c)
{
	return c->since == log->changes;
}

static void dzr_log_grow(struct dzr_log *log, struct dzr_log_change *c)
{
	struct dzr_extent *e = dzr_active(log);

	if (!c->room || c->nr <= e->nr || log->moving)
		return;
	WRITE_ONCE(e->nr, c->nr);
	dzr_segs_grow(log->segs, c->room, c->nr);
	log->changes++;
}

static void dzr_log_extend(struct dzr_log *log, struct dzr_log_change *c)
{
	struct dzr_extent *e = dzr_other(log);

	*e = (struct dzr_extent){
		.bdev = c->bdev,
		.first = dzr_segs_place(log->segs, c->nr),
		.lbs = c->lbs,
	};
	WRITE_ONCE(e->nr, c->nr);
	dzr_segs_move(log->segs, c->room, c->nr);
}

/*
 * A victim that the cleaner was at for the sake of space may have to leave its
 * device now: it is moved, so that all is had of it that can be had.
 */
static void dzr_log_switch_victim(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	if (c->state != DZR_CLEAN_IDLE &&
	    dzr_segs_retires(log->segs, c->victim))
		c->cause = DZR_CLEAN_MOVE;
}

/* What is known of the active device, or follows from it, is to be found anew. */
static void dzr_log_switched(struct dzr_log *log)
{
	log->active = !log->active;
	log->changes++;
	log->let_go = 0;
	WRITE_ONCE(log->move_next, jiffies);
	WRITE_ONCE(log->moving, true);
	dzr_log_set_discard(log, log->passdown);
	dzr_log_switch_victim(log);
	raw_spin_lock(&log->lock);
	WRITE_ONCE(log->blind, false);
	raw_spin_unlock(&log->lock);
}

/* Larger reads, if need be. Nobody reads now. */
static void dzr_log_read_more(struct dzr_log *log, struct dzr_log_change *c)
{
	if (!c->reads || c->read_size <= log->read_size)
		return;
	swap(log->reads, c->reads);
	log->read_size = c->read_size;
}

enum dzr_log_changed dzr_log_change_apply(struct dzr_log *log,
					  struct dzr_log_change *c)
{
	enum dzr_log_changed changed = DZR_LOG_SAME;

	dzr_log_read_more(log, c);
	if (dzr_active(log)->bdev == c->bdev) {
		dzr_log_grow(log, c);
	} else if (log->moving) {
		changed = DZR_LOG_BACK;
		dzr_segs_turn_back(log->segs);
		dzr_log_switched(log);
	} else {
		changed = DZR_LOG_NEW;
		dzr_log_extend(log, c);
		dzr_log_switched(log);
	}
	WRITE_ONCE(log->clean_below, dzr_log_clean_below(dzr_active(log)->nr));
	dzr_log_not_full(log);
	return changed;
}

/* Discard what was on the old device. Returns false if that is to go on later. */
static bool dzr_log_discard_old(struct dzr_log *log)
{
	const struct dzr_extent *e = dzr_other(log);
	u32 step = DZR_LET_GO_BYTES / log->segment_size;

	if (!READ_ONCE(log->passdown) || !bdev_max_discard_sectors(e->bdev))
		return true;
	while (log->let_go < e->nr) {
		u32 nr = min(step, e->nr - log->let_go);
		sector_t sectors = ((u64)nr * log->segment_size) >> SECTOR_SHIFT;

		if (READ_ONCE(log->stopped))
			return false;
		if (blkdev_issue_discard(e->bdev,
					 dzr_log_sector(log, e, e->first + log->let_go),
					 sectors, GFP_NOIO))
			return true;
		log->let_go += nr;
	}
	return true;
}

bool dzr_log_forget(struct dzr_log *log)
{
	if (!READ_ONCE(log->moving) || dzr_segs_left(log->segs) ||
	    !dzr_log_discard_old(log))
		return false;
	WRITE_ONCE(log->moving, false);
	WRITE_ONCE(dzr_other(log)->nr, 0);
	return dzr_segs_forget(log->segs);
}

void dzr_move_wake(struct work_struct *work)
{
	struct dzr_log *log = container_of(to_delayed_work(work),
					   struct dzr_log, move_wait);

	dzr_cleaner_wake(log);
}

void dzr_move_rest(struct dzr_log *log, unsigned int ms)
{
	WRITE_ONCE(log->move_next, jiffies + msecs_to_jiffies(ms));
	raw_spin_lock(&log->lock);
	if (!log->stopped)
		mod_delayed_work(log->wq, &log->move_wait,
				 msecs_to_jiffies(ms) + 1);
	raw_spin_unlock(&log->lock);
}

void dzr_move_unread(struct dzr_log *log, bool again)
{
	dzr_move_rest(log, again ? DZR_RETRY_MS : DZR_MOVE_BUSY_MS);
}

/* A segment to be moved, or none, and when to look again. */
static u32 dzr_move_pick(struct dzr_log *log)
{
	u32 seg = dzr_segs_pick_retiring(log->segs, false);

	if (seg == DZR_NO_SEGMENT)
		seg = dzr_segs_pick_retiring(log->segs, true);
	if (seg == DZR_NO_SEGMENT)
		dzr_move_rest(log, DZR_MOVE_HELD_MS);
	else if (log->ops->is_busy(log->owner))
		dzr_move_rest(log, DZR_MOVE_BUSY_MS);
	return seg;
}

u32 dzr_move_choose(struct dzr_log *log)
{
	if (!READ_ONCE(log->moving))
		return DZR_NO_SEGMENT;
	if (!dzr_segs_left(log->segs)) {
		log->ops->moved(log->owner);
		return DZR_NO_SEGMENT;
	}
	if (!dzr_move_due(log))
		return DZR_NO_SEGMENT;
	if (READ_ONCE(log->failed)) {
		dzr_move_rest(log, DZR_RETRY_MS);
		return DZR_NO_SEGMENT;
	}
	/* What is being filled of the old device is written as it is. */
	dzr_log_close(log, true);
	if (dzr_segs_spare(log->segs) < DZR_MOVE_SPARE) {
		dzr_move_rest(log, DZR_MOVE_SPARE_MS);
		return DZR_NO_SEGMENT;
	}
	return dzr_move_pick(log);
}
