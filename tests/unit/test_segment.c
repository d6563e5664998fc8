// SPDX-License-Identifier: GPL-2.0
/*
 * Segment accounting: random sequences of all operations against a naive model.
 * Whether there is always a segment to be had is for test_segment_space.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "segment.h"
#include "shim.h"

#define MAX_SEGS	3000
#define MAX_NUMBERS	(8 * DZR_SEGS_CHUNK)
#define MAX_OBJECTS	600
#define MAX_PINS	40
#define CAPACITY	(65536U - (u32)sizeof(struct dzr_seg_header))
#define MIN_GAIN	(2 * dzr_object_size(4096))

enum seg_state { ABSENT, FREE, STALE, DISCARD, OPEN, SEALED, BAD };
enum shun { NOT, UNREAD, DAMAGED };

struct seg {
	enum seg_state state;
	unsigned int objects;
	unsigned int pins;
	u32 live;
	u32 used;	/* never more than the capacity */
	u32 seq;
	enum shun shunned;
};

struct object {
	u32 seg;
	u32 bytes;
};

/* A queue of segments, none of which is in it twice. */
struct queue {
	u32 seg[MAX_SEGS];
	unsigned int nr;
};

struct model {
	struct dzr_segs *segs;
	u32 first, nr;		/* the active extent */
	u32 old_first, old_nr;	/* the retiring one */
	u32 reserve;
	u32 seq;
	struct seg seg[MAX_NUMBERS];
	struct queue clean, stale;
	struct object object[MAX_OBJECTS];
	unsigned int objects;
	u32 pin[MAX_PINS];
	unsigned int pins;
	unsigned long allocs, picks, nothing, freed, refused;
	unsigned long moves, turns, forgotten, emptied, grown;
};

/* The @i-th of all segments that there are. */
static u32 model_nth(const struct model *m, u32 i)
{
	return i < m->nr ? m->first + i : m->old_first + i - m->nr;
}

static u32 model_all(const struct model *m)
{
	return m->nr + m->old_nr;
}

static bool model_retires(const struct model *m, u32 seg)
{
	return seg >= m->old_first && seg < m->old_first + m->old_nr;
}

static void queue_put(struct queue *q, u32 seg)
{
	q->seg[q->nr++] = seg;
}

static u32 queue_get(struct queue *q)
{
	u32 seg = q->seg[0];

	if (!q->nr)
		return DZR_NO_SEGMENT;
	memmove(q->seg, q->seg + 1, --q->nr * sizeof(q->seg[0]));
	return seg;
}

static void model_init(struct model *m, u32 nr, u32 reserve)
{
	u32 i;

	memset(m, 0, sizeof(*m));
	m->nr = nr;
	m->reserve = reserve;
	m->segs = dzr_segs_create(nr, CAPACITY, reserve, MIN_GAIN);
	check(m->segs);
	for (i = 0; i < nr; i++) {
		m->seg[i].state = FREE;
		queue_put(&m->clean, i);
	}
}

static void model_fini(struct model *m)
{
	dzr_segs_destroy(m->segs);
	shim_check_leaks("segment");
}

/* After the last object, pin or opener of a segment has gone. */
static bool model_settle(struct model *m, u32 seg)
{
	struct seg *s = &m->seg[seg];

	if (s->objects || s->pins || s->state != SEALED)
		return false;
	if (model_retires(m, seg)) {
		s->state = ABSENT;
		m->emptied++;
		return true;
	}
	s->state = STALE;
	queue_put(&m->stale, seg);
	m->freed++;
	return true;
}

static void model_check(struct model *m)
{
	struct dzr_segs_totals t;
	unsigned int bad = 0, left = 0, stuck = 0;
	bool coming = false;
	u64 live = 0;
	u32 i;

	for (i = 0; i < model_all(m); i++) {
		const struct seg *s = &m->seg[model_nth(m, i)];

		live += s->live;
		bad += s->state == BAD;
		left += i >= m->nr && s->state != ABSENT;
		stuck += i >= m->nr && s->state >= OPEN && s->shunned;
		coming |= s->state == DISCARD ||
			  (i < m->nr && s->state == SEALED && !s->live);
	}
	dzr_segs_totals(m->segs, &t);
	check(t.segments == m->nr && t.reserve == m->reserve && t.bad == bad);
	check(t.free == m->clean.nr + m->stale.nr && t.stale == m->stale.nr);
	check(t.live_bytes == live && t.most_bytes == live);
	check(t.left == left && t.stuck == stuck);
	check(dzr_segs_left(m->segs) == left);
	check(dzr_segs_spare(m->segs) == (s64)t.free - m->reserve);
	check(dzr_segs_coming(m->segs) == (coming || t.free > m->reserve));
	check(dzr_segs_bytes(m->segs) >= 16 * model_all(m) &&
	      dzr_segs_bytes(m->segs) < 16 * (model_all(m) + 2 * DZR_SEGS_CHUNK) + 1024);
}

