// SPDX-License-Identifier: GPL-2.0
/*
 * dzs when memory is short: for k = 1, 2, 3 ... the k-th allocation fails, or
 * all from the k-th on, until the whole run needs fewer than k.
 */
#include <stdio.h>

#include "dzs_model.h"

#define ENTRIES	160

static unsigned long failures;

/* A run with a bit of everything. Return: false when creation failed. */
static bool run(uint64_t seed)
{
	struct model m = { .n = ENTRIES };
	unsigned int i;

	m.entries = calloc(m.n, sizeof(*m.entries));
	for (i = 0; i < m.n; i++)
		pthread_mutex_init(&m.entries[i].lock, NULL);
	m.pool = dzs_create(&model_ops, &m, 6);
	if (IS_ERR(m.pool)) {
		check(PTR_ERR(m.pool) == -ENOMEM);
		free(m.entries);
		return false;
	}
	for (i = 0; i < 3 * m.n; i++) {
		uint64_t r = shim_random(&seed);

		if (model_put(&m, r % m.n, 600 + (r >> 32) % 2 * 3000, r))
			failures++;
		if (i % 50 == 49)
			dzs_refill(m.pool, GFP_NOWAIT);
		if (i % 90 == 89)
			dzs_compact(m.pool, 100, NULL);
		if (i % 3 == 2)
			model_del(&m, (r >> 16) % m.n);
	}
	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
	model_fini(&m);
	return true;
}

static unsigned long sweep(unsigned int kinds, bool on)
{
	unsigned long k = 0;

	do {
		shim_fail(kinds, ++k, on);
		run(42);
		shim_check_leaks("sweep");
	} while (shim.allocs >= k);
	shim_no_fail();
	return k;
}

/* With no page to be had, the reserve serves to its last page, and no more. */
static void test_reserve(void)
{
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	model_init(&m, 4000, 100);
	dzs_stats(m.pool, &s);
	check(s.reserve_pages == 100 && s.reserve_target == 100);
	check(s.reserve_low == 100 && !s.from_reserve);
	check(!dzs_needs_refill(m.pool));
	shim_fail(SHIM_ANY, 1, true);
	for (i = 0; i < 50; i++)
		check(!model_put(&m, i, DZS_HUGE_SIZE, i));
	for (; !model_put(&m, i, 1000, i); i++)
		;
	dzs_stats(m.pool, &s);
	check(s.pages == 100 && !s.reserve_pages && !s.reserve_low);
	check(s.from_reserve == 100 && i > 50 + 195);
	check(model_put(&m, i, DZS_HUGE_SIZE, i) == -ENOMEM);
	check(dzs_needs_refill(m.pool));
	check(dzs_refill(m.pool, GFP_NOWAIT) == 100);
	/* What is freed goes to the reserve first. */
	model_del(&m, 0);
	dzs_stats(m.pool, &s);
	check(s.reserve_pages == 1);
	check(!model_put(&m, 0, DZS_HUGE_SIZE, 0));
	shim_no_fail();
	check(dzs_refill(m.pool, GFP_KERNEL) == 0);
	check(!dzs_needs_refill(m.pool));
	model_check_totals(&m);
	model_fini(&m);
	shim_check_leaks("reserve");
}

/* Another size: what was there stays there, as far as there is room. */
static void resize(struct model *m, unsigned long pages, long elsewhere)
{
	struct dzs_reserve *res = dzs_reserve_create(m->pool, pages);
	struct dzs_stats s;
	long before;

	check(res && dzs_reserve_pages(res) == pages);
	dzs_stats(m->pool, &s);
	before = s.reserve_pages;
	if (pages > s.reserve_target)
		before += pages - s.reserve_target;
	if (before > (long)pages)
		before = pages;
	dzs_reserve_exchange(m->pool, res);
	dzs_reserve_destroy(res);
	check(dzs_reserve_target(m->pool) == pages);
	dzs_stats(m->pool, &s);
	check(s.reserve_target == pages && s.reserve_pages == before);
	check(s.reserve_low == before);
	check(shim.pages == (long)(s.pages + s.reserve_pages) + elsewhere);
}

