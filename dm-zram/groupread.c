// SPDX-License-Identifier: GPL-2.0
/*
 * Reading members of groups. See groupread.h.
 *
 * Locks: stream->lock, then an opener's; entry locks. The pin is held until the
 * neighbours have been dealt with, so that their locations can mean nothing else.
 */
#include <linux/bitops.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "group.h"
#include "grouping.h"
#include "groupread.h"
#include "io.h"
#include "trace.h"

static const u8 *dzr_opened(const struct dzr_opener *o,
			    const struct dzr_group_head *head,
			    unsigned int member)
{
	return o->plain + dzr_group_index(head, member) * DZR_BLOCK_SIZE;
}

int dzr_group_load(struct dzr_dev *d, const struct dzr_object_header *hdr,
		   u32 block, void *dst)
{
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	struct dzr_opener *o = dzr_opener_get(d->grouping);
	int err = dzr_open_group(o, head, le16_to_cpu(hdr->len));

	if (!err)
		memcpy(dst, dzr_opened(o, head, dzr_group_member(block)),
		       DZR_BLOCK_SIZE);
	dzr_opener_put(o);
	return err;
}

void dzr_group_read_init(struct dzr_cold_read *cr)
{
	unsigned int member = dzr_group_member(cr->block);

	cr->wanted = BIT(member);
	cr->ages[member] = cr->age;
	cr->end = dzr_group_read_end;
}

bool dzr_group_read_join(struct dzr_cold_read *cr, u32 block,
			 struct dzr_miss *miss)
{
	dzr_loc_t loc = miss->pin.loc;
	unsigned int member = dzr_group_member(block);

	if (!dzr_loc_grouped(loc) ||
	    dzr_loc_seg(loc) != dzr_loc_seg(cr->pin.loc) ||
	    dzr_loc_off(loc) != dzr_loc_off(cr->pin.loc))
		return false;
	cr->wanted |= BIT(member);
	cr->ages[member] = miss->age;
	dzr_log_unpin(&miss->pin);
	return true;
}

int dzr_ungroup(void *owner, const void *data, u32 len, unsigned int member,
		void *dst, u8 *codec)
{
	const struct dzr_group_head *head = data;
	struct dzr_dev *d = owner;
	struct dzr_stream *st = dzr_stream_get(d->streams);
	struct dzr_opener *o = dzr_opener_get(d->grouping);
	u32 out = DZR_BLOCK_SIZE;
	const u8 *src;
	int ret = -EIO;

	if (dzr_open_group(o, head, len))
		goto out;
	src = dzr_opened(o, head, member);
	*codec = dzr_stream_codec(st);
	if (dzr_stream_compress(st, src, &out)) {
		*codec = DZR_CODEC_RAW;
		memcpy(dst, src, DZR_BLOCK_SIZE);
	} else {
		memcpy(dst, st->ws.buf, out);
	}
	ret = *codec == DZR_CODEC_RAW ? DZR_BLOCK_SIZE : out;
out:
	dzr_opener_put(o);
	dzr_stream_put(st);
	return ret;
}

struct dzr_entry dzr_readahead_hit(struct dzr_dev *d, unsigned long *slot,
			       struct dzr_entry e)
{
	e.state = DZR_CLEAN;
	dzr_entry_set(slot, e);
	dzr_readahead_used(&d->grouping->ahead);
	dzr_stat_add(d->stats, DZR_STAT_AHEAD_HITS, 1);
	return e;
}

/* Give the blocks that were asked for to the bio. */
static void dzr_group_deliver(struct dzr_cold_read *cr,
			      const struct dzr_opener *o)
{
	const struct dzr_group_head *head = (const void *)cr->data;
	unsigned int i, first = dzr_group_member(cr->block);

	for (i = first; i < DZR_GROUP_BLOCKS; i++) {
		if (!(cr->wanted & BIT(i)))
			continue;
		if (head->members & BIT(i))
			dzr_io_give(cr->owner, cr->iter, i - first,
				    dzr_opened(o, head, i));
		else
			dzr_io_fail(cr->owner, -EIO);
	}
}