/* What was allocated, with @keep segments to be left, is what should be. */
static u32 model_opened(struct model *m, u32 got, u32 keep)
{
	u32 want = DZR_NO_SEGMENT;

	if (m->clean.nr + m->stale.nr > keep) {
		want = queue_get(&m->clean);
		if (want == DZR_NO_SEGMENT)
			want = queue_get(&m->stale);
	}
	check(got == want);
	if (want == DZR_NO_SEGMENT) {
		m->refused++;
		return want;
	}
	check(!m->seg[want].objects && !m->seg[want].pins);
	m->seg[want] = (struct seg){ .state = OPEN, .seq = ++m->seq };
	check(dzr_segs_seq(m->segs, want) == m->seq);
	m->allocs++;
	return want;
}

static u32 model_alloc(struct model *m, bool reserve)
{
	return model_opened(m, dzr_segs_alloc(m->segs, reserve),
			    reserve ? 0 : m->reserve);
}

static u32 model_alloc_above(struct model *m, u32 keep)
{
	return model_opened(m, dzr_segs_alloc_above(m->segs, keep), keep);
}

static void model_get(struct model *m, u32 seg, u32 bytes)
{
	struct seg *s = &m->seg[seg];

	if (m->objects == MAX_OBJECTS || s->used + bytes > CAPACITY)
		return;
	dzr_segs_get_object(m->segs, seg, bytes);
	m->object[m->objects++] = (struct object){ seg, bytes };
	s->objects++;
	s->used += bytes;
	s->live += bytes;
}

static void model_put(struct model *m, unsigned int i)
{
	struct object o = m->object[i];
	struct seg *s = &m->seg[o.seg];

	m->object[i] = m->object[--m->objects];
	s->objects--;
	s->live -= o.bytes;
	check(dzr_segs_put_object(m->segs, o.seg, o.bytes) ==
	      model_settle(m, o.seg));
}

static void model_pin(struct model *m, u32 seg)
{
	m->seg[seg].pins++;
	m->pin[m->pins++] = seg;
}

static void model_unpin(struct model *m, unsigned int i)
{
	u32 seg = m->pin[i];

	m->pin[i] = m->pin[--m->pins];
	m->seg[seg].pins--;
	check(dzr_segs_unpin(m->segs, seg) == model_settle(m, seg));
}

/* A segment in this state, or DZR_NO_SEGMENT; the search starts anywhere. */
static u32 model_any(struct model *m, enum seg_state state, u32 start)
{
	u32 i;

	for (i = 0; i < model_all(m); i++) {
		u32 seg = model_nth(m, (start + i) % model_all(m));

		if (m->seg[seg].state == state)
			return seg;
	}
	return DZR_NO_SEGMENT;
}

static bool model_eligible(const struct model *m, u32 seg, bool must)
{
	const struct seg *s = &m->seg[seg];

	if (s->shunned == DAMAGED || (s->shunned == UNREAD && !must))
		return false;
	/* Where nothing is live, pins alone hold it: no use cleaning. */
	return s->state == SEALED && s->live &&
	       CAPACITY - s->live >= (must ? MIN_GAIN : CAPACITY / 4);
}

/*
 * dead^2 / live * age as the header puts it; @less by what rounding may take.
 * From a ratio of 64 on, all are the same.
 */
static double model_worth(const struct model *m, u32 seg, bool less)
{
	double live = m->seg[seg].live, dead = CAPACITY - live;
	double ratio = min(dead / live, 65535.0 / 1024);

	/* One that could not be read is tried last. */
	if (m->seg[seg].shunned)
		return 0;
	if (less)
		ratio -= 1.0 / 1024;
	return ratio * (less ? dead - 64 : dead) *
	       (m->seq - m->seg[seg].seq + 1);
}

/* The best of all, in whole numbers; when there are few enough, that is. */
static void model_check_best(const struct model *m, u32 best, bool must)
{
	u32 i;

	for (i = m->first; i < m->first + m->nr; i++)
		check(!model_eligible(m, i, must) ||
		      model_worth(m, i, true) <= model_worth(m, best, false));
}

static u32 model_pick(struct model *m, bool must)
{
	bool freed;
	u32 seg = dzr_segs_pick(m->segs, must, &freed);
	u32 i;

	check(!freed);
	m->picks++;
	if (seg == DZR_NO_SEGMENT) {
		m->nothing++;
		for (i = m->first; i < m->first + m->nr; i++)
			check(!model_eligible(m, i, must));
		return seg;
	}
	check(!model_retires(m, seg) && model_eligible(m, seg, must));
	/* One that could not be read is taken only if there is no other. */
	for (i = m->first; i < m->first + m->nr && m->seg[seg].shunned; i++)
		check(m->seg[i].shunned || !model_eligible(m, i, true));
	if (m->nr <= 2048)
		model_check_best(m, seg, must);
	model_pin(m, seg);
	return seg;
}

