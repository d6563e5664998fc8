// SPDX-License-Identifier: GPL-2.0
/*
 * Block table: a sparse array of one-word entries. See btable.h.
 *
 * Interior pages and leaves are published with cmpxchg, fully zeroed, and
 * never taken away before dzr_btable_destroy(); a reader that finds a pointer
 * may use it without more ado. The cmpxchg's release pairs with the address
 * dependency of the READ_ONCE() in the lookups.
 *
 * The root array is replaced by a larger one when the table grows, and kept,
 * since a lookup may be in it: each is at least twice as large as the one
 * before, so all the old ones take no more than the last.
 *
 * Locks: bt->lock guards the reserve, and nothing nests inside it.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

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
 * struct dzr_broot - a root array
 * @older: the one before, which is a part of this one
 * @nr: number of pointers
 * @mid: interior pages, each a page of pointers to leaves
 */
struct dzr_broot {
	struct dzr_broot *older;
	size_t nr;
	void *mid[];
};

/**
 * struct dzr_btable - a sparse array of entries
 * @nr_blocks: number of entries; only grows
 * @root: the root array; large enough for any @nr_blocks seen before
 * @pages: interior pages and leaves in use
 * @lock: guards @spare and changes of @nr_spare
 * @spare: the reserve
 * @nr_spare: pages in the reserve
 * @want_spare: pages of a full reserve
 */
struct dzr_btable {
	u64 nr_blocks;
	struct dzr_broot *root;
	atomic_long_t pages;
	spinlock_t lock;
	struct dzr_spare *spare;
	unsigned int nr_spare;
	unsigned int want_spare;
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

static struct dzr_broot *dzr_broot_alloc(u64 nr_blocks, size_t least)
{
	size_t nr = (nr_blocks + DZR_MID_BLOCKS - 1) / DZR_MID_BLOCKS;
	struct dzr_broot *root;

	if (nr < least)
		nr = least;
	root = kvzalloc(struct_size(root, mid, nr), GFP_KERNEL);
	if (root)
		root->nr = nr;
	return root;
}

struct dzr_btable *dzr_btable_create(u64 nr_blocks, unsigned int reserve)
{
	struct dzr_btable *bt = kzalloc(sizeof(*bt), GFP_KERNEL);

	if (!bt)
		return NULL;
	bt->nr_blocks = nr_blocks;
	bt->want_spare = reserve;
	atomic_long_set(&bt->pages, 0);
	spin_lock_init(&bt->lock);
	bt->root = dzr_broot_alloc(nr_blocks, 0);
	if (!bt->root || !dzr_btable_refill(bt, GFP_KERNEL)) {
		dzr_btable_destroy(bt);
		return NULL;
	}
	return bt;
}

bool dzr_btable_holds(const struct dzr_btable *bt, u64 nr_blocks)
{
	return nr_blocks <= bt->root->nr * DZR_MID_BLOCKS;
}

struct dzr_broot *dzr_broot_create(const struct dzr_btable *bt, u64 nr_blocks)
{
	return dzr_broot_alloc(nr_blocks, 2 * bt->root->nr);
}

void dzr_broot_destroy(struct dzr_broot *root)
{
	kvfree(root);
}

void dzr_btable_grow(struct dzr_btable *bt, u64 nr_blocks,
		     unsigned int reserve, struct dzr_broot **root)
{
	struct dzr_broot *old = bt->root;

	if (!dzr_btable_holds(bt, nr_blocks)) {
		memcpy((*root)->mid, old->mid, old->nr * sizeof(old->mid[0]));
		(*root)->older = old;
		/* Pairs with the address dependency of dzr_btable_mid(). */
		smp_store_release(&bt->root, *root);
		*root = NULL;
	}
	spin_lock(&bt->lock);
	WRITE_ONCE(bt->want_spare, reserve);
	spin_unlock(&bt->lock);
	/* Pairs with dzr_btable_blocks(): the root array before the number. */
	smp_store_release(&bt->nr_blocks, nr_blocks);
}

static void dzr_free_page(void *page)
{
	free_page((unsigned long)page);
}

static void dzr_broot_free_pages(struct dzr_broot *root)
{
	size_t i, j;

	for (i = 0; i < root->nr; i++) {
		void **mid = root->mid[i];

		if (!mid)
			continue;
		for (j = 0; j < DZR_FAN; j++)
			if (mid[j])
				dzr_free_page(mid[j]);
		dzr_free_page(mid);
		cond_resched();
	}
}

void dzr_btable_destroy(struct dzr_btable *bt)
{
	if (!bt)
		return;
	while (bt->spare) {
		struct dzr_spare *spare = bt->spare;

		bt->spare = spare->next;
		dzr_free_page(spare);
	}
	if (bt->root)
		dzr_broot_free_pages(bt->root);
	while (bt->root) {
		struct dzr_broot *root = bt->root;

		bt->root = root->older;
		kvfree(root);
	}
	kfree(bt);
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

/* The pointer to the interior page of a block. */
static void **dzr_btable_mid(struct dzr_btable *bt, u64 block)
{
	return &READ_ONCE(bt->root)->mid[block / DZR_MID_BLOCKS];
}

static unsigned long *dzr_btable_walk(struct dzr_btable *bt, u32 block,
				      gfp_t gfp)
{
	unsigned long *leaf;
	void **mid;

	mid = dzr_btable_step(bt, dzr_btable_mid(bt, block), gfp);
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
	u64 nr_blocks = dzr_btable_blocks(bt);

	while (block < nr_blocks) {
		void **mid = READ_ONCE(*dzr_btable_mid(bt, block));

		if (!mid) {
			block = (block / DZR_MID_BLOCKS + 1) * DZR_MID_BLOCKS;
			continue;
		}
		if (READ_ONCE(mid[block / DZR_LEAF_BLOCKS % DZR_FAN]))
			return block;
		block = (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS;
	}
	return nr_blocks;
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
	return READ_ONCE(bt->nr_spare) < READ_ONCE(bt->want_spare);
}

u64 dzr_btable_blocks(const struct dzr_btable *bt)
{
	/* Pairs with dzr_btable_grow(). */
	return smp_load_acquire(&bt->nr_blocks);
}

u64 dzr_btable_bytes(struct dzr_btable *bt)
{
	u64 bytes = sizeof(*bt) +
		    (u64)atomic_long_read(&bt->pages) * PAGE_SIZE;
	const struct dzr_broot *root;

	for (root = READ_ONCE(bt->root); root; root = root->older)
		bytes += struct_size(root, mid, root->nr);
	return bytes;
}

u64 dzr_btable_reserve_bytes(struct dzr_btable *bt)
{
	return (u64)READ_ONCE(bt->want_spare) * PAGE_SIZE;
}
