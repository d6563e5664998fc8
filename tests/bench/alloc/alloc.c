// SPDX-License-Identifier: GPL-2.0
/*
 * Both allocators in one module: ours, from the files in zsmalloc/ as they are,
 * and the kernel's, through its exported zs_*. The same lengths in the same
 * order, by the same threads, round after round; nanoseconds an operation go to
 * the kernel's log, a line for each round, pool and number of threads.
 *
 * An object belongs to a slot of a table with a lock bit, as in both drivers:
 * it is read and let go of under its bit, and ours is re-pointed under it. What
 * is read is summed up, so that an access which copies nothing (zsmalloc's,
 * within a page) pays for its cache misses here as in a decompressor.
 *
 * What keeps a processor busy is measured in the time that it ran (hostclock.h),
 * so that other work of the host does not matter; threads are bound. A single
 * operation beside a compaction is measured by both clocks: the time that passes
 * has in it that the other processor is stopped while it holds the lock.
 *
 * Locks: slot bit, then those of the allocator.
 */
#include <linux/bit_spinlock.h>
#include <linux/completion.h>
#include <linux/hash.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/zsmalloc.h>

#include "dzs.h"
#include "hostclock.h"

#define MAX_THREADS	2U
#define RESERVE		64UL
#define ZRAM_GFP	(GFP_NOIO | __GFP_NOWARN | __GFP_HIGHMEM | __GFP_MOVABLE)
#define CYCLES		4U	/* compactions beside overwrites, in a round */
#define SUB		16U
#define BUCKETS		(40U * SUB)

static unsigned int rounds = 5;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds (5)");

static unsigned int order = 17;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "log2 of the number of objects (17)");

struct slot {
	unsigned long lock;
	u64 handle;
	u32 len;
};

/**
 * struct pool_ops - an allocator
 * @name: for the log
 * @create: make a pool
 * @destroy: the opposite; it is empty
 * @store: allocate and write; 0 is no handle
 * @read: sum of the words of an object, the first of which goes to *@key
 * @free: an object
 * @compact: all of the pool; pages freed
 * @pages: pages of the pool
 */
struct pool_ops {
	const char *name;
	void *(*create)(void);
	void (*destroy)(void *pool);
	u64 (*store)(void *pool, u32 i, void *data, u32 len);
	u64 (*read)(void *pool, u64 handle, u32 len, void *tmp, u64 *key);
	void (*free)(void *pool, u64 handle);
	unsigned long (*compact)(void *pool);
	unsigned long (*pages)(void *pool);
};

static struct slot *slots;

static void slot_lock(struct slot *s) __acquires(bitlock)
{
	bit_spin_lock(0, &s->lock);
}

static void slot_unlock(struct slot *s) __releases(bitlock)
{
	bit_spin_unlock(0, &s->lock);
}

static u64 sum_words(const void *data, u32 len)
{
	const u64 *w = data;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < len / 8; i++)
		sum += w[i];
	return sum;
}

/* ---- ours ---- */

static bool ours_relocate(void *ctx, u32 owner, dzs_handle_t old, dzs_handle_t new)
{
	struct slot *s = &slots[owner];
	bool same;

	slot_lock(s);
	same = s->handle == (__force u64)old;
	if (same) {
		dzs_copy(*(struct dzs_pool **)ctx, old, new);
		s->handle = (__force u64)new;
	}
	slot_unlock(s);
	return same;
}

static const struct dzs_ops dzs_ops = { .relocate = ours_relocate };
static struct dzs_pool *dzs_pool;

static void *ours_create(void)
{
	dzs_pool = dzs_create(&dzs_ops, &dzs_pool, RESERVE);
	return IS_ERR(dzs_pool) ? NULL : dzs_pool;
}

static void ours_destroy(void *pool)
{
	dzs_destroy(pool);
}

static u64 ours_store(void *pool, u32 i, void *data, u32 len)
{
	dzs_handle_t handle;

	return dzs_alloc(pool, i, data, len, &handle) ? 0 : (__force u64)handle;
}

static u64 ours_read(void *pool, u64 handle, u32 len, void *tmp, u64 *key)
{
	dzs_handle_t h = (__force dzs_handle_t)handle;
	const void *data = dzs_map_huge(h);

	if (!data) {
		dzs_read(pool, h, tmp, 0, len);
		data = tmp;
	}
	*key = *(const u64 *)data;
	return sum_words(data, len);
}

static void ours_free(void *pool, u64 handle)
{
	dzs_free(pool, (__force dzs_handle_t)handle);
}

static unsigned long ours_compact(void *pool)
{
	struct dzs_compact_ctl ctl = { .may_sleep = true };

	return dzs_compact(pool, ULONG_MAX, &ctl);
}

