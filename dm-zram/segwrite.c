// SPDX-License-Identifier: GPL-2.0
/*
 * Writing a segment, and what happens when that fails.
 *
 * A segment that cannot be written is given up for good, and its buffer goes
 * to another: the objects keep their offsets, only the segment number in each
 * location changes, which the owner does entry by entry. After
 * DZR_MAX_FAILURES failures in a row it is the device that counts as failed:
 * no segment is given up any more, nothing new is accepted, and a timer tries
 * again, elsewhere each time. The first write that succeeds ends that.
 *
 * Submission is left to the workqueue: it may block in the device below, and
 * whoever fills the last byte of a segment may hold a codec workspace.
 *
 * The data stays readable from the buffer all the time.
 *
 * Locks: log->lock for the states; none while entries are re-pointed.
 */
#include <linux/blkdev.h>
#include <linux/crc32c.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "log-internal.h"
#include "trace.h"

void dzr_log_bio(struct dzr_log *log, struct bio *bio, struct bio_vec *vecs,
		 blk_opf_t opf, u32 seg, void *data, u32 bytes)
{
	const struct dzr_extent *e = dzr_log_extent(log, seg);
	u32 done;

	bio_init(bio, e->bdev, vecs, log->segment_size / PAGE_SIZE, opf);
	bio->bi_iter.bi_sector = dzr_log_sector(log, e, seg);
	for (done = 0; done < bytes; done += PAGE_SIZE)
		__bio_add_page(bio, vmalloc_to_page(data + done),
			       min_t(u32, bytes - done, PAGE_SIZE), 0);
}

static void dzr_buf_endio(struct bio *bio)
{
	struct dzr_buf *buf = container_of(bio, struct dzr_buf, bio);

	buf->status = bio->bi_status;
	queue_work(buf->log->wq, &buf->work);
}

static void dzr_buf_header(struct dzr_buf *buf)
{
	struct dzr_log *log = buf->log;
	struct dzr_seg_header *hdr = (void *)buf->data;

	*hdr = (struct dzr_seg_header){
		.magic = cpu_to_le64(DZR_SEG_MAGIC),
		.version = cpu_to_le32(DZR_SEG_VERSION),
		.seg = cpu_to_le32(buf->seg),
		.seq = cpu_to_le64(buf->seq),
		.log_id = { log->id[0], log->id[1] },
		.used = cpu_to_le32(buf->used),
		.objects = cpu_to_le32(buf->objects),
		.base = cpu_to_le64(buf->base),
		.segment_size = cpu_to_le32(log->segment_size),
	};
	hdr->crc = cpu_to_le32(crc32c(~0U, hdr,
				      offsetof(struct dzr_seg_header, crc)));
}

void dzr_buf_submit(struct dzr_buf *buf)
{
	queue_work(buf->log->wq, &buf->submit);
}

/* What of it goes to the device. */
static u32 dzr_buf_bytes(struct dzr_buf *buf)
{
	return ALIGN(buf->used, dzr_log_extent(buf->log, buf->seg)->lbs);
}

void dzr_buf_submit_work(struct work_struct *work)
{
	struct dzr_buf *buf = container_of(work, struct dzr_buf, submit);
	struct dzr_log *log = buf->log;
	u32 bytes = dzr_buf_bytes(buf);

	dzr_buf_header(buf);
	memset(buf->data + buf->used, 0, bytes - buf->used);
	flush_kernel_vmap_range(buf->data, bytes);
	dzr_log_bio(log, &buf->bio, buf->vecs, REQ_OP_WRITE, buf->seg,
		    buf->data, bytes);
	buf->bio.bi_end_io = dzr_buf_endio;
	dzr_stat_add(log->stats, DZR_STAT_SEG_WRITES, 1);
	dzr_stat_add(log->stats, DZR_STAT_COLD_WRITE_BYTES, bytes);
	log->ops->written(log->owner, bytes);
	buf->since = ktime_get_ns();
	submit_bio(&buf->bio);
}

void dzr_buf_release(struct dzr_buf *buf)
{
	lockdep_assert_held(&buf->log->lock);

	if (buf->state != DZR_BUF_DONE || buf->readers)
		return;
	buf->state = DZR_BUF_FREE;
	list_add_tail(&buf->link, &buf->log->free[buf->stream]);
}

static void dzr_buf_succeeded(struct dzr_buf *buf)
{
	struct dzr_log *log = buf->log;
	u32 seg = buf->seg;
	bool recovered;

	dzr_segs_weigh(log->segs, seg, buf->counted);
	raw_spin_lock(&log->lock);
	recovered = log->failed;
	WRITE_ONCE(log->failed, false);
	log->failures = 0;
	dzr_log_not_full(log);
	buf->state = DZR_BUF_DONE;
	dzr_buf_release(buf);
	/* Who finds no write on its way must find the segment sealed. */
	dzr_segs_seal(log->segs, seg);
	raw_spin_unlock(&log->lock);

	if (recovered && !READ_ONCE(log->stopped))
		mod_delayed_work(log->wq, &log->retry, 0);
	dzr_cleaner_wake(log);
	dzr_log_kick(log);
}

