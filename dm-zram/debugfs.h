/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What only somebody who looks into the allocator wants to know, in
 * <debugfs>/dm-zram/<disk>/allocator: the size classes, and how long class
 * locks were held by compaction and waited for beside it; and in load, how busy
 * the device is.
 */
#ifndef DZR_DEBUGFS_H
#define DZR_DEBUGFS_H

struct dzr_dev;

/**
 * dzr_debugfs_init - make the module's directory
 *
 * Context: process. A kernel without debugfs is no error.
 */
void dzr_debugfs_init(void);

/**
 * dzr_debugfs_exit - remove it
 */
void dzr_debugfs_exit(void);

/**
 * dzr_debugfs_add - make a device's directory
 * @d: the device, with a pool
 *
 * Context: process; may sleep.
 */
void dzr_debugfs_add(struct dzr_dev *d);

/**
 * dzr_debugfs_remove - remove it
 * @d: the device
 *
 * Context: process; waits for readers.
 */
void dzr_debugfs_remove(struct dzr_dev *d);

#endif /* DZR_DEBUGFS_H */
