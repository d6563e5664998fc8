// SPDX-License-Identifier: GPL-2.0
/*
 * Records what operations of the allocator do, in one of two builds.
 *
 * The allocator's files are compiled for ThreadSanitizer in one of them, and
 * linked with the functions below in place of its library: so each access of
 * theirs to memory is seen, with its address. (Copies of the bytes of objects
 * are not: they are calls of memcpy(), and the same for any allocator.) In the
 * other build nothing is instrumented and only the time is taken, at locks and
 * at the ends of operations. Both run the same operations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/types.h>

#include "scale.h"
#include "shim.h"

#define HASH_BITS	20
#define MAX_ACCESS	64	/* lines in a segment */
#define MAX_NAMES	4096
#define OUTLIER		20000	/* ns: somebody else had the processor */

void scale_lock(u32 *lock);
void scale_unlock(u32 *lock);

struct seen {
	unsigned long line;
	unsigned int id;	/* + 1 */
};

/* The segment being recorded. */
struct now {
	int lock;
	unsigned int access[MAX_ACCESS];
	unsigned int n;
	double ns;
};

struct mean {
	double sum;
	unsigned long n;
};

static struct name {
	unsigned long from;
	unsigned long to;
	const char *name;
} names[MAX_NAMES];

static struct trace *into;
static struct seen *table;
static struct now now[64];
static unsigned int at;			/* segments of the operation so far */
static unsigned int written;
static bool on;
static enum op_kind kind;
static unsigned int thread;
static unsigned int nr_names;
static struct timespec since;
static unsigned long stack_top;
/* By kind of operation, its number of segments, and which one it is. */
static struct mean mean[OP_KINDS][MAX_SEGMENTS][MAX_SEGMENTS];

static unsigned int cut(unsigned int n)
{
	return n < MAX_SEGMENTS ? n : MAX_SEGMENTS - 1;
}

static const char *place_of(unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < nr_names; i++)
		if (addr >= names[i].from && addr < names[i].to)
			return names[i].name;
	return "descriptors and pages";
}

void trace_name(const void *p, unsigned long len, const char *name)
{
	unsigned long from = (unsigned long)p;

	check(nr_names < MAX_NAMES);
	names[nr_names++] = (struct name) { from, from + len, name };
}

static unsigned int line_of(unsigned long addr)
{
	unsigned long line = addr / 64;
	unsigned int i = line * 0x9e3779b97f4a7c15ULL >> (64 - HASH_BITS);

	while (table[i].id && table[i].line != line)
		i = (i + 1) % (1U << HASH_BITS);
	if (!table[i].id) {
		check(into->lines < 1U << (HASH_BITS - 1));
		into->place[into->lines] = place_of(addr);
		table[i] = (struct seen) { line, ++into->lines };
	}
	return table[i].id - 1;
}

/* Each line once in a segment; once written is written. */
static void note(unsigned long addr, bool write)
{
	struct now *s = &now[at];
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	unsigned int i, id;

	if (!on || (addr >= here && addr < stack_top))
		return;
	written += write;
	id = line_of(addr);
	for (i = 0; i < s->n && s->access[i] / 2 != id; i++)
		;
	if (i == MAX_ACCESS)
		return;
	if (i == s->n)
		s->access[s->n++] = id * 2;
	s->access[i] |= write;
}

/* End one segment and begin the next, which holds @lock. */
static void next(const u32 *lock)
{
	struct timespec ts;

	if (!on)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now[at].ns = (ts.tv_sec - since.tv_sec) * 1e9 +
		     ts.tv_nsec - since.tv_nsec;
	check(++at < 64);
	now[at].n = 0;
	now[at].lock = lock ? (int)line_of((unsigned long)lock) : -1;
	clock_gettime(CLOCK_MONOTONIC, &since);
}

void scale_lock(u32 *lock)
{
	next(lock);
	*lock = 1;
}

void scale_unlock(u32 *lock)
{
	*lock = 0;
	next(NULL);
}

void trace_begin(unsigned int t, enum op_kind k)
{
	thread = t;
	kind = k;
	shim_set_cpu(t);
	at = 0;
	written = 0;
	now[0].n = 0;
	now[0].lock = -1;
	on = true;
	clock_gettime(CLOCK_MONOTONIC, &since);
}

unsigned int trace_written(void)
{
	return written;
}

void trace_end(void)
{
	struct op op = { .kind = kind };
	unsigned int i, n;

	next(NULL);
	on = false;
	n = at;
	op.first = into->segments;
	op.n = n;
	for (i = 0; i < n; i++) {
		struct mean *m = &mean[kind][cut(n)][cut(i)];

		if (now[i].ns < OUTLIER) {
			m->sum += now[i].ns;
			m->n++;
		}
		into->segment[into->segments++] = (struct segment) {
			.lock = now[i].lock,
			.access = into->accesses,
			.n = now[i].n,
		};
		memcpy(into->access + into->accesses, now[i].access,
		       now[i].n * sizeof(*now[i].access));
		into->accesses += now[i].n;
	}
	into->op[thread][into->ops[thread]++] = op;
}

