// SPDX-License-Identifier: GPL-2.0
/*
 * The STATUS line. See stats.h for the order.
 *
 * Locks: none; sums over CPUs and allocator totals are read as they are.
 */
#include <linux/device-mapper.h>

#include "budget.h"
#include "device.h"
#include "grouping.h"
#include "stats.h"

static const char *const dzr_stat_names[] = {
	[DZR_STAT_READS] = "reads",
	[DZR_STAT_WRITES] = "writes",
	[DZR_STAT_DISCARDS] = "discards",
	[DZR_STAT_RAW] = "raw_writes",
	[DZR_STAT_SPILLS] = "spills",
	[DZR_STAT_DEFERS] = "deferred",
	[DZR_STAT_WRITE_FAILS] = "write_fails",
	[DZR_STAT_DEMOTIONS] = "demotions",
	[DZR_STAT_DROPS] = "clean_drops",
	[DZR_STAT_PROMOTIONS] = "promotions",
	[DZR_STAT_COLD_READS] = "cold_reads",
	[DZR_STAT_BUFFER_READS] = "buffer_reads",
	[DZR_STAT_SEG_WRITES] = "segment_writes",
	[DZR_STAT_COLD_WRITE_BYTES] = "cold_write_bytes",
	[DZR_STAT_COLD_READ_BYTES] = "cold_read_bytes",
	[DZR_STAT_SEGS_CLEANED] = "segments_cleaned",
	[DZR_STAT_BLOCKS_CLEANED] = "blocks_cleaned",
	[DZR_STAT_SEGS_MOVED] = "segments_moved",
	[DZR_STAT_BLOCKS_MOVED] = "blocks_moved",
	[DZR_STAT_SEGS_DISCARDED] = "segments_discarded",
	[DZR_STAT_COLD_READ_ERRORS] = "cold_read_errors",
	[DZR_STAT_COLD_BAD_OBJECTS] = "cold_bad_objects",
	[DZR_STAT_COLD_WRITE_ERRORS] = "cold_write_errors",
	[DZR_STAT_PRECLEANS] = "preclean_blocks",
	[DZR_STAT_PRECLEAN_DROPS] = "preclean_drops",
	[DZR_STAT_PRECLEAN_WASTED] = "preclean_wasted",
	[DZR_STAT_DEMOTE_FREED] = "demote_freed_pages",
	[DZR_STAT_GROUPS] = "groups",
	[DZR_STAT_GROUPED] = "grouped_blocks",
	[DZR_STAT_GROUPS_SPLIT] = "groups_split",
	[DZR_STAT_GROUP_READS] = "group_reads",
	[DZR_STAT_AHEAD] = "readahead_blocks",
	[DZR_STAT_AHEAD_HITS] = "readahead_hits",
	[DZR_STAT_HELPED] = "helped_parts",
	[DZR_STAT_COLD_READ_IOS] = "cold_read_ios",
	[DZR_POP_FILL] = "fill_blocks",
	[DZR_POP_HOT] = "hot_blocks",
	[DZR_POP_CLEAN] = "clean_blocks",
	[DZR_POP_COLD] = "cold_blocks",
};

static_assert(ARRAY_SIZE(dzr_stat_names) == DZR_NR_STATS);

