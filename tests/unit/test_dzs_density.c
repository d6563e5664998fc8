// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: how many bytes the pool takes for the bytes stored, and what the others
 * are. A report, with limits that must hold.
 *
 * Hours of work pressed into seconds, with the lengths that pages of real
 * programs have (sizes.h). The blocks belong to tasks, a run of them to each.
 *	grow	all tasks write all of their blocks, in turn
 *	steady	blocks are written again, four times over, at random
 *	exit	tasks end, one after another; all blocks of one are freed in
 *		order, and those of the next task are written in their place, of
 *		another kind in the mix, while the other tasks go on
 *	frees	a random third of the blocks is freed
 * Before and after compaction with the default slack in each.
 */
#include <linux/minmax.h>
#include <stdio.h>

#include "dzs-internal.h"
#include "dzs_model.h"
#include "sizes.h"

#define KINDS		(sizeof(sizes) / sizeof(sizes[0]))
#define MIX		KINDS		/* each task of another kind */
#define TASKS		16U
#define HEADER		DZS_HEADER_SIZE

/* The owner: an object begins and ends with the low byte of its number. */
struct block {
	dzs_handle_t handle;
	unsigned int len;
};

struct churn {
	struct dzs_pool *pool;
	struct block *block;
	unsigned int n;
	unsigned int kind;		/* of all tasks, or MIX */
	unsigned int task_kind[TASKS];
	uint64_t state;
	unsigned long moved;
};

static bool relocate(void *ctx, u32 owner, dzs_handle_t old, dzs_handle_t new)
{
	struct churn *c = ctx;

	if (c->block[owner].handle != old)
		return false;
	dzs_copy(c->pool, old, new);
	c->block[owner].handle = new;
	c->moved++;
	return true;
}

static const struct dzs_ops ops = { .relocate = relocate };

/* A length as the pages of a program have it. */
static unsigned int length(unsigned int kind, uint64_t r)
{
	unsigned int at = r % 65536, bin = 0;

	while (bin < SIZES_BINS - 2 && at >= sizes[kind].share[bin])
		at -= sizes[kind].share[bin++];
	if (bin == SIZES_BINS - 2 && at >= sizes[kind].share[bin])
		return DZS_HUGE_SIZE;
	return min(bin * SIZES_STEP + 1 + (unsigned int)(r >> 16) % SIZES_STEP,
		   DZS_MAX_SIZE);
}

static void drop(struct churn *c, unsigned int i)
{
	if (c->block[i].handle)
		dzs_free(c->pool, c->block[i].handle);
	c->block[i].handle = DZS_NO_HANDLE;
	c->block[i].len = 0;
}

static void put(struct churn *c, unsigned int i)
{
	unsigned int task = (u64)i * TASKS / c->n;
	static unsigned char data[DZS_HUGE_SIZE];
	dzs_handle_t handle;
	unsigned int len;

	len = length(c->task_kind[task], shim_random(&c->state));
	data[0] = i;
	data[len - 1] = i;
	check(!dzs_alloc(c->pool, i, data, len, &handle));
	data[len - 1] = 0;
	drop(c, i);
	c->block[i] = (struct block) { .handle = handle, .len = len };
}

static unsigned int any(struct churn *c, unsigned int n)
{
	return shim_random(&c->state) % n;
}

static void grow(struct churn *c)
{
	unsigned int i, share = c->n / TASKS;

	for (i = 0; i < c->n; i++)
		put(c, i % TASKS * share + i / TASKS);
}

static void steady(struct churn *c)
{
	unsigned int i;

	for (i = 0; i < 4 * c->n; i++)
		put(c, any(c, c->n));
}

static void exits(struct churn *c)
{
	unsigned int i, task, share = c->n / TASKS;

	for (task = 0; task < TASKS; task++) {
		for (i = 0; i < share; i++)
			drop(c, task * share + i);
		if (c->kind == MIX)
			c->task_kind[task] = any(c, KINDS);
		for (i = 0; i < share; i++) {
			put(c, task * share + i);
			put(c, any(c, c->n));
		}
	}
}

