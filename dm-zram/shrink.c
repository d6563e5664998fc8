// SPDX-License-Identifier: GPL-2.0
/*
 * Our share in memory reclaim.
 *
 * The count is what can be given back: pages that compaction would free, unless
 * the device is busy, and, while the log takes writes, the pool, out of which
 * demotion takes what is old. A scan compacts at once and reports just what that
 * freed; for the rest the demotion worker is asked, which needs no memory and
 * does not make the caller wait.
 *
 * Reclaim does not wait either: where all swap slots are in use, it finds
 * nothing else, and would have a process killed within milliseconds, while the
 * pool could be moved to the cold device. So the kernel's OOM notifier has a
 * part of it moved, and waits for the first pages. When none come, the kernel
 * kills, as it should.
 *
 * Locks: none; callers may hold anything that reclaim is allowed under, so
 * only spinlocks are taken (inside the allocator and for entries).
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/oom.h>

#include "compact.h"
#include "compat.h"
#include "demote.h"

/*
 * A page of the pool holds some three blocks, and each is a read from the
 * cold device when it is wanted again, so it is worth this much more than a
 * page that is read back once.
 */
#define DZR_SEEKS		(4 * DEFAULT_SEEKS)

/*
 * While blocks come back about as fast as they go, what the hand would take
 * is not cold: reclaim sees only this share, 1/16, of the pool.
 */
#define DZR_REFAULT_SHIFT	4

/* The part of the pool that is moved before something is killed, and the least. */
#define DZR_OOM_SHARE		8
#define DZR_OOM_PAGES		256UL
/* How long the kernel waits for its first pages. */
#define DZR_OOM_MS		500

/* The pages' worth of what can be dropped although nothing may be written. */
static unsigned long dzr_shrink_clean(struct dzr_dev *d)
{
	u64 clean = dzr_preclean_alive(d);
	u64 blocks = dzr_stat_sum(d->stats, DZR_POP_HOT) +
		     dzr_stat_sum(d->stats, DZR_POP_CLEAN);

	if (!blocks || !d->log || dzr_log_failed(d->log))
		return 0;
	return div64_u64(min(clean, blocks) * dzs_pages(d->pool), blocks);
}

static unsigned long dzr_shrink_count(struct shrinker *shrinker,
				      struct shrink_control *sc)
{
	struct dzr_dev *d = dzr_shrinker_data(shrinker);
	unsigned long pages;

	if (READ_ONCE(d->suspended))
		return 0;
	pages = dzr_compact_count(d);
	if (dzr_demote_ready(d))
		pages = max(pages, dzs_pages(d->pool) >>
			    (READ_ONCE(d->refaulting) ? DZR_REFAULT_SHIFT : 0));
	else
		pages += dzr_shrink_clean(d);
	return pages ?: SHRINK_EMPTY;
}

static unsigned long dzr_shrink_scan(struct shrinker *shrinker,
				     struct shrink_control *sc)
{
	struct dzr_dev *d = dzr_shrinker_data(shrinker);
	unsigned long freed;

	if (READ_ONCE(d->suspended))
		return SHRINK_STOP;
	freed = dzr_drop_pages(d, sc->nr_to_scan);
	if (freed < sc->nr_to_scan)
		freed += dzr_compact_idle(d, sc->nr_to_scan - freed);
	sc->nr_scanned = sc->nr_to_scan;
	if (freed < sc->nr_to_scan)
		dzr_demote_scan(d, sc->nr_to_scan - freed);
	return freed;
}

/* Nothing to do if somebody, another device of ours perhaps, has freed pages. */
static int dzr_oom_notify(struct notifier_block *nb, unsigned long unused,
			  void *data)
{
	struct dzr_dev *d = container_of(nb, struct dzr_dev, oom);
	unsigned long pages = max(dzs_pages(d->pool) / DZR_OOM_SHARE,
				  DZR_OOM_PAGES);
	unsigned long *freed = data;

	if (!*freed)
		*freed = dzr_demote_rescue(d, pages,
					   msecs_to_jiffies(DZR_OOM_MS));
	return NOTIFY_OK;
}

int dzr_shrinker_register(struct dzr_dev *d)
{
	struct shrinker *s = dzr_shrinker_alloc();
	int err;

	if (!s)
		return -ENOMEM;
	dzr_shrinker_set(s, d);
	s->count_objects = dzr_shrink_count;
	s->scan_objects = dzr_shrink_scan;
	s->seeks = DZR_SEEKS;
	err = dzr_shrinker_add(s, "dm-zram");
	if (err) {
		dzr_shrinker_abandon(s);
		return err;
	}
	d->oom.notifier_call = dzr_oom_notify;
	err = register_oom_notifier(&d->oom);
	if (err) {
		dzr_shrinker_free(s);
		return err;
	}
	d->shrinker = s;
	return 0;
}

void dzr_shrinker_unregister(struct dzr_dev *d)
{
	if (d->shrinker) {
		unregister_oom_notifier(&d->oom);
		dzr_shrinker_free(d->shrinker);
	}
	d->shrinker = NULL;
}
