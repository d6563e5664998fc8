// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: where pages and descriptors come from, and where they go.
 *
 * First the kernel is asked, without sleeping and without the right to its
 * emergency reserves. Only when it says no, our own reserve is used. Whatever
 * the pool frees fills the reserve up before any goes back to the kernel;
 * otherwise a worker of the owner calls dzs_refill().
 *
 * The reserve lock is a leaf: nothing is called with it held.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "dzs-internal.h"

#define DZS_GFP	(GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC)

/* One cache for all pools; its users are counted. */
static DEFINE_MUTEX(cache_lock);
static struct kmem_cache *desc_cache;
static unsigned int cache_users;

int dzs_cache_get(void)
{
	int ret = 0;

	mutex_lock(&cache_lock);
	if (!cache_users)
		desc_cache = kmem_cache_create("dm_zram_zspage",
					       sizeof(struct dzs_zspage),
					       sizeof(struct dzs_zspage),
					       SLAB_HWCACHE_ALIGN, NULL);
	if (desc_cache)
		cache_users++;
	else
		ret = -ENOMEM;
	mutex_unlock(&cache_lock);
	return ret;
}

void dzs_cache_put(void)
{
	mutex_lock(&cache_lock);
	if (!--cache_users) {
		kmem_cache_destroy(desc_cache);
		desc_cache = NULL;
	}
	mutex_unlock(&cache_lock);
}

/* A page whose frame number fits in a descriptor. */
static struct page *page_alloc(gfp_t gfp)
{
	struct page *page = alloc_page(gfp);

	if (page && (u64)page_to_pfn(page) > U32_MAX) {
		__free_page(page);
		return NULL;
	}
	return page;
}

static struct page *reserve_pop_page(struct dzs_reserve *res)
{
	struct page *page = NULL;

	spin_lock(&res->lock);
	if (res->nr_pages) {
		page = res->pages[res->nr_pages - 1];
		WRITE_ONCE(res->nr_pages, res->nr_pages - 1);
		WRITE_ONCE(res->low, min(res->low, res->nr_pages));
		WRITE_ONCE(res->taken, res->taken + 1);
	}
	spin_unlock(&res->lock);
	return page;
}

/* Return: false when the reserve is full. */
static bool reserve_push_page(struct dzs_reserve *res, struct page *page)
{
	bool done = false;

	if (READ_ONCE(res->nr_pages) >= READ_ONCE(res->target))
		return false;
	spin_lock(&res->lock);
	if (res->nr_pages < res->target) {
		res->pages[res->nr_pages] = page;
		WRITE_ONCE(res->nr_pages, res->nr_pages + 1);
		done = true;
	}
	spin_unlock(&res->lock);
	return done;
}

static struct dzs_zspage *reserve_pop_desc(struct dzs_reserve *res)
{
	struct dzs_zspage *zs = NULL;

	spin_lock(&res->lock);
	if (res->nr_descs) {
		zs = res->descs[res->nr_descs - 1];
		WRITE_ONCE(res->nr_descs, res->nr_descs - 1);
	}
	spin_unlock(&res->lock);
	return zs;
}

static bool reserve_push_desc(struct dzs_reserve *res, struct dzs_zspage *zs)
{
	bool done = false;

	if (READ_ONCE(res->nr_descs) >= READ_ONCE(res->desc_target))
		return false;
	spin_lock(&res->lock);
	if (res->nr_descs < res->desc_target) {
		res->descs[res->nr_descs] = zs;
		WRITE_ONCE(res->nr_descs, res->nr_descs + 1);
		done = true;
	}
	spin_unlock(&res->lock);
	return done;
}

struct page *dzs_page_get(struct dzs_pool *pool)
{
	struct page *page = page_alloc(DZS_GFP);

	return page ? page : reserve_pop_page(&pool->reserve);
}

void dzs_page_put(struct dzs_pool *pool, struct page *page)
{
	if (page && !reserve_push_page(&pool->reserve, page))
		__free_page(page);
}

void dzs_pages_put(struct dzs_pool *pool, struct page **pages, unsigned int n)
{
	while (n && reserve_push_page(&pool->reserve, pages[n - 1]))
		n--;
	/* Many at once cost the page allocator little more than one. */
	if (n)
		release_pages(pages, n);
}

struct dzs_zspage *dzs_desc_get(struct dzs_pool *pool)
{
	struct dzs_zspage *zs = kmem_cache_alloc(desc_cache, DZS_GFP);

	return zs ? zs : reserve_pop_desc(&pool->reserve);
}

void dzs_desc_put(struct dzs_pool *pool, struct dzs_zspage *zs)
{
	if (zs && !reserve_push_desc(&pool->reserve, zs))
		kmem_cache_free(desc_cache, zs);
}

/*
 * Fill a reserve, which may be in use, up to so many of each. It may be made
 * smaller meanwhile: then it is full when it takes no more.
 */
