/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PERCPU_H
#define SHIM_LINUX_PERCPU_H

#include <linux/types.h>
#include <linux/slab.h>

/* One CPU, whose counters threads update atomically. */
#define DEFINE_PER_CPU(type, name)	type name
#define alloc_percpu(type)	((type *)kzalloc(sizeof(type), GFP_KERNEL))
#define alloc_percpu_gfp(type, gfp)	((type *)kzalloc(sizeof(type), gfp))
#define free_percpu(p)		kfree(p)
#define per_cpu_ptr(p, cpu)	((void)(cpu), (p))
#define raw_cpu_ptr(p)		(p)
#define this_cpu_ptr(p)		(p)
#define this_cpu_add(v, n) \
	((void)__atomic_fetch_add(&(v), n, __ATOMIC_RELAXED))
#define this_cpu_sub(v, n)	this_cpu_add(v, -(typeof(v))(n))
#define this_cpu_inc(v)		this_cpu_add(v, 1)
#define this_cpu_dec(v)		this_cpu_add(v, -1)

#endif /* SHIM_LINUX_PERCPU_H */
