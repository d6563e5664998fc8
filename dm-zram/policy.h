/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies: which blocks are cold.
 *
 * A policy decides, the demotion worker performs when it sees fit. All that a
 * policy knows of a block is its age, DZR_AGE_BITS bits in the table entry:
 * 0 is just written, DZR_AGE_MAX is the oldest. A clock hand walks over all
 * entries; each visit either picks the block or makes it older by DZR_AGE_STEP.
 * So one full rotation is the unit of age, and how fast the hand moves says how
 * long that is: see dzr_sweep_interval() for the slow hand that looks for idle
 * blocks, and the threshold for the fast one that runs when memory is short.
 *
 * The lowest bit of a hot block's age is no age: it says that the block was read
 * since it was written or promoted. Whether such blocks are read again depends
 * on who uses the device: a file system's often are, swapped-out pages hardly
 * ever. &struct dzr_reuse finds out.
 *
 * Pure: no locks, no I/O. Everything may be called in any context, but for
 * &struct dzr_reuse, which its owner guards.
 */
#ifndef DZR_POLICY_H
#define DZR_POLICY_H

#include <linux/types.h>

/* Bits of an age in a table entry. */
#define DZR_AGE_BITS 3
/* Just written. */
#define DZR_AGE_YOUNG 0
/* The largest age. */
#define DZR_AGE_MAX 7
/* The block is in RAM and was read since it was written or promoted. */
#define DZR_AGE_READ 1
/* What a rotation adds to the age of a block in RAM. */
#define DZR_AGE_STEP 2
/* Rotations that an age tells apart: a block that was passed by more is as old. */
#define DZR_AGE_ROTATIONS (DZR_AGE_MAX / DZR_AGE_STEP)

/* What dzr_policy_find() knows, for error texts. */
#define DZR_POLICY_NAMES "age, fifo"

/*
 * Demotion starts when the pool has come this close to its limit: limit / 16
 * (6 %) is what still arrives while the first segments are being written.
 */
#define DZR_MARK_START_DIV 16
/*
 * It stops when the pool is this far below its limit: limit / 8 (12 %), so
 * that a run is worth several segments and does not begin again at once.
 */
#define DZR_MARK_STOP_DIV 8

/*
 * The same while the wear budget is used up: the pool may grow to its limit,
 * less limit / 64 that still arrives; a run is as much again.
 */
#define DZR_MARK_THRIFTY_START_DIV 64
#define DZR_MARK_THRIFTY_STOP_DIV 32

/*
 * The age from which the hand takes a block when memory is short, at first: a
 * block that three rotations in a row saw untouched.
 */
#define DZR_THRESHOLD_START (DZR_AGE_ROTATIONS * DZR_AGE_STEP)
/*
 * The lowest it goes: one untouched rotation. Lower would take what has just
 * been written; and as each visit ages what it leaves, two rotations at that are
 * enough to take everything that nobody touches between them.
 */
#define DZR_THRESHOLD_MIN DZR_AGE_STEP
/*
 * A cold block is promoted if it was read again this many rotations sooner than
 * the hand would have taken it from RAM. One is the error of an age; it also
 * keeps a working set beyond RAM from chasing itself through the log: without it
 * and the threshold the traces of tests/unit/test_policy.c demote seven times as
 * much.
 */
#define DZR_PROMOTE_MARGIN 1
/*
 * The age of a block that came to RAM with a neighbour: the hand takes it after
 * two rotations that saw it untouched, one less than a block that was asked for.
 */
#define DZR_AGE_AHEAD (DZR_THRESHOLD_START - 2 * DZR_AGE_STEP)
/* Takes only the oldest blocks: the idle sweep. */
#define DZR_THRESHOLD_IDLE (DZR_AGE_ROTATIONS * DZR_AGE_STEP)

/*
 * Blocks that were read go first if those that were not, and are about to go,
 * are this many times as likely to be read. With 1, chance decides where both are
 * alike, and scans beside a hot set lose by it; with 2, so does swap that needs
 * little more than RAM has (make bench-policy).
 */
#define DZR_REUSE_WORTH 4
/* Unread blocks of this age and above are about to go. */
#define DZR_REUSE_OLD (2 * DZR_AGE_STEP)
/* One block in 1 << that many is a sample: it never goes first. */
#define DZR_REUSE_SAMPLE_SHIFT 4
/* Nothing is learnt from fewer reads of samples, nor from fewer old ones. */
#define DZR_REUSE_READS 64
#define DZR_REUSE_OLD_MIN 16
/* With more reads, what is known fades: half of it is forgotten. */
#define DZR_REUSE_FADE 512

/**
 * struct dzr_reuse - are blocks that were read likely to be read again?
 * @reads: reads of sampled blocks in RAM, by the age that they had
 * @seen: how many of each age the hands passed in the meantime
 * @last: the totals of which @reads has taken notice
 * @early: blocks that were read go from this age on; 0: when others do
 *
 * A block has an age until it is read or a hand passes. So reads / (reads + seen)
 * is the chance that a block of an age is read before it is any older. The
 * samples are not taken early, whatever @early says: a block that is gone cannot
 * show that it would have been read again.
 */
