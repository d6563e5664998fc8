// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi, "SIEVE is
 * simpler than LRU", 2024). One queue in the order of arrival, a bit for each
 * block that was accessed, and a hand that goes from the oldest to the newest,
 * clears bits, and takes what has none; what stays does not move. Each cold
 * read makes a block hot.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

/**
 * struct sieve - its state
 * @s: the device
 * @q: hot blocks, by their arrival
 * @visited: accessed since the hand was there
 * @hand: the next that it looks at; NONE: the oldest
 */
struct sieve {
	struct sim *s;
	struct queue q;
	u8 *visited;
	u32 hand;
};

static void *sieve_create(struct sim *s)
{
	struct sieve *v = calloc(1, sizeof(*v));

	check(v);
	v->s = s;
	v->hand = NONE;
	queue_init(&v->q, s->t->blocks, NULL);
	v->visited = calloc(s->t->blocks, 1);
	check(v->visited);
	return v;
}

static void sieve_destroy(void *e)
{
	struct sieve *v = e;

	queue_fini(&v->q);
	free(v->visited);
	free(v);
}

static void sieve_enters(void *e, u32 block, bool promoted)
{
	struct sieve *v = e;

	v->visited[block] = 0;
	queue_push(&v->q, block);
}

static void sieve_hit(void *e, u32 block, enum op op)
{
	struct sieve *v = e;

	v->visited[block] = 1;
}

static void sieve_remove(struct sieve *v, u32 block)
{
	if (v->hand == block)
		v->hand = v->q.prev[block];
	queue_remove(&v->q, block);
}

static void sieve_gone(void *e, u32 block)
{
	struct sieve *v = e;

	if (sim_is_hot(v->s, block))
		sieve_remove(v, block);
}

static bool sieve_miss(void *e, u32 block)
{
	return true;
}

static void sieve_room(void *e, u32 target)
{
	struct sieve *v = e;

	while (v->s->hot > target) {
		u32 block = v->hand == NONE ? v->q.oldest : v->hand;

		v->hand = block;
		if (v->visited[block]) {
			v->visited[block] = 0;
			v->hand = v->q.prev[block];
		} else {
			sieve_remove(v, block);
			sim_leaves(v->s, block);
		}
	}
}

const struct engine engine_sieve = {
	.name	= "sieve",
	.create	= sieve_create,
	.destroy = sieve_destroy,
	.enters	= sieve_enters,
	.hit	= sieve_hit,
	.gone	= sieve_gone,
	.miss	= sieve_miss,
	.room	= sieve_room,
};
