// SPDX-License-Identifier: GPL-2.0
/*
 * Block table: a sparse array of one-word entries. See btable.h.
 *
 * Interior pages and leaves are published with cmpxchg, fully zeroed, and
 * never taken away before dzr_btable_destroy(); a reader that finds a pointer
 * may use it without more ado. The cmpxchg's release pairs with the address
 * dependency of the READ_ONCE() in the lookups.
 *
 * Locks: bt->lock guards the reserve, and nothing nests inside it.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "btable.h"

#define DZR_FAN			(PAGE_SIZE / sizeof(void *))
#define DZR_MID_BLOCKS		((u64)DZR_FAN * DZR_LEAF_BLOCKS)

/* Sign-extended numbers of up to this many bits are packed as they are. */
#define DZR_FILL_BITS		56
#define DZR_FILL_TWICE		BIT_ULL(DZR_FILL_BITS)

/* A page of the reserve, linked through its first word. */
struct dzr_spare {
	struct dzr_spare *next;
};

/**
 * struct dzr_btable - a sparse array of entries
 * @nr_blocks: number of entries
 * @nr_roots: pointers in @root
 * @pages: interior pages and leaves in use
 * @lock: guards @spare and changes of @nr_spare
 * @spare: the reserve
 * @nr_spare: pages in the reserve
 * @want_spare: pages of a full reserve
 * @root: interior pages, each a page of pointers to leaves
 */
struct dzr_btable {
	u64 nr_blocks;
	size_t nr_roots;
	atomic_long_t pages;
	spinlock_t lock;
	struct dzr_spare *spare;
	unsigned int nr_spare;
	unsigned int want_spare;
	void *root[];
};

bool dzr_fill_pack(u64 word, u64 *value)
{
	s64 narrow = (s64)(word << (64 - DZR_FILL_BITS)) >>
		     (64 - DZR_FILL_BITS);

	if ((u64)narrow == word) {
		*value = word & (DZR_FILL_TWICE - 1);
		return true;
	}
	if ((u32)word == (u32)(word >> 32)) {
		*value = DZR_FILL_TWICE | (u32)word;
		return true;
	}
	return false;
}

u64 dzr_fill_unpack(u64 value)
{
	if (value & DZR_FILL_TWICE)
		return (u64)(u32)value << 32 | (u32)value;
	return (s64)(value << (64 - DZR_FILL_BITS)) >> (64 - DZR_FILL_BITS);
}

struct dzr_btable *dzr_btable_create(u64 nr_blocks, unsigned int reserve)
{
	size_t nr_roots = (nr_blocks + DZR_MID_BLOCKS - 1) / DZR_MID_BLOCKS;
	struct dzr_btable *bt;

	bt = kvzalloc(sizeof(*bt) + nr_roots * sizeof(bt->root[0]),
		      GFP_KERNEL);
	if (!bt)
		return NULL;
	bt->nr_blocks = nr_blocks;
	bt->nr_roots = nr_roots;
	bt->want_spare = reserve;
	atomic_long_set(&bt->pages, 0);
	spin_lock_init(&bt->lock);
	if (!dzr_btable_refill(bt, GFP_KERNEL)) {
		dzr_btable_destroy(bt);
		return NULL;
	}
	return bt;
}

static void dzr_free_page(void *page)
{
	free_page((unsigned long)page);
}

void dzr_btable_destroy(struct dzr_btable *bt)
{
	size_t i, j;

	if (!bt)
		return;
	while (bt->spare) {
		struct dzr_spare *spare = bt->spare;

		bt->spare = spare->next;
		dzr_free_page(spare);
	}
	for (i = 0; i < bt->nr_roots; i++) {
		void **mid = bt->root[i];

		if (!mid)
			continue;
		for (j = 0; j < DZR_FAN; j++)
			if (mid[j])
				dzr_free_page(mid[j]);
		dzr_free_page(mid);
		cond_resched();
	}
	kvfree(bt);
}

