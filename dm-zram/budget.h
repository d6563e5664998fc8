/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wear budget of a device: wear.h with a clock and a lock, and what follows
 * from it.
 *
 * While the budget is used up the device is thrifty: demotion by age and for
 * reclaim leaves blocks where they are, incompressible blocks are kept in the
 * pool, and the marks are close to the limit. At the limit, writes go on, on
 * credit: a write never fails for the sake of the budget.
 */
#ifndef DZR_BUDGET_H
#define DZR_BUDGET_H

#include "device.h"

/**
 * dzr_budget_init - set up the budget of a new device
 * @d: the device
 */
void dzr_budget_init(struct dzr_dev *d);

/**
 * dzr_budget_set - a new budget, or a new limit of the pool
 * @d: the device; @d->limit is the new limit
 * @per_day: bytes a day, 0: none
 *
 * Sets the marks, too.
 *
 * Context: process; takes wear_lock.
 */
void dzr_budget_set(struct dzr_dev *d, u64 per_day);

/**
 * dzr_budget_written - the log writes to the cold device
 * @owner: the device
 * @bytes: how much
 *
 * Context: process; takes wear_lock.
 */
void dzr_budget_written(void *owner, u64 bytes);

/**
 * dzr_budget_tick - let in what is due
 * @d: the device
 *
 * Context: process; takes wear_lock. Once a second is often enough.
 */
void dzr_budget_tick(struct dzr_dev *d);

/**
 * dzr_budget_read - the budget as it is now
 * @d: the device
 * @wear: a copy
 *
 * Context: process; takes wear_lock.
 */
void dzr_budget_read(struct dzr_dev *d, struct dzr_wear *wear);

/**
 * dzr_budget_allows - may a block leave RAM now?
 * @d: the device
 * @cause: what for
 *
 * Context: any; one read.
 */
static inline bool dzr_budget_allows(struct dzr_dev *d, enum dzr_cause cause)
{
	return !READ_ONCE(d->thrifty) ||
	       (cause != DZR_CAUSE_AGE && cause != DZR_CAUSE_PRESSURE);
}

#endif /* DZR_BUDGET_H */
