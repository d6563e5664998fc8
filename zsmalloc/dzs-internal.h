/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dzs: what the files of the allocator share. Nobody else includes this. What
 * the words mean, and who may touch what, is in dzs-types.h.
 */
#ifndef DZS_INTERNAL_H
#define DZS_INTERNAL_H

#include "dzs-types.h"

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

/**
 * dzs_class_objects() - live objects of a class
 * @pool: the pool
 * @class: the class
 *
 * Context: Any. O(CPUs). A snapshot, which a free on its way is not in yet.
 * Return: their number.
 */
unsigned long dzs_class_objects(struct dzs_pool *pool,
				const struct dzs_class *class);

/**
 * dzs_class_room() - free slots of a class
 * @pool: the pool
 * @class: the class
 *
 * Context: As dzs_class_objects().
 * Return: their number.
 */
unsigned long dzs_class_room(struct dzs_pool *pool,
			     const struct dzs_class *class);

/**
 * dzs_class_lock() - take a class lock, and note how long that took
 * @pool: the pool
 * @class: the class
 *
 * Context: No class lock held.
 */
void dzs_class_lock(struct dzs_pool *pool, struct dzs_class *class)
	__acquires(&class->lock);

/**
 * dzs_clock_add() - note a time
 * @clock: where
 * @ns: nanoseconds
 *
 * Context: Any.
 */
void dzs_clock_add(struct dzs_clock *clock, u64 ns);

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
 * dzs_slot_live() - look at a slot
 * @class: the class
 * @slot: any slot below bump
 * @owner: where the owner word goes
 * @len: where the exact length goes
 *
 * A free may come at any time: the slot may not be live any more on return.
 *
 * Context: The zspage is isolated by the caller.
 * Return: false, with nothing of use stored, when the slot is free.
 */
bool dzs_slot_live(const struct dzs_class *class, struct dzs_slot slot,
		   u32 *owner, unsigned int *len);

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
 * dzs_settle() - put a zspage that was queued on the list it belongs on
 * @class: the class
 * @zs: the zspage, just taken off the queue
 *
 * Context: Class lock held.
 * Return: true when the zspage is empty and off the class: the caller releases
 * it after dropping the lock.
 */
bool dzs_settle(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock);

/**
 * dzs_isolate() - take the emptiest zspage off its list
 * @class: the class
 * @groups: look at groups below that one
 * @max_cap: pass over zspages with more slots
 *
 * Passes over queued ones, too.
 *
 * Context: Class lock held.
 * Return: the zspage, from which nothing is allocated now and which no free
 * queues; or NULL.
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

/* free.c */

/**
 * dzs_slot_free() - free a slot
 * @pool: the pool
 * @slot: a live slot; one that is free already is warned about and left
 *
 * Context: No class lock held; takes one if this empties the zspage.
 */
void dzs_slot_free(struct dzs_pool *pool, struct dzs_slot slot);

/**
 * dzs_settle_some() - settle some of the queued zspages of a class
 * @class: the class
 * @max: how many, at most
 * @empty: where those without a live slot go, through their @node
 *
 * Context: Class lock held. dzs_release_list() is due when it has been dropped.
 * Return: true when there may be more.
 */
bool dzs_settle_some(struct dzs_class *class, unsigned int max,
		     struct list_head *empty) __must_hold(&class->lock);

/**
 * dzs_release_list() - release what dzs_settle_some() has found
 * @pool: the pool
 * @empty: its list
 *
 * Context: As dzs_release().
 */
void dzs_release_list(struct dzs_pool *pool, struct list_head *empty);

/**
 * dzs_drain() - settle all queued zspages of a class
 * @pool: the pool
 * @class: the class
 *
 * Context: No class lock held. At most DZS_SETTLE zspages to a hold.
 */
void dzs_drain(struct dzs_pool *pool, struct dzs_class *class);

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
 * dzs_pages_put() - as dzs_page_put(), for many
 * @pool: the pool
 * @pages: the pages
 * @n: their number
 *
 * Context: No lock of ours held; never sleeps.
 */
void dzs_pages_put(struct dzs_pool *pool, struct page **pages, unsigned int n);

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
