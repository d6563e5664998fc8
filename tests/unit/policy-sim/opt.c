// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: what nobody can beat. It knows the trace. A block is
 * worth its place if it is read before it is overwritten or discarded, the
 * sooner the better; the place of what is wanted last is given away first
 * (Belady 1966, with the choice not to let a block in). For blocks of one size
 * that gives the most hits. It uses all of the limit, without marks.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

/**
 * struct opt - its state
 * @s: the device
 * @after: of each access, the next read of the block that the present content
 *	lives to see; NONE: there is none
 * @due: of each block, when it is read next
 * @heap: hot blocks, what is due last first; with entries that are out of date
 * @when: when that was due, as it was pushed
 * @nr: entries
 * @max: room
 */
struct opt {
	struct sim *s;
	u32 *after;
	u32 *due;
	u32 *heap;
	u32 *when;
	u32 nr;
	u32 max;
};

static void *opt_create(struct sim *s)
{
	const struct trace *t = s->t;
	struct opt *o = calloc(1, sizeof(*o));
	u32 i;

	check(o);
	o->s = s;
	o->max = 2 * t->nr + 1;
	o->after = malloc(t->nr * sizeof(u32));
	o->due = malloc(t->blocks * sizeof(u32));
	o->heap = malloc(o->max * sizeof(u32));
	o->when = malloc(o->max * sizeof(u32));
	check(o->after && o->due && o->heap && o->when);
	for (i = 0; i < t->blocks; i++)
		o->due[i] = NONE;
	for (i = t->nr; i--;) {
		u32 block = t->a[i].block;

		o->after[i] = o->due[block];
		o->due[block] = t->a[i].op == READ ? i : NONE;
	}
	return o;
}

static void opt_destroy(void *e)
{
	struct opt *o = e;

	free(o->after);
	free(o->due);
	free(o->heap);
	free(o->when);
	free(o);
}

static void opt_push(struct opt *o, u32 block, u32 when)
{
	u32 at = o->nr++;

	check(o->nr <= o->max);
	for (; at && o->when[(at - 1) / 2] < when; at = (at - 1) / 2) {
		o->heap[at] = o->heap[(at - 1) / 2];
		o->when[at] = o->when[(at - 1) / 2];
	}
	o->heap[at] = block;
	o->when[at] = when;
}

static u32 opt_pop(struct opt *o, u32 *when)
{
	u32 block = o->heap[0], at = 0, child;
	u32 last = o->heap[--o->nr], key = o->when[o->nr];

	*when = o->when[0];
	while ((child = 2 * at + 1) < o->nr) {
		if (child + 1 < o->nr && o->when[child + 1] > o->when[child])
			child++;
		if (o->when[child] <= key)
			break;
		o->heap[at] = o->heap[child];
		o->when[at] = o->when[child];
		at = child;
	}
	o->heap[at] = last;
	o->when[at] = key;
	return block;
}

static void opt_note(struct opt *o, u32 block)
{
	o->due[block] = o->after[o->s->now];
	opt_push(o, block, o->due[block]);
}

static void opt_enters(void *e, u32 block, bool promoted)
{
	opt_note(e, block);
}

static void opt_hit(void *e, u32 block, enum op op)
{
	opt_note(e, block);
}

static void opt_gone(void *e, u32 block)
{
}

/* Room is made by letting go of this one, if it is wanted last. */
static bool opt_miss(void *e, u32 block)
{
	struct opt *o = e;

	return o->after[o->s->now] != NONE;
}

static void opt_room(void *e, u32 target)
{
	struct opt *o = e;

	while (o->s->hot > target) {
		u32 when, block = opt_pop(o, &when);

		if (sim_is_hot(o->s, block) && o->due[block] == when)
			sim_leaves(o->s, block);
	}
}

const struct engine engine_opt = {
	.name	= "opt",
	.exact	= true,
	.create	= opt_create,
	.destroy = opt_destroy,
	.enters	= opt_enters,
	.hit	= opt_hit,
	.gone	= opt_gone,
	.miss	= opt_miss,
	.room	= opt_room,
};