static void test_reserve_resize(void)
{
	struct dzs_reserve *res;
	struct dzs_stats s;
	unsigned long size;
	struct model m;
	unsigned int i;

	model_init(&m, 4000, 100);
	for (size = 0; size < 3000; size = 2 * size + 1)
		resize(&m, size, 0);
	for (; size; size /= 3)
		resize(&m, size, 0);
	resize(&m, 100, 0);
	check(!dzs_needs_refill(m.pool));
	/* Half used up: a larger one is not full, and what comes back fits. */
	shim_fail(SHIM_ANY, 1, true);
	for (i = 0; i < 50; i++)
		check(!model_put(&m, i, DZS_HUGE_SIZE, i));
	check(!dzs_reserve_create(m.pool, 120));
	shim_no_fail();
	resize(&m, 120, 0);
	check(dzs_needs_refill(m.pool));
	for (i = 0; i < 50; i++)
		model_del(&m, i);
	dzs_stats(m.pool, &s);
	check(s.reserve_pages == 120 && shim.pages == 120);
	/* One that is not used leaves nothing behind, nor does a failure. */
	res = dzs_reserve_create(m.pool, 500);
	check(res && shim.pages == 120 + 380);
	dzs_reserve_destroy(res);
	shim_fail(SHIM_PAGE, 17, true);
	check(!dzs_reserve_create(m.pool, 500));
	shim_no_fail();
	check(shim.pages == 120);
	/* It may have changed since: then the rest is to be had from a refill. */
	res = dzs_reserve_create(m.pool, 130);
	resize(&m, 10, 10);
	dzs_reserve_exchange(m.pool, res);
	dzs_reserve_destroy(res);
	dzs_stats(m.pool, &s);
	check(s.reserve_pages == 20 && s.reserve_target == 130);
	check(!dzs_refill(m.pool, GFP_KERNEL));
	dzs_reserve_destroy(NULL);
	model_fini(&m);
	shim_check_leaks("reserve of another size");
}

static struct dzs_pool *shrinking;

static void shrink(void)
{
	struct dzs_reserve *res = dzs_reserve_create(shrinking, 10);

	dzs_reserve_exchange(shrinking, res);
	dzs_reserve_destroy(res);
}

/* Somebody makes it smaller while it is being filled up: it is full sooner. */
static void test_reserve_shrinks(unsigned int kind)
{
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	model_init(&m, 4000, 100);
	shim_fail(SHIM_ANY, 1, true);
	for (i = 0; !model_put(&m, i, 1000, i); i++)
		;
	shim_no_fail();
	shrinking = m.pool;
	shim.at_alloc = shrink;
	shim.at_alloc_kinds = kind;
	check(!dzs_refill(m.pool, GFP_KERNEL));
	check(!shim.at_alloc_kinds);
	check(!dzs_needs_refill(m.pool));
	dzs_stats(m.pool, &s);
	check(s.reserve_pages == 10 && s.reserve_target == 10);
	model_fini(&m);
	shim_check_leaks("reserve that shrinks");
}

/* The reserve is not touched while the page allocator delivers. */
static void test_reserve_rests(void)
{
	struct dzs_stats s;
	struct model m;
	unsigned int i;

	model_init(&m, 4000, 100);
	for (i = 0; i < m.n; i++)
		check(!model_put(&m, i, model_len(i * 977), i));
	dzs_stats(m.pool, &s);
	check(!s.from_reserve && s.reserve_low == 100);
	model_fini(&m);
}

/* Every class from the reserve: its descriptors suffice for that. */
static void test_reserve_classes(void)
{
	struct model m;
	unsigned int i;

	model_init(&m, 170, 1024);
	shim_fail(SHIM_ANY, 1, true);
	for (i = 0; i < m.n; i++)
		check(!model_put(&m, i, 1 + i * (DZS_MAX_SIZE - 1) / 170, i));
	shim_no_fail();
	model_fini(&m);
}

int main(void)
{
	unsigned long n[4];

	shim.strict = true;
	n[0] = sweep(SHIM_ANY, false);
	n[1] = sweep(SHIM_ANY, true);
	n[2] = sweep(SHIM_CACHE, true);
	n[3] = sweep(SHIM_PAGE, false);
	check(n[0] > 50 && n[1] > 20 && failures > 100);
	test_reserve();
	test_reserve_resize();
	test_reserve_shrinks(SHIM_PAGE);
	test_reserve_shrinks(SHIM_CACHE);
	test_reserve_rests();
	test_reserve_classes();
	printf("  fail sweep: %lu runs, %lu failed allocations\n",
	       n[0] + n[1] + n[2] + n[3], failures);
	shim_check_leaks("fail");
	return 0;
}
