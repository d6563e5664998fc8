// SPDX-License-Identifier: GPL-2.0
/* dzs: classes, limits, every length, access, errors, misuse, destruction. */
#include <stdio.h>

#include "dzs-internal.h"
#include "dzs_model.h"

/* Every length has a class that fits it, with a pad that can be stored. */
static void test_classes(struct dzs_pool *pool)
{
	unsigned int i, len;

	check(pool->nr_classes > 50 && pool->nr_classes <= DZS_MAX_CLASSES);
	for (i = 0; i < pool->nr_classes; i++) {
		struct dzs_class *c = &pool->classes[i];

		check(c->size % DZS_ALIGN == 0 && c->size <= DZS_MAX_SLOT);
		check(c->slots * c->size <= c->chain * PAGE_SIZE);
		check((c->slots + 1) * c->size > c->chain * PAGE_SIZE);
		check(c->slots <= DZS_MAX_SLOTS && c->chain <= DZS_MAX_CHAIN);
		check(!i || c[-1].size - c->size <= DZS_MAX_GAP);
		/* No two classes of the same density: one would be too many. */
		check(!i || c[-1].chain * c->slots > c->chain * c[-1].slots);
	}
	for (len = 1; len <= DZS_MAX_SIZE; len++) {
		struct dzs_class *c = dzs_class_for(pool, len);

		check(len + DZS_HEADER_SIZE <= c->size);
		check(c == &pool->classes[pool->nr_classes - 1] ||
		      len + DZS_HEADER_SIZE > c[1].size);
		check(c->size - DZS_HEADER_SIZE - len < DZS_PAD_FREE);
	}
}

static void test_arguments(struct model *m)
{
	dzs_handle_t h = DZS_NO_HANDLE;
	struct dzs_pool *pool = m->pool;
	char buf[5000] = { 0 };

	check(dzs_alloc(pool, 0, buf, 0, &h) == -EINVAL);
	check(dzs_alloc(pool, 0, buf, DZS_MAX_SIZE + 1, &h) == -EINVAL);
	check(dzs_alloc(pool, 0, buf, 4095, &h) == -EINVAL);
	check(dzs_alloc(pool, 0, buf, 4097, &h) == -EINVAL);
	check(dzs_alloc(pool, 0, buf, ~0U, &h) == -EINVAL);
	check(dzs_alloc2(pool, 0, buf, 1, buf, 4096, &h) == -EINVAL);
	check(dzs_alloc2(pool, 0, buf, 1, buf, 4095, &h) == -EINVAL);
	check(dzs_alloc2(pool, 0, buf, 4096, buf, 0, &h) == -EINVAL);
	check(dzs_alloc2(pool, 0, buf, 2, buf, DZS_MAX_SIZE - 1, &h) ==
	      -EINVAL);
	check(dzs_alloc2(pool, 0, buf, ~0U, buf, 2, &h) == -EINVAL);
	check(dzs_alloc2(pool, 0, buf, 0, buf, 0, &h) == -EINVAL);
	check(!h && !dzs_pages(pool));
	check(!dzs_alloc2(pool, 0, buf, 2, buf, DZS_MAX_SIZE - 2, &h));
	check(dzs_size(pool, h) == DZS_MAX_SIZE && !dzs_map_huge(h));
	dzs_free(pool, h);
	check(!dzs_pages(pool));
	dzs_destroy(NULL);
}

/* All lengths at once, so that slots of every offset in a page are used. */
static void test_lengths(struct model *m)
{
	unsigned int i, round;

	for (round = 0; round < 3; round++)
		for (i = 0; i < m->n; i++)
			check(!model_put(m, i, 1 + (i * 7 + round) %
					 DZS_MAX_SIZE, i * 31 + round));
	for (i = 0; i < m->n; i++) {
		model_check(m, i);
		model_check_part(m, i, i * 0x123456789abcULL);
		model_rewrite(m, i, i * 17);
	}
	model_check_totals(m);
	for (i = 0; i < m->n; i++)
		model_check(m, i);
	for (i = 0; i < m->n; i++)
		model_del(m, i * 7 % m->n);
	check(!dzs_pages(m->pool));
	model_check_totals(m);
}

