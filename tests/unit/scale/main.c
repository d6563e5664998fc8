// SPDX-License-Identifier: GPL-2.0
/*
 * How far the allocator scales, on a machine that has not as many processors.
 *
 *	scale-time times > times; scale-lines < times
 *	scale-lines reads
 *
 * The allocator's own code does the work of 1 to 16 threads, in turn, one
 * operation of each; what each touches and how long it takes is recorded
 * (trace.c), and then all of them run at once in a simulation (replay.c). What
 * it does not know: which turn the code would have taken at another order of
 * events, such as the retries of a lost cmpxchg; and the bytes of objects.
 *
 * Reads must not write: the program fails when one writes a line that is not
 * the reader's own buffer. That alone is what the second form checks.
 */
#include <linux/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dzs-internal.h"
#include "../sizes.h"
#include "scale.h"

#define BLOCKS	4000U	/* of a thread */
#define OPS	6000U	/* recorded, of a thread */
#define KINDS	(sizeof(sizes) / sizeof(sizes[0]))

enum work { SAME, REAL, EXIT, READ, WORKS };

static const char * const work_names[WORKS] = {
	[SAME] = "same-class",
	[REAL] = "real-sizes",
	[EXIT] = "free-only",
	[READ] = "read-only",
};

struct block {
	dzs_handle_t handle;
	unsigned int len;
};

static struct dzs_pool *pool;
static struct block *block;
static unsigned int threads;
static uint64_t state;
static struct trace trace;

static bool relocate(void *ctx, u32 owner, dzs_handle_t old, dzs_handle_t new)
{
	return false;
}

static const struct dzs_ops ops = { .relocate = relocate };

static unsigned int length(enum work work)
{
	uint64_t r = shim_random(&state);
	unsigned int kind = (r >> 40) % KINDS, at = r % 65536, bin = 0;

	if (work == SAME)
		return 1355;
	while (bin < SIZES_BINS - 2 && at >= sizes[kind].share[bin])
		at -= sizes[kind].share[bin++];
	if (bin == SIZES_BINS - 2 && at >= sizes[kind].share[bin])
		return DZS_HUGE_SIZE;
	at = bin * SIZES_STEP + 1 + (r >> 16) % SIZES_STEP;
	return at < DZS_MAX_SIZE ? at : DZS_MAX_SIZE;
}

static void put(unsigned int thread, struct block *b, unsigned int len,
		bool keep)
{
	static char data[DZS_HUGE_SIZE];
	int ret;

	if (keep)
		trace_begin(thread, OP_ALLOC);
	ret = dzs_alloc(pool, b - block, data, len, &b->handle);
	if (keep)
		trace_end();
	check(!ret);
	b->len = len;
}

static void drop(unsigned int thread, struct block *b, bool keep)
{
	if (!b->handle)
		return;
	if (keep)
		trace_begin(thread, OP_FREE);
	dzs_free(pool, b->handle);
	if (keep)
		trace_end();
	b->handle = DZS_NO_HANDLE;
}

static void look(unsigned int thread, struct block *b)
{
	static char data[DZS_HUGE_SIZE];
	unsigned int i;

	trace_begin(thread, OP_READ);
	dzs_read(pool, b->handle, data, 0, b->len);
	trace_end();
	check(!trace_written());
	for (i = 0; i < b->len; i++)
		check(!data[i]);
}

/* One turn of a thread. */
static void turn(enum work work, unsigned int thread, unsigned int n)
{
	struct block *mine = &block[thread * BLOCKS];
	uint64_t r = shim_random(&state);
	struct block *b = &mine[r % BLOCKS];
	struct block old = *b;

	if (work == EXIT) {
		if (n < BLOCKS)
			drop(thread, &mine[n], true);
	} else if (work == READ || (work == REAL && r >> 63)) {
		look(thread, b);
	} else {
		/* As an overwrite does: the new one first. */
		put(thread, b, length(work), true);
		trace_begin(thread, OP_FREE);
		dzs_free(pool, old.handle);
		trace_end();
	}
}

static void name_range(const void *from, const void *to, const char *name)
{
	trace_name(from, (const char *)to - (const char *)from, name);
}

static void name_lines(void)
{
	unsigned int i;

	for (i = 0; i < pool->nr_classes; i++) {
		struct dzs_class *class = &pool->classes[i];

		name_range(class, &class->lock, "a class: layout");
		name_range(&class->lock, &class->queue, "a class: lock, lists");
		name_range(&class->queue, class + 1, "a class: queue");
	}
	name_range(&pool->reserve, &pool->compact, "the reserve");
	name_range(&pool->pages, &pool->reserve, "the pool: pages, huge");
	name_range(pool, pool + 1, "the pool: the rest");
}