static void model_shun(struct model *m, u32 seg, enum shun shun)
{
	check(dzr_segs_shun(m->segs, seg, shun == DAMAGED) ==
	      (m->seg[seg].shunned != NOT));
	m->seg[seg].shunned = shun;
}

static void model_seal(struct model *m, u32 seg)
{
	m->seg[seg].state = SEALED;
	check(dzr_segs_seal(m->segs, seg) == model_settle(m, seg));
}

static void model_spoil(struct model *m, u32 seg)
{
	bool retires = model_retires(m, seg);

	m->seg[seg].state = retires ? SEALED : BAD;
	check(dzr_segs_spoil(m->segs, seg) == model_settle(m, seg));
}

static void model_discard_begin(struct model *m)
{
	u32 want = queue_get(&m->stale);

	check(dzr_segs_take_stale(m->segs) == want);
	if (want != DZR_NO_SEGMENT)
		m->seg[want].state = DISCARD;
}

static void model_discard_end(struct model *m, u32 start)
{
	u32 seg = model_any(m, DISCARD, start);

	if (seg == DZR_NO_SEGMENT)
		return;
	dzr_segs_discarded(m->segs, seg);
	if (model_retires(m, seg)) {
		m->seg[seg].state = ABSENT;
		m->emptied++;
		return;
	}
	m->seg[seg].state = FREE;
	queue_put(&m->clean, seg);
}

/* What is free in the retiring extent is absent, and what is bad as good as dead. */
static void model_retire(struct model *m)
{
	u32 seg;

	m->clean.nr = 0;
	m->stale.nr = 0;
	for (seg = m->old_first; seg < m->old_first + m->old_nr; seg++) {
		struct seg *s = &m->seg[seg];

		check(dzr_segs_retires(m->segs, seg));
		if (s->state == FREE || s->state == STALE) {
			s->state = ABSENT;
			m->emptied++;
		}
		/* All of it is to be had, whatever the cleaner thought of it. */
		if (s->state == SEALED)
			s->shunned = NOT;
		if (s->state != BAD)
			continue;
		s->state = SEALED;
		s->shunned = DAMAGED;
		model_settle(m, seg);
	}
}

static void model_swap(struct model *m, u32 first, u32 nr)
{
	m->old_first = m->first;
	m->old_nr = m->nr;
	m->first = first;
	m->nr = nr;
}

static void model_move(struct model *m, u32 nr)
{
	u32 first = dzr_segs_place(m->segs, nr), seg;
	struct dzr_segs_room *room;

	if (m->old_nr || first + nr > MAX_NUMBERS)
		return;
	room = dzr_segs_room_create(m->segs, nr);
	check(room && first % DZR_SEGS_CHUNK == 0);
	check(first >= m->first + m->nr || first + nr <= m->first);
	check(dzr_segs_move(m->segs, room, nr) == first);
	dzr_segs_room_destroy(room);
	model_swap(m, first, nr);
	model_retire(m);
	for (seg = first; seg < first + nr; seg++) {
		m->seg[seg] = (struct seg){ .state = FREE };
		queue_put(&m->clean, seg);
	}
	m->moves++;
}

static void model_turn_back(struct model *m)
{
	u32 seg;

	if (!m->old_nr)
		return;
	dzr_segs_turn_back(m->segs);
	model_swap(m, m->old_first, m->old_nr);
	model_retire(m);
	for (seg = m->first; seg < m->first + m->nr; seg++) {
		check(!dzr_segs_retires(m->segs, seg));
		if (m->seg[seg].state != ABSENT)
			continue;
		m->seg[seg] = (struct seg){ .state = STALE };
		queue_put(&m->stale, seg);
	}
	m->turns++;
}

static void model_forget(struct model *m)
{
	u32 left = 0, seg;

	for (seg = m->old_first; seg < m->old_first + m->old_nr; seg++)
		left += m->seg[seg].state != ABSENT;
	check(dzr_segs_forget(m->segs) == (m->old_nr && !left));
	if (left || !m->old_nr)
		return;
	m->old_nr = 0;
	m->forgotten++;
}

static void model_grow(struct model *m, u32 more)
{
	struct dzr_segs_room *room;

	if (m->old_nr || m->first + m->nr + more > MAX_NUMBERS ||
	    m->clean.nr + more > MAX_SEGS)
		return;
	room = dzr_segs_room_create(m->segs, more);
	check(room);
	dzr_segs_grow(m->segs, room, m->nr + more);
	dzr_segs_room_destroy(room);
	for (; more; more--) {
		u32 seg = m->first + m->nr++;

		m->seg[seg] = (struct seg){ .state = FREE };
		queue_put(&m->clean, seg);
	}
	m->grown++;
}