static void frees(struct churn *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (!any(c, 3))
			drop(c, i);
}

/* What the pool's bytes are, each as a share of the bytes stored. */
struct parts {
	double all;
	double header;
	double round;		/* lengths, up to the size of the class */
	double tail;		/* of zspages, and of those not whole yet */
	double part;		/* free slots: less than a zspage of a class */
	double busy;		/* the zspage that a busy class keeps */
	double slack;		/* the other free slots */
	double meta;		/* not of the pool: bytes an object */
};

static void class_parts(const struct dzs_class *class, unsigned long objects,
			struct parts *p)
{
	unsigned long free = class->nr_slots - objects;
	unsigned long one = min(free, (unsigned long)class->slots);

	p->tail += class->nr_pages * PAGE_SIZE -
		   class->nr_slots * (double)class->size;
	if (class->nr_zspages >= DZS_BUSY_ZSPAGES)
		p->busy += one * (double)class->size;
	else
		p->part += one * (double)class->size;
	p->slack += (free - one) * (double)class->size;
}

static struct parts account(struct churn *c)
{
	unsigned long objects[DZS_MAX_CLASSES] = { 0 }, n = 0;
	struct parts p = { 0 };
	struct dzs_stats s;
	double *part;
	unsigned int i;

	dzs_stats(c->pool, &s);
	for (i = 0; i < c->n; i++) {
		unsigned int len = c->block[i].len;
		struct dzs_class *class;
		unsigned char b = i;

		if (!len)
			continue;
		dzs_read(c->pool, c->block[i].handle, &b, len - 1, 1);
		check(b == (unsigned char)i);
		if (len == DZS_HUGE_SIZE)
			continue;
		class = dzs_class_for(c->pool, len);
		objects[class - c->pool->classes]++;
		p.header += HEADER;
		p.round += class->size - HEADER - len;
		n++;
	}
	for (i = 0; i < c->pool->nr_classes; i++)
		class_parts(&c->pool->classes[i], objects[i], &p);
	p.all = (double)s.pages * PAGE_SIZE;
	check(p.all == s.stored_bytes + p.header + p.round + p.tail + p.part +
	      p.busy + p.slack);
	check(s.objects == n + s.huge_objects);
	for (part = &p.all; part < &p.meta; part++)
		*part /= s.stored_bytes;
	p.meta = 8 + (double)s.meta_bytes / s.objects;
	return p;
}

static void phase(struct churn *c, const char *name, void (*run)(struct churn *),
		  double limit)
{
	struct parts before, after;
	const char *kind = c->kind == MIX ? "mix" : sizes[c->kind].name;

	run(c);
	before = account(c);
	dzs_compact(c->pool, ~0UL, NULL);
	after = account(c);
	printf("  %-7s%-7s%7.3f%8.3f |%7.4f%7.4f%7.4f%7.4f%7.4f%7.4f |%6.2f\n",
	       kind, name, before.all, after.all, after.header, after.round,
	       after.tail, after.part, after.busy, after.slack, after.meta);
	check(after.all <= limit);
	check(run == frees || before.all <= limit + 0.10);
}

static void hours(unsigned int n, unsigned int kind, double limit)
{
	struct churn c = { .n = n / TASKS * TASKS, .kind = kind, .state = 77 };
	unsigned int i;

	c.block = calloc(c.n, sizeof(*c.block));
	check(c.block);
	c.pool = dzs_create(&ops, &c, 0);
	check(!IS_ERR(c.pool));
	for (i = 0; i < TASKS; i++)
		c.task_kind[i] = kind == MIX ? i % KINDS : kind;
	phase(&c, "grow", grow, limit);
	phase(&c, "steady", steady, limit);
	phase(&c, "exit", exits, limit);
	phase(&c, "frees", frees, limit);
	for (i = 0; i < c.n; i++)
		drop(&c, i);
	dzs_destroy(c.pool);
	free(c.block);
}

