// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a device: creation from a configuration, sharing between the live
 * and the new table of a reload, suspend and resume, destruction.
 *
 * Locks: dzr_devices_lock around the list and the user counts; a device is
 * created under it, and stays in the list until it is destroyed.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "budget.h"
#include "colddev.h"
#include "compact.h"
#include "debugfs.h"
#include "demote.h"
#include "device.h"
#include "grouping.h"
#include "io.h"
#include "takeover.h"
#include "tier.h"

/*
 * Pages set aside for leaves of the block table, 2 MiB of new blocks each: a
 * write that goes to the log needs no other memory. Swapping out what they
 * cover frees more than enough to fill them up again.
 */
#define DZR_TABLE_RESERVE	32U
#define DZR_TABLE_RESERVE_COLD	160U

/* Automatic page reserve of the pool: 1/128 of its limit, within bounds. */
#define DZR_POOL_RESERVE_SHIFT	7
#define DZR_POOL_RESERVE_MIN	64UL
#define DZR_POOL_RESERVE_MAX	1024UL

/* The allocator has one of its own, for whoever sets none. */
static_assert(DZR_COMPACT_SLACK_DEFAULT == DZS_DEFAULT_SLACK);

static DEFINE_MUTEX(dzr_devices_lock);
static LIST_HEAD(dzr_devices);

void dzr_dev_refill(struct dzr_dev *d)
{
	queue_work(d->wq, &d->refill_work);
}

/* GFP_NOIO: we are what reclaim may be waiting for. */
static void dzr_refill_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(work, struct dzr_dev, refill_work);
	gfp_t gfp = GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN;

	if (dzr_btable_refill(d->bt, gfp))
		dzs_refill(d->pool, gfp);
	dzr_kick(d);
}

static void dzr_event_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(work, struct dzr_dev, event_work);
	struct dm_target *ti = READ_ONCE(d->ti);

	if (ti)
		dm_table_event(ti->table);
	else
		d->event_due = true;
}

static u64 dzr_limit_of(const struct dzr_config *cfg)
{
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	u64 limit = dzr_limit_bytes(&cfg->mem_limit, ram);

	return limit ?: U64_MAX;
}

unsigned long dzr_dev_reserve(const struct dzr_config *cfg)
{
	u64 limit = dzr_limit_of(cfg);

	if (cfg->reserve)
		return DIV_ROUND_UP_ULL(cfg->reserve, PAGE_SIZE);
	if (limit == U64_MAX)
		return DZR_POOL_RESERVE_MIN;
	return clamp_t(u64, limit >> (DZR_POOL_RESERVE_SHIFT + PAGE_SHIFT),
		       DZR_POOL_RESERVE_MIN, DZR_POOL_RESERVE_MAX);
}

void dzr_dev_configure(struct dzr_dev *d, const struct dzr_config *cfg)
{
	u64 limit = dzr_limit_of(cfg);

	lockdep_assert_held(&d->hand_lock);

	d->cfg = *cfg;
	/* Points into an argv that will go; only whether it is there counts. */
	d->cfg.cold = cfg->cold ? "" : NULL;
	WRITE_ONCE(d->policy, cfg->policy);
	WRITE_ONCE(d->limit, limit);
	if (d->pool)
		dzs_set_slack(d->pool, cfg->compact_slack);
	dzr_budget_set(d, cfg->wear_budget);
	if (d->log)
		dzr_log_set_discard(d->log, cfg->discard_passdown);
}

/* Free what takeovers have left over. */
static void dzr_dev_clear_retired(struct dzr_dev *d)
{
	struct dzr_takeover *tk, *next;

	llist_for_each_entry_safe(tk, next, llist_del_all(&d->retired), node)
		dzr_takeover_free(tk);
}

int dzr_dev_take(struct dzr_dev *d, struct dzr_takeover *tk, char **error)
{
	int err;

	mutex_lock(&d->hand_lock);
	err = dzr_takeover_apply(d, tk, error);
	mutex_unlock(&d->hand_lock);
	if (!err)
		llist_add(&tk->node, &d->retired);
	return err;
}

int dzr_dev_set(struct dzr_dev *d, const char *key, const char *value,
		char **error)
{
	struct dzr_takeover *tk;
	struct dzr_config cfg;
	int err;

	dzr_dev_config(d, &cfg);
	err = dzr_config_set(&cfg, key, value, error);
	if (err)
		return err;
	tk = dzr_takeover_change(d, &cfg, error);
	if (IS_ERR(tk))
		return PTR_ERR(tk);
	mutex_lock(&d->hand_lock);
	/* Something else may have changed meanwhile. */
	tk->sectors = d->sectors;
	tk->cold_dev = d->cold_dev;
	tk->cfg = d->cfg;
	err = dzr_config_set(&tk->cfg, key, value, error);
	if (!err)
		err = dzr_takeover_apply(d, tk, error);
	mutex_unlock(&d->hand_lock);
	dzr_takeover_free(tk);
	if (!err)
		dzr_demote_check(d);
	return err;
}

