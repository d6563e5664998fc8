/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <linux/types.h>

#include <sched.h>
#include "shim.h"

#define cond_resched()	shim_might_sleep()
#define might_sleep()	shim_might_sleep()
#define need_resched()	false
#define cpu_relax()	((void)sched_yield())

#endif /* SHIM_LINUX_SCHED_H */
