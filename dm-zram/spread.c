// SPDX-License-Identifier: GPL-2.0
/*
 * Large bios on more than one processor. See spread.h.
 *
 * Locks: spread->lock, innermost.
 */
#include <linux/cpumask.h>
#include <linux/device-mapper.h>
#include <linux/minmax.h>

#include "device.h"
#include "io.h"

/* Parts end where a group cannot be cut in two. */
static unsigned int dzr_spread_part(struct bio *bio)
{
	return DZR_SPREAD_SECTORS -
	       (bio->bi_iter.bi_sector & (DZR_SPREAD_SECTORS - 1));
}

/* Leave a part to a helper, if one could begin with it at once or next. */
static bool dzr_spread_give(struct dzr_spread *spread, struct bio *bio)
{
	unsigned int next;
	bool taken;

	spin_lock(&spread->lock);
	taken = spread->waiting < spread->nr;
	if (taken) {
		bio_list_add(&spread->bios, bio);
		spread->waiting++;
		next = spread->next++ % spread->nr;
	}
	spin_unlock(&spread->lock);
	if (taken)
		queue_work(spread->d->wq, &spread->work[next].work);
	return taken;
}

static struct bio *dzr_spread_take(struct dzr_spread *spread)
{
	struct bio *bio;

	spin_lock(&spread->lock);
	bio = bio_list_pop(&spread->bios);
	if (bio)
		spread->waiting--;
	spin_unlock(&spread->lock);
	return bio;
}

static void dzr_spread_help(struct work_struct *work)
{
	struct dzr_spread *spread =
		container_of(work, struct dzr_spread_helper, work)->spread;
	struct bio *bio;

	while ((bio = dzr_spread_take(spread)))
		dzr_io_walk(spread->d, bio);
}

void dzr_spread_init(struct dzr_dev *d)
{
	struct dzr_spread *spread = &d->spread;
	unsigned int i;

	spread->d = d;
	spin_lock_init(&spread->lock);
	bio_list_init(&spread->bios);
	atomic_set(&spread->submitters, 0);
	spread->nr = min(num_online_cpus() - 1, DZR_SPREAD_HELPERS);
	for (i = 0; i < DZR_SPREAD_HELPERS; i++) {
		spread->work[i].spread = spread;
		INIT_WORK(&spread->work[i].work, dzr_spread_help);
	}
}

int dzr_spread_map(struct dzr_dev *d, struct bio *bio)
{
	struct dzr_spread *spread = &d->spread;
	/* With as many submitters as processors a helper is in their way. */
	bool cut = spread->nr &&
		   atomic_inc_return(&spread->submitters) < num_online_cpus();

	if (cut)
		dm_accept_partial_bio(bio, dzr_spread_part(bio));
	dzr_io_begin(d, bio);
	if (cut && dzr_spread_give(spread, bio))
		dzr_stat_add(d->stats, DZR_STAT_HELPED, 1);
	else
		dzr_io_walk(d, bio);
	if (spread->nr)
		atomic_dec(&spread->submitters);
	return DM_MAPIO_SUBMITTED;
}
