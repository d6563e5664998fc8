/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of one device. Their order here is the order of the STATUS line;
 * their names, which the "fields" message tells, are in stats.c.
 *
 * A counter is a per-CPU word: hot paths never write a shared cache line to
 * count. A sum is exact once the device is idle and may be off by what is in
 * flight otherwise. Population counters (DZR_POP_*) go up and down; one CPU's
 * share may be negative, the sum may not.
 */
#ifndef DZR_STATS_H
#define DZR_STATS_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "policy.h"

struct dzr_dev;

/**
 * enum dzr_stat - the per-CPU counters
 * @DZR_STAT_READS: blocks read by users
 * @DZR_STAT_WRITES: blocks written by users
 * @DZR_STAT_DISCARDS: stored blocks discarded or zeroed
 * @DZR_STAT_RAW: blocks stored as they are, being incompressible
 * @DZR_STAT_SPILLS: blocks written straight to the log
 * @DZR_STAT_DEFERS: bios that had to wait for a buffer or a page
 * @DZR_STAT_WRITE_FAILS: blocks that no tier could take
 * @DZR_STAT_DEMOTIONS: blocks moved from the pool to the log
 * @DZR_STAT_DROPS: pool copies dropped, the log having another
 * @DZR_STAT_PROMOTIONS: blocks given a copy in the pool again
 * @DZR_STAT_COLD_READS: blocks read from the cold device
 * @DZR_STAT_BUFFER_READS: cold blocks read from a segment still in memory
 * @DZR_STAT_SEG_WRITES: segment writes issued
 * @DZR_STAT_COLD_WRITE_BYTES: bytes of these
 * @DZR_STAT_COLD_READ_BYTES: bytes read, for users and the cleaner
 * @DZR_STAT_SEGS_CLEANED: segments emptied by the cleaner
 * @DZR_STAT_BLOCKS_CLEANED: live blocks that it moved
 * @DZR_STAT_SEGS_MOVED: segments emptied since their device is to be let go
 * @DZR_STAT_BLOCKS_MOVED: live blocks moved for that
 * @DZR_STAT_SEGS_DISCARDED: free segments discarded on the cold device
 * @DZR_STAT_COLD_READ_ERRORS: reads that the cold device failed
 * @DZR_STAT_COLD_BAD_OBJECTS: objects that were not what they should be
 * @DZR_STAT_COLD_WRITE_ERRORS: segment writes that failed
 * @DZR_STAT_PRECLEANS: blocks of the pool written ahead of need
 * @DZR_STAT_PRECLEAN_DROPS: pool copies of such blocks that were dropped
 * @DZR_STAT_PRECLEAN_WASTED: such blocks overwritten or discarded before
 * @DZR_STAT_DEMOTE_FREED: pages by which steps of demotion made the pool smaller
 * @DZR_STAT_GROUPS: groups written by demotion
 * @DZR_STAT_GROUPED: blocks demoted in them
 * @DZR_STAT_GROUPS_SPLIT: groups that the cleaner took apart
 * @DZR_STAT_GROUP_READS: groups read from the cold device
 * @DZR_STAT_AHEAD: blocks that came to the pool with a neighbour
 * @DZR_STAT_AHEAD_HITS: those that were read there
 * @DZR_STAT_HELPED: parts of large bios that a second processor did
 * @DZR_STAT_COLD_READ_IOS: bios that cold reads took
 * @DZR_POP_FILL: blocks of one repeated word
 * @DZR_POP_HOT: blocks only in the pool
 * @DZR_POP_CLEAN: blocks in the pool and in the log
 * @DZR_POP_COLD: blocks only in the log
 *
 * Events first, which only grow; then populations, how many blocks are in a
 * state now.
 */
enum dzr_stat {
	DZR_STAT_READS,
	DZR_STAT_WRITES,
	DZR_STAT_DISCARDS,
	DZR_STAT_RAW,
	DZR_STAT_SPILLS,
	DZR_STAT_DEFERS,
	DZR_STAT_WRITE_FAILS,
	DZR_STAT_DEMOTIONS,
	DZR_STAT_DROPS,
	DZR_STAT_PROMOTIONS,
	DZR_STAT_COLD_READS,
	DZR_STAT_BUFFER_READS,
	DZR_STAT_SEG_WRITES,
	DZR_STAT_COLD_WRITE_BYTES,
	DZR_STAT_COLD_READ_BYTES,
	DZR_STAT_SEGS_CLEANED,
	DZR_STAT_BLOCKS_CLEANED,
	DZR_STAT_SEGS_MOVED,
	DZR_STAT_BLOCKS_MOVED,
	DZR_STAT_SEGS_DISCARDED,
	DZR_STAT_COLD_READ_ERRORS,
	DZR_STAT_COLD_BAD_OBJECTS,
	DZR_STAT_COLD_WRITE_ERRORS,
	DZR_STAT_PRECLEANS,
	DZR_STAT_PRECLEAN_DROPS,
	DZR_STAT_PRECLEAN_WASTED,
	DZR_STAT_DEMOTE_FREED,
	DZR_STAT_GROUPS,
	DZR_STAT_GROUPED,
	DZR_STAT_GROUPS_SPLIT,
	DZR_STAT_GROUP_READS,
	DZR_STAT_AHEAD,
	DZR_STAT_AHEAD_HITS,
	DZR_STAT_HELPED,
	DZR_STAT_COLD_READ_IOS,
	DZR_NR_EVENTS,
	DZR_POP_FILL = DZR_NR_EVENTS,
	DZR_POP_HOT,
	DZR_POP_CLEAN,
	DZR_POP_COLD,
	DZR_NR_STATS
};

