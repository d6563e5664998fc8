/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PERCPU_H
#define SHIM_LINUX_PERCPU_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/smp.h>

/*
 * A pointer is to the copy of CPU 0; that of another is so many units further
 * on. A static variable is no part of that: all CPUs share one.
 *
 * Threads may be more than CPUs, and they are preempted: this_cpu_add() and its
 * like are atomic, as they are to an interrupt in the kernel.
 */
#define DEFINE_PER_CPU(type, name)	type name
#define DECLARE_PER_CPU(type, name)	extern type name
#define alloc_percpu_gfp(type, gfp) \
	((type *)shim_alloc_percpu(sizeof(type), __alignof__(type), gfp))
#define alloc_percpu(type)	alloc_percpu_gfp(type, GFP_KERNEL)
#define free_percpu(p)		shim_free_percpu(p)
#define per_cpu_ptr(p, cpu)	((typeof(p))shim_per_cpu(p, cpu))
#define per_cpu(v, cpu)		(*per_cpu_ptr(&(v), cpu))
#define raw_cpu_ptr(p)		per_cpu_ptr(p, shim_cpu())
#define this_cpu_ptr(p)		raw_cpu_ptr(p)
#define get_cpu_ptr(p)		raw_cpu_ptr(p)
#define put_cpu_ptr(p)		((void)(p))

#define this_cpu_read(v)	READ_ONCE(*raw_cpu_ptr(&(v)))
#define this_cpu_write(v, n)	WRITE_ONCE(*raw_cpu_ptr(&(v)), n)
#define this_cpu_add(v, n) \
	((void)__atomic_fetch_add(raw_cpu_ptr(&(v)), n, __ATOMIC_RELAXED))
#define this_cpu_sub(v, n)	this_cpu_add(v, -(typeof(v))(n))
#define this_cpu_inc(v)		this_cpu_add(v, 1)
#define this_cpu_dec(v)		this_cpu_sub(v, 1)
#define this_cpu_xchg(v, n) \
	__atomic_exchange_n(raw_cpu_ptr(&(v)), n, __ATOMIC_RELAXED)
#define raw_cpu_read(v)		this_cpu_read(v)
#define raw_cpu_write(v, n)	this_cpu_write(v, n)
#define raw_cpu_add(v, n)	this_cpu_add(v, n)
#define raw_cpu_sub(v, n)	this_cpu_sub(v, n)
#define raw_cpu_inc(v)		this_cpu_inc(v)
#define raw_cpu_dec(v)		this_cpu_dec(v)
#define __this_cpu_read(v)	this_cpu_read(v)
#define __this_cpu_write(v, n)	this_cpu_write(v, n)
#define __this_cpu_add(v, n)	this_cpu_add(v, n)
#define __this_cpu_sub(v, n)	this_cpu_sub(v, n)
#define __this_cpu_inc(v)	this_cpu_inc(v)
#define __this_cpu_dec(v)	this_cpu_dec(v)

#endif /* SHIM_LINUX_PERCPU_H */
