// SPDX-License-Identifier: GPL-2.0
/*
 * Our share in memory reclaim.
 *
 * The count is what can be given back: pages that compaction would free, and,
 * while the log takes writes, the pool, out of which demotion takes what is
 * old. A scan
 * compacts at once and reports just what that freed; for the rest the
 * demotion worker is asked, which needs no memory and does not make the
 * caller wait.
 *
 * Locks: none; callers may hold anything that reclaim is allowed under, so
 * only spinlocks are taken (inside the allocator and for entries).
 */
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

static unsigned long dzr_shrink_count(struct shrinker *shrinker,
				      struct shrink_control *sc)
{
	struct dzr_dev *d = dzr_shrinker_data(shrinker);
	unsigned long pages = dzs_compactable(d->pool);

	if (READ_ONCE(d->suspended))
		return 0;
	if (dzr_demote_ready(d))
		pages = max(pages, dzs_pages(d->pool) >>
			    (READ_ONCE(d->refaulting) ? DZR_REFAULT_SHIFT : 0));
	return pages ?: SHRINK_EMPTY;
}

static unsigned long dzr_shrink_scan(struct shrinker *shrinker,
				     struct shrink_control *sc)
{
	struct dzr_dev *d = dzr_shrinker_data(shrinker);
	struct dzs_compact_ctl ctl = { .may_sleep = true };
	unsigned long want = min(dzs_compactable(d->pool), sc->nr_to_scan);
	unsigned long freed = 0;

	if (READ_ONCE(d->suspended))
		return SHRINK_STOP;
	if (want)
		freed = dzr_compact(d, want, &ctl);
	sc->nr_scanned = sc->nr_to_scan;
	if (freed < sc->nr_to_scan)
		dzr_demote_scan(d, sc->nr_to_scan - freed);
	return freed;
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
	d->shrinker = s;
	return 0;
}

void dzr_shrinker_unregister(struct dzr_dev *d)
{
	if (d->shrinker)
		dzr_shrinker_free(d->shrinker);
	d->shrinker = NULL;
}