struct dzr_reuse {
	u64 reads[DZR_AGE_MAX + 1];
	u64 seen[DZR_AGE_MAX + 1];
	u64 last[DZR_AGE_MAX + 1];
	u8 early;
};

/**
 * struct dzr_policy - one policy
 * @name: as written in the table line
 * @born: the age of a block that has just been written into RAM anew
 * @touch: the age after an access of a block in RAM that had @age: @write, or a
 *	read hit
 * @visit: the hand passes over a block in RAM. True: demote it now, and the age
 *	is unchanged. False: leave it, and *@age is its new age. @early as in
 *	&struct dzr_reuse; 0 for a sample.
 * @chilled: the age of an entry whose block has just been demoted
 * @cold_touch: the age of a cold entry after a read that did not promote it
 * @cold_visit: the hand passes over a cold entry: its new age
 * @promote: a cold entry with @cold_age is read: bring it back to RAM?
 *	@threshold is the one of the fast hand while the pool is above its stop
 *	mark, so that something else has to go for it; DZR_THRESHOLD_IDLE while
 *	there is room.
 *
 * The age of a cold entry says how many rotations ago its previous cold read
 * was; DZR_AGE_MAX is long ago, or never.
 */
struct dzr_policy {
	const char *name;
	u8 (*born)(void);
	u8 (*touch)(u8 age, bool write);
	bool (*visit)(u8 *age, u8 threshold, u8 early);
	u8 (*chilled)(void);
	u8 (*cold_touch)(u8 cold_age);
	u8 (*cold_visit)(u8 cold_age);
	bool (*promote)(u8 cold_age, u8 threshold);
};

/**
 * dzr_policy_find() - look a policy up by its name
 * @name: "age" or "fifo"
 *
 * Context: any.
 * Return: the policy, or NULL if there is none of that name.
 */
const struct dzr_policy *dzr_policy_find(const char *name);

/**
 * dzr_policy_default() - the policy of a table line that names none
 *
 * Context: any.
 * Return: the policy, never NULL.
 */
const struct dzr_policy *dzr_policy_default(void);

/**
 * struct dzr_marks - when demotion for space starts and stops
 * @start: begin when the pool holds more than this
 * @stop: end when the pool holds no more than this; at most @start
 *
 * In the unit of the limit that they were made from. U64_MAX: never.
 */
struct dzr_marks {
	u64 start;
	u64 stop;
};

/**
 * dzr_marks_from_limit() - the marks of a limit
 * @limit: pool limit in any unit, 0 if there is none
 *
 * Context: any.
 * Return: the marks, in the same unit.
 */
struct dzr_marks dzr_marks_from_limit(u64 limit);

/**
 * dzr_marks_thrifty() - the marks of a limit while the wear budget is used up
 * @limit: pool limit in any unit, 0 if there is none
 *
 * Context: any.
 * Return: the marks, in the same unit; not below those of
 * dzr_marks_from_limit().
 */
struct dzr_marks dzr_marks_thrifty(u64 limit);

/**
 * dzr_threshold_next() - adapt the threshold of the fast hand
 * @threshold: the one in use
 * @reached: true when the goal was reached; false when the hand has made one
 *	full rotation without reaching it
 *
 * Context: any.
 * Return: DZR_THRESHOLD_START after a success, else one rotation less, but not
 * below DZR_THRESHOLD_MIN.
 */
u8 dzr_threshold_next(u8 threshold, bool reached);

/**
 * dzr_sweep_interval() - how often the slow hand makes a full rotation
 * @demote_age: seconds after which an untouched block is to be demoted, 0: never
 *
 * With that interval a block is among the oldest after at most @demote_age
 * seconds, and the next visit, not more than one interval later, takes it.
 *
 * Context: any.
 * Return: seconds from one rotation to the next, at least 1; 0: never.
 */
u32 dzr_sweep_interval(u32 demote_age);

/**
 * dzr_reuse_sample() - is this one of the blocks that are observed?
 * @block: its number
 *
 * Context: any.
 * Return: true for one in 1 << DZR_REUSE_SAMPLE_SHIFT, spread over all.
 */
static inline bool dzr_reuse_sample(u32 block)
{
	return !((u32)(block * 0x9e3779b1U) >> (32 - DZR_REUSE_SAMPLE_SHIFT));
}

/**
 * dzr_reuse_seen() - the hand passes over a block in RAM
 * @r: what is known
 * @block: its number
 * @age: its age
 *
 * Context: the owner of @r.
 */
static inline void dzr_reuse_seen(struct dzr_reuse *r, u32 block, u8 age)
{
	if (dzr_reuse_sample(block))
		r->seen[age]++;
}

/**
 * dzr_reuse_learn() - make up our mind
 * @r: what is known; @r->early is set
 * @total: reads of samples in RAM so far, by age, as in @r->reads
 *
 * To be called when the hand has moved over some of the pool.
 *
 * Context: the owner of @r.
 */
void dzr_reuse_learn(struct dzr_reuse *r, const u64 *total);

#endif /* DZR_POLICY_H */
