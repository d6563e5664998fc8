/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Large bios on more than one processor. A bio of many blocks is cut into parts,
 * and while a processor may be free, every other part is left to a helper, which
 * is a work of the device's workqueue; what the helpers have not come to do yet
 * the submitter does himself.
 */
#ifndef DZR_SPREAD_H
#define DZR_SPREAD_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct dzr_dev;

/* Helpers of a device: more than a few find nothing to do. */
#define DZR_SPREAD_HELPERS	3U

/* Sectors of a part, 64 KiB: long against the wakeup of a helper. */
#define DZR_SPREAD_SECTORS	128U

/**
 * struct dzr_spread - parts that wait for a helper
 * @d: the device
 * @submitters: how many are busy with large bios now
 * @lock: guards @bios, @waiting and @next
 * @bios: the parts
 * @waiting: their number
 * @next: the helper that is woken next
 * @nr: how many helpers there are: one less than processors
 * @work: the helpers
 */
struct dzr_spread {
	struct dzr_dev *d;
	atomic_t submitters;
	spinlock_t lock;
	struct bio_list bios;
	unsigned int waiting;
	unsigned int next;
	unsigned int nr;
	struct dzr_spread_helper {
		struct work_struct work;
		struct dzr_spread *spread;
	} work[DZR_SPREAD_HELPERS];
};

/**
 * dzr_spread_init - set up the helpers of a device
 * @d: the device
 */
void dzr_spread_init(struct dzr_dev *d);

/**
 * dzr_spread_large - is a bio worth being cut?
 * @bio: a read or write
 */
static inline bool dzr_spread_large(struct bio *bio)
{
	return bio_sectors(bio) >= 2 * DZR_SPREAD_SECTORS;
}

/**
 * dzr_spread_map - take a large bio, or its first part
 * @d: the device
 * @bio: the bio; dm comes again with what is not taken of it
 *
 * Context: as dzr_io_map().
 * Return: DM_MAPIO_SUBMITTED.
 */
int dzr_spread_map(struct dzr_dev *d, struct bio *bio);

#endif /* DZR_SPREAD_H */
