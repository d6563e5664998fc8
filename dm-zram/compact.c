// SPDX-License-Identifier: GPL-2.0
/*
 * When the pool is compacted. See compact.h.
 *
 * Locks: none; the allocator lets one run in at a time.
 */
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "compact.h"
#include "trace.h"

/* How long after it was found busy to look at the device again. */
#define DZR_COMPACT_LATER_MS	100

unsigned long dzr_compact(struct dzr_dev *d, unsigned long pages,
			  const struct dzs_compact_ctl *ctl)
{
	bool traced = trace_dzr_compact_enabled();
	struct dzs_stats before, after;
	unsigned long freed;

	if (traced)
		dzs_stats(d->pool, &before);
	freed = dzs_compact(d->pool, pages, ctl);
	if (!traced)
		return freed;
	dzs_stats(d->pool, &after);
	if (after.compact_runs != before.compact_runs)
		trace_dzr_compact(d->dev, freed,
				  after.compact_moved - before.compact_moved,
				  after.max_hold_ns);
	return freed;
}

static bool dzr_compact_signalled(void *arg)
{
	return fatal_signal_pending(current);
}

int dzr_compact_all(struct dzr_dev *d)
{
	struct dzs_compact_ctl ctl = {
		.stop = dzr_compact_signalled,
		.may_sleep = true,
	};

	dzr_compact(d, ULONG_MAX, &ctl);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static void dzr_compact_later(struct dzr_dev *d)
{
	queue_delayed_work(d->wq, &d->compact_work,
			   msecs_to_jiffies(DZR_COMPACT_LATER_MS));
}

unsigned long dzr_compact_count(struct dzr_dev *d)
{
	unsigned long pages = dzs_compactable(d->pool);

	if (!pages || !dzr_load_busy(d))
		return pages;
	dzr_compact_later(d);
	return 0;
}

static bool dzr_compact_disturbs(void *arg)
{
	return dzr_load_busy(arg);
}

unsigned long dzr_compact_idle(struct dzr_dev *d, unsigned long pages)
{
	struct dzs_compact_ctl ctl = {
		.stop = dzr_compact_disturbs,
		.arg = d,
		.may_sleep = true,
	};
	unsigned long want = min(dzr_compact_count(d), pages);
	unsigned long freed = 0;

	if (want)
		freed = dzr_compact(d, want, &ctl);
	if (freed < want && dzr_load_busy(d))
		dzr_compact_later(d);
	return freed;
}

static void dzr_compact_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(to_delayed_work(work),
					 struct dzr_dev, compact_work);

	if (!READ_ONCE(d->suspended))
		dzr_compact_idle(d, ULONG_MAX);
}

void dzr_compact_init(struct dzr_dev *d)
{
	INIT_DELAYED_WORK(&d->compact_work, dzr_compact_work);
}

void dzr_compact_stop(struct dzr_dev *d)
{
	cancel_delayed_work_sync(&d->compact_work);
}
