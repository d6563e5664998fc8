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

/* Objects looked at between two chances for others to run. */
#define DZR_CLEAN_STEP		64

static bool dzr_cleaner_needed(struct dzr_log *log)
{
	return dzr_segs_spare(log->segs) < log->clean_below &&
	       !READ_ONCE(log->stopped) && !dzr_log_failed(log);
}

void dzr_cleaner_wake(struct dzr_log *log)
{
	if (READ_ONCE(log->cleaner.state) != DZR_CLEAN_IDLE ||
	    dzr_cleaner_needed(log))
		queue_work(log->wq, &log->cleaner.work);
}

static void dzr_cleaner_endio(struct bio *bio)
{
	struct dzr_cleaner *c = container_of(bio, struct dzr_cleaner, bio);
	struct dzr_log *log = container_of(c, struct dzr_log, cleaner);

	c->status = bio->bi_status;
	/* Pairs with the load in dzr_cleaner_arrived(). */
	smp_store_release(&c->arrived, true);
	queue_work(log->wq, &c->work);
}

/* Has the victim's read ended? Then the state says so from now on. */
static bool dzr_cleaner_arrived(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	/* Pairs with the store in dzr_cleaner_endio(). */
	if (!smp_load_acquire(&c->arrived))
		return false;
	WRITE_ONCE(c->state, DZR_CLEAN_READ);
	wake_up_all(&log->wait);
	return true;
}

/*
 * Nothing is worth cleaning. If users are out of segments and no write is on
 * its way that could change that, the log is full.
 */
static void dzr_cleaner_stuck(struct dzr_log *log, bool must)
{
	bool idle = true;
	unsigned int i;

	if (!log->low) {
		log->low = true;
		log->ops->low_space(log->owner);
	}
	if (!must)
		return;
	spin_lock(&log->lock);
	for (i = 0; i < DZR_NR_BUFS; i++)
		idle &= log->bufs[i].state == DZR_BUF_FREE ||
			log->bufs[i].state == DZR_BUF_OPEN;
	if (idle)
		WRITE_ONCE(log->full, true);
	spin_unlock(&log->lock);
	if (!idle)
		return;
	/* Pairs with dzr_log_put(): look again for what died meanwhile. */
	smp_mb();
	wake_up_all(&log->wait);
	log->ops->kick(log->owner);
}

/* Choose a victim and start to read it. Returns true to go on at once. */
static bool dzr_cleaner_start(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	bool must;

	if (!dzr_cleaner_needed(log)) {
		log->low = false;
		return false;
	}
	must = dzr_segs_spare(log->segs) <= 0;
	c->victim = dzr_segs_pick(log->segs, must);
	if (c->victim == DZR_NO_SEGMENT) {
		dzr_cleaner_stuck(log, must);
		return false;
	}
	c->arrived = false;
	WRITE_ONCE(c->state, DZR_CLEAN_READING);
	dzr_log_bio(log, &c->bio, c->vecs, REQ_OP_READ, c->victim, c->data,
		    log->segment_size);
	c->bio.bi_end_io = dzr_cleaner_endio;
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_BYTES, log->segment_size);
	submit_bio(&c->bio);
	return false;
}

/* Done with the victim; if live objects are left, leave it alone for good. */
static void dzr_cleaner_finish(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	if (c->damaged)
		dzr_segs_shun(log->segs, c->victim);
	else
		dzr_stat_add(log->stats, DZR_STAT_SEGS_CLEANED, 1);
	WRITE_ONCE(c->state, DZR_CLEAN_IDLE);
	if (dzr_segs_unpin(log->segs, c->victim)) {
		if (wq_has_sleeper(&log->wait))
			wake_up_all(&log->wait);
		log->ops->kick(log->owner);
	}
}

