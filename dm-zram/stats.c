// SPDX-License-Identifier: GPL-2.0
/*
 * The STATUS line. See stats.h for the order.
 *
 * Locks: none; sums over CPUs and allocator totals are read as they are.
 */
#include <linux/device-mapper.h>

#include "device.h"
#include "stats.h"

u64 dzr_stat_sum(struct dzr_stats __percpu *stats, enum dzr_stat stat)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->v[stat]);
	return max_t(s64, sum, 0);
}

static u64 dzr_fixed_bytes(struct dzr_dev *d, const struct dzs_stats *pool)
{
	u64 bytes = sizeof(*d) + dzr_streams_bytes(d->streams) +
		    dzr_btable_reserve_bytes(d->bt) +
		    (u64)num_possible_cpus() * sizeof(struct dzr_stats) +
		    ((u64)pool->reserve_target << PAGE_SHIFT);

	return d->log ? bytes + dzr_log_bytes(d->log) : bytes;
}

static void dzr_gauges(struct dzr_dev *d, u64 *g)
{
	struct dzr_segs_totals segs = {};
	struct dzs_stats pool;
	unsigned long peak;

	dzs_stats(d->pool, &pool);
	if (d->log)
		dzr_log_totals(d->log, &segs);
	peak = max(READ_ONCE(d->peak), pool.pages);
	g[DZR_GAUGE_POOL_BYTES] = (u64)pool.pages << PAGE_SHIFT;
	g[DZR_GAUGE_POOL_STORED] = pool.stored_bytes;
	g[DZR_GAUGE_POOL_PEAK] = (u64)peak << PAGE_SHIFT;
	g[DZR_GAUGE_MEM_LIMIT] = d->limit == U64_MAX ? 0 : d->limit;
	g[DZR_GAUGE_META_BYTES] = dzr_btable_bytes(d->bt) + pool.meta_bytes;
	g[DZR_GAUGE_FIXED_BYTES] = dzr_fixed_bytes(d, &pool);
	g[DZR_GAUGE_RESERVE] = pool.reserve_pages;
	g[DZR_GAUGE_RESERVE_TARGET] = pool.reserve_target;
	g[DZR_GAUGE_RESERVE_LOW] = pool.reserve_low;
	g[DZR_GAUGE_COMPACT_RUNS] = pool.compact_runs;
	g[DZR_GAUGE_COMPACT_MOVED] = pool.compact_moved;
	g[DZR_GAUGE_COMPACT_FREED] = pool.compact_freed;
	g[DZR_GAUGE_SEGS] = segs.segments;
	g[DZR_GAUGE_SEGS_FREE] = segs.free;
	g[DZR_GAUGE_SEGS_BAD] = segs.bad;
	g[DZR_GAUGE_COLD_LIVE] = segs.live_bytes;
	g[DZR_GAUGE_COLD_FAILED] = d->log && dzr_log_failed(d->log);
}

unsigned int dzr_status_line(struct dzr_dev *d, char *buf, unsigned int size)
{
	u64 gauge[DZR_NR_GAUGES];
	unsigned int len;
	int i;

	dzr_gauges(d, gauge);
	len = scnprintf(buf, size, "%llu", dzr_btable_blocks(d->bt));
	for (i = DZR_NR_EVENTS; i < DZR_NR_STATS; i++)
		len += scnprintf(buf + len, size - len, " %llu",
				 dzr_stat_sum(d->stats, i));
	for (i = 0; i < DZR_NR_GAUGES; i++)
		len += scnprintf(buf + len, size - len, " %llu", gauge[i]);
	for (i = 0; i < DZR_NR_EVENTS; i++)
		len += scnprintf(buf + len, size - len, " %llu",
				 dzr_stat_sum(d->stats, i));
	return len;
}

#define DZR_STAT_NAME(id, name) " " #name

unsigned int dzr_status_fields(char *buf, unsigned int size)
{
	return scnprintf(buf, size, "blocks"
			 DZR_POPULATIONS(DZR_STAT_NAME)
			 DZR_GAUGES(DZR_STAT_NAME)
			 DZR_COUNTERS(DZR_STAT_NAME));
}
