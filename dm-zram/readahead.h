/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does it pay to take the neighbours of a block along?
 *
 * Who reads a member of a group has all of it decompressed. The other members
 * can be given a copy in the pool, which costs their compression and room, and
 * saves a cold read each if somebody asks for them before they are dropped. The
 * score says what part of them was asked for lately. It goes down with each
 * block that is taken along, and up when one is asked for: so a block counts as
 * of no use until it is used, and nobody has to find out what became of the
 * others.
 *
 * While it does not pay, some are taken along all the same, to see whether that
 * has changed.
 *
 * Pure: compiles unmodified in user space (tests/unit). No locks: of two who
 * change the score at once, neither is lost.
 */
#ifndef DZR_READAHEAD_H
#define DZR_READAHEAD_H

#include <linux/atomic.h>
#include <linux/types.h>

/* All of them were used. */
#define DZR_READAHEAD_ONE		65536

/* The last 64 blocks count most. */
#define DZR_READAHEAD_SHIFT		6

/*
 * It pays from one in four on: to compress four blocks takes less time than to
 * read one from the cold device.
 */
#define DZR_READAHEAD_PAYS		(DZR_READAHEAD_ONE / 4)

/* While it does not pay, one group in so many is a test. */
#define DZR_READAHEAD_PROBE		16

/**
 * struct dzr_readahead - what has come of taking blocks along
 * @score: part of them that was used, of DZR_READAHEAD_ONE
 * @reads: groups read while it did not pay
 */
struct dzr_readahead {
	atomic_t score;
	atomic_t reads;
};

/**
 * dzr_readahead_init - nothing is known yet: it may pay
 * @a: the score
 */
void dzr_readahead_init(struct dzr_readahead *a);

/**
 * dzr_readahead_wanted - a group was read: shall its other members come along?
 * @a: the score
 *
 * Context: any.
 */
bool dzr_readahead_wanted(struct dzr_readahead *a);

/**
 * dzr_readahead_took - a block came along
 * @a: the score
 *
 * Context: any.
 */
void dzr_readahead_took(struct dzr_readahead *a);

/**
 * dzr_readahead_used - somebody asked for one that had
 * @a: the score
 *
 * Context: any.
 */
void dzr_readahead_used(struct dzr_readahead *a);

#endif /* DZR_READAHEAD_H */
