/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dzs: the compressed-object allocator of dm-zram.
 *
 * Objects of any length up to DZS_MAX_SIZE are packed into zspages, which are
 * chains of up to 8 single pages cut into slots of one size (a size class).
 * An object of exactly DZS_HUGE_SIZE is a bare page. A caller stores anything
 * between the two as a whole page.
 *
 * Each object carries an opaque 32-bit owner word. There is no handle table:
 * a handle says where the object is, and when compaction moves an object it
 * asks the owner to store the new handle (&struct dzs_ops).
 *
 * Lock order, outermost first:
 *	owner's entry lock  ->  class lock  (one spinlock per size class)
 *	owner's entry lock  ->  reserve lock
 * Class lock and reserve lock never nest, and neither is held while the page
 * or slab allocator or the owner is called. All are plain spinlocks: process
 * context only, not from interrupts. Reading takes none of them, and freeing
 * takes one only where a zspage, which is some dozens of objects, gets empty.
 *
 * A live handle is kept stable by the owner's entry lock: whoever holds it may
 * read, write, size and free the object with no further lock, because
 * compaction changes the entry under that lock only.
 */
#ifndef DZS_H
#define DZS_H

#include <linux/types.h>
#include <linux/gfp.h>

struct dzs_pool;
struct dzs_reserve;

/**
 * typedef dzs_handle_t - where an object is; 0 is never a valid handle
 *
 * Fits in the low DZS_HANDLE_BITS bits of a u64.
 */
typedef u64 __bitwise dzs_handle_t;

#define DZS_HANDLE_BITS	56
/* Set in the handle of a huge object, and in no other. */
#define DZS_HANDLE_HUGE	(1ULL << (DZS_HANDLE_BITS - 1))
#define DZS_NO_HANDLE	((__force dzs_handle_t)0ULL)

/* Bytes in front of each stored object: the owner word and the pad. */
#define DZS_HEADER_SIZE	5U

/* Largest object of a class: nine slots in eight pages, less the header. */
#define DZS_MAX_SIZE	3635U

/* Length of a huge object, which is a page without header or descriptor. */
#define DZS_HUGE_SIZE	4096U

/* Default share of the pool, in percent, that compaction leaves free. */
#define DZS_DEFAULT_SLACK	2U

/**
 * struct dzs_ops - what the allocator asks of the owner of the objects
 */
struct dzs_ops {
	/**
	 * @relocate: store @new in place of @old in the entry of @owner.
	 *
	 * The owner takes its entry lock, checks that the entry still holds
	 * @old, calls dzs_copy(pool, old, new), stores @new, and returns true;
	 * the allocator then frees @old. When the entry holds anything else it
	 * returns false, having touched neither object, and the allocator
	 * frees @new. @owner may be stale: the handle comparison decides.
	 *
	 * Context: Called by dzs_compact() with no pool or class lock held.
	 * Must not sleep, and must not call dzs_compact().
	 */
	bool (*relocate)(void *ctx, u32 owner, dzs_handle_t old,
			 dzs_handle_t new);
};

/**
 * struct dzs_compact_ctl - how a caller bounds a run of dzs_compact()
 */
struct dzs_compact_ctl {
	/** @stop: asked before each step (8 objects at most); may be NULL. */
	bool (*stop)(void *arg);
	/** @arg: passed to @stop. */
	void *arg;
	/** @may_sleep: cond_resched() is allowed between steps. */
	bool may_sleep;
};

/**
 * struct dzs_stats - totals of a pool, and counters since its creation
 */
