// SPDX-License-Identifier: GPL-2.0
/*
 * How busy the device is. See load.h.
 *
 * Locks: none. Of two who sample at once one loses.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>

#include "device.h"

/* Busy from here on, and until the average is down there: I/O comes in bursts. */
#define DZR_LOAD_BUSY		(DZR_LOAD_ONE / 8)
#define DZR_LOAD_IDLE		(DZR_LOAD_ONE / 32)

#define DZR_LOAD_SHIFT		4	/* weight of a millisecond: 1/16 */
#define DZR_LOAD_MAX		(1024U * DZR_LOAD_ONE)

/* A sample over so many milliseconds leaves nothing of those before it. */
#define DZR_LOAD_FORGET		64U

u64 dzr_load_begin(struct dzr_dev *d)
{
	preempt_disable();
	__this_cpu_inc(d->stats->in_flight);
	preempt_enable();
	return local_clock();
}

void dzr_load_end(struct dzr_dev *d, u64 begin)
{
	/* Clocks of two CPUs may differ a little. */
	s64 took = max_t(s64, local_clock() - begin, 0);

	preempt_disable();
	__this_cpu_dec(d->stats->in_flight);
	__this_cpu_add(d->stats->served, took);
	preempt_enable();
}

/* All CPUs' time served, and the I/Os that are in flight now. */
static u64 dzr_served(struct dzr_dev *d, s64 *in_flight)
{
	u64 sum = 0;
	int cpu;

	*in_flight = 0;
	for_each_possible_cpu(cpu) {
		struct dzr_stats *stats = per_cpu_ptr(d->stats, cpu);

		sum += READ_ONCE(stats->served);
		*in_flight += READ_ONCE(stats->in_flight);
	}
	return sum;
}

/* @average after @ms milliseconds with @sample in flight. */
static u32 dzr_load_next(u32 average, u32 sample, u64 ms)
{
	if (ms >= DZR_LOAD_FORGET)
		return sample;
	while (ms--)
		average = average - (average >> DZR_LOAD_SHIFT) +
			  (sample >> DZR_LOAD_SHIFT);
	return average;
}

/* The last sample was @ns ago. */
static void dzr_load_sample(struct dzr_dev *d, u64 ns)
{
	struct dzr_load *load = &d->load;
	s64 in_flight;
	u64 served = dzr_served(d, &in_flight);
	u64 took = served - READ_ONCE(load->served);
	s64 sample = div64_u64(took * DZR_LOAD_ONE, ns);

	sample = max_t(s64, sample, in_flight * DZR_LOAD_ONE);
	sample = min_t(s64, sample, DZR_LOAD_MAX);
	sample = dzr_load_next(READ_ONCE(load->average), sample,
			       div_u64(ns, NSEC_PER_MSEC));
	WRITE_ONCE(load->served, served);
	WRITE_ONCE(load->average, sample);
	WRITE_ONCE(load->busy, sample >= (READ_ONCE(load->busy) ?
					  DZR_LOAD_IDLE : DZR_LOAD_BUSY));
}

bool dzr_load_busy(struct dzr_dev *d)
{
	struct dzr_load *load = &d->load;
	u64 now = ktime_get_ns();
	u64 last = READ_ONCE(load->sampled);

	if (now - last >= NSEC_PER_MSEC &&
	    cmpxchg64(&load->sampled, last, now) == last)
		dzr_load_sample(d, now - last);
	return READ_ONCE(load->busy);
}
