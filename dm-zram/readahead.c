// SPDX-License-Identifier: GPL-2.0
/*
 * Does it pay to take neighbours along? See readahead.h.
 */
#include "readahead.h"

void dzr_readahead_init(struct dzr_readahead *a)
{
	atomic_set(&a->score, DZR_READAHEAD_ONE / 2);
	atomic_set(&a->reads, 0);
}

bool dzr_readahead_wanted(struct dzr_readahead *a)
{
	if (atomic_read(&a->score) >= DZR_READAHEAD_PAYS)
		return true;
	return (u32)atomic_inc_return(&a->reads) % DZR_READAHEAD_PROBE == 0;
}

/* In the long run, the score is what part of those that came was used. */
void dzr_readahead_took(struct dzr_readahead *a)
{
	atomic_sub(atomic_read(&a->score) >> DZR_READAHEAD_SHIFT, &a->score);
}

void dzr_readahead_used(struct dzr_readahead *a)
{
	if (atomic_read(&a->score) < DZR_READAHEAD_ONE)
		atomic_add(DZR_READAHEAD_ONE >> DZR_READAHEAD_SHIFT, &a->score);
}
