// SPDX-License-Identifier: GPL-2.0
/*
 * Files in debugfs. See debugfs.h.
 *
 * Locks: none; debugfs keeps a device's files from being read once they are
 * being removed.
 */
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/device-mapper.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "device.h"

static struct dentry *dzr_debugfs_root;

static void dzr_show_classes(struct seq_file *m, struct dzs_pool *pool)
{
	struct dzs_class_info c;
	unsigned int i;

	seq_puts(m, "class  size slots chain  zspages    pages  objects     free\n");
	for (i = 0; dzs_class_info(pool, i, &c); i++)
		seq_printf(m, "%5u %5u %5u %5u %8lu %8lu %8lu %8lu\n", i,
			   c.size, c.slots, c.chain, c.zspages, c.pages,
			   c.objects, c.free_slots);
}

static void dzr_show_hist(struct seq_file *m, const char *what,
			  const struct dzs_hist *hist)
{
	unsigned int i;

	seq_printf(m, "\n%s: longest %llu ns\n", what, hist->max_ns);
	for (i = 0; i < DZS_HIST_BUCKETS; i++)
		if (hist->count[i])
			seq_printf(m, "%12llu ns and more: %lu\n", 1ULL << i,
				   hist->count[i]);
}

static int dzr_allocator_show(struct seq_file *m, void *unused)
{
	struct dzr_dev *d = m->private;
	struct dzs_hist hold, wait;

	dzs_times(d->pool, &hold, &wait);
	dzr_show_classes(m, d->pool);
	dzr_show_hist(m, "class lock held by compaction", &hold);
	dzr_show_hist(m, "class lock waited for beside compaction", &wait);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dzr_allocator);

static int dzr_load_show(struct seq_file *m, void *unused)
{
	struct dzr_dev *d = m->private;
	bool busy = dzr_load_busy(d);
	u32 average = READ_ONCE(d->load.average);

	seq_printf(m, "%u.%02u in flight on average%s\n",
		   average / DZR_LOAD_ONE,
		   average % DZR_LOAD_ONE * 100 / DZR_LOAD_ONE,
		   busy ? ", busy" : "");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dzr_load);

void dzr_debugfs_add(struct dzr_dev *d)
{
	d->debugfs = debugfs_create_dir(dm_disk(d->md)->disk_name,
					dzr_debugfs_root);
	debugfs_create_file("allocator", 0400, d->debugfs, d,
			    &dzr_allocator_fops);
	debugfs_create_file("load", 0400, d->debugfs, d, &dzr_load_fops);
}

void dzr_debugfs_remove(struct dzr_dev *d)
{
	debugfs_remove_recursive(d->debugfs);
}

void dzr_debugfs_init(void)
{
	dzr_debugfs_root = debugfs_create_dir("dm-zram", NULL);
}

void dzr_debugfs_exit(void)
{
	debugfs_remove_recursive(dzr_debugfs_root);
}
