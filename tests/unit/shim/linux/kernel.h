/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KERNEL_H
#define SHIM_LINUX_KERNEL_H

#include <linux/types.h>
#include <linux/limits.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/minmax.h>
#include <linux/math.h>
#include <linux/printk.h>
#include <linux/kstrtox.h>
#include <linux/build_bug.h>
#include <linux/log2.h>

#include <stdarg.h>
#include <stdio.h>
#include "shim.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, a)	round_up(x, a)
#define ALIGN_DOWN(x, a)	round_down(x, a)
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)	((typeof(p))round_up((unsigned long)(p), a))
#define upper_32_bits(n)	((u32)((u64)(n) >> 32))
#define lower_32_bits(n)	((u32)(n))
#define scnprintf		shim_scnprintf
#define memparse(s, end)	shim_memparse(s, end)

#endif /* SHIM_LINUX_KERNEL_H */
