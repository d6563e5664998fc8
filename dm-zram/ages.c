// SPDX-License-Identifier: GPL-2.0
/*
 * How old the blocks are. See ages.h.
 */
#include <linux/device-mapper.h>
#include <linux/sched/signal.h>

#include "ages.h"

/**
 * struct dzr_ages - what was counted
 * @ram: blocks in RAM, by age
 * @cold: cold blocks, by age
 */
struct dzr_ages {
	u64 ram[DZR_AGE_MAX + 1];
	u64 cold[DZR_AGE_MAX + 1];
};

/* The leaf that @block is in exists. */
static void dzr_ages_leaf(struct dzr_dev *d, u64 block, u64 end,
			  struct dzr_ages *ages)
{
	for (; block < end; block++) {
		unsigned long *slot = dzr_btable_find(d->bt, block);
		struct dzr_entry e = dzr_entry_peek(slot);

		if (dzr_entry_in_pool(e))
			ages->ram[e.age]++;
		else if (e.state == DZR_COLD)
			ages->cold[e.age]++;
	}
}

static int dzr_ages_count(struct dzr_dev *d, struct dzr_ages *ages)
{
	u64 nr = dzr_btable_blocks(d->bt);
	u64 block = 0, end;

	while ((block = dzr_btable_next(d->bt, block)) < nr) {
		end = min(nr, (block / DZR_LEAF_BLOCKS + 1) * DZR_LEAF_BLOCKS);
		dzr_ages_leaf(d, block, end, ages);
		block = end;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int dzr_ages_print(struct dzr_dev *d, char *buf, unsigned int size)
{
	u32 seconds = dzr_sweep_interval(READ_ONCE(d->cfg.demote_age));
	u64 reads[DZR_AGE_MAX + 1];
	struct dzr_ages ages = {};
	unsigned int len;
	int age, read, turns;
	int err = dzr_ages_count(d, &ages);

	if (err)
		return err;
	dzr_stat_pool_reads(d->stats, reads);
	len = scnprintf(buf, size, "rotation_seconds %u", d->log ? seconds : 0);
	for (age = 0; age <= DZR_AGE_MAX; age += DZR_AGE_STEP) {
		turns = age / DZR_AGE_STEP;
		read = age + DZR_AGE_READ;
		len += scnprintf(buf + len, size - len,
				 "\nram_%d %llu\nram_read_%d %llu\nsampled_reads_%d %llu",
				 turns, ages.ram[age] + ages.ram[read],
				 turns, ages.ram[read],
				 turns, reads[age] + reads[read]);
	}
	for (age = 0; age <= DZR_AGE_MAX; age++)
		len += scnprintf(buf + len, size - len, "\ncold_%d %llu", age,
				 ages.cold[age]);
	return 0;
}
