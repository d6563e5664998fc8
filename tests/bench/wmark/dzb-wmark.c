// SPDX-License-Identifier: GPL-2.0
/*
 * Who takes pages below the min watermark: a probe on mm_page_alloc.
 *
 * The event comes after the page has been taken, and perhaps many with it, as a
 * refill of the CPU's list. The check that an ordinary allocation must pass came
 * before. So the pages that left the free lists since this CPU's last allocation
 * (mm_page_alloc_zone_locked and mm_page_alloc_extfrag tell of them; of some both
 * do, so that these count twice, in favour of the suspect) are added to those that are free
 * now: if these are fewer than min, the check was not passed but waived, and the
 * page is one of the emergency reserve: counted as "sure". "below" are all
 * allocations after which fewer than min were free. With one CPU that is exact,
 * but for interrupts; with more, another CPU may take pages between this one's
 * check and its event.
 *
 * What is free is the zone's own counter, as in the check: each CPU folds its
 * changes into it only now and then. Where it may have been folded between check
 * and event, because pages left the free lists, the largest such change is added
 * as well.
 *
 * Min is the mark itself, which is the size of the reserve: without the boost
 * that is added to all three marks for a while after fragmentation, and may be
 * added in the very allocation that is looked at.
 *
 * Whose page it is says the stack, from the inside out: a function of the
 * module dm_zram, one of zram or zsmalloc, or a bio on its way to a device.
 *
 *	cat /sys/kernel/debug/dzb_wmark		counts since loading, or since
 *	echo 0 >/sys/kernel/debug/dzb_wmark
 *
 * Locks: none; all counters are atomics.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/vmstat.h>

#define DEPTH		48U
#define EXAMPLES	3

enum { OURS, ZRAM, BIO, REST, NR_USERS };

static const char * const user_names[NR_USERS] = { "ours", "zram", "bio", "rest" };

/* Pages, by user: with free pages below low, below min, and surely so. */
static struct {
	atomic_long_t low, below, sure;
} counts[NR_USERS];
/* Fewest free pages seen, of the zone with the largest min, and that min. */
static atomic_long_t fewest = ATOMIC_LONG_INIT(LONG_MAX);
static atomic_long_t min_mark;

static unsigned int user_of_frame(const char *sym)
{
	if (strstr(sym, "[dm_zram]"))
		return OURS;
	if (strstr(sym, "[zram]") || strstr(sym, "[zsmalloc]") || !strncmp(sym, "zs_", 3))
		return ZRAM;
	if (!strncmp(sym, "submit_bio", 10) || !strncmp(sym, "__submit_bio", 12))
		return BIO;
	return REST;
}

static unsigned int user_of_stack(const unsigned long *entries, unsigned int n)
{
	char sym[KSYM_SYMBOL_LEN];
	unsigned int i, user;

	for (i = 0; i < n; i++) {
		sprint_symbol(sym, entries[i]);
		user = user_of_frame(sym);
		if (user != REST)
			return user;
	}
	return REST;
}

/* The first that surely came out of the reserve, of each user but the rest, go to the log. */
static void note_sure(unsigned int user, const unsigned long *entries, unsigned int n, gfp_t gfp,
		      long before, long min)
{
	static atomic_t told[NR_USERS];
	unsigned int i;

	if (user == REST || atomic_inc_return(&told[user]) > EXAMPLES)
		return;
	pr_info("dzb-wmark: a page of %s, gfp %pGg, task flags %x, %ld were free, min %ld\n",
		user_names[user], &gfp, current->flags, before, min);
	for (i = 0; i < n; i++)
		pr_info("dzb-wmark:   %pS\n", (void *)entries[i]);
}

static void note_fewest(long free)
{
	long old = atomic_long_read(&fewest);

	while (free < old && !atomic_long_try_cmpxchg(&fewest, &old, free))
		;
}

/* Pages that left the free lists, by this CPU, since its last allocation. */
static DEFINE_PER_CPU(long, taken);

