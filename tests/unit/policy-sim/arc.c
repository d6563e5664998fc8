// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: ARC (Megiddo, Modha, "ARC: a self-tuning, low overhead
 * replacement cache", 2003). Two LRU lists, of blocks accessed once and of
 * blocks accessed again, and a ghost of each; a hit in a ghost moves the border
 * between them. Each cold read makes a block hot.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

enum arc_in { NOWHERE, ONCE, AGAIN, GHOST_ONCE, GHOST_AGAIN, NR_IN };

/**
 * struct arc - its state
 * @s: the device
 * @q: the lists, by enum arc_in
 * @in: where each block is
 * @border: how long ONCE may be
 */
struct arc {
	struct sim *s;
	struct queue q[NR_IN];
	u8 *in;
	u32 border;
};

static void *arc_create(struct sim *s)
{
	struct arc *c = calloc(1, sizeof(*c));
	u32 i;

	check(c);
	c->s = s;
	queue_init(&c->q[ONCE], s->t->blocks, NULL);
	for (i = AGAIN; i < NR_IN; i++)
		queue_init(&c->q[i], s->t->blocks, &c->q[ONCE]);
	c->in = calloc(s->t->blocks, 1);
	check(c->in);
	return c;
}

static void arc_destroy(void *e)
{
	struct arc *c = e;

	queue_fini(&c->q[ONCE]);
	free(c->in);
	free(c);
}

static void arc_move(struct arc *c, u32 block, enum arc_in to)
{
	if (c->in[block] != NOWHERE)
		queue_remove(&c->q[c->in[block]], block);
	c->in[block] = to;
	if (to != NOWHERE)
		queue_push(&c->q[to], block);
}

/* A ghost came back: its list should have been longer. */
static void arc_learn(struct arc *c, enum arc_in ghost)
{
	u32 once = max(c->q[GHOST_ONCE].nr, 1U);
	u32 again = max(c->q[GHOST_AGAIN].nr, 1U);

	if (ghost == GHOST_ONCE)
		c->border = min(c->border + max(again / once, 1U),
				c->s->limit);
	else
		c->border -= min(max(once / again, 1U), c->border);
}

static void arc_enters(void *e, u32 block, bool promoted)
{
	struct arc *c = e;
	enum arc_in was = c->in[block];

	if (was == NOWHERE) {
		arc_move(c, block, ONCE);
	} else {
		arc_learn(c, was);
		arc_move(c, block, AGAIN);
	}
	/* Each pair of list and ghost has no more blocks than RAM. */
	while (c->q[ONCE].nr + c->q[GHOST_ONCE].nr > c->s->limit &&
	       c->q[GHOST_ONCE].nr)
		arc_move(c, c->q[GHOST_ONCE].oldest, NOWHERE);
	while (c->q[ONCE].nr + c->q[GHOST_ONCE].nr + c->q[AGAIN].nr +
	       c->q[GHOST_AGAIN].nr > 2 * c->s->limit && c->q[GHOST_AGAIN].nr)
		arc_move(c, c->q[GHOST_AGAIN].oldest, NOWHERE);
}

static void arc_hit(void *e, u32 block, enum op op)
{
	arc_move(e, block, AGAIN);
}

static void arc_gone(void *e, u32 block)
{
	arc_move(e, block, NOWHERE);
}

static bool arc_miss(void *e, u32 block)
{
	return true;
}

static void arc_room(void *e, u32 target)
{
	struct arc *c = e;

	while (c->s->hot > target) {
		bool once = c->q[ONCE].nr > c->border || !c->q[AGAIN].nr;
		u32 block = c->q[once ? ONCE : AGAIN].oldest;

		if (block == NONE)
			block = c->q[ONCE].oldest;
		arc_move(c, block, c->in[block] == ONCE ? GHOST_ONCE :
							  GHOST_AGAIN);
		sim_leaves(c->s, block);
	}
}

const struct engine engine_arc = {
	.name	= "arc",
	.create	= arc_create,
	.destroy = arc_destroy,
	.enters	= arc_enters,
	.hit	= arc_hit,
	.gone	= arc_gone,
	.miss	= arc_miss,
	.room	= arc_room,
};