/* Something to be moved, if anything can be. */
static void model_pick_retiring(struct model *m, bool again)
{
	u32 seg, i;

	if (!m->old_nr)
		return;
	seg = dzr_segs_pick_retiring(m->segs, again);
	if (seg != DZR_NO_SEGMENT) {
		check(model_retires(m, seg) && m->seg[seg].state == SEALED);
		check(m->seg[seg].live);
		check(m->seg[seg].shunned == (again ? UNREAD : NOT));
		model_pin(m, seg);
		return;
	}
	for (i = m->old_first; i < m->old_first + m->old_nr; i++)
		check(m->seg[i].state != SEALED || !m->seg[i].live ||
		      m->seg[i].shunned != (again ? UNREAD : NOT));
}

/* As if all of the retiring extent had been moved, by whatever way. */
static void model_empty(struct model *m)
{
	unsigned int i;
	u32 seg;

	for (i = m->objects; i--;)
		if (model_retires(m, m->object[i].seg))
			model_put(m, i);
	for (i = m->pins; i--;)
		if (model_retires(m, m->pin[i]))
			model_unpin(m, i);
	for (seg = m->old_first; seg < m->old_first + m->old_nr; seg++) {
		if (m->seg[seg].state == OPEN)
			model_seal(m, seg);
		if (m->seg[seg].state == DISCARD)
			model_discard_end(m, seg - m->old_first + m->nr);
	}
}

/* Extents come and go. */
static void model_extents(struct model *m, u64 r)
{
	u32 most = m->nr > 2000 ? 2900 : 60;

	switch (r % 8) {
	case 0:
		model_move(m, 7 + (r >> 8) % most);
		break;
	case 1:
		model_turn_back(m);
		break;
	case 2:
		model_grow(m, (r >> 8) % 9);
		break;
	case 3:
		model_empty(m);
		fallthrough;
	case 4 ... 5:
		model_forget(m);
		break;
	default:
		if (m->pins < MAX_PINS)
			model_pick_retiring(m, r & 8);
	}
}

/* Fill the open segment that comes next, partly or to the brim. */
static void model_fill(struct model *m, u64 r)
{
	u32 seg = model_any(m, OPEN, r % m->nr);
	unsigned int n = r >> 40 & 15;

	if (seg == DZR_NO_SEGMENT)
		return;
	while (n--)
		model_get(m, seg, dzr_object_size(1 + (r >> n) % 4096));
}

static void model_end(struct model *m, u64 r)
{
	u32 seg = model_any(m, OPEN, r % m->nr);

	if (seg == DZR_NO_SEGMENT)
		return;
	/* Rarely: what is bad stays bad. */
	if ((r >> 32) % 512 == 0)
		model_spoil(m, seg);
	else
		model_seal(m, seg);
}

static void model_step(struct model *m, u64 r)
{
	switch (r >> 56 & 15) {
	case 0 ... 1:
		if ((r >> 32) % 8 == 1)
			model_alloc_above(m, r % (m->reserve + 1));
		else
			model_alloc(m, (r >> 32) % 8 == 0);
		break;
	case 2 ... 3:
		model_fill(m, r);
		break;
	case 4 ... 5:
		model_end(m, r);
		break;
	case 6 ... 10:
		if (m->objects)
			model_put(m, r % m->objects);
		break;
	case 11:
		if (m->pins < MAX_PINS && m->objects) {
			u32 seg = m->object[r % m->objects].seg;

			dzr_segs_pin(m->segs, seg);
			model_pin(m, seg);
		}
		break;
	case 12:
		if (m->pins < MAX_PINS)
			model_pick(m, r & 1);
		break;
	case 13:
		if (m->pins && (r >> 32) % 8 == 0)
			model_shun(m, m->pin[r % m->pins],
				   r & 2 ? DAMAGED : UNREAD);
		if (r & 1)
			model_discard_begin(m);
		else
			model_discard_end(m, r % m->nr);
		break;
	default:
		if (m->pins)
			model_unpin(m, r % m->pins);
	}
}

static struct model model;

static void run_model(u32 nr, u32 reserve, unsigned int steps, uint64_t seed,
		      unsigned int extents)
{
	struct model *m = &model;
	unsigned int i;

	model_init(m, nr, reserve);
	for (i = 0; i < steps; i++) {
		u64 r = shim_random(&seed);

		if (extents && (r >> 40) % extents == 0)
			model_extents(m, r >> 4);
		else
			model_step(m, r);
		model_check(m);
		/* Begin anew, in effect, when everything is bad or shunned. */
		if (i % 4096 == 4095)
			while (m->objects)
				model_put(m, m->objects - 1);
	}
	printf("  segments %4u: %lu allocs, %lu refused, %lu freed, %lu picks, %lu of nothing\n",
	       nr, m->allocs, m->refused, m->freed, m->picks, m->nothing);
	if (extents) {
		printf("    %lu moves, %lu turned back, %lu ended, %lu segments emptied, %lu times larger\n",
		       m->moves, m->turns, m->forgotten, m->emptied, m->grown);
		check(m->moves && m->turns && m->forgotten && m->grown);
	}
	check(m->allocs > steps / 100 && m->freed > steps / 200);
	check(m->picks > m->nothing + steps / 1000);
	model_fini(m);
}