/* The victim has been read. Returns true to go on. */
static bool dzr_cleaner_check(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_seg_header *hdr = (void *)c->data;
	u32 crc;

	invalidate_kernel_vmap_range(c->data, log->segment_size);
	c->damaged = true;
	c->end = le32_to_cpu(hdr->used);
	crc = crc32c(~0U, hdr, offsetof(struct dzr_seg_header, crc));
	if (c->status) {
		dzr_stat_add(log->stats, DZR_STAT_COLD_READ_ERRORS, 1);
	} else if (le64_to_cpu(hdr->magic) != DZR_SEG_MAGIC ||
		   le32_to_cpu(hdr->crc) != crc ||
		   (u32)le64_to_cpu(hdr->seq) !=
		   dzr_segs_seq(log->segs, c->victim) ||
		   c->end > log->segment_size) {
		dzr_stat_add(log->stats, DZR_STAT_COLD_BAD_OBJECTS, 1);
	} else {
		c->damaged = false;
		c->cursor = sizeof(*hdr);
		WRITE_ONCE(c->state, DZR_CLEAN_MOVING);
		return true;
	}
	dzr_cleaner_finish(log);
	return true;
}

/* Copy a live object to the cleaner's stream. Returns 0 or why not. */
static int dzr_cleaner_copy(struct dzr_log *log,
			    const struct dzr_object_header *hdr, dzr_loc_t old)
{
	u32 block = le32_to_cpu(hdr->block);
	u32 len = dzr_loc_len(old);
	struct dzr_append a;
	bool live;
	int err;

	err = dzr_log_reserve(log, DZR_STREAM_CLEANER, block, hdr->codec, len,
			      &a);
	if (err)
		return err;
	memcpy(a.data, hdr + 1, len);
	live = log->ops->repoint(log->owner, block, old, a.loc);
	dzr_log_commit(&a, live);
	if (live) {
		dzr_stat_add(log->stats, DZR_STAT_BLOCKS_CLEANED, 1);
		dzr_log_put(log, old);
	}
	return 0;
}

/* Deal with the object at the cursor. Returns 0 or why it must wait. */
static int dzr_cleaner_move(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_object_header *hdr = (void *)(c->data + c->cursor);
	u32 block = le32_to_cpu(hdr->block);
	u32 len = le16_to_cpu(hdr->len);
	dzr_loc_t loc = dzr_loc(c->victim, c->cursor, len);
	int err;

	if (c->cursor + sizeof(*hdr) > c->end || !len || len > PAGE_SIZE ||
	    c->cursor + sizeof(*hdr) + len > c->end) {
		c->damaged = true;
		c->cursor = c->end;
		return 0;
	}
	if (log->ops->is_live(log->owner, block, loc)) {
		if (dzr_object_check(log, c->victim, hdr, block, len)) {
			err = dzr_cleaner_copy(log, hdr, loc);
			if (err)
				return err;
		} else {
			c->damaged = true;
			dzr_stat_add(log->stats, DZR_STAT_COLD_BAD_OBJECTS, 1);
		}
	} else if (!dzr_object_check(log, c->victim, hdr, block, len)) {
		/* Perhaps live after all: its header cannot be trusted. */
		c->damaged = true;
	}
	c->cursor += dzr_object_size(len);
	return 0;
}

static void dzr_cleaner_work(struct work_struct *work)
{
	struct dzr_cleaner *c = container_of(work, struct dzr_cleaner, work);
	struct dzr_log *log = container_of(c, struct dzr_log, cleaner);
	unsigned int budget = DZR_CLEAN_STEP;
	bool more = true;

	while (more && budget--) {
		switch (READ_ONCE(c->state)) {
		case DZR_CLEAN_IDLE:
			more = dzr_cleaner_start(log);
			break;
		case DZR_CLEAN_READING:
			more = dzr_cleaner_arrived(log);
			break;
		case DZR_CLEAN_READ:
			more = dzr_cleaner_check(log);
			break;
		case DZR_CLEAN_MOVING:
			if (c->cursor >= c->end)
				dzr_cleaner_finish(log);
			else
				more = !dzr_cleaner_move(log);
			break;
		}
	}
	if (more && !READ_ONCE(log->stopped))
		queue_work(log->wq, &c->work);
}

int dzr_cleaner_init(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	INIT_WORK(&c->work, dzr_cleaner_work);
	c->vecs = kcalloc(log->segment_size / PAGE_SIZE, sizeof(*c->vecs),
			  GFP_KERNEL);
	if (!c->vecs)
		return -ENOMEM;
	c->data = vzalloc(log->segment_size);
	return c->data ? 0 : -ENOMEM;
}

void dzr_cleaner_exit(struct dzr_log *log)
{
	kfree(log->cleaner.vecs);
	vfree(log->cleaner.data);
}
