// SPDX-License-Identifier: GPL-2.0
/*
 * Pre-cleaning, and dropping clean blocks. See preclean.h.
 *
 * A clean object is eight bytes longer than a hot one, so it is a new object.
 * Half of all objects or more have eight bytes to spare in their slot, and could
 * be changed in place; but the others cannot, and a new object in the slot's own
 * class costs the pool nothing either, since the old one's slot is free then.
 *
 * Locks: d->hand_lock around each step; entry locks inside.
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/mm.h>

#include "compact.h"
#include "preclean.h"
#include "tier.h"
#include "trace.h"

/* At most so many blocks are written ahead in a second: 16 MiB of the device. */
#define DZR_PRECLEAN_QUOTA	4096U

/* Leaves looked at for that in a second, and in one step. */
#define DZR_PRECLEAN_LEAVES	1024U
#define DZR_LOOK_LEAVES		64

/* Blocks of a step: less than the smallest segment has, at 3:1. */
#define DZR_PRECLEAN_BATCH	48U

/* From one step to the next. */
#define DZR_PRECLEAN_MS		10U

/* The oldest first: those that would be demoted one rotation later. */
#define DZR_PRECLEAN_OLDEST	(DZR_THRESHOLD_IDLE - DZR_AGE_STEP)

/* And none that no rotation has seen untouched. */
#define DZR_PRECLEAN_YOUNGEST	DZR_AGE_STEP

/*
 * To look for clean blocks is to look at all that are stored. It is worth it for
 * this part of them, 1/512, which are dropped in the time that it takes.
 */
#define DZR_DROP_WORTH_DIV	512U

static void dzr_preclean_sums(struct dzr_dev *d, struct dzr_ahead_sums *sums)
{
	sums->cleaned = dzr_stat_sum(d->stats, DZR_STAT_PRECLEANS);
	sums->dropped = dzr_stat_sum(d->stats, DZR_STAT_PRECLEAN_DROPS);
	sums->died = dzr_stat_sum(d->stats, DZR_STAT_PRECLEAN_WASTED);
}

u64 dzr_preclean_alive(struct dzr_dev *d)
{
	struct dzr_ahead_sums sums;

	dzr_preclean_sums(d, &sums);
	return dzr_ahead_alive(&sums);
}

/* How many blocks are worth writing now? */
static u64 dzr_preclean_want(struct dzr_dev *d)
{
	u64 clean = dzr_stat_sum(d->stats, DZR_POP_CLEAN);
	u64 blocks = dzr_stat_sum(d->stats, DZR_POP_HOT) + clean;

	return dzr_ahead_want(&d->preclean.ahead, blocks, clean);
}

