// SPDX-License-Identifier: GPL-2.0
/*
 * Demotion. See demote.h.
 *
 * Work goes in bounded steps, one leaf of the block table at a time; a step
 * that finds no segment buffer leaves, and the end of a segment write kicks
 * the worker on.
 *
 * Locks: d->hand_lock around each step; entry locks inside.
 */
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "budget.h"
#include "compact.h"
#include "demote.h"
#include "gather.h"
#include "tier.h"
#include "trace.h"

/* Demotion is counted in pages: compact each time this many are due. */
#define DZR_STEP_PAGES		64UL

/* Leaves visited by one run of the worker before others get a turn. */
#define DZR_STEP_LEAVES		64

/* The sweep moves on, and looks whether the device is idle, once a second. */
#define DZR_TICK_MS		1000U

/* A tick that is not done goes on after this: about a segment's write. */
#define DZR_STEP_MS		10U

/* A device with fewer blocks read and written a second than this is idle. */
#define DZR_IDLE_IOS		2048

/* Cold reads above this share of what left RAM, 1/16, are too many. */
#define DZR_REFAULT_SHARE	16

/* Freed segments that are discarded in one idle second. */
#define DZR_IDLE_DISCARDS	16

/* Rotations that found nothing to demote before the worker gives up. */
#define DZR_BARREN_TURNS	(DZR_AGE_ROTATIONS + 2)

/* Above all ages: visit to age, take nothing. */
#define DZR_THRESHOLD_NONE	(DZR_AGE_MAX + 1)

/* Reclaim's wishes do not pile up beyond this share of the pool. */
#define DZR_PRESSURE_DIV	4

/**
 * struct dzr_step - what a pass over some leaves did
 * @cause: what for
 * @blocks: blocks demoted
 * @visited: blocks of the pool that the hand passed, the demoted ones included
 * @gather: blocks that will be demoted when the hand has passed their neighbours
 */
struct dzr_step {
	enum dzr_cause cause;
	u64 blocks;
	u64 visited;
	struct dzr_gather gather;
};

/* Give an entry the age that the visit found, if it is still what it was. */
static void dzr_visit_age(unsigned long *slot, struct dzr_entry was, u8 age)
{
	struct dzr_entry e = dzr_entry_lock(slot);

	if (e.state == was.state && e.value == was.value && e.age == was.age) {
		e.age = age;
		dzr_entry_set(slot, e);
	}
	dzr_entry_unlock(slot);
}

/*
 * The block has to go, unless that would cost what the budget does not have.
 * Returns as dzr_demote().
 */
static int dzr_take(struct dzr_dev *d, u32 block, unsigned long *slot,
		    struct dzr_entry e, struct dzr_step *step)
{
	if (!dzr_entry_is_clean(e) && !dzr_budget_allows(d, step->cause))
		return 0;
	if (!dzr_gathers(d, e))
		return dzr_demote(d, block, slot, step->cause);
	dzr_gather(&step->gather, block, slot, e.age);
	return 0;
}

/*
 * The hand passes over one block. Returns as dzr_demote(). What a message has
 * demoted is a user's wish, and no time that has passed: what stays in the pool
 * gets no older. Cold blocks do by one, when all of the pool goes.
 */
static int dzr_visit(struct dzr_dev *d, u32 block, unsigned long *slot,
		     const struct dzr_hand *hand, struct dzr_step *step)
{
	const struct dzr_policy *policy = READ_ONCE(d->policy);
	struct dzr_entry e = dzr_entry_peek(slot);
	bool ages = step->cause != DZR_CAUSE_MESSAGE;
	u8 age = e.age;

	if (e.state == DZR_COLD) {
		ages |= !hand->threshold;
		age = policy->cold_visit(age);
	} else if (dzr_entry_in_pool(e)) {
		step->visited++;
		if (ages)
			dzr_reuse_seen(&d->reuse, block, age);
		if (policy->visit(&age, hand->threshold,
				  dzr_reuse_sample(block) ? 0 : hand->early) &&
		    hand->threshold != DZR_THRESHOLD_NONE)
			return dzr_take(d, block, slot, e, step);
	}
	if (ages && age != e.age)
		dzr_visit_age(slot, e, age);
	return 0;
}

