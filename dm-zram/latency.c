// SPDX-License-Identifier: GPL-2.0
/*
 * Histogram of latencies. See latency.h.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "latency.h"

int dzr_latency_init(struct dzr_latency *lat)
{
	mutex_init(&lat->lock);
	lat->cpu = alloc_percpu(struct dzr_latency_cpu);
	return lat->cpu ? 0 : -ENOMEM;
}

void dzr_latency_exit(struct dzr_latency *lat)
{
	free_percpu(lat->cpu);
}

static unsigned int dzr_latency_bucket(u64 us)
{
	return us ? min(ilog2(us) + 1, DZR_LATENCY_BUCKETS - 1) : 0;
}

void dzr_latency_count(struct dzr_latency *lat, u64 ns)
{
	u64 us = div_u64(ns, NSEC_PER_USEC);
	s64 max = atomic64_read(&lat->max_us);

	this_cpu_inc(lat->cpu->count[dzr_latency_bucket(us)]);
	while (us > max && !atomic64_try_cmpxchg(&lat->max_us, &max, us))
		;
}

/* Sums over all CPUs since creation. */
static void dzr_latency_sums(struct dzr_latency *lat, u64 *sum)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < DZR_LATENCY_BUCKETS; i++) {
		sum[i] = 0;
		for_each_possible_cpu(cpu)
			sum[i] += READ_ONCE(per_cpu_ptr(lat->cpu,
							cpu)->count[i]);
	}
}

void dzr_latency_reset(struct dzr_latency *lat)
{
	mutex_lock(&lat->lock);
	dzr_latency_sums(lat, lat->base);
	atomic64_set(&lat->max_us, 0);
	mutex_unlock(&lat->lock);
}

/* What a percentile of @all reads lies below, microseconds. */
static u64 dzr_latency_percentile(const u64 *count, u64 all, u32 percent,
				  u64 max)
{
	u64 rank = div_u64(all * percent + 99, 100);
	unsigned int i;

	for (i = 0; i < DZR_LATENCY_BUCKETS - 1; i++) {
		if (count[i] >= rank)
			return min(1ULL << i, max);
		rank -= count[i];
	}
	return max;
}

static unsigned int dzr_latency_text(const u64 *count, u64 max, char *buf,
				     unsigned int size)
{
	unsigned int i, len;
	u64 all = 0;

	for (i = 0; i < DZR_LATENCY_BUCKETS; i++)
		all += count[i];
	len = scnprintf(buf, size,
			"cold_reads %llu\np50_us %llu\np99_us %llu\nmax_us %llu",
			all, dzr_latency_percentile(count, all, 50, max),
			dzr_latency_percentile(count, all, 99, max), max);
	for (i = 0; i < DZR_LATENCY_BUCKETS - 1; i++)
		if (count[i])
			len += scnprintf(buf + len, size - len,
					 "\nbelow_%llu_us %llu", 1ULL << i,
					 count[i]);
	if (count[i])
		len += scnprintf(buf + len, size - len, "\nbeyond_us %llu",
				 count[i]);
	return len;
}

unsigned int dzr_latency_print(struct dzr_latency *lat, char *buf,
			       unsigned int size)
{
	u64 count[DZR_LATENCY_BUCKETS];
	unsigned int i;

	mutex_lock(&lat->lock);
	dzr_latency_sums(lat, count);
	for (i = 0; i < DZR_LATENCY_BUCKETS; i++)
		count[i] -= lat->base[i];
	mutex_unlock(&lat->lock);
	return dzr_latency_text(count, atomic64_read(&lat->max_us), buf, size);
}