/* One object of a buffer has moved from segment @from to the buffer's own. */
static void dzr_buf_repoint(struct dzr_buf *buf, u32 off, u32 from)
{
	struct dzr_object_header *hdr = (void *)(buf->data + off);
	struct dzr_log *log = buf->log;
	u32 block = le32_to_cpu(hdr->block);
	u32 len = le16_to_cpu(hdr->len);
	dzr_loc_t old = dzr_loc(from, off, len);
	dzr_loc_t new = dzr_loc(buf->seg, off, len);

	if (hdr->flags & DZR_OBJECT_GROUP) {
		dzr_group_repoint(buf, off, from);
		return;
	}
	dzr_object_seal(log, new, hdr);
	dzr_segs_get_object(log->segs, buf->seg, dzr_object_size(len));
	if (!(hdr->flags & DZR_OBJECT_DEAD) &&
	    log->ops->repoint(log->owner, block, old, new))
		dzr_log_put(log, old);
	else
		dzr_log_put(log, new);
}

/*
 * Take a segment of its own for a buffer whose write failed. On success,
 * dzr_buf_move() must follow.
 */
static bool dzr_buf_reassign(struct dzr_buf *buf)
{
	u32 from = buf->seg;

	lockdep_assert_held(&buf->log->lock);

	buf->old_seg = from;
	if (dzr_buf_assign(buf, true))
		return true;
	buf->old_seg = DZR_NO_SEGMENT;
	return false;
}

/*
 * All objects of a buffer move from its old segment to its own. The old one
 * is given up, or just given back when it may be the device that is at fault.
 */
static void dzr_buf_move(struct dzr_buf *buf, bool spoil)
{
	struct dzr_object_header *hdr;
	struct dzr_log *log = buf->log;
	u32 from = buf->old_seg;
	u32 off;

	for (off = sizeof(struct dzr_seg_header); off < buf->used;
	     off += dzr_object_size(le16_to_cpu(hdr->len))) {
		hdr = (void *)(buf->data + off);
		dzr_buf_repoint(buf, off, from);
	}
	raw_spin_lock(&log->lock);
	buf->old_seg = DZR_NO_SEGMENT;
	raw_spin_unlock(&log->lock);
	if (spoil)
		dzr_segs_spoil(log->segs, from);
	else
		dzr_segs_seal(log->segs, from);
	/* It may have been the last one of a device that is to be let go. */
	dzr_cleaner_wake(log);
}

/*
 * A write failed. Give the buffer another segment, or, if the device does not
 * work at all or no segment is left, let it be stuck for a while.
 */
static void dzr_buf_failed(struct dzr_buf *buf)
{
	struct dzr_log *log = buf->log;
	bool moved;

	dzr_stat_add(log->stats, DZR_STAT_COLD_WRITE_ERRORS, 1);
	raw_spin_lock(&log->lock);
	moved = ++log->failures <= DZR_MAX_FAILURES && dzr_buf_reassign(buf);
	if (!moved) {
		buf->state = DZR_BUF_STUCK;
		WRITE_ONCE(log->failed, true);
		if (!log->stopped)
			queue_delayed_work(log->wq, &log->retry,
					   msecs_to_jiffies(DZR_RETRY_MS));
	}
	raw_spin_unlock(&log->lock);
	if (moved) {
		dzr_buf_move(buf, true);
		dzr_buf_submit(buf);
	} else {
		dzr_log_kick(log);
	}
}

void dzr_buf_done(struct work_struct *work)
{
	struct dzr_buf *buf = container_of(work, struct dzr_buf, work);
	struct dzr_log *log = buf->log;

	trace_dzr_segment_write(log->dev, buf->seg, dzr_buf_bytes(buf),
				buf->since, blk_status_to_errno(buf->status));
	if (buf->status == BLK_STS_OK)
		dzr_buf_succeeded(buf);
	else
		dzr_buf_failed(buf);
}

/* Try a stuck buffer again, elsewhere if there is a segment. */
static void dzr_buf_retry(struct dzr_buf *buf)
{
	struct dzr_log *log = buf->log;
	bool again, moved = false;

	raw_spin_lock(&log->lock);
	again = buf->state == DZR_BUF_STUCK && !log->stopped;
	if (again) {
		buf->state = DZR_BUF_WRITING;
		moved = dzr_buf_reassign(buf);
	}
	raw_spin_unlock(&log->lock);
	if (moved)
		dzr_buf_move(buf, false);
	if (again)
		dzr_buf_submit(buf);
}

void dzr_log_retry(struct work_struct *work)
{
	struct dzr_log *log = container_of(to_delayed_work(work),
					   struct dzr_log, retry);
	unsigned int i;

	for (i = 0; i < DZR_NR_BUFS; i++)
		dzr_buf_retry(&log->bufs[i]);
	if (!READ_ONCE(log->blind))
		return;
	if (dzr_segs_spare(log->segs) > 0)
		dzr_cleaner_sees(log);
	else
		dzr_cleaner_wake(log);
}
