/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SMP_H
#define SHIM_LINUX_SMP_H

#include "shim.h"

/* A thread is on one CPU for all its life; the shim counts them round. */
#define raw_smp_processor_id()	shim_cpu()
#define smp_processor_id()	shim_cpu()
#define get_cpu()		shim_cpu()
#define put_cpu()		((void)0)

#endif /* SHIM_LINUX_SMP_H */
