// SPDX-License-Identifier: GPL-2.0
/*
 * Cold devices: who holds which, and how a device changes from one to another.
 * See colddev.h.
 *
 * Closing may take long, and memory; so it is not for the device's workqueue,
 * which reclaim may wait for.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "colddev.h"
#include "compat.h"
#include "device.h"
#include "takeover.h"

#define DM_MSG_PREFIX "zram"

static DEFINE_MUTEX(dzr_colddevs_lock);
static LIST_HEAD(dzr_colddevs);

/* Make it known that it is held, unless another device holds it. */
static bool dzr_colddev_claim(struct dzr_colddev *c)
{
	struct dzr_colddev *other;
	bool ours = true;

	mutex_lock(&dzr_colddevs_lock);
	list_for_each_entry(other, &dzr_colddevs, list)
		if (other->dev == c->dev && other->owner != c->owner)
			ours = false;
	if (ours)
		list_add(&c->list, &dzr_colddevs);
	mutex_unlock(&dzr_colddevs_lock);
	return ours;
}

static void dzr_colddev_unclaim(struct dzr_colddev *c)
{
	mutex_lock(&dzr_colddevs_lock);
	list_del(&c->list);
	mutex_unlock(&dzr_colddevs_lock);
}

struct dzr_colddev *dzr_colddev_open(const struct dzr_dev *d,
				     struct block_device *bdev, char **error)
{
	struct dzr_colddev *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int err;

	*error = "Not enough memory";
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->owner = d;
	c->dev = bdev->bd_dev;
	if (!dzr_colddev_claim(c)) {
		*error = "Cold device belongs to another dm-zram device";
		kfree(c);
		return ERR_PTR(-EBUSY);
	}
	err = dzr_bdev_open(bdev, &c->bdev, &c->file);
	if (err) {
		*error = "Cold device cannot be opened once more";
		dzr_colddev_unclaim(c);
		kfree(c);
		return ERR_PTR(err);
	}
	return c;
}

void dzr_colddev_close(struct dzr_colddev *c)
{
	if (!c)
		return;
	dzr_bdev_close(c->bdev, c->file);
	dzr_colddev_unclaim(c);
	kfree(c);
}

char *dzr_cold_verify(struct dzr_dev *d, const struct dzr_takeover *tk)
{
	if (!d->cold_dev != !tk->cold_dev)
		return "A cold device cannot be added to an active device, or taken from it";
	if (tk->change && !dzr_log_change_ready(d->log, tk->change))
		return "The device has changed since this table was loaded: load it again";
	return NULL;
}

int dzr_cold_prepare(struct dzr_dev *d, struct dzr_takeover *tk, char **error)
{
	u64 blocks = tk->cfg.overcommit ? 0 : tk->sectors / DZR_BLOCK_SECTORS;
	bool has_it;
	u32 since;

	if (!tk->cold)
		return 0;
	/* Another table may take effect from here on: then this one cannot. */
	mutex_lock(&d->hand_lock);
	since = dzr_log_changes(d->log);
	has_it = tk->cold == d->cold->bdev;
	mutex_unlock(&d->hand_lock);

	*error = dzr_log_change_check(d->log, tk->cold, blocks);
	if (*error)
		return -EINVAL;
	if (!has_it) {
		struct dzr_colddev *c = dzr_colddev_open(d, tk->cold, error);

		if (IS_ERR(c))
			return PTR_ERR(c);
		tk->colddev = c;
	}
	tk->change = dzr_log_change_create(d->log, tk->cold, since);
	return tk->change ? 0 : -ENOMEM;
}

void dzr_cold_apply(struct dzr_dev *d, struct dzr_takeover *tk)
{
	lockdep_assert_held(&d->hand_lock);

	if (!tk->change)
		return;
	switch (dzr_log_change_apply(d->log, tk->change)) {
	case DZR_LOG_SAME:
		return;
	case DZR_LOG_NEW:
		WRITE_ONCE(d->cold_old, d->cold);
		d->cold = tk->colddev;
		tk->colddev = NULL;
		break;
	case DZR_LOG_BACK:
		swap(d->cold, d->cold_old);
		break;
	}
	d->cold_dev = d->cold->dev;
	DMINFO("%u:%u: cold device %u:%u from now on, blocks move off %u:%u",
	       MAJOR(d->dev), MINOR(d->dev),
	       MAJOR(d->cold->dev), MINOR(d->cold->dev),
	       MAJOR(d->cold_old->dev), MINOR(d->cold_old->dev));
}

void dzr_cold_release(struct dzr_takeover *tk)
{
	dzr_log_change_destroy(tk->change);
	dzr_colddev_close(tk->colddev);
}

static void dzr_let_go_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(work, struct dzr_dev, let_go_work);
	struct dzr_colddev *old = d->cold_old;
	unsigned int noio = memalloc_noio_save();

	if (old && dzr_log_forget(d->log)) {
		dev_t dev = old->dev;

		dzr_colddev_close(old);
		WRITE_ONCE(d->cold_old, NULL);
		DMINFO("%u:%u: no block is left on %u:%u",
		       MAJOR(d->dev), MINOR(d->dev), MAJOR(dev), MINOR(dev));
		queue_work(d->wq, &d->event_work);
	}
	memalloc_noio_restore(noio);
}

void dzr_let_go(struct dzr_dev *d)
{
	queue_work(system_long_wq, &d->let_go_work);
}

void dzr_cold_init(struct dzr_dev *d)
{
	INIT_WORK(&d->let_go_work, dzr_let_go_work);
}

void dzr_cold_stop(struct dzr_dev *d)
{
	cancel_work_sync(&d->let_go_work);
}
