/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KTIME_H
#define SHIM_LINUX_KTIME_H

#include <linux/types.h>

#include "shim.h"

typedef s64 ktime_t;

#define NSEC_PER_SEC	1000000000L
#define NSEC_PER_MSEC	1000000L
#define NSEC_PER_USEC	1000L
#define MSEC_PER_SEC	1000L
#define USEC_PER_SEC	1000000L

/* Real time, or what the test put into shim.clock_ns. */
#define ktime_get_ns()			shim_clock()
#define ktime_get_coarse_ns()		shim_clock()
#define ktime_get_boottime_ns()		shim_clock()
#define ktime_get()			((ktime_t)shim_clock())
#define ktime_get_seconds()		((s64)(shim_clock() / NSEC_PER_SEC))
#define ktime_get_boottime_seconds()	ktime_get_seconds()
#define ktime_to_ns(t)			(t)
#define ktime_sub(a, b)			((a) - (b))

#endif /* SHIM_LINUX_KTIME_H */