static void test_huge(struct model *m)
{
	char buf[DZS_HUGE_SIZE];
	dzs_handle_t h;

	check(!model_put(m, 0, DZS_HUGE_SIZE, 99));
	h = m->entries[0].handle;
	check(dzs_map_huge(h) && shim_same(dzs_map_huge(h), 4096, 99));
	check(!((unsigned long)dzs_map_huge(h) % PAGE_SIZE));
	check(dzs_pages(m->pool) == 1 && dzs_size(m->pool, h) == 4096);
	memset(buf, 0x55, sizeof(buf));
	dzs_write(m->pool, h, buf, 4000, 96);
	dzs_read(m->pool, h, buf, 3999, 97);
	check(buf[1] == 0x55 && buf[96] == 0x55);
	model_del(m, 0);
	check(!dzs_pages(m->pool));
}

/* A zspage gets its pages one at a time, as its slots are handed out. */
static void test_lazy(struct model *m)
{
	unsigned int i, len = 1360 - DZS_HEADER_SIZE;

	for (i = 0; i < 24; i++) {
		check(!model_put(m, i, len, i));
		check(dzs_pages(m->pool) == ((i + 1) * 1360 + 4095) / 4096);
	}
	for (i = 0; i < 24; i++) {
		model_check(m, i);
		model_del(m, i);
	}
	check(!dzs_pages(m->pool));
}

/* What a buggy owner does is warned about, and harms nobody else. */
static void test_misuse(struct model *m)
{
	char buf[256];
	dzs_handle_t h;

	check(!model_put(m, 0, 100, 1) && !model_put(m, 1, 100, 2));
	h = m->entries[0].handle;
	shim.expect_warn = true;
	memset(buf, 1, sizeof(buf));
	dzs_read(m->pool, h, buf, 60, 100);
	check(shim.warns == 1 && !buf[40] && !buf[99] && buf[100] == 1);
	dzs_read(m->pool, h, buf, 200, 10);
	dzs_read(m->pool, h, buf, 1, ~0U - 1 < 100 ? 1 : 100);
	check(shim.warns == 3 && !buf[99]);
	dzs_write(m->pool, h, buf, 100, 100);
	dzs_write(m->pool, h, buf, 101, 1);
	check(shim.warns == 5);
	model_check(m, 0);
	model_check(m, 1);
	dzs_free(m->pool, h);
	dzs_free(m->pool, h);
	check(shim.warns == 6);
	m->entries[0].handle = DZS_NO_HANDLE;
	shim.expect_warn = false;
	shim.warns = 0;
	model_check_totals(m);
	model_del(m, 1);
}

/* Objects of classes may be left behind; the pages come back all the same. */
/*
 * The last free of a zspage gives its pages back at once, however many others
 * wait to be put on another list.
 */
static void test_at_once(void)
{
	unsigned int i, n = 2400;
	unsigned long pages;
	struct model m;

	model_init(&m, n, 0);
	for (i = 0; i < n; i++)
		check(!model_put(&m, i, 1355, i));
	/* Each but one of 24: all zspages are queued, that of 0 below them. */
	for (i = 0; i < n; i++)
		if (i % 24)
			model_del(&m, i);
	pages = dzs_pages(m.pool);
	check(pages == n / 3);
	for (i = 0; i < n; i += 24) {
		model_del(&m, i);
		pages -= 8;
		check(dzs_pages(m.pool) == pages);
		check(shim.pages == (long)pages);
	}
	model_fini(&m);
	shim_check_leaks("at once");
}

static void test_destroy(void)
{
	struct model m;
	unsigned int i;

	model_init(&m, 5000, 64);
	for (i = 0; i < m.n; i++)
		check(!model_put(&m, i, 1 + i * 3 % DZS_MAX_SIZE, i));
	for (i = 0; i < m.n; i += 3)
		model_del(&m, i);
	for (i = 0; i < m.n; i++)
		m.entries[i].handle = DZS_NO_HANDLE;
	model_fini(&m);
	shim_check_leaks("destroy");
}

/* Two pools share the slab cache, and nothing else. */
static void test_two_pools(void)
{
	struct model a, b;

	model_init(&a, 4, 0);
	model_init(&b, 4, 8);
	check(!model_put(&a, 0, 77, 1) && !model_put(&b, 0, 77, 2));
	model_check(&a, 0);
	model_fini(&a);
	model_check(&b, 0);
	model_fini(&b);
	shim_check_leaks("two pools");
}

int main(void)
{
	struct model m;

	shim.strict = true;
	model_init(&m, 40000, 0);
	test_classes(m.pool);
	test_arguments(&m);
	test_lengths(&m);
	test_huge(&m);
	test_lazy(&m);
	test_misuse(&m);
	model_fini(&m);
	shim_check_leaks("basic");
	test_at_once();
	test_destroy();
	test_two_pools();
	return 0;
}
