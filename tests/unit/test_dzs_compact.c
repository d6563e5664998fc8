// SPDX-License-Identifier: GPL-2.0
/*
 * dzs compaction: what it frees and what it leaves, in how long holds, and what
 * happens when the owner changes things between a step and its relocate().
 */
#include <stdio.h>

#include "dzs-internal.h"
#include "dzs_model.h"

#define LEN	1355U		/* class of 1360: 24 slots in 8 pages */

static void fill(struct model *m, unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		check(!model_put(m, from, LEN, from));
}

/* Free all but one in @keep. */
static void thin_out(struct model *m, unsigned int keep)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		if (i % keep)
			model_del(m, i);
}

static void check_all(struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		model_check(m, i);
	model_check_totals(m);
}

static void test_frees(void)
{
	unsigned long could, freed, pages;
	struct dzs_stats s;
	struct model m;

	model_init(&m, 24000, 0);
	fill(&m, 0, m.n);
	check(!dzs_compactable(m.pool) && !dzs_compact(m.pool, 1000, NULL));
	thin_out(&m, 2);
	pages = dzs_pages(m.pool);
	check(pages == 8000);
	could = dzs_compactable(m.pool);
	/* Half is free, less the slack of what is left, and one zspage. */
	check(could > 3800 && could <= 4000 - 40 * DZS_DEFAULT_SLACK);
	freed = dzs_compact(m.pool, 100, NULL);
	check(freed >= 100 && freed < 108);
	freed += dzs_compact(m.pool, ~0UL, NULL);
	check(freed >= could - 8 && freed <= could + 8);
	check(dzs_pages(m.pool) == pages - freed);
	check_all(&m);
	/* The slack stays free. */
	dzs_stats(m.pool, &s);
	check(s.free_slots >= DZS_DEFAULT_SLACK * s.pages * 4096 / 1360 / 100);
	check(s.compact_freed == freed && s.compact_moved >= 12000 / 4);
	model_fini(&m);
}

static void test_slack(void)
{
	unsigned long left[3], slack[3] = { 0, 10, 80 };
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		model_init(&m, 24000, 0);
		fill(&m, 0, m.n);
		thin_out(&m, 3);
		dzs_set_slack(m.pool, slack[i]);
		dzs_compact(m.pool, ~0UL, NULL);
		dzs_stats(m.pool, &s);
		left[i] = s.free_slots;
		check_all(&m);
		model_fini(&m);
	}
	/* 0: one zspage of the busy class; 80 is taken as 50. */
	check(left[0] >= 24 && left[0] < 48);
	check(left[1] > 800 && left[1] < 2700);
	check(left[2] > 7000 && left[2] < 16000);
}

static bool stop_after(void *arg)
{
	unsigned int *left = arg;

	return !(*left)--;
}

static void test_stop(void)
{
	struct dzs_compact_ctl ctl = { .stop = stop_after, .may_sleep = true };
	unsigned long freed = 0, moved = 0;
	unsigned int i, steps;
	struct dzs_stats s;
	struct model m;

	model_init(&m, 4800, 0);
	fill(&m, 0, m.n);
	thin_out(&m, 2);
	for (i = 0; i < 40; i++) {
		ctl.arg = &steps;
		steps = i;
		freed += dzs_compact(m.pool, ~0UL, &ctl);
		dzs_stats(m.pool, &s);
		check(s.compact_moved - moved <= i * DZS_BATCH);
		moved = s.compact_moved;
		model_check_totals(&m);
	}
	check(freed && s.compact_freed == freed);
	check_all(&m);
	model_fini(&m);
}

/* The owner frees, replaces, or fills in just before relocate() has its lock. */
static void meddle(struct model *m, u32 owner, dzs_handle_t old)
{
	static uint64_t state = 5;
	uint64_t r = shim_random(&state);

	switch (r % 4) {
	case 0:
		model_del(m, owner);
		break;
	case 1:
		check(!model_put(m, owner, LEN, r));
		break;
	case 2:
		model_del(m, (r >> 8) % m->n);
		check(!dzs_compact(m->pool, 10, NULL));	/* busy */
		break;
	}
}

static void test_meddling(void)
{
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	model_init(&m, 24000, 0);
	m.before_relocate = meddle;
	for (i = 0; i < 20; i++) {
		fill(&m, 0, m.n);
		thin_out(&m, 2 + i % 5);
		dzs_compact(m.pool, ~0UL, NULL);
		check_all(&m);
	}
	dzs_stats(m.pool, &s);
	check(s.compact_moved == m.relocated && s.compact_missed == m.refused);
	check(m.relocated > 10000 && m.refused > 5000);
	model_fini(&m);
	shim_check_leaks("meddling");
}

/* All objects of the victim go while it is isolated. */
static void free_all(struct model *m, u32 owner, dzs_handle_t old)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		model_del(m, i);
}

static void test_vanish(void)
{
	struct model m;

	model_init(&m, 2400, 16);
	fill(&m, 0, m.n);
	thin_out(&m, 4);
	m.before_relocate = free_all;
	dzs_compact(m.pool, ~0UL, NULL);
	check(!dzs_pages(m.pool) && m.refused);
	model_fini(&m);
	shim_check_leaks("vanish");
}

/* An object that is not in its entry yet stays where it is. */
static void test_unpublished(void)
{
	dzs_handle_t h[100];
	char buf[LEN];
	struct model m;
	unsigned int i;

	model_init(&m, 2400, 0);
	fill(&m, 0, m.n);
	for (i = 0; i < m.n; i += 24) {
		shim_fill(buf, LEN, i);
		check(!dzs_alloc(m.pool, 2399, buf, LEN, &h[i / 24]));
	}
	thin_out(&m, 8);
	dzs_set_slack(m.pool, 0);
	dzs_compact(m.pool, ~0UL, NULL);
	check(m.refused);
	for (i = 0; i < m.n; i += 24) {
		dzs_read(m.pool, h[i / 24], buf, 0, LEN);
		check(shim_same(buf, LEN, i));
		dzs_free(m.pool, h[i / 24]);
	}
	check_all(&m);
	model_fini(&m);
	shim_check_leaks("unpublished");
}

/* With someone waiting, a hold does one object; all the same it gets done. */
static void test_contended(void)
{
	struct model m;

	model_init(&m, 4800, 0);
	fill(&m, 0, m.n);
	thin_out(&m, 3);
	shim.contended = true;
	check(dzs_compact(m.pool, ~0UL, NULL) > 500);
	shim.contended = false;
	check_all(&m);
	model_fini(&m);
}

/* Compaction moves on through the classes, from run to run. */
static void test_classes(void)
{
	unsigned int i, len;
	unsigned long freed;
	struct model m;

	model_init(&m, 30000, 0);
	for (i = 0; i < m.n; i++) {
		len = 300 + i % 10 * 330;
		check(!model_put(&m, i, len, i));
	}
	for (i = 0; i < m.n; i++)
		if (i / 10 % 3)
			model_del(&m, i);
	for (i = 0; i < 2000; i++) {
		freed = dzs_compact(m.pool, 1, NULL);
		if (!freed)
			break;
		check(freed <= DZS_MAX_CHAIN);
	}
	check(i > 500 && dzs_compactable(m.pool) < 100);
	check_all(&m);
	model_fini(&m);
}

int main(void)
{
	shim.strict = true;
	test_frees();
	test_slack();
	test_stop();
	test_meddling();
	test_vanish();
	test_unpublished();
	test_contended();
	test_classes();
	shim_check_leaks("compact");
	return 0;
}
