// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/dzb_clock: nanoseconds that the guest's processors have run,
 * all together, in its kernel (a process of the guest is another one of the
 * host). For what keeps one processor busy in the kernel, the difference of two
 * readings is how long that took, without what the host did in between.
 *
 * Locks: none.
 */
#include <linux/debugfs.h>
#include <linux/module.h>

#include "hostclock.h"

static int clock_get(void *unused, u64 *value)
{
	*value = host_clock_ns(HOST_CLOCK_PROCESS);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(clock_fops, clock_get, NULL, "%llu\n");

static struct dentry *file;

static int __init clock_init(void)
{
	file = debugfs_create_file_unsafe("dzb_clock", 0400, NULL, NULL, &clock_fops);
	return 0;
}

static void __exit clock_exit(void)
{
	debugfs_remove(file);
}

module_init(clock_init);
module_exit(clock_exit);

MODULE_DESCRIPTION("how long the processors have run, for benches");
MODULE_LICENSE("GPL");
