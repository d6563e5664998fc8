// SPDX-License-Identifier: GPL-2.0
/* Policies, simulated: the device, in numbers. */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "log-internal.h"
#include "shim.h"
#include "sim.h"
#include "sizes.h"

#define SEGMENT		(256U << 10)

/* Lengths are looked up in a table of so many. */
#define LENGTHS		4096U

static u16 lengths[LENGTHS];

/* The length of a page: two in three are a Python heap's, one is of text. */
static u32 random_length(uint64_t *seed)
{
	const char *kind = shim_random(seed) % 3 ? "python" : "text";
	u32 at = shim_random(seed) & 0xffff, bin = 0, k = 0;

	while (strcmp(sizes[k].name, kind))
		k++;
	while (bin < SIZES_BINS - 1 && at >= sizes[k].share[bin])
		at -= sizes[k].share[bin++];
	if (bin == SIZES_BINS - 1)
		return 4096;
	return bin * SIZES_STEP + 1 + shim_random(seed) % SIZES_STEP;
}

static void lengths_init(void)
{
	uint64_t seed = 29;
	u32 i;

	for (i = 0; i < LENGTHS; i++)
		lengths[i] = dzr_object_size(random_length(&seed));
}

enum where sim_where(const struct sim *s, u32 block)
{
	return s->block[block].where;
}

bool sim_is_hot(const struct sim *s, u32 block)
{
	return s->block[block].where == HOT || s->block[block].where == CLEAN;
}

void sim_leaves(struct sim *s, u32 block)
{
	struct block *b = &s->block[block];

	check(sim_is_hot(s, block));
	if (b->where == CLEAN) {
		s->r.drops++;
	} else {
		u32 h = (block * 0x9e3779b1u) ^ (b->version * 0x85ebca6bu);

		s->r.demotions++;
		s->r.bytes += lengths[(h ^ h >> 15) % LENGTHS];
		b->unread = true;
	}
	if (b->promoted != NONE && s->now - b->promoted < s->limit)
		s->r.pingpong++;
	b->promoted = NONE;
	b->where = COLD;
	s->hot--;
}

static void sim_enters(struct sim *s, u32 block, enum where where)
{
	s->block[block].where = where;
	s->hot++;
}

/* What a block had is overwritten or discarded. */
static void sim_dies(struct sim *s, struct block *b)
{
	s->r.dead += b->unread;
	b->unread = false;
	b->promoted = NONE;
}

/* Returns true if the block became hot. */
static bool sim_write(struct sim *s, const struct engine *engine, void *e,
		      u32 block)
{
	struct block *b = &s->block[block];

	sim_dies(s, b);
	b->version++;
	if (sim_is_hot(s, block)) {
		b->where = HOT;
		engine->hit(e, block, WRITE);
		return false;
	}
	sim_enters(s, block, HOT);
	engine->enters(e, block, false);
	return true;
}

/* Returns true if the block became hot. */
static bool sim_read(struct sim *s, const struct engine *engine, void *e,
		     u32 block)
{
	struct block *b = &s->block[block];

	if (b->where == EMPTY)
		return false;
	s->r.reads++;
	b->unread = false;
	b->promoted = NONE;
	if (b->where != COLD) {
		s->r.hits++;
		engine->hit(e, block, READ);
		return false;
	}
	if (!engine->miss(e, block))
		return false;
	s->r.promotions++;
	b->promoted = s->now;
	sim_enters(s, block, CLEAN);
	engine->enters(e, block, true);
	return true;
}

static void sim_discard(struct sim *s, const struct engine *engine, void *e,
			u32 block)
{
	struct block *b = &s->block[block];

	if (b->where == EMPTY)
		return;
	engine->gone(e, block);
	sim_dies(s, b);
	if (sim_is_hot(s, block))
		s->hot--;
	b->where = EMPTY;
}

void sim_run(const struct trace *t, u32 limit, const struct engine *engine,
	     struct result *r)
{
	struct sim s = {
		.t = t, .limit = limit,
		.marks = dzr_marks_from_limit(limit),
	};
	u32 second = 0;
	bool more;
	void *e;

	if (!lengths[0])
		lengths_init();
	if (engine->exact)
		s.marks.start = s.marks.stop = limit;
	s.block = calloc(t->blocks, sizeof(*s.block));
	check(s.block);
	e = engine->create(&s);
	for (s.now = 0; s.now < t->nr; s.now++) {
		const struct access *a = &t->a[s.now];

		for (; engine->tick && second < a->ms / 1000; second++)
			engine->tick(e);
		more = false;
		if (a->op == WRITE)
			more = sim_write(&s, engine, e, a->block);
		else if (a->op == READ)
			more = sim_read(&s, engine, e, a->block);
		else
			sim_discard(&s, engine, e, a->block);
		if (more && s.hot > s.marks.start)
			engine->room(e, s.marks.stop);
		s.r.peak = max(s.r.peak, s.hot);
		check(s.hot <= limit);
	}
	engine->destroy(e);
	free(s.block);
	s.r.bytes += DIV_ROUND_UP(s.r.bytes, SEGMENT -
				  sizeof(struct dzr_seg_header)) *
		     sizeof(struct dzr_seg_header);
	*r = s.r;
}

void queue_init(struct queue *q, u32 blocks, const struct queue *share)
{
	*q = (struct queue){ .newest = NONE, .oldest = NONE };
	q->next = share ? share->next : malloc(blocks * sizeof(u32));
	q->prev = share ? share->prev : malloc(blocks * sizeof(u32));
	check(q->next && q->prev);
}

void queue_fini(struct queue *q)
{
	free(q->next);
	free(q->prev);
}

void queue_push(struct queue *q, u32 block)
{
	q->next[block] = q->newest;
	q->prev[block] = NONE;
	if (q->newest != NONE)
		q->prev[q->newest] = block;
	else
		q->oldest = block;
	q->newest = block;
	q->nr++;
}

void queue_remove(struct queue *q, u32 block)
{
	u32 next = q->next[block], prev = q->prev[block];

	if (prev != NONE)
		q->next[prev] = next;
	else
		q->newest = next;
	if (next != NONE)
		q->prev[next] = prev;
	else
		q->oldest = prev;
	q->nr--;
}
