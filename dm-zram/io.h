/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bios: a bio is walked block by block, once. What is in RAM is served at
 * once; blocks that must be read from the cold device are all set off before
 * the bio is left, and the last of them ends it. When a block must wait (for
 * a segment buffer, a read context, a page), the rest of the bio is queued
 * and a worker goes on from there: the submitter never waits. A large bio is
 * done in parts, by more than one processor: see spread.h.
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
 * @group: the read of a group that may serve more blocks, not submitted yet
 */
struct dzr_io {
	struct dzr_dev *d;
	u64 begin;
	struct bvec_iter iter;
	atomic_t pending;
	blk_status_t status;
	struct dzr_cold_read *group;
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
 * dzr_io_begin - set up our part of a read or write
 * @d: the device
 * @bio: the bio
 *
 * Context: process.
 */
void dzr_io_begin(struct dzr_dev *d, struct bio *bio);

/**
 * dzr_io_walk - do a read or write that has begun, or queue what must wait
 * @d: the device
 * @bio: the bio; it is gone on return
 *
 * Context: process; does not wait for I/O or memory.
 */
void dzr_io_walk(struct dzr_dev *d, struct bio *bio);

/**
 * dzr_io_give - copy a block to a bio
 * @io: our part of the bio
 * @iter: a position in it
 * @nth: how many blocks behind that
 * @src: the 4096 bytes
 *
 * Context: process.
 */
void dzr_io_give(struct dzr_io *io, struct bvec_iter iter, unsigned int nth,
		 const u8 *src);

/**
 * dzr_io_fail - the bio will end with an error
 * @io: our part of the bio
 * @err: which
 */
void dzr_io_fail(struct dzr_io *io, int err);

/**
 * dzr_io_put - one part of the bio has ended; the last one ends the bio
 * @io: our part of the bio, gone afterwards
 *
 * Context: process, no lock held: whoever gets the bio back may begin another.
 */
void dzr_io_put(struct dzr_io *io);

/**
 * dzr_io_promotes - shall a block that was read cold have a copy in the pool?
 * @d: the device
 * @age: of its entry before the read
 */
bool dzr_io_promotes(struct dzr_dev *d, u8 age);

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
