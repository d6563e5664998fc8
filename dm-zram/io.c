// SPDX-License-Identifier: GPL-2.0
/*
 * Bios, block by block. See io.h.
 *
 * Locks: d->defer_lock for the waiting list, innermost.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/sched.h>

#include "demote.h"
#include "group.h"
#include "groupread.h"
#include "io.h"
#include "tier.h"

#define DM_MSG_PREFIX "zram"

/* When memory for the block table is short, look again this soon. */
#define DZR_RETRY_TABLE_MS	10

/* A read or write of at most this many blocks does not yield the CPU. */
#define DZR_YIELD_BLOCKS	64

static struct dzr_io *dzr_io_of(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct dzr_io));
}

static struct bio *dzr_io_bio(struct dzr_io *io)
{
	return dm_bio_from_per_bio_data(io, sizeof(struct dzr_io));
}

void dzr_io_put(struct dzr_io *io)
{
	struct bio *bio = dzr_io_bio(io);

	if (!atomic_dec_and_test(&io->pending))
		return;
	dzr_load_end(io->d, io->begin);
	bio->bi_status = io->status;
	bio_endio(bio);
}

void dzr_io_fail(struct dzr_io *io, int err)
{
	WRITE_ONCE(io->status, errno_to_blk_status(err));
}

/* The block at @iter, if it lies in one piece in one page; else NULL. */
static void *dzr_io_window(struct bio *bio, struct bvec_iter iter)
{
	struct bio_vec bv = bio_iter_iovec(bio, iter);

	return bv.bv_len >= DZR_BLOCK_SIZE ? bvec_kmap_local(&bv) : NULL;
}

/* Copy the block at @iter between the bio and @buf, piece by piece. */
static void dzr_io_copy(struct bio *bio, struct bvec_iter iter, u8 *buf,
			bool to_bio)
{
	u32 left = DZR_BLOCK_SIZE;

	while (left) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);

		bv.bv_len = min(bv.bv_len, left);
		if (to_bio)
			memcpy_to_bvec(&bv, buf);
		else
			memcpy_from_bvec(buf, &bv);
		buf += bv.bv_len;
		left -= bv.bv_len;
		bio_advance_iter_single(bio, &iter, bv.bv_len);
	}
}

void dzr_io_give(struct dzr_io *io, struct bvec_iter iter, unsigned int nth,
		 const u8 *src)
{
	struct bio *bio = dzr_io_bio(io);

	bio_advance_iter(bio, &iter, nth * DZR_BLOCK_SIZE);
	dzr_io_copy(bio, iter, (u8 *)src, true);
}

static u32 dzr_io_block(struct bvec_iter iter)
{
	return iter.bi_sector / DZR_BLOCK_SECTORS;
}

/* Store the block at the walk's position. */
static int dzr_io_write(struct dzr_io *io, struct bio *bio, bool waited)
{
	struct dzr_stream *st = dzr_stream_get(io->d->streams);
	u32 block = dzr_io_block(io->iter);
	void *src = dzr_io_window(bio, io->iter);
	int err;

	if (src) {
		err = dzr_store(io->d, st, block, src, waited);
		kunmap_local(src);
	} else {
		dzr_io_copy(bio, io->iter, st->ws.block, false);
		err = dzr_store(io->d, st, block, st->ws.block, waited);
	}
	dzr_stream_put(st);
	return err;
}

/* Decompress what was read from the cold device into the bio. */
static int dzr_io_deliver(struct dzr_io *io, struct dzr_cold_read *cr)
{
	struct dzr_stream *st = dzr_stream_get(io->d->streams);
	struct bio *bio = dzr_io_bio(io);
	void *dst = dzr_io_window(bio, cr->iter);
	int err;

	if (dst) {
		err = dzr_unpack(st, cr->codec, cr->data, cr->len, dst);
		kunmap_local(dst);
	} else {
		err = dzr_unpack(st, cr->codec, cr->data, cr->len,
				 st->ws.block);
		if (!err)
			dzr_io_copy(bio, cr->iter, st->ws.block, true);
	}
	dzr_stream_put(st);
	return err;
}

bool dzr_io_promotes(struct dzr_dev *d, u8 age)
{
	bool room = dzr_dev_pool_bytes(d) <= READ_ONCE(d->marks.stop);

	return READ_ONCE(d->policy)->promote(age, room ? DZR_THRESHOLD_IDLE :
						  d->hand.threshold);
}

