// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: LRU. Exact, with a list of all hot blocks: more than
 * three bits of an entry can say, so it is a yardstick and no policy of the
 * kernel. Each cold read makes a block hot.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

/**
 * struct lru - its state
 * @s: the device
 * @q: hot blocks, by their last access
 */
struct lru {
	struct sim *s;
	struct queue q;
};

static void *lru_create(struct sim *s)
{
	struct lru *l = calloc(1, sizeof(*l));

	check(l);
	l->s = s;
	queue_init(&l->q, s->t->blocks, NULL);
	return l;
}

static void lru_destroy(void *e)
{
	struct lru *l = e;

	queue_fini(&l->q);
	free(l);
}

static void lru_enters(void *e, u32 block, bool promoted)
{
	struct lru *l = e;

	queue_push(&l->q, block);
}

static void lru_hit(void *e, u32 block, enum op op)
{
	struct lru *l = e;

	queue_remove(&l->q, block);
	queue_push(&l->q, block);
}

static void lru_gone(void *e, u32 block)
{
	struct lru *l = e;

	if (sim_is_hot(l->s, block))
		queue_remove(&l->q, block);
}

static bool lru_miss(void *e, u32 block)
{
	return true;
}

static void lru_room(void *e, u32 target)
{
	struct lru *l = e;

	while (l->s->hot > target) {
		u32 block = l->q.oldest;

		queue_remove(&l->q, block);
		sim_leaves(l->s, block);
	}
}

const struct engine engine_lru = {
	.name	= "lru",
	.create	= lru_create,
	.destroy = lru_destroy,
	.enters	= lru_enters,
	.hit	= lru_hit,
	.gone	= lru_gone,
	.miss	= lru_miss,
	.room	= lru_room,
};
