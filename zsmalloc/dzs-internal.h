/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dzs: what the files of the allocator share. Nobody else includes this.
 *
 * Glossary
 *	slot	a place for one object: 5 header bytes, then the object
 *	zspage	up to 8 pages, cut into slots of one class
 *	cap	slots that lie in the pages a zspage has so far; pages are added
 *		one at a time, when every slot in the others is taken
 *	group	the list of its class that a zspage is on, by how full it is
 *	isolated a zspage on no list, being emptied by compaction
 *
 * Header of a slot: a u32, then the pad byte. In a live slot the u32 is the
 * owner word and pad is the number of unused bytes at the end of the slot. In a
 * free slot pad is DZS_PAD_FREE and the u32 is the next free slot. Slots begin
 * at multiples of 8, so that a header never straddles two pages.
 *
 * Who may touch what: everything mutable in a zspage, a class and a slot header
 * belongs to the class lock. Without it a holder of a live handle may read
 * class, size, pfn[] of the pages below its object, and pad, none of which
 * change while the object lives. The bytes of an object belong to its owner.
 */
#ifndef DZS_INTERNAL_H
#define DZS_INTERNAL_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "dzs.h"

#define DZS_MIN_SLOT	32U	/* smallest class */
#define DZS_MAX_SLOT	(DZS_MAX_SIZE + DZS_HEADER_SIZE)
#define DZS_ALIGN	8U	/* of slots */
#define DZS_MIN_CHAIN	5U	/* pages in a zspage, but for tiny slots */
#define DZS_MAX_CHAIN	8U
#define DZS_MAX_SLOTS	512U	/* in a zspage: nine bits of a handle */
#define DZS_MAX_CLASSES	200U
#define DZS_MAX_GAP	250U	/* between classes: must fit in a pad */
#define DZS_PAD_FREE	0xffU	/* pad of a free slot */
#define DZS_NO_SLOT	0xffffU	/* end of a list of free slots */

/* A class of that many zspages keeps one of them free for its next burst. */
#define DZS_BUSY_ZSPAGES	64U
/* Objects handled in one hold of a class lock by compaction. */
#define DZS_BATCH		16U
/* Slots looked at in one such hold. */
#define DZS_SCAN		64U

/* Fullness groups: eighths of cap, then two without a free slot. */
enum {
	DZS_GROUP_ROOM = 8,
	DZS_GROUP_GROW = DZS_GROUP_ROOM,	/* pages can be added */
	DZS_GROUP_FULL,
	DZS_NR_GROUPS,
};

/**
 * struct dzs_zspage - descriptor of a zspage: one cache line
 * @node: in the group's list
 * @pfn: its pages, in order; written once each
 * @inuse: live slots
 * @free: first free slot that was used before, or DZS_NO_SLOT
 * @bump: first slot never used
 * @cap: slots in the pages so far
 * @class: index of its class
 * @pages: pages so far
 * @group: list it is on; stale while isolated
 * @isolated: held by compaction, which then releases it
 */
struct dzs_zspage {
	struct list_head node;
	u32 pfn[DZS_MAX_CHAIN];
	u16 inuse;
	u16 free;
	u16 bump;
	u16 cap;
	u8 class;
	u8 pages;
	u8 group;
	u8 isolated;
} __aligned(64);

static_assert(sizeof(struct dzs_zspage) == 64);
static_assert(PAGE_SIZE == DZS_HUGE_SIZE);

/**
 * struct dzs_class - one size of slots
 * @lock: guards all that follows the layout
 * @size: bytes of a slot, a multiple of DZS_ALIGN
 * @slots: slots in a whole zspage
 * @chain: pages in a whole zspage
 * @group: zspages by fullness
 * @nr_zspages: zspages, an isolated one included
 * @nr_slots: sum of their caps
 * @nr_pages: sum of their pages
 * @nr_objects: live slots
 * @stored: sum of the exact lengths of live objects
 *
 * The sums are written under @lock and read anywhere.
 */
struct dzs_class {
	spinlock_t lock;
	u16 size;
	u16 slots;
	u8 chain;
	struct list_head group[DZS_NR_GROUPS];
	unsigned long nr_zspages;
	unsigned long nr_slots;
	unsigned long nr_pages;
	unsigned long nr_objects;
	unsigned long stored;
} ____cacheline_aligned_in_smp;

/**
 * struct dzs_reserve - pages and descriptors for the time when none are to be had
 * @lock: guards the rest
 * @pages: array of @target
 * @descs: array of @desc_target
 * @nr_pages: filled entries of @pages
 * @nr_descs: filled entries of @descs
 * @target: constant
 * @desc_target: constant
 * @low: fewest @nr_pages so far
 * @taken: pages taken so far
 */
