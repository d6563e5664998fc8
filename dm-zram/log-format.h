/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Format of the cold device. All numbers are little-endian.
 *
 * The first DZR_HEADER_AREA bytes belong to the format header and, later, the
 * superblock; the log does not touch them. Segments follow, of equal size. A
 * segment is a segment header, then objects back to back, each an object
 * header and its data, padded to DZR_LOC_UNIT.
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
#define DZR_SEG_VERSION		2

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

/**
 * struct dzr_object_header - start of an object
 * @block: number of the block
 * @len: bytes of data that follow
 * @codec: an &enum dzr_codec_id
 * @flags: DZR_OBJECT_*
 * @version: low 32 bits of its version: see @base of the segment header
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

/* What the largest object, an incompressible block, takes in a segment. */
#define DZR_MAX_OBJECT		(4096U + sizeof(struct dzr_object_header))

#endif /* DZR_LOG_FORMAT_H */
