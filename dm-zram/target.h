/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DZR_TARGET_H
#define DZR_TARGET_H

/* The "zram" target. */
extern struct target_type dzr_target_type;

#endif /* DZR_TARGET_H */
