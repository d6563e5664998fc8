// SPDX-License-Identifier: GPL-2.0
/*
 * The "zram" target: what device-mapper asks of us.
 *
 * A table's target holds one use of its device. On a reload two tables hold
 * the same device; the new one's configuration counts from preresume on.
 *
 * Suspend: presuspend stops demotion; dm waits for the bios (for which
 * deferral and the cleaner still run); postsuspend stops the log.
 *
 * Locks: dm's own; none here.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compact.h"
#include "compat.h"
#include "demote.h"
#include "io.h"
#include "message.h"
#include "takeover.h"
#include "target.h"

#define DM_MSG_PREFIX "zram"

/* Most of one discard or write-zeroes: 1 GiB, which a bio's size can say. */
#define DZR_MAX_ZERO_SECTORS	(1U << (30 - SECTOR_SHIFT))

/**
 * struct dzr_target - one table's hold on a device
 * @d: the device
 * @cold: the cold device as this table has opened it, or NULL
 * @cfg: the configuration of this table
 * @tk: what it brings to a device that was there before; NULL once it has
 *	taken effect
 */
struct dzr_target {
	struct dzr_dev *d;
	struct dm_dev *cold;
	struct dzr_config cfg;
	struct dzr_takeover *tk;
};

static char *dzr_cold_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "Cold device is in use (mounted or claimed)";
	case -EACCES:
	case -EROFS:
	case -EPERM:
		return "Cold device is read-only";
	default:
		return "Cold device not found";
	}
}

static char *dzr_cold_check(struct dm_target *ti, struct block_device *bdev,
			    const struct dzr_config *cfg)
{
	struct gendisk *self = dm_disk(dm_table_get_md(ti->table));
	sector_t least = dzr_log_min_sectors(ti->len / DZR_BLOCK_SECTORS,
					     cfg->segment_size);

	if (bdev->bd_dev == disk_devt(self))
		return "A device cannot be its own cold device";
	if (!bdev_nr_sectors(bdev))
		return "Cold device has no size";
	if (bdev_read_only(bdev))
		return "Cold device is read-only";
	if (bdev_logical_block_size(bdev) > DZR_BLOCK_SIZE)
		return "Cold device has logical blocks larger than 4096 bytes";
	if (bdev_nr_sectors(bdev) < least && !cfg->overcommit) {
		DMERR("cold device has %llu sectors, %llu blocks need %llu",
		      (u64)bdev_nr_sectors(bdev),
		      (u64)ti->len / DZR_BLOCK_SECTORS, (u64)least);
		return "Cold device is too small to back every block (see overcommit)";
	}
	return NULL;
}

static int dzr_open_cold(struct dm_target *ti, struct dzr_target *t)
{
	int err;

	if (!t->cfg.cold)
		return 0;
	err = dm_get_device(ti, t->cfg.cold, DZR_OPEN_MODE, &t->cold);
	if (err) {
		t->cold = NULL;
		ti->error = dzr_cold_error(err);
		return err;
	}
	ti->error = dzr_cold_check(ti, t->cold->bdev, &t->cfg);
	return ti->error ? -EINVAL : 0;
}

static void dzr_target_free(struct dm_target *ti, struct dzr_target *t)
{
	dzr_takeover_free(t->tk);
	if (t->d)
		dzr_dev_put(t->d);
	if (t->cold)
		dm_put_device(ti, t->cold);
	kfree(t);
}

static void dzr_target_features(struct dm_target *ti)
{
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->flush_supported = true;
	ti->discards_supported = true;
	ti->limit_swap_bios = true;
	ti->per_io_data_size = sizeof(struct dzr_io);
}

static int dzr_target_open(struct dm_target *ti, struct dzr_target *t)
{
	struct block_device *cold;
	struct dzr_dev *d;
	int err = dzr_open_cold(ti, t);

	if (err)
		return err;
	cold = t->cold ? t->cold->bdev : NULL;
	d = dzr_dev_get(dm_table_get_md(ti->table), ti->len, &t->cfg, cold,
			&t->tk, &ti->error);
	if (IS_ERR(d))
		return PTR_ERR(d);
	t->d = d;
	return 0;
}

static int dzr_target_create(struct dm_target *ti, unsigned int argc,
			     char **argv)
{
	struct dzr_target *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t) {
		ti->error = "Not enough memory";
		return -ENOMEM;
	}
	err = dzr_config_parse(&t->cfg, argc, argv, &ti->error);
	if (!err)
		err = dzr_target_open(ti, t);
	if (err) {
		dzr_target_free(ti, t);
		return err;
	}
	t->cfg.cold = t->cold ? "" : NULL;	/* pointed into argv */
	ti->private = t;
	dzr_target_features(ti);
	return 0;
}

/*
 * A reload may run while the machine swaps to the live device, which may be
 * suspended next: nothing here may wait for its I/O.
 */
