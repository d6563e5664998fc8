// SPDX-License-Identifier: GPL-2.0
/*
 * Groups in the log: appending one, and moving what is live of one. See group.h
 * for what a group is.
 *
 * The cleaner moves a group as it is as long as that takes no more than its
 * living members would alone; else it takes them apart. Either way it copies no
 * more bytes than the segment's account says are live.
 *
 * Locks: as append.c and cleaner.c.
 */
#include "codec.h"
#include "log-internal.h"

static struct dzr_group_head *dzr_append_head(struct dzr_append *a)
{
	return (struct dzr_group_head *)a->data;
}

int dzr_log_reserve_group(struct dzr_log *log, enum dzr_log_stream stream,
			  u32 first, const struct dzr_group_head *head,
			  const void *frame, u32 len, struct dzr_append *a)
{
	struct dzr_object_header *hdr;
	int err;

	err = dzr_log_claim(log, stream, sizeof(*head) + len, head, a);
	if (err)
		return err;
	hdr = (void *)(a->data - sizeof(*hdr));
	*hdr = (struct dzr_object_header){
		.block = cpu_to_le32(first),
		.len = cpu_to_le16(a->len),
		.codec = DZR_CODEC_ZSTD,
		.flags = DZR_OBJECT_GROUP,
	};
	*dzr_append_head(a) = *head;
	memset(dzr_append_head(a)->version, 0, sizeof(head->version));
	memcpy(a->data + sizeof(*head), frame, len);
	return 0;
}

dzr_loc_t dzr_log_publish_member(struct dzr_append *a, unsigned int member)
{
	struct dzr_group_head *head = dzr_append_head(a);

	head->version[member] =
		cpu_to_le32(atomic64_inc_return(&a->log->version));
	return dzr_group_loc(dzr_loc_seg(a->loc), dzr_loc_off(a->loc), a->len,
			     head, member);
}

void dzr_log_commit_group(struct dzr_append *a, u8 live)
{
	struct dzr_object_header *hdr = (void *)(a->data - sizeof(*hdr));
	struct dzr_group_head *head = dzr_append_head(a);
	u8 died = head->members & ~head->dead & ~live;
	dzr_loc_t loc[DZR_GROUP_BLOCKS];
	unsigned int i;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		loc[i] = dzr_group_loc(dzr_loc_seg(a->loc),
				       dzr_loc_off(a->loc), a->len, head, i);
		if (died & BIT(i))
			head->version[i] = 0;
	}
	head->dead |= died;
	if (!live)
		hdr->flags |= DZR_OBJECT_DEAD;
	dzr_object_seal(a->log, a->loc, hdr);
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (died & BIT(i))
			dzr_log_put(a->log, loc[i]);
	dzr_log_done(a);
}

void dzr_group_repoint(struct dzr_buf *buf, u32 off, u32 from)
{
	struct dzr_object_header *hdr = (void *)(buf->data + off);
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	u32 first = le32_to_cpu(hdr->block), len = le16_to_cpu(hdr->len);
	struct dzr_log *log = buf->log;
	unsigned int i;

	dzr_object_seal(log, dzr_gloc(buf->seg, off, dzr_object_size(len), 0),
			hdr);
	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		dzr_loc_t old = dzr_group_loc(from, off, len, head, i);
		dzr_loc_t new = dzr_group_loc(buf->seg, off, len, head, i);

		if (!((head->members & ~head->dead) & BIT(i)))
			continue;
		dzr_segs_get_object(log->segs, buf->seg,
				    dzr_group_weights(head, BIT(i)));
		if (log->ops->repoint(log->owner, first + i, old, new))
			dzr_log_put(log, old);
		else
			dzr_log_put(log, new);
	}
}

u8 dzr_group_live(struct dzr_log *log, u32 off,
		  const struct dzr_object_header *hdr)
{
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	u32 first = le32_to_cpu(hdr->block), len = le16_to_cpu(hdr->len);
	unsigned int i;
	u8 live = 0;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		dzr_loc_t loc = dzr_group_loc(log->cleaner.victim, off, len,
					      head, i);

		if ((head->members & ~head->dead) & BIT(i) &&
		    log->ops->is_live(log->owner, first + i, loc))
			live |= BIT(i);
	}
	return live;
}

/* Move a group as it is; those that are not @live are dead in the copy. */
static int dzr_group_move(struct dzr_log *log, u32 off,
			  const struct dzr_object_header *hdr, u8 live)
{
	const struct dzr_group_head *old = (const void *)(hdr + 1);
	u32 first = le32_to_cpu(hdr->block), len = le16_to_cpu(hdr->len);
	struct dzr_group_head head = *old;
	struct dzr_append a;
	unsigned int i;
	u8 moved = 0;
	int err;

	head.dead = head.members & ~live;
	err = dzr_log_reserve_group(log, DZR_STREAM_CLEANER, first, &head,
				    old + 1, len - sizeof(head), &a);
	if (err)
		return err;
	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		dzr_loc_t from = dzr_group_loc(log->cleaner.victim, off, len,
					       old, i);

		if (!(live & BIT(i)) ||
		    !log->ops->repoint(log->owner, first + i, from,
				       dzr_log_publish_member(&a, i)))
			continue;
		moved |= BIT(i);
		dzr_cleaner_moved(log, from);
	}
	dzr_log_commit_group(&a, moved);
	return 0;
}

/* Take the living members of a group apart; they are objects of their own then. */
static int dzr_group_split(struct dzr_log *log, u32 off,
			   const struct dzr_object_header *hdr, u8 live,
			   bool *good)
{
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	u32 first = le32_to_cpu(hdr->block), len = le16_to_cpu(hdr->len);
	u8 *alone = log->cleaner.scratch;
	unsigned int i;
	u8 codec;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		int ret;

		if (!(live & BIT(i)))
			continue;
		ret = log->ops->ungroup(log->owner, head, len, i, alone,
					&codec);
		if (ret < 0) {
			*good = false;
			return 0;
		}
		ret = dzr_cleaner_copy(log, first + i, codec, alone, ret,
				       dzr_group_loc(log->cleaner.victim, off,
						     len, head, i));
		if (ret)
			return ret;
	}
	dzr_stat_add(log->stats, DZR_STAT_GROUPS_SPLIT, 1);
	return 0;
}

int dzr_clean_group(struct dzr_log *log, u32 off, bool *good)
{
	const struct dzr_object_header *hdr = (void *)(log->cleaner.data + off);
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	u32 len = le16_to_cpu(hdr->len);
	bool valid = dzr_group_valid(head, len);
	u8 live = valid ? dzr_group_live(log, off, hdr) : 0;

	if (!valid || !*good) {
		/* Even if it seems dead: its header cannot be trusted. */
		*good = false;
		if (live)
			dzr_stat_add(log->stats, DZR_STAT_COLD_BAD_OBJECTS, 1);
		return 0;
	}
	if (!live)
		return 0;
	if (dzr_object_size(len) > dzr_group_weights(head, live))
		return dzr_group_split(log, off, hdr, live, good);
	dzr_cleaner_fill(log, len);
	return dzr_group_move(log, off, hdr, live);
}
