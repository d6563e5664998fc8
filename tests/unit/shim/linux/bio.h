/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BIO_H
#define SHIM_LINUX_BIO_H

#include <linux/kernel.h>
#include <linux/types.h>

/* As much as headers need that have a bio in a structure; none is ever made. */
typedef u8 blk_status_t;
typedef u32 blk_opf_t;

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	(1 << SECTOR_SHIFT)

struct page;

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
};

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bio {
	struct bvec_iter bi_iter;
	blk_status_t bi_status;
	void (*bi_end_io)(struct bio *bio);
};

#endif /* SHIM_LINUX_BIO_H */