static void dzr_io_read_end(struct dzr_cold_read *cr)
{
	struct dzr_io *io = cr->owner;
	struct dzr_dev *d = io->d;
	int err = cr->error;

	if (!err)
		err = dzr_io_deliver(io, cr);
	if (!err && dzr_io_promotes(d, cr->age))
		dzr_promote(d, cr->block, cr->pin.loc, cr->codec, cr->data,
			    cr->len, cr->age, false);
	dzr_log_unpin(&cr->pin);
	dzr_cold_read_free(cr);
	if (err)
		dzr_io_fail(io, err);
	dzr_io_put(io);
}

/* The walk has left the blocks of a group: read it. */
static void dzr_io_read_group(struct dzr_io *io)
{
	struct dzr_cold_read *cr = io->group;

	if (!cr)
		return;
	io->group = NULL;
	dzr_cold_read_submit(cr);
}

/* Read a block from the cold device; of a group, when the walk has left it. */
static int dzr_io_miss(struct dzr_io *io, struct dzr_miss *miss)
{
	bool grouped = dzr_loc_grouped(miss->pin.loc);
	u32 block = dzr_io_block(io->iter);
	struct dzr_cold_read *cr;

	if (io->group && dzr_group_read_join(io->group, block, miss))
		return 0;
	dzr_io_read_group(io);
	cr = dzr_cold_read_alloc(io->d->log);
	if (!cr) {
		dzr_unload(io->d, block, miss);
		return -EAGAIN;
	}
	cr->pin = miss->pin;
	cr->age = miss->age;
	cr->block = block;
	cr->iter = io->iter;
	cr->owner = io;
	cr->wanted = 0;
	cr->end = dzr_io_read_end;
	atomic_inc(&io->pending);
	if (!grouped) {
		dzr_cold_read_submit(cr);
		return 0;
	}
	dzr_group_read_init(cr);
	io->group = cr;
	return 0;
}

/* Load the block at the walk's position, or set off its reading. */
static int dzr_io_read(struct dzr_io *io, struct bio *bio)
{
	struct dzr_stream *st = dzr_stream_get(io->d->streams);
	u32 block = dzr_io_block(io->iter);
	void *dst = dzr_io_window(bio, io->iter);
	struct dzr_miss miss;
	int err;

	if (dst) {
		err = dzr_load(io->d, st, block, dst, &miss);
		kunmap_local(dst);
	} else {
		err = dzr_load(io->d, st, block, st->ws.block, &miss);
		if (!err)
			dzr_io_copy(bio, io->iter, st->ws.block, true);
	}
	dzr_stream_put(st);
	return err == -EINPROGRESS ? dzr_io_miss(io, &miss) : err;
}

/*
 * Walk the bio from where it stands. Returns false if it has to wait; else
 * it is done, and @io may be gone.
 */
static bool dzr_io_run(struct dzr_io *io, bool waited)
{
	struct bio *bio = dzr_io_bio(io);
	bool write = op_is_write(bio_op(bio));
	unsigned int nr = 0;

	while (io->iter.bi_size) {
		int err = write ? dzr_io_write(io, bio, waited) :
				  dzr_io_read(io, bio);

		if (err == -EAGAIN) {
			dzr_io_read_group(io);
			return false;
		}
		if (err) {
			dzr_io_fail(io, err);
			if (write)
				dzr_stat_add(io->d->stats,
					     DZR_STAT_WRITE_FAILS, 1);
		}
		bio_advance_iter(bio, &io->iter, DZR_BLOCK_SIZE);
		if (io->group && !dzr_group_member(dzr_io_block(io->iter)))
			dzr_io_read_group(io);
		if (++nr % DZR_YIELD_BLOCKS == 0)
			cond_resched();
	}
	dzr_io_read_group(io);
	dzr_io_put(io);
	return true;
}

/* What a bio of several blocks reads from the cold device is sent together. */
static bool dzr_io_run_plugged(struct bio *bio, bool waited)
{
	struct dzr_io *io = dzr_io_of(bio);
	struct blk_plug plug;
	bool done;

	if (op_is_write(bio_op(bio)) || bio->bi_iter.bi_size == DZR_BLOCK_SIZE)
		return dzr_io_run(io, waited);
	blk_start_plug(&plug);
	done = dzr_io_run(io, waited);
	blk_finish_plug(&plug);
	return done;
}

/* Queue a bio that has to wait, behind the others. */
static void dzr_io_defer(struct dzr_dev *d, struct bio *bio)
{
	dzr_stat_add(d->stats, DZR_STAT_DEFERS, 1);
	atomic_inc(&d->nr_deferred);
	spin_lock(&d->defer_lock);
	bio_list_add(&d->deferred, bio);
	spin_unlock(&d->defer_lock);
	queue_work(d->wq, &d->io_work);
}

