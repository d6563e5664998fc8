// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation. See hibernate.h.
 *
 * Two callbacks of the kernel are needed. The notifier is called first, while
 * everything runs, and last; between them memory is made free for the image, for
 * which the kernel may swap, so nothing can be stopped yet. A device's "prepare"
 * is called when all processes are frozen, before the first disk is stopped, so
 * that our own writes can end; that is what the platform device is for.
 *
 * Locks: dzr_dev_for_each() holds dzr_devices_lock. The callbacks are serialised
 * by the kernel.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/suspend.h>

#include "compat.h"
#include "device.h"
#include "hibernate.h"

#define DM_MSG_PREFIX "zram"

static bool hibernation;
module_param(hibernation, bool, 0644);
MODULE_PARM_DESC(hibernation,
		 "Swap on dm-zram does not keep the machine from hibernating (to another disk)");

/* Between the first call of the notifier and its last. */
static bool dzr_hibernating;
static struct platform_device *dzr_pm_device;

/*
 * Swap on the device itself can be seen; swap in a file or on a device above by
 * what is written, as long as somebody has the device open.
 */
static bool dzr_is_swap(struct dzr_dev *d)
{
	struct gendisk *disk = dm_disk(d->md);

	if (IS_SWAPFILE(dzr_bdev_inode(disk->part0)))
		return true;
	return READ_ONCE(d->swapped) && disk_openers(disk);
}

/* One line for the first device that is swap. */
static void dzr_hibernate_look(struct dzr_dev *d, void *found)
{
	bool *swap = found;

	if (*swap || !dzr_is_swap(d))
		return;
	*swap = true;
	DMERR("%u:%u: no hibernation while the device is in use as swap: an image in it would be lost (see dm_zram.hibernation)",
	      MAJOR(d->dev), MINOR(d->dev));
}

static void dzr_hibernate_freeze(struct dzr_dev *d, void *unused)
{
	dzr_dev_freeze(d, dzr_is_swap(d));
}

static void dzr_hibernate_thaw(struct dzr_dev *d, void *unused)
{
	dzr_dev_thaw(d);
}

static int dzr_pm_notify(struct notifier_block *nb, unsigned long event,
			 void *unused)
{
	bool swap = false;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
		if (!READ_ONCE(hibernation))
			dzr_dev_for_each(dzr_hibernate_look, &swap);
		if (swap)
			return notifier_from_errno(-EBUSY);
		dzr_hibernating = true;
		break;
	case PM_POST_HIBERNATION:
		dzr_hibernating = false;
		dzr_dev_for_each(dzr_hibernate_thaw, NULL);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block dzr_pm_notifier = {
	.notifier_call = dzr_pm_notify,
};

/* Of suspend to RAM, too, which we need not know of. */
static int dzr_pm_prepare(struct device *dev)
{
	if (dzr_hibernating)
		dzr_dev_for_each(dzr_hibernate_freeze, NULL);
	return 0;
}

static const struct dev_pm_ops dzr_pm_ops = {
	.prepare = dzr_pm_prepare,
};

static struct platform_driver dzr_pm_driver = {
	.driver = {
		.name = "dm-zram",
		.pm = &dzr_pm_ops,
	},
};

int dzr_hibernate_init(void)
{
	int err = platform_driver_register(&dzr_pm_driver);

	if (err)
		return err;
	dzr_pm_device = platform_device_register_simple("dm-zram",
						PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(dzr_pm_device)) {
		err = PTR_ERR(dzr_pm_device);
		goto no_device;
	}
	err = register_pm_notifier(&dzr_pm_notifier);
	if (!err)
		return 0;
	platform_device_unregister(dzr_pm_device);
no_device:
	platform_driver_unregister(&dzr_pm_driver);
	return err;
}

void dzr_hibernate_exit(void)
{
	unregister_pm_notifier(&dzr_pm_notifier);
	platform_device_unregister(dzr_pm_device);
	platform_driver_unregister(&dzr_pm_driver);
}
