// SPDX-License-Identifier: GPL-2.0
/*
 * Cleaner: makes free segments out of mostly dead ones.
 *
 * A state machine in one work item, which never sleeps for I/O: it picks a
 * victim and reads it (IDLE -> READING -> READ), then moves the live objects,
 * still compressed, through the cleaner's own stream (MOVING), in steps of
 * DZR_CLEAN_STEP objects. It leaves whenever it would have to wait, and is
 * woken when a buffer is free, a read ends, or free segments run short.
 *
 * An object whose content is damaged stays where it is, for its block to
 * report the error when it is read; its segment is not cleaned again.
 *
 * Locks: none of its own; a work item runs once at a time.
 */
#include <linux/crc32c.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "log-internal.h"
#include "trace.h"

/* Objects looked at between two chances for others to run. */
#define DZR_CLEAN_STEP		64

/* Objects looked at for one that fits into the end of a segment. */
#define DZR_CLEAN_FILL		64

/* Bytes of an object that could not be compressed; none has more. */
#define DZR_BLOCK_BYTES		4096U

static bool dzr_cleaner_needed(struct dzr_log *log)
{
	return dzr_segs_spare(log->segs) < log->clean_below &&
	       !READ_ONCE(log->stopped) && !READ_ONCE(log->failed);
}

void dzr_cleaner_wake(struct dzr_log *log)
{
	if (READ_ONCE(log->stopped))
		return;
	/* If space was low, it is for the cleaner to see that it is not. */
	if (READ_ONCE(log->cleaner.state) != DZR_CLEAN_IDLE ||
	    READ_ONCE(log->low) || dzr_cleaner_needed(log) ||
	    dzr_move_due(log))
		queue_work(log->wq, &log->cleaner.work);
}

static void dzr_cleaner_endio(struct bio *bio)
{
	struct dzr_cleaner *c = container_of(bio, struct dzr_cleaner, bio);
	struct dzr_log *log = container_of(c, struct dzr_log, cleaner);

	queue_work(log->wq, &c->ended);
}

/*
 * A run of the cleaner that was queued earlier may see @arrived at once, and
 * then dzr_log_stop() goes on. So this is a work item, whose end it can wait
 * for; with the end of a bio it could not.
 */
static void dzr_cleaner_ended(struct work_struct *work)
{
	struct dzr_cleaner *c = container_of(work, struct dzr_cleaner, ended);
	struct dzr_log *log = container_of(c, struct dzr_log, cleaner);

	c->status = c->bio.bi_status;
	/* Pairs with the load in dzr_cleaner_arrived(). */
	smp_store_release(&c->arrived, true);
	queue_work(log->wq, &c->work);
}

/* Has the victim's read ended? Then the state says so from now on. */
static bool dzr_cleaner_arrived(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	/* Pairs with the store in dzr_cleaner_ended(). */
	if (!smp_load_acquire(&c->arrived))
		return false;
	WRITE_ONCE(c->state, DZR_CLEAN_READ);
	wake_up_all(&log->wait);
	return true;
}

/* Users get -ENOSPC from now on, if nothing has died since we began to look. */
static void dzr_cleaner_full(struct dzr_log *log)
{
	if (cmpxchg(&log->full, DZR_MAYBE_FULL, DZR_FULL) != DZR_MAYBE_FULL) {
		queue_work(log->wq, &log->cleaner.work);
		return;
	}
	if (!log->told_full) {
		log->told_full = true;
		log->ops->low_space(log->owner, true);
	}
	wake_up_all(&log->wait);
	log->ops->kick(log->owner);
}

static bool dzr_cleaner_alone(struct dzr_log *log)
{
	bool quiet;

	raw_spin_lock(&log->lock);
	quiet = dzr_log_quiet(log);
	raw_spin_unlock(&log->lock);
	return quiet;
}

/* A look begins, after which the log may be full. */
static void dzr_cleaner_look(struct dzr_log *log)
{
	WRITE_ONCE(log->full, DZR_MAYBE_FULL);
	/* Pairs with the barrier in dzr_log_put(). */
	smp_mb();
}