/* Objects of all threads lie mixed in the zspages: the worst for them. */
static void record(enum work work)
{
	unsigned int i, t;

	trace_reset(&trace);
	state = 7;
	pool = dzs_create(&ops, NULL, 64);
	check(!IS_ERR(pool));
	name_lines();
	for (i = 0; i < BLOCKS; i++)
		for (t = 0; t < threads; t++)
			put(t, &block[t * BLOCKS + i], length(work), false);
	for (i = 0; i < OPS; i++)
		for (t = 0; t < threads; t++)
			turn(work, t, i);
	for (i = 0; i < threads * BLOCKS; i++)
		drop(0, &block[i], false);
	dzs_destroy(pool);
}

static unsigned long total(void)
{
	unsigned long n = 0;
	unsigned int t;

	for (t = 0; t < threads; t++)
		n += trace.ops[t];
	return n;
}

/* Operations a second of as many threads, for each time a line may take. */
static void report(const char *name, bool thinks, double alone[2][3])
{
	static const double transfer[3] = { 30, 60, 120 };
	static const double think[2] = { 0, 3000 };
	unsigned int i, j;

	for (j = 0; j < (thinks ? 2 : 1); j++) {
		struct outcome o;
		double gain[3];

		printf("%-11s%8u%8.0f", name, threads, think[j]);
		for (i = 0; i < 3; i++) {
			double rate;

			o = replay(&trace, threads, transfer[i], think[j],
				   true);
			gain[i] = o.ns;
			o = replay(&trace, threads, transfer[i], think[j],
				   false);
			gain[i] = o.ns / gain[i];
			rate = total() * 1e3 / o.ns;
			if (threads == 1)
				alone[j][i] = rate;
			printf("%8.2f%7.2f", rate, rate / alone[j][i]);
		}
		printf("%7.2f%6.2f%6.2f  %4.0f%%%5.0f%%  %s\n", gain[0],
		       gain[1], gain[2],
		       100 * o.lock_ns / o.ns / threads,
		       100 * o.line_ns / o.ns / threads, o.worst);
	}
}

static void forget(void)
{
	memset(trace.ops, 0, sizeof(trace.ops));
	trace.segments = 0;
	trace.accesses = 0;
	trace.lines = 0;
}

/* Reads of all lengths, alone and among calls whose writes are seen. */
static int check_reads(void)
{
	unsigned int work, i, n = 0, writes = 0;

	threads = 2;
	for (work = 0; work < WORKS; work++) {
		forget();
		record(work);
		for (i = 0; i < trace.ops[1]; i++)
			n += trace.op[1][i].kind == OP_READ;
		for (i = 0; i < trace.accesses; i++)
			writes += trace.access[i] & 1;
	}
	check(n > OPS && writes > OPS);
	printf("  %u reads wrote nothing\n", 2 * n);
	return 0;
}

static void make_room(void)
{
	unsigned int t;

	block = calloc(MAX_THREADS * BLOCKS, sizeof(*block));
	for (t = 0; t < MAX_THREADS; t++)
		trace.op[t] = calloc(2 * OPS, sizeof(struct op));
	trace.segment = calloc(MAX_THREADS * OPS * 16,
			       sizeof(*trace.segment));
	trace.access = calloc(MAX_THREADS * OPS * 100,
			      sizeof(*trace.access));
	trace.place = calloc(1 << 19, sizeof(*trace.place));
	check(block && trace.segment && trace.access && trace.place);
}

int main(int argc, char **argv)
{
	bool times = argc > 1 && !strcmp(argv[1], "times");
	double alone[2][3];
	unsigned int work;

	make_room();
	if (argc > 1 && !strcmp(argv[1], "reads"))
		return check_reads();
	if (!times)
		printf("Million calls/s and times one thread; a line from another CPU takes 30, 60, 120 ns.\n"
		       "With caches: times as much, at most, if an allocation touched nothing of its class.\n"
		       "At 120: time spent waiting for locks, for lines, and what the worst line holds.\n"
		       "%-11s%8s%8s%15s%15s%15s%19s  %5s%6s\n", "work", "threads",
		       "think", "30 ns", "60 ns", "120 ns", "with caches", "locks", "lines");
	for (work = 0; work < WORKS; work++)
		for (threads = 1; threads <= MAX_THREADS; threads *= 2) {
			forget();
			record(work);
			if (times) {
				/* One thread's caches are as warm as can be. */
				trace_print_times(work_names[work]);
				break;
			}
			trace_read_times(&trace, work_names[work]);
			report(work_names[work], work < EXIT, alone);
		}
	return 0;
}
