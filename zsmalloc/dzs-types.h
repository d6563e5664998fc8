/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dzs: the data of the allocator, and who may touch what. Only its own files
 * include this, through dzs-internal.h.
 *
 * Glossary
 *	slot	a place for one object: 5 header bytes, then the object
 *	zspage	up to 8 pages, cut into slots of one class
 *	cap	slots that lie in the pages a zspage has so far; pages are added
 *		one at a time, when every slot in the others is taken
 *	group	the list of its class that a zspage is on, by how full it is
 *	isolated a zspage on no list, being emptied by compaction
 *
 *	queued	a zspage on the queue of its class: frees have made it belong to
 *		another group than the one it is on, or emptied it, and the next
 *		holder of the class lock is to settle that
 *
 * Header of a slot: a u32, then the pad byte. In a live slot the u32 is the
 * owner word and pad is the number of unused bytes at the end of the slot. In a
 * free slot pad is DZS_PAD_FREE and the u32 is the next free slot. Slots begin
 * at multiples of 8, so that a header never straddles two pages.
 *
 * Who may touch what
 *
 * Everything mutable of a zspage but its list node and its frame numbers is in
 * one word, its state, which changes by compare and exchange only. A free needs
 * nothing else: it pushes the slot on the zspage's list of free slots, without
 * a lock (free.c). Whatever else happens to the state happens under the class
 * lock: slots are taken, pages added, groups changed, zspages isolated. So only
 * pushes can come between a lock holder's look at the list of free slots and
 * its change, and these it notices: the list's head is another one then.
 *
 * A zspage is released by the lock holder who takes it off the queue, or who
 * ends its isolation, with no slot in use. Nothing isolated is queued. A free
 * lets go of the zspage with its exchange, or, if it is the one that set the
 * queued bit, once it has put the zspage on the queue.
 *
 * The lists, and the sums of a class, belong to its lock. A holder of a live
 * handle may read, without it, class, size, pfn[] of the pages below its
 * object, and its header, none of which change while the object lives. The
 * bytes of an object belong to its owner.
 */
#ifndef DZS_TYPES_H
#define DZS_TYPES_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/percpu.h>
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
#define DZS_HEADER_PAD	4U	/* offset of the pad in a header */
#define DZS_PAD_FREE	0xffU	/* pad of a free slot */
#define DZS_NO_SLOT	0x3ffU	/* end of a list of free slots */

/* A class of that many zspages keeps one of them free for its next burst. */
#define DZS_BUSY_ZSPAGES	256U
/* Objects handled in one hold of a class lock by compaction. */
#define DZS_BATCH		8U
/* Slots looked at in one such hold. */
#define DZS_SCAN		32U
/* Queued zspages settled in one hold by a free, and by anyone on their way. */
#define DZS_SETTLE		8U
#define DZS_SETTLE_SOME		4U

/* Fullness groups: eighths of cap, then two without a free slot. */
enum {
	DZS_GROUP_ROOM = 8,
	DZS_GROUP_GROW = DZS_GROUP_ROOM,	/* pages can be added */
	DZS_GROUP_FULL,
	DZS_NR_GROUPS,
};

/**
 * union dzs_state - the state of a zspage
 * @word: all of it
 * @free: first free slot that was used before, or DZS_NO_SLOT
 * @inuse: live slots
 * @bump: first slot never used
 * @queued: on the queue of its class, or about to be put there
 * @isolated: held by compaction, which then lists or releases it
 * @group: list it is on; stale while isolated
 * @pages: pages so far
 * @class: index of its class; constant
 */
union dzs_state {
	s64 word;
	struct {
		u64 free:10;
		u64 inuse:10;
		u64 bump:10;
		u64 queued:1;
		u64 isolated:1;
		u64 group:4;
		u64 pages:4;
		u64 class:8;
	};
};

static_assert(sizeof(union dzs_state) == sizeof(s64));
static_assert(DZS_NO_SLOT > DZS_MAX_SLOTS);
static_assert(DZS_NR_GROUPS <= 1U << 4 && DZS_MAX_CHAIN < 1U << 4);

/**
 * struct dzs_zspage - descriptor of a zspage: one cache line
 * @node: in the group's list; belongs to the class lock
 * @queue: in the class's queue
 * @state: a union dzs_state
 * @pfn: its pages, in order; written once each
 */