static unsigned long ours_pages(void *pool)
{
	return dzs_pages(pool);
}

/* ---- the kernel's ---- */

static void *peer_create(void)
{
	return zs_create_pool("dzb");
}

static void peer_destroy(void *pool)
{
	zs_destroy_pool(pool);
}

static u64 peer_store(void *pool, u32 i, void *data, u32 len)
{
	unsigned long handle = zs_malloc(pool, len, ZRAM_GFP, numa_node_id());

	if (IS_ERR_VALUE(handle))
		return 0;
	zs_obj_write(pool, handle, data, len);
	return handle;
}

static u64 peer_read(void *pool, u64 handle, u32 len, void *tmp, u64 *key)
{
	void *data = zs_obj_read_begin(pool, handle, len, tmp);
	u64 sum;

	*key = *(u64 *)data;
	sum = sum_words(data, len);
	zs_obj_read_end(pool, handle, len, data);
	return sum;
}

static void peer_free(void *pool, u64 handle)
{
	zs_free(pool, handle);
}

static unsigned long peer_compact(void *pool)
{
	return zs_compact(pool);
}

static unsigned long peer_pages(void *pool)
{
	return zs_get_total_pages(pool);
}

static const struct pool_ops pools[] = {
	{ "ours", ours_create, ours_destroy, ours_store, ours_read, ours_free,
	  ours_compact, ours_pages },
	{ "peer", peer_create, peer_destroy, peer_store, peer_read, peer_free,
	  peer_compact, peer_pages },
};

/* ---- what the threads do ---- */

enum phase { DO_STORE, DO_READ, DO_OVERWRITE, DO_FREE_HALF, DO_RESTORE, DO_FREE_ALL, DO_BESIDE, NR_PHASES };

struct worker {
	struct completion done;
	const struct pool_ops *ops;
	void *pool;
	enum phase phase;
	unsigned int first, step;
	u64 ns, n, sum, wrong, failed;
	u8 *data, *tmp;
	u32 *histogram, *cpu_histogram;
};

static atomic_t waiting;	/* threads that are not ready yet */
static bool compacting;

/* Lengths as a heap has them: tests/bench/src/heap.h, compressed. */
static u32 len_of(u32 i, u32 generation)
{
	u64 h = hash_64((u64)generation << 32 | i, 64) * 0xff51afd7ed558ccdULL;
	u32 a = (h >> 8) & 1023, b = (h >> 20) & 1023;

	if ((h >> 32) % 25 == 0)
		return PAGE_SIZE;
	return 130 + (a + b) * 2200 / 2046;
}

static bool freed_first(u32 i)
{
	return hash_32(i, 32) >> 13 & 1;
}

static void put_object(struct worker *w, u32 i, u32 len)
{
	struct slot *s = &slots[i];
	u64 handle, old;

	*(u64 *)w->data = i;
	handle = w->ops->store(w->pool, i, w->data, len);
	if (!handle) {
		w->failed++;
		return;
	}
	slot_lock(s);
	old = s->handle;
	s->handle = handle;
	s->len = len;
	slot_unlock(s);
	if (old)
		w->ops->free(w->pool, old);
}

static void drop_object(struct worker *w, u32 i)
{
	struct slot *s = &slots[i];

	slot_lock(s);
	w->ops->free(w->pool, s->handle);
	s->handle = 0;
	slot_unlock(s);
}

static void read_object(struct worker *w, u32 i)
{
	struct slot *s = &slots[i];
	u64 key;

	slot_lock(s);
	w->sum += w->ops->read(w->pool, s->handle, s->len, w->tmp, &key);
	slot_unlock(s);
	w->wrong += key != i;
}

/* Return: whether there was something to do. */
static bool one_step(struct worker *w, u32 i)
{
	switch (w->phase) {
	case DO_STORE:
		put_object(w, i, len_of(i, 0));
		return true;
	case DO_OVERWRITE:
		put_object(w, i, len_of(i, 1));
		return true;
	case DO_RESTORE:
		put_object(w, i, len_of(i, 2));
		return true;
	case DO_READ:
		if (!slots[i].handle)
			return false;
		read_object(w, i);
		return true;
	case DO_FREE_HALF:
		if (!freed_first(i))
			return false;
		drop_object(w, i);
		return true;
	default:
		if (!slots[i].handle)
			return false;
		drop_object(w, i);
		return true;
	}
}

/* All objects of this thread: in order when they are stored, else scattered. */
static void all_steps(struct worker *w)
{
	u32 mask = (1U << order) - 1, i, at;
	u64 since = cpu_ns();

	for (i = w->first; i <= mask; i += w->step) {
		at = w->phase == DO_STORE ? i : (i * 0x9e3779b1U) & mask;
		w->n += one_step(w, at);
		if (!(i & 1023))
			cond_resched();
	}
	w->ns = cpu_ns() - since;
}

