// SPDX-License-Identifier: GPL-2.0
/*
 * Segment accounting. See segment.h.
 *
 * Locks: segs->lock, innermost. dzr_segs_put() takes it only for the last
 * reference of a segment.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "segment.h"

/* Segments looked at between two chances to stop for a good one. */
#define DZR_PICK_WINDOW		2048U

/* Unless space is short, this share of a segment must be dead: 1/4. */
#define DZR_PICK_GAIN_SHIFT	2

/* The ratio of dead to live bytes has that many binary places. */
#define DZR_PICK_RATIO_SHIFT	10

/* What a segment counts for is kept in units of 64 bytes, if it is kept. */
#define DZR_TOTAL_UNIT		64U

/* Dead bytes count in units of 64: 16 bits are enough for those of 4 MiB. */
#define DZR_PICK_DEAD_SHIFT	6

enum dzr_seg_state {
	DZR_SEG_FREE,		/* on a free list */
	DZR_SEG_DISCARD,	/* free, being discarded */
	DZR_SEG_OPEN,		/* being filled or written */
	DZR_SEG_SEALED,		/* on the device */
	DZR_SEG_BAD,		/* could not be written */
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
 * enum dzr_need - how urgently a segment must be cleaned
 * @DZR_NEED_SOME: only one of which a good part is dead
 * @DZR_NEED_ANY: any that gains space for sure
 * @DZR_NEED_GUESS: any that gains space if groups of it stay together
 * @DZR_NEED_LAST: and those that could not be read, too
 */
enum dzr_need {
	DZR_NEED_SOME,
	DZR_NEED_ANY,
	DZR_NEED_GUESS,
	DZR_NEED_LAST,
};

/**
 * struct dzr_seg - one segment
 * @refs: live objects, pins, and 1 while open
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
 * struct dzr_segs - the accounting of one log
 * @lock: guards @stale, @clean, @bad, @seq and the states
 * @nr: number of segments
 * @capacity: bytes of objects a segment holds
 * @reserve: free segments for the cleaner
 * @min_gain: dead bytes that pay when space is short
 * @cursor: where dzr_segs_pick() goes on; only the cleaner uses it
 * @seq: last sequence number given out
 * @bad: segments that could not be written
 * @stale: free segments with old content
 * @clean: free segments that were discarded, or never written
 * @seg: the segments
 */
struct dzr_segs {
	raw_spinlock_t lock;
	u32 nr;
	u32 capacity;
	u32 reserve;
	u32 min_gain;
	u32 cursor;
	u32 seq;
	u32 bad;
	struct dzr_seg_list stale;
	struct dzr_seg_list clean;
	struct dzr_seg seg[];
};

static void dzr_list_add(struct dzr_segs *segs, struct dzr_seg_list *list,
			 u32 seg)
{
	WRITE_ONCE(segs->seg[seg].seq, DZR_NO_SEGMENT);
	if (list->nr)
		WRITE_ONCE(segs->seg[list->tail].seq, seg);
	else
		list->head = seg;
	list->tail = seg;
	WRITE_ONCE(list->nr, list->nr + 1);
}

static u32 dzr_list_pop(struct dzr_segs *segs, struct dzr_seg_list *list)
{
	u32 seg = list->head;

	if (!list->nr)
		return DZR_NO_SEGMENT;
	list->head = segs->seg[seg].seq;
	WRITE_ONCE(list->nr, list->nr - 1);
	return seg;
}

struct dzr_segs *dzr_segs_create(u32 nr, u32 capacity, u32 reserve,
				 u32 min_gain)
{
	struct dzr_segs *segs;
	u32 i;

	segs = kvzalloc(sizeof(*segs) + (size_t)nr * sizeof(segs->seg[0]),
			GFP_KERNEL);
	if (!segs)
		return NULL;
	raw_spin_lock_init(&segs->lock);
	segs->nr = nr;
	segs->capacity = capacity;
	segs->reserve = reserve;
	segs->min_gain = min_gain;
	for (i = 0; i < nr; i++)
		dzr_list_add(segs, &segs->clean, i);
	return segs;
}

void dzr_segs_destroy(struct dzr_segs *segs)
{
	kvfree(segs);
}

static u32 dzr_segs_nr_free(struct dzr_segs *segs)
{
	return READ_ONCE(segs->stale.nr) + READ_ONCE(segs->clean.nr);
}

u32 dzr_segs_alloc_above(struct dzr_segs *segs, u32 keep)
{
	u32 seg = DZR_NO_SEGMENT;

	raw_spin_lock(&segs->lock);
	if (dzr_segs_nr_free(segs) > keep) {
		seg = dzr_list_pop(segs, &segs->clean);
		if (seg == DZR_NO_SEGMENT)
			seg = dzr_list_pop(segs, &segs->stale);
	}
	if (seg != DZR_NO_SEGMENT) {
		struct dzr_seg *s = &segs->seg[seg];

		WRITE_ONCE(segs->seq, segs->seq + 1);
		WRITE_ONCE(s->seq, segs->seq);
		WRITE_ONCE(s->shunned, 0);
		WRITE_ONCE(s->total, 0);
		WRITE_ONCE(s->state, DZR_SEG_OPEN);
		atomic_set(&s->live, 0);
		atomic_set(&s->refs, 1);
	}
	raw_spin_unlock(&segs->lock);
	return seg;
}

u32 dzr_segs_alloc(struct dzr_segs *segs, bool reserve)
{
	return dzr_segs_alloc_above(segs, reserve ? 0 : segs->reserve);
}

u32 dzr_segs_seq(struct dzr_segs *segs, u32 seg)
{
	return segs->seg[seg].seq;
}

/* Drop a reference; with the last one, the segment becomes free. */
static bool dzr_segs_put(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = &segs->seg[seg];
	bool freed = false;

	if (!atomic_dec_and_test(&s->refs))
		return false;
	raw_spin_lock(&segs->lock);
	if (!WARN_ON_ONCE(s->state != DZR_SEG_SEALED &&
			  s->state != DZR_SEG_BAD) &&
	    s->state == DZR_SEG_SEALED) {
		WRITE_ONCE(s->state, DZR_SEG_FREE);
		dzr_list_add(segs, &segs->stale, seg);
		freed = true;
	}
	raw_spin_unlock(&segs->lock);
	return freed;
}

void dzr_segs_get_object(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	atomic_add(bytes, &segs->seg[seg].live);
	atomic_inc(&segs->seg[seg].refs);
}

bool dzr_segs_put_object(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	atomic_sub(bytes, &segs->seg[seg].live);
	return dzr_segs_put(segs, seg);
}

void dzr_segs_weigh(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	if (bytes > segs->capacity)
		WRITE_ONCE(segs->seg[seg].total,
			   min_t(u32, DIV_ROUND_UP(bytes, DZR_TOTAL_UNIT),
				 U16_MAX));
}

u32 dzr_segs_live(struct dzr_segs *segs, u32 seg)
{
	u32 total = READ_ONCE(segs->seg[seg].total) * DZR_TOTAL_UNIT;
	u32 live = atomic_read(&segs->seg[seg].live);

	if (!total)
		return live;
	return div_u64((u64)live * segs->capacity + total - 1, total);
}

void dzr_segs_pin(struct dzr_segs *segs, u32 seg)
{
	atomic_inc(&segs->seg[seg].refs);
}

bool dzr_segs_unpin(struct dzr_segs *segs, u32 seg)
{
	return dzr_segs_put(segs, seg);
}

bool dzr_segs_seal(struct dzr_segs *segs, u32 seg)
{
	raw_spin_lock(&segs->lock);
	WRITE_ONCE(segs->seg[seg].state, DZR_SEG_SEALED);
	raw_spin_unlock(&segs->lock);
	return dzr_segs_put(segs, seg);
}

void dzr_segs_spoil(struct dzr_segs *segs, u32 seg)
{
	raw_spin_lock(&segs->lock);
	WRITE_ONCE(segs->seg[seg].state, DZR_SEG_BAD);
	WRITE_ONCE(segs->bad, segs->bad + 1);
	raw_spin_unlock(&segs->lock);
	dzr_segs_put(segs, seg);
}

bool dzr_segs_shun(struct dzr_segs *segs, u32 seg, bool damaged)
{
	bool before;

	raw_spin_lock(&segs->lock);
	before = segs->seg[seg].shunned;
	WRITE_ONCE(segs->seg[seg].shunned,
		   damaged ? DZR_SHUN_DAMAGED : DZR_SHUN_UNREAD);
	raw_spin_unlock(&segs->lock);
	return before;
}

/*
 * The worth of a victim: dead / live * dead * age, in units that 64 bits can
 * hold. All with 64 times as much dead as live have the same first factor.
 */
static u64 dzr_segs_worth(u32 dead, u32 live, u32 age)
{
	u64 ratio = min_t(u64, U16_MAX,
			  ((u64)dead << DZR_PICK_RATIO_SHIFT) / live);

	return max_t(u64, 1, ratio * (dead >> DZR_PICK_DEAD_SHIFT) * age);
}

/* What cleaning a segment is worth; 0: nothing. */
static u64 dzr_segs_score(struct dzr_segs *segs, u32 seg, enum dzr_need need)
{
	struct dzr_seg *s = &segs->seg[seg];
	u8 shunned = READ_ONCE(s->shunned);
	u32 live, dead, age;

	if (READ_ONCE(s->state) != DZR_SEG_SEALED ||
	    shunned == DZR_SHUN_DAMAGED || (shunned && need != DZR_NEED_LAST))
		return 0;
	live = need == DZR_NEED_ANY ? atomic_read(&s->live) :
				      dzr_segs_live(segs, seg);
	live = min(live, segs->capacity);
	/* Without any, only a pin keeps it from being free: no use reading. */
	if (!live)
		return 0;
	dead = segs->capacity - live;
	if (dead < (need == DZR_NEED_SOME ? segs->capacity >> DZR_PICK_GAIN_SHIFT :
					    segs->min_gain))
		return 0;
	if (shunned)
		return 1;
	age = READ_ONCE(segs->seq) - READ_ONCE(s->seq) + 1;
	return dzr_segs_worth(dead, live, age);
}

/* Best of the @nr segments from @first, going round. */
static u32 dzr_segs_best(struct dzr_segs *segs, u32 first, u32 nr,
			 enum dzr_need need)
{
	u32 best = DZR_NO_SEGMENT;
	u64 best_score = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		u32 seg = first + i < segs->nr ? first + i :
						 first + i - segs->nr;
		u64 score = dzr_segs_score(segs, seg, need);

