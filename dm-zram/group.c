// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: format and decisions. See group.h.
 */
#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

#include "group.h"

/* All that a location says of a group has room in its bits. */
static_assert(DZR_GLOC_SIZE_UNIT << DZR_GLOC_SIZE_BITS >= DZR_MAX_GROUP);
static_assert(DZS_MAX_SIZE + sizeof(struct dzr_object_header) + DZR_LOC_UNIT <
	      (DZR_GLOC_WEIGHT_UNIT << DZR_GLOC_WEIGHT_BITS) -
	      DZR_GLOC_WEIGHT_UNIT);
static_assert(DZR_MAX_GROUP % DZR_GLOC_SIZE_UNIT == 0);

/* One bit for each block that a group can have. */
#define DZR_GROUP_ALL		((1U << DZR_GROUP_BLOCKS) - 1)

u8 dzr_group_weight(u32 len)
{
	return DIV_ROUND_UP(dzr_object_size(len), DZR_GLOC_WEIGHT_UNIT);
}

u32 dzr_group_weights(const struct dzr_group_head *head, u8 members)
{
	unsigned int i;
	u32 sum = 0;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (members & BIT(i))
			sum += head->weight[i];
	return sum * DZR_GLOC_WEIGHT_UNIT;
}

u32 dzr_group_frame_room(const struct dzr_group_head *head)
{
	u32 extra = sizeof(struct dzr_object_header) + sizeof(*head);
	u32 room = dzr_group_weights(head, head->members);

	room -= room >> DZR_GROUP_GAIN_SHIFT;
	room = min(room, DZR_MAX_GROUP) & ~(DZR_LOC_UNIT - 1);
	return room - extra;
}

unsigned int dzr_group_blocks(const struct dzr_group_head *head)
{
	return hweight8(head->members);
}

unsigned int dzr_group_index(const struct dzr_group_head *head,
			     unsigned int member)
{
	return hweight8(head->members & (BIT(member) - 1));
}

bool dzr_group_valid(const struct dzr_group_head *head, u32 len)
{
	unsigned int i;

	if (len <= sizeof(*head) || len > DZR_GROUP_MAX_LEN ||
	    head->members & ~DZR_GROUP_ALL || head->dead & ~head->members ||
	    dzr_group_blocks(head) < 2)
		return false;
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (head->members & BIT(i) &&
		    (!head->weight[i] ||
		     head->weight[i] >= 1U << DZR_GLOC_WEIGHT_BITS))
			return false;
	return true;
}

bool dzr_group_matches(dzr_loc_t loc, u32 block,
		       const struct dzr_object_header *hdr)
{
	const struct dzr_group_head *head = (const void *)(hdr + 1);
	unsigned int member = dzr_group_member(block);
	u32 len = le16_to_cpu(hdr->len);

	return hdr->flags == DZR_OBJECT_GROUP &&
	       le32_to_cpu(hdr->block) == dzr_group_first(block) &&
	       dzr_group_valid(head, len) && head->members & BIT(member) &&
	       dzr_group_loc(dzr_loc_seg(loc), dzr_loc_off(loc), len, head,
			     member) == loc;
}
