/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takeover: what a table brings to a device that is there already, and how the
 * device becomes what the table says.
 *
 * In three steps. Loading (the constructor, while the old table is live) looks
 * whether the device can become that, and makes all that it needs for it, but
 * changes nothing. Preresume (suspended: no bio, no demotion, no cleaner, but
 * the shrinker at any time) looks again, since the device may have become
 * another one meanwhile, and changes all of it or nothing; it allocates nothing
 * and waits for nobody who might. What the device does not need any more is
 * freed when a table lets go of the device, which the old one does once I/O
 * goes on.
 *
 * A message that sets an argument goes the same way, with I/O going on; size
 * and cold device are as they were then.
 *
 * Locks: d->hand_lock while the device changes.
 */
#ifndef DZR_TAKEOVER_H
#define DZR_TAKEOVER_H

#include <linux/llist.h>

#include "device.h"

/**
 * struct dzr_takeover - a table that is to take over a device
 * @node: among what the device has to free
 * @sectors: size
 * @cfg: configuration
 * @message: it is a message's: size and cold device are as they were
 * @cold: the cold device, open for the table, or NULL; not of a message
 * @cold_dev: its device number, 0 without
 * @change: for the log, or NULL
 * @colddev: @cold, opened for the device, if it does not have it
 * @root: for a larger block table, or NULL if it needs none
 * @streams: for another algorithm, or NULL
 * @reserve: of another size, for the pool, or NULL
 * @grouping: made for the device, or NULL if it needs none
 *
 * Before it takes effect, the parts are the new ones; after that, the old ones.
 */
struct dzr_takeover {
	struct llist_node node;
	sector_t sectors;
	struct dzr_config cfg;
	bool message;
	struct block_device *cold;
	dev_t cold_dev;
	struct dzr_log_change *change;
	struct dzr_colddev *colddev;
	struct dzr_broot *root;
	struct dzr_streams *streams;
	struct dzs_reserve *reserve;
	struct dzr_grouping *grouping;
};

/**
 * dzr_takeover_create - look whether a table can take over a device
 * @d: the device
 * @sectors: size of the table
 * @cfg: its configuration
 * @cold: its cold device, or NULL
 * @error: what is wrong, for ti->error
 *
 * Context: process; may sleep (GFP_KERNEL); the caller is in a no-I/O scope.
 * Return: what the table brings; ERR_PTR(-EINVAL) when the device cannot become
 * that, or ERR_PTR(-ENOMEM).
 */
struct dzr_takeover *dzr_takeover_create(struct dzr_dev *d, sector_t sectors,
					 const struct dzr_config *cfg,
					 struct block_device *cold,
					 char **error);

/**
 * dzr_takeover_change - as dzr_takeover_create(), for a message
 * @d: the device, whose size and cold device stay
 * @cfg: what its configuration is to be
 * @error: what is wrong
 */
struct dzr_takeover *dzr_takeover_change(struct dzr_dev *d,
					 const struct dzr_config *cfg,
					 char **error);

/**
 * dzr_takeover_apply - make the device what the table says
 * @d: the device
 * @tk: from dzr_takeover_create(); its configuration may have changed since in
 *	what needs nothing to be made
 * @error: what is wrong
 *
 * Context: process; hand_lock held; allocates nothing. The device is suspended
 * unless size and cold device are as they were.
 * Return: 0; -EINVAL when the device is another one since @tk was made, and
 * then it stays as it is.
 */
int dzr_takeover_apply(struct dzr_dev *d, struct dzr_takeover *tk,
		       char **error);

/**
 * dzr_takeover_free - free what a takeover still has
 * @tk: whether it took effect or not; NULL is allowed
 *
 * Context: process; may sleep.
 */
void dzr_takeover_free(struct dzr_takeover *tk);

#endif /* DZR_TAKEOVER_H */
