/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading members of groups.
 *
 * Blocks of a bio that are in one group are read from the device once. After the
 * bio has ended, what else is in the group may be given a copy in the pool, if
 * that has paid lately (see readahead.h), the pool is below its mark, and its reserve
 * is whole.
 */
#ifndef DZR_GROUPREAD_H
#define DZR_GROUPREAD_H

#include "device.h"
#include "tier.h"

/**
 * dzr_group_load - decompress a member of a group that is in memory
 * @d: the device
 * @hdr: the group, in a segment buffer
 * @block: the member's block
 * @dst: 4096 bytes for it
 *
 * Context: process; may sleep for an opener.
 * Return: 0 or -EIO.
 */
int dzr_group_load(struct dzr_dev *d, const struct dzr_object_header *hdr,
		   u32 block, void *dst);

/**
 * dzr_group_read_init - this read is that of a group
 * @cr: block, age and pin are set
 */
void dzr_group_read_init(struct dzr_cold_read *cr);

/**
 * dzr_group_read_join - have a read that was not submitted yet serve a block, too
 * @cr: the read of a group
 * @block: the block
 * @miss: where it is
 *
 * Return: true if it is in that group; the pin of @miss is given back then.
 */
bool dzr_group_read_join(struct dzr_cold_read *cr, u32 block,
			 struct dzr_miss *miss);

/**
 * dzr_group_read_end - a group was read: deliver, end, and look further
 * @cr: the read; its owner is a &struct dzr_io
 *
 * Context: the workqueue.
 */
void dzr_group_read_end(struct dzr_cold_read *cr);

/**
 * dzr_readahead_hit - somebody asks for a block that came along
 * @d: the device
 * @slot: its entry, locked
 * @e: what is in it
 *
 * Return: what is in it now.
 */
struct dzr_entry dzr_readahead_hit(struct dzr_dev *d, unsigned long *slot,
			       struct dzr_entry e);

/**
 * dzr_ungroup - compress a member of a group alone
 * @owner: the device
 * @data: of the group
 * @len: bytes of it
 * @member: which
 * @dst: where to, a block
 * @codec: how it is compressed
 *
 * See struct dzr_log_ops.
 */
int dzr_ungroup(void *owner, const void *data, u32 len, unsigned int member,
		void *dst, u8 *codec);

#endif /* DZR_GROUPREAD_H */
