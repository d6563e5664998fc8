/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PREEMPT_H
#define SHIM_LINUX_PREEMPT_H

/* Threads go on being preempted, and there may be more of them than CPUs. */
#define preempt_disable()	do { } while (0)
#define preempt_enable()	do { } while (0)

#endif /* SHIM_LINUX_PREEMPT_H */
