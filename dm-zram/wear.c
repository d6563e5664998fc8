// SPDX-License-Identifier: GPL-2.0
/*
 * The arithmetic of the wear budget. See wear.h.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "wear.h"

u64 dzr_wear_hour(const struct dzr_wear *w)
{
	return div_u64(w->per_day, DZR_WEAR_HOURS);
}

/* Used up with nothing left; not any more once a batch has come in. */
static void dzr_wear_judge(struct dzr_wear *w)
{
	s64 batch = min_t(u64, dzr_wear_hour(w), DZR_WEAR_BATCH);

	if (!w->per_day)
		w->used_up = false;
	else if (w->left <= 0)
		w->used_up = true;
	else if (w->left >= batch)
		w->used_up = false;
}

static void dzr_wear_clamp(struct dzr_wear *w)
{
	s64 day = w->per_day;

	w->left = clamp(w->left, -day, day);
}

void dzr_wear_set(struct dzr_wear *w, u64 per_day, u64 now)
{
	bool fresh = !w->per_day;

	dzr_wear_update(w, now);
	w->per_day = per_day;
	w->then = now;
	w->part = 0;
	if (fresh)
		w->left = dzr_wear_hour(w);
	dzr_wear_clamp(w);
	dzr_wear_judge(w);
}

void dzr_wear_update(struct dzr_wear *w, u64 now)
{
	u64 ms = now > w->then ? now - w->then : 0;
	u32 rest;
	u64 whole;

	if (!w->per_day || !ms)
		return;
	w->then = now;
	/* From the deepest debt to a full bucket; more does not count. */
	ms = min_t(u64, ms, 2 * DZR_WEAR_DAY_MS);
	/* Whole bytes a millisecond, and the rest, whose product is small. */
	whole = div_u64_rem(w->per_day, DZR_WEAR_DAY_MS, &rest);
	w->part += rest * ms;
	w->left += whole * ms + div_u64(w->part, DZR_WEAR_DAY_MS);
	div_u64_rem(w->part, DZR_WEAR_DAY_MS, &rest);
	w->part = rest;
	dzr_wear_clamp(w);
	dzr_wear_judge(w);
}

void dzr_wear_charge(struct dzr_wear *w, u64 bytes, u64 now)
{
	u64 paid;

	if (!w->per_day)
		return;
	dzr_wear_update(w, now);
	paid = min_t(u64, bytes, max_t(s64, w->left, 0));
	w->overdrawn += bytes - paid;
	w->left -= min_t(u64, bytes, 2 * w->per_day);
	dzr_wear_clamp(w);
	dzr_wear_judge(w);
}
