// SPDX-License-Identifier: GPL-2.0
/*
 * How long the locks of an allocator are held, from the kernel's lock events
 * (CONFIG_LOCK_STAT), as a histogram.
 *
 * Like /proc/lock_stat, but in the time that the processor has run
 * (hostclock.h), so that a maximum is not the length of a preemption by the
 * host; and with percentiles. A lock is stamped when it has been acquired, and
 * counted when it is released. Which lock it is says its name, and who takes it:
 * "&class->lock" of dm-zram and of zsmalloc are told apart by the function that
 * locks.
 *
 *	echo COMM >/sys/kernel/debug/dzb_hold	count holds by that thread, from 0
 *	echo + >/sys/kernel/debug/dzb_hold	and those of another run of the same
 *	echo '*' >/sys/kernel/debug/dzb_hold	of all threads, and a control
 *	cat /sys/kernel/debug/dzb_hold
 *
 * Lockdep is switched off, for good: what it does at each lock and at each
 * lockdep_assert_held() costs some hundred ns here (it disables interrupts, in
 * User Mode Linux two system calls), and would be most of a short hold.
 *
 * An interrupt, too, makes a hold longer, and so do a page fault and a preemption
 * of the host, after which caches are cold; all by what neither allocator does.
 * Holds that had one of these are counted apart, as disturbed.
 *
 * What is left of the host (its own interrupts, the machine that it is a guest
 * of) shows in the control: many intervals in which next to nothing is done.
 *
 * And it is gone from the median of several runs. A thread that does the same
 * from the same state holds its locks in the same order for the same things; so
 * the holds of a class lock are kept in their order, run by run, and the n-th of
 * one run is compared with the n-th of the others. What is long each time is
 * long because of the code ("_repeated"). That the runs are alike is checked by
 * the places where the lock was dropped.
 *
 * Locks: none. A CPU holds one lock of a kind at most, with preemption off, so
 * the stamps are per CPU; so are the counts.
 */
#include <linux/debug_locks.h>
#include <linux/debugfs.h>
#include <linux/kallsyms.h>
#include <linux/kernel_stat.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "hostclock.h"

#define SUB		16U			/* steps in a power of two */
#define BUCKETS		(40U * SUB)
#define MAX_KEYS	16U
#define CONTROLS	32768U			/* about as many as a compaction has holds */
#define CONTROL_LOOPS	6000U			/* some two microseconds */
#define RUNS		5U			/* that are compared: odd */
#define MAX_HOLDS	(1U << 18)		/* in one of them */

/* Locks; and further down the same again, for disturbed holds. */
enum { OURS_CLASS, ZS_CLASS, ZS_POOL, CONTROL, NR_LOCKS, OTHER = NR_LOCKS, NR_KINDS = 2 * NR_LOCKS };

static const char * const kind_names[NR_KINDS] = {
	"ours_class", "zs_class", "zs_pool", "control",
	"ours_class_disturbed", "zs_class_disturbed", "zs_pool_disturbed", "control_disturbed",
};

struct hold_cpu {
	u64 since[NR_LOCKS];
	unsigned long before[NR_LOCKS];	/* disturbances */
	u64 sum[NR_KINDS];
	u64 max[NR_KINDS];
	unsigned long where[NR_KINDS];	/* of the longest: who let go of the lock */
	u32 count[NR_KINDS][BUCKETS];
};

static struct hold_cpu __percpu *cpus;
static char only[TASK_COMM_LEN] = "*";

/* A hold in its order, and where it ended. */
struct ordered {
	u32 ns;
	u32 ip;
};

/* Of the only thread, so it needs no lock. */
static struct {
	struct ordered *holds[RUNS];
	u32 count[RUNS];
	unsigned int run;
} ordered;

/* Lock classes met so far. Filled without a lock: a duplicate does no harm. */
static struct {
	const void *key;
	unsigned int kind;
} keys[MAX_KEYS];
static atomic_t nr_keys;

static unsigned int classify(const char *name, unsigned long ip)
{
	bool class = !strcmp(name, "&class->lock");
	char sym[KSYM_SYMBOL_LEN];

	sprint_symbol(sym, ip);
	if (strstr(sym, "[dm_zram]"))
		return class ? OURS_CLASS : OTHER;
	if (!strncmp(sym, "zs_", 3) || !strncmp(sym, "__zs_", 5) || strstr(sym, "[zsmalloc]"))
		return class ? ZS_CLASS : ZS_POOL;
	return OTHER;
}