struct dzs_zspage {
	struct list_head node;
	struct llist_node queue;
	atomic64_t state;
	u32 pfn[DZS_MAX_CHAIN];
} __aligned(64);

static_assert(sizeof(struct dzs_zspage) == 64);
static_assert(PAGE_SIZE == DZS_HUGE_SIZE);

/**
 * struct dzs_class - one size of slots
 * @size: bytes of a slot, a multiple of DZS_ALIGN
 * @slots: slots in a whole zspage
 * @chain: pages in a whole zspage
 * @index: which class this is
 * @cap: slots in so many pages
 * @lock: guards all that follows
 * @nr_zspages: zspages, an isolated one included
 * @nr_slots: sum of their caps
 * @nr_pages: sum of their pages
 * @taken: slots ever taken; those put back are counted elsewhere, see
 *	struct dzs_freed
 * @stored: sum of the exact lengths of the objects in these
 * @group: zspages by fullness
 * @queue: zspages that frees have changed; anybody adds, the lock holder takes
 * @drains: how often dzs_drain() has begun to empty @queue
 *
 * The sums are written under @lock and read anywhere.
 */
struct dzs_class {
	u16 size;
	u16 slots;
	u8 chain;
	u8 index;
	u16 cap[DZS_MAX_CHAIN + 1];
	spinlock_t lock ____cacheline_aligned_in_smp;
	u32 taken;
	unsigned long nr_zspages;
	unsigned long nr_slots;
	unsigned long nr_pages;
	unsigned long stored;
	struct list_head group[DZS_NR_GROUPS];
	struct llist_head queue ____cacheline_aligned_in_smp;
	u32 drains;
};

/**
 * struct dzs_freed - what one CPU has freed
 * @objects: slots of each class; wraps
 * @stored: sum of the exact lengths of all of them; wraps
 */
struct dzs_freed {
	u32 objects[DZS_MAX_CLASSES];
	unsigned long stored;
};

/**
 * struct dzs_reserve - pages and descriptors for the time when none are to be had
 * @lock: guards the rest
 * @pages: array of @target
 * @descs: array of @desc_target
 * @nr_pages: filled entries of @pages
 * @nr_descs: filled entries of @descs
 * @target: pages of a full reserve; read anywhere
 * @desc_target: the same of descriptors
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
 * struct dzs_clock - a histogram of times that is being written
 * @count: as in struct dzs_hist
 * @max_ns: the longest
 */
struct dzs_clock {
	atomic_long_t count[DZS_HIST_BUCKETS];
	atomic64_t max_ns;
};

/**
 * struct dzs_compact - state of compaction; belongs to the holder of bit 0 of @busy
 * @busy: bit 0 is set during a run
 * @next: class to begin the next run with
 * @runs: counters, read anywhere
 * @moved: objects
 * @missed: objects that the owner did not let go
 * @freed: pages
 * @hold: how long class locks were held
 */
struct dzs_compact {
	unsigned long busy;
	unsigned int next;
	unsigned long runs;
	unsigned long moved;
	unsigned long missed;
	unsigned long freed;
	struct dzs_clock hold;
};

struct dzs_pool {
	const struct dzs_ops *ops;
	void *ctx;
	unsigned int nr_classes;
	unsigned int slack;		/* percent */
	struct dzs_freed __percpu *freed;
	/* Waits for a class lock while compaction runs. */
	struct dzs_clock wait;
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
};

/* The state of a zspage, as it is now. */
static inline union dzs_state dzs_state(const struct dzs_zspage *zs)
{
	return (union dzs_state) {
		/* Pairs with the full barrier of dzs_state_change(). */
		.word = atomic64_read_acquire(&zs->state),
	};
}

/* Change it if it still is @old, else update @old. */
static inline bool dzs_state_change(struct dzs_zspage *zs,
				    union dzs_state *old, union dzs_state new)
{
	return atomic64_try_cmpxchg(&zs->state, &old->word, new.word);
}

/* The list that a zspage in that state belongs on. */
static inline unsigned int dzs_state_group(const struct dzs_class *class,
					   union dzs_state state)
{
	unsigned int cap = class->cap[state.pages];

	if (state.inuse < cap)
		return state.inuse * DZS_GROUP_ROOM / cap;
	return state.pages < class->chain ? DZS_GROUP_GROW : DZS_GROUP_FULL;
}

#endif /* DZS_TYPES_H */
