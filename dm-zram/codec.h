/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Codecs: one 4 KiB block in, one shorter run of bytes out, and back.
 *
 * A codec is a const table of functions over one of the kernel's own
 * compression libraries. It owns no memory: the caller hands in a workspace of
 * the size that the codec asks for, one workspace for each call that runs at
 * the same time (see stream.h, which keeps them per CPU). Nothing is allocated
 * when data flows.
 */
#ifndef DZR_CODEC_H
#define DZR_CODEC_H

#include <linux/types.h>

/* Bytes in a block, the unit of everything the target stores. */
#define DZR_BLOCK_SIZE 4096u

/* What dzr_codec_find() knows, for error texts. */
#define DZR_CODEC_NAMES "lz4, lzo-rle, zstd"

/*
 * Bytes a destination buffer of ->compress() must have. More than any back-end
 * writes for one block of the worst data, lzo's unchecked compressor included.
 */
#define DZR_STREAM_BUF (2 * DZR_BLOCK_SIZE)

/**
 * enum dzr_codec_id - what a stored object was compressed with
 * @DZR_CODEC_RAW: not at all: the bytes of the block as they are
 * @DZR_CODEC_LZ4: lib/lz4, block format
 * @DZR_CODEC_LZO_RLE: lib/lzo, with run-length encoding
 * @DZR_CODEC_ZSTD: lib/zstd, one frame without checksum
 * @DZR_NR_CODECS: how many there are
 *
 * The numbers are written to the cold device: never change one.
 */
enum dzr_codec_id {
	DZR_CODEC_RAW = 0,
	DZR_CODEC_LZ4 = 1,
	DZR_CODEC_LZO_RLE = 2,
	DZR_CODEC_ZSTD = 3,
	DZR_NR_CODECS
};

/**
 * struct dzr_codec - one back-end
 * @name: as written in the table line
 * @id: as written in object headers, one of enum dzr_codec_id
 * @comp_size: bytes of workspace that @compress needs, may be 0
 * @decomp_size: bytes of workspace that @decompress needs, may be 0
 * @compress: compresses the DZR_BLOCK_SIZE bytes at @src into @dst, which has
 *	room for DZR_STREAM_BUF bytes. The result is in @out_len and is at most
 *	@dst_len bytes long. Bytes of @dst behind the result are clobbered.
 *	Returns 0, -ENOSPC if the result does not fit into @dst_len, or -EIO if
 *	the library reports anything else.
 * @decompress: restores exactly DZR_BLOCK_SIZE bytes into @dst from the @len
 *	bytes at @src. Any @src is allowed, damaged ones included: nothing
 *	outside of @src and @dst is touched. Returns 0 or -EIO; after -EIO the
 *	contents of @dst are undefined.
 *
 * Context: none of the functions sleeps, allocates or takes a lock. A
 * workspace is filled with zeroes before its first use, has one user at a time,
 * and belongs to one codec and one direction for its whole life.
 */
struct dzr_codec {
	const char *name;
	u8 id;
	size_t (*comp_size)(void);
	size_t (*decomp_size)(void);
	int (*compress)(void *ws, const void *src, void *dst,
			unsigned int dst_len, unsigned int *out_len);
	int (*decompress)(void *ws, const void *src, unsigned int len,
			  void *dst);
};

extern const struct dzr_codec dzr_codec_lz4;
extern const struct dzr_codec dzr_codec_lzo_rle;
extern const struct dzr_codec dzr_codec_zstd;

/**
 * dzr_codec_find() - look a codec up by its name
 * @name: "lz4", "lzo-rle" or "zstd"
 *
 * Context: any.
 * Return: the codec, or NULL if there is none of that name.
 */
const struct dzr_codec *dzr_codec_find(const char *name);

/**
 * dzr_codec_by_id() - look a codec up by the number in an object header
 * @id: any number
 *
 * Context: any.
 * Return: the codec, or NULL for DZR_CODEC_RAW and for an unknown number.
 */
const struct dzr_codec *dzr_codec_by_id(u8 id);

/**
 * dzr_codec_names() - the names that dzr_codec_find() knows
 *
 * Context: any.
 * Return: DZR_CODEC_NAMES.
 */
const char *dzr_codec_names(void);

#endif /* DZR_CODEC_H */
