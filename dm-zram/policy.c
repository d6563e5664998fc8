// SPDX-License-Identifier: GPL-2.0
/*
 * The policies, and the arithmetic of when and how hard to demote.
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "policy.h"

static u8 dzr_age_born(void)
{
	return DZR_AGE_YOUNG;
}

static u8 dzr_age_touch(u8 age, bool write)
{
	return write ? DZR_AGE_YOUNG : DZR_AGE_YOUNG | DZR_AGE_READ;
}

static bool dzr_clock_visit(u8 *age, u8 threshold)
{
	if (*age >= threshold)
		return true;
	if (*age + DZR_AGE_STEP <= DZR_AGE_MAX)
		*age += DZR_AGE_STEP;
	return false;
}

static bool dzr_age_visit(u8 *age, u8 threshold, u8 early)
{
	if (early && *age >= early && (*age & DZR_AGE_READ))
		return true;
	return dzr_clock_visit(age, threshold);
}

static u8 dzr_cold_touch(u8 cold_age)
{
	return 0;
}

static u8 dzr_cold_older(u8 cold_age)
{
	return cold_age < DZR_AGE_MAX ? cold_age + 1 : DZR_AGE_MAX;
}

/* Its previous cold read is as long ago as can be: there was none. */
static u8 dzr_age_chilled(void)
{
	return DZR_AGE_MAX;
}

/*
 * One read of a cold block says nothing: swapped-out pages are read once, and
 * so are the blocks of a scan. Two of them within the time for which the hand
 * leaves a block in RAM say that there it would have been a hit.
 */
static bool dzr_age_promote(u8 cold_age, u8 threshold)
{
	return cold_age + DZR_PROMOTE_MARGIN < threshold / DZR_AGE_STEP;
}

static const struct dzr_policy dzr_policy_age = {
	.name		= "age",
	.born		= dzr_age_born,
	.touch		= dzr_age_touch,
	.visit		= dzr_age_visit,
	.chilled	= dzr_age_chilled,
	.cold_touch	= dzr_cold_touch,
	.cold_visit	= dzr_cold_older,
	.promote	= dzr_age_promote,
};

/* The age counts from the write, whoever reads. */
static u8 dzr_fifo_touch(u8 age, bool write)
{
	return age;
}

static bool dzr_fifo_visit(u8 *age, u8 threshold, u8 early)
{
	return dzr_clock_visit(age, threshold);
}

/* A yardstick: the same clock, but blind to accesses in RAM. */
static const struct dzr_policy dzr_policy_fifo = {
	.name		= "fifo",
	.born		= dzr_age_born,
	.touch		= dzr_fifo_touch,
	.visit		= dzr_fifo_visit,
	.chilled	= dzr_age_chilled,
	.cold_touch	= dzr_cold_touch,
	.cold_visit	= dzr_cold_older,
	.promote	= dzr_age_promote,
};

static const struct dzr_policy *const dzr_policies[] = {
	&dzr_policy_age,
	&dzr_policy_fifo,
};

const struct dzr_policy *dzr_policy_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dzr_policies); i++)
		if (!strcmp(dzr_policies[i]->name, name))
			return dzr_policies[i];
	return NULL;
}

const struct dzr_policy *dzr_policy_default(void)
{
	return &dzr_policy_age;
}

static struct dzr_marks dzr_marks(u64 limit, u32 start_div, u32 stop_div)
{
	struct dzr_marks marks = { .start = U64_MAX, .stop = U64_MAX };

	if (limit) {
		marks.start = limit - div_u64(limit, start_div);
		marks.stop = limit - div_u64(limit, stop_div);
	}
	return marks;
}

struct dzr_marks dzr_marks_from_limit(u64 limit)
{
	return dzr_marks(limit, DZR_MARK_START_DIV, DZR_MARK_STOP_DIV);
}

struct dzr_marks dzr_marks_thrifty(u64 limit)
{
	return dzr_marks(limit, DZR_MARK_THRIFTY_START_DIV,
			 DZR_MARK_THRIFTY_STOP_DIV);
}

u8 dzr_threshold_next(u8 threshold, bool reached)
{
	if (reached)
		return DZR_THRESHOLD_START;
	return threshold > DZR_THRESHOLD_MIN ? threshold - DZR_AGE_STEP :
					       DZR_THRESHOLD_MIN;
}

u32 dzr_sweep_interval(u32 demote_age)
{
	if (demote_age && demote_age < DZR_AGE_ROTATIONS)
		return 1;
	return demote_age / DZR_AGE_ROTATIONS;
}

static void dzr_reuse_fade(struct dzr_reuse *r)
{
	int age;

	for (age = 0; age <= DZR_AGE_MAX; age++) {
		r->reads[age] /= 2;
		r->seen[age] /= 2;
	}
}

/* Take notice of new reads. Returns how many are known of. */
static u64 dzr_reuse_count(struct dzr_reuse *r, const u64 *total)
{
	u64 reads = 0, all = 0;
	int age;

	for (age = 0; age <= DZR_AGE_MAX; age++) {
		/* A sum over CPUs that are at work may step back a little. */
		if (total[age] > r->last[age])
			r->reads[age] += total[age] - r->last[age];
		r->last[age] = total[age];
		all |= r->reads[age] | r->seen[age];
	}
	/* Products of two sums must fit. */
	for (; all >> 28; all >>= 1)
		dzr_reuse_fade(r);
	for (age = 0; age <= DZR_AGE_MAX; age++)
		reads += r->reads[age];
	return reads;
}

/*
 * From which age on are blocks that were read worth less than old ones that were
 * not? Of those, all that are older are, too.
 */
static u8 dzr_reuse_early(const struct dzr_reuse *r)
{
	u64 old_reads = 0, old = 0, reads = 0, all = 0;
	u8 early = 0;
	int age;

	for (age = DZR_REUSE_OLD; age <= DZR_AGE_MAX; age += DZR_AGE_STEP) {
		old_reads += r->reads[age];
		old += r->reads[age] + r->seen[age];
	}
	if (old < DZR_REUSE_OLD_MIN)
		return 0;
	/* The oldest of all go anyway. */
	for (age = DZR_AGE_MAX - DZR_AGE_STEP; age > 0; age -= DZR_AGE_STEP) {
		reads += r->reads[age];
		all += r->reads[age] + r->seen[age];
		if (reads * old * DZR_REUSE_WORTH > old_reads * all)
			break;
		early = age;
	}
	return early;
}

void dzr_reuse_learn(struct dzr_reuse *r, const u64 *total)
{
	u64 reads = dzr_reuse_count(r, total);

	if (reads < DZR_REUSE_READS)
		return;
	r->early = dzr_reuse_early(r);
	if (reads >= DZR_REUSE_FADE)
		dzr_reuse_fade(r);
}