/* First in, first out; discarded before stale; the reserve is kept back. */
static void test_order(void)
{
	struct model *m = &model;
	u32 i;

	model_init(m, 10, 3);
	check(dzr_segs_spare(m->segs) == 7);
	for (i = 0; i < 7; i++)
		check(model_alloc(m, false) == i);
	check(model_alloc(m, false) == DZR_NO_SEGMENT);
	/* Part of the reserve, and all of it. */
	check(model_alloc_above(m, 3) == DZR_NO_SEGMENT);
	check(model_alloc_above(m, 2) == 7);
	check(model_alloc_above(m, 2) == DZR_NO_SEGMENT);
	for (i = 8; i < 10; i++)
		check(model_alloc(m, true) == i);
	check(model_alloc(m, true) == DZR_NO_SEGMENT);
	check(dzr_segs_spare(m->segs) == -3);
	for (i = 10; i--;)
		model_seal(m, i);
	check(dzr_segs_spare(m->segs) == 7);
	/* 9 and 8 are being discarded: they do not count as free. */
	model_discard_begin(m);
	model_discard_begin(m);
	check(dzr_segs_spare(m->segs) == 5);
	check(model_alloc(m, false) == 7);
	dzr_segs_discarded(m->segs, 8);
	m->seg[8].state = FREE;
	queue_put(&m->clean, 8);
	check(model_alloc(m, false) == 8);
	check(model_alloc(m, false) == 6);
	model_check(m);
	model_fini(m);
}

/* Whatever holds it, a segment is not free before the last hold has gone. */
static void test_holds(void)
{
	struct model *m = &model;
	u32 seg;

	model_init(m, 4, 1);
	seg = model_alloc(m, false);
	model_get(m, seg, 4112);
	model_get(m, seg, 64);
	dzr_segs_pin(m->segs, seg);
	model_pin(m, seg);
	model_put(m, 0);
	model_put(m, 0);
	model_seal(m, seg);
	check(m->seg[seg].state == SEALED);
	check(dzr_segs_seq(m->segs, seg) == 1);
	model_check(m);
	model_unpin(m, 0);
	check(m->seg[seg].state == STALE);
	/* Of a spoiled one, nothing ever comes back. */
	seg = model_alloc(m, false);
	model_get(m, seg, 4112);
	model_spoil(m, seg);
	model_put(m, 0);
	model_check(m);
	check(m->seg[seg].state == BAD && model.seg[seg].live == 0);
	check(model_pick(m, true) == DZR_NO_SEGMENT);
	model_fini(m);
}

/* Fill a segment with @n objects of the largest size, and seal it. */
static u32 model_full(struct model *m, unsigned int n)
{
	u32 seg = model_alloc(m, true);

	while (n--)
		model_get(m, seg, dzr_object_size(4096));
	model_seal(m, seg);
	return seg;
}

/* What pays: at least min_gain when it must be, a quarter otherwise. */
static void test_thresholds(void)
{
	struct model *m = &model;
	u32 live = CAPACITY - MIN_GAIN, seg;

	model_init(m, 8, 2);
	seg = model_alloc(m, false);
	model_get(m, seg, live);
	model_get(m, seg, 8);
	model_seal(m, seg);
	check(model_pick(m, true) == DZR_NO_SEGMENT);
	model_put(m, 1);
	check(model_pick(m, false) == DZR_NO_SEGMENT);
	check(model_pick(m, true) == seg);
	model_shun(m, seg, DAMAGED);
	check(model_pick(m, true) == DZR_NO_SEGMENT);
	model_put(m, 0);
	model_unpin(m, 0);
	check(m->seg[seg].state == STALE);
	/* What could not be read is tried again only if it must be. */
	seg = model_full(m, 1);
	check(model_pick(m, false) == seg);
	model_shun(m, seg, UNREAD);
	check(model_pick(m, false) == DZR_NO_SEGMENT);
	check(model_pick(m, true) == seg);
	model_put(m, 0);
	model_unpin(m, 0);
	model_unpin(m, 0);
	/* A quarter, less one unit, and exactly. */
	seg = model_alloc(m, false);
	model_get(m, seg, CAPACITY - CAPACITY / 4);
	model_get(m, seg, 8);
	model_seal(m, seg);
	check(model_pick(m, false) == DZR_NO_SEGMENT);
	model_put(m, 1);
	check(model_pick(m, false) == seg);
	model_fini(m);
}

