// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: compaction. Objects of the emptiest zspage of a class move to the
 * fullest, until the former is empty and its pages are freed.
 *
 * A step holds the class lock for at most DZS_BATCH objects, less when someone
 * waits for it: it reads the owners of some live slots of the isolated victim,
 * and takes a free slot elsewhere for each. Then, with no lock held, the owner
 * is asked to re-point each, and the slot that lost is freed.
 *
 * What may happen to a slot of the victim meanwhile is only that it is freed,
 * since nothing is allocated from an isolated zspage. Then its owner's entry
 * does not hold the handle any more, and relocate() says no. The victim itself
 * stays: no free queues it, and only dzs_unisolate() takes it off its class.
 *
 * No page and no descriptor is ever allocated here.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/prefetch.h>
#include <linux/sched.h>

#include "dzs-internal.h"

#define MAX_SLACK	50U

/* Objects on their way from one zspage to others. */
struct batch {
	struct dzs_slot from[DZS_BATCH];
	struct dzs_slot to[DZS_BATCH];
	u32 owner[DZS_BATCH];
	unsigned int n;
};

/* One run of dzs_compact(). */
struct run {
	struct dzs_pool *pool;
	const struct dzs_compact_ctl *ctl;
	unsigned long surplus;	/* pages of room above the slack, left to take */
	unsigned long goal;	/* pages to free, at most */
	unsigned long freed;
	bool stopped;
};

static u64 hold(struct dzs_class *class) __acquires(&class->lock)
{
	spin_lock(&class->lock);
	return ktime_get_ns();
}

static void unhold(struct run *run, struct dzs_class *class, u64 since)
	__releases(&class->lock)
{
	u64 held = ktime_get_ns() - since;

	spin_unlock(&class->lock);
	dzs_clock_add(&run->pool->compact.hold, held);
}

void dzs_clock_add(struct dzs_clock *clock, u64 ns)
{
	unsigned int i = min_t(unsigned int, fls64(ns | 1) - 1,
			       DZS_HIST_BUCKETS - 1);
	s64 max = atomic64_read(&clock->max_ns);

	atomic_long_inc(&clock->count[i]);
	while ((s64)ns > max &&
	       !atomic64_try_cmpxchg(&clock->max_ns, &max, ns))
		;
}

/* Free slots of @class that compaction may use up. */
static unsigned long class_surplus(struct dzs_pool *pool,
				   const struct dzs_class *class)
{
	unsigned long room = dzs_class_room(pool, class);
	unsigned long keep = 0;

	if (READ_ONCE(class->nr_zspages) >= DZS_BUSY_ZSPAGES)
		keep = class->slots;
	return room > keep ? room - keep : 0;
}

/*
 * Pages to free until what is left of the free slots is the slack. The slack is
 * a share of the pool as it will be then, which is smaller.
 */
static unsigned long pool_surplus(struct dzs_pool *pool)
{
	unsigned int percent = READ_ONCE(pool->slack);
	unsigned long pages = 0, free = 0, slack;
	unsigned int i;

	for (i = 0; i < pool->nr_classes; i++) {
		struct dzs_class *class = &pool->classes[i];

		pages += READ_ONCE(class->nr_pages);
		free += class_surplus(pool, class) * class->chain / class->slots;
	}
	slack = pages * percent / 100;
	return free > slack ? (free - slack) * 100 / (100 - percent) : 0;
}

unsigned long dzs_compactable(struct dzs_pool *pool)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < pool->nr_classes; i++) {
		struct dzs_class *class = &pool->classes[i];

		pages += class_surplus(pool, class) / class->slots * class->chain;
	}
	return pages ? min(pages, pool_surplus(pool)) : 0;
}

void dzs_set_slack(struct dzs_pool *pool, unsigned int percent)
{
	WRITE_ONCE(pool->slack, min(percent, MAX_SLACK));
}

/* Headers that a hold of the class lock should not have to wait for. */
static void prefetch_headers(const struct dzs_class *class,
			     struct dzs_zspage *zs, unsigned int from,
			     unsigned int end)
{
	struct dzs_slot slot = { .zs = zs };

	for (slot.idx = from; slot.idx < end; slot.idx++)
		prefetch(dzs_slot_header(class, slot));
}

/*
 * Collect the next live slots of @zs, from *@cursor on, each with a slot to
 * move to. Return: false when there are no more, or no room.
 */
static bool batch_fill(struct run *run, struct dzs_class *class,
		       struct dzs_zspage *zs, unsigned int *cursor,
		       struct batch *b)
{
	unsigned int bump = dzs_state(zs).bump;
	unsigned int end = min(bump, *cursor + DZS_SCAN);
	unsigned int len;
	bool more = true;
	u64 since;

	b->n = 0;
	prefetch_headers(class, zs, *cursor, end);
	since = hold(class);
	while (*cursor < end && b->n < DZS_BATCH) {
		struct dzs_slot slot = { .zs = zs, .idx = (*cursor)++ };

		if (!dzs_slot_live(class, slot, &b->owner[b->n], &len))
			continue;
		more = dzs_slot_take(class, b->owner[b->n], len, &b->to[b->n]);
		if (!more)
			break;
		b->from[b->n++] = slot;
		if (spin_is_contended(&class->lock))
			break;
	}
	more = more && *cursor < bump;
	unhold(run, class, since);
	return more;
}

