// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: a pool and its objects.
 *
 * An allocation takes its class lock, and when the class has no free slot
 * drops it, gets a page (and a descriptor, if a new zspage is due), and tries
 * again. What a racing thread has made superfluous by then is given back. The
 * object's bytes are copied after the lock has been dropped: nobody else knows
 * the handle yet, and compaction, which may see the slot, is told by the owner
 * that its entry does not hold it.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dzs-internal.h"

struct dzs_pool *dzs_create(const struct dzs_ops *ops, void *ctx,
			    unsigned long reserve_pages)
{
	struct dzs_pool *pool;
	int ret;

	pool = kvzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	pool->ops = ops;
	pool->ctx = ctx;
	pool->slack = DZS_DEFAULT_SLACK;
	ret = dzs_classes_init(pool);
	if (ret)
		goto free_pool;
	ret = -ENOMEM;
	pool->freed = alloc_percpu(struct dzs_freed);
	if (!pool->freed)
		goto free_pool;
	ret = dzs_cache_get();
	if (ret)
		goto free_counters;
	ret = dzs_reserve_init(pool, reserve_pages);
	if (ret)
		goto free_reserve;
	return pool;

free_reserve:
	dzs_reserve_free(pool);
	dzs_cache_put();
free_counters:
	free_percpu(pool->freed);
free_pool:
	kvfree(pool);
	return ERR_PTR(ret);
}

void dzs_release(struct dzs_pool *pool, struct dzs_zspage *zs)
{
	unsigned int i, n = dzs_state(zs).pages;
	struct page *pages[DZS_MAX_CHAIN];

	for (i = 0; i < n; i++)
		pages[i] = pfn_to_page(zs->pfn[i]);
	dzs_pages_put(pool, pages, n);
	dzs_desc_put(pool, zs);
	atomic_long_sub(n, &pool->pages);
}

void dzs_destroy(struct dzs_pool *pool)
{
	struct dzs_zspage *zs, *next;
	unsigned int i, group;

	if (!pool)
		return;
	WARN_ON_ONCE(atomic_long_read(&pool->huge));
	for (i = 0; i < pool->nr_classes; i++) {
		struct dzs_class *class = &pool->classes[i];

		for (group = 0; group < DZS_NR_GROUPS; group++)
			list_for_each_entry_safe(zs, next, &class->group[group],
						 node)
				dzs_release(pool, zs);
	}
	dzs_reserve_free(pool);
	dzs_cache_put();
	free_percpu(pool->freed);
	kvfree(pool);
}

/* Get the next thing that growing a class may need. */
static bool spare_get(struct dzs_pool *pool, struct dzs_spare *spare)
{
	if (!spare->page) {
		spare->page = dzs_page_get(pool);
		return spare->page;
	}
	if (!spare->zs) {
		spare->zs = dzs_desc_get(pool);
		return spare->zs;
	}
	return false;
}

/* Allocate a slot, growing the class if there is none. */
static int slot_alloc(struct dzs_pool *pool, struct dzs_class *class,
		      u32 owner, unsigned int len, struct dzs_slot *slot)
{
	struct dzs_spare spare = {};
	bool drained = false;
	bool done;

	for (;;) {
		LIST_HEAD(empty);

		dzs_class_lock(pool, class);
		if (!llist_empty(&class->queue))
			dzs_settle_some(class, DZS_SETTLE_SOME, &empty);
		done = dzs_slot_take(class, owner, len, slot);
		if (!done && spare.page && dzs_class_grow(class, &spare)) {
			atomic_long_inc(&pool->pages);
			done = dzs_slot_take(class, owner, len, slot);
		}
		spin_unlock(&class->lock);
		/* First of all: the reserve may be waiting for these pages. */
		dzs_release_list(pool, &empty);
		if (done)
			break;
		if (spare_get(pool, &spare))
			continue;
		/* No memory: what frees have queued may have a slot. */
		if (drained)
			break;
		drained = true;
		dzs_drain(pool, class);
	}
	dzs_page_put(pool, spare.page);
	dzs_desc_put(pool, spare.zs);
	return done ? 0 : -ENOMEM;
}

static int alloc_huge(struct dzs_pool *pool, const void *src,
		      dzs_handle_t *handle)
{
	struct page *page = dzs_page_get(pool);

	if (!page)
		return -ENOMEM;
	memcpy(page_address(page), src, DZS_HUGE_SIZE);
	atomic_long_inc(&pool->pages);
	atomic_long_inc(&pool->huge);
	*handle = dzs_page_handle(page);
	return 0;
}

int dzs_alloc2(struct dzs_pool *pool, u32 owner, const void *head,
	       unsigned int head_len, const void *src, unsigned int len,
	       dzs_handle_t *handle)
{
	struct dzs_class *class;
	struct dzs_slot slot;
	int ret;

	if (len == DZS_HUGE_SIZE && !head_len)
		return alloc_huge(pool, src, handle);
	if (head_len > DZS_MAX_SIZE || len > DZS_MAX_SIZE - head_len ||
	    !(head_len + len))
		return -EINVAL;
	class = dzs_class_for(pool, head_len + len);
	ret = slot_alloc(pool, class, owner, head_len + len, &slot);
	if (ret)
		return ret;
	dzs_slot_write(class, slot, 0, head, head_len);
	dzs_slot_write(class, slot, head_len, src, len);
	*handle = dzs_slot_handle(slot);
	return 0;
}

int dzs_alloc(struct dzs_pool *pool, u32 owner, const void *src,
	      unsigned int len, dzs_handle_t *handle)
{
	return dzs_alloc2(pool, owner, NULL, 0, src, len, handle);
}

static void free_huge(struct dzs_pool *pool, dzs_handle_t handle)
{
	atomic_long_dec(&pool->huge);
	atomic_long_dec(&pool->pages);
	dzs_page_put(pool, dzs_handle_page(handle));
}

void dzs_free(struct dzs_pool *pool, dzs_handle_t handle)
{
	if (dzs_is_huge(handle))
		free_huge(pool, handle);
	else
		dzs_slot_free(pool, dzs_handle_slot(handle));
}

unsigned long dzs_pages(struct dzs_pool *pool)
{
	return atomic_long_read(&pool->pages);
}

/* Sum of the exact lengths of live objects, without the huge ones. */
static unsigned long stored_bytes(struct dzs_pool *pool)
{
	unsigned long bytes = 0;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		bytes -= READ_ONCE(per_cpu_ptr(pool->freed, cpu)->stored);
	for (i = 0; i < pool->nr_classes; i++)
		bytes += READ_ONCE(pool->classes[i].stored);
	return bytes;
}

void dzs_stats(struct dzs_pool *pool, struct dzs_stats *stats)
{
	struct dzs_class_info class;
	unsigned int i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; dzs_class_info(pool, i, &class); i++) {
		stats->objects += class.objects;
		stats->zspages += class.zspages;
		stats->free_slots += class.free_slots;
	}
	stats->meta_bytes = (u64)stats->zspages * sizeof(struct dzs_zspage) +
			    (u64)stats->objects * DZS_HEADER_SIZE;
	stats->fixed_bytes = sizeof(*pool) +
			     (u64)num_possible_cpus() * sizeof(*pool->freed);
	stats->pages = dzs_pages(pool);
	stats->huge_objects = atomic_long_read(&pool->huge);
	stats->objects += stats->huge_objects;
	stats->stored_bytes = stored_bytes(pool) +
			      (u64)stats->huge_objects * DZS_HUGE_SIZE;
	dzs_reserve_stats(pool, stats);
	dzs_compact_stats(pool, stats);
}
