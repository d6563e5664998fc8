// SPDX-License-Identifier: GPL-2.0
/*
 * lzo-rle through lib/lzo. The compressor that every kernel has does not look
 * at the room it is given, hence the size of DZR_STREAM_BUF.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/lzo.h>

#include "codec.h"

static_assert(lzo1x_worst_compress(DZR_BLOCK_SIZE) <= DZR_STREAM_BUF);

static size_t dzr_lzo_comp_size(void)
{
	return LZO1X_1_MEM_COMPRESS;
}

static size_t dzr_lzo_decomp_size(void)
{
	return 0;
}

static int dzr_lzo_compress(void *ws, const void *src, void *dst,
			    unsigned int dst_len, unsigned int *out_len)
{
	size_t len = DZR_STREAM_BUF;

	if (lzorle1x_1_compress(src, DZR_BLOCK_SIZE, dst, &len, ws) != LZO_E_OK)
		return -EIO;
	if (len > dst_len)
		return -ENOSPC;
	*out_len = len;
	return 0;
}

static int dzr_lzo_decompress(void *ws, const void *src, unsigned int len,
			      void *dst)
{
	size_t dst_len = DZR_BLOCK_SIZE;

	if (lzo1x_decompress_safe(src, len, dst, &dst_len) != LZO_E_OK)
		return -EIO;
	return dst_len == DZR_BLOCK_SIZE ? 0 : -EIO;
}

const struct dzr_codec dzr_codec_lzo_rle = {
	.name		= "lzo-rle",
	.id		= DZR_CODEC_LZO_RLE,
	.comp_size	= dzr_lzo_comp_size,
	.decomp_size	= dzr_lzo_decomp_size,
	.compress	= dzr_lzo_compress,
	.decompress	= dzr_lzo_decompress,
};