void dzr_dev_config(struct dzr_dev *d, struct dzr_config *cfg)
{
	mutex_lock(&d->hand_lock);
	*cfg = d->cfg;
	mutex_unlock(&d->hand_lock);
}

static void dzr_dev_stop_log(struct dzr_dev *d)
{
	if (d->log)
		dzr_log_stop(d->log);
	dzr_cold_stop(d);
}

/* Free all but the structure itself. */
static void dzr_dev_free(struct dzr_dev *d)
{
	dzr_debugfs_remove(d);
	dzr_shrinker_unregister(d);
	if (d->wq) {
		d->suspended = true;
		dzr_demote_stop(d);
		dzr_compact_stop(d);
		flush_workqueue(d->wq);
		dzr_dev_stop_log(d);
		dzr_log_destroy(d->log);
		cancel_delayed_work_sync(&d->io_retry);
		destroy_workqueue(d->wq);
	}
	dzr_colddev_close(d->cold);
	dzr_colddev_close(d->cold_old);
	dzr_grouping_destroy(d->grouping);
	if (d->pool)
		dzr_forget(d);
	dzs_destroy(d->pool);
	dzr_btable_destroy(d->bt);
	dzr_streams_destroy(d->streams);
	free_percpu(d->stats);
}

static int dzr_dev_create_log(struct dzr_dev *d)
{
	struct block_device *cold = d->cold->bdev;
	struct dzr_log_params params = {
		.bdev = cold,
		.sectors = bdev_nr_sectors(cold),
		.segment_size = d->cfg.segment_size,
		.discard = d->cfg.discard_passdown,
		.wq = d->wq,
		.stats = d->stats,
		.ops = &dzr_log_ops,
		.owner = d,
		.dev = d->dev,
	};
	struct dzr_log *log = dzr_log_create(&params);

	if (IS_ERR(log))
		return PTR_ERR(log);
	d->log = log;
	return 0;
}

unsigned int dzr_dev_table_reserve(sector_t sectors, bool cold)
{
	u64 leaves = sectors / DZR_BLOCK_SECTORS / DZR_LEAF_BLOCKS + 1;
	u64 pages = leaves + leaves / DZR_LEAF_BLOCKS + 1;

	return min_t(u64, pages, cold ? DZR_TABLE_RESERVE_COLD :
					DZR_TABLE_RESERVE);
}

/* Make all parts of a device. Returns 0 or what went wrong. */
static int dzr_dev_build(struct dzr_dev *d, struct block_device *cold)
{
	struct dzs_pool *pool;
	struct dzr_streams *streams;

	d->wq = alloc_workqueue("dm-zram", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	d->stats = alloc_percpu(struct dzr_stats);
	d->bt = dzr_btable_create(d->sectors / DZR_BLOCK_SECTORS,
				  dzr_dev_table_reserve(d->sectors, cold));
	if (!d->wq || !d->stats || !d->bt)
		return -ENOMEM;
	pool = dzs_create(&dzr_pool_ops, d, dzr_dev_reserve(&d->cfg));
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	d->pool = pool;
	dzs_set_slack(pool, d->cfg.compact_slack);
	streams = dzr_streams_create(d->cfg.codec);
	if (IS_ERR_OR_NULL(streams))
		return -ENOMEM;
	d->streams = streams;
	if (cold) {
		int err = dzr_dev_create_log(d);

		if (err)
			return err;
	}
	if (d->cfg.cold_codec) {
		d->grouping = dzr_grouping_create();
		if (!d->grouping)
			return -ENOMEM;
	}
	dzr_debugfs_add(d);
	return dzr_shrinker_register(d);
}

/* The cold device is the device's own from now on. */
static int dzr_dev_hold(struct dzr_dev *d, struct block_device *cold,
			char **error)
{
	char *nomem = *error;

	d->cold = dzr_colddev_open(d, cold, error);
	if (IS_ERR(d->cold)) {
		int err = PTR_ERR(d->cold);

		d->cold = NULL;
		return err;
	}
	*error = nomem;
	d->cold_dev = d->cold->dev;
	return 0;
}

static struct dzr_dev *dzr_dev_create(struct mapped_device *md,
				      sector_t sectors,
				      const struct dzr_config *cfg,
				      struct block_device *cold, char **error)
{
	struct dzr_dev *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err = 0;

	*error = "Not enough memory";
	if (!d)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&d->list);
	init_llist_head(&d->retired);
	d->users = 1;
	d->md = md;
	d->dev = disk_devt(dm_disk(md));
	d->sectors = sectors;
	d->suspended = true;
	dzr_io_init(d);
	dzr_spread_init(d);
	dzr_demote_init(d);
	dzr_compact_init(d);
	dzr_budget_init(d);
	dzr_cold_init(d);
	INIT_WORK(&d->refill_work, dzr_refill_work);
	INIT_WORK(&d->event_work, dzr_event_work);
	mutex_lock(&d->hand_lock);
	dzr_dev_configure(d, cfg);
	mutex_unlock(&d->hand_lock);
	if (cold)
		err = dzr_dev_hold(d, cold, error);
	if (!err)
		err = dzr_dev_build(d, cold);
	if (err) {
		if (err == -ENOSPC)
			*error = "Cold device is too small for a log";
		dzr_dev_free(d);
		kfree(d);
		return ERR_PTR(err);
	}
	return d;
}