/*
 * Choose a victim. When there is none although users are out of segments, the
 * log is full; but only if no segment is about to become free by itself, if no
 * write was on its way when the look began (it could bring a victim), and if
 * nothing has died during the look.
 */
static u32 dzr_cleaner_pick(struct dzr_log *log)
{
	bool must = dzr_segs_spare(log->segs) <= 0;
	bool alone = dzr_cleaner_alone(log), freed;
	u32 victim;

	dzr_cleaner_look(log);
	victim = dzr_segs_pick(log->segs, must, &freed);
	if (freed)
		dzr_log_kick(log);
	if (victim != DZR_NO_SEGMENT || (must && dzr_segs_coming(log->segs))) {
		dzr_log_not_full(log);
		return victim;
	}
	if (!log->low) {
		WRITE_ONCE(log->low, true);
		log->ops->low_space(log->owner, false);
	}
	if (must && alone)
		dzr_cleaner_full(log);
	else
		dzr_log_not_full(log);
	return victim;
}

/* Nothing to clean now. With half of what is wanted, space is not low any more. */
static void dzr_cleaner_space(struct dzr_log *log)
{
	if (dzr_segs_spare(log->segs) < log->clean_below / 2)
		return;
	WRITE_ONCE(log->low, false);
	log->told_full = false;
}

/* Let go of the victim. */
static void dzr_cleaner_drop(struct dzr_log *log)
{
	if (!dzr_segs_unpin(log->segs, log->cleaner.victim))
		return;
	dzr_log_not_full(log);
	if (wq_has_sleeper(&log->wait))
		wake_up_all(&log->wait);
	log->ops->kick(log->owner);
}

void dzr_cleaner_read(struct dzr_log *log, u32 off, u32 bytes)
{
	struct dzr_cleaner *c = &log->cleaner;

	c->arrived = false;
	WRITE_ONCE(c->state, DZR_CLEAN_READING);
	dzr_log_bio(log, &c->bio, c->vecs, REQ_OP_READ, c->victim,
		    c->data + off, bytes);
	c->bio.bi_iter.bi_sector += off >> SECTOR_SHIFT;
	c->bio.bi_end_io = dzr_cleaner_endio;
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_BYTES, bytes);
	submit_bio(&c->bio);
}

/* Choose a victim for the sake of space, if there is need and one that pays. */
static bool dzr_cleaner_choose(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	if (!dzr_cleaner_needed(log)) {
		dzr_cleaner_space(log);
		return false;
	}
	c->victim = dzr_cleaner_pick(log);
	if (c->victim == DZR_NO_SEGMENT) {
		dzr_cleaner_sees(log);
		return false;
	}
	if (!dzr_segs_pays(log->segs, c->victim, log->clean_below)) {
		dzr_cleaner_space(log);
		dzr_cleaner_drop(log);
		return false;
	}
	c->cause = DZR_CLEAN_SPACE;
	return true;
}

/* Else, one that has to leave its device. */
static bool dzr_cleaner_choose_move(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	c->victim = dzr_move_choose(log);
	c->cause = DZR_CLEAN_MOVE;
	return c->victim != DZR_NO_SEGMENT;
}

/* Start to read a victim, if there is one. */
static void dzr_cleaner_start(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	if (!dzr_cleaner_choose(log) && !dzr_cleaner_choose_move(log))
		return;
	c->live = dzr_segs_live(log->segs, c->victim);
	c->moved = 0;
	c->salvage = false;
	c->holes = 0;
	dzr_cleaner_read(log, 0, log->segment_size);
}

void dzr_cleaner_finish(struct dzr_log *log, enum dzr_clean_end end)
{
	struct dzr_cleaner *c = &log->cleaner;

	trace_dzr_clean(log->dev, c->victim, c->live, c->moved, c->cause, end);
	WRITE_ONCE(c->state, DZR_CLEAN_IDLE);
	dzr_cleaner_drop(log);
}

