// SPDX-License-Identifier: GPL-2.0
/*
 * The owner of the entries, as allocator and log see it: what they ask when an
 * object moves, and what they have to say. See struct dzs_ops and struct
 * dzr_log_ops.
 *
 * Locks: the entry lock, taken here; callers hold none of their own.
 */
#include <linux/device-mapper.h>

#include "budget.h"
#include "colddev.h"
#include "groupread.h"
#include "io.h"
#include "tier.h"

#define DM_MSG_PREFIX "zram"

/* Compaction has a new place for an object. */
static bool dzr_relocate(void *ctx, u32 owner, dzs_handle_t old,
			 dzs_handle_t new)
{
	struct dzr_dev *d = ctx;
	unsigned long *slot = dzr_btable_find(d->bt, owner);
	struct dzr_entry e;
	bool same;

	if (!slot)
		return false;
	e = dzr_entry_lock(slot);
	same = dzr_entry_in_pool(e) && dzr_entry_handle(e) == old;
	if (same) {
		dzs_copy(d->pool, old, new);
		e.value = dzr_pool_value(new, dzr_entry_codec(e));
		dzr_entry_set(slot, e);
	}
	dzr_entry_unlock(slot);
	return same;
}

const struct dzs_ops dzr_pool_ops = {
	.relocate = dzr_relocate,
};

/* Does a locked entry refer to this place in the log? */
static bool dzr_refers_to(struct dzr_dev *d, struct dzr_entry e, dzr_loc_t loc)
{
	if (e.state == DZR_COLD)
		return dzr_entry_loc(e) == loc;
	return dzr_entry_is_clean(e) &&
	       dzr_word_loc(dzr_clean_word(d, e)) == loc;
}

/* The entry of a block number that came from the cold device. */
static unsigned long *dzr_find_checked(struct dzr_dev *d, u32 block)
{
	return block < dzr_btable_blocks(d->bt) ?
	       dzr_btable_find(d->bt, block) : NULL;
}

static bool dzr_is_live(void *owner, u32 block, dzr_loc_t loc)
{
	struct dzr_dev *d = owner;
	unsigned long *slot = dzr_find_checked(d, block);
	struct dzr_entry e;
	bool live;

	if (!slot)
		return false;
	e = dzr_entry_lock(slot);
	live = dzr_refers_to(d, e, loc);
	dzr_entry_unlock(slot);
	return live;
}

static bool dzr_repoint(void *owner, u32 block, dzr_loc_t old, dzr_loc_t new)
{
	struct dzr_dev *d = owner;
	unsigned long *slot = dzr_find_checked(d, block);
	struct dzr_entry e;
	bool live;
	u64 word;

	if (!slot)
		return false;
	e = dzr_entry_lock(slot);
	live = dzr_refers_to(d, e, old);
	if (live && e.state == DZR_COLD) {
		e.value = (__force u64)new;
		dzr_entry_set(slot, e);
	} else if (live) {
		word = dzr_clean_word(d, e) & DZR_CLEAN_AHEAD;
		word |= (__force u64)new;
		dzs_write(d->pool, dzr_entry_handle(e), &word, 0, sizeof(word));
	}
	dzr_entry_unlock(slot);
	return live;
}

/* One line each: whoever writes on is told by an error each time. */
static void dzr_low_space(void *owner, bool full)
{
	struct dzr_dev *d = owner;

	if (full)
		DMERR("%u:%u: the cold device is full: writes fail with ENOSPC until blocks are discarded",
		      MAJOR(d->dev), MINOR(d->dev));
	else
		DMWARN("%u:%u: the cold device is nearly full of live data",
		       MAJOR(d->dev), MINOR(d->dev));
	queue_work(d->wq, &d->event_work);
}

static void dzr_log_kicked(void *owner)
{
	dzr_kick(owner);
}

static void dzr_log_moved(void *owner)
{
	dzr_let_go(owner);
}

static bool dzr_log_is_busy(void *owner)
{
	return dzr_load_busy(owner);
}

const struct dzr_log_ops dzr_log_ops = {
	.is_live = dzr_is_live,
	.repoint = dzr_repoint,
	.kick = dzr_log_kicked,
	.low_space = dzr_low_space,
	.written = dzr_budget_written,
	.moved = dzr_log_moved,
	.is_busy = dzr_log_is_busy,
	.ungroup = dzr_ungroup,
};