/* Re-point the objects of a batch, and free the slots that lost. */
static void batch_move(struct run *run, const struct batch *b)
{
	struct dzs_pool *pool = run->pool;
	struct dzs_compact *c = &pool->compact;
	unsigned int i, moved = 0;

	for (i = 0; i < b->n; i++) {
		dzs_handle_t old = dzs_slot_handle(b->from[i]);
		dzs_handle_t new = dzs_slot_handle(b->to[i]);

		if (pool->ops->relocate(pool->ctx, b->owner[i], old, new)) {
			dzs_free(pool, old);
			moved++;
		} else {
			dzs_free(pool, new);
		}
	}
	WRITE_ONCE(c->moved, c->moved + moved);
	WRITE_ONCE(c->missed, c->missed + b->n - moved);
}

/* Between two steps. Return: false when the run is to end. */
static bool may_go_on(struct run *run)
{
	const struct dzs_compact_ctl *ctl = run->ctl;

	if (!ctl)
		return true;
	if (ctl->may_sleep)
		cond_resched();
	if (ctl->stop && ctl->stop(ctl->arg))
		run->stopped = true;
	return !run->stopped;
}

/* The next victim of a class: one that the rest of the class can take in. */
static struct dzs_zspage *pick(struct run *run, struct dzs_class *class,
			       unsigned int groups)
{
	unsigned long left = run->surplus - min(run->freed, run->surplus);
	unsigned long cap = min(class_surplus(run->pool, class),
				left * class->slots / class->chain);
	struct dzs_zspage *zs;
	u64 since;

	since = hold(class);
	zs = dzs_isolate(class, groups, cap);
	unhold(run, class, since);
	return zs;
}

/* Make the lists of a class true, which frees have made not to be. */
static void settle(struct run *run, struct dzs_class *class)
{
	bool more = !llist_empty(&class->queue);
	u64 since;

	while (more && may_go_on(run)) {
		LIST_HEAD(empty);

		since = hold(class);
		more = dzs_settle_some(class, DZS_SETTLE_SOME, &empty);
		unhold(run, class, since);
		dzs_release_list(run->pool, &empty);
	}
}

/* Empty one zspage. Return: false when that did not succeed. */
static bool compact_one(struct run *run, struct dzs_class *class,
			struct dzs_zspage *zs)
{
	unsigned int cursor = 0, pages = dzs_state(zs).pages;
	struct batch b;
	bool more, empty;
	u64 since;

	do {
		more = batch_fill(run, class, zs, &cursor, &b);
		batch_move(run, &b);
	} while (more && may_go_on(run));
	since = hold(class);
	empty = dzs_unisolate(class, zs);
	unhold(run, class, since);
	if (!empty)
		return false;
	dzs_release(run->pool, zs);
	run->freed += pages;
	return true;
}

static void compact_class(struct run *run, struct dzs_class *class,
			  unsigned int groups)
{
	struct dzs_zspage *zs;

	while (run->freed < run->goal && class_surplus(run->pool, class) &&
	       may_go_on(run)) {
		settle(run, class);
		zs = pick(run, class, groups);
		if (!zs || !compact_one(run, class, zs))
			return;
	}
}

/* All classes once, from where the last run ended. */
static void compact_pool(struct run *run, unsigned int groups)
{
	struct dzs_pool *pool = run->pool;
	unsigned int i, first = pool->compact.next;

	for (i = 0; i < pool->nr_classes; i++) {
		pool->compact.next = (first + i) % pool->nr_classes;
		compact_class(run, &pool->classes[pool->compact.next], groups);
		if (run->freed >= run->goal || run->stopped)
			return;
	}
	pool->compact.next = first;
}

unsigned long dzs_compact(struct dzs_pool *pool, unsigned long nr_pages,
			  const struct dzs_compact_ctl *ctl)
{
	struct dzs_compact *c = &pool->compact;
	struct run run = { .pool = pool, .ctl = ctl };

	if (test_and_set_bit_lock(0, &c->busy))
		return 0;
	WRITE_ONCE(c->runs, c->runs + 1);
	run.surplus = pool_surplus(pool);
	run.goal = min(nr_pages, run.surplus);
	/* Cheap victims first: less than half full, then any. */
	compact_pool(&run, DZS_GROUP_ROOM / 2);
	if (!run.stopped)
		compact_pool(&run, DZS_GROUP_FULL);
	WRITE_ONCE(c->freed, c->freed + run.freed);
	clear_bit_unlock(0, &c->busy);
	return run.freed;
}

void dzs_compact_stats(struct dzs_pool *pool, struct dzs_stats *stats)
{
	struct dzs_compact *c = &pool->compact;

	stats->compactable = dzs_compactable(pool);
	stats->compact_runs = READ_ONCE(c->runs);
	stats->compact_moved = READ_ONCE(c->moved);
	stats->compact_missed = READ_ONCE(c->missed);
	stats->compact_freed = READ_ONCE(c->freed);
	stats->max_hold_ns = atomic64_read(&c->hold.max_ns);
	stats->max_wait_ns = atomic64_read(&pool->wait.max_ns);
}

static void clock_read(const struct dzs_clock *clock, struct dzs_hist *hist)
{
	unsigned int i;

	for (i = 0; i < DZS_HIST_BUCKETS; i++)
		hist->count[i] = atomic_long_read(&clock->count[i]);
	hist->max_ns = atomic64_read(&clock->max_ns);
}

static void clock_clear(struct dzs_clock *clock)
{
	unsigned int i;

	for (i = 0; i < DZS_HIST_BUCKETS; i++)
		atomic_long_set(&clock->count[i], 0);
	atomic64_set(&clock->max_ns, 0);
}

void dzs_times(struct dzs_pool *pool, struct dzs_hist *hold,
	       struct dzs_hist *wait)
{
	clock_read(&pool->compact.hold, hold);
	clock_read(&pool->wait, wait);
}

void dzs_reset_times(struct dzs_pool *pool)
{
	clock_clear(&pool->compact.hold);
	clock_clear(&pool->wait);
}