/* The 2015 test: fill, free a random half, compact. */
static void report_half(void)
{
	struct dzs_stats before, after;
	uint64_t state = 3;
	struct model m;
	unsigned int i;
	double eff;

	model_init(&m, 60000, 0);
	for (i = 0; i < m.n; i++)
		check(!model_put(&m, i, length(i % KINDS, shim_random(&state)),
				 i));
	for (i = 0; i < m.n; i++)
		if (shim_random(&state) & 1)
			model_del(&m, i);
	dzs_stats(m.pool, &before);
	dzs_compact(m.pool, ~0UL, NULL);
	dzs_stats(m.pool, &after);
	eff = (double)after.stored_bytes / (after.pages * PAGE_SIZE);
	printf("  half freed: efficiency %.3f before, %.3f after compaction, %lu objects moved for %lu pages\n",
	       (double)before.stored_bytes / (before.pages * PAGE_SIZE), eff,
	       after.compact_moved, after.compact_freed);
	check(eff >= 0.90);
	model_fini(&m);
}

/* Entry, header and share of the descriptor: 17 bytes at 3:1. */
static void report_meta(void)
{
	double worst = 0, all = 0, m1;
	unsigned int i, len;
	struct dzs_stats s;
	struct model m;

	for (len = 1265; len <= 1465; len += 20) {
		model_init(&m, 12000, 0);
		for (i = 0; i < m.n; i++)
			check(!model_put(&m, i, len, i));
		dzs_stats(m.pool, &s);
		m1 = 8 + (double)s.meta_bytes / s.objects;
		all += m1 / 11;
		worst = m1 > worst ? m1 : worst;
		model_fini(&m);
	}
	printf("  metadata near 1365 bytes: %.2f B/object on average, %.2f at worst (limit 17)\n",
	       all, worst);
	check(worst <= 17);
}

/* Bytes of pages that a slot of a class takes. */
static double slot_cost(const struct dzs_class *class)
{
	return (double)class->chain * PAGE_SIZE / class->slots;
}

/*
 * What it takes to give an object eight bytes more, as pre-cleaning does: how
 * many have them to spare in their slot, and the memory for the others.
 */
static void report_longer(void)
{
	struct dzs_pool *pool = dzs_create(&ops, NULL, 0);
	unsigned int kind, len;

	check(!IS_ERR(pool));
	for (kind = 0; kind < KINDS; kind++) {
		double all = 0, room = 0, before = 0, after = 0;

		for (len = 1; len + 8 <= DZS_MAX_SIZE; len++) {
			struct dzs_class *a = dzs_class_for(pool, len);
			struct dzs_class *b = dzs_class_for(pool, len + 8);
			unsigned int n = sizes[kind].share[(len - 1) / SIZES_STEP];

			all += n;
			before += n * slot_cost(a);
			after += n * slot_cost(b);
			if (a == b)
				room += n;
		}
		printf("  eight bytes more, %-8s: %.0f %% of objects have them in their slot, all together take %.2f %% more\n",
		       sizes[kind].name, 100 * room / all,
		       100 * (after / before - 1));
	}
	dzs_destroy(pool);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? atoi(argv[1]) : 120000;
	double limit = argc > 2 ? atof(argv[2]) : 1.05;
	unsigned int kind;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("  pool bytes for a byte stored, %u blocks; what is above 1 after compaction; metadata, B an object\n",
	       n);
	printf("  %-14s%7s%8s |%7s%7s%7s%7s%7s%7s |%6s\n", "", "before", "after",
	       "header", "round", "tail", "part", "busy", "slack", "meta");
	for (kind = 0; kind <= MIX; kind++)
		hours(n, kind, limit);
	report_half();
	report_meta();
	report_longer();
	shim_check_leaks("density");
	return 0;
}