/* All objects of the victim have been dealt with. */
static void dzr_cleaner_cleaned(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	if (c->damaged)
		dzr_segs_shun(log->segs, c->victim, true);
	else
		dzr_stat_add(log->stats, c->cause == DZR_CLEAN_MOVE ?
			     DZR_STAT_SEGS_MOVED : DZR_STAT_SEGS_CLEANED, 1);
	dzr_cleaner_finish(log, c->damaged ? DZR_CLEAN_DAMAGED : DZR_CLEANED);
}

/*
 * No segment that could be cleaned can be read, each has been tried. If users
 * wait for it, they must not wait any longer: for them, the device has failed.
 */
static void dzr_cleaner_blind(struct dzr_log *log)
{
	raw_spin_lock(&log->lock);
	if (dzr_segs_spare(log->segs) <= 0)
		WRITE_ONCE(log->blind, true);
	if (!log->stopped)
		queue_delayed_work(log->wq, &log->retry,
				   msecs_to_jiffies(DZR_RETRY_MS));
	raw_spin_unlock(&log->lock);
	wake_up_all(&log->wait);
	log->ops->kick(log->owner);
}

void dzr_cleaner_sees(struct dzr_log *log)
{
	bool was;

	raw_spin_lock(&log->lock);
	was = log->blind;
	WRITE_ONCE(log->blind, false);
	raw_spin_unlock(&log->lock);
	if (was)
		dzr_log_kick(log);
}

/* Is what was read the segment that it should be? */
static bool dzr_cleaner_valid(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_seg_header *hdr = (void *)c->data;
	u32 crc = crc32c(~0U, hdr, offsetof(struct dzr_seg_header, crc));

	return le64_to_cpu(hdr->magic) == DZR_SEG_MAGIC &&
	       le32_to_cpu(hdr->crc) == crc &&
	       le32_to_cpu(hdr->version) == DZR_SEG_VERSION &&
	       le32_to_cpu(hdr->seg) == c->victim &&
	       !memcmp(hdr->log_id, log->id, sizeof(log->id)) &&
	       (u32)le64_to_cpu(hdr->seq) ==
	       dzr_segs_seq(log->segs, c->victim) &&
	       le32_to_cpu(hdr->used) <= log->segment_size;
}

/* The victim has been read. Returns true to go on. */
static bool dzr_cleaner_check(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_seg_header *hdr = (void *)c->data;
	bool move = c->cause == DZR_CLEAN_MOVE;
	bool again;

	invalidate_kernel_vmap_range(c->data, log->segment_size);
	if (c->salvage)
		return dzr_salvage_arrived(log);
	if (c->status && move) {
		dzr_salvage_begin(log);
		return false;
	}
	if (!c->status && !move)
		dzr_cleaner_sees(log);
	if (!c->status && dzr_cleaner_valid(log)) {
		c->damaged = false;
		c->cursor = sizeof(*hdr);
		c->end = le32_to_cpu(hdr->used);
		WRITE_ONCE(c->state, DZR_CLEAN_MOVING);
		return true;
	}
	dzr_stat_add(log->stats, c->status ? DZR_STAT_COLD_READ_ERRORS :
					     DZR_STAT_COLD_BAD_OBJECTS, 1);
	if (move) {
		dzr_salvage_scan(log);
		return true;
	}
	again = dzr_segs_shun(log->segs, c->victim, !c->status);
	dzr_cleaner_finish(log, DZR_CLEAN_UNREAD);
	if (c->status && again)
		dzr_cleaner_blind(log);
	/* Not at once again: it may be the only victim there is. */
	return false;
}

void dzr_cleaner_moved(struct dzr_log *log, dzr_loc_t old)
{
	log->cleaner.moved++;
	dzr_stat_add(log->stats, log->cleaner.cause == DZR_CLEAN_MOVE ?
		     DZR_STAT_BLOCKS_MOVED : DZR_STAT_BLOCKS_CLEANED, 1);
	dzr_log_put(log, old);
}