static int dzr_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned int noio;
	int err;

	if (ti->len % DZR_BLOCK_SECTORS) {
		ti->error = "Size is not a multiple of 4096 bytes";
		return -EINVAL;
	}
	if (ti->len / DZR_BLOCK_SECTORS > DZR_MAX_BLOCKS) {
		ti->error = "Size is beyond 16 TiB";
		return -EINVAL;
	}
	noio = memalloc_noio_save();
	err = dzr_target_create(ti, argc, argv);
	memalloc_noio_restore(noio);
	return err;
}

static void dzr_dtr(struct dm_target *ti)
{
	dzr_target_free(ti, ti->private);
}

static int dzr_map(struct dm_target *ti, struct bio *bio)
{
	struct dzr_target *t = ti->private;

	return dzr_io_map(t->d, bio);
}

static void dzr_presuspend(struct dm_target *ti)
{
	struct dzr_target *t = ti->private;

	dzr_dev_own(t->d);
	WRITE_ONCE(t->d->suspended, true);
	dzr_demote_stop(t->d);
	dzr_compact_stop(t->d);
}

static void dzr_presuspend_undo(struct dm_target *ti)
{
	struct dzr_target *t = ti->private;

	/* All of it: where the machine was about to hibernate, the log had stopped. */
	dzr_dev_resume(t->d);
}

static void dzr_postsuspend(struct dm_target *ti)
{
	struct dzr_target *t = ti->private;

	dzr_dev_suspend(t->d);
}

static int dzr_preresume(struct dm_target *ti)
{
	struct dzr_target *t = ti->private;
	struct dzr_dev *d = t->d;
	char *error;
	int err;

	if (t->tk) {
		err = dzr_dev_take(d, t->tk, &error);
		if (err) {
			DMERR("%u:%u: %s", MAJOR(d->dev), MINOR(d->dev), error);
			return err;
		}
		t->tk = NULL;
	}
	/* From here on what messages set counts, too. */
	d->live = t;
	return 0;
}

static void dzr_resume(struct dm_target *ti)
{
	struct dzr_target *t = ti->private;

	dzr_queue_stable(dm_disk(dm_table_get_md(ti->table))->queue);
	WRITE_ONCE(t->d->ti, ti);
	dzr_dev_resume(t->d);
}

static void dzr_status_table(struct dzr_target *t, char *result,
			     unsigned int maxlen)
{
	struct dzr_config cfg = t->cfg;
	int len;

	/* Messages may have changed what the live table said. */
	if (t->d->live == t)
		dzr_dev_config(t->d, &cfg);
	len = scnprintf(result, maxlen, "%s ", t->cold ? t->cold->name : "-");
	dzr_config_emit(&cfg, result + len, maxlen - len);
}

static void dzr_status(struct dm_target *ti, status_type_t type,
		       unsigned int flags, char *result, unsigned int maxlen)
{
	struct dzr_target *t = ti->private;

	switch (type) {
	case STATUSTYPE_INFO:
		dzr_status_line(t->d, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		dzr_status_table(t, result, maxlen);
		break;
	default:
		*result = '\0';
		break;
	}
}

static int dzr_target_message(struct dm_target *ti, unsigned int argc,
			      char **argv, char *result, unsigned int maxlen)
{
	struct dzr_target *t = ti->private;
	unsigned int noio = memalloc_noio_save();
	int ret = dzr_message(t->d, argc, argv, result, maxlen);

	memalloc_noio_restore(noio);
	return ret;
}

/*
 * No device is offered to dm for stacking limits: all data is copied, so
 * nothing of the cold device's queue shapes the bios of our users.
 */
static int dzr_iterate_devices(struct dm_target *ti,
			       iterate_devices_callout_fn fn, void *data)
{
	return 0;
}

static void dzr_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	limits->logical_block_size = DZR_BLOCK_SIZE;
	limits->physical_block_size = DZR_BLOCK_SIZE;
	limits->io_min = DZR_BLOCK_SIZE;
	limits->discard_granularity = DZR_BLOCK_SIZE;
	limits->max_discard_sectors = DZR_MAX_ZERO_SECTORS;
	limits->max_hw_discard_sectors = DZR_MAX_ZERO_SECTORS;
	dzr_limits_zeroes(limits, DZR_MAX_ZERO_SECTORS);
	dzr_limits_stable(limits);
}

struct target_type dzr_target_type = {
	.name = "zram",
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = dzr_ctr,
	.dtr = dzr_dtr,
	.map = dzr_map,
	.presuspend = dzr_presuspend,
	.presuspend_undo = dzr_presuspend_undo,
	.postsuspend = dzr_postsuspend,
	.preresume = dzr_preresume,
	.resume = dzr_resume,
	.status = dzr_status,
	.message = dzr_target_message,
	.iterate_devices = dzr_iterate_devices,
	.io_hints = dzr_io_hints,
};
