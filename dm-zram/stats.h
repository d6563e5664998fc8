/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of one device, and the one list of names that the STATUS line, the
 * "fields" message and the documentation share.
 *
 * A counter is a per-CPU word: hot paths never write a shared cache line to
 * count. A sum is exact once the device is idle and may be off by what is in
 * flight otherwise. Population counters (DZR_POP_*) go up and down; one CPU's
 * share may be negative, the sum may not.
 */
#ifndef DZR_STATS_H
#define DZR_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct dzr_dev;

/* Counters, in the order in which they close the STATUS line. */
#define DZR_COUNTERS(x)							\
	/* what the users of the device asked for, in blocks */		\
	x(READS, reads)							\
	x(WRITES, writes)						\
	x(DISCARDS, discards)						\
	/* how writes were stored, in blocks */				\
	x(RAW, raw_writes)						\
	x(SPILLS, spills)						\
	x(DEFERS, deferred)						\
	x(WRITE_FAILS, write_fails)					\
	/* movement between the tiers, in blocks */			\
	x(DEMOTIONS, demotions)						\
	x(DROPS, clean_drops)						\
	x(PROMOTIONS, promotions)					\
	x(COLD_READS, cold_reads)					\
	x(BUFFER_READS, buffer_reads)					\
	/* traffic of the cold device */				\
	x(SEG_WRITES, segment_writes)					\
	x(COLD_WRITE_BYTES, cold_write_bytes)				\
	x(COLD_READ_BYTES, cold_read_bytes)				\
	x(SEGS_CLEANED, segments_cleaned)				\
	x(BLOCKS_CLEANED, blocks_cleaned)				\
	x(SEGS_DISCARDED, segments_discarded)				\
	/* faults */							\
	x(COLD_READ_ERRORS, cold_read_errors)				\
	x(COLD_BAD_OBJECTS, cold_bad_objects)				\
	x(COLD_WRITE_ERRORS, cold_write_errors)

/* Populations: how many blocks are in a state now. */
#define DZR_POPULATIONS(x)						\
	x(FILL, fill_blocks)						\
	x(HOT, hot_blocks)						\
	x(CLEAN, clean_blocks)						\
	x(COLD, cold_blocks)

/* Gauges that are worked out when somebody asks. Bytes unless named pages. */
#define DZR_GAUGES(x)							\
	x(POOL_BYTES, pool_bytes)					\
	x(POOL_STORED, pool_stored_bytes)				\
	x(POOL_PEAK, pool_peak_bytes)					\
	x(MEM_LIMIT, mem_limit_bytes)					\
	x(META_BYTES, meta_bytes)					\
	x(FIXED_BYTES, fixed_bytes)					\
	x(RESERVE, reserve_pages)					\
	x(RESERVE_TARGET, reserve_target_pages)				\
	x(RESERVE_LOW, reserve_low_pages)				\
	x(COMPACT_RUNS, compactions)					\
	x(COMPACT_MOVED, compact_moved)					\
	x(COMPACT_FREED, compact_freed_pages)				\
	x(SEGS, segments)						\
	x(SEGS_FREE, segments_free)					\
	x(SEGS_BAD, segments_bad)					\
	x(COLD_LIVE, cold_live_bytes)					\
	x(COLD_FAILED, cold_failed)

#define DZR_STAT_ENUM(id, name) DZR_STAT_##id,
#define DZR_POP_ENUM(id, name) DZR_POP_##id,
#define DZR_GAUGE_ENUM(id, name) DZR_GAUGE_##id,

/* Index of a per-CPU counter: events first, then populations. */
enum dzr_stat {
	DZR_COUNTERS(DZR_STAT_ENUM)
	DZR_NR_EVENTS,
	DZR_POP_FIRST = DZR_NR_EVENTS - 1,
	DZR_POPULATIONS(DZR_POP_ENUM)
	DZR_NR_STATS
};

enum dzr_gauge {
	DZR_GAUGES(DZR_GAUGE_ENUM)
	DZR_NR_GAUGES
};

/**
 * struct dzr_stats - the per-CPU counters of a device
 * @v: one word for each &enum dzr_stat
 */
struct dzr_stats {
	s64 v[DZR_NR_STATS];
};

/**
 * dzr_stat_add - count
 * @stats: the device's counters
 * @stat: which
 * @n: how many; negative for populations that shrink
 *
 * Context: any.
 */
static inline void dzr_stat_add(struct dzr_stats __percpu *stats,
				enum dzr_stat stat, s64 n)
{
	this_cpu_add(stats->v[stat], n);
}

/**
 * dzr_stat_sum - sum of a counter over all CPUs
 * @stats: the device's counters
 * @stat: which
 *
 * Context: any; walks all possible CPUs.
 */
u64 dzr_stat_sum(struct dzr_stats __percpu *stats, enum dzr_stat stat);

/**
 * dzr_status_line - write the numbers of the STATUS line
 * @d: the device
 * @buf: where to
 * @size: room there, in bytes
 *
 * Order: number of blocks, populations, gauges, counters, as listed in
 * DZR_POPULATIONS(), DZR_GAUGES() and DZR_COUNTERS().
 *
 * Context: process; takes no lock of the I/O path.
 * Return: characters written, without the closing zero; cut at @size.
 */
unsigned int dzr_status_line(struct dzr_dev *d, char *buf, unsigned int size);

/**
 * dzr_status_fields - write the names of the numbers of the STATUS line
 * @buf: where to
 * @size: room there, in bytes
 *
 * Context: any.
 * Return: characters written, without the closing zero; cut at @size.
 */
unsigned int dzr_status_fields(char *buf, unsigned int size);

#endif /* DZR_STATS_H */
