/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BITFIELD_H
#define SHIM_LINUX_BITFIELD_H

#include <linux/bits.h>
#include <linux/compiler.h>

#define FIELD_PREP(mask, v) \
	((typeof(mask))(((typeof(mask))(v) << __builtin_ctzll(mask)) & (mask)))
#define FIELD_GET(mask, v) \
	((typeof(mask))(((v) & (mask)) >> __builtin_ctzll(mask)))
#define FIELD_MAX(mask)	((typeof(mask))((mask) >> __builtin_ctzll(mask)))

#endif /* SHIM_LINUX_BITFIELD_H */
