// SPDX-License-Identifier: GPL-2.0
/*
 * Appending objects to the open segment, and pinning objects for a read.
 *
 * A buffer is found by its segment number; there are few buffers, so a linear
 * look beats any index. The look is taken under the entry lock of the object
 * (see dzr_log_pin()): an object is re-pointed away from a segment that could
 * not be written only under that lock, so the segment it names is either in a
 * buffer or on the device, never in between.
 *
 * Locks: log->lock, inside the entry lock, outside segs->lock.
 */
#include <linux/crc32c.h>
#include <linux/lockdep.h>

#include "log-internal.h"

/*
 * The checksum covers the header up to itself, and the data; it begins with
 * which log this is, with the place in the segment, and with the segment's
 * sequence number. Else an object of an earlier log or of an earlier use of the
 * segment, or one of the same segment that died in it, could be taken for this
 * one. Where all else is equal, another sequence number always gives another
 * checksum.
 */
static u32 dzr_object_crc(struct dzr_log *log, dzr_loc_t loc,
			  const struct dzr_object_header *hdr)
{
	__le32 seq = cpu_to_le32(dzr_segs_seq(log->segs, dzr_loc_seg(loc)));
	u32 crc;

	crc = crc32c(log->crc_seed ^ dzr_loc_off(loc), &seq, sizeof(seq));
	crc = crc32c(crc, hdr, offsetof(struct dzr_object_header, crc));
	return crc32c(crc, hdr + 1, le16_to_cpu(hdr->len));
}

void dzr_object_seal(struct dzr_log *log, dzr_loc_t loc,
		     struct dzr_object_header *hdr)
{
	hdr->crc = cpu_to_le32(dzr_object_crc(log, loc, hdr));
}

bool dzr_object_intact(struct dzr_log *log, dzr_loc_t loc,
		       const struct dzr_object_header *hdr)
{
	u32 end = dzr_loc_off(loc) + dzr_object_size(le16_to_cpu(hdr->len));

	return end <= log->segment_size &&
	       le32_to_cpu(hdr->crc) == dzr_object_crc(log, loc, hdr);
}

bool dzr_object_check(struct dzr_log *log, dzr_loc_t loc,
		      const struct dzr_object_header *hdr, u32 block)
{
	bool same;

	if (dzr_loc_grouped(loc))
		same = dzr_group_matches(loc, block, hdr);
	else
		same = le32_to_cpu(hdr->block) == block &&
		       le16_to_cpu(hdr->len) == dzr_loc_len(loc) &&
		       !(hdr->flags & DZR_OBJECT_GROUP);
	return same && dzr_object_intact(log, loc, hdr);
}

bool dzr_buf_assign(struct dzr_buf *buf, bool again)
{
	struct dzr_log *log = buf->log;
	u32 seg;

	lockdep_assert_held(&log->lock);

	if (again && buf->stream == DZR_STREAM_USER)
		seg = dzr_segs_alloc_above(log->segs, DZR_CLEANER_KEEP);
	else
		seg = dzr_segs_alloc(log->segs,
				     buf->stream == DZR_STREAM_CLEANER);
	if (seg == DZR_NO_SEGMENT)
		return false;
	/* Carry the low half, which the accounting keeps, into the whole. */
	log->seq += dzr_segs_seq(log->segs, seg) - (u32)log->seq;
	buf->seg = seg;
	buf->seq = log->seq;
	return true;
}

/* Why is there no segment for a stream, and can there be one? */
static int dzr_log_no_segment(struct dzr_log *log)
{
	lockdep_assert_held(&log->lock);

	if (log->blind)
		return -EIO;
	return READ_ONCE(log->full) == DZR_FULL && dzr_log_quiet(log) ?
	       -ENOSPC : -EAGAIN;
}

