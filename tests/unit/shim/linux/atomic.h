/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/types.h>
#include <linux/compiler.h>

#include "shim.h"

/*
 * Each operation has the order that it has in the kernel, and no more: what is
 * too weak, ThreadSanitizer sees.
 */

#define ATOMIC_INIT(n)		{ (n) }
#define ATOMIC64_INIT(n)	{ (n) }
#define ATOMIC_LONG_INIT(n)	{ (n) }

/*
 * ThreadSanitizer does not know fences: an ordered access to one word stands
 * for them there, which is stronger.
 */
#ifdef __SANITIZE_THREAD__
#define shim_fence(order) \
	((void)__atomic_fetch_add(&shim_fence_word, 0, __ATOMIC_SEQ_CST))
#else
#define shim_fence(order)	__atomic_thread_fence(order)
#endif
extern int shim_fence_word;

#define smp_mb()	shim_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	shim_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	shim_fence(__ATOMIC_RELEASE)
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()
#define smp_mb__after_spinlock()	smp_mb()
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_store_mb(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)

#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define xchg_acquire(p, v)	__atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define xchg_release(p, v)	__atomic_exchange_n(p, v, __ATOMIC_RELEASE)
#define xchg_relaxed(p, v)	__atomic_exchange_n(p, v, __ATOMIC_RELAXED)

/* A failed one orders nothing. */
#define shim_try_cmpxchg(p, old, new, order) \
	(shim_jitter(), __atomic_compare_exchange_n(p, old, new, false, order, \
						    __ATOMIC_RELAXED))
#define shim_cmpxchg(p, old, new, order) \
	({ typeof(*(p)) shim_o = (old); \
	   shim_try_cmpxchg(p, &shim_o, new, order); shim_o; })

#define try_cmpxchg(p, o, n)	shim_try_cmpxchg(p, o, n, __ATOMIC_SEQ_CST)
#define try_cmpxchg_acquire(p, o, n) \
	shim_try_cmpxchg(p, o, n, __ATOMIC_ACQUIRE)
#define try_cmpxchg_release(p, o, n) \
	shim_try_cmpxchg(p, o, n, __ATOMIC_RELEASE)
#define try_cmpxchg_relaxed(p, o, n) \
	shim_try_cmpxchg(p, o, n, __ATOMIC_RELAXED)
#define try_cmpxchg64(p, o, n)	try_cmpxchg(p, o, n)
#define try_cmpxchg64_acquire(p, o, n)	try_cmpxchg_acquire(p, o, n)
#define try_cmpxchg64_release(p, o, n)	try_cmpxchg_release(p, o, n)
#define try_cmpxchg64_relaxed(p, o, n)	try_cmpxchg_relaxed(p, o, n)
#define cmpxchg(p, o, n)	shim_cmpxchg(p, o, n, __ATOMIC_SEQ_CST)
#define cmpxchg_acquire(p, o, n)	shim_cmpxchg(p, o, n, __ATOMIC_ACQUIRE)
#define cmpxchg_release(p, o, n)	shim_cmpxchg(p, o, n, __ATOMIC_RELEASE)
#define cmpxchg_relaxed(p, o, n)	shim_cmpxchg(p, o, n, __ATOMIC_RELAXED)
#define cmpxchg64(p, o, n)	cmpxchg(p, o, n)

/* What comes in four orders: arch_op(v) is the plain, fully ordered one. */
#define SHIM_ATOMIC_ORDERED(name, type, suffix, order) \
static inline type name##_xchg##suffix(name##_t *v, type n) \
{ \
	return __atomic_exchange_n(&v->counter, n, order); \
} \
static inline bool name##_try_cmpxchg##suffix(name##_t *v, type *o, type n) \
{ \
	return shim_try_cmpxchg(&v->counter, o, n, order); \
} \
static inline type name##_cmpxchg##suffix(name##_t *v, type o, type n) \
{ \
	shim_try_cmpxchg(&v->counter, &o, n, order); \
	return o; \
} \
static inline type name##_fetch_add##suffix(type n, name##_t *v) \
{ \
	return __atomic_fetch_add(&v->counter, n, order); \
} \
static inline type name##_fetch_or##suffix(type n, name##_t *v) \
{ \
	return __atomic_fetch_or(&v->counter, n, order); \
} \
static inline type name##_fetch_and##suffix(type n, name##_t *v) \
{ \
	return __atomic_fetch_and(&v->counter, n, order); \
} \
static inline type name##_add_return##suffix(type n, name##_t *v) \
{ \
	return __atomic_add_fetch(&v->counter, n, order); \
} \
static inline type name##_sub_return##suffix(type n, name##_t *v) \
{ \
	return __atomic_sub_fetch(&v->counter, n, order); \
} \
static inline type name##_inc_return##suffix(name##_t *v) \
{ \
	return name##_add_return##suffix(1, v); \
} \
static inline type name##_dec_return##suffix(name##_t *v) \
{ \
	return name##_sub_return##suffix(1, v); \
}

/* Those that return nothing are relaxed, and so is a read or a set. */
#define SHIM_ATOMIC(name, type) \
SHIM_ATOMIC_ORDERED(name, type, , __ATOMIC_SEQ_CST) \
SHIM_ATOMIC_ORDERED(name, type, _acquire, __ATOMIC_ACQUIRE) \
SHIM_ATOMIC_ORDERED(name, type, _release, __ATOMIC_RELEASE) \
SHIM_ATOMIC_ORDERED(name, type, _relaxed, __ATOMIC_RELAXED) \
static inline type name##_read(const name##_t *v) \
{ \
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); \
} \
static inline type name##_read_acquire(const name##_t *v) \
{ \
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); \
} \
static inline void name##_set(name##_t *v, type n) \
{ \
	shim_jitter(); \
	__atomic_store_n(&v->counter, n, __ATOMIC_RELAXED); \
} \
static inline void name##_set_release(name##_t *v, type n) \
{ \
	__atomic_store_n(&v->counter, n, __ATOMIC_RELEASE); \
} \
static inline void name##_add(type n, name##_t *v) \
{ \
	name##_fetch_add_relaxed(n, v); \
} \
static inline void name##_sub(type n, name##_t *v) \
{ \
	name##_sub_return_relaxed(n, v); \
} \
static inline void name##_inc(name##_t *v) \
{ \
	name##_add(1, v); \
} \
static inline void name##_dec(name##_t *v) \
{ \
	name##_sub(1, v); \
} \
static inline void name##_or(type n, name##_t *v) \
{ \
	name##_fetch_or_relaxed(n, v); \
} \
static inline bool name##_dec_and_test(name##_t *v) \
{ \
	shim_jitter(); \
	return !name##_dec_return(v); \
} \
static inline bool name##_sub_and_test(type n, name##_t *v) \
{ \
	return !name##_sub_return(n, v); \
} \
static inline bool name##_inc_not_zero(name##_t *v) \
{ \
	type n = name##_read(v); \
\
	while (n && !name##_try_cmpxchg(v, &n, n + 1)) \
		; \
	return n; \
}

SHIM_ATOMIC(atomic, int)
SHIM_ATOMIC(atomic64, s64)
SHIM_ATOMIC(atomic_long, long)

#endif /* SHIM_LINUX_ATOMIC_H */
