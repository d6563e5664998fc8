/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cold device as a dm-zram device holds it.
 *
 * A table has its cold device opened by device-mapper, for as long as there is the
 * table. Blocks move from one cold device to another longer than the old table
 * lives, and the new one must not name the old device: so each dm-zram device
 * opens its cold devices once more, for itself, and lets go of them when they are
 * empty. (What device-mapper has opened it can only close with the table:
 * dm_put_device() in a running table is not safe against who lists its devices.)
 *
 * Here is also known which cold device belongs to whom: never to two.
 *
 * Locks: dzr_colddevs_lock, a mutex, inside dzr_devices_lock; nothing inside.
 */
#ifndef DZR_COLDDEV_H
#define DZR_COLDDEV_H

#include <linux/list.h>
#include <linux/types.h>

struct block_device;
struct dzr_dev;
struct dzr_takeover;
struct file;

/**
 * struct dzr_colddev - a cold device that is held
 * @list: among all of them
 * @owner: who holds it
 * @dev: its device number
 * @bdev: the device, opened for the owner
 * @file: that, in kernels that open a file
 */
struct dzr_colddev {
	struct list_head list;
	const struct dzr_dev *owner;
	dev_t dev;
	struct block_device *bdev;
	struct file *file;
};

/**
 * dzr_colddev_open - hold a cold device
 * @d: for whom; it may have it already
 * @bdev: the device, opened by device-mapper
 * @error: a message when it fails
 *
 * The device is claimed as device-mapper has claimed it, and stays so when that
 * closes it.
 *
 * Context: process; may sleep.
 * Return: the device, or ERR_PTR(): -EBUSY when it belongs to another dm-zram
 * device.
 */
struct dzr_colddev *dzr_colddev_open(const struct dzr_dev *d,
				     struct block_device *bdev, char **error);

/**
 * dzr_colddev_close - let go of a cold device
 * @c: the device, not used any more; or NULL
 *
 * Context: process; may sleep.
 */
void dzr_colddev_close(struct dzr_colddev *c);

/**
 * dzr_cold_verify - could a table's cold device be that of a running device?
 * @d: the device
 * @tk: the table
 *
 * Context: as the checks of takeover.c.
 * Return: NULL, or why not.
 */
char *dzr_cold_verify(struct dzr_dev *d, const struct dzr_takeover *tk);

/**
 * dzr_cold_prepare - make what a device needs for a table's cold device
 * @d: the device
 * @tk: the table
 * @error: a message when it fails, but for -ENOMEM
 *
 * Context: process; may sleep; takes hand_lock for a moment. If another table gives
 * the log other segments meanwhile, or later, dzr_cold_verify() says no.
 * Return: 0, -EINVAL if it cannot be, -EBUSY, -ENOMEM.
 */
int dzr_cold_prepare(struct dzr_dev *d, struct dzr_takeover *tk, char **error);

/**
 * dzr_cold_apply - the table's cold device is that of the device
 * @d: the device, suspended
 * @tk: the table
 *
 * Context: process; hand_lock held; allocates nothing.
 */
void dzr_cold_apply(struct dzr_dev *d, struct dzr_takeover *tk);

/**
 * dzr_cold_release - free what a table did not need for its cold device
 * @tk: the table
 *
 * Context: process; may sleep.
 */
void dzr_cold_release(struct dzr_takeover *tk);

/**
 * dzr_let_go - close the old cold device, which is empty
 * @d: the device
 *
 * Context: any.
 */
void dzr_let_go(struct dzr_dev *d);

/**
 * dzr_cold_init - before the device has any cold device
 * @d: the device
 */
void dzr_cold_init(struct dzr_dev *d);

/**
 * dzr_cold_stop - no cold device is let go from now on
 * @d: the device, whose log is stopped
 *
 * Context: process; waits for one that is being closed.
 */
void dzr_cold_stop(struct dzr_dev *d);

#endif /* DZR_COLDDEV_H */