static const char *const dzr_gauge_names[] = {
	[DZR_GAUGE_POOL_BYTES] = "pool_bytes",
	[DZR_GAUGE_POOL_STORED] = "pool_stored_bytes",
	[DZR_GAUGE_POOL_PEAK] = "pool_peak_bytes",
	[DZR_GAUGE_MEM_LIMIT] = "mem_limit_bytes",
	[DZR_GAUGE_META_BYTES] = "meta_bytes",
	[DZR_GAUGE_FIXED_BYTES] = "fixed_bytes",
	[DZR_GAUGE_RESERVE] = "reserve_pages",
	[DZR_GAUGE_RESERVE_TARGET] = "reserve_target_pages",
	[DZR_GAUGE_RESERVE_LOW] = "reserve_low_pages",
	[DZR_GAUGE_COMPACT_RUNS] = "compactions",
	[DZR_GAUGE_COMPACT_MOVED] = "compact_moved",
	[DZR_GAUGE_COMPACT_FREED] = "compact_freed_pages",
	[DZR_GAUGE_SEGS] = "segments",
	[DZR_GAUGE_SEGS_FREE] = "segments_free",
	[DZR_GAUGE_SEGS_BAD] = "segments_bad",
	[DZR_GAUGE_COLD_DEVICES] = "cold_devices",
	[DZR_GAUGE_MOVING] = "moving_segments",
	[DZR_GAUGE_MOVING_STUCK] = "moving_stuck",
	[DZR_GAUGE_COLD_LIVE] = "cold_live_bytes",
	[DZR_GAUGE_COLD_FAILED] = "cold_failed",
	[DZR_GAUGE_WEAR_BUDGET] = "wear_budget_bytes",
	[DZR_GAUGE_WEAR_LEFT] = "wear_left_bytes",
	[DZR_GAUGE_WEAR_OVERDRAWN] = "wear_overdrawn_bytes",
	[DZR_GAUGE_WEAR_THRIFTY] = "wear_thrifty",
};

static_assert(ARRAY_SIZE(dzr_gauge_names) == DZR_NR_GAUGES);

u64 dzr_stat_sum(struct dzr_stats __percpu *stats, enum dzr_stat stat)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->v[stat]);
	return max_t(s64, sum, 0);
}

void dzr_stat_pool_reads(struct dzr_stats __percpu *stats, u64 *reads)
{
	int age, cpu;

	for (age = 0; age <= DZR_AGE_MAX; age++) {
		reads[age] = 0;
		for_each_possible_cpu(cpu)
			reads[age] += READ_ONCE(per_cpu_ptr(stats, cpu)->pool_reads[age]);
	}
}

static u64 dzr_fixed_bytes(struct dzr_dev *d, const struct dzs_stats *pool)
{
	u64 bytes = sizeof(*d) + dzr_streams_bytes(d->streams) +
		    dzr_btable_reserve_bytes(d->bt) +
		    (u64)num_possible_cpus() * sizeof(struct dzr_stats) +
		    ((u64)pool->reserve_target << PAGE_SHIFT) +
		    pool->fixed_bytes + dzr_grouping_bytes(READ_ONCE(d->grouping));

	return d->log ? bytes + dzr_log_bytes(d->log) : bytes;
}

static void dzr_wear_gauges(struct dzr_dev *d, u64 *g)
{
	struct dzr_wear wear;

	dzr_budget_read(d, &wear);
	g[DZR_GAUGE_WEAR_BUDGET] = wear.per_day;
	g[DZR_GAUGE_WEAR_LEFT] = max_t(s64, wear.left, 0);
	g[DZR_GAUGE_WEAR_OVERDRAWN] = wear.overdrawn;
	g[DZR_GAUGE_WEAR_THRIFTY] = READ_ONCE(d->thrifty);
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
	g[DZR_GAUGE_COLD_DEVICES] = !!d->log + !!READ_ONCE(d->cold_old);
	g[DZR_GAUGE_MOVING] = segs.left;
	g[DZR_GAUGE_MOVING_STUCK] = segs.stuck;
	g[DZR_GAUGE_COLD_LIVE] = segs.live_bytes;
	g[DZR_GAUGE_COLD_FAILED] = d->log && dzr_log_failed(d->log);
	dzr_wear_gauges(d, g);
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

unsigned int dzr_status_fields(char *buf, unsigned int size)
{
	unsigned int len = scnprintf(buf, size, "blocks");
	int i;

	for (i = DZR_NR_EVENTS; i < DZR_NR_STATS; i++)
		len += scnprintf(buf + len, size - len, " %s",
				 dzr_stat_names[i]);
	for (i = 0; i < DZR_NR_GAUGES; i++)
		len += scnprintf(buf + len, size - len, " %s",
				 dzr_gauge_names[i]);
	for (i = 0; i < DZR_NR_EVENTS; i++)
		len += scnprintf(buf + len, size - len, " %s",
				 dzr_stat_names[i]);
	return len;
}