struct dzs_stats {
	/** @pages: pages that hold objects, huge ones included; no reserve. */
	unsigned long pages;
	/** @objects: live objects, huge ones included. */
	unsigned long objects;
	/** @huge_objects: live objects of DZS_HUGE_SIZE. */
	unsigned long huge_objects;
	/** @zspages: descriptors in use. */
	unsigned long zspages;
	/** @free_slots: free slots in populated pages. */
	unsigned long free_slots;
	/** @stored_bytes: sum of the exact lengths of live objects. */
	u64 stored_bytes;
	/** @meta_bytes: descriptors, and headers of live objects. */
	u64 meta_bytes;
	/** @fixed_bytes: the pool itself, without the pages of its reserve. */
	u64 fixed_bytes;
	/** @reserve_pages: pages in the reserve now. */
	unsigned long reserve_pages;
	/** @reserve_target: pages in a full reserve. */
	unsigned long reserve_target;
	/** @reserve_low: fewest pages ever seen in the reserve. */
	unsigned long reserve_low;
	/** @from_reserve: pages taken from the reserve. */
	unsigned long from_reserve;
	/** @compactable: what dzs_compactable() says. */
	unsigned long compactable;
	/** @compact_runs: calls of dzs_compact() that did not find it busy. */
	unsigned long compact_runs;
	/** @compact_moved: objects moved by compaction. */
	unsigned long compact_moved;
	/** @compact_missed: moves that the owner refused. */
	unsigned long compact_missed;
	/** @compact_freed: pages freed by compaction. */
	unsigned long compact_freed;
	/** @max_hold_ns: longest hold of a class lock by compaction. */
	u64 max_hold_ns;
	/** @max_wait_ns: longest wait for a class lock beside compaction. */
	u64 max_wait_ns;
};

/* Buckets of a histogram of times. */
#define DZS_HIST_BUCKETS	32U

/**
 * struct dzs_hist - a histogram of times
 */
struct dzs_hist {
	/** @count: times from 2^i up to 2^(i+1) ns; the last one and above. */
	unsigned long count[DZS_HIST_BUCKETS];
	/** @max_ns: the longest. */
	u64 max_ns;
};

/**
 * struct dzs_class_info - one size class
 */
struct dzs_class_info {
	/** @size: bytes of a slot, the header of the object included. */
	unsigned int size;
	/** @slots: slots in a zspage with all its pages. */
	unsigned int slots;
	/** @chain: pages in such a zspage. */
	unsigned int chain;
	/** @zspages: zspages. */
	unsigned long zspages;
	/** @pages: their pages. */
	unsigned long pages;
	/** @objects: live objects. */
	unsigned long objects;
	/** @free_slots: free slots in the pages. */
	unsigned long free_slots;
};

/**
 * dzs_create() - make an empty pool
 * @ops: how to reach the owner; must outlive the pool
 * @ctx: passed to each of @ops
 * @reserve_pages: pages to set aside for the time when none can be had
 *
 * Context: Process context, may sleep (GFP_KERNEL).
 * Return: the pool, or ERR_PTR(-ENOMEM).
 */
struct dzs_pool *dzs_create(const struct dzs_ops *ops, void *ctx,
			    unsigned long reserve_pages);

/**
 * dzs_destroy() - free a pool with whatever it still holds
 * @pool: the pool; NULL is allowed
 *
 * Frees all zspages, live objects in them included. Huge objects are known to
 * nobody but their owner, who must have freed them (warned about once).
 *
 * Context: Process context, may sleep. No other user of the pool is left.
 */
void dzs_destroy(struct dzs_pool *pool);

/**
 * dzs_alloc() - store an object
 * @pool: the pool
 * @owner: word handed to relocate()
 * @src: bytes to store
 * @len: 1..DZS_MAX_SIZE, or DZS_HUGE_SIZE
 * @handle: where the handle goes; untouched on failure
 *
 * Context: Any process context, never sleeps. No entry lock is needed, as the
 * object is not reachable before the caller stores the handle.
 * Return: 0; -EINVAL for another @len; -ENOMEM when neither the page allocator
 * nor the reserve had a page.
 */
int dzs_alloc(struct dzs_pool *pool, u32 owner, const void *src,
	      unsigned int len, dzs_handle_t *handle);

/**
 * dzs_alloc2() - store an object that the caller has in two pieces
 * @pool: the pool
 * @owner: word handed to relocate()
 * @head: first piece
 * @head_len: its length; 0 for a huge object
 * @src: second piece
 * @len: its length; the sum obeys the limits of dzs_alloc()
 * @handle: where the handle goes; untouched on failure
 *
 * Context: As dzs_alloc().
 * Return: As dzs_alloc().
 */
