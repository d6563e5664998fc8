/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PREEMPT_H
#define SHIM_LINUX_PREEMPT_H

#include "shim.h"

/* Threads go on being preempted, but sleeping and allocating are checked. */
#define preempt_disable()	shim_depth(1)
#define preempt_enable()	shim_depth(-1)
#define migrate_disable()	((void)0)
#define migrate_enable()	((void)0)

#endif /* SHIM_LINUX_PREEMPT_H */
