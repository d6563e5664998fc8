// SPDX-License-Identifier: GPL-2.0
/*
 * The arithmetic of writing ahead. See ahead.h.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "ahead.h"

u64 dzr_ahead_alive(const struct dzr_ahead_sums *sums)
{
	u64 gone = sums->dropped + sums->died;

	return sums->cleaned > gone ? sums->cleaned - gone : 0;
}

void dzr_ahead_judge(struct dzr_ahead *a, const struct dzr_ahead_sums *sums)
{
	u64 window = dzr_ahead_alive(&a->then) +
		     sums->cleaned - a->then.cleaned;
	u64 dropped = sums->dropped - a->then.dropped;
	u64 died = sums->died - a->then.died;

	if (died >= DZR_AHEAD_LEAST && died * DZR_AHEAD_DIED_DIV > window) {
		if (a->backoff < DZR_AHEAD_MAX_BACKOFF)
			a->backoff++;
	} else if (dropped >= DZR_AHEAD_LEAST &&
		   dropped * DZR_AHEAD_DROPPED_DIV >= window) {
		if (a->backoff)
			a->backoff--;
	} else {
		return;
	}
	a->then = *sums;
}

bool dzr_ahead_due(u64 pool, u64 limit, u64 free)
{
	return pool > min(limit, pool + free) / DZR_AHEAD_ROOM_DIV;
}

u64 dzr_ahead_want(const struct dzr_ahead *a, u64 blocks, u64 clean)
{
	u64 share = blocks >> (DZR_AHEAD_SHIFT + a->backoff);

	return share > clean ? share - clean : 0;
}
