// SPDX-License-Identifier: GPL-2.0
/*
 * Salvage: what can be had of a segment that cannot be read as a whole, or is
 * damaged, when all of its device is to be moved.
 *
 * The segment is read in pieces. Where one is missing, or damaged, the chain of
 * objects is broken; but an object that is alive can be told anywhere: the entry of its
 * block refers to this very place, and the checksum holds. What is in the holes
 * stays where it is, to be tried again with the rest of the segment.
 *
 * Locks: as cleaner.c.
 */
#include "log-internal.h"

/* Places looked at between two chances for others to run. */
#define DZR_SALVAGE_STEP	1024U

void dzr_salvage_begin(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_ERRORS, 1);
	c->salvage = true;
	c->piece = 0;
	c->holes = 0;
	dzr_cleaner_read(log, 0, DZR_PIECE);
}

void dzr_salvage_scan(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;

	c->salvage = true;
	c->cursor = sizeof(struct dzr_seg_header);
	c->end = log->segment_size;
	WRITE_ONCE(c->state, DZR_CLEAN_MOVING);
}

bool dzr_salvage_arrived(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	u32 off = c->piece * DZR_PIECE;

	if (c->status) {
		dzr_stat_add(log->stats, DZR_STAT_COLD_READ_ERRORS, 1);
		c->holes++;
		/* Zeroes are no object. */
		memset(c->data + off, 0, DZR_PIECE);
	}
	c->piece++;
	off += DZR_PIECE;
	if (off < log->segment_size) {
		dzr_cleaner_read(log, off, DZR_PIECE);
		return false;
	}
	if (c->holes) {
		dzr_salvage_scan(log);
		return true;
	}
	/* It can be read after all. */
	c->salvage = false;
	c->status = BLK_STS_OK;
	WRITE_ONCE(c->state, DZR_CLEAN_READ);
	return true;
}

/* Is that an object which is alive and good? */
static bool dzr_salvage_good(struct dzr_log *log, u32 off, u32 len)
{
	struct dzr_cleaner *c = &log->cleaner;
	const struct dzr_object_header *hdr = (void *)(c->data + off);
	u32 block = le32_to_cpu(hdr->block);
	dzr_loc_t loc = dzr_loc(c->victim, off, len);

	if (hdr->flags & DZR_OBJECT_GROUP)
		return dzr_group_valid((const void *)(hdr + 1), len) &&
		       dzr_group_live(log, off, hdr) &&
		       dzr_object_intact(log, loc, hdr);
	return log->ops->is_live(log->owner, block, loc) &&
	       dzr_object_check(log, loc, hdr, block);
}

u32 dzr_salvage_look(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	unsigned int i;

	for (i = 0; i < DZR_SALVAGE_STEP && c->cursor < c->end; i++) {
		u32 len = dzr_cleaner_len(c, c->cursor);

		if (len && dzr_salvage_good(log, c->cursor, len))
			return len;
		c->cursor += DZR_LOC_UNIT;
	}
	return 0;
}

void dzr_salvage_end(struct dzr_log *log)
{
	struct dzr_cleaner *c = &log->cleaner;
	bool again;

	if (!dzr_segs_live(log->segs, c->victim)) {
		dzr_stat_add(log->stats, DZR_STAT_SEGS_MOVED, 1);
		dzr_cleaner_finish(log, DZR_CLEANED);
		return;
	}
	again = dzr_segs_shun(log->segs, c->victim, !c->holes);
	dzr_cleaner_finish(log, c->holes ? DZR_CLEAN_UNREAD : DZR_CLEAN_DAMAGED);
	if (c->holes)
		dzr_move_unread(log, again);
}
