// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: how many bytes the pool takes for the bytes stored, and how many of
 * them are not data. A report, with limits that must hold.
 */
#include <stdio.h>

#include "dzs_model.h"

typedef unsigned int (*len_fn)(uint64_t r);

/* Bell around 1365: pages that compress 3:1. */
static unsigned int len_three_to_one(uint64_t r)
{
	return 1065 + (r % 200 + (r >> 16) % 200 + (r >> 32) % 200);
}

/* Mixed heap pages: some tiny, a broad middle, some hardly compressible. */
static unsigned int len_mixed(uint64_t r)
{
	unsigned int kind = r % 100;

	r >>= 8;
	if (kind < 8)
		return 30 + r % 170;
	if (kind < 88)
		return 250 + (r % 700 + (r >> 16) % 700 + (r >> 32) % 700);
	return 2300 + r % 1335;
}

/* Poorly compressible. */
static unsigned int len_poor(uint64_t r)
{
	return 1900 + (r % 850 + (r >> 20) % 850);
}

static double density(struct model *m)
{
	struct dzs_stats s;

	dzs_stats(m->pool, &s);
	return (double)s.pages * PAGE_SIZE / s.stored_bytes;
}

/* Fill, replace all several times, then free a random third. */
static void churn(struct model *m, len_fn len, uint64_t *state)
{
	unsigned int i, n;
	uint64_t r;

	for (i = 0; i < m->n; i++)
		check(!model_put(m, i, len(shim_random(state)), i));
	for (n = 0; n < 4 * m->n; n++) {
		r = shim_random(state);
		i = (r >> 8) % m->n;
		if (r % 3)
			check(!model_put(m, i, len(shim_random(state)), r));
		else
			model_del(m, i);
	}
	for (i = 0; i < m->n; i++)
		if (shim_random(state) % 3 == 0)
			model_del(m, i);
}

static void report(const char *name, unsigned int entries, len_fn len,
		   double limit)
{
	double before, filled;
	uint64_t state = 77;
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	model_init(&m, entries, 0);
	for (i = 0; i < m.n; i++)
		check(!model_put(&m, i, len(shim_random(&state)), i));
	filled = density(&m);
	churn(&m, len, &state);
	before = density(&m);
	dzs_compact(m.pool, ~0UL, NULL);
	dzs_stats(m.pool, &s);
	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
	printf("  density %-10s %6lu objects: filled %.3f, churned %.3f, compacted %.3f (limit %.2f), meta %.2f B/object\n",
	       name, s.objects, filled, before, density(&m), limit,
	       8 + (double)s.meta_bytes / s.objects);
	check(density(&m) <= limit && filled <= limit);
	model_fini(&m);
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
		check(!model_put(&m, i, len_mixed(shim_random(&state)), i));
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

int main(void)
{
	report("3:1", 40000, len_three_to_one, 1.10);
	report("mixed", 40000, len_mixed, 1.15);
	report("poor", 40000, len_poor, 1.10);
	report("small", 8000, len_three_to_one, 1.15);
	report_half();
	report_meta();
	shim_check_leaks("density");
	return 0;
}