/* A zeroed page from the reserve, or NULL. */
static void *dzr_btable_take(struct dzr_btable *bt)
{
	struct dzr_spare *spare;

	spin_lock(&bt->lock);
	spare = bt->spare;
	if (spare) {
		bt->spare = spare->next;
		WRITE_ONCE(bt->nr_spare, bt->nr_spare - 1);
	}
	spin_unlock(&bt->lock);
	if (spare)
		spare->next = NULL;
	return spare;
}

/* Give a zeroed page to the reserve, or back to the system. */
static void dzr_btable_give(struct dzr_btable *bt, void *page)
{
	struct dzr_spare *spare = page;

	spin_lock(&bt->lock);
	if (bt->nr_spare < bt->want_spare) {
		spare->next = bt->spare;
		bt->spare = spare;
		WRITE_ONCE(bt->nr_spare, bt->nr_spare + 1);
		spare = NULL;
	}
	spin_unlock(&bt->lock);
	if (spare)
		dzr_free_page(spare);
}

/*
 * The page behind @slot; when there is none and @gfp is not 0, a new one.
 */
static void *dzr_btable_step(struct dzr_btable *bt, void **slot, gfp_t gfp)
{
	void *page = READ_ONCE(*slot);
	void *old;

	if (page || !gfp)
		return page;
	page = (void *)__get_free_page(gfp | __GFP_ZERO | __GFP_NOWARN |
				       __GFP_NOMEMALLOC);
	if (!page)
		page = dzr_btable_take(bt);
	if (!page)
		return NULL;
	old = cmpxchg(slot, NULL, page);
	if (old) {
		dzr_btable_give(bt, page);
		return old;
	}
	atomic_long_inc(&bt->pages);
	return page;
}

static unsigned long *dzr_btable_walk(struct dzr_btable *bt, u32 block,
				      gfp_t gfp)
{
	unsigned long *leaf;
	void **mid;

	mid = dzr_btable_step(bt, &bt->root[block / DZR_MID_BLOCKS], gfp);
	if (!mid)
		return NULL;
	leaf = dzr_btable_step(bt, &mid[block / DZR_LEAF_BLOCKS % DZR_FAN],
			       gfp);
	if (!leaf)
		return NULL;
	return &leaf[block % DZR_LEAF_BLOCKS];
}

unsigned long *dzr_btable_find(struct dzr_btable *bt, u32 block)
{
	return dzr_btable_walk(bt, block, 0);
}

unsigned long *dzr_btable_get(struct dzr_btable *bt, u32 block, gfp_t gfp)
{
	return dzr_btable_walk(bt, block, gfp);
}

u64 dzr_btable_next(struct dzr_btable *bt, u64 block)
{
	while (block < bt->nr_blocks) {
		void **mid = READ_ONCE(bt->root[block / DZR_MID_BLOCKS]);

		if (!mid) {
			block = (block / DZR_MID_BLOCKS + 1) * DZR_MID_BLOCKS;
			continue;
		}
		if (READ_ONCE(mid[block / DZR_LEAF_BLOCKS % DZR_FAN]))
			return block;
		block = (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS;
	}
	return bt->nr_blocks;
}

bool dzr_btable_refill(struct dzr_btable *bt, gfp_t gfp)
{
	while (dzr_btable_needs_refill(bt)) {
		void *page = (void *)__get_free_page(gfp | __GFP_ZERO |
						     __GFP_NOWARN |
						     __GFP_NOMEMALLOC);

		if (!page)
			return false;
		dzr_btable_give(bt, page);
	}
	return true;
}

bool dzr_btable_needs_refill(struct dzr_btable *bt)
{
	return READ_ONCE(bt->nr_spare) < bt->want_spare;
}

u64 dzr_btable_blocks(const struct dzr_btable *bt)
{
	return bt->nr_blocks;
}

u64 dzr_btable_bytes(struct dzr_btable *bt)
{
	return sizeof(*bt) + bt->nr_roots * sizeof(bt->root[0]) +
	       (u64)atomic_long_read(&bt->pages) * PAGE_SIZE;
}

u64 dzr_btable_reserve_bytes(struct dzr_btable *bt)
{
	return (u64)bt->want_spare * PAGE_SIZE;
}