void trace_reset(struct trace *t)
{
	into = t;
	if (!table)
		table = malloc(sizeof(*table) << HASH_BITS);
	memset(table, 0, sizeof(*table) << HASH_BITS);
	memset(mean, 0, sizeof(mean));
	nr_names = 0;
	stack_top = (unsigned long)__builtin_frame_address(0) + 65536;
}

/* What taking the time costs is in each segment. */
static double clock_cost(void)
{
	struct timespec a, b;
	double best = 1e9;
	int i;

	for (i = 0; i < 10000; i++) {
		double ns;

		clock_gettime(CLOCK_MONOTONIC, &a);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec;
		best = ns < best ? ns : best;
	}
	return best;
}

void trace_print_times(const char *workload)
{
	double cost = clock_cost();
	unsigned int k, n, i;

	for (k = 0; k < OP_KINDS; k++)
		for (n = 0; n < MAX_SEGMENTS; n++)
			for (i = 0; i < MAX_SEGMENTS; i++) {
				struct mean *m = &mean[k][n][i];
				double ns = m->n ? m->sum / m->n - cost : 0;

				if (m->n)
					printf("%s %u %u %u %.1f\n", workload, k,
					       n, i, ns > 1 ? ns : 1);
			}
}

void trace_read_times(struct trace *t, const char *workload)
{
	static double ns[OP_KINDS][MAX_SEGMENTS][MAX_SEGMENTS];
	unsigned int k, n, i, th;
	char name[64];
	double v;

	memset(ns, 0, sizeof(ns));
	rewind(stdin);
	while (scanf("%63s %u %u %u %lf", name, &k, &n, &i, &v) == 5)
		if (!strcmp(name, workload))
			ns[k][n][i] = v;
	for (th = 0; th < MAX_THREADS; th++)
		for (k = 0; k < t->ops[th]; k++) {
			struct op *op = &t->op[th][k];

			for (i = 0; i < op->n; i++) {
				v = ns[op->kind][cut(op->n)][cut(i)];
				check(v > 0);
				t->segment[op->first + i].ns = v;
			}
		}
}

/* What the compiler calls for ThreadSanitizer. */
void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, unsigned long n);
void __tsan_write_range(void *p, unsigned long n);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *p, unsigned long n)
{
	note((unsigned long)p, false);
	note((unsigned long)p + n - 1, false);
}

void __tsan_write_range(void *p, unsigned long n)
{
	note((unsigned long)p, true);
	note((unsigned long)p + n - 1, true);
}

#define PLAIN(n) \
void __tsan_read##n(void *p); \
void __tsan_read##n(void *p) { note((unsigned long)p, false); } \
void __tsan_write##n(void *p); \
void __tsan_write##n(void *p) { note((unsigned long)p, true); } \
void __tsan_unaligned_read##n(void *p); \
void __tsan_unaligned_read##n(void *p) { __tsan_read_range(p, n); } \
void __tsan_unaligned_write##n(void *p); \
void __tsan_unaligned_write##n(void *p) { __tsan_write_range(p, n); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define RMW(bits, op, expr) \
u##bits __tsan_atomic##bits##_##op(volatile u##bits *p, u##bits v, int mo); \
u##bits __tsan_atomic##bits##_##op(volatile u##bits *p, u##bits v, int mo) \
{ \
	u##bits old = *p; \
\
	note((unsigned long)p, true); \
	*p = expr; \
	return old; \
}
#define ATOMIC(bits) \
u##bits __tsan_atomic##bits##_load(const volatile u##bits *p, int mo); \
u##bits __tsan_atomic##bits##_load(const volatile u##bits *p, int mo) \
{ \
	note((unsigned long)p, false); \
	return *p; \
} \
void __tsan_atomic##bits##_store(volatile u##bits *p, u##bits v, int mo); \
void __tsan_atomic##bits##_store(volatile u##bits *p, u##bits v, int mo) \
{ \
	note((unsigned long)p, true); \
	*p = v; \
} \
int __tsan_atomic##bits##_compare_exchange_strong(volatile u##bits *p, \
		u##bits *old, u##bits v, int mo, int fail); \
int __tsan_atomic##bits##_compare_exchange_strong(volatile u##bits *p, \
		u##bits *old, u##bits v, int mo, int fail) \
{ \
	bool same = *p == *old; \
\
	note((unsigned long)p, true); \
	if (same) \
		*p = v; \
	else \
		*old = *p; \
	return same; \
} \
u##bits __tsan_atomic##bits##_compare_exchange_val(volatile u##bits *p, \
		u##bits old, u##bits v, int mo, int fail); \
u##bits __tsan_atomic##bits##_compare_exchange_val(volatile u##bits *p, \
		u##bits old, u##bits v, int mo, int fail) \
{ \
	__tsan_atomic##bits##_compare_exchange_strong(p, &old, v, mo, fail); \
	return old; \
} \
RMW(bits, exchange, v) \
RMW(bits, fetch_add, old + v) \
RMW(bits, fetch_sub, old - v) \
RMW(bits, fetch_or, old | v) \
RMW(bits, fetch_and, old & v)
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
