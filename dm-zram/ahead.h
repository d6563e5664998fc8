/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much is worth writing ahead of need.
 *
 * A block that has a copy in the log before it must leave RAM leaves it at once.
 * The price is a write that was for nothing if the block is overwritten or
 * discarded first. So a share of the pool is written ahead, half of it at most,
 * and what becomes of it says whether the share is right.
 *
 * That is judged in windows. A window has the blocks that were written ahead
 * when it began, and those that were since. When more than a quarter of them
 * have died, the share is halved; when half of them have been dropped, which is
 * what they were written for, it is doubled. Either begins a new window. As long
 * as neither happens the share stays. No clock is needed, and where nothing is
 * of use the waste ends with a small share, whose blocks tell when that changes.
 *
 * Pure: the caller keeps others away. Anything may be called in any context.
 */
#ifndef DZR_AHEAD_H
#define DZR_AHEAD_H

#include <linux/types.h>

/* Of the pool's blocks, 1/2 may have been written ahead. */
#define DZR_AHEAD_SHIFT		1
/* The share is halved that often at most: then it is 1/128 of the pool. */
#define DZR_AHEAD_MAX_BACKOFF	6
/* More than that part of a window, 1/4, dead: too much is written ahead. */
#define DZR_AHEAD_DIED_DIV	4
/* That part of it, 1/2, dropped: it was right. */
#define DZR_AHEAD_DROPPED_DIV	2
/* Fewer dead or dropped blocks than this say nothing. */
#define DZR_AHEAD_LEAST		64U
/* Nothing is written ahead while the pool is below 1/2 of its room. */
#define DZR_AHEAD_ROOM_DIV	2

/**
 * struct dzr_ahead_sums - what has happened since the beginning
 * @cleaned: blocks written ahead
 * @dropped: of those, the ones whose copy in RAM was dropped
 * @died: and the ones that were overwritten or discarded before
 */
struct dzr_ahead_sums {
	u64 cleaned;
	u64 dropped;
	u64 died;
};

/**
 * struct dzr_ahead - the share, and a window
 * @then: the sums when the window began
 * @backoff: how often the share is halved
 */
struct dzr_ahead {
	struct dzr_ahead_sums then;
	u8 backoff;
};

/**
 * dzr_ahead_alive() - blocks written ahead that neither died nor were dropped
 * @sums: the sums; their parts may be from different moments
 *
 * Return: their number.
 */
u64 dzr_ahead_alive(const struct dzr_ahead_sums *sums);

/**
 * dzr_ahead_judge() - look what has become of the window
 * @a: the window; zeroes at first
 * @sums: as they are now
 */
void dzr_ahead_judge(struct dzr_ahead *a, const struct dzr_ahead_sums *sums);

/**
 * dzr_ahead_due() - is the pool so large that it may soon have to shrink?
 * @pool: bytes of the pool
 * @limit: its limit in bytes, U64_MAX: none
 * @free: bytes of memory that the machine could still give it
 *
 * Return: true above half of what it may have, by either.
 */
bool dzr_ahead_due(u64 pool, u64 limit, u64 free);

/**
 * dzr_ahead_want() - how many more blocks to write ahead
 * @a: the share
 * @blocks: blocks in the pool
 * @clean: those of them that have a copy in the log
 *
 * Return: their number.
 */
u64 dzr_ahead_want(const struct dzr_ahead *a, u64 blocks, u64 clean);

#endif /* DZR_AHEAD_H */