struct dzs_reserve {
	spinlock_t lock;
	struct page **pages;
	struct dzs_zspage **descs;
	unsigned long nr_pages;
	unsigned long nr_descs;
	unsigned long target;
	unsigned long desc_target;
	unsigned long low;
	unsigned long taken;
};

/**
 * struct dzs_compact - state of compaction; belongs to the holder of bit 0 of @busy
 * @busy: bit 0 is set during a run
 * @next: class to begin the next run with
 * @runs: counters, read anywhere
 * @moved: objects
 * @missed: objects that the owner did not let go
 * @freed: pages
 * @max_hold_ns: longest hold of a class lock
 */
struct dzs_compact {
	unsigned long busy;
	unsigned int next;
	unsigned long runs;
	unsigned long moved;
	unsigned long missed;
	unsigned long freed;
	u64 max_hold_ns;
};

struct dzs_pool {
	const struct dzs_ops *ops;
	void *ctx;
	unsigned int nr_classes;
	unsigned int slack;		/* percent */
	atomic_long_t pages;
	atomic_long_t huge;
	struct dzs_reserve reserve;
	struct dzs_compact compact;
	/* Class of a slot of up to (i + 1) * DZS_ALIGN bytes. */
	u8 class_of[DZS_MAX_SLOT / DZS_ALIGN];
	struct dzs_class classes[DZS_MAX_CLASSES];
};

/* A place for an object, named by zspage and index. */
struct dzs_slot {
	struct dzs_zspage *zs;
	unsigned int idx;
};

/* What an allocation has in hand before it takes the class lock. */
struct dzs_spare {
	struct page *page;
	struct dzs_zspage *zs;
	u8 class;	/* index of the class it is for */
};

/* class.c */

/**
 * dzs_classes_init() - build the table of size classes, largest first
 * @pool: a zeroed pool
 *
 * Context: At creation, alone.
 * Return: 0, or -EINVAL when the constants do not fit together (a bug).
 */
int dzs_classes_init(struct dzs_pool *pool);

/* The class for an object of @len bytes. */
static inline struct dzs_class *dzs_class_for(struct dzs_pool *pool,
					      unsigned int len)
{
	unsigned int i = (len + DZS_HEADER_SIZE - 1) / DZS_ALIGN;

	return &pool->classes[pool->class_of[i]];
}

/* Free slots of a class: a snapshot if its lock is not held. */
static inline unsigned long dzs_class_room(const struct dzs_class *class)
{
	unsigned long slots = READ_ONCE(class->nr_slots);
	unsigned long objects = READ_ONCE(class->nr_objects);

	return slots > objects ? slots - objects : 0;
}

/* access.c */

/**
 * dzs_slot_header() - where the header of a slot is
 * @class: its class
 * @slot: a slot below the cap of its zspage
 *
 * Context: Class lock, or the object is alive.
 * Return: pointer to DZS_HEADER_SIZE bytes, 8-byte aligned.
 */
u8 *dzs_slot_header(const struct dzs_class *class, struct dzs_slot slot);

/**
 * dzs_slot_write() - write bytes of the object in a slot
 * @class: its class
 * @slot: a live slot
 * @off: offset in the object
 * @src: bytes
 * @len: how many; @off + @len is within the slot
 *
 * Context: The object is alive, and the caller's.
 */
void dzs_slot_write(const struct dzs_class *class, struct dzs_slot slot,
		    unsigned int off, const void *src, unsigned int len);

/**
 * dzs_slot_handle() - name a slot for the owner
 * @slot: a live slot
 *
 * Context: Any.
 * Return: its handle.
 */
dzs_handle_t dzs_slot_handle(struct dzs_slot slot);

/**
 * dzs_handle_slot() - inverse of dzs_slot_handle()
 * @handle: of a live object that is not huge
 *
 * Context: Any.
 * Return: the slot.
 */
struct dzs_slot dzs_handle_slot(dzs_handle_t handle);

/**
 * dzs_page_handle() - name a huge object
 * @page: the page that it is
 *
 * Context: Any.
 * Return: its handle.
 */
dzs_handle_t dzs_page_handle(struct page *page);

/**
 * dzs_handle_page() - inverse of dzs_page_handle()
 * @handle: of a huge object
 *
 * Context: Any.
 * Return: the page.
 */
struct page *dzs_handle_page(dzs_handle_t handle);

/* zspage.c */

/**
 * dzs_slot_take() - allocate a slot in the fullest zspage that has one
 * @class: the class
 * @owner: owner word for the header
 * @len: exact length for the header
 * @slot: where to
 *
 * Context: Class lock held.
 * Return: false when there is no free slot in populated pages.
 */
bool dzs_slot_take(struct dzs_class *class, u32 owner, unsigned int len,
		   struct dzs_slot *slot) __must_hold(&class->lock);

