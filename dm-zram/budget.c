// SPDX-License-Identifier: GPL-2.0
/*
 * The wear budget of a device. See budget.h.
 *
 * Locks: wear_lock, innermost, around the bucket and what is made of it.
 */
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "budget.h"
#include "demote.h"

#define DM_MSG_PREFIX "zram"

/* Flash wears by the day of the calendar: the time of a suspend counts. */
static u64 dzr_budget_now(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

/*
 * Tell the world, once: again only after an hour's worth has come in. Not
 * before there is a target to raise the event, which the next tick finds.
 */
static void dzr_budget_tell(struct dzr_dev *d)
{
	const struct dzr_wear *w = &d->wear;

	lockdep_assert_held(&d->wear_lock);

	if (!w->used_up) {
		if (w->left >= (s64)dzr_wear_hour(w))
			d->wear_told = false;
		return;
	}
	if (d->wear_told || !READ_ONCE(d->ti))
		return;
	d->wear_told = true;
	DMWARN("%u:%u: wear budget of %llu bytes a day is used up: demotion waits",
	       MAJOR(d->dev), MINOR(d->dev), w->per_day);
	queue_work(d->wq, &d->event_work);
}

/* What follows from the bucket. Returns true if demotion may go on again. */
static bool dzr_budget_apply(struct dzr_dev *d)
{
	u64 limit = d->limit == U64_MAX ? 0 : d->limit;
	bool thrifty = d->wear.used_up;
	bool again = d->thrifty && !thrifty;
	struct dzr_marks marks = thrifty ? dzr_marks_thrifty(limit) :
					   dzr_marks_from_limit(limit);

	lockdep_assert_held(&d->wear_lock);

	WRITE_ONCE(d->marks.start, marks.start);
	WRITE_ONCE(d->marks.stop, marks.stop);
	WRITE_ONCE(d->thrifty, thrifty);
	dzr_budget_tell(d);
	return again;
}

void dzr_budget_init(struct dzr_dev *d)
{
	spin_lock_init(&d->wear_lock);
}

void dzr_budget_set(struct dzr_dev *d, u64 per_day)
{
	spin_lock(&d->wear_lock);
	if (per_day != d->wear.per_day)
		dzr_wear_set(&d->wear, per_day, dzr_budget_now());
	dzr_budget_apply(d);
	spin_unlock(&d->wear_lock);
}

void dzr_budget_written(void *owner, u64 bytes)
{
	struct dzr_dev *d = owner;

	spin_lock(&d->wear_lock);
	dzr_wear_charge(&d->wear, bytes, dzr_budget_now());
	dzr_budget_apply(d);
	spin_unlock(&d->wear_lock);
}

void dzr_budget_tick(struct dzr_dev *d)
{
	bool again;

	spin_lock(&d->wear_lock);
	dzr_wear_update(&d->wear, dzr_budget_now());
	again = dzr_budget_apply(d);
	spin_unlock(&d->wear_lock);
	if (again)
		dzr_demote_check(d);
}

void dzr_budget_read(struct dzr_dev *d, struct dzr_wear *wear)
{
	spin_lock(&d->wear_lock);
	dzr_wear_update(&d->wear, dzr_budget_now());
	*wear = d->wear;
	spin_unlock(&d->wear_lock);
}
