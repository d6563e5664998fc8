/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups: up to four neighbouring blocks, compressed as one and kept as one
 * object of the log. Their format, and when they pay.
 *
 * A block and its neighbours up to the next multiple of four are the same group
 * wherever they are stored; a group object has some of them, its members. A
 * member weighs what it would take in the log alone. Segments account for
 * members by weight, so what is left of a group when members have died is never
 * counted for less than the cleaner needs to store it.
 *
 * Pure: compiles unmodified in user space (tests/unit). No locks.
 */
#ifndef DZR_GROUP_H
#define DZR_GROUP_H

#include "btable.h"
#include "log-format.h"

/* A group must save this part of what its members take alone: 1/16. */
#define DZR_GROUP_GAIN_SHIFT	4

/* Most bytes of data of a group, head and frame. */
#define DZR_GROUP_MAX_LEN	(DZR_MAX_GROUP - \
				 (u32)sizeof(struct dzr_object_header))

/* Bytes of the largest frame. */
#define DZR_GROUP_MAX_FRAME	(DZR_GROUP_MAX_LEN - \
				 (u32)sizeof(struct dzr_group_head))

/**
 * dzr_object_size - what an object takes in a segment
 * @len: bytes of its data
 */
static inline u32 dzr_object_size(u32 len)
{
	return ALIGN(sizeof(struct dzr_object_header) + len, DZR_LOC_UNIT);
}

/**
 * dzr_group_first - member 0 of the group of a block
 * @block: the block
 */
static inline u32 dzr_group_first(u32 block)
{
	return block & ~(DZR_GROUP_BLOCKS - 1);
}

/**
 * dzr_group_member - which member of its group a block is
 * @block: the block
 */
static inline unsigned int dzr_group_member(u32 block)
{
	return block & (DZR_GROUP_BLOCKS - 1);
}

/**
 * dzr_group_weight - the weight of a block
 * @len: bytes of its data, compressed alone; it did compress
 *
 * Return: units of DZR_GLOC_WEIGHT_UNIT, rounded up.
 */
u8 dzr_group_weight(u32 len);

/**
 * dzr_group_frame_room - how long a frame may be so that the group pays
 * @head: with members, two at least, and weights
 *
 * The group must take 1/16 less than its members would alone, and not more than
 * DZR_MAX_GROUP.
 *
 * Return: bytes; some, even for the lightest members that there can be.
 */
u32 dzr_group_frame_room(const struct dzr_group_head *head);

/**
 * dzr_group_weights - what some members would take alone
 * @head: of the group
 * @members: a bit for each
 *
 * Return: bytes.
 */
u32 dzr_group_weights(const struct dzr_group_head *head, u8 members);

/**
 * dzr_group_valid - can this be a group?
 * @head: start of the data, which may be damaged
 * @len: bytes of the data, at most DZR_GROUP_MAX_LEN
 *
 * Return: false when it contradicts itself.
 */
bool dzr_group_valid(const struct dzr_group_head *head, u32 len);

/**
 * dzr_group_blocks - number of blocks in the frame
 * @head: of a valid group
 */
unsigned int dzr_group_blocks(const struct dzr_group_head *head);

/**
 * dzr_group_index - which block of the frame a member is
 * @head: of a valid group
 * @member: one of its members
 */
unsigned int dzr_group_index(const struct dzr_group_head *head,
			     unsigned int member);

/**
 * dzr_group_loc - the location of a member
 * @seg: segment of the group
 * @off: offset of its object header
 * @len: bytes of its data
 * @head: the start of them
 * @member: one of its members
 */
static inline dzr_loc_t dzr_group_loc(u32 seg, u32 off, u32 len,
				      const struct dzr_group_head *head,
				      unsigned int member)
{
	return dzr_gloc(seg, off, dzr_object_size(len), head->weight[member]);
}

/**
 * dzr_group_matches - is this the group that a location means?
 * @loc: of a member
 * @block: the member's block
 * @hdr: the object header; the data follows, DZR_MAX_GROUP in all at the most
 *
 * Return: false if anything but the checksum is wrong.
 */
bool dzr_group_matches(dzr_loc_t loc, u32 block,
		       const struct dzr_object_header *hdr);

#endif /* DZR_GROUP_H */