static unsigned int kind_of(const struct lockdep_map *lock, unsigned long ip)
{
	unsigned int i, n = min_t(unsigned int, atomic_read(&nr_keys), MAX_KEYS), kind;

	if (!lock->name || (strcmp(lock->name, "&class->lock") && strcmp(lock->name, "&pool->lock")))
		return OTHER;
	for (i = 0; i < n; i++) {
		if (READ_ONCE(keys[i].key) == lock->key)
			return keys[i].kind;
	}
	kind = classify(lock->name, ip);
	i = atomic_inc_return(&nr_keys) - 1;
	if (i < MAX_KEYS) {
		keys[i].kind = kind;
		smp_store_release(&keys[i].key, lock->key); /* the kind is there before */
	}
	return kind;
}

static unsigned int bucket_of(u64 ns)
{
	unsigned int order;

	if (ns < SUB)
		return ns;
	order = ilog2(ns);
	return min((order - 3) * SUB + (unsigned int)((ns >> (order - 4)) & (SUB - 1)), BUCKETS - 1);
}

/* The largest value of a bucket. */
static u64 bucket_ns(unsigned int b)
{
	unsigned int order = b / SUB + 3;

	return b < SUB ? b : ((u64)(b % SUB + SUB + 1) << (order - 4)) - 1;
}

/* Interrupts, and what the host did to this processor. */
static unsigned long disturbances(void)
{
	return this_cpu_ptr(&kstat)->irqs_sum + host_disturbances();
}

static void begin(unsigned int kind)
{
	struct hold_cpu *c = this_cpu_ptr(cpus);

	c->before[kind] = disturbances();
	c->since[kind] = cpu_ns();
}

static void keep_order(u64 ns, unsigned long ip)
{
	u32 *count = &ordered.count[ordered.run];

	if (*count < MAX_HOLDS)
		ordered.holds[ordered.run][(*count)++] = (struct ordered) {
			.ns = min_t(u64, ns, U32_MAX),
			.ip = (u32)ip,
		};
}

static void end(unsigned int kind, unsigned long ip)
{
	struct hold_cpu *c = this_cpu_ptr(cpus);
	u64 ns;

	if (!c->since[kind])
		return;
	ns = cpu_ns() - c->since[kind];
	c->since[kind] = 0;
	if (*only != '*' && strcmp(only, current->comm))
		return;
	if (*only != '*' && (kind == OURS_CLASS || kind == ZS_CLASS))
		keep_order(ns, ip);
	if (c->before[kind] != disturbances())
		kind += NR_LOCKS;
	c->sum[kind] += ns;
	if (ns > c->max[kind]) {
		c->max[kind] = ns;
		c->where[kind] = ip;
	}
	c->count[kind][bucket_of(ns)]++;
}

static void on_acquired(void *data, struct lockdep_map *lock, unsigned long ip)
{
	unsigned int kind = kind_of(lock, ip);

	if (kind < NR_LOCKS)
		begin(kind);
}

static void on_release(void *data, struct lockdep_map *lock, unsigned long ip)
{
	unsigned int kind = kind_of(lock, ip);

	if (kind < NR_LOCKS)
		end(kind, ip);
}

/* Intervals that are about as long as our holds, with nothing in them that varies. */
static void control(void)
{
	unsigned int i, k;

	for (i = 0; i < CONTROLS; i++) {
		preempt_disable();
		begin(CONTROL);
		for (k = 0; k < CONTROL_LOOPS; k++)
			barrier();
		end(CONTROL, _THIS_IP_);
		preempt_enable();
		cond_resched();
	}
}

static u64 count_at(unsigned int kind, unsigned int b)
{
	u64 n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += per_cpu_ptr(cpus, cpu)->count[kind][b];
	return n;
}

/* The duration that @permille of @total holds do not exceed. */
static u64 percentile(unsigned int kind, u64 total, unsigned int permille)
{
	u64 want = total * permille / 1000, seen = 0;
	unsigned int b;

	for (b = 0; b < BUCKETS; b++) {
		seen += count_at(kind, b);
		if (seen > want)
			break;
	}
	return bucket_ns(min(b, BUCKETS - 1));
}

static int by_value(const void *a, const void *b)
{
	return cmp_int(*(const u32 *)a, *(const u32 *)b);
}

/* The median of the @i-th hold of all runs. Return: whether it was the same in all. */
static bool repeated(u32 i, u32 *ns)
{
	bool same = true;
	u32 v[RUNS];
	unsigned int run;

	for (run = 0; run < RUNS; run++) {
		v[run] = ordered.holds[run][i].ns;
		same &= ordered.holds[run][i].ip == ordered.holds[0][i].ip;
	}
	sort(v, RUNS, sizeof(*v), by_value, NULL);
	*ns = v[RUNS / 2];
	return same;
}

