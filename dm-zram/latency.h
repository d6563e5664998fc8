/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histogram of latencies: how long cold reads take.
 *
 * Buckets of powers of two: bucket 0 is for less than 1 microsecond, bucket i
 * for 2^(i-1) to 2^i - 1, the last one for all that is longer. Counters are per
 * CPU, and never reset: dzr_latency_reset() notes what they were, so that no
 * count is lost by it.
 *
 * Locks: a mutex for the notes. Counting takes none.
 */
#ifndef DZR_LATENCY_H
#define DZR_LATENCY_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Up to 2^26 microseconds, 67 seconds, and one bucket for what is beyond. */
#define DZR_LATENCY_BUCKETS	28

/**
 * struct dzr_latency_cpu - one CPU's counters
 * @count: reads in each bucket
 */
struct dzr_latency_cpu {
	u64 count[DZR_LATENCY_BUCKETS];
};

/**
 * struct dzr_latency - a histogram
 * @cpu: the counters
 * @max_us: longest since the last reset, microseconds
 * @lock: guards @base
 * @base: sums at the last reset
 */
struct dzr_latency {
	struct dzr_latency_cpu __percpu *cpu;
	atomic64_t max_us;
	struct mutex lock;
	u64 base[DZR_LATENCY_BUCKETS];
};

/**
 * dzr_latency_init - an empty histogram
 * @lat: the histogram
 *
 * Context: process; may sleep (GFP_KERNEL).
 * Return: 0 or -ENOMEM.
 */
int dzr_latency_init(struct dzr_latency *lat);

/**
 * dzr_latency_exit - free it
 * @lat: the histogram; zeroes are fine
 */
void dzr_latency_exit(struct dzr_latency *lat);

/**
 * dzr_latency_count - count one
 * @lat: the histogram
 * @ns: nanoseconds that it took
 *
 * Context: any.
 */
void dzr_latency_count(struct dzr_latency *lat, u64 ns);

/**
 * dzr_latency_reset - begin anew
 * @lat: the histogram
 *
 * Context: process; may sleep.
 */
void dzr_latency_reset(struct dzr_latency *lat);

/**
 * dzr_latency_print - write it as text
 * @lat: the histogram
 * @buf: where to
 * @size: room there, in bytes
 *
 * Lines of a name and a number: cold_reads, p50_us, p99_us, max_us, and
 * below_<n>_us for each bucket that is not empty, beyond_us for the last. A
 * percentile is the upper bound of the bucket it falls into, or the maximum if
 * that is less.
 *
 * Context: process; may sleep.
 * Return: characters written, without the closing zero; cut at @size.
 */
unsigned int dzr_latency_print(struct dzr_latency *lat, char *buf,
			       unsigned int size);

#endif /* DZR_LATENCY_H */