/* Demote what was gathered. Returns 0 or why that was not possible. */
static int dzr_step_gathered(struct dzr_dev *d, struct dzr_step *step)
{
	struct dzr_gather *g = &step->gather;
	int err = dzr_gather_demote(d, g, step->cause);

	step->blocks += g->done;
	g->done = 0;
	return err;
}

/* The hand passes over one block, and over a group if this is its end. */
static int dzr_pass(struct dzr_dev *d, u32 block, const struct dzr_hand *hand,
		    struct dzr_step *step)
{
	int ret = dzr_visit(d, block, dzr_btable_find(d->bt, block), hand,
			    step);

	if (ret > 0)
		step->blocks += ret;
	if (ret >= 0 && step->gather.members && dzr_group_member(block + 1) == 0)
		ret = dzr_step_gathered(d, step);
	return min(ret, 0);
}

/*
 * Move the hand on to the next leaf there is, but not beyond @end, and visit
 * that. Returns 0, or the error that stopped it; what was gathered by then is
 * visited again.
 */
static int dzr_hand_leaf(struct dzr_dev *d, struct dzr_hand *hand, u64 end,
			 u64 max, struct dzr_step *step)
{
	u64 last = min(end, dzr_btable_blocks(d->bt));
	u64 block = min(last, dzr_btable_next(d->bt, hand->block));
	u64 stop = min(last, (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS);
	u64 group = block;
	int ret = 0;

	lockdep_assert_held(&d->hand_lock);

	while (block < stop && !ret &&
	       step->blocks + dzr_gathered(&step->gather) < max) {
		ret = dzr_pass(d, block, hand, step);
		block++;
		if (!step->gather.members && !ret)
			group = block;
	}
	if (!ret && step->gather.members)
		ret = dzr_step_gathered(d, step);
	step->gather.members = 0;
	hand->block = ret ? group : block;
	return ret;
}

/* Back to the start if the hand is at the end: a rotation is complete. */
static bool dzr_hand_wrap(struct dzr_dev *d, struct dzr_hand *hand)
{
	if (hand->block < dzr_btable_blocks(d->bt))
		return false;
	hand->block = 0;
	return true;
}

/* Would demotion help, and is it allowed? */
static bool dzr_demote_allowed(struct dzr_dev *d)
{
	return d->log && !READ_ONCE(d->suspended) && !dzr_log_failed(d->log);
}

/* The mark of dzr_demote_rescue() is reached, or cannot be. */
static void dzr_demote_rescued(struct dzr_dev *d, u64 bytes)
{
	WRITE_ONCE(d->oom_mark, 0);
	if (bytes <= READ_ONCE(d->marks.start))
		WRITE_ONCE(d->demoting, false);
}

static bool dzr_demote_wanted(struct dzr_dev *d)
{
	u64 bytes = dzr_dev_pool_bytes(d);
	u64 oom_mark = READ_ONCE(d->oom_mark);

	if (oom_mark && bytes <= oom_mark)
		dzr_demote_rescued(d, bytes);
	if (bytes > READ_ONCE(d->marks.start) || READ_ONCE(d->oom_mark))
		WRITE_ONCE(d->demoting, true);
	else if (bytes <= READ_ONCE(d->marks.stop))
		WRITE_ONCE(d->demoting, false);
	return READ_ONCE(d->demoting) || atomic_long_read(&d->pressure) > 0;
}

/*
 * Demoted objects leave holes; turn them into whole free pages. The pool had
 * @before pages before the demotion.
 */
static void dzr_demote_compact(struct dzr_dev *d, unsigned long pages,
			       unsigned long before)
{
	struct dzs_compact_ctl ctl = { .may_sleep = true };
	unsigned long want = dzs_compactable(d->pool);
	unsigned long after;

	if (want)
		dzr_compact(d, min(want, pages), &ctl);
	after = dzs_pages(d->pool);
	if (after < before)
		dzr_stat_add(d->stats, DZR_STAT_DEMOTE_FREED, before - after);
}

/* Do reads say that blocks are read again? The fast hand goes by that. */
static void dzr_hand_learn(struct dzr_dev *d)
{
	u64 reads[DZR_AGE_MAX + 1];

	dzr_stat_pool_reads(d->stats, reads);
	dzr_reuse_learn(&d->reuse, reads);
	d->hand.early = d->reuse.early;
}

/*
 * A rotation is complete. For the limit's sake, be less choosy in the next;
 * reclaim takes only what is old.
 */
static void dzr_hand_turned(struct dzr_dev *d)
{
	struct dzr_hand *hand = &d->hand;

	if (READ_ONCE(d->demoting))
		hand->threshold = dzr_threshold_next(hand->threshold, false);
	hand->barren++;
	dzr_drop_again(d);
	dzr_hand_learn(d);
}

/* A step for space that writes nothing: see preclean.h. */
static u64 dzr_demote_drop(struct dzr_dev *d, enum dzr_cause cause)
{
	if (!dzr_drop_wanted(d))
		return 0;
	return dzr_drop_step(d, d->hand.threshold, DZR_STEP_PAGES, cause);
}

/*
 * One step for space: a batch of blocks worth DZR_STEP_PAGES, then compaction.
 * Returns 0, or the error that stopped it.
 */
static int dzr_demote_step(struct dzr_dev *d)
{
	struct dzr_hand *hand = &d->hand;
	unsigned long before = dzs_pages(d->pool);
	struct dzr_step step = {
		.cause = READ_ONCE(d->demoting) ? DZR_CAUSE_LIMIT :
						  DZR_CAUSE_PRESSURE,
	};
	int leaves, err = 0;

	lockdep_assert_held(&d->hand_lock);

	step.blocks = dzr_demote_drop(d, step.cause);
	step.visited = step.blocks;
	for (leaves = 0; leaves < DZR_STEP_LEAVES && !err; leaves++) {
		if (d->drop.left || step.blocks >= DZR_STEP_PAGES ||
		    dzs_pages(d->pool) + DZR_STEP_PAGES <= before)
			break;
		err = dzr_hand_leaf(d, hand, U64_MAX, DZR_STEP_PAGES, &step);
		if (dzr_hand_wrap(d, hand)) {
			dzr_hand_turned(d);
			break;
		}
	}
	dzr_demote_compact(d, DZR_STEP_PAGES, before);
	if (!READ_ONCE(d->demoting))
		atomic_long_sub(step.visited, &d->pressure);
	if (step.blocks || dzs_pages(d->pool) < before ||
	    (step.visited && !READ_ONCE(d->demoting)))
		hand->barren = 0;
	return err;
}

/* Nothing more to do for now: be choosy again. */
static void dzr_demote_done(struct dzr_dev *d)
{
	d->hand.threshold = dzr_threshold_next(d->hand.threshold, true);
	d->hand.barren = 0;
	dzr_drop_again(d);
	dzr_hand_learn(d);
}

static void dzr_demote_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(work, struct dzr_dev, demote_work);
	int err = 0;

	mutex_lock(&d->hand_lock);
	if (!dzr_demote_allowed(d)) {
		WRITE_ONCE(d->oom_mark, 0);
		goto out;
	}
	if (!dzr_demote_wanted(d)) {
		dzr_demote_done(d);
		goto out;
	}
	err = dzr_demote_step(d);
	/* Nothing to be had: what is left is slack, or the log is full. */
	if (d->hand.barren > DZR_BARREN_TURNS || err == -ENOSPC ||
	    err == -EIO) {
		WRITE_ONCE(d->demoting, false);
		WRITE_ONCE(d->oom_mark, 0);
		atomic_long_set(&d->pressure, 0);
		dzr_demote_done(d);
		goto out;
	}
	/* After -EAGAIN, the end of a segment write kicks us. */
	if (!err)
		queue_work(d->wq, &d->demote_work);
out:
	mutex_unlock(&d->hand_lock);
}