static void show_repeated(struct seq_file *m)
{
	u32 i, ns, n = ordered.count[0], longest = 0, others = 0, where = 0;
	unsigned int run;
	u64 sum = 0;

	for (run = 1; run < RUNS; run++) {
		others += abs_diff(n, ordered.count[run]);
		n = min(n, ordered.count[run]);
	}
	for (i = 0; i < n; i++) {
		others += !repeated(i, &ns);
		sum += ns;
		if (ns > longest) {
			longest = ns;
			where = i;
		}
	}
	seq_printf(m, "repeated holds=%u others=%u avg_ns=%llu max_ns=%u nr=%u", n, others,
		   n ? div_u64(sum, n) : 0, longest, where);
	for (run = 0; n && run < RUNS; run++)
		seq_printf(m, " %u", ordered.holds[run][where].ns);
	seq_putc(m, '\n');
}

static int hold_show(struct seq_file *m, void *v)
{
	unsigned int kind, b;

	for (kind = 0; kind < NR_KINDS; kind++) {
		u64 total = 0, sum = 0, longest = 0;
		unsigned long where = 0;
		int cpu;

		for (b = 0; b < BUCKETS; b++)
			total += count_at(kind, b);
		for_each_possible_cpu(cpu) {
			struct hold_cpu *c = per_cpu_ptr(cpus, cpu);

			sum += c->sum[kind];
			if (c->max[kind] > longest) {
				longest = c->max[kind];
				where = c->where[kind];
			}
		}
		seq_printf(m, "%s holds=%llu avg_ns=%llu p50_ns=%llu p99_ns=%llu p999_ns=%llu max_ns=%llu in=%ps\n",
			   kind_names[kind], total, total ? div64_u64(sum, total) : 0,
			   total ? percentile(kind, total, 500) : 0,
			   total ? percentile(kind, total, 990) : 0,
			   total ? percentile(kind, total, 999) : 0, longest, (void *)where);
	}
	show_repeated(m);
	return 0;
}

static ssize_t hold_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char text[TASK_COMM_LEN] = "";
	int cpu;

	if (!len || len >= sizeof(text) || copy_from_user(text, from, len))
		return -EINVAL;
	if (!strcmp(strim(text), "+")) {
		if (ordered.run + 1 == RUNS)
			return -ENOSPC;
		ordered.run++;
		return len;
	}
	strscpy(only, strim(text), sizeof(only));
	ordered.run = 0;
	memset(ordered.count, 0, sizeof(ordered.count));
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(cpus, cpu), 0, sizeof(struct hold_cpu));
	if (*only == '*')
		control();
	return len;
}

static int hold_open(struct inode *inode, struct file *file)
{
	return single_open(file, hold_show, NULL);
}

static const struct file_operations hold_fops = {
	.owner		= THIS_MODULE,
	.open		= hold_open,
	.read		= seq_read,
	.write		= hold_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static struct {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} points[] = {
	{ "lock_acquired", on_acquired },
	{ "lock_release", on_release },
};

static void find_point(struct tracepoint *tp, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		if (!strcmp(tp->name, points[i].name))
			points[i].tp = tp;
	}
}

static struct dentry *dir;

static void free_all(void)
{
	unsigned int i;

	for (i = 0; i < RUNS; i++)
		vfree(ordered.holds[i]);
	free_percpu(cpus);
}

static int __init hold_init(void)
{
	unsigned int i;
	int err = 0;

	for_each_kernel_tracepoint(find_point, NULL);
	if (!points[0].tp || !points[1].tp) {
		pr_err("dzb-hold: this kernel has no lock events\n");
		return -ENODEV;
	}
	cpus = alloc_percpu(struct hold_cpu);
	for (i = 0; i < RUNS; i++) {
		ordered.holds[i] = vcalloc(MAX_HOLDS, sizeof(struct ordered));
		err |= !ordered.holds[i];
	}
	if (!cpus || err) {
		err = -ENOMEM;
		goto free;
	}
	/* The events go on, lockdep's own work ends. */
	__debug_locks_off();
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		err = tracepoint_probe_register(points[i].tp, points[i].probe, NULL);
		if (err)
			goto unregister;
	}
	dir = debugfs_create_file("dzb_hold", 0600, NULL, NULL, &hold_fops);
	return 0;

unregister:
	while (i--)
		tracepoint_probe_unregister(points[i].tp, points[i].probe, NULL);
	tracepoint_synchronize_unregister();
free:
	free_all();
	return err;
}

static void __exit hold_exit(void)
{
	unsigned int i;

	debugfs_remove(dir);
	for (i = 0; i < ARRAY_SIZE(points); i++)
		tracepoint_probe_unregister(points[i].tp, points[i].probe, NULL);
	tracepoint_synchronize_unregister();
	free_all();
}

module_init(hold_init);
module_exit(hold_exit);

MODULE_DESCRIPTION("how long the locks of an allocator are held, for benches");
MODULE_LICENSE("GPL");
