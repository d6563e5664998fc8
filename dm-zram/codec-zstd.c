// SPDX-License-Identifier: GPL-2.0
/*
 * zstd through lib/zstd: one frame for a block, or for the blocks of a group, no
 * checksum (the cold log has its own), parameters for a source of that size, so
 * that the tables of a compressor are small.
 *
 * A context lives in the workspace behind a pointer to it, which is NULL until
 * the first use.
 */
#include <linux/errno.h>
#include <linux/zstd.h>

#include "codec.h"
#include "frame.h"

/* Beyond this the ratio of single blocks hardly gets better. */
#define DZR_ZSTD_LEVEL 3

/* The library wants its contexts aligned to 8; give it a cache line. */
#define DZR_ZSTD_HEAD 64

/* Size of the context of a compressor for sources of @max bytes. */
static size_t dzr_zstd_cctx_size(size_t max)
{
	zstd_parameters params = zstd_get_params(DZR_ZSTD_LEVEL, max);

	return zstd_cctx_workspace_bound(&params.cParams);
}

static size_t dzr_zstd_decomp_size(void)
{
	return DZR_ZSTD_HEAD + zstd_dctx_workspace_bound();
}

static zstd_cctx *dzr_zstd_cctx(void *ws, size_t max)
{
	zstd_cctx **cctx = ws;

	if (!*cctx)
		*cctx = zstd_init_cctx(ws + DZR_ZSTD_HEAD,
				       dzr_zstd_cctx_size(max));
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

/* Compress @src_len bytes with a workspace for up to @max. */
static int dzr_zstd_pack(void *ws, size_t max, const void *src, size_t src_len,
			 void *dst, unsigned int dst_len, unsigned int *out_len)
{
	zstd_parameters params = zstd_get_params(DZR_ZSTD_LEVEL, max);
	zstd_cctx *cctx = dzr_zstd_cctx(ws, max);
	size_t len;

	if (!cctx)
		return -EIO;
	len = zstd_compress_cctx(cctx, dst, dst_len, src, src_len, &params);
	if (zstd_is_error(len))
		return zstd_get_error_code(len) == ZSTD_error_dstSize_tooSmall ?
		       -ENOSPC : -EIO;
	*out_len = len;
	return 0;
}

static int dzr_zstd_unpack(void *ws, const void *src, unsigned int len,
			   void *dst, size_t dst_len)
{
	zstd_dctx *dctx = dzr_zstd_dctx(ws);

	if (!dctx)
		return -EIO;
	/* An error is a number beyond all sizes. */
	return zstd_decompress_dctx(dctx, dst, dst_len, src, len) == dst_len ?
	       0 : -EIO;
}

static size_t dzr_zstd_comp_size(void)
{
	return DZR_ZSTD_HEAD + dzr_zstd_cctx_size(DZR_BLOCK_SIZE);
}

static int dzr_zstd_compress(void *ws, const void *src, void *dst,
			     unsigned int dst_len, unsigned int *out_len)
{
	return dzr_zstd_pack(ws, DZR_BLOCK_SIZE, src, DZR_BLOCK_SIZE, dst,
			     dst_len, out_len);
}

static int dzr_zstd_decompress(void *ws, const void *src, unsigned int len,
			       void *dst)
{
	return dzr_zstd_unpack(ws, src, len, dst, DZR_BLOCK_SIZE);
}

const struct dzr_codec dzr_codec_zstd = {
	.name		= "zstd",
	.id		= DZR_CODEC_ZSTD,
	.comp_size	= dzr_zstd_comp_size,
	.decomp_size	= dzr_zstd_decomp_size,
	.compress	= dzr_zstd_compress,
	.decompress	= dzr_zstd_decompress,
};

size_t dzr_frame_comp_size(void)
{
	return DZR_ZSTD_HEAD + dzr_zstd_cctx_size(DZR_FRAME_MAX);
}

size_t dzr_frame_decomp_size(void)
{
	return dzr_zstd_decomp_size();
}

int dzr_frame_compress(void *ws, const void *src, unsigned int nr, void *dst,
		       unsigned int dst_len, unsigned int *out_len)
{
	return dzr_zstd_pack(ws, DZR_FRAME_MAX, src, nr * DZR_BLOCK_SIZE, dst,
			     dst_len, out_len);
}

int dzr_frame_decompress(void *ws, const void *src, unsigned int len,
			 void *dst, unsigned int nr)
{
	return dzr_zstd_unpack(ws, src, len, dst, nr * DZR_BLOCK_SIZE);
}