/* Nothing to clean, and yet not full: what is held or discarded comes back. */
static void test_coming(void)
{
	struct dzr_segs *segs = dzr_segs_create(4, CAPACITY, 1, MIN_GAIN);
	bool freed;
	u32 i;

	check(segs);
	for (i = 0; i < 3; i++) {
		check(dzr_segs_coming(segs));
		check(dzr_segs_alloc(segs, false) == i);
		dzr_segs_get_object(segs, i, CAPACITY);
		check(!dzr_segs_seal(segs, i));
	}
	check(dzr_segs_pick(segs, true, &freed) == DZR_NO_SEGMENT);
	check(!dzr_segs_coming(segs));
	/* Its last object dies while somebody reads it. */
	dzr_segs_pin(segs, 1);
	check(!dzr_segs_coming(segs));
	check(!dzr_segs_put_object(segs, 1, CAPACITY));
	check(dzr_segs_pick(segs, true, &freed) == DZR_NO_SEGMENT);
	check(dzr_segs_coming(segs));
	check(dzr_segs_unpin(segs, 1));
	check(dzr_segs_coming(segs) && dzr_segs_spare(segs) == 1);
	/* It is discarded. */
	check(dzr_segs_take_stale(segs) == 1);
	check(dzr_segs_spare(segs) == 0 && dzr_segs_coming(segs));
	dzr_segs_discarded(segs, 1);
	check(dzr_segs_spare(segs) == 1 && dzr_segs_coming(segs));
	check(dzr_segs_alloc(segs, false) != DZR_NO_SEGMENT);
	/* One that is open is nothing that comes. */
	check(!dzr_segs_coming(segs));
	dzr_segs_destroy(segs);
	shim_check_leaks("segment");
}

/* Those that could not be read take turns, after all others. */
static void test_turns(void)
{
	struct model *m = &model;
	u32 seg[3], turns[3] = { 0 };
	u32 i, got;

	model_init(m, 2500, 2);
	for (i = 0; i < 3; i++) {
		seg[i] = model_full(m, 1);
		check(model_pick(m, true) == seg[i]);
		model_shun(m, seg[i], UNREAD);
		model_unpin(m, 0);
	}
	for (i = 0; i < 6; i++) {
		got = model_pick(m, true);
		check(got < 3);
		turns[got]++;
		model_shun(m, got, UNREAD);
		model_unpin(m, 0);
	}
	for (i = 0; i < 3; i++)
		check(turns[i] == 2);
	/* A good one is found, however far from where the look begins. */
	do {
		got = model_alloc(m, true);
		if (got == 2300)
			model_get(m, got, dzr_object_size(4096));
		model_seal(m, got);
	} while (got != 2300);
	check(model_pick(m, true) == got);
	model_fini(m);
}

/* What is ahead of need waits, the longer the more is spare. */
static void test_waiting(void)
{
	struct model *m = &model;
	u32 seg, spare, dead;
	double share;

	model_init(m, 40, 2);
	/* 14 places in all; @dead of them are, or at most a few bytes less. */
	for (dead = 0; dead < 14; dead++) {
		seg = model_full(m, 14 - dead);
		share = 1 - (14.0 - dead) * dzr_object_size(4096) / CAPACITY;
		while ((spare = dzr_segs_spare(m->segs)) > 0) {
			double least = 0.25 + 0.75 * sqrt(spare / 32.0);

			check(dzr_segs_pays(m->segs, seg, 32) ==
			      (share >= least));
			/* With nothing spare, or all that is wanted: */
			check(!dzr_segs_pays(m->segs, seg, spare));
			model_alloc(m, false);
		}
		check(dzr_segs_pays(m->segs, seg, 32));
		model_alloc(m, true);
		check(dzr_segs_pays(m->segs, seg, 32));
		while (m->objects)
			model_put(m, m->objects - 1);
		for (seg = 0; seg < m->nr; seg++)
			if (m->seg[seg].state == OPEN)
				model_seal(m, seg);
		check(dzr_segs_spare(m->segs) == 38);
	}
	model_fini(m);
}

/* Of two that are as empty, the older; of two as old, the emptier. */
static void test_preference(void)
{
	struct model *m = &model;
	u32 old, young, i;

	model_init(m, 64, 2);
	old = model_full(m, 8);
	for (i = 0; i < 15; i++)
		model_full(m, 15);
	young = model_full(m, 8);
	check(model_pick(m, false) == old);
	model_shun(m, old, DAMAGED);
	check(model_pick(m, false) == young);
	/* Age counts: half empty and old is better than nearly empty and new. */
	model_full(m, 1);
	model_shun(m, young, DAMAGED);
	old = model_full(m, 8);
	for (i = 0; i < 8; i++)
		model_full(m, 15);
	model_full(m, 6);
	check(model_pick(m, true) == 17);
	model_shun(m, 17, DAMAGED);
	check(model_pick(m, true) == old);
	/* What is dead counts twice. */
	model_shun(m, old, DAMAGED);
	old = model_full(m, 8);
	young = model_full(m, 6);
	check(model_pick(m, true) == 27);
	model_shun(m, 27, DAMAGED);
	check(model_pick(m, true) == young);
	model_fini(m);
}