static void reserve_fill(struct dzs_reserve *res, unsigned long pages,
			 unsigned long descs, gfp_t gfp)
{
	struct dzs_zspage *zs;
	struct page *page;

	gfp &= ~__GFP_HIGHMEM;
	gfp |= __GFP_NOWARN | __GFP_NOMEMALLOC;
	while (READ_ONCE(res->nr_descs) < descs) {
		zs = kmem_cache_alloc(desc_cache, gfp);
		if (!zs)
			break;
		if (!reserve_push_desc(res, zs)) {
			kmem_cache_free(desc_cache, zs);
			break;
		}
	}
	while (READ_ONCE(res->nr_pages) < pages) {
		page = page_alloc(gfp);
		if (!page)
			break;
		if (!reserve_push_page(res, page)) {
			__free_page(page);
			break;
		}
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
}

unsigned long dzs_refill(struct dzs_pool *pool, gfp_t gfp)
{
	struct dzs_reserve *res = &pool->reserve;
	unsigned long target, pages;

	reserve_fill(res, READ_ONCE(res->target), READ_ONCE(res->desc_target),
		     gfp);
	target = READ_ONCE(res->target);
	pages = READ_ONCE(res->nr_pages);
	return target > pages ? target - pages : 0;
}

bool dzs_needs_refill(struct dzs_pool *pool)
{
	struct dzs_reserve *res = &pool->reserve;
	unsigned long target = READ_ONCE(res->target);
	unsigned long descs = READ_ONCE(res->desc_target);

	return READ_ONCE(res->nr_pages) < target - target / 8 ||
	       READ_ONCE(res->nr_descs) < descs - descs / 8;
}

/* An empty reserve for so many pages. */
static int reserve_init(struct dzs_reserve *res, unsigned long pages)
{
	spin_lock_init(&res->lock);
	if (!pages)
		return 0;
	res->pages = kvcalloc(pages, sizeof(*res->pages), GFP_KERNEL);
	if (!res->pages)
		return -ENOMEM;
	res->target = pages;
	/* A burst over many classes needs one each; a long one, a fifth. */
	res->desc_target = min(pages, pages / DZS_MIN_CHAIN + 32);
	res->descs = kvcalloc(res->desc_target, sizeof(*res->descs),
			      GFP_KERNEL);
	if (!res->descs) {
		res->desc_target = 0;
		return -ENOMEM;
	}
	return 0;
}

int dzs_reserve_init(struct dzs_pool *pool, unsigned long pages)
{
	struct dzs_reserve *res = &pool->reserve;
	int err = reserve_init(res, pages);

	if (err)
		return err;
	if (dzs_refill(pool, GFP_KERNEL) || res->nr_descs < res->desc_target)
		return -ENOMEM;
	res->low = res->nr_pages;
	return 0;
}

static void reserve_free(struct dzs_reserve *res)
{
	while (res->nr_pages)
		__free_page(res->pages[--res->nr_pages]);
	while (res->nr_descs)
		kmem_cache_free(desc_cache, res->descs[--res->nr_descs]);
	kvfree(res->pages);
	kvfree(res->descs);
}

void dzs_reserve_free(struct dzs_pool *pool)
{
	reserve_free(&pool->reserve);
}

unsigned long dzs_reserve_target(struct dzs_pool *pool)
{
	return READ_ONCE(pool->reserve.target);
}

unsigned long dzs_reserve_pages(const struct dzs_reserve *res)
{
	return res->target;
}

struct dzs_reserve *dzs_reserve_create(struct dzs_pool *pool,
				       unsigned long pages)
{
	struct dzs_reserve *res = kzalloc(sizeof(*res), GFP_KERNEL);
	struct dzs_reserve *old = &pool->reserve;
	unsigned long have, have_descs;

	if (!res)
		return NULL;
	if (reserve_init(res, pages))
		goto fail;
	have = READ_ONCE(old->target);
	have_descs = READ_ONCE(old->desc_target);
	pages -= min(pages, have);
	have_descs = res->desc_target - min(res->desc_target, have_descs);
	reserve_fill(res, pages, have_descs, GFP_KERNEL);
	if (res->nr_pages == pages && res->nr_descs == have_descs)
		return res;
fail:
	dzs_reserve_destroy(res);
	return NULL;
}

/* Move to @to, which nobody uses yet, what it has room for. */
static void reserve_move(struct dzs_reserve *to, struct dzs_reserve *from)
{
	unsigned long pages = from->nr_pages, descs = from->nr_descs;

	while (pages && to->nr_pages < to->target)
		to->pages[to->nr_pages++] = from->pages[--pages];
	while (descs && to->nr_descs < to->desc_target)
		to->descs[to->nr_descs++] = from->descs[--descs];
	WRITE_ONCE(from->nr_pages, pages);
	WRITE_ONCE(from->nr_descs, descs);
}

/* Exchange a number that others read at any time. */
static unsigned long reserve_swap(unsigned long *in_use, unsigned long new)
{
	unsigned long old = *in_use;

	WRITE_ONCE(*in_use, new);
	return old;
}

void dzs_reserve_exchange(struct dzs_pool *pool, struct dzs_reserve *res)
{
	struct dzs_reserve *in_use = &pool->reserve;

	spin_lock(&in_use->lock);
	reserve_move(res, in_use);
	swap(in_use->pages, res->pages);
	swap(in_use->descs, res->descs);
	res->nr_pages = reserve_swap(&in_use->nr_pages, res->nr_pages);
	res->nr_descs = reserve_swap(&in_use->nr_descs, res->nr_descs);
	res->target = reserve_swap(&in_use->target, res->target);
	res->desc_target = reserve_swap(&in_use->desc_target, res->desc_target);
	WRITE_ONCE(in_use->low, in_use->nr_pages);
	spin_unlock(&in_use->lock);
}

void dzs_reserve_destroy(struct dzs_reserve *res)
{
	if (!res)
		return;
	reserve_free(res);
	kfree(res);
}

void dzs_reserve_stats(struct dzs_pool *pool, struct dzs_stats *stats)
{
	struct dzs_reserve *res = &pool->reserve;

	stats->fixed_bytes += READ_ONCE(res->target) * sizeof(*res->pages) +
			      READ_ONCE(res->desc_target) *
			      (sizeof(*res->descs) + sizeof(**res->descs));
	stats->reserve_pages = READ_ONCE(res->nr_pages);
	stats->reserve_target = READ_ONCE(res->target);
	stats->reserve_low = READ_ONCE(res->low);
	stats->from_reserve = READ_ONCE(res->taken);
}