/**
 * enum dzr_gauge - numbers that are worked out when somebody asks
 * @DZR_GAUGE_POOL_BYTES: pages of the pool
 * @DZR_GAUGE_POOL_STORED: compressed data in them
 * @DZR_GAUGE_POOL_PEAK: largest @DZR_GAUGE_POOL_BYTES since reset_peak
 * @DZR_GAUGE_MEM_LIMIT: soft limit, 0: none
 * @DZR_GAUGE_META_BYTES: block table, object headers, zspage descriptors
 * @DZR_GAUGE_FIXED_BYTES: reserves, buffers, codec workspaces, segment table
 * @DZR_GAUGE_RESERVE: pages in the pool's reserve
 * @DZR_GAUGE_RESERVE_TARGET: pages of a full reserve
 * @DZR_GAUGE_RESERVE_LOW: fewest there ever were
 * @DZR_GAUGE_COMPACT_RUNS: runs of compaction
 * @DZR_GAUGE_COMPACT_MOVED: objects that it moved
 * @DZR_GAUGE_COMPACT_FREED: pages that it freed
 * @DZR_GAUGE_SEGS: segments of the log
 * @DZR_GAUGE_SEGS_FREE: free ones
 * @DZR_GAUGE_SEGS_BAD: given up after a failed write
 * @DZR_GAUGE_COLD_DEVICES: cold devices in use
 * @DZR_GAUGE_MOVING: segments of the old one that are not empty yet
 * @DZR_GAUGE_MOVING_STUCK: those of them that could not be read
 * @DZR_GAUGE_COLD_LIVE: live objects in the log, with headers
 * @DZR_GAUGE_COLD_FAILED: 1 while the cold device refuses writes
 * @DZR_GAUGE_WEAR_BUDGET: bytes a day that may be written, 0: no limit
 * @DZR_GAUGE_WEAR_LEFT: bytes of that which are left
 * @DZR_GAUGE_WEAR_OVERDRAWN: bytes written with nothing left
 * @DZR_GAUGE_WEAR_THRIFTY: 1 while the budget is used up
 */
enum dzr_gauge {
	DZR_GAUGE_POOL_BYTES,
	DZR_GAUGE_POOL_STORED,
	DZR_GAUGE_POOL_PEAK,
	DZR_GAUGE_MEM_LIMIT,
	DZR_GAUGE_META_BYTES,
	DZR_GAUGE_FIXED_BYTES,
	DZR_GAUGE_RESERVE,
	DZR_GAUGE_RESERVE_TARGET,
	DZR_GAUGE_RESERVE_LOW,
	DZR_GAUGE_COMPACT_RUNS,
	DZR_GAUGE_COMPACT_MOVED,
	DZR_GAUGE_COMPACT_FREED,
	DZR_GAUGE_SEGS,
	DZR_GAUGE_SEGS_FREE,
	DZR_GAUGE_SEGS_BAD,
	DZR_GAUGE_COLD_DEVICES,
	DZR_GAUGE_MOVING,
	DZR_GAUGE_MOVING_STUCK,
	DZR_GAUGE_COLD_LIVE,
	DZR_GAUGE_COLD_FAILED,
	DZR_GAUGE_WEAR_BUDGET,
	DZR_GAUGE_WEAR_LEFT,
	DZR_GAUGE_WEAR_OVERDRAWN,
	DZR_GAUGE_WEAR_THRIFTY,
	DZR_NR_GAUGES
};

/**
 * struct dzr_stats - the per-CPU counters of a device
 * @v: one word for each &enum dzr_stat
 * @in_flight: reads and writes begun here, less those that ended here
 * @served: time that those which ended here have taken, in ns
 * @pool_reads: samples read from the pool, by age, as in &struct dzr_reuse
 */
struct dzr_stats {
	s64 v[DZR_NR_STATS];
	s64 in_flight;
	u64 served;
	u64 pool_reads[DZR_AGE_MAX + 1];
};

/**
 * dzr_stat_add - count
 * @stats: the device's counters
 * @stat: which
 * @n: how many; negative for populations that shrink
 *
 * Not this_cpu_add(): no interrupt counts, and where a processor has no
 * instruction for it that one disables interrupts.
 *
 * Context: process, or any other that no interrupt counts in.
 */
static inline void dzr_stat_add(struct dzr_stats __percpu *stats,
				enum dzr_stat stat, s64 n)
{
	preempt_disable();
	__this_cpu_add(stats->v[stat], n);
	preempt_enable();
}

/**
 * dzr_stat_pool_read - a sample of &struct dzr_reuse is read from the pool
 * @stats: the device's counters
 * @age: its age before
 *
 * Context: as dzr_stat_add().
 */
static inline void dzr_stat_pool_read(struct dzr_stats __percpu *stats,
				      u8 age)
{
	preempt_disable();
	__this_cpu_inc(stats->pool_reads[age]);
	preempt_enable();
}

/**
 * dzr_stat_pool_reads - how many were there?
 * @stats: the device's counters
 * @reads: set to the sums over all CPUs, by age
 *
 * Context: any; walks all possible CPUs.
 */
void dzr_stat_pool_reads(struct dzr_stats __percpu *stats, u64 *reads);

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
 * Order: number of blocks, populations, gauges, events.
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