void dzr_demote_kick(struct dzr_dev *d)
{
	if (dzr_demote_allowed(d) &&
	    (READ_ONCE(d->demoting) || atomic_long_read(&d->pressure) > 0 ||
	     dzr_dev_pool_bytes(d) > READ_ONCE(d->marks.start)))
		queue_work(d->wq, &d->demote_work);
}

void dzr_demote_check(struct dzr_dev *d)
{
	if (dzr_dev_pool_bytes(d) > READ_ONCE(d->marks.start) &&
	    !READ_ONCE(d->demoting) && dzr_demote_allowed(d))
		queue_work(d->wq, &d->demote_work);
}

bool dzr_demote_ready(struct dzr_dev *d)
{
	return dzr_demote_allowed(d) && !READ_ONCE(d->thrifty);
}

void dzr_demote_scan(struct dzr_dev *d, unsigned long pages)
{
	u64 blocks = dzr_stat_sum(d->stats, DZR_POP_HOT) +
		     dzr_stat_sum(d->stats, DZR_POP_CLEAN);
	unsigned long all = dzs_pages(d->pool);
	long pressure;

	if (!dzr_demote_allowed(d) || !all)
		return;
	pressure = atomic_long_add_return(div64_u64(blocks * pages, all) + 1,
					  &d->pressure);
	if (pressure > (long)(blocks / DZR_PRESSURE_DIV))
		atomic_long_set(&d->pressure, blocks / DZR_PRESSURE_DIV);
	queue_work(d->wq, &d->demote_work);
}