/* Does the pool take more than half of what it can have? */
static bool dzr_preclean_due(struct dzr_dev *d)
{
	u64 free = (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;
	u64 bytes = dzr_dev_pool_bytes(d);

	return bytes <= READ_ONCE(d->marks.start) &&
	       dzr_ahead_due(bytes, READ_ONCE(d->limit), free);
}

/*
 * Is there nothing better to do, and neither memory nor the log's room nor the
 * wear budget at stake? Where the hands are at work, they decide what goes.
 */
static bool dzr_preclean_allowed(struct dzr_dev *d)
{
	return d->log && d->cfg.demote_age && d->sweep_idle &&
	       !READ_ONCE(d->suspended) && !READ_ONCE(d->thrifty) &&
	       !READ_ONCE(d->demoting) &&
	       atomic_long_read(&d->pressure) <= 0 &&
	       !dzs_needs_refill(d->pool) && dzr_log_plenty(d->log) &&
	       !dzr_load_busy(d) && dzr_preclean_due(d);
}

/*
 * Put what the entry had when it was @was into the claimed room and into the
 * object @new, if it still has that. It is CLEAN from then on.
 */
static bool dzr_preclean_into(struct dzr_dev *d, unsigned long *slot,
			      struct dzr_entry was, dzs_handle_t new,
			      struct dzr_append *a)
{
	dzs_handle_t handle = dzr_entry_handle(was);
	struct dzr_entry e = dzr_entry_lock(slot);
	bool same;

	same = e.state == DZR_HOT && e.value == was.value &&
	       dzs_size(d->pool, handle) == a->len;
	if (same) {
		dzs_read(d->pool, handle, a->data, 0, a->len);
		dzs_write(d->pool, new, a->data, DZR_CLEAN_PREFIX, a->len);
		dzr_log_publish(a);
		e.state = DZR_CLEAN;
		e.value = dzr_pool_value(new, dzr_entry_codec(e));
		dzr_entry_set(slot, e);
	}
	dzr_entry_unlock(slot);
	return same;
}

/*
 * Append a block to the log that stays in the pool. Returns 1; 0 if it cannot
 * be clean or has changed; -ENOMEM, or as dzr_log_reserve().
 */
static int dzr_preclean_block(struct dzr_dev *d, u32 block, unsigned long *slot)
{
	struct dzr_append a;
	dzs_handle_t new;
	struct dzr_entry e;
	u32 len = 0;
	u64 word;
	int err;

	e = dzr_entry_lock(slot);
	if (e.state == DZR_HOT)
		len = dzs_size(d->pool, dzr_entry_handle(e));
	dzr_entry_unlock(slot);
	if (!len || len + DZR_CLEAN_PREFIX > DZS_MAX_SIZE)
		return 0;

	err = dzr_log_reserve(d->log, DZR_STREAM_USER, block,
			      dzr_entry_codec(e), len, &a);
	if (err)
		return err;
	/* What is in the claimed room yet does not matter: it is a place. */
	word = (__force u64)a.loc | DZR_CLEAN_AHEAD;
	err = dzs_alloc2(d->pool, block, &word, sizeof(word), a.data, len,
			 &new);
	if (err) {
		dzr_log_commit(&a, false);
		return err;
	}
	if (!dzr_preclean_into(d, slot, e, new, &a)) {
		dzr_log_commit(&a, false);
		dzs_free(d->pool, new);
		return 0;
	}
	dzr_log_commit(&a, true);
	dzs_free(d->pool, dzr_entry_handle(e));
	dzr_count_move(d, DZR_HOT, DZR_CLEAN);
	dzr_stat_add(d->stats, DZR_STAT_PRECLEANS, 1);
	trace_dzr_preclean(d->dev, block, len, dzr_loc_seg(a.loc), e.age);
	return 1;
}

/*
 * Take what is old enough of the next leaf, at most @max blocks. Returns their
 * number, or the error that stopped it.
 */
static int dzr_preclean_leaf(struct dzr_dev *d, u32 max)
{
	struct dzr_preclean *p = &d->preclean;
	u64 nr = dzr_btable_blocks(d->bt);
	u64 block = min(nr, dzr_btable_next(d->bt, p->block));
	u64 stop = min(nr, (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS);
	int ret = 0, n = 0;

	for (; block < stop && n < max; block++) {
		unsigned long *slot = dzr_btable_find(d->bt, block);
		struct dzr_entry e = dzr_entry_peek(slot);

		if (e.state != DZR_HOT || e.age < p->threshold)
			continue;
		ret = dzr_preclean_block(d, block, slot);
		if (ret < 0)
			break;
		n += ret;
	}
	p->block = block;
	return ret < 0 ? ret : n;
}

/* At the end of the table: less choosy in the next rotation, or enough. */
static void dzr_preclean_wrap(struct dzr_dev *d)
{
	struct dzr_preclean *p = &d->preclean;

	if (p->block < dzr_btable_blocks(d->bt))
		return;
	p->block = 0;
	if (p->threshold > DZR_PRECLEAN_YOUNGEST) {
		p->threshold -= DZR_AGE_STEP;
		return;
	}
	p->threshold = DZR_PRECLEAN_OLDEST;
	p->rest = true;
}

/* A step. Returns true if another one is due before the next tick. */
static bool dzr_preclean_step(struct dzr_dev *d)
{
	struct dzs_compact_ctl ctl = { .may_sleep = true };
	struct dzr_preclean *p = &d->preclean;
	u64 want = dzr_preclean_want(d);
	u32 left = min_t(u64, want, min(p->quota, DZR_PRECLEAN_BATCH));
	u32 n = 0;
	int i, ret = 0;

	lockdep_assert_held(&d->hand_lock);

	for (i = 0; i < DZR_LOOK_LEAVES && p->leaves && n < left; i++) {
		ret = dzr_preclean_leaf(d, left - n);
		if (ret < 0)
			break;
		n += ret;
		p->leaves--;
		dzr_preclean_wrap(d);
		if (p->rest)
			break;
	}
	p->quota -= n;
	/* New objects are in other slots than those that became free. */
	if (n && dzs_compactable(d->pool))
		dzr_compact(d, n, &ctl);
	return want > n && p->quota && p->leaves && !p->rest &&
	       (ret >= 0 || ret == -EAGAIN);
}

static void dzr_preclean_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(to_delayed_work(work),
					 struct dzr_dev, preclean.work);
	bool more;

	mutex_lock(&d->hand_lock);
	more = dzr_preclean_allowed(d) && dzr_preclean_step(d);
	mutex_unlock(&d->hand_lock);
	if (more && !READ_ONCE(d->suspended))
		queue_delayed_work(d->wq, &d->preclean.work,
				   msecs_to_jiffies(DZR_PRECLEAN_MS));
}

void dzr_preclean_tick(struct dzr_dev *d, bool turned)
{
	struct dzr_preclean *p = &d->preclean;
	struct dzr_ahead_sums sums;

	lockdep_assert_held(&d->hand_lock);

	dzr_preclean_sums(d, &sums);
	dzr_ahead_judge(&p->ahead, &sums);
	if (turned) {
		p->rest = false;
		dzr_drop_again(d);
	}
	p->quota = DZR_PRECLEAN_QUOTA;
	p->leaves = DZR_PRECLEAN_LEAVES;
	if (!p->rest && dzr_preclean_allowed(d) && dzr_preclean_want(d))
		queue_delayed_work(d->wq, &p->work, 0);
}

void dzr_preclean_init(struct dzr_dev *d)
{
	INIT_DELAYED_WORK(&d->preclean.work, dzr_preclean_work);
	d->preclean.threshold = DZR_PRECLEAN_OLDEST;
}

void dzr_preclean_stop(struct dzr_dev *d)
{
	cancel_delayed_work_sync(&d->preclean.work);
}

bool dzr_drop(struct dzr_dev *d, u32 block, unsigned long *slot,
	      enum dzr_cause cause)
{
	struct dzr_entry e = dzr_entry_peek(slot);
	u64 word;

	if (!dzr_entry_is_clean(e))
		return false;
	e = dzr_entry_lock(slot);
	if (!dzr_entry_is_clean(e)) {
		dzr_entry_unlock(slot);
		return false;
	}
	word = dzr_clean_word(d, e);
	dzr_entry_set(slot, (struct dzr_entry){
		.state = DZR_COLD,
		.value = word & ~DZR_CLEAN_AHEAD,
		.age = READ_ONCE(d->policy)->chilled(),
	});
	dzr_entry_unlock(slot);
	dzs_free(d->pool, dzr_entry_handle(e));
	dzr_count_move(d, DZR_CLEAN, DZR_COLD);
	dzr_stat_add(d->stats, DZR_STAT_DROPS, 1);
	if (word & DZR_CLEAN_AHEAD)
		dzr_stat_add(d->stats, DZR_STAT_PRECLEAN_DROPS, 1);
	trace_dzr_drop(d->dev, block, e.age, cause);
	return true;
}

/* Are so many clean blocks worth a look at all that are stored? */
static bool dzr_drop_pays(struct dzr_dev *d, u64 clean)
{
	u64 stored = dzr_stat_sum(d->stats, DZR_POP_HOT) +
		     dzr_stat_sum(d->stats, DZR_POP_CLEAN) +
		     dzr_stat_sum(d->stats, DZR_POP_COLD);

	return clean > stored / DZR_DROP_WORTH_DIV;
}

bool dzr_drop_wanted(struct dzr_dev *d)
{
	u64 clean = dzr_stat_sum(d->stats, DZR_POP_CLEAN);
	struct dzr_drop *drop = &d->drop;

	lockdep_assert_held(&d->hand_lock);

	drop->young = min(drop->young, clean);
	if (clean == drop->young)
		drop->left = 0;
	else if (!drop->left && dzr_drop_pays(d, clean - drop->young))
		drop->left = dzr_btable_blocks(d->bt);
	return drop->left;
}

void dzr_drop_again(struct dzr_dev *d)
{
	lockdep_assert_held(&d->hand_lock);
	d->drop.young = 0;
	d->drop.left = 0;
}

/* Drop what is clean and old enough in the next leaf; at most @max blocks. */
static u64 dzr_drop_leaf(struct dzr_dev *d, u8 threshold, u64 max,
			 enum dzr_cause cause)
{
	struct dzr_drop *drop = &d->drop;
	u64 nr = dzr_btable_blocks(d->bt);
	u64 block = min(nr, dzr_btable_next(d->bt, drop->block));
	u64 stop = min(nr, (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS);
	u64 n = 0;

	for (; block < stop && n < max; block++) {
		unsigned long *slot = dzr_btable_find(d->bt, block);

		if (dzr_entry_peek(slot).age >= threshold)
			n += dzr_drop(d, block, slot, cause);
	}
	drop->left -= min(drop->left, block - drop->block);
	drop->block = block < nr ? block : 0;
	return n;
}

u64 dzr_drop_step(struct dzr_dev *d, u8 threshold, u64 max,
		  enum dzr_cause cause)
{
	struct dzr_drop *drop = &d->drop;
	u64 n = 0;
	int i;

	lockdep_assert_held(&d->hand_lock);

	for (i = 0; i < DZR_LOOK_LEAVES && drop->left && n < max; i++)
		n += dzr_drop_leaf(d, threshold, max - n, cause);
	if (!drop->left)
		drop->young = dzr_stat_sum(d->stats, DZR_POP_CLEAN);
	return n;
}

unsigned long dzr_drop_pages(struct dzr_dev *d, unsigned long pages)
{
	unsigned long all = dzs_pages(d->pool), left;
	u64 blocks;

	if (!d->log || dzr_log_failed(d->log) || !all ||
	    !mutex_trylock(&d->hand_lock))
		return 0;
	if (dzr_drop_wanted(d)) {
		blocks = dzr_stat_sum(d->stats, DZR_POP_HOT) +
			 dzr_stat_sum(d->stats, DZR_POP_CLEAN);
		dzr_drop_step(d, d->hand.threshold,
			      div64_u64(blocks * pages, all) + 1,
			      DZR_CAUSE_PRESSURE);
	}
	mutex_unlock(&d->hand_lock);
	left = dzs_pages(d->pool);
	if (left >= all)
		return 0;
	dzr_stat_add(d->stats, DZR_STAT_DEMOTE_FREED, all - left);
	return all - left;
}