/* The segment that is to be moved, which is @want, is left with this mark. */
static void model_pick_one(struct model *m, u32 want, enum shun shun)
{
	model_pick_retiring(m, false);
	check(m->pins == 1 && m->pin[0] == want);
	model_shun(m, want, shun);
	model_unpin(m, 0);
	model_pick_retiring(m, false);
	check(!m->pins);
}

/*
 * What the cleaner has given up, the move looks at: once. When the move is taken
 * back, cleaning does not try it again.
 */
static void test_shunned_moves(void)
{
	static const enum shun marks[] = { UNREAD, DAMAGED };
	struct model *m = &model;
	unsigned int i;
	u32 seg;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		model_init(m, 8, 2);
		seg = model_full(m, 1);
		check(model_pick(m, true) == seg);
		model_shun(m, seg, marks[i]);
		model_unpin(m, 0);
		model_move(m, 9);
		model_pick_one(m, seg, DAMAGED);
		model_turn_back(m);
		check(model_pick(m, true) == DZR_NO_SEGMENT);
		/* And away again. */
		model_turn_back(m);
		model_pick_one(m, seg, DAMAGED);
		model_check(m);
		model_put(m, 0);
		model_forget(m);
		check(!m->old_nr);
		model_fini(m);
	}
}

/* More segments than a window: none is missed, whatever the cursor is at. */
static void test_windows(void)
{
	static const u32 places[] = { 0, 1, 2047, 2048, 2049, 2999, 1024, 0 };
	struct model *m = &model;
	unsigned int i;
	u32 seg;

	model_init(m, MAX_SEGS, 4);
	for (i = 0; i < MAX_SEGS; i++)
		model_seal(m, model_alloc(m, true));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		check(model_pick(m, true) == DZR_NO_SEGMENT);
		do {
			seg = model_alloc(m, true);
			if (seg == places[i])
				model_get(m, seg, 4112);
			model_seal(m, seg);
		} while (seg != places[i]);
		check(model_pick(m, true) == seg);
		model_put(m, 0);
		model_unpin(m, 0);
		check(m->seg[seg].state == STALE);
	}
	model_check(m);
	model_fini(m);
}

/* Where extents go: below when there is room, and never beyond 2^26. */
static void test_places(void)
{
	static const u32 sizes[] = { 5000, 100, 9000, 4096, 4097, 1, 6000 };
	struct model *m = &model;
	u32 highest = 0, i;

	model_init(m, 3000, 6);
	for (i = 0; i < 50; i++) {
		u32 nr = sizes[i % ARRAY_SIZE(sizes)];
		struct dzr_segs_room *room = dzr_segs_room_create(m->segs, nr);
		u32 first = dzr_segs_place(m->segs, nr);

		check(room && dzr_segs_move(m->segs, room, nr) == first);
		dzr_segs_room_destroy(room);
		highest = max(highest, first + nr);
		check(!dzr_segs_left(m->segs) && dzr_segs_forget(m->segs));
		check(!dzr_segs_forget(m->segs));
		check(dzr_segs_bytes(m->segs) < 16 * (nr + DZR_SEGS_CHUNK) + 1024);
	}
	/* Of any three in a row, with what is lost at the end of a chunk. */
	check(highest <= 3 * (9000 + DZR_SEGS_CHUNK));
	check(dzr_segs_place(m->segs, DZR_MAX_SEGMENTS) == DZR_NO_SEGMENT);
	check(dzr_segs_place(m->segs, DZR_MAX_SEGMENTS - 4 * 9000) !=
	      DZR_NO_SEGMENT);
	model_fini(m);
}

/* No memory for more: nothing has changed. */
static void test_no_room(void)
{
	struct model *m = &model;
	unsigned int i, n;

	model_init(m, 100, 6);
	shim_fail(SHIM_ANY, 1000, true);
	dzr_segs_room_destroy(dzr_segs_room_create(m->segs, 5000));
	n = shim.allocs;
	/* Itself, a root, and three chunks. */
	check(n == 5);
	for (i = 1; i <= n; i++) {
		shim_fail(SHIM_ANY, i, true);
		check(!dzr_segs_room_create(m->segs, 5000));
	}
	shim_no_fail();
	dzr_segs_room_destroy(NULL);
	model_check(m);
	model_fini(m);
}

static void test_no_memory(void)
{
	shim_fail(SHIM_ANY, 1, true);
	check(!dzr_segs_create(100, CAPACITY, 6, MIN_GAIN));
	check(shim.allocs == 1);
	shim_no_fail();
	dzr_segs_destroy(NULL);
	shim_check_leaks("create");
}

/*
 * What counts for more than it takes: live in proportion, and when space is short
 * only after what is sure to gain.
 */