/* May blocks that nobody has asked for be put into the pool? */
static bool dzr_readahead_allowed(struct dzr_dev *d)
{
	return dzr_dev_pool_bytes(d) < READ_ONCE(d->marks.start) &&
	       dzr_dev_pool_bytes(d) < READ_ONCE(d->limit) &&
	       atomic_long_read(&d->pressure) <= 0 &&
	       !dzs_needs_refill(d->pool) && !READ_ONCE(d->suspended);
}

/* Is the block cold, and at that place? A hint. */
static bool dzr_group_still(struct dzr_dev *d, u32 block, dzr_loc_t loc)
{
	struct dzr_entry e = dzr_entry_peek(dzr_btable_find(d->bt, block));

	return e.state == DZR_COLD && dzr_entry_loc(e) == loc;
}

/* Give a member a copy in the pool, compressed as all that is there. */
static void dzr_group_promote(struct dzr_dev *d, struct dzr_cold_read *cr,
			      struct dzr_stream *st, const u8 *src,
			      unsigned int i)
{
	bool ahead = !(cr->wanted & BIT(i));
	u32 block = dzr_group_first(cr->block) + i, len;
	dzr_loc_t loc;

	loc = dzr_group_loc(dzr_loc_seg(cr->pin.loc), dzr_loc_off(cr->pin.loc),
			    cr->len, (const void *)cr->data, i);
	if (!dzr_group_still(d, block, loc) ||
	    dzr_stream_compress(st, src, &len))
		return;
	if (dzr_promote(d, block, loc, dzr_stream_codec(st), st->ws.buf, len,
			cr->ages[i], ahead) && ahead)
		dzr_readahead_took(&d->grouping->ahead);
}

/* Members that shall have a copy in the pool, now that the bio has ended. */
static u8 dzr_group_choose(struct dzr_dev *d, const struct dzr_cold_read *cr)
{
	const struct dzr_group_head *head = (const void *)cr->data;
	u8 rest = head->members & ~head->dead & ~cr->wanted;
	unsigned int i;
	u8 chosen = 0;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (cr->wanted & head->members & BIT(i) &&
		    dzr_io_promotes(d, cr->ages[i]))
			chosen |= BIT(i);
	if (rest && dzr_readahead_allowed(d) &&
	    dzr_readahead_wanted(&d->grouping->ahead))
		chosen |= rest;
	return chosen;
}

/*
 * Open the group again: whoever ends a bio may begin another, so nothing was kept
 * across that.
 */
static void dzr_group_further(struct dzr_dev *d, struct dzr_cold_read *cr)
{
	const struct dzr_group_head *head = (const void *)cr->data;
	u8 chosen = dzr_group_choose(d, cr);
	struct dzr_stream *st;
	struct dzr_opener *o;
	unsigned int i;

	if (!chosen)
		return;
	st = dzr_stream_get(d->streams);
	o = dzr_opener_get(d->grouping);
	if (!dzr_open_group(o, head, cr->len))
		for (i = 0; i < DZR_GROUP_BLOCKS; i++)
			if (chosen & BIT(i))
				dzr_group_promote(d, cr, st,
						  dzr_opened(o, head, i), i);
	dzr_opener_put(o);
	dzr_stream_put(st);
}

/* Restore the group, and give the blocks that were asked for to the bio. */
static int dzr_group_finish(struct dzr_dev *d, struct dzr_cold_read *cr)
{
	struct dzr_opener *o = dzr_opener_get(d->grouping);
	int err = dzr_open_group(o, (const void *)cr->data, cr->len);

	if (!err)
		dzr_group_deliver(cr, o);
	dzr_opener_put(o);
	return err;
}

/*
 * The bio ends before anything is done for others. The device stays: before it
 * goes, dzr_dev_suspend() waits for the workqueue, and so does its end.
 */
void dzr_group_read_end(struct dzr_cold_read *cr)
{
	struct dzr_io *io = cr->owner;
	struct dzr_dev *d = io->d;
	int err = cr->error;

	dzr_stat_add(d->stats, DZR_STAT_GROUP_READS, 1);
	if (!err)
		err = dzr_group_finish(d, cr);
	if (err)
		dzr_io_fail(io, err);
	dzr_io_put(io);
	if (!err)
		dzr_group_further(d, cr);
	dzr_log_unpin(&cr->pin);
	dzr_cold_read_free(cr);
}
