// SPDX-License-Identifier: GPL-2.0
/*
 * dzs against the naive model: millions of random operations, with compaction,
 * allocation failures, the reserve and its refill all mixed in.
 */
#include <stdio.h>

#include "dzs_model.h"

#define OPS	1500000UL

static struct model m;
static unsigned long failed;

static void put(unsigned int i, unsigned int len, uint64_t r)
{
	int ret = model_put(&m, i, len, r);

	if (!ret)
		return;
	/* A failed allocation leaves the old object alone. */
	check(ret == -ENOMEM);
	failed++;
	model_check(&m, i);
}

/* Sometimes no page or no descriptor is to be had, for a while. */
static void change_weather(uint64_t r)
{
	static const unsigned long every[] = { 0, 0, 0, 2, 3, 1 };

	shim_no_fail();
	shim.fail_every = every[r % 6];
	shim.fail_kinds = 1 + (r >> 8) % 3;
	shim.high_pfn_every = r >> 16 & 1 ? 5 : 0;
}

static void compact(uint64_t r)
{
	unsigned long before = dzs_pages(m.pool), pages = shim.pages, freed;
	unsigned long allocs;

	dzs_set_slack(m.pool, r % 8);
	shim.contended = r >> 8 & 1;
	shim.fail_kinds = SHIM_ANY;
	allocs = shim.allocs;
	freed = dzs_compact(m.pool, (r >> 9) % 64, NULL);
	check(freed < 64 + 8 && before - dzs_pages(m.pool) == freed);
	check(shim.pages <= pages && shim.allocs == allocs);
	change_weather(r >> 20);
}

static void reserve(uint64_t r)
{
	struct dzs_stats s;
	unsigned long missing;

	missing = dzs_refill(m.pool, r & 1 ? GFP_KERNEL : GFP_NOWAIT);
	dzs_stats(m.pool, &s);
	check(missing == s.reserve_target - s.reserve_pages);
	check(missing || s.reserve_pages == s.reserve_target);
	check(s.reserve_low <= s.reserve_pages);
}

static void one_op(uint64_t *state)
{
	uint64_t r = shim_random(state), r2 = shim_random(state);
	unsigned int i = r % m.n, op = (r >> 32) % 1000;

	if (op < 430)
		put(i, model_len(r2), r2);
	else if (op < 700)
		model_del(&m, i);
	else if (op < 850)
		model_check(&m, i);
	else if (op < 950)
		model_check_part(&m, i, r2);
	else if (op < 990)
		model_rewrite(&m, i, r2);
	else if (op < 996)
		compact(r2);
	else if (op < 998)
		reserve(r2);
	else if (r2 >> 60 < 4)
		change_weather(r2);
}

static void churn(uint64_t seed, unsigned int entries, unsigned long reserved,
		  unsigned long ops)
{
	unsigned long i;

	failed = 0;
	model_init(&m, entries, reserved);
	for (i = 0; i < ops; i++) {
		one_op(&seed);
		if (i % (ops / 16) == 0)
			model_check_totals(&m);
	}
	shim_no_fail();
	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
}

int main(void)
{
	struct dzs_stats s;

	shim.strict = true;
	churn(1, 20000, DZS_MAX_SIZE / 60, OPS);
	dzs_stats(m.pool, &s);
	printf("  model: %lu ops, %lu moved, %lu pages freed by compaction, %lu from reserve, %lu failed\n",
	       OPS, s.compact_moved, s.compact_freed, s.from_reserve, failed);
	/* All of it must have happened, or the test is worth nothing. */
	check(s.compact_moved > 1000 && s.compact_freed > 1000);
	check(s.from_reserve > 300 && s.reserve_low == 0 && failed > 100);
	check(m.relocated == s.compact_moved && !m.refused);
	check(shim.gfp_and & __GFP_NOMEMALLOC && shim.gfp_and & __GFP_NOWARN);
	model_fini(&m);
	shim_check_leaks("model");

	/* Few entries: zspages come and go. */
	churn(2, 60, 10, OPS / 4);
	model_fini(&m);
	churn(3, 700, 0, OPS / 4);
	model_fini(&m);
	shim_check_leaks("model, small");
	return 0;
}
