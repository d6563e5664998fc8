/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a device needs for groups: workspaces, buffers, and the score of taking
 * neighbours along. All of it is made when cold_algorithm first asks for it,
 * and stays as long as the device, since groups may be in the log from then on.
 *
 * One who demotes has the parts for packing (hand_lock). Readers and the cleaner
 * take an opener each; there are as many as CPUs, but at most eight.
 *
 * Lock order: stream->lock -> opener->lock, a mutex. A task holds one at most,
 * and takes no entry lock, nor any other but a pool's, while it does: see
 * locking.rst.
 */
#ifndef DZR_GROUPING_H
#define DZR_GROUPING_H

#include <linux/mutex.h>

#include "readahead.h"
#include "codec.h"
#include "group.h"

/**
 * struct dzr_opener - what opening a group takes
 * @lock: held by the user
 * @ws: workspace of the decompressor
 * @plain: the blocks of a group
 */
struct dzr_opener {
	struct mutex lock; /* from dzr_opener_get() to dzr_opener_put() */
	void *ws;
	u8 *plain;
};

/**
 * struct dzr_grouping - all of it, of one device
 * @ahead: does it pay to take neighbours along?
 * @ws: workspace of the compressor
 * @taken: the members as they were found, compressed
 * @plain: the same, restored
 * @again: one of them, read again
 * @frame: the frame
 * @nr: number of openers
 * @openers: for readers
 *
 * @ws to @frame belong to who holds hand_lock.
 */
struct dzr_grouping {
	struct dzr_readahead ahead;
	void *ws;
	u8 (*taken)[DZR_BLOCK_SIZE];
	u8 (*plain)[DZR_BLOCK_SIZE];
	u8 *again;
	u8 *frame;
	unsigned int nr;
	struct dzr_opener openers[];
};

/**
 * dzr_grouping_create - make ready for groups
 *
 * Context: may sleep (GFP_KERNEL); the caller is in a no-I/O scope.
 * Return: NULL without memory.
 */
struct dzr_grouping *dzr_grouping_create(void);

/**
 * dzr_grouping_destroy - free it
 * @g: what dzr_grouping_create() made, or NULL; nobody uses it
 */
void dzr_grouping_destroy(struct dzr_grouping *g);

/**
 * dzr_grouping_bytes - memory that it holds
 * @g: what dzr_grouping_create() made, or NULL
 */
size_t dzr_grouping_bytes(const struct dzr_grouping *g);

/**
 * dzr_opener_get - take an opener for oneself
 * @g: of the device
 *
 * Context: may sleep; returns with the opener's lock held.
 */
struct dzr_opener *dzr_opener_get(struct dzr_grouping *g);

/**
 * dzr_opener_put - let it go
 * @o: from dzr_opener_get()
 */
void dzr_opener_put(struct dzr_opener *o);

/**
 * dzr_open_group - restore the blocks of a group
 * @o: an opener, held
 * @head: start of the group's data, valid
 * @len: bytes of the data
 *
 * The blocks are in @o->plain then, see dzr_group_index().
 *
 * Context: does not sleep.
 * Return: 0 or -EIO.
 */
int dzr_open_group(struct dzr_opener *o, const struct dzr_group_head *head,
		   u32 len);

#endif /* DZR_GROUPING_H */