/* Open a segment for a stream. Returns 0 or why not. */
static int dzr_log_open(struct dzr_log *log, enum dzr_log_stream stream)
{
	struct dzr_buf *buf;

	lockdep_assert_held(&log->lock);

	if (log->failed)
		return -EIO;
	buf = list_first_entry_or_null(&log->free[stream], struct dzr_buf,
				       link);
	if (!buf)
		return -EAGAIN;
	if (!dzr_buf_assign(buf, false))
		return dzr_log_no_segment(log);
	list_del_init(&buf->link);
	buf->old_seg = DZR_NO_SEGMENT;
	buf->base = atomic64_read(&log->version);
	buf->used = sizeof(struct dzr_seg_header);
	buf->counted = 0;
	buf->objects = 0;
	buf->state = DZR_BUF_OPEN;
	log->open[stream] = buf;
	return 0;
}

bool dzr_buf_close(struct dzr_buf *buf)
{
	struct dzr_log *log = buf->log;

	lockdep_assert_held(&log->lock);

	/* Once on the device, it can be cleaned. */
	dzr_log_not_full(log);
	log->open[buf->stream] = NULL;
	buf->state = buf->writers ? DZR_BUF_CLOSED : DZR_BUF_WRITING;
	return !buf->writers;
}

/* Count an object as live. */
static void dzr_buf_count(struct dzr_buf *buf, u32 size,
			  const struct dzr_group_head *head)
{
	struct dzr_segs *segs = buf->log->segs;
	unsigned int i;

	if (!head) {
		dzr_segs_get_object(segs, buf->seg, size);
		buf->counted += size;
		return;
	}
	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		if (!((head->members & ~head->dead) & BIT(i)))
			continue;
		size = dzr_group_weights(head, BIT(i));
		dzr_segs_get_object(segs, buf->seg, size);
		buf->counted += size;
	}
}

/* Take room for an object from an open buffer. */
static void dzr_buf_claim(struct dzr_buf *buf, u32 len,
			  const struct dzr_group_head *head,
			  struct dzr_append *a)
{
	struct dzr_log *log = buf->log;
	u32 size = dzr_object_size(len);

	lockdep_assert_held(&log->lock);

	a->log = log;
	a->buf = buf;
	a->len = len;
	a->loc = head ? dzr_gloc(buf->seg, buf->used, size, 0) :
			dzr_loc(buf->seg, buf->used, len);
	a->data = buf->data + buf->used + sizeof(struct dzr_object_header);
	dzr_buf_count(buf, size, head);
	buf->used += size;
	buf->objects++;
	buf->writers++;
}

/* All of the header that a reader of the buffer may look at. */
static void dzr_append_header(struct dzr_append *a, u32 block, u8 codec)
{
	struct dzr_object_header *hdr = (void *)(a->data - sizeof(*hdr));

	hdr->block = cpu_to_le32(block);
	hdr->len = cpu_to_le16(a->len);
	hdr->codec = codec;
	hdr->flags = 0;
	hdr->version = 0;
}

/* Does an open buffer take no more objects, or none of that size? */
static bool dzr_buf_full(struct dzr_buf *buf, u32 size)
{
	struct dzr_log *log = buf->log;

	return buf->used + size > log->segment_size ||
	       dzr_segs_retires(log->segs, buf->seg) ||
	       atomic64_read(&log->version) - buf->base > DZR_VERSION_SPAN;
}

u32 dzr_log_room(struct dzr_log *log, enum dzr_log_stream stream)
{
	struct dzr_buf *buf;
	u32 room;

	raw_spin_lock(&log->lock);
	buf = log->open[stream];
	room = buf ? log->segment_size - buf->used : 0;
	raw_spin_unlock(&log->lock);
	return room;
}

int dzr_log_claim(struct dzr_log *log, enum dzr_log_stream stream, u32 len,
		  const struct dzr_group_head *head, struct dzr_append *a)
{
	u32 size = dzr_object_size(len);
	struct dzr_buf *full = NULL;
	struct dzr_buf *buf;
	int err = 0;

	raw_spin_lock(&log->lock);
	buf = log->open[stream];
	if (buf && dzr_buf_full(buf, size)) {
		if (dzr_buf_close(buf))
			full = buf;
		buf = NULL;
	}
	if (!buf) {
		err = dzr_log_open(log, stream);
		buf = log->open[stream];
	}
	if (!err)
		dzr_buf_claim(buf, len, head, a);
	raw_spin_unlock(&log->lock);

	if (full)
		dzr_buf_submit(full);
	if (err == -EAGAIN || (full && stream == DZR_STREAM_USER))
		dzr_cleaner_wake(log);
	return err;
}

