/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Demotion: what moves blocks from the pool to the log, and when.
 *
 * Four causes: the pool is above its mark (demote_work, until it is below the
 * lower one), the shrinker asks for pages (demote_work, too), blocks have not
 * been touched for long (sweep_work, while the device is idle), and a message
 * (in the caller's context). All use a clock hand over the block table.
 */
#ifndef DZR_DEMOTE_H
#define DZR_DEMOTE_H

#include "device.h"

/**
 * dzr_demote_init - set up demotion
 * @d: the device
 */
void dzr_demote_init(struct dzr_dev *d);

/**
 * dzr_demote_start - begin to demote and sweep
 * @d: the device
 */
void dzr_demote_start(struct dzr_dev *d);

/**
 * dzr_demote_stop - end it
 * @d: the device; @d->suspended is set
 *
 * Context: process; waits for work that runs.
 */
void dzr_demote_stop(struct dzr_dev *d);

/**
 * dzr_demote_check - start the worker if the pool is above its mark
 * @d: the device
 *
 * Context: any; cheap.
 */
void dzr_demote_check(struct dzr_dev *d);

/**
 * dzr_demote_kick - let the worker go on, if it has something to do
 * @d: the device
 *
 * Context: any; cheap.
 */
void dzr_demote_kick(struct dzr_dev *d);

/**
 * dzr_demote_ready - could dzr_demote_scan() have an effect?
 * @d: the device
 *
 * Context: any; cheap.
 */
bool dzr_demote_ready(struct dzr_dev *d);

/**
 * dzr_demote_scan - reclaim looks at part of the pool
 * @d: the device
 * @pages: how many pages of it
 *
 * The worker moves the hand over as many blocks as that many pages hold, and
 * demotes those that are old; the others are older then. So the pool ages by
 * reclaim at the rate at which reclaim looks at it.
 *
 * Context: any; does not wait.
 */
void dzr_demote_scan(struct dzr_dev *d, unsigned long pages);

/**
 * dzr_demote_rescue - the last that can be done before something is killed
 * @d: the device
 * @pages: by how many pages the pool is to shrink
 * @ticks: how many times to sleep for a tick at most, until the first of them
 *	are free. Counted, so that a machine that stood still does not give up
 *	before the worker has run.
 *
 * The worker goes on until that many are free, or no more can be, as if the
 * pool were above its mark; the caller waits for a few of them only.
 *
 * Context: process, with any allocation's locks held; sleeps.
 * Return: pages that have been freed so far.
 */
unsigned long dzr_demote_rescue(struct dzr_dev *d, unsigned long pages,
				unsigned long ticks);

/**
 * dzr_demote_blocks - demote now
 * @d: the device
 * @nr: how many blocks, oldest first; U64_MAX: all
 *
 * Context: process; sleeps for segment writes.
 * Return: 0; -EINVAL without a cold device; -ENOSPC, -EIO, or -EINTR after a
 * fatal signal.
 */
int dzr_demote_blocks(struct dzr_dev *d, u64 nr);

/**
 * dzr_shrinker_register - take part in memory reclaim
 * @d: the device
 *
 * Return: 0 or -ENOMEM.
 */
int dzr_shrinker_register(struct dzr_dev *d);

/**
 * dzr_shrinker_unregister - no longer
 * @d: the device; its shrinker may be NULL
 */
void dzr_shrinker_unregister(struct dzr_dev *d);

#endif /* DZR_DEMOTE_H */
