// SPDX-License-Identifier: GPL-2.0
/*
 * Reading one object back from the cold device.
 *
 * Just the logical blocks that the object touches are read. What comes back
 * is believed only if the header names the block and the segment's present
 * sequence number, and the checksum holds: a stale, torn or misdirected write
 * is an error of this one block.
 *
 * Locks: none. The segment is pinned for as long as the read takes.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "log-internal.h"
#include "trace.h"

/*
 * With logical blocks of 512 bytes that is 8 KiB, for a group as for a block
 * that is stored raw.
 */
u32 dzr_read_size(u32 lbs)
{
	return roundup_pow_of_two(ALIGN(DZR_MAX_GROUP + lbs - DZR_LOC_UNIT,
					lbs));
}

static void *dzr_read_elem_alloc(gfp_t gfp, void *data)
{
	struct dzr_cold_read *cr = kzalloc(sizeof(*cr), gfp);

	if (!cr)
		return NULL;
	cr->buf = kmalloc((uintptr_t)data, gfp);
	if (!cr->buf) {
		kfree(cr);
		return NULL;
	}
	return cr;
}

static void dzr_read_elem_free(void *elem, void *data)
{
	struct dzr_cold_read *cr = elem;

	kfree(cr->buf);
	kfree(cr);
}

mempool_t *dzr_reads_create(u32 size)
{
	return mempool_create(DZR_READ_RESERVE, dzr_read_elem_alloc,
			      dzr_read_elem_free, (void *)(uintptr_t)size);
}

u64 dzr_reads_bytes(struct dzr_log *log)
{
	return (u64)DZR_READ_RESERVE *
	       (sizeof(struct dzr_cold_read) + log->read_size);
}

struct dzr_cold_read *dzr_cold_read_alloc(struct dzr_log *log)
{
	struct dzr_cold_read *cr;

	cr = mempool_alloc(log->reads, GFP_NOWAIT | __GFP_NOWARN);
	if (!cr)
		WRITE_ONCE(log->reads_short, true);
	return cr;
}

void dzr_cold_read_free(struct dzr_cold_read *cr)
{
	struct dzr_log *log = cr->pin.log;

	mempool_free(cr, log->reads);
	if (READ_ONCE(log->reads_short)) {
		WRITE_ONCE(log->reads_short, false);
		dzr_log_kick(log);
	}
}

bool dzr_cold_read_check(struct dzr_cold_read *cr)
{
	struct dzr_log *log = cr->pin.log;
	u32 lbs = dzr_log_extent(log, dzr_loc_seg(cr->pin.loc))->lbs;
	u32 skip = dzr_loc_off(cr->pin.loc) % lbs;
	const struct dzr_object_header *hdr = (void *)(cr->buf + skip);

	if (!dzr_object_check(log, cr->pin.loc, hdr, cr->block))
		return false;
	cr->codec = hdr->codec;
	cr->len = le16_to_cpu(hdr->len);
	cr->data = (const u8 *)(hdr + 1);
	return true;
}

/* Blocks that the read is for. */
static unsigned int dzr_cold_read_blocks(const struct dzr_cold_read *cr)
{
	return cr->wanted ? hweight8(cr->wanted) : 1;
}

static void dzr_cold_read_trace(struct dzr_cold_read *cr, u64 ns,
				enum dzr_fault fault)
{
	u32 seg = dzr_loc_seg(cr->pin.loc), us = ns / NSEC_PER_USEC;
	struct dzr_log *log = cr->pin.log;
	unsigned int i;

	if (!cr->wanted)
		trace_dzr_fault(log->dev, cr->block, seg, cr->age, us, fault);
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (cr->wanted & BIT(i))
			trace_dzr_fault(log->dev,
					dzr_group_first(cr->block) + i, seg,
					cr->ages[i], us, fault);
}

void dzr_cold_read_came(struct dzr_cold_read *cr, blk_status_t status)
{
	struct dzr_log *log = cr->pin.log;
	enum dzr_fault fault = DZR_FAULT_OK;
	u64 ns;

	if (status) {
		fault = DZR_FAULT_IO;
		dzr_stat_add(log->stats, DZR_STAT_COLD_READ_ERRORS, 1);
	} else if (!cr->data && !dzr_cold_read_check(cr)) {
		fault = DZR_FAULT_DAMAGED;
		dzr_stat_add(log->stats, DZR_STAT_COLD_BAD_OBJECTS, 1);
	}
	cr->error = fault == DZR_FAULT_OK ? 0 : -EIO;
	ns = ktime_get_ns() - cr->since;
	dzr_latency_count(&log->latency, ns);
	dzr_cold_read_trace(cr, ns, fault);
	cr->end(cr);
}

static void dzr_cold_read_work(struct work_struct *work)
{
	struct dzr_cold_read *cr = container_of(work, struct dzr_cold_read,
						work);

	dzr_cold_read_came(cr, cr->bio.bi_status);
}

static void dzr_cold_read_endio(struct bio *bio)
{
	struct dzr_cold_read *cr = container_of(bio, struct dzr_cold_read,
						bio);

	queue_work(cr->pin.log->wq, &cr->work);
}

void dzr_cold_read_send(struct dzr_cold_read *cr)
{
	struct dzr_log *log = cr->pin.log;
	u32 seg = dzr_loc_seg(cr->pin.loc), len = cr->stop - cr->start;
	const struct dzr_extent *e = dzr_log_extent(log, seg);

	INIT_WORK(&cr->work, dzr_cold_read_work);
	bio_init(&cr->bio, e->bdev, &cr->vec, 1, REQ_OP_READ);
	cr->bio.bi_iter.bi_sector = dzr_log_sector(log, e, seg) +
				    (cr->start >> SECTOR_SHIFT);
	cr->bio.bi_end_io = dzr_cold_read_endio;
	__bio_add_page(&cr->bio, virt_to_page(cr->buf), len,
		       offset_in_page(cr->buf));
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_IOS, 1);
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_BYTES, len);
	submit_bio(&cr->bio);
}

void dzr_cold_read_submit(struct dzr_cold_read *cr)
{
	struct dzr_log *log = cr->pin.log;
	u32 lbs = dzr_log_extent(log, dzr_loc_seg(cr->pin.loc))->lbs;
	u32 off = dzr_loc_off(cr->pin.loc);
	u32 size = dzr_loc_grouped(cr->pin.loc) ?
		   min(dzr_gloc_size(cr->pin.loc), log->segment_size - off) :
		   dzr_object_size(dzr_loc_len(cr->pin.loc));

	cr->start = round_down(off, lbs);
	cr->stop = round_up(off + size, lbs);
	cr->error = 0;
	cr->data = NULL;
	cr->since = ktime_get_ns();
	dzr_stat_add(log->stats, DZR_STAT_COLD_READS, dzr_cold_read_blocks(cr));
	if (!dzr_run_add(log, cr))
		dzr_cold_read_send(cr);
}