int dzs_alloc2(struct dzs_pool *pool, u32 owner, const void *head,
	       unsigned int head_len, const void *src, unsigned int len,
	       dzs_handle_t *handle);

/**
 * dzs_free() - free an object
 * @pool: the pool
 * @handle: its handle, which no entry must hold any more once the entry lock
 *	    is dropped
 *
 * A lock-free push, but for the last object of a zspage, which gives its pages
 * back at once: first to a reserve below target, then to the kernel. It does
 * the same for other zspages of the class that it finds empty, so it is better
 * called with no entry lock held.
 *
 * Context: Any process context, never sleeps. An entry lock may be held.
 */
void dzs_free(struct dzs_pool *pool, dzs_handle_t handle);

/**
 * dzs_prefetch_zspage() - begin to load what dzs_prefetch() will look at
 * @handle: a handle
 *
 * Context: Any.
 */
void dzs_prefetch_zspage(dzs_handle_t handle);

/**
 * dzs_prefetch() - begin to load what dzs_free() or dzs_size() will look at
 * @pool: the pool
 * @handle: the handle of a live object
 *
 * Context: The caller keeps the object alive.
 */
void dzs_prefetch(struct dzs_pool *pool, dzs_handle_t handle);

/**
 * dzs_size() - exact length of a live object
 * @pool: the pool
 * @handle: its handle
 *
 * Context: The caller keeps the object alive (entry lock).
 * Return: bytes.
 */
unsigned int dzs_size(struct dzs_pool *pool, dzs_handle_t handle);

/**
 * dzs_read() - copy a part of an object out
 * @pool: the pool
 * @handle: its handle
 * @dst: where to
 * @off: offset in the object, in bytes
 * @len: bytes; @off + @len within the object, else the rest reads as zeroes
 *
 * Context: The caller keeps the object alive and in place (entry lock).
 */
void dzs_read(struct dzs_pool *pool, dzs_handle_t handle, void *dst,
	      unsigned int off, unsigned int len);

/**
 * dzs_write() - overwrite a part of an object in place
 * @pool: the pool
 * @handle: its handle
 * @src: new bytes
 * @off: offset in the object, in bytes
 * @len: bytes; what lies beyond the object is dropped with a warning
 *
 * Context: The caller keeps the object alive and in place (entry lock).
 */
void dzs_write(struct dzs_pool *pool, dzs_handle_t handle, const void *src,
	       unsigned int off, unsigned int len);

/**
 * dzs_copy() - copy a whole object to another of the same length
 * @pool: the pool
 * @from: source
 * @to: the handle that relocate() was given as new
 *
 * Context: Inside relocate(), under the entry lock.
 */
void dzs_copy(struct dzs_pool *pool, dzs_handle_t from, dzs_handle_t to);

/**
 * dzs_is_huge() - is this a whole page?
 * @handle: a valid handle
 *
 * Context: Any.
 * Return: true for an object of DZS_HUGE_SIZE.
 */
bool dzs_is_huge(dzs_handle_t handle);

/**
 * dzs_map_huge() - direct access to a huge object
 * @handle: a valid handle
 *
 * Context: The caller keeps the object alive (entry lock).
 * Return: its DZS_HUGE_SIZE bytes, page aligned; NULL if not huge.
 */
const void *dzs_map_huge(dzs_handle_t handle);

/**
 * dzs_compact() - empty sparse zspages into denser ones
 * @pool: the pool
 * @nr_pages: stop after that many freed pages
 * @ctl: when to stop earlier and whether to reschedule; NULL: neither
 *
 * Allocates nothing. Leaves the slack that dzs_compactable() speaks of. One
 * run at a time: a second caller returns at once.
 *
 * Context: Process context, no entry lock held. Sleeps only if @ctl allows.
 * Return: pages freed.
 */
unsigned long dzs_compact(struct dzs_pool *pool, unsigned long nr_pages,
			  const struct dzs_compact_ctl *ctl);

/**
 * dzs_compactable() - what compaction could free
 * @pool: the pool
 *
 * Free slots in whole zspages, less the slack: the share dzs_set_slack() of
 * the pool, and one zspage for each busy class.
 *
 * Context: Any. No lock, O(classes x CPUs).
 * Return: an estimate, in pages.
 */
