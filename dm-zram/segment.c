// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a segment, and which one to clean. See segment.h; extents are in
 * extent.c.
 *
 * Locks: segs->lock, innermost. dzr_segs_put() takes it only for the last
 * reference of a segment.
 */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "segment-internal.h"

/* Unless space is short, this share of a segment must be dead: 1/4. */
#define DZR_PICK_GAIN_SHIFT	2

/* The ratio of dead to live bytes has that many binary places. */
#define DZR_PICK_RATIO_SHIFT	10

/* What a segment counts for is kept in units of 64 bytes, if it is kept. */
#define DZR_TOTAL_UNIT		64U

/* Dead bytes count in units of 64: 16 bits are enough for those of 4 MiB. */
#define DZR_PICK_DEAD_SHIFT	6

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

void dzr_seg_list_add(struct dzr_segs *segs, struct dzr_seg_list *list,
		      u32 seg)
{
	WRITE_ONCE(dzr_seg(segs, seg)->seq, DZR_NO_SEGMENT);
	if (list->nr)
		WRITE_ONCE(dzr_seg(segs, list->tail)->seq, seg);
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
	list->head = dzr_seg(segs, seg)->seq;
	WRITE_ONCE(list->nr, list->nr - 1);
	return seg;
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
		struct dzr_seg *s = dzr_seg(segs, seg);

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
	return dzr_seg(segs, seg)->seq;
}

void dzr_seg_free(struct dzr_segs *segs, struct dzr_seg_list *list, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);

	lockdep_assert_held(&segs->lock);

	if (dzr_extent_has(&segs->retiring, seg)) {
		WRITE_ONCE(s->state, DZR_SEG_ABSENT);
		WRITE_ONCE(segs->left, segs->left - 1);
		return;
	}
	WRITE_ONCE(s->state, DZR_SEG_FREE);
	dzr_seg_list_add(segs, list, seg);
}

/* Drop a reference; with the last one, the segment becomes free. */
static bool dzr_segs_put(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);
	bool freed;

	if (!atomic_dec_and_test(&s->refs))
		return false;
	raw_spin_lock(&segs->lock);
	freed = !WARN_ON_ONCE(s->state != DZR_SEG_SEALED);
	if (freed)
		dzr_seg_free(segs, &segs->stale, seg);
	raw_spin_unlock(&segs->lock);
	return freed;
}

void dzr_segs_get_object(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	struct dzr_seg *s = dzr_seg(segs, seg);

	atomic_add(bytes, &s->live);
	atomic_inc(&s->refs);
}

bool dzr_segs_put_object(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	atomic_sub(bytes, &dzr_seg(segs, seg)->live);
	return dzr_segs_put(segs, seg);
}

void dzr_segs_weigh(struct dzr_segs *segs, u32 seg, u32 bytes)
{
	if (bytes > segs->capacity)
		WRITE_ONCE(dzr_seg(segs, seg)->total,
			   min_t(u32, DIV_ROUND_UP(bytes, DZR_TOTAL_UNIT),
				 U16_MAX));
}

u32 dzr_segs_live(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);
	u32 total = READ_ONCE(s->total) * DZR_TOTAL_UNIT;
	u32 live = atomic_read(&s->live);

	if (!total)
		return live;
	return div_u64((u64)live * segs->capacity + total - 1, total);
}

void dzr_segs_pin(struct dzr_segs *segs, u32 seg)
{
	atomic_inc(&dzr_seg(segs, seg)->refs);
}

bool dzr_segs_unpin(struct dzr_segs *segs, u32 seg)
{
	return dzr_segs_put(segs, seg);
}

bool dzr_segs_seal(struct dzr_segs *segs, u32 seg)
{
	raw_spin_lock(&segs->lock);
	WRITE_ONCE(dzr_seg(segs, seg)->state, DZR_SEG_SEALED);
	raw_spin_unlock(&segs->lock);
	return dzr_segs_put(segs, seg);
}

/*
 * Its reference is for dzr_segs_retire(), so that whoever holds one more on a bad
 * segment has let go of it before the segment is forgotten.
 */
bool dzr_segs_spoil(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);
	bool retires;

	raw_spin_lock(&segs->lock);
	retires = dzr_extent_has(&segs->retiring, seg);
	WRITE_ONCE(s->state, retires ? DZR_SEG_SEALED : DZR_SEG_BAD);
	if (!retires)
		WRITE_ONCE(segs->bad, segs->bad + 1);
	raw_spin_unlock(&segs->lock);
	return retires && dzr_segs_put(segs, seg);
}