		if (score > best_score) {
			best = seg;
			best_score = score;
		}
	}
	return best;
}

/* Best of the next @nr segments, pinned; the cursor moves on. */
static u32 dzr_segs_pick_window(struct dzr_segs *segs, u32 nr,
				enum dzr_need need)
{
	u32 first = segs->cursor;
	u32 best;

	segs->cursor = first + nr < segs->nr ? first + nr :
					       first + nr - segs->nr;
	for (;;) {
		best = dzr_segs_best(segs, first, nr, need);
		if (best == DZR_NO_SEGMENT)
			return best;
		/* It may have become free just now: then look again. */
		if (!atomic_inc_not_zero(&segs->seg[best].refs))
			continue;
		/* And been opened again: look again, too. */
		if (dzr_segs_score(segs, best, need))
			return best;
		dzr_segs_put(segs, best);
	}
}

static u32 dzr_segs_pick_all(struct dzr_segs *segs, enum dzr_need need)
{
	u32 left = segs->nr;

	while (left) {
		u32 nr = min(left, DZR_PICK_WINDOW);
		u32 seg = dzr_segs_pick_window(segs, nr, need);

		if (seg != DZR_NO_SEGMENT)
			return seg;
		left -= nr;
		cond_resched();
	}
	return DZR_NO_SEGMENT;
}

