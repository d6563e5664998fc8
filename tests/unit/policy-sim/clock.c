// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: those of dm-zram/policy.c, with the hands of demote.c.
 *
 * The fast hand starts above the start mark and runs to the stop mark, less
 * choosy after each rotation. The slow hand moves once a second; it takes
 * blocks of the oldest age if few blocks were accessed in that second. "plain" is
 * "age" as if nothing were known of what reads mean: see &struct dzr_reuse.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

/* As in demote.c, and the default of demote_age. */
#define IDLE_IOS	2048
#define THRESHOLD_NONE	(DZR_AGE_MAX + 1)
#define DEMOTE_AGE	600

/**
 * struct clock - the hands
 * @s: the device
 * @policy: the kernel's
 * @plain: learns nothing
 * @age: of each block
 * @hand: the fast one
 * @threshold: its
 * @slow: the slow one
 * @last: accesses at the last tick
 * @reads: of hot samples, by age
 * @reuse: what that says
 */
struct clock {
	struct sim *s;
	const struct dzr_policy *policy;
	bool plain;
	u8 *age;
	u32 hand;
	u8 threshold;
	u32 slow;
	u32 last;
	u64 reads[DZR_AGE_MAX + 1];
	struct dzr_reuse reuse;
};

static void *clock_create(struct sim *s, const char *name, bool plain)
{
	struct clock *c = calloc(1, sizeof(*c));

	check(c);
	c->s = s;
	c->policy = dzr_policy_find(name);
	c->plain = plain;
	c->threshold = DZR_THRESHOLD_START;
	c->age = calloc(s->t->blocks, 1);
	check(c->policy && c->age);
	return c;
}

static void clock_destroy(void *e)
{
	struct clock *c = e;

	free(c->age);
	free(c);
}

static void clock_enters(void *e, u32 block, bool promoted)
{
	struct clock *c = e;

	c->age[block] = c->policy->born();
}

static void clock_hit(void *e, u32 block, enum op op)
{
	struct clock *c = e;

	if (op == READ && dzr_reuse_sample(block))
		c->reads[c->age[block]]++;
	c->age[block] = c->policy->touch(c->age[block], op == WRITE);
}

static void clock_gone(void *e, u32 block)
{
}

/* As dzr_io_promotes(), and dzr_load_cold(). */
static bool clock_miss(void *e, u32 block)
{
	struct clock *c = e;
	bool room = c->s->hot <= c->s->marks.stop;
	u8 age = c->age[block];

	c->age[block] = c->policy->cold_touch(age);
	return c->policy->promote(age, room ? DZR_THRESHOLD_IDLE :
					      c->threshold);
}

/* As dzr_visit(). */
static void clock_visit(struct clock *c, u32 block, u8 threshold, u8 early)
{
	if (sim_where(c->s, block) == COLD)
		c->age[block] = c->policy->cold_visit(c->age[block]);
	if (!sim_is_hot(c->s, block))
		return;
	dzr_reuse_seen(&c->reuse, block, c->age[block]);
	if (c->policy->visit(&c->age[block], threshold,
			     dzr_reuse_sample(block) ? 0 : early) &&
	    threshold != THRESHOLD_NONE) {
		sim_leaves(c->s, block);
		c->age[block] = c->policy->chilled();
	}
}

/* As dzr_demote_work(), with nothing in its way. */
static void clock_room(void *e, u32 target)
{
	struct clock *c = e;

	while (c->s->hot > target) {
		clock_visit(c, c->hand, c->threshold,
			    c->plain ? 0 : c->reuse.early);
		if (++c->hand == c->s->t->blocks) {
			c->hand = 0;
			c->threshold = dzr_threshold_next(c->threshold, false);
			dzr_reuse_learn(&c->reuse, c->reads);
		}
	}
	c->threshold = dzr_threshold_next(c->threshold, true);
	dzr_reuse_learn(&c->reuse, c->reads);
}

/* As dzr_sweep_tick() and dzr_sweep_step(). */
static void clock_tick(void *e)
{
	struct clock *c = e;
	u32 share = c->s->t->blocks / dzr_sweep_interval(DEMOTE_AGE) + 1;
	u8 threshold = c->s->now - c->last < IDLE_IOS ? DZR_THRESHOLD_IDLE :
							THRESHOLD_NONE;

	if (c->slow == c->s->t->blocks)
		c->slow = 0;
	c->last = c->s->now;
	for (; share && c->slow < c->s->t->blocks; share--)
		clock_visit(c, c->slow++, threshold, 0);
}

#define CLOCK_ENGINE(id, policy_name, is_plain)				\
static void *id##_create(struct sim *s)					\
{									\
	return clock_create(s, policy_name, is_plain);			\
}									\
const struct engine engine_##id = {					\
	.name = #id, .create = id##_create,				\
	.destroy = clock_destroy, .enters = clock_enters,		\
	.hit = clock_hit, .gone = clock_gone, .miss = clock_miss,	\
	.room = clock_room, .tick = clock_tick,				\
}

CLOCK_ENGINE(age, "age", false);
CLOCK_ENGINE(plain, "age", true);
CLOCK_ENGINE(fifo, "fifo", false);
