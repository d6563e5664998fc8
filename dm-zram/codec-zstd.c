// SPDX-License-Identifier: GPL-2.0
/*
 * zstd through lib/zstd: one frame for a block, no checksum (the cold log has
 * its own), parameters for a source of one block, so that the tables of a
 * compressor are small.
 *
 * A context lives in the workspace behind a pointer to it, which is NULL until
 * the first use.
 */
#include <linux/errno.h>
#include <linux/zstd.h>

#include "codec.h"

/* Beyond this the ratio of single blocks hardly gets better. */
#define DZR_ZSTD_LEVEL 3

/* The library wants its contexts aligned to 8; give it a cache line. */
#define DZR_ZSTD_HEAD 64

static zstd_parameters dzr_zstd_params(void)
{
	return zstd_get_params(DZR_ZSTD_LEVEL, DZR_BLOCK_SIZE);
}

static size_t dzr_zstd_cctx_size(void)
{
	zstd_parameters params = dzr_zstd_params();

	return zstd_cctx_workspace_bound(&params.cParams);
}

static size_t dzr_zstd_comp_size(void)
{
	return DZR_ZSTD_HEAD + dzr_zstd_cctx_size();
}

static size_t dzr_zstd_decomp_size(void)
{
	return DZR_ZSTD_HEAD + zstd_dctx_workspace_bound();
}

static zstd_cctx *dzr_zstd_cctx(void *ws)
{
	zstd_cctx **cctx = ws;

	if (!*cctx)
		*cctx = zstd_init_cctx(ws + DZR_ZSTD_HEAD,
				       dzr_zstd_cctx_size());
	return *cctx;
}

static zstd_dctx *dzr_zstd_dctx(void *ws)
{
	zstd_dctx **dctx = ws;

	if (!*dctx)
		*dctx = zstd_init_dctx(ws + DZR_ZSTD_HEAD,
				       zstd_dctx_workspace_bound());
	return *dctx;
}

static int dzr_zstd_compress(void *ws, const void *src, void *dst,
			     unsigned int dst_len, unsigned int *out_len)
{
	zstd_parameters params = dzr_zstd_params();
	zstd_cctx *cctx = dzr_zstd_cctx(ws);
	size_t len;

	if (!cctx)
		return -EIO;
	len = zstd_compress_cctx(cctx, dst, dst_len, src, DZR_BLOCK_SIZE,
				 &params);
	if (zstd_is_error(len))
		return zstd_get_error_code(len) == ZSTD_error_dstSize_tooSmall ?
		       -ENOSPC : -EIO;
	*out_len = len;
	return 0;
}

static int dzr_zstd_decompress(void *ws, const void *src, unsigned int len,
			       void *dst)
{
	zstd_dctx *dctx = dzr_zstd_dctx(ws);
	size_t dst_len;

	if (!dctx)
		return -EIO;
	dst_len = zstd_decompress_dctx(dctx, dst, DZR_BLOCK_SIZE, src, len);
	/* An error is a number beyond all sizes. */
	return dst_len == DZR_BLOCK_SIZE ? 0 : -EIO;
}

const struct dzr_codec dzr_codec_zstd = {
	.name		= "zstd",
	.id		= DZR_CODEC_ZSTD,
	.comp_size	= dzr_zstd_comp_size,
	.decomp_size	= dzr_zstd_decomp_size,
	.compress	= dzr_zstd_compress,
	.decompress	= dzr_zstd_decompress,
};
