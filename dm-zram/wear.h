/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wear budget: how many bytes a day may go to the cold device.
 *
 * A token bucket. It fills evenly, by the budget in a day, and carries over
 * what is not used, up to a day's worth. Each byte written takes one out. What
 * must be written although the bucket is empty is written on credit, down to a
 * day's worth below nothing: a debt beyond that is forgiven, so that after a
 * day without writes there is something to spend again.
 *
 * A new bucket holds an hour's worth. None would hold back the first demotion,
 * a day's worth would be a gift to whoever creates the device anew each day.
 *
 * The bucket is used up when nothing is left. It counts as filled again with
 * DZR_WEAR_BATCH bytes (or an hour's worth, if that is less), so that what
 * waits for it goes on for some segments at a time.
 *
 * Pure: the caller has the clock and keeps others away. Anything may be called
 * in any context.
 */
#ifndef DZR_WEAR_H
#define DZR_WEAR_H

#include <linux/types.h>

/* A day, in the unit of the clock. */
#define DZR_WEAR_DAY_MS		(24U * 60 * 60 * 1000)

/* What a new bucket holds: this part of a day's worth. */
#define DZR_WEAR_HOURS		24U

/* The largest budget, bytes a day: sums of two stay far from 64 bits. */
#define DZR_WEAR_MAX		(1ULL << 50)

/* What must have come in before a bucket that was used up counts as filled. */
#define DZR_WEAR_BATCH		(1U << 20)

/**
 * struct dzr_wear - a bucket
 * @per_day: the budget, bytes a day; 0: none, and nothing is ever used up
 * @left: bytes in the bucket, from -@per_day to @per_day
 * @part: what has come in of the next byte, in @per_day bytes times
 *	milliseconds; less than DZR_WEAR_DAY_MS
 * @then: when @left was right, in milliseconds
 * @overdrawn: bytes written on credit since the beginning
 * @used_up: nothing was left, and DZR_WEAR_BATCH has not come in since
 */
struct dzr_wear {
	u64 per_day;
	s64 left;
	u64 part;
	u64 then;
	u64 overdrawn;
	bool used_up;
};

/**
 * dzr_wear_set() - set the budget, or change it
 * @w: the bucket; zeroes, or in use
 * @per_day: bytes a day, at most DZR_WEAR_MAX; 0: none
 * @now: milliseconds
 *
 * A bucket that had no budget holds an hour's worth of the new one. One that
 * had keeps what it holds, but no more than a day's worth.
 */
void dzr_wear_set(struct dzr_wear *w, u64 per_day, u64 now);

/**
 * dzr_wear_update() - let in what is due
 * @w: the bucket
 * @now: milliseconds; a clock that goes back counts as one that stands still
 */
void dzr_wear_update(struct dzr_wear *w, u64 now);

/**
 * dzr_wear_charge() - bytes are written
 * @w: the bucket
 * @bytes: how many
 * @now: milliseconds
 */
void dzr_wear_charge(struct dzr_wear *w, u64 bytes, u64 now);

/**
 * dzr_wear_hour() - an hour's worth
 * @w: the bucket
 *
 * Return: bytes.
 */
u64 dzr_wear_hour(const struct dzr_wear *w);

#endif /* DZR_WEAR_H */