bool dzr_segs_shun(struct dzr_segs *segs, u32 seg, bool damaged)
{
	struct dzr_seg *s = dzr_seg(segs, seg);
	bool before;

	raw_spin_lock(&segs->lock);
	before = s->shunned;
	WRITE_ONCE(s->shunned, damaged ? DZR_SHUN_DAMAGED : DZR_SHUN_UNREAD);
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
	struct dzr_seg *s = dzr_seg(segs, seg);
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

/* Best of the @nr active segments from the @first, going round. */
static u32 dzr_segs_best(struct dzr_segs *segs, u32 first, u32 nr,
			 enum dzr_need need)
{
	u32 best = DZR_NO_SEGMENT, all = segs->active.nr;
	u64 best_score = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		u32 at = first + i < all ? first + i : first + i - all;
		u32 seg = segs->active.first + at;
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
				enum dzr_need need, bool *freed)
{
	u32 first = segs->cursor, all = segs->active.nr;
	u32 best;

	segs->cursor = first + nr < all ? first + nr : first + nr - all;
	for (;;) {
		best = dzr_segs_best(segs, first, nr, need);
		if (best == DZR_NO_SEGMENT)
			return best;
		/* It may have become free just now: then look again. */
		if (!dzr_seg_try_pin(segs, best))
			continue;
		/* And been opened again: look again, too. */
		if (dzr_segs_score(segs, best, need))
			return best;
		/* Or have lost its last object, and now us. */
		*freed |= dzr_segs_put(segs, best);
	}
}

static u32 dzr_segs_pick_all(struct dzr_segs *segs, enum dzr_need need,
			     bool *freed)
{
	u32 left = segs->active.nr;

	while (left) {
		u32 nr = min(left, DZR_PICK_WINDOW);
		u32 seg = dzr_segs_pick_window(segs, nr, need, freed);

		if (seg != DZR_NO_SEGMENT)
			return seg;
		left -= nr;
		cond_resched();
	}
	return DZR_NO_SEGMENT;
}

u32 dzr_segs_pick(struct dzr_segs *segs, bool must, bool *freed)
{
	u32 seg;

	*freed = false;
	seg = dzr_segs_pick_all(segs, must ? DZR_NEED_ANY : DZR_NEED_SOME,
				freed);
	if (seg != DZR_NO_SEGMENT || !must)
		return seg;
	seg = dzr_segs_pick_all(segs, DZR_NEED_GUESS, freed);
	if (seg != DZR_NO_SEGMENT)
		return seg;
	seg = dzr_segs_pick_all(segs, DZR_NEED_LAST, freed);
	/* They take turns: what one of them is, the next need not be. */
	if (seg != DZR_NO_SEGMENT)
		segs->cursor = (seg + 1 - segs->active.first) % segs->active.nr;
	return seg;
}

/* Is nothing in it live, so that it is but a pin that keeps it? */
static bool dzr_seg_held(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);

	return READ_ONCE(s->state) == DZR_SEG_SEALED && !atomic_read(&s->live);
}

bool dzr_segs_coming(struct dzr_segs *segs)
{
	u32 i, nr = segs->active.nr;
	bool coming;

	for (i = 0; i < nr; i++) {
		if (dzr_seg_held(segs, segs->active.first + i))
			return true;
		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
	/* Last, and at once: what was let go of since is among these. */
	raw_spin_lock(&segs->lock);
	coming = segs->discarding || dzr_segs_spare(segs) > 0;
	raw_spin_unlock(&segs->lock);
	return coming;
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
	if (seg != DZR_NO_SEGMENT) {
		WRITE_ONCE(dzr_seg(segs, seg)->state, DZR_SEG_DISCARD);
		segs->discarding++;
	}
	raw_spin_unlock(&segs->lock);
	return seg;
}

void dzr_segs_discarded(struct dzr_segs *segs, u32 seg)
{
	raw_spin_lock(&segs->lock);
	segs->discarding--;
	dzr_seg_free(segs, &segs->clean, seg);
	raw_spin_unlock(&segs->lock);
}

/*
 * What all segments of an extent add up to. Who moves a group copies no more than
 * it takes, nor than the weights of those that live: so of a segment no more than
 * its capacity, nor than what is live in it by weight.
 */
static void dzr_segs_add_up(struct dzr_segs *segs, struct dzr_seg_extent e,
			    struct dzr_segs_totals *totals, u32 *shunned)
{
	u32 i;

	for (i = 0; i < e.nr; i++) {
		struct dzr_seg *s = dzr_seg(segs, e.first + i);
		u32 weight = atomic_read(&s->live);

		if (READ_ONCE(s->state) >= DZR_SEG_OPEN) {
			totals->live_bytes += dzr_segs_live(segs, e.first + i);
			totals->most_bytes += min(weight, segs->capacity);
			*shunned += !!READ_ONCE(s->shunned);
		}
		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
}

void dzr_segs_totals(struct dzr_segs *segs, struct dzr_segs_totals *totals)
{
	struct dzr_seg_extent active, retiring;
	u32 shunned = 0;

	*totals = (struct dzr_segs_totals){ .reserve = segs->reserve };
	mutex_lock(&segs->walk);
	raw_spin_lock(&segs->lock);
	active = segs->active;
	retiring = segs->retiring;
	totals->segments = active.nr;
	totals->free = dzr_segs_nr_free(segs);
	totals->bad = segs->bad;
	totals->stale = segs->stale.nr;
	totals->left = segs->left;
	raw_spin_unlock(&segs->lock);
	dzr_segs_add_up(segs, active, totals, &shunned);
	dzr_segs_add_up(segs, retiring, totals, &totals->stuck);
	mutex_unlock(&segs->walk);
}

s64 dzr_segs_spare(struct dzr_segs *segs)
{
	return (s64)dzr_segs_nr_free(segs) - segs->reserve;
}