unsigned long dzr_demote_rescue(struct dzr_dev *d, unsigned long pages,
				unsigned long ticks)
{
	unsigned long before = dzs_pages(d->pool), now;
	u64 bytes = dzr_dev_pool_bytes(d);

	if (!dzr_demote_ready(d) || bytes <= (u64)pages << PAGE_SHIFT)
		return 0;
	WRITE_ONCE(d->oom_mark, bytes - ((u64)pages << PAGE_SHIFT));
	do {
		queue_work(d->wq, &d->demote_work);
		schedule_timeout_uninterruptible(1);
		now = dzs_pages(d->pool);
	} while (READ_ONCE(d->oom_mark) && !READ_ONCE(d->suspended) &&
		 now + min(pages, DZR_STEP_PAGES) > before && --ticks);
	return now < before ? before - now : 0;
}

/* Is the device idle since the last tick? */
static bool dzr_sweep_idle(struct dzr_dev *d)
{
	u64 ios = dzr_stat_sum(d->stats, DZR_STAT_READS) +
		  dzr_stat_sum(d->stats, DZR_STAT_WRITES);
	bool idle = ios - d->last_ios < DZR_IDLE_IOS;

	d->last_ios = ios;
	return idle;
}

/*
 * Are blocks wanted back about as fast as they leave RAM? Then the pool is not
 * where reclaim should look for memory: see dzr_shrink_count().
 */
static void dzr_sweep_refaults(struct dzr_dev *d)
{
	u64 in = dzr_stat_sum(d->stats, DZR_STAT_COLD_READS) +
		 dzr_stat_sum(d->stats, DZR_STAT_BUFFER_READS);
	u64 out = dzr_stat_sum(d->stats, DZR_STAT_DEMOTIONS) +
		  dzr_stat_sum(d->stats, DZR_STAT_SPILLS) +
		  dzr_stat_sum(d->stats, DZR_STAT_DROPS);

	WRITE_ONCE(d->refaulting, (in - d->last_in) * DZR_REFAULT_SHARE >
				  out - d->last_out);
	d->last_in = in;
	d->last_out = out;
}

/*
 * A new tick: the slow hand has to move on by one tick's share of the table,
 * in block numbers, so that a rotation takes as long however little of the
 * device is in use.
 */
static void dzr_sweep_tick(struct dzr_dev *d)
{
	struct dzr_hand *hand = &d->sweep_hand;
	u64 nr = dzr_btable_blocks(d->bt);
	u32 interval = dzr_sweep_interval(d->cfg.demote_age);
	u64 share = interval ? div64_u64(nr, interval) + 1 : 0;

	d->sweep_due = jiffies + msecs_to_jiffies(DZR_TICK_MS);
	d->sweep_idle = dzr_sweep_idle(d);
	dzr_sweep_refaults(d);
	hand->threshold = d->sweep_idle ? DZR_THRESHOLD_IDLE :
					  DZR_THRESHOLD_NONE;
	dzr_preclean_tick(d, dzr_hand_wrap(d, hand));
	d->sweep_end = min(nr, hand->block + share);
}

/*
 * Move the slow hand towards the tick's end, as far as a bounded step and the
 * segment buffers allow. Returns true when it is there. Where the log has no
 * room, blocks get older all the same.
 */
