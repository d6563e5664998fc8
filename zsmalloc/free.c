// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: freeing, without a lock.
 *
 * A free marks the slot's header and pushes the slot on its zspage's list of
 * free slots, with one compare and exchange of the zspage's state, which also
 * counts it. What the class knows of the zspage, the list that it is on, is
 * wrong from time to time then: as the zspage gets emptier it belongs to another
 * group. The free that makes it so puts the zspage on the class's queue, and
 * the next one who holds the class lock settles that. A zspage is queued once
 * however many frees follow, so most frees do nothing but the push.
 *
 * A free that takes the last object settles the queue itself, because pages
 * should go back at once. The lock is taken once for a zspage then, and dropped
 * after each DZS_SETTLE of them. (The remote frees of mimalloc, Leijen et al.,
 * "Mimalloc: Free List Sharding in Action", 2019, work alike: a list for each
 * page, a flag that says whether its owner has been told.)
 *
 * The sums of a class cannot be written without its lock, so each CPU counts
 * what it frees.
 */
#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>

#include "dzs-internal.h"

/* Is somebody to look at a zspage that a free leaves in that state? */
static bool state_due(const struct dzs_class *class, union dzs_state state)
{
	if (state.isolated)
		return false;
	return !state.inuse || dzs_state_group(class, state) != state.group;
}

/**
 * struct push - what a push has done
 * @state: the zspage's state after it
 * @queue: it has set the queued bit, and so has to queue the zspage
 * @drains: how often the queue had been drained before
 */
struct push {
	union dzs_state state;
	bool queue;
	u32 drains;
};

static void slot_push(struct dzs_class *class, struct dzs_slot slot, u32 *next,
		      struct push *push)
{
	union dzs_state new, old = dzs_state(slot.zs);

	do {
		/* Pairs with smp_rmb() in dzs_slot_live(). */
		smp_store_release(next, (u32)old.free);
		new = old;
		new.free = slot.idx;
		new.inuse--;
		push->queue = !old.queued && state_due(class, new);
		if (push->queue) {
			new.queued = 1;
			push->drains = READ_ONCE(class->drains);
		}
	} while (!dzs_state_change(slot.zs, &old, new));
	push->state = new;
}

/* Not this_cpu_add(), which may disable interrupts: none of them frees. */
static void count_freed(struct dzs_pool *pool, const struct dzs_class *class,
			unsigned int len)
{
	preempt_disable();
	__this_cpu_inc(pool->freed->objects[class->index]);
	__this_cpu_add(pool->freed->stored, len);
	preempt_enable();
}

void dzs_slot_free(struct dzs_pool *pool, struct dzs_slot slot)
{
	struct dzs_class *class = &pool->classes[dzs_state(slot.zs).class];
	u8 *header = dzs_slot_header(class, slot);
	u8 pad = READ_ONCE(header[DZS_HEADER_PAD]);
	bool drain;
	struct push push;

	if (WARN_ON_ONCE(pad == DZS_PAD_FREE))
		return;
	count_freed(pool, class, class->size - DZS_HEADER_SIZE - pad);
	WRITE_ONCE(header[DZS_HEADER_PAD], DZS_PAD_FREE);
	slot_push(class, slot, (u32 *)header, &push);
	/* From here on the zspage may be gone, unless it is ours to queue. */
	drain = !push.state.inuse && !push.state.isolated;
	if (push.queue) {
		llist_add(&slot.zs->queue, &class->queue);
		/*
		 * Somebody may have taken the last object after our exchange,
		 * and not have found the zspage on the queue: then it is on us.
		 * llist_add() is a full barrier, which pairs with the one in
		 * dzs_drain().
		 */
		drain |= READ_ONCE(class->drains) != push.drains;
	}
	if (drain)
		dzs_drain(pool, class);
}

bool dzs_settle_some(struct dzs_class *class, unsigned int max,
		     struct list_head *empty) __must_hold(&class->lock)
{
	lockdep_assert_held(&class->lock);
	while (max--) {
		/* One consumer at a time, as llist_del_first() wants it. */
		struct llist_node *node = llist_del_first(&class->queue);
		struct dzs_zspage *zs;

		if (!node)
			return false;
		zs = llist_entry(node, struct dzs_zspage, queue);
		if (dzs_settle(class, zs))
			list_add(&zs->node, empty);
	}
	return !llist_empty(&class->queue);
}

void dzs_release_list(struct dzs_pool *pool, struct list_head *empty)
{
	struct dzs_zspage *zs, *next;

	list_for_each_entry_safe(zs, next, empty, node)
		dzs_release(pool, zs);
}

void dzs_drain(struct dzs_pool *pool, struct dzs_class *class)
{
	bool more;

	do {
		LIST_HEAD(empty);

		dzs_class_lock(pool, class);
		WRITE_ONCE(class->drains, class->drains + 1);
		/* The count before the look at the queue: see dzs_slot_free(). */
		smp_mb();
		more = dzs_settle_some(class, DZS_SETTLE, &empty);
		spin_unlock(&class->lock);
		dzs_release_list(pool, &empty);
	} while (more);
}