int dzr_cleaner_copy(struct dzr_log *log, u32 block, u8 codec,
		     const void *data, u32 len, dzr_loc_t old)
{
	struct dzr_append a;
	bool live;
	int err;

	err = dzr_log_reserve(log, DZR_STREAM_CLEANER, block, codec, len, &a);
	if (err)
		return err;
	memcpy(a.data, data, len);
	dzr_log_publish(&a);
	live = log->ops->repoint(log->owner, block, old, a.loc);
	dzr_log_commit(&a, live);
	if (live)
		dzr_cleaner_moved(log, old);
	return 0;
}

/*
 * No room for a copy. If a write is in flight, its end will make room; if it
 * has ended just now, or a reader is about to let go of a buffer, there is some
 * already. If it is segments that are missing, the cleaner's own included:
 * leave the victim as it is.
 */
static void dzr_cleaner_blocked(struct dzr_log *log, int err)
{
	if (err != -EAGAIN || !dzr_cleaner_alone(log))
		return;
	if (dzr_segs_spare(log->segs) > -(s64)DZR_CLEANER_SEGS) {
		queue_work(log->wq, &log->cleaner.work);
		return;
	}
	dzr_cleaner_finish(log, DZR_CLEAN_NO_ROOM);
	dzr_cleaner_look(log);
	if (dzr_segs_coming(log->segs))
		dzr_log_not_full(log);
	else
		dzr_cleaner_full(log);
}

u32 dzr_cleaner_len(struct dzr_cleaner *c, u32 off)
{
	const struct dzr_object_header *hdr = (void *)(c->data + off);
	u32 left = c->end - off;
	u32 len = left > sizeof(*hdr) ? le16_to_cpu(hdr->len) : 0;
	u32 max = len && hdr->flags & DZR_OBJECT_GROUP ? DZR_GROUP_MAX_LEN :
							 DZR_BLOCK_BYTES;

	return len <= max && len + sizeof(*hdr) <= left ? len : 0;
}

/* Copy the object at an offset if it is live, good, and fits into @room. */
static int dzr_cleaner_try(struct dzr_log *log, u32 off, u32 len, u32 room)
{
	const struct dzr_object_header *hdr = (void *)(log->cleaner.data + off);
	dzr_loc_t loc = dzr_loc(log->cleaner.victim, off, len);
	u32 block = le32_to_cpu(hdr->block);

	/* What becomes of a group is seen when it is at the cursor. */
	if (dzr_object_size(len) > room || hdr->flags & DZR_OBJECT_GROUP ||
	    !log->ops->is_live(log->owner, block, loc) ||
	    !dzr_object_check(log, loc, hdr, block))
		return 0;
	return dzr_cleaner_copy(log, block, hdr->codec, hdr + 1, len, loc);
}

/*
 * The object at the cursor has @len bytes. If it does not fit into the segment
 * that is open, bring some of those behind it forward that do, so that less of
 * the segment is lost. They are found dead when it is their turn.
 */
void dzr_cleaner_fill(struct dzr_log *log, u32 len)
{
	u32 room = dzr_log_room(log, DZR_STREAM_CLEANER);
	struct dzr_cleaner *c = &log->cleaner;
	u32 off = c->cursor;
	unsigned int i;

	/* With holes, what comes next is not known. */
	if (c->salvage || room >= dzr_object_size(len))
		return;
	for (i = 0; i < DZR_CLEAN_FILL && room; i++) {
		off += dzr_object_size(len);
		len = off < c->end ? dzr_cleaner_len(c, off) : 0;
		if (!len || dzr_cleaner_try(log, off, len, room))
			return;
		room = dzr_log_room(log, DZR_STREAM_CLEANER);
	}
}

