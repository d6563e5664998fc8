// SPDX-License-Identifier: GPL-2.0
/*
 * Does it pay to take neighbours along? See ahead.h.
 */
#include "ahead.h"

void dzr_ahead_init(struct dzr_ahead *a)
{
	atomic_set(&a->score, DZR_AHEAD_ONE / 2);
	atomic_set(&a->reads, 0);
}

bool dzr_ahead_wanted(struct dzr_ahead *a)
{
	if (atomic_read(&a->score) >= DZR_AHEAD_PAYS)
		return true;
	return (u32)atomic_inc_return(&a->reads) % DZR_AHEAD_PROBE == 0;
}

/* In the long run, the score is what part of those that came was used. */
void dzr_ahead_took(struct dzr_ahead *a)
{
	atomic_sub(atomic_read(&a->score) >> DZR_AHEAD_SHIFT, &a->score);
}

void dzr_ahead_used(struct dzr_ahead *a)
{
	if (atomic_read(&a->score) < DZR_AHEAD_ONE)
		atomic_add(DZR_AHEAD_ONE >> DZR_AHEAD_SHIFT, &a->score);
}
