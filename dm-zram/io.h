/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bios: a bio is walked block by block, once. What is in RAM is served at
 * once; blocks that must be read from the cold device are all set off before
 * the bio is left, and the last of them ends it. When a block must wait (for
 * a segment buffer, a read context, a page), the rest of the bio is queued
 * and a worker goes on from there: the submitter never waits.
 */
#ifndef DZR_IO_H
#define DZR_IO_H

#include "device.h"

/**
 * struct dzr_io - our part of a bio
 * @d: the device
 * @begin: when it arrived
 * @iter: the blocks still to be done
 * @pending: cold reads in flight, and one for the walk itself
 * @status: the first error
 */
struct dzr_io {
	struct dzr_dev *d;
	u64 begin;
	struct bvec_iter iter;
	atomic_t pending;
	blk_status_t status;
};

/**
 * dzr_io_map - take a bio
 * @d: the device
 * @bio: the bio, whose sectors count from the start of the target
 *
 * Context: process; does not wait for I/O or memory.
 * Return: a DM_MAPIO_* value.
 */
int dzr_io_map(struct dzr_dev *d, struct bio *bio);

/**
 * dzr_io_init - set up the waiting list of a device
 * @d: the device
 */
void dzr_io_init(struct dzr_dev *d);

/**
 * dzr_kick - go on with bios and demotions that wait
 * @d: the device
 *
 * Context: any.
 */
void dzr_kick(struct dzr_dev *d);

#endif /* DZR_IO_H */
