/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions, and nothing else. Kbuild looks at the
 * headers being built against and defines DZR_HAVE_*; no version is asked.
 */
#ifndef DZR_COMPAT_H
#define DZR_COMPAT_H

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#ifndef DZR_HAVE_SHRINKER_ALLOC

/**
 * struct dzr_old_shrinker - a shrinker with the pointer that newer ones have
 * @s: the shrinker
 * @private_data: for its owner
 */
struct dzr_old_shrinker {
	struct shrinker s;
	void *private_data;
};

static inline struct shrinker *dzr_shrinker_alloc(void)
{
	struct dzr_old_shrinker *old = kzalloc(sizeof(*old), GFP_KERNEL);

	return old ? &old->s : NULL;
}

static inline void dzr_shrinker_set(struct shrinker *s, void *data)
{
	container_of(s, struct dzr_old_shrinker, s)->private_data = data;
}

static inline void *dzr_shrinker_data(struct shrinker *s)
{
	return container_of(s, struct dzr_old_shrinker, s)->private_data;
}

static inline int dzr_shrinker_add(struct shrinker *s, const char *name)
{
	return register_shrinker(s, "%s", name);
}

static inline void dzr_shrinker_abandon(struct shrinker *s)
{
	kfree(container_of(s, struct dzr_old_shrinker, s));
}

static inline void dzr_shrinker_free(struct shrinker *s)
{
	unregister_shrinker(s);
	dzr_shrinker_abandon(s);
}

#else

static inline struct shrinker *dzr_shrinker_alloc(void)
{
	return shrinker_alloc(0, "dm-zram");
}

static inline void dzr_shrinker_set(struct shrinker *s, void *data)
{
	s->private_data = data;
}

static inline void *dzr_shrinker_data(struct shrinker *s)
{
	return s->private_data;
}

static inline int dzr_shrinker_add(struct shrinker *s, const char *name)
{
	shrinker_register(s);
	return 0;
}

static inline void dzr_shrinker_abandon(struct shrinker *s)
{
	shrinker_free(s);
}

static inline void dzr_shrinker_free(struct shrinker *s)
{
	shrinker_free(s);
}

#endif

/* The cold device is written to even for a table that is read-only. */
#ifdef BLK_OPEN_WRITE
#define DZR_OPEN_MODE	(BLK_OPEN_READ | BLK_OPEN_WRITE)
#else
#define DZR_OPEN_MODE	(FMODE_READ | FMODE_WRITE)
#endif

/**
 * dzr_bdev_open - open a block device that somebody has claimed, for the same holder
 * @of: the device; it stays open and claimed meanwhile
 * @bdev: set to the device
 * @file: set to what was opened, where that is a file
 *
 * Context: process; may sleep.
 * Return: 0 or an error.
 */
static inline int dzr_bdev_open(struct block_device *of,
				struct block_device **bdev,
				struct file **file)
{
#ifdef DZR_HAVE_BDEV_FILE
	*file = bdev_file_open_by_dev(of->bd_dev, DZR_OPEN_MODE, of->bd_holder,
				      of->bd_holder_ops);
	if (IS_ERR(*file))
		return PTR_ERR(*file);
	*bdev = file_bdev(*file);
#else
	*file = NULL;
	*bdev = blkdev_get_by_dev(of->bd_dev, DZR_OPEN_MODE | FMODE_EXCL,
				  of->bd_holder);
	if (IS_ERR(*bdev))
		return PTR_ERR(*bdev);
#endif
	return 0;
}

/**
 * dzr_bdev_close - close what dzr_bdev_open() has opened
 * @bdev: the device
 * @file: the file, or NULL
 *
 * Context: process; may sleep. The device is free on return.
 */
static inline void dzr_bdev_close(struct block_device *bdev, struct file *file)
{
#ifdef DZR_HAVE_BDEV_FILE
	__fput_sync(file);
#else
	blkdev_put(bdev, DZR_OPEN_MODE | FMODE_EXCL);
#endif
}

/**
 * dzr_limits_stable - ask for pages that do not change while they are written
 * @limits: of the queue
 *
 * Older kernels have a queue flag instead: dzr_queue_stable().
 */
static inline void dzr_limits_stable(struct queue_limits *limits)
{
#ifdef DZR_HAVE_BLK_FEAT
	limits->features |= BLK_FEAT_STABLE_WRITES;
#endif
}

/**
 * dzr_limits_zeroes - offer write-zeroes, which unmap
 * @limits: of the queue
 * @sectors: most of one bio
 */
static inline void dzr_limits_zeroes(struct queue_limits *limits,
				     unsigned int sectors)
{
	limits->max_write_zeroes_sectors = sectors;
#ifdef DZR_HAVE_WZEROES_UNMAP
	limits->max_hw_wzeroes_unmap_sectors = sectors;
#endif
}

/**
 * dzr_queue_stable - as dzr_limits_stable(), for kernels with a queue flag
 * @q: the queue
 */
static inline void dzr_queue_stable(struct request_queue *q)
{
#ifndef DZR_HAVE_BLK_FEAT
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, q);
#endif
}

/**
 * dzr_bdev_inode - the inode of a block device, where swapon marks it
 * @bdev: the block device
 */
static inline struct inode *dzr_bdev_inode(struct block_device *bdev)
{
#ifdef DZR_HAVE_BD_MAPPING
	return bdev->bd_mapping->host;
#else
	return bdev->bd_inode;
#endif
}

#endif /* DZR_COMPAT_H */