static unsigned int bucket_of(u64 ns)
{
	unsigned int log;

	if (ns < SUB)
		return ns;
	log = ilog2(ns);
	return min((log - 3) * SUB + (unsigned int)((ns >> (log - 4)) & (SUB - 1)), BUCKETS - 1);
}

static u64 bucket_ns(unsigned int b)
{
	return b < SUB ? b : ((u64)(b % SUB + SUB + 1) << (b / SUB - 1)) - 1;
}

/* Overwrites of single objects, each one timed, as long as a compaction runs. */
static void steps_beside(struct worker *w)
{
	u32 mask = (1U << order) - 1, i;
	u64 since, ns, ran;

	for (i = 0; READ_ONCE(compacting); i++) {
		u32 at = (i * 0x9e3779b1U) & mask;

		if (!slots[at].handle)
			continue;
		since = ktime_get_ns();
		ran = cpu_ns();
		put_object(w, at, len_of(at, i));
		ran = cpu_ns() - ran;
		ns = ktime_get_ns() - since;
		w->histogram[bucket_of(ns)]++;
		w->cpu_histogram[bucket_of(ran)]++;
		w->n++;
		w->ns = max(w->ns, ns);
		if (!(i & 255))
			cond_resched();
	}
}

static int work(void *arg)
{
	struct worker *w = arg;

	atomic_dec(&waiting);
	while (atomic_read(&waiting))
		cpu_relax();
	if (w->phase == DO_BESIDE)
		steps_beside(w);
	else
		all_steps(w);
	complete(&w->done);
	return 0;
}

static struct worker workers[MAX_THREADS];

static void start(struct worker *w, const struct pool_ops *ops, void *pool, enum phase phase,
		  unsigned int cpu)
{
	struct task_struct *task;

	w->ops = ops;
	w->pool = pool;
	w->phase = phase;
	w->ns = 0;
	w->n = 0;
	init_completion(&w->done);
	task = kthread_create(work, w, "dzb-%u", cpu);
	if (WARN_ON(IS_ERR(task))) {
		atomic_dec(&waiting);
		complete(&w->done);
		return;
	}
	if (cpu_online(cpu))
		kthread_bind(task, cpu);
	wake_up_process(task);
}

/* Nanoseconds that an operation of @phase takes a thread. */
static u64 run_phase(const struct pool_ops *ops, void *pool, enum phase phase, unsigned int threads)
{
	u64 ns = 0, n = 0;
	unsigned int i;

	atomic_set(&waiting, threads);
	for (i = 0; i < threads; i++) {
		workers[i].first = i;
		workers[i].step = threads;
		start(&workers[i], ops, pool, phase, i);
	}
	for (i = 0; i < threads; i++) {
		wait_for_completion(&workers[i].done);
		ns += workers[i].ns;
		n += workers[i].n;
	}
	return n ? div64_u64(ns, n) : 0;
}

static u64 timed_compact(const struct pool_ops *ops, void *pool, unsigned long *freed)
{
	u64 since = cpu_ns();

	*freed = ops->compact(pool);
	return cpu_ns() - since;
}

static u64 percentile(const u32 *histogram, u64 n, unsigned int permille)
{
	u64 want = n * permille / 1000, seen = 0;
	unsigned int b;

	want = min(want, n - 1); /* the largest one is all of them */
	for (b = 0; b < BUCKETS - 1; b++) {
		seen += histogram[b];
		if (seen > want)
			break;
	}
	return bucket_ns(b);
}

/* A compaction here, and overwrites on the other processor. */
static u64 compact_beside(const struct pool_ops *ops, void *pool, unsigned long *freed)
{
	struct worker *w = &workers[0];
	u64 ns;

	WRITE_ONCE(compacting, true);
	atomic_set(&waiting, 2);
	start(w, ops, pool, DO_BESIDE, 0);
	atomic_dec(&waiting);
	while (atomic_read(&waiting))
		cond_resched();
	ns = timed_compact(ops, pool, freed);
	WRITE_ONCE(compacting, false);
	wait_for_completion(&w->done);
	return ns;
}

