// SPDX-License-Identifier: GPL-2.0
/*
 * Module entry and exit.
 */
#include <linux/device-mapper.h>
#include <linux/module.h>

#include "debugfs.h"
#include "hibernate.h"
#include "stream.h"
#include "target.h"

static int __init dzr_init(void)
{
	int err = dzr_streams_init();

	if (err)
		return err;
	err = dzr_hibernate_init();
	if (err)
		goto no_hibernate;
	dzr_debugfs_init();
	err = dm_register_target(&dzr_target_type);
	if (!err)
		return 0;
	dzr_debugfs_exit();
	dzr_hibernate_exit();
no_hibernate:
	dzr_streams_exit();
	return err;
}

static void __exit dzr_exit(void)
{
	dm_unregister_target(&dzr_target_type);
	dzr_debugfs_exit();
	dzr_hibernate_exit();
	dzr_streams_exit();
}

module_init(dzr_init);
module_exit(dzr_exit);

MODULE_DESCRIPTION(DM_NAME " tiered compressed block device");
MODULE_ALIAS("dm-zram");
MODULE_LICENSE("GPL");