int dzr_cleaner_object(struct dzr_log *log, u32 len)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_object_header *hdr = (void *)(c->data + c->cursor);
	u32 block = le32_to_cpu(hdr->block);
	dzr_loc_t loc = dzr_loc(c->victim, c->cursor, len);
	bool live, good;
	int err;

	if (hdr->flags & DZR_OBJECT_GROUP) {
		good = dzr_object_intact(log, loc, hdr);
		err = dzr_clean_group(log, c->cursor, &good);
		c->damaged |= !good;
		return err;
	}
	live = log->ops->is_live(log->owner, block, loc);
	if (dzr_object_check(log, loc, hdr, block)) {
		if (!live)
			return 0;
		dzr_cleaner_fill(log, len);
		return dzr_cleaner_copy(log, block, hdr->codec, hdr + 1, len,
					loc);
	}
	/* Even if it seems dead: its header cannot be trusted. */
	c->damaged = true;
	if (live)
		dzr_stat_add(log->stats, DZR_STAT_COLD_BAD_OBJECTS, 1);
	return 0;
}

/* Go on to the next object, if the one at the cursor lets us. */
static bool dzr_cleaner_move(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	u32 len;
	int err;

	if (c->cursor >= c->end) {
		if (c->salvage)
			dzr_salvage_end(log);
		else if (c->damaged && c->cause == DZR_CLEAN_MOVE)
			dzr_salvage_scan(log);
		else
			dzr_cleaner_cleaned(log);
		return true;
	}
	if (c->cause == DZR_CLEAN_MOVE && dzr_segs_spare(log->segs) <= 0) {
		/* What gains space comes first; the rest of it later. */
		dzr_cleaner_finish(log, DZR_CLEAN_NO_ROOM);
		return true;
	}
	len = c->salvage ? dzr_salvage_look(log) :
			   dzr_cleaner_len(c, c->cursor);
	if (!len) {
		if (!c->salvage) {
			c->damaged = true;
			c->cursor = c->end;
		}
		return true;
	}
	err = dzr_cleaner_object(log, len);
	if (err) {
		dzr_cleaner_blocked(log, err);
		return false;
	}
	c->cursor += dzr_object_size(len);
	return true;
}

/* One transition. Returns true to go on. */
static bool dzr_cleaner_step(struct dzr_log *log)
{
	switch (READ_ONCE(log->cleaner.state)) {
	case DZR_CLEAN_IDLE:
		dzr_cleaner_start(log);
		return false;
	case DZR_CLEAN_READING:
		return dzr_cleaner_arrived(log);
	case DZR_CLEAN_READ:
		return dzr_cleaner_check(log);
	case DZR_CLEAN_MOVING:
		return dzr_cleaner_move(log);
	}
	return false;
}

static void dzr_cleaner_work(struct work_struct *work)
{
	struct dzr_cleaner *c = container_of(work, struct dzr_cleaner, work);
	struct dzr_log *log = container_of(c, struct dzr_log, cleaner);
	unsigned int budget = DZR_CLEAN_STEP;

	while (budget--) {
		/* A read in flight must be noticed; no more after stop. */
		if (READ_ONCE(log->stopped) &&
		    READ_ONCE(c->state) != DZR_CLEAN_READING)
			return;
		if (!dzr_cleaner_step(log))
			return;
	}
	if (!READ_ONCE(log->stopped))
		queue_work(log->wq, &c->work);
}

int dzr_cleaner_init(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	INIT_WORK(&c->work, dzr_cleaner_work);
	INIT_WORK(&c->ended, dzr_cleaner_ended);
	c->vecs = kcalloc(log->segment_size / PAGE_SIZE, sizeof(*c->vecs),
			  GFP_KERNEL);
	if (!c->vecs)
		return -ENOMEM;
	c->data = vzalloc(log->segment_size + DZR_BLOCK_BYTES);
	if (!c->data)
		return -ENOMEM;
	c->scratch = c->data + log->segment_size;
	return 0;
}

void dzr_cleaner_exit(struct dzr_log *log)
{
	kfree(log->cleaner.vecs);
	vfree(log->cleaner.data);
}
