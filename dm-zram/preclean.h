/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clean blocks, which are in the pool and in the log: making some ahead of need,
 * and dropping them when memory is wanted.
 *
 * Pre-cleaning is work for idle seconds. It appends old blocks of the pool to
 * the log and leaves them where they are, for as long as the pool is large, the
 * log has plenty of room, and ahead.h says that it pays. The sweep's tick starts
 * it; ages are what it goes by, so without the sweep there is none.
 *
 * Dropping needs neither memory nor a segment buffer. The fast hand's worker
 * drops all clean blocks that are old enough before it demotes any other of
 * that age, and the shrinker drops some itself.
 */
#ifndef DZR_PRECLEAN_H
#define DZR_PRECLEAN_H

#include <linux/types.h>
#include <linux/workqueue.h>

#include "ahead.h"

struct dzr_dev;
enum dzr_cause;

/**
 * struct dzr_preclean - writing ahead; but for @work, all under hand_lock
 * @work: a step
 * @ahead: how much it may be
 * @block: next block to look at
 * @threshold: the age from which a block is taken in this rotation
 * @rest: nothing is old enough until the sweep has gone round once more
 * @quota: blocks that may be written until the next tick
 * @leaves: leaves of the block table that may be looked at until then
 */
struct dzr_preclean {
	struct delayed_work work;
	struct dzr_ahead ahead;
	u64 block;
	u8 threshold;
	bool rest;
	u32 quota;
	u32 leaves;
};

/**
 * struct dzr_drop - the hand that looks for clean blocks; under hand_lock
 * @block: next block to look at
 * @left: blocks to look at until all have been, or 0
 * @young: clean blocks that were left then, too young
 */
struct dzr_drop {
	u64 block;
	u64 left;
	u64 young;
};

/**
 * dzr_preclean_init - set up pre-cleaning
 * @d: the device
 */
void dzr_preclean_init(struct dzr_dev *d);

/**
 * dzr_preclean_tick - a second has gone by: work for the next, if there is some
 * @d: the device
 * @turned: the sweep has completed a rotation: blocks are older
 *
 * Context: process; hand_lock held.
 */
void dzr_preclean_tick(struct dzr_dev *d, bool turned);

/**
 * dzr_preclean_stop - end it
 * @d: the device; @d->suspended is set, and there are no more ticks
 *
 * Context: process; waits for a step that runs.
 */
void dzr_preclean_stop(struct dzr_dev *d);

/**
 * dzr_preclean_alive - clean blocks that were made ahead of need
 * @d: the device
 *
 * Context: any; walks all possible CPUs.
 * Return: their number.
 */
u64 dzr_preclean_alive(struct dzr_dev *d);

/**
 * dzr_drop - drop the pool's copy of a block, if it is clean
 * @d: the device
 * @block: which
 * @slot: its entry
 * @cause: what for
 *
 * Context: process; no entry lock held. Allocates nothing.
 * Return: true if there was one.
 */
bool dzr_drop(struct dzr_dev *d, u32 block, unsigned long *slot,
	      enum dzr_cause cause);

/**
 * dzr_drop_wanted - may there be clean blocks to drop?
 * @d: the device
 *
 * Context: process; hand_lock held.
 * Return: true unless all have been looked at and found too young, but for a few
 * that are not worth another look.
 */
bool dzr_drop_wanted(struct dzr_dev *d);

/**
 * dzr_drop_again - what was too young need not be any more
 * @d: the device
 *
 * Context: process; hand_lock held.
 */
void dzr_drop_again(struct dzr_dev *d);

/**
 * dzr_drop_step - drop some clean blocks
 * @d: the device
 * @threshold: none younger than that
 * @max: at most so many
 * @cause: what for
 *
 * Context: process; hand_lock held. A bounded part of the block table.
 * Return: how many.
 */
u64 dzr_drop_step(struct dzr_dev *d, u8 threshold, u64 max,
		  enum dzr_cause cause);

/**
 * dzr_drop_pages - reclaim wants pages: drop clean blocks at once
 * @d: the device
 * @pages: how many pages
 *
 * Context: reclaim; takes hand_lock if nobody has it.
 * Return: pages that became free by that alone; compaction may find more.
 */
unsigned long dzr_drop_pages(struct dzr_dev *d, unsigned long pages);

#endif /* DZR_PRECLEAN_H */