u32 dzr_segs_pick(struct dzr_segs *segs, bool must)
{
	u32 seg;

	seg = dzr_segs_pick_all(segs, must ? DZR_NEED_ANY : DZR_NEED_SOME);
	if (seg != DZR_NO_SEGMENT || !must)
		return seg;
	seg = dzr_segs_pick_all(segs, DZR_NEED_GUESS);
	if (seg != DZR_NO_SEGMENT)
		return seg;
	seg = dzr_segs_pick_all(segs, DZR_NEED_LAST);
	/* They take turns: what one of them is, the next need not be. */
	if (seg != DZR_NO_SEGMENT)
		segs->cursor = seg + 1 < segs->nr ? seg + 1 : 0;
	return seg;
}

bool dzr_segs_pays(struct dzr_segs *segs, u32 seg, u32 want)
{
	u32 dead = segs->capacity - min(dzr_segs_live(segs, seg), segs->capacity);
	u32 least = segs->capacity >> DZR_PICK_GAIN_SHIFT;
	u64 most = segs->capacity - least;
	s64 spare = dzr_segs_spare(segs);
	u64 more;

	if (spare <= 0)
		return true;
	if (dead < least)
		return false;
	more = dead - least;
	/* more / most >= sqrt(spare / want) */
	return more * more * want >= most * most * spare;
}

u32 dzr_segs_take_stale(struct dzr_segs *segs)
{
	u32 seg;

	raw_spin_lock(&segs->lock);
	seg = dzr_list_pop(segs, &segs->stale);
	if (seg != DZR_NO_SEGMENT)
		WRITE_ONCE(segs->seg[seg].state, DZR_SEG_DISCARD);
	raw_spin_unlock(&segs->lock);
	return seg;
}

void dzr_segs_discarded(struct dzr_segs *segs, u32 seg)
{
	raw_spin_lock(&segs->lock);
	WRITE_ONCE(segs->seg[seg].state, DZR_SEG_FREE);
	dzr_list_add(segs, &segs->clean, seg);
	raw_spin_unlock(&segs->lock);
}

void dzr_segs_totals(struct dzr_segs *segs, struct dzr_segs_totals *totals)
{
	u64 live = 0;
	u32 i;

	for (i = 0; i < segs->nr; i++) {
		if (READ_ONCE(segs->seg[i].state) >= DZR_SEG_OPEN)
			live += dzr_segs_live(segs, i);
		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
	totals->segments = segs->nr;
	totals->free = dzr_segs_nr_free(segs);
	totals->bad = READ_ONCE(segs->bad);
	totals->reserve = segs->reserve;
	totals->stale = READ_ONCE(segs->stale.nr);
	totals->live_bytes = live;
}

u64 dzr_segs_bytes(struct dzr_segs *segs)
{
	return sizeof(*segs) + (u64)segs->nr * sizeof(segs->seg[0]);
}

s64 dzr_segs_spare(struct dzr_segs *segs)
{
	return (s64)dzr_segs_nr_free(segs) - segs->reserve;
}
