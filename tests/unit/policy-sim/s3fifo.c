// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are
 * all you need for cache eviction", 2023). What is new goes through a small
 * queue, a tenth of RAM, and on to the main one only if it is accessed more
 * than once there; what leaves the small queue is remembered in a ghost queue,
 * and goes to the main one if it comes back soon. Each cold read makes a block
 * hot.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

#define SMALL_DIV	10
#define FREQ_MAX	3

enum s3_in { IN_NONE, IN_SMALL, IN_MAIN, IN_GHOST };

/**
 * struct s3 - its state
 * @s: the device
 * @small: what is new
 * @main: what has proved itself
 * @ghost: what left @small
 * @in: where each block is
 * @freq: accesses of each, up to FREQ_MAX
 */
struct s3 {
	struct sim *s;
	struct queue small;
	struct queue main;
	struct queue ghost;
	u8 *in;
	u8 *freq;
};

static void *s3_create(struct sim *s)
{
	struct s3 *c = calloc(1, sizeof(*c));

	check(c);
	c->s = s;
	queue_init(&c->small, s->t->blocks, NULL);
	queue_init(&c->main, s->t->blocks, &c->small);
	queue_init(&c->ghost, s->t->blocks, &c->small);
	c->in = calloc(s->t->blocks, 1);
	c->freq = calloc(s->t->blocks, 1);
	check(c->in && c->freq);
	return c;
}

static void s3_destroy(void *e)
{
	struct s3 *c = e;

	queue_fini(&c->small);
	free(c->in);
	free(c->freq);
	free(c);
}

static void s3_take(struct s3 *c, u32 block)
{
	struct queue *q[] = { NULL, &c->small, &c->main, &c->ghost };

	if (c->in[block] != IN_NONE)
		queue_remove(q[c->in[block]], block);
	c->in[block] = IN_NONE;
}

static void s3_enters(void *e, u32 block, bool promoted)
{
	struct s3 *c = e;
	bool known = c->in[block] == IN_GHOST;

	s3_take(c, block);
	c->in[block] = known ? IN_MAIN : IN_SMALL;
	c->freq[block] = 0;
	queue_push(known ? &c->main : &c->small, block);
}

static void s3_hit(void *e, u32 block, enum op op)
{
	struct s3 *c = e;

	if (c->freq[block] < FREQ_MAX)
		c->freq[block]++;
}

static void s3_gone(void *e, u32 block)
{
	s3_take(e, block);
}

static bool s3_miss(void *e, u32 block)
{
	return true;
}

static void s3_to_ghost(struct s3 *c, u32 block)
{
	c->in[block] = IN_GHOST;
	queue_push(&c->ghost, block);
	while (c->ghost.nr > c->s->limit - c->s->limit / SMALL_DIV)
		s3_take(c, c->ghost.oldest);
}

static void s3_small(struct s3 *c)
{
	u32 block = c->small.oldest;

	s3_take(c, block);
	if (c->freq[block] > 1) {
		c->in[block] = IN_MAIN;
		c->freq[block] = 0;
		queue_push(&c->main, block);
	} else {
		sim_leaves(c->s, block);
		s3_to_ghost(c, block);
	}
}

static void s3_main(struct s3 *c)
{
	u32 block = c->main.oldest;

	s3_take(c, block);
	if (c->freq[block]) {
		c->in[block] = IN_MAIN;
		c->freq[block]--;
		queue_push(&c->main, block);
	} else {
		sim_leaves(c->s, block);
	}
}

static void s3_room(void *e, u32 target)
{
	struct s3 *c = e;

	while (c->s->hot > target) {
		if (c->small.nr > c->s->limit / SMALL_DIV || !c->main.nr)
			s3_small(c);
		else
			s3_main(c);
	}
}

const struct engine engine_s3fifo = {
	.name	= "s3-fifo",
	.create	= s3_create,
	.destroy = s3_destroy,
	.enters	= s3_enters,
	.hit	= s3_hit,
	.gone	= s3_gone,
	.miss	= s3_miss,
	.room	= s3_room,
};
