// SPDX-License-Identifier: GPL-2.0
/*
 * lz4, block format, through lib/lz4.
 */
#include <linux/errno.h>
#include <linux/lz4.h>

#include "codec.h"

static size_t dzr_lz4_comp_size(void)
{
	return LZ4_MEM_COMPRESS;
}

static size_t dzr_lz4_decomp_size(void)
{
	return 0;
}

static int dzr_lz4_compress(void *ws, const void *src, void *dst,
			    unsigned int dst_len, unsigned int *out_len)
{
	int len;

	/* The library reports one kind of failure: the room was too small. */
	len = LZ4_compress_default(src, dst, DZR_BLOCK_SIZE, dst_len, ws);
	if (len <= 0)
		return -ENOSPC;
	*out_len = len;
	return 0;
}

static int dzr_lz4_decompress(void *ws, const void *src, unsigned int len,
			      void *dst)
{
	/* The library counts in ints. */
	if (len > DZR_STREAM_BUF)
		return -EIO;
	if (LZ4_decompress_safe(src, dst, len, DZR_BLOCK_SIZE) !=
	    DZR_BLOCK_SIZE)
		return -EIO;
	return 0;
}

const struct dzr_codec dzr_codec_lz4 = {
	.name		= "lz4",
	.id		= DZR_CODEC_LZ4,
	.comp_size	= dzr_lz4_comp_size,
	.decomp_size	= dzr_lz4_decomp_size,
	.compress	= dzr_lz4_compress,
	.decompress	= dzr_lz4_decompress,
};