static void test_groups(void)
{
	struct dzr_segs *segs = dzr_segs_create(8, CAPACITY, 2, MIN_GAIN);
	struct dzr_segs_totals t;
	u32 twice, plain, i;
	bool freed;

	check(segs);
	twice = dzr_segs_alloc(segs, false);
	for (i = 0; i < 8; i++)
		dzr_segs_get_object(segs, twice, CAPACITY / 4);
	dzr_segs_weigh(segs, twice, 2 * CAPACITY);
	check(dzr_segs_live(segs, twice) == CAPACITY);
	/* As it is, the segment moves whole. */
	dzr_segs_totals(segs, &t);
	check(t.live_bytes == CAPACITY && t.most_bytes == CAPACITY);
	check(!dzr_segs_seal(segs, twice));
	check(dzr_segs_pick(segs, false, &freed) == DZR_NO_SEGMENT);
	check(dzr_segs_pick(segs, true, &freed) == DZR_NO_SEGMENT);
	for (i = 0; i < 4; i++)
		dzr_segs_put_object(segs, twice, CAPACITY / 4);
	check(dzr_segs_live(segs, twice) == CAPACITY / 2);
	dzr_segs_totals(segs, &t);
	check(t.live_bytes == CAPACITY / 2);
	/* But taken apart, each of the four takes its weight. */
	check(t.most_bytes == 4 * (CAPACITY / 4));
	check(dzr_segs_pick(segs, false, &freed) == twice);
	check(!dzr_segs_unpin(segs, twice));

	plain = dzr_segs_alloc(segs, false);
	dzr_segs_get_object(segs, plain, CAPACITY - MIN_GAIN);
	dzr_segs_weigh(segs, plain, CAPACITY - MIN_GAIN);
	check(dzr_segs_live(segs, plain) == CAPACITY - MIN_GAIN);
	check(!dzr_segs_seal(segs, plain));
	check(dzr_segs_pick(segs, true, &freed) == plain);
	check(!dzr_segs_unpin(segs, plain));
	check(dzr_segs_put_object(segs, plain, CAPACITY - MIN_GAIN));
	check(dzr_segs_pick(segs, true, &freed) == twice);
	check(!dzr_segs_unpin(segs, twice));
	for (i = 4; i < 8; i++) {
		check(dzr_segs_put_object(segs, twice, CAPACITY / 4) == (i == 7));
		dzr_segs_totals(segs, &t);
		check(t.most_bytes == (7 - i) * (CAPACITY / 4));
	}
	/* Used again, it counts as any. */
	while (dzr_segs_alloc(segs, true) != twice)
		;
	dzr_segs_get_object(segs, twice, 4096);
	check(dzr_segs_live(segs, twice) == 4096);
	dzr_segs_destroy(segs);
	shim_check_leaks("segment");
}

/* Others, while somebody looks for a victim. */
static struct {
	struct dzr_segs *segs;
	u32 seg;
	unsigned int nr;
} others;

static void others_come(void)
{
	shim.jitter = 0;
	switch (others.nr++) {
	case 0:	/* It was found, and is not pinned yet: its last object dies. */
		check(!dzr_segs_put_object(others.segs, others.seg, 4112));
		break;
	case 1:	/* It is pinned at the second attempt. */
		break;
	case 2:	/* It was looked at again, and is let go: so does its reader. */
		check(!dzr_segs_unpin(others.segs, others.seg));
		break;
	}
	shim.jitter = 1;
}

/* A segment that becomes free because nobody wants it as a victim is told of. */
static void test_freed_by_the_way(void)
{
	struct dzr_segs *segs = dzr_segs_create(8, CAPACITY, 2, MIN_GAIN);
	bool freed = true;

	check(segs);
	check(dzr_segs_pick(segs, true, &freed) == DZR_NO_SEGMENT && !freed);
	others.segs = segs;
	others.seg = dzr_segs_alloc(segs, false);
	dzr_segs_get_object(segs, others.seg, 4112);
	dzr_segs_pin(segs, others.seg);
	check(!dzr_segs_seal(segs, others.seg));
	check(dzr_segs_spare(segs) == 5);
	shim.meanwhile = others_come;
	shim.jitter = 1;
	check(dzr_segs_pick(segs, true, &freed) == DZR_NO_SEGMENT);
	shim.jitter = 0;
	shim.meanwhile = NULL;
	check(others.nr > 2 && dzr_segs_spare(segs) == 6);
	check(freed);
	dzr_segs_destroy(segs);
	shim_check_leaks("segment");
}

int main(void)
{
	shim.strict = true;
	test_no_memory();
	test_groups();
	test_freed_by_the_way();
	test_order();
	test_holds();
	test_thresholds();
	test_coming();
	test_turns();
	test_waiting();
	test_preference();
	test_windows();
	test_shunned_moves();
	test_places();
	test_no_room();
	run_model(7, 2, 60000, 1, 0);
	run_model(40, 6, 60000, 2, 0);
	run_model(2100, 6, 4000, 3, 0);
	run_model(40, 6, 60000, 4, 50);
	run_model(12, 3, 60000, 5, 20);
	run_model(2100, 6, 4000, 6, 30);
	return 0;
}