/* The same on a pool that is fragmented again each time. */
static void run_beside(const struct pool_ops *ops, void *pool, unsigned int round)
{
	struct worker *w = &workers[0];
	unsigned long freed = 0, now;
	u64 ns = 0, n = 0, longest = 0;
	unsigned int i;

	memset(w->histogram, 0, BUCKETS * sizeof(u32));
	memset(w->cpu_histogram, 0, BUCKETS * sizeof(u32));
	for (i = 0; i < CYCLES; i++) {
		run_phase(ops, pool, DO_RESTORE, 1);
		run_phase(ops, pool, DO_FREE_HALF, 1);
		ns += compact_beside(ops, pool, &now);
		freed += now;
		n += w->n;
		longest = max(longest, w->ns);
	}
	pr_info("dzb-alloc: round=%u pool=%s beside ops=%llu p50=%llu p99=%llu p999=%llu max=%llu cpu_p50=%llu cpu_p99=%llu cpu_p999=%llu cpu_max=%llu compact=%llu freed=%lu\n",
		round, ops->name, n, percentile(w->histogram, n, 500),
		percentile(w->histogram, n, 990), percentile(w->histogram, n, 999), longest,
		percentile(w->cpu_histogram, n, 500), percentile(w->cpu_histogram, n, 990),
		percentile(w->cpu_histogram, n, 999), percentile(w->cpu_histogram, n, 1000),
		ns, freed);
}

static int run_round(const struct pool_ops *ops, unsigned int round, unsigned int threads)
{
	unsigned long pages, half, freed, i;
	u64 ns[NR_PHASES], compact;
	void *pool = ops->create();

	if (!pool)
		return -ENOMEM;
	for (i = 0; i < MAX_THREADS; i++)
		workers[i].wrong = workers[i].failed = 0;
	ns[DO_STORE] = run_phase(ops, pool, DO_STORE, threads);
	ns[DO_READ] = run_phase(ops, pool, DO_READ, threads);
	ns[DO_OVERWRITE] = run_phase(ops, pool, DO_OVERWRITE, threads);
	pages = ops->pages(pool);
	ns[DO_FREE_HALF] = run_phase(ops, pool, DO_FREE_HALF, threads);
	half = ops->pages(pool);
	compact = timed_compact(ops, pool, &freed);
	run_phase(ops, pool, DO_READ, threads);
	if (threads == 1 && num_online_cpus() > 1) {
		run_beside(ops, pool, round);
		run_phase(ops, pool, DO_READ, 1);
	}
	ns[DO_FREE_ALL] = run_phase(ops, pool, DO_FREE_ALL, threads);
	pr_info("dzb-alloc: round=%u pool=%s threads=%u store=%llu read=%llu overwrite=%llu free=%llu compact=%llu pages=%lu half=%lu freed=%lu left=%lu wrong=%llu failed=%llu\n",
		round, ops->name, threads, ns[DO_STORE], ns[DO_READ], ns[DO_OVERWRITE],
		ns[DO_FREE_HALF], freed ? div64_u64(compact, freed) : 0, pages, half, freed,
		ops->pages(pool), workers[0].wrong + workers[1].wrong,
		workers[0].failed + workers[1].failed);
	ops->destroy(pool);
	return 0;
}

static int run_all(void)
{
	unsigned int round, threads, i;
	int err;

	for (round = 0; round < rounds; round++) {
		for (threads = 1; threads <= min(MAX_THREADS, num_online_cpus()); threads++) {
			for (i = 0; i < ARRAY_SIZE(pools); i++) {
				/* the one that begins changes from round to round */
				err = run_round(&pools[(i + round) & 1], round, threads);
				if (err)
					return err;
			}
		}
	}
	return 0;
}

static void free_all(void)
{
	unsigned int i;

	for (i = 0; i < MAX_THREADS; i++) {
		vfree(workers[i].data);
		vfree(workers[i].tmp);
		vfree(workers[i].histogram);
		vfree(workers[i].cpu_histogram);
	}
	vfree(slots);
}

static int __init alloc_init(void)
{
	int err = -ENOMEM;
	unsigned int i, k;

	if (order < 10 || order > 22)
		return -EINVAL;
	slots = vzalloc(sizeof(*slots) << order);
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < MAX_THREADS; i++) {
		workers[i].data = vmalloc(PAGE_SIZE);
		workers[i].tmp = vmalloc(PAGE_SIZE);
		workers[i].histogram = vmalloc(BUCKETS * sizeof(u32));
		workers[i].cpu_histogram = vmalloc(BUCKETS * sizeof(u32));
		if (!workers[i].data || !workers[i].tmp || !workers[i].histogram ||
		    !workers[i].cpu_histogram)
			goto out;
		for (k = 0; k < PAGE_SIZE; k++)
			workers[i].data[k] = hash_32(k, 8);
	}
	err = run_all();
out:
	free_all();
	return err;
}

static void __exit alloc_exit(void)
{
}

module_init(alloc_init);
module_exit(alloc_exit);

MODULE_DESCRIPTION("both allocators in turn, for benches");
MODULE_LICENSE("GPL");
