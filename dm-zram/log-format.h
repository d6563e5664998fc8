/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Format of the cold device. All numbers are little-endian.
 *
 * The first DZR_HEADER_AREA bytes belong to the format header and, later, the
 * superblock; the log does not touch them. Segments follow, of equal size. A
 * segment is a segment header, then objects back to back, each an object
 * header and its data, padded to DZR_LOC_UNIT. The data is that of one block,
 * or of a group of neighbours that were compressed as one.
 *
 * A segment is written once, from its start up to its last object, so that
 * the header can name the number of objects and the bytes used.
 *
 * That is enough to rebuild the block table by scanning. Of the objects of a
 * block the one with the newest version counts. Sequence numbers of segments do
 * not say which that is: two streams have a segment open each, and within one
 * an object can be published before another that stands in front of it.
 */
#ifndef DZR_LOG_FORMAT_H
#define DZR_LOG_FORMAT_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define DZR_HEADER_AREA		(1U << 20)
#define DZR_SEG_MAGIC		0x67655372617a6d64ULL	/* "dmzarSeg" */
#define DZR_SEG_VERSION		3

/**
 * struct dzr_seg_header - start of a segment
 * @magic: DZR_SEG_MAGIC
 * @version: DZR_SEG_VERSION
 * @seg: number of this segment
 * @seq: sequence number; never used twice by one log
 * @log_id: random, of the log that wrote the segment
 * @used: bytes from the start of the segment to the end of the last object
 * @objects: number of objects
 * @base: version that was the newest of the log when the segment was opened:
 *	the versions of its objects are less than 2^32 beyond
 * @segment_size: bytes of every segment of this log
 * @crc: crc32c of all above
 */
struct dzr_seg_header {
	__le64 magic;
	__le32 version;
	__le32 seg;
	__le64 seq;
	__le64 log_id[2];
	__le32 used;
	__le32 objects;
	__le64 base;
	__le32 segment_size;
	__le32 crc;
};

static_assert(sizeof(struct dzr_seg_header) == 64);
static_assert(offsetof(struct dzr_seg_header, base) == 48);
static_assert(offsetof(struct dzr_seg_header, crc) == 60);

/* The object died before its segment was written; nothing refers to it. */
#define DZR_OBJECT_DEAD		BIT(0)

/* A group: the data is a &struct dzr_group_head and a frame of several blocks. */
#define DZR_OBJECT_GROUP	BIT(1)

/**
 * struct dzr_object_header - start of an object
 * @block: number of the block; of a group, that of its member 0
 * @len: bytes of data that follow
 * @codec: an &enum dzr_codec_id
 * @flags: DZR_OBJECT_*
 * @version: low 32 bits of its version: see @base of the segment header; 0 in a
 *	group, whose members have one each
 * @crc: crc32c of the log_id in the segment header, xor the offset of this
 *	header in the segment, continued over the low 32 bits of the segment's
 *	sequence number, over all above, then over the data
 */
struct dzr_object_header {
	__le32 block;
	__le16 len;
	u8 codec;
	u8 flags;
	__le32 version;
	__le32 crc;
};

static_assert(sizeof(struct dzr_object_header) == 16);
static_assert(offsetof(struct dzr_object_header, version) == 8);

/* Blocks of a group: neighbours, the first a multiple of this. */
#define DZR_GROUP_BLOCKS	4U

/**
 * struct dzr_group_head - start of the data of a group
 * @members: bit for each block that is in the frame, one after the other
 * @dead: those of @members that nothing refers to
 * @zero: 0
 * @weight: of each member, what it would take alone, in units of 32 bytes
 * @version: of each member that is not dead, as in an object header; else 0
 *
 * A zstd frame of 4096 bytes for each member follows, to the end of the data.
 */
struct dzr_group_head {
	u8 members;
	u8 dead;
	u8 zero[2];
	u8 weight[DZR_GROUP_BLOCKS];
	__le32 version[DZR_GROUP_BLOCKS];
};

static_assert(sizeof(struct dzr_group_head) == 24);
static_assert(offsetof(struct dzr_group_head, version) == 8);

/*
 * The most that a group takes in a segment. With logical blocks of 512 bytes it
 * lies in 8 KiB of the device: one read of a member costs at most twice a block.
 * It must be less than what cleaning a segment gains: see design.rst.
 */
#define DZR_MAX_GROUP		7680U

/* What the largest object, an incompressible block, takes in a segment. */
#define DZR_MAX_OBJECT		(4096U + sizeof(struct dzr_object_header))

#endif /* DZR_LOG_FORMAT_H */