/**
 * dzs_slot_put() - free a slot
 * @class: the class
 * @slot: a live slot; one that is free already is warned about and left
 *
 * Context: Class lock held.
 * Return: true when this emptied the zspage and took it off the class: the
 * caller releases it after dropping the lock. Never for an isolated one.
 */
bool dzs_slot_put(struct dzs_class *class, struct dzs_slot slot)
	__must_hold(&class->lock);

/**
 * dzs_slot_live() - look at a slot
 * @class: the class
 * @slot: any slot below bump
 * @owner: where the owner word goes
 * @len: where the exact length goes
 *
 * Context: Class lock held.
 * Return: false, with nothing stored, when the slot is free.
 */
bool dzs_slot_live(struct dzs_class *class, struct dzs_slot slot, u32 *owner,
		   unsigned int *len) __must_hold(&class->lock);

/**
 * dzs_class_grow() - add one page
 * @class: the class; it has no free slot
 * @spare: a page, and perhaps a descriptor; what was used is cleared
 *
 * Context: Class lock held.
 * Return: false when a new zspage is due and @spare has no descriptor.
 */
bool dzs_class_grow(struct dzs_class *class, struct dzs_spare *spare)
	__must_hold(&class->lock);

/**
 * dzs_isolate() - take the emptiest zspage off its list
 * @class: the class
 * @groups: look at groups below that one
 * @max_cap: pass over zspages with more slots
 *
 * Context: Class lock held.
 * Return: the zspage, from which nothing is allocated now and which no
 * dzs_slot_put() detaches; or NULL.
 */
struct dzs_zspage *dzs_isolate(struct dzs_class *class, unsigned int groups,
			       unsigned long max_cap)
	__must_hold(&class->lock);

/**
 * dzs_unisolate() - end what dzs_isolate() began
 * @class: the class
 * @zs: the zspage
 *
 * Context: Class lock held.
 * Return: true when the zspage is empty and off the class: the caller releases
 * it after dropping the lock. Otherwise it is back on a list.
 */
bool dzs_unisolate(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock);

/* pool.c */

/**
 * dzs_release() - give back a zspage that is off its class
 * @pool: the pool
 * @zs: the descriptor, freed as well
 *
 * Context: No class lock held; never sleeps.
 */
void dzs_release(struct dzs_pool *pool, struct dzs_zspage *zs);

/* compact.c */

/**
 * dzs_compact_stats() - counters of compaction
 * @pool: the pool
 * @stats: where to
 *
 * Context: Any.
 */
void dzs_compact_stats(struct dzs_pool *pool, struct dzs_stats *stats);

/* reserve.c */

/**
 * dzs_cache_get() - create the slab cache of descriptors for the first pool
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int dzs_cache_get(void);

/**
 * dzs_cache_put() - drop what dzs_cache_get() took
 *
 * Context: May sleep.
 */
void dzs_cache_put(void);

/**
 * dzs_reserve_init() - allocate and fill a reserve
 * @pool: a zeroed pool
 * @pages: target
 *
 * Context: May sleep.
 * Return: 0, or -ENOMEM; dzs_reserve_free() is due in both cases.
 */
int dzs_reserve_init(struct dzs_pool *pool, unsigned long pages);

/**
 * dzs_reserve_free() - free a reserve with its contents
 * @pool: the pool, with no other user
 *
 * Context: May sleep.
 */
void dzs_reserve_free(struct dzs_pool *pool);

/**
 * dzs_reserve_stats() - figures of the reserve
 * @pool: the pool
 * @stats: where to
 *
 * Context: Any.
 */
void dzs_reserve_stats(struct dzs_pool *pool, struct dzs_stats *stats);

/**
 * dzs_page_get() - a page from the page allocator, else from the reserve
 * @pool: the pool
 *
 * Context: No lock of ours held; never sleeps.
 * Return: a page with a PFN of 32 bits, or NULL.
 */
struct page *dzs_page_get(struct dzs_pool *pool);

/**
 * dzs_page_put() - give a page to a reserve below target, else to the kernel
 * @pool: the pool
 * @page: the page; NULL is allowed
 *
 * Context: No lock of ours held; never sleeps.
 */
void dzs_page_put(struct dzs_pool *pool, struct page *page);

/**
 * dzs_desc_get() - an uninitialised descriptor, as dzs_page_get()
 * @pool: the pool
 *
 * Context: No lock of ours held; never sleeps.
 * Return: a descriptor or NULL.
 */
struct dzs_zspage *dzs_desc_get(struct dzs_pool *pool);

/**
 * dzs_desc_put() - give a descriptor back, as dzs_page_put()
 * @pool: the pool
 * @zs: the descriptor; NULL is allowed
 *
 * Context: No lock of ours held; never sleeps.
 */
void dzs_desc_put(struct dzs_pool *pool, struct dzs_zspage *zs);

#endif /* DZS_INTERNAL_H */