static bool dzr_sweep_step(struct dzr_dev *d)
{
	struct dzr_hand *hand = &d->sweep_hand;
	struct dzr_step step = { .cause = DZR_CAUSE_AGE };
	unsigned long before = dzs_pages(d->pool);
	int leaves, err = 0;

	for (leaves = 0; leaves < DZR_STEP_LEAVES && err != -EAGAIN &&
	     hand->block < d->sweep_end; leaves++) {
		err = dzr_hand_leaf(d, hand, d->sweep_end, U64_MAX, &step);
		if (err && err != -EAGAIN)
			hand->threshold = DZR_THRESHOLD_NONE;
		cond_resched();
	}
	if (step.blocks)
		dzr_demote_compact(d, step.blocks, before);
	return hand->block >= d->sweep_end;
}

/*
 * When to go on: a tick is a second from its begin, however long it worked, or
 * a rotation would take longer than it is to.
 */
static unsigned long dzr_sweep_delay(struct dzr_dev *d, bool done)
{
	unsigned long step = msecs_to_jiffies(DZR_STEP_MS);
	unsigned long now = jiffies;

	if (!done || time_after_eq(now + step, d->sweep_due))
		return step;
	return d->sweep_due - now;
}

static void dzr_sweep_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(to_delayed_work(work),
					 struct dzr_dev, sweep_work);
	bool done = true;

	mutex_lock(&d->hand_lock);
	if (d->sweep_hand.block >= d->sweep_end)
		dzr_sweep_tick(d);
	dzr_budget_tick(d);
	if (d->cfg.demote_age && dzr_demote_allowed(d))
		done = dzr_sweep_step(d);
	else
		d->sweep_due = jiffies + msecs_to_jiffies(DZR_TICK_MS);
	mutex_unlock(&d->hand_lock);
	if (done && d->sweep_idle && dzr_demote_allowed(d))
		dzr_log_idle_work(d->log, DZR_IDLE_DISCARDS);
	if (!READ_ONCE(d->suspended))
		queue_delayed_work(d->wq, &d->sweep_work,
				   dzr_sweep_delay(d, done));
}

/* Leaf by leaf for a message; waits where the worker would leave. */
static int dzr_demote_wait_leaf(struct dzr_dev *d, struct dzr_hand *hand,
				u64 max, struct dzr_step *step)
{
	int err;

	do {
		mutex_lock(&d->hand_lock);
		err = READ_ONCE(d->suspended) ? -EBUSY :
		      dzr_hand_leaf(d, hand, U64_MAX, max, step);
		mutex_unlock(&d->hand_lock);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (err == -EAGAIN)
			err = dzr_log_wait_room(d->log) ?: -EAGAIN;
		cond_resched();
	} while (err == -EAGAIN);
	return err;
}

int dzr_demote_blocks(struct dzr_dev *d, u64 nr)
{
	/* All: one rotation that takes everything; else, oldest first. */
	struct dzr_hand hand = {
		.threshold = nr == U64_MAX ? 0 : DZR_AGE_MAX,
	};
	struct dzr_step step = { .cause = DZR_CAUSE_MESSAGE };
	unsigned long before = dzs_pages(d->pool);

	if (!d->log)
		return -EINVAL;
	while (step.blocks < nr) {
		int err = dzr_demote_wait_leaf(d, &hand, nr, &step);

		if (err)
			return err;
		if (!dzr_hand_wrap(d, &hand))
			continue;
		if (!hand.threshold)
			break;
		hand.threshold--;
	}
	dzr_demote_compact(d, ULONG_MAX, before);
	return 0;
}

void dzr_demote_init(struct dzr_dev *d)
{
	mutex_init(&d->hand_lock);
	d->hand.threshold = DZR_THRESHOLD_START;
	atomic_long_set(&d->pressure, 0);
	INIT_WORK(&d->demote_work, dzr_demote_work);
	INIT_DELAYED_WORK(&d->sweep_work, dzr_sweep_work);
	dzr_preclean_init(d);
}

void dzr_demote_start(struct dzr_dev *d)
{
	if (!d->log)
		return;
	queue_delayed_work(d->wq, &d->sweep_work,
			   msecs_to_jiffies(DZR_TICK_MS));
	queue_work(d->wq, &d->demote_work);
}

void dzr_demote_stop(struct dzr_dev *d)
{
	cancel_delayed_work_sync(&d->sweep_work);
	dzr_preclean_stop(d);
	cancel_work_sync(&d->demote_work);
}