static struct dzr_dev *dzr_dev_find(struct mapped_device *md)
{
	struct dzr_dev *d;

	list_for_each_entry(d, &dzr_devices, list)
		if (d->md == md)
			return d;
	return NULL;
}

/* One more table for a device, which is not touched. */
static int dzr_dev_join(struct dzr_dev *d, sector_t sectors,
			const struct dzr_config *cfg,
			struct block_device *cold, struct dzr_takeover **tk,
			char **error)
{
	struct dzr_takeover *new;

	if (!d->live) {
		*error = "Another table is loaded and not active: clear it first";
		return -EINVAL;
	}
	new = dzr_takeover_create(d, sectors, cfg, cold, error);
	if (IS_ERR(new))
		return PTR_ERR(new);
	*tk = new;
	d->users++;
	return 0;
}

struct dzr_dev *dzr_dev_get(struct mapped_device *md, sector_t sectors,
			    const struct dzr_config *cfg,
			    struct block_device *cold,
			    struct dzr_takeover **tk, char **error)
{
	struct dzr_dev *d;
	int err;

	mutex_lock(&dzr_devices_lock);
	d = dzr_dev_find(md);
	if (d) {
		err = dzr_dev_join(d, sectors, cfg, cold, tk, error);
		if (err)
			d = ERR_PTR(err);
	} else {
		d = dzr_dev_create(md, sectors, cfg, cold, error);
		if (!IS_ERR(d))
			list_add(&d->list, &dzr_devices);
	}
	mutex_unlock(&dzr_devices_lock);
	return d;
}

/*
 * Tearing down may wait for a slow cold device, so not under the lock; until
 * it is done, the device stays in the list, for nobody else to take its cold
 * device, but is no longer found by its mapped device.
 */
void dzr_dev_put(struct dzr_dev *d)
{
	bool last;

	mutex_lock(&dzr_devices_lock);
	last = !--d->users;
	if (last)
		d->md = NULL;
	mutex_unlock(&dzr_devices_lock);
	dzr_dev_clear_retired(d);
	if (!last)
		return;
	dzr_dev_free(d);
	mutex_lock(&dzr_devices_lock);
	list_del(&d->list);
	mutex_unlock(&dzr_devices_lock);
	kfree(d);
}

void dzr_dev_suspend(struct dzr_dev *d)
{
	WRITE_ONCE(d->ti, NULL);
	dzr_dev_stop_log(d);
	/* Who has ended a bio may go on, for its neighbours' sake or to free its read. */
	flush_workqueue(d->wq);
	/* What it has to tell is told once: later, then. */
	if (cancel_work_sync(&d->event_work))
		d->event_due = true;
}

void dzr_dev_resume(struct dzr_dev *d)
{
	WRITE_ONCE(d->suspended, false);
	/* One that began before d->ti was set may yet say that it is due. */
	flush_work(&d->event_work);
	if (d->event_due)
		queue_work(d->wq, &d->event_work);
	d->event_due = false;
	if (d->log)
		dzr_log_start(d->log);
	dzr_demote_start(d);
}

void dzr_dev_for_each(void (*fn)(struct dzr_dev *d, void *arg), void *arg)
{
	struct dzr_dev *d;

	mutex_lock(&dzr_devices_lock);
	list_for_each_entry(d, &dzr_devices, list)
		if (d->md && d->live)
			fn(d, arg);
	mutex_unlock(&dzr_devices_lock);
}

void dzr_dev_freeze(struct dzr_dev *d, bool swap)
{
	struct dm_target *ti = READ_ONCE(d->ti);

	if (d->frozen || READ_ONCE(d->suspended))
		return;
	WRITE_ONCE(d->suspended, true);
	dzr_demote_stop(d);
	dzr_compact_stop(d);
	dzr_dev_suspend(d);
	WRITE_ONCE(d->ti, ti);
	WRITE_ONCE(d->frozen, true);
	WRITE_ONCE(d->no_image, swap);
}

void dzr_dev_thaw(struct dzr_dev *d)
{
	if (!d->frozen)
		return;
	WRITE_ONCE(d->no_image, false);
	dzr_dev_resume(d);
	/* Last: until then dzr_dev_own() waits. */
	WRITE_ONCE(d->frozen, false);
}

void dzr_dev_own(struct dzr_dev *d)
{
	if (!READ_ONCE(d->frozen))
		return;
	mutex_lock(&dzr_devices_lock);
	WRITE_ONCE(d->frozen, false);
	WRITE_ONCE(d->no_image, false);
	mutex_unlock(&dzr_devices_lock);
}