static void on_take(void *data, struct page *page, unsigned int order, int type, int refill)
{
	this_cpu_add(taken, 1L << order);
}

/* The same from the list of another type, which has an event of its own; some of these have both. */
static void on_fallback(void *data, struct page *page, int order, int from_order, int type,
			int from_type)
{
	this_cpu_add(taken, 1L << order);
}

static void on_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp, int type)
{
	unsigned long entries[DEPTH];
	long before = this_cpu_xchg(taken, 0), free, min;
	unsigned int user, n;
	struct zone *zone;

	if (!page)
		return;
	zone = page_zone(page);
	free = zone_page_state(zone, NR_FREE_PAGES);
	if (free >= (long)low_wmark_pages(zone))
		return;
	min = zone->_watermark[WMARK_MIN];
	atomic_long_set(&min_mark, min);
	note_fewest(free);
	n = stack_trace_save(entries, DEPTH, 1);
	user = user_of_stack(entries, n);
	atomic_long_add(1L << order, &counts[user].low);
	if (free >= min)
		return;
	atomic_long_add(1L << order, &counts[user].below);
	if (before)
		before += this_cpu_read(zone->per_cpu_zonestats->stat_threshold);
	before += free;
	if (before >= min)
		return;
	atomic_long_add(1L << order, &counts[user].sure);
	note_sure(user, entries, n, gfp, before, min);
}

static int wmark_show(struct seq_file *m, void *v)
{
	unsigned int i;

	for (i = 0; i < NR_USERS; i++)
		seq_printf(m, "%s low=%ld below=%ld sure=%ld\n", user_names[i],
			   atomic_long_read(&counts[i].low), atomic_long_read(&counts[i].below),
			   atomic_long_read(&counts[i].sure));
	seq_printf(m, "zone fewest=%ld min=%ld\n", atomic_long_read(&fewest),
		   atomic_long_read(&min_mark));
	return 0;
}

static ssize_t wmark_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int i;

	for (i = 0; i < NR_USERS; i++) {
		atomic_long_set(&counts[i].low, 0);
		atomic_long_set(&counts[i].below, 0);
		atomic_long_set(&counts[i].sure, 0);
	}
	atomic_long_set(&fewest, LONG_MAX);
	return len;
}

static int wmark_open(struct inode *inode, struct file *file)
{
	return single_open(file, wmark_show, NULL);
}

static const struct file_operations wmark_fops = {
	.owner		= THIS_MODULE,
	.open		= wmark_open,
	.read		= seq_read,
	.write		= wmark_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static struct {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} points[] = {
	{ "mm_page_alloc_zone_locked", on_take },
	{ "mm_page_alloc_extfrag", on_fallback },
	{ "mm_page_alloc", on_alloc },
};

static struct dentry *dir;

static void find_point(struct tracepoint *tp, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		if (!strcmp(tp->name, points[i].name))
			points[i].tp = tp;
	}
}

static void unregister(unsigned int n)
{
	while (n--)
		tracepoint_probe_unregister(points[n].tp, points[n].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int __init wmark_init(void)
{
	unsigned int i;
	int err;

	for_each_kernel_tracepoint(find_point, NULL);
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		if (!points[i].tp) {
			pr_err("dzb-wmark: no tracepoint %s\n", points[i].name);
			err = -ENODEV;
			goto fail;
		}
		err = tracepoint_probe_register(points[i].tp, points[i].probe, NULL);
		if (err)
			goto fail;
	}
	dir = debugfs_create_file("dzb_wmark", 0600, NULL, NULL, &wmark_fops);
	return 0;

fail:
	unregister(i);
	return err;
}

static void __exit wmark_exit(void)
{
	debugfs_remove(dir);
	unregister(ARRAY_SIZE(points));
}

module_init(wmark_init);
module_exit(wmark_exit);

MODULE_DESCRIPTION("who takes pages below the min watermark, for benches");
MODULE_LICENSE("GPL");