unsigned long dzs_compactable(struct dzs_pool *pool);

/**
 * dzs_set_slack() - how much free room compaction leaves
 * @pool: the pool
 * @percent: 0..50 percent of the pool's pages; more is taken as 50
 *
 * Context: Any.
 */
void dzs_set_slack(struct dzs_pool *pool, unsigned int percent);

/**
 * dzs_times() - how long class locks were held and waited for
 * @pool: the pool
 * @hold: holds by compaction
 * @wait: waits of others, whatever for, during a run of compaction
 *
 * Context: Any.
 */
void dzs_times(struct dzs_pool *pool, struct dzs_hist *hold,
	       struct dzs_hist *wait);

/**
 * dzs_reset_times() - forget the longest ones, and the histograms
 * @pool: the pool
 *
 * Context: Any. What is being noted at that moment may survive or get lost.
 */
void dzs_reset_times(struct dzs_pool *pool);

/**
 * dzs_class_info() - look at a size class
 * @pool: the pool
 * @i: which one, from 0, largest slots first
 * @info: where to
 *
 * Context: Any. No lock.
 * Return: false when there is no such class.
 */
bool dzs_class_info(struct dzs_pool *pool, unsigned int i,
		    struct dzs_class_info *info);

/**
 * dzs_reserve_target() - pages of a full reserve
 * @pool: the pool
 *
 * Context: Any.
 */
unsigned long dzs_reserve_target(struct dzs_pool *pool);

/**
 * dzs_reserve_create() - make a reserve of another size
 * @pool: the pool, which is not touched
 * @pages: its size
 *
 * It has the pages and descriptors by which it is larger than the pool's.
 *
 * Context: Process context, may sleep (GFP_KERNEL).
 * Return: the reserve, or NULL without memory.
 */
struct dzs_reserve *dzs_reserve_create(struct dzs_pool *pool,
				       unsigned long pages);

/**
 * dzs_reserve_pages() - pages of a reserve that was made, when it is full
 * @res: from dzs_reserve_create()
 */
unsigned long dzs_reserve_pages(const struct dzs_reserve *res);

/**
 * dzs_reserve_exchange() - give a pool a reserve of another size
 * @pool: the pool, in use or not
 * @res: the reserve; what there is no room for in the new one is in it then
 *
 * What was in the old one is moved to the new one. The fewest pages ever seen
 * are counted anew. dzs_refill() may be due.
 *
 * Context: Process context; takes the reserve lock for as long as moving a
 * pointer for each page takes; allocates nothing.
 */
void dzs_reserve_exchange(struct dzs_pool *pool, struct dzs_reserve *res);

/**
 * dzs_reserve_destroy() - free a reserve with what is in it
 * @res: from dzs_reserve_create(), exchanged or not; NULL is allowed
 *
 * Context: Process context.
 */
void dzs_reserve_destroy(struct dzs_reserve *res);

/**
 * dzs_refill() - top up the reserve of pages and descriptors
 * @pool: the pool
 * @gfp: how to allocate; the caller chooses whether that may sleep
 *
 * Context: As @gfp says; no spinlock held if that may sleep.
 * Return: pages still missing.
 */
unsigned long dzs_refill(struct dzs_pool *pool, gfp_t gfp);

/**
 * dzs_needs_refill() - is it time to run dzs_refill()?
 * @pool: the pool
 *
 * Context: Any, cheap.
 * Return: true when more than an eighth of the reserve is missing.
 */
bool dzs_needs_refill(struct dzs_pool *pool);

/**
 * dzs_pages() - pages that hold objects
 * @pool: the pool
 *
 * Context: Any, one atomic read.
 * Return: pages, huge objects included, reserve not included.
 */
unsigned long dzs_pages(struct dzs_pool *pool);

/**
 * dzs_stats() - fill in the totals
 * @pool: the pool
 * @stats: where to
 *
 * Context: Any. No lock: sums over classes are not one snapshot. O(classes x
 * CPUs).
 */
void dzs_stats(struct dzs_pool *pool, struct dzs_stats *stats);

#endif /* DZS_H */
