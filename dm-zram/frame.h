/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: several blocks in, one zstd frame out, and back.
 *
 * As the codecs of codec.h, but for the blocks of a group as one. The frame has
 * no checksum; the object that it is in has one. In codec-zstd.c.
 */
#ifndef DZR_FRAME_H
#define DZR_FRAME_H

#include <linux/types.h>

#include "codec.h"
#include "log-format.h"

/* The largest source. */
#define DZR_FRAME_MAX	(DZR_GROUP_BLOCKS * DZR_BLOCK_SIZE)

/**
 * dzr_frame_comp_size - workspace of dzr_frame_compress()
 *
 * Return: bytes; to be filled with zeroes before the first use.
 */
size_t dzr_frame_comp_size(void);

/**
 * dzr_frame_decomp_size - workspace of dzr_frame_decompress()
 *
 * Return: bytes; to be filled with zeroes before the first use.
 */
size_t dzr_frame_decomp_size(void);

/**
 * dzr_frame_compress - compress blocks as one
 * @ws: a workspace, of one user at a time
 * @src: the blocks
 * @nr: how many, at most DZR_GROUP_BLOCKS
 * @dst: where to
 * @dst_len: bytes there
 * @out_len: bytes of the frame
 *
 * Context: does not sleep or allocate.
 * Return: 0, -ENOSPC if the frame does not fit, or -EIO.
 */
int dzr_frame_compress(void *ws, const void *src, unsigned int nr, void *dst,
		       unsigned int dst_len, unsigned int *out_len);

/**
 * dzr_frame_decompress - restore blocks
 * @ws: a workspace, of one user at a time
 * @src: the frame, of whatever quality
 * @len: its length
 * @dst: where to
 * @nr: blocks that it must give, no more and no fewer
 *
 * Context: does not sleep or allocate.
 * Return: 0 or -EIO.
 */
int dzr_frame_decompress(void *ws, const void *src, unsigned int len,
			 void *dst, unsigned int nr);

#endif /* DZR_FRAME_H */