/*
 * Try waiting bios, oldest first, until one has to wait again: it stays at
 * the head. A kick that comes while we run makes us run again.
 */
static void dzr_io_work(struct work_struct *work)
{
	struct dzr_dev *d = container_of(work, struct dzr_dev, io_work);

	for (;;) {
		struct bio *bio;

		spin_lock(&d->defer_lock);
		bio = bio_list_pop(&d->deferred);
		spin_unlock(&d->defer_lock);
		if (!bio)
			return;
		if (!dzr_io_run_plugged(bio, true)) {
			spin_lock(&d->defer_lock);
			bio_list_add_head(&d->deferred, bio);
			spin_unlock(&d->defer_lock);
			break;
		}
		d->starved = 0;
		atomic_dec(&d->nr_deferred);
	}
	/* Most kicks come by themselves; a page for the table does not. */
	queue_delayed_work(d->wq, &d->io_retry,
			   msecs_to_jiffies(DZR_RETRY_TABLE_MS));
}

static void dzr_io_retry(struct work_struct *work)
{
	dzr_kick(container_of(to_delayed_work(work), struct dzr_dev,
			      io_retry));
}

void dzr_io_init(struct dzr_dev *d)
{
	spin_lock_init(&d->defer_lock);
	bio_list_init(&d->deferred);
	atomic_set(&d->nr_deferred, 0);
	INIT_WORK(&d->io_work, dzr_io_work);
	INIT_DELAYED_WORK(&d->io_retry, dzr_io_retry);
}

void dzr_kick(struct dzr_dev *d)
{
	if (atomic_read(&d->nr_deferred))
		queue_work(d->wq, &d->io_work);
	dzr_demote_kick(d);
}

/*
 * What swap is written to for hibernation is swap, or the image: see
 * hibernate.h.
 */
static bool dzr_io_accepts(struct dzr_dev *d, struct bio *bio)
{
	if (bio->bi_opf & REQ_SWAP) {
		if (unlikely(!READ_ONCE(d->swapped)))
			WRITE_ONCE(d->swapped, true);
		return true;
	}
	if (likely(!READ_ONCE(d->no_image)))
		return true;
	DMERR_LIMIT("%u:%u: the hibernation image is refused: it would be lost",
		    MAJOR(d->dev), MINOR(d->dev));
	return false;
}

void dzr_io_begin(struct dzr_dev *d, struct bio *bio)
{
	struct dzr_io *io = dzr_io_of(bio);

	dzr_stat_add(d->stats, op_is_write(bio_op(bio)) ? DZR_STAT_WRITES :
							   DZR_STAT_READS,
		     bio->bi_iter.bi_size / DZR_BLOCK_SIZE);
	io->d = d;
	io->begin = dzr_load_begin(d);
	io->iter = bio->bi_iter;
	io->status = BLK_STS_OK;
	io->group = NULL;
	atomic_set(&io->pending, 1);
}

void dzr_io_walk(struct dzr_dev *d, struct bio *bio)
{
	bool write = op_is_write(bio_op(bio));

	if (!dzr_io_run_plugged(bio, false))
		dzr_io_defer(d, bio);
	if (write)
		dzr_demote_check(d);
}

static int dzr_io_data(struct dzr_dev *d, struct bio *bio)
{
	if (op_is_write(bio_op(bio)) && !dzr_io_accepts(d, bio))
		return DM_MAPIO_KILL;
	if (dzr_spread_large(bio))
		return dzr_spread_map(d, bio);
	dzr_io_begin(d, bio);
	dzr_io_walk(d, bio);
	return DM_MAPIO_SUBMITTED;
}

int dzr_io_map(struct dzr_dev *d, struct bio *bio)
{
	/* The queue limits forbid it; a bio with part of a block is a bug. */
	if ((bio->bi_iter.bi_sector | bio_sectors(bio)) % DZR_BLOCK_SECTORS)
		return DM_MAPIO_KILL;
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		if (bio->bi_iter.bi_size)
			return dzr_io_data(d, bio);
		break;	/* an empty flush: what is written has arrived */
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		dzr_discard(d, bio->bi_iter.bi_sector / DZR_BLOCK_SECTORS,
			    bio_sectors(bio) / DZR_BLOCK_SECTORS);
		break;
	case REQ_OP_FLUSH:
		break;
	default:
		return DM_MAPIO_KILL;
	}
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}
