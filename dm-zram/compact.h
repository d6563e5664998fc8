/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When the pool is compacted.
 *
 * Demotion compacts what it has made sparse, and a message compacts all. What
 * memory reclaim asks for is done only while the device is not busy: then, and
 * where a run is stopped because the device has become busy, it is put off
 * until the device is idle again.
 */
#ifndef DZR_COMPACT_H
#define DZR_COMPACT_H

#include "device.h"

/**
 * dzr_compact_init - set up
 * @d: the device
 */
void dzr_compact_init(struct dzr_dev *d);

/**
 * dzr_compact_stop - forget what was put off
 * @d: the device; @d->suspended is set
 *
 * Context: process; waits for a run.
 */
void dzr_compact_stop(struct dzr_dev *d);

/**
 * dzr_compact - dzs_compact() of a device's pool, with its tracepoint
 * @d: the device
 * @pages: as there
 * @ctl: as there
 *
 * Context: as there.
 * Return: pages freed.
 */
unsigned long dzr_compact(struct dzr_dev *d, unsigned long pages,
			  const struct dzs_compact_ctl *ctl);

/**
 * dzr_compact_count - what compaction could free now
 * @d: the device
 *
 * Context: any that reclaim is allowed in.
 * Return: pages; 0 while the device is busy, and then it is done later.
 */
unsigned long dzr_compact_count(struct dzr_dev *d);

/**
 * dzr_compact_idle - compact for as long as the device is not busy
 * @d: the device
 * @pages: how many to free at most
 *
 * Context: process; reschedules.
 * Return: pages freed.
 */
unsigned long dzr_compact_idle(struct dzr_dev *d, unsigned long pages);

/**
 * dzr_compact_all - compact the pool as far as its slack allows
 * @d: the device
 *
 * Context: process; reschedules.
 * Return: 0 or -EINTR after a fatal signal.
 */
int dzr_compact_all(struct dzr_dev *d);

#endif /* DZR_COMPACT_H */
