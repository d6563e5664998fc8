/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gathering: blocks that demotion gives up together, and that are neighbours, go
 * to the log as a group.
 *
 * The hand walks in the order of block numbers. What it takes is gathered until
 * it leaves the four blocks that can be a group; then they are demoted. A group
 * that does not pay is two halves if it was only too large, and else blocks of
 * their own, as without groups.
 */
#ifndef DZR_GATHER_H
#define DZR_GATHER_H

#include <linux/bitops.h>

#include "device.h"
#include "group.h"

/**
 * struct dzr_gather - blocks that are to be demoted together
 * @members: bit for each
 * @first: number of the block that is member 0
 * @slot: their entries
 * @age: their ages
 * @done: blocks that have been demoted
 */
struct dzr_gather {
	u8 members;
	u32 first;
	unsigned long *slot[DZR_GROUP_BLOCKS];
	u8 age[DZR_GROUP_BLOCKS];
	u64 done;
};

/**
 * dzr_gathered - how many blocks are gathered
 * @g: what is gathered
 */
static inline unsigned int dzr_gathered(const struct dzr_gather *g)
{
	return hweight8(g->members);
}

/**
 * dzr_gathers - is this block to be demoted with its neighbours?
 * @d: the device
 * @e: the block's entry
 *
 * Context: process; hand_lock held.
 */
bool dzr_gathers(struct dzr_dev *d, struct dzr_entry e);

/**
 * dzr_gather - one more block to be demoted
 * @g: what is gathered; of the same group, or nothing
 * @block: the block
 * @slot: its entry
 * @age: its age
 */
void dzr_gather(struct dzr_gather *g, u32 block, unsigned long *slot, u8 age);

/**
 * dzr_gather_demote - demote what is gathered
 * @d: the device
 * @g: what is gathered; nothing, after
 * @cause: what for
 *
 * Blocks that have been demoted are counted in @g->done, also if there is an
 * error; the others are still in the pool.
 *
 * Context: process; hand_lock held; may sleep for a codec workspace.
 * Return: 0, or -EAGAIN, -ENOSPC, -EIO as dzr_log_reserve().
 */
int dzr_gather_demote(struct dzr_dev *d, struct dzr_gather *g,
		      enum dzr_cause cause);

#endif /* DZR_GATHER_H */
