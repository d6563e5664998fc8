/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Insides of segment accounting, shared by its files:
 *
 *   segment.c	the life of a segment, and which one to clean
 *   extent.c	numbers of segments that come and go
 *
 * Pure: compiles unmodified in user space (tests/unit).
 */
#ifndef DZR_SEGMENT_INTERNAL_H
#define DZR_SEGMENT_INTERNAL_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "segment.h"

/* Segments looked at between two chances to stop for a good one. */
#define DZR_PICK_WINDOW		2048U

/**
 * enum dzr_seg_state - what a segment is
 * @DZR_SEG_ABSENT: no segment: of no extent, or retiring and empty
 * @DZR_SEG_FREE: on a free list
 * @DZR_SEG_DISCARD: free, being discarded
 * @DZR_SEG_OPEN: being filled or written
 * @DZR_SEG_SEALED: on the device
 * @DZR_SEG_BAD: could not be written; has a reference until it retires
 */
enum dzr_seg_state {
	DZR_SEG_ABSENT,
	DZR_SEG_FREE,
	DZR_SEG_DISCARD,
	DZR_SEG_OPEN,
	DZR_SEG_SEALED,
	DZR_SEG_BAD,
};

/**
 * enum dzr_shun - why a segment is not to be cleaned
 * @DZR_SHUN_UNREAD: it could not be read; when space is short, try again
 * @DZR_SHUN_DAMAGED: an object in it is not what it should be
 */
enum dzr_shun {
	DZR_SHUN_UNREAD = 1,
	DZR_SHUN_DAMAGED,
};

/**
 * struct dzr_seg - one segment
 * @refs: live objects, pins, and 1 while open, or bad
 * @live: bytes of live objects
 * @seq: sequence number when in use; next on the list when free
 * @state: an &enum dzr_seg_state
 * @shunned: 0, or an &enum dzr_shun
 * @total: what it counted for when it was full, in units of DZR_TOTAL_UNIT;
 *	0: no more than the capacity
 */
struct dzr_seg {
	atomic_t refs;
	atomic_t live;
	u32 seq;
	u8 state;
	u8 shunned;
	u16 total;
};

static_assert(sizeof(struct dzr_seg) <= 16);

/**
 * struct dzr_seg_list - a queue of free segments
 * @head: first to be used
 * @tail: last to be used
 * @nr: length
 */
struct dzr_seg_list {
	u32 head;
	u32 tail;
	u32 nr;
};

/**
 * struct dzr_seg_root - where the segments are
 * @older: a root that became too small. Somebody may still look at it, so it stays
 *	as long as the accounting; each is at least twice as large as its older one
 * @nr: length of @chunk
 * @chunk: DZR_SEGS_CHUNK segments each, or NULL
 */
struct dzr_seg_root {
	struct dzr_seg_root *older;
	u32 nr;
	struct dzr_seg *chunk[];
};

/**
 * struct dzr_seg_extent - numbers in a row
 * @first: the first, a multiple of DZR_SEGS_CHUNK
 * @nr: how many; 0: there is no such extent
 */
struct dzr_seg_extent {
	u32 first;
	u32 nr;
};

/**
 * struct dzr_segs - the accounting of one log
 * @lock: guards @stale, @clean, @discarding, @bad, @seq, @active, @retiring,
 *	@left, and the states
 * @walk: who looks at all segments, against who frees some
 * @capacity: bytes of objects a segment holds
 * @reserve: free segments for the cleaner
 * @min_gain: dead bytes that pay when space is short
 * @cursor: where dzr_segs_pick() goes on, from the first of @active; only the
 *	cleaner uses it
 * @seq: last sequence number given out
 * @bad: active segments that could not be written
 * @stale: free segments with old content
 * @clean: free segments that were discarded, or never written
 * @discarding: segments on no list while they are discarded, of either extent
 * @active: where segments are opened
 * @retiring: where they are not, any more
 * @left: how many of @retiring are not absent
 * @passed: where dzr_segs_pick_retiring() goes on, from the first of @retiring
 * @root: where the segments are
 */
struct dzr_segs {
	raw_spinlock_t lock;
	struct mutex walk;
	u32 capacity;
	u32 reserve;
	u32 min_gain;
	u32 cursor;
	u32 seq;
	u32 bad;
	struct dzr_seg_list stale;
	struct dzr_seg_list clean;
	u32 discarding;
	struct dzr_seg_extent active;
	struct dzr_seg_extent retiring;
	u32 left;
	u32 passed;
	struct dzr_seg_root *root;
};

/**
 * dzr_seg - the account of a segment
 * @segs: the accounting
 * @seg: a number of an extent
 *
 * An older root has all that its reader can have a number of.
 */
static inline struct dzr_seg *dzr_seg(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg_root *root = READ_ONCE(segs->root);

	return &root->chunk[seg / DZR_SEGS_CHUNK][seg % DZR_SEGS_CHUNK];
}

/**
 * dzr_extent_has - is a number of this extent?
 * @e: the extent
 * @seg: the number
 */
static inline bool dzr_extent_has(const struct dzr_seg_extent *e, u32 seg)
{
	return seg - READ_ONCE(e->first) < READ_ONCE(e->nr);
}

/**
 * dzr_seg_list_add - a segment is free
 * @segs: the accounting
 * @list: where it goes to the end of
 * @seg: the segment
 *
 * Context: segs->lock held, or nobody else knows of @list.
 */
void dzr_seg_list_add(struct dzr_segs *segs, struct dzr_seg_list *list,
		      u32 seg);

/**
 * dzr_seg_free - a segment has no content any more
 * @segs: the accounting
 * @list: where it goes if it is active
 * @seg: the segment
 *
 * Context: segs->lock held.
 */
void dzr_seg_free(struct dzr_segs *segs, struct dzr_seg_list *list, u32 seg);

/**
 * dzr_seg_try_pin - pin a segment that was found by looking
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any.
 * Return: false if it has no reference.
 */
static inline bool dzr_seg_try_pin(struct dzr_segs *segs, u32 seg)
{
	return atomic_inc_not_zero(&dzr_seg(segs, seg)->refs);
}

#endif /* DZR_SEGMENT_INTERNAL_H */