int dzr_log_reserve(struct dzr_log *log, enum dzr_log_stream stream, u32 block,
		    u8 codec, u32 len, struct dzr_append *a)
{
	int err = dzr_log_claim(log, stream, len, NULL, a);

	if (!err)
		dzr_append_header(a, block, codec);
	return err;
}

void dzr_log_publish(struct dzr_append *a)
{
	struct dzr_object_header *hdr = (void *)(a->data - sizeof(*hdr));

	hdr->version = cpu_to_le32(atomic64_inc_return(&a->log->version));
}

void dzr_log_done(struct dzr_append *a)
{
	struct dzr_log *log = a->log;
	struct dzr_buf *buf = a->buf;
	bool submit;

	raw_spin_lock(&log->lock);
	submit = !--buf->writers && buf->state == DZR_BUF_CLOSED;
	if (submit)
		buf->state = DZR_BUF_WRITING;
	raw_spin_unlock(&log->lock);
	if (submit)
		dzr_buf_submit(buf);
}

void dzr_log_commit(struct dzr_append *a, bool live)
{
	struct dzr_object_header *hdr = (void *)(a->data - sizeof(*hdr));

	if (!live)
		hdr->flags = DZR_OBJECT_DEAD;
	dzr_object_seal(a->log, a->loc, hdr);
	if (!live)
		dzr_log_put(a->log, a->loc);
	dzr_log_done(a);
}

void dzr_log_put(struct dzr_log *log, dzr_loc_t loc)
{
	u32 bytes = dzr_loc_grouped(loc) ?
		    dzr_gloc_weight(loc) * DZR_GLOC_WEIGHT_UNIT :
		    dzr_object_size(dzr_loc_len(loc));
	bool freed = dzr_segs_put_object(log->segs, dzr_loc_seg(loc), bytes);

	/* Pairs with the barrier in dzr_cleaner_pick(). */
	smp_mb__after_atomic();
	if (dzr_log_not_full(log))
		dzr_cleaner_wake(log);
	if (freed)
		dzr_log_kick(log);
}

/* The buffer that holds a segment, or NULL. */
static struct dzr_buf *dzr_buf_find(struct dzr_log *log, u32 seg)
{
	unsigned int i;

	lockdep_assert_held(&log->lock);

	for (i = 0; i < DZR_NR_BUFS; i++) {
		struct dzr_buf *buf = &log->bufs[i];

		if (buf->state == DZR_BUF_FREE || buf->state == DZR_BUF_DONE)
			continue;
		if (buf->seg == seg || buf->old_seg == seg)
			return buf;
	}
	return NULL;
}

void dzr_log_pin(struct dzr_log *log, dzr_loc_t loc, struct dzr_pin *pin)
{
	pin->log = log;
	pin->loc = loc;
	pin->data = NULL;
	dzr_segs_pin(log->segs, dzr_loc_seg(loc));

	raw_spin_lock(&log->lock);
	pin->buf = dzr_buf_find(log, dzr_loc_seg(loc));
	if (pin->buf) {
		pin->buf->readers++;
		pin->data = pin->buf->data + dzr_loc_off(loc) +
			    sizeof(struct dzr_object_header);
	}
	raw_spin_unlock(&log->lock);
}

void dzr_log_unpin(struct dzr_pin *pin)
{
	struct dzr_log *log = pin->log;
	bool kick = false;

	if (pin->buf) {
		raw_spin_lock(&log->lock);
		pin->buf->readers--;
		dzr_buf_release(pin->buf);
		kick = pin->buf->state == DZR_BUF_FREE;
		raw_spin_unlock(&log->lock);
	}
	if (dzr_segs_unpin(log->segs, dzr_loc_seg(pin->loc))) {
		dzr_log_not_full(log);
		kick = true;
	}
	if (kick)
		dzr_log_kick(log);
}
