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

static u8 dzr_age_touch(u8 age)
{
	return DZR_AGE_YOUNG;
}

static u8 dzr_age_older(u8 age)
{
	return age < DZR_AGE_MAX ? age + 1 : DZR_AGE_MAX;
}

static bool dzr_age_visit(u8 *age, u8 threshold)
{
	if (*age >= threshold)
		return true;
	*age = dzr_age_older(*age);
	return false;
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
	return cold_age + DZR_PROMOTE_MARGIN < threshold;
}

static const struct dzr_policy dzr_policy_age = {
	.name		= "age",
	.born		= dzr_age_born,
	.touch		= dzr_age_touch,
	.visit		= dzr_age_visit,
	.chilled	= dzr_age_chilled,
	.cold_touch	= dzr_age_touch,
	.cold_visit	= dzr_age_older,
	.promote	= dzr_age_promote,
};

/* The age counts from the write, whoever reads. */
static u8 dzr_fifo_touch(u8 age)
{
	return age;
}

/* A yardstick: the same clock, but blind to accesses in RAM. */
static const struct dzr_policy dzr_policy_fifo = {
	.name		= "fifo",
	.born		= dzr_age_born,
	.touch		= dzr_fifo_touch,
	.visit		= dzr_age_visit,
	.chilled	= dzr_age_chilled,
	.cold_touch	= dzr_age_touch,
	.cold_visit	= dzr_age_older,
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
	return threshold > DZR_THRESHOLD_MIN ? threshold - 1 :
					       DZR_THRESHOLD_MIN;
}

u32 dzr_sweep_interval(u32 demote_age)
{
	if (demote_age && demote_age < DZR_AGE_MAX)
		return 1;
	return demote_age / DZR_AGE_MAX;
}
