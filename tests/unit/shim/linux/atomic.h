/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/types.h>
#include <linux/compiler.h>

#define ATOMIC_INIT(n)		{ (n) }
#define ATOMIC64_INIT(n)	{ (n) }
#define ATOMIC_LONG_INIT(n)	{ (n) }

#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_store_mb(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)

#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_RELAXED)
#define cmpxchg(p, old, new) \
	({ typeof(*(p)) shim_o = (old); \
	   try_cmpxchg(p, &shim_o, new); shim_o; })
#define cmpxchg64(p, old, new)	cmpxchg(p, old, new)
#define cmpxchg_release(p, old, new)	cmpxchg(p, old, new)
#define cmpxchg_acquire(p, old, new)	cmpxchg(p, old, new)

#define shim_aadd(p, n)	__atomic_add_fetch(p, n, __ATOMIC_SEQ_CST)
#define shim_inc_not_zero(p) \
	({ typeof(*(p)) shim_v = __atomic_load_n(p, __ATOMIC_RELAXED); \
	   while (shim_v && !try_cmpxchg(p, &shim_v, shim_v + 1)) \
		; \
	   shim_v != 0; })

#define atomic_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_set(v, n) \
	__atomic_store_n(&(v)->counter, n, __ATOMIC_RELAXED)
#define atomic_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_add_return(n, v)	shim_aadd(&(v)->counter, n)
#define atomic_sub_return(n, v)	shim_aadd(&(v)->counter, -(typeof((v)->counter))(n))
#define atomic_add(n, v)		((void)shim_aadd(&(v)->counter, n))
#define atomic_sub(n, v)		((void)shim_aadd(&(v)->counter, -(typeof((v)->counter))(n)))
#define atomic_inc(v)		atomic_add(1, v)
#define atomic_dec(v)		atomic_sub(1, v)
#define atomic_inc_return(v)	atomic_add_return(1, v)
#define atomic_dec_return(v)	atomic_sub_return(1, v)
#define atomic_dec_and_test(v)	(atomic_dec_return(v) == 0)
#define atomic_sub_and_test(n, v)	(atomic_sub_return(n, v) == 0)
#define atomic_fetch_add(n, v) \
	__atomic_fetch_add(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_xchg(v, n) \
	__atomic_exchange_n(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_cmpxchg(v, o, n)	cmpxchg(&(v)->counter, o, n)
#define atomic_try_cmpxchg(v, o, n)	try_cmpxchg(&(v)->counter, o, n)
#define atomic_inc_not_zero(v)	shim_inc_not_zero(&(v)->counter)

#define atomic64_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic64_set(v, n) \
	__atomic_store_n(&(v)->counter, n, __ATOMIC_RELAXED)
#define atomic64_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic64_add_return(n, v)	shim_aadd(&(v)->counter, n)
#define atomic64_sub_return(n, v)	shim_aadd(&(v)->counter, -(typeof((v)->counter))(n))
#define atomic64_add(n, v)		((void)shim_aadd(&(v)->counter, n))
#define atomic64_sub(n, v)		((void)shim_aadd(&(v)->counter, -(typeof((v)->counter))(n)))
#define atomic64_inc(v)		atomic64_add(1, v)
#define atomic64_dec(v)		atomic64_sub(1, v)
#define atomic64_inc_return(v)	atomic64_add_return(1, v)
#define atomic64_dec_return(v)	atomic64_sub_return(1, v)
#define atomic64_dec_and_test(v)	(atomic64_dec_return(v) == 0)
#define atomic64_sub_and_test(n, v)	(atomic64_sub_return(n, v) == 0)
#define atomic64_fetch_add(n, v) \
	__atomic_fetch_add(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic64_xchg(v, n) \
	__atomic_exchange_n(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic64_cmpxchg(v, o, n)	cmpxchg(&(v)->counter, o, n)
#define atomic64_try_cmpxchg(v, o, n)	try_cmpxchg(&(v)->counter, o, n)
#define atomic64_inc_not_zero(v)	shim_inc_not_zero(&(v)->counter)

#define atomic_long_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_long_set(v, n) \
	__atomic_store_n(&(v)->counter, n, __ATOMIC_RELAXED)
#define atomic_long_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_long_add_return(n, v)	shim_aadd(&(v)->counter, n)
#define atomic_long_sub_return(n, v)	shim_aadd(&(v)->counter, -(typeof((v)->counter))(n))
#define atomic_long_add(n, v)		((void)shim_aadd(&(v)->counter, n))
#define atomic_long_sub(n, v)		((void)shim_aadd(&(v)->counter, -(typeof((v)->counter))(n)))
#define atomic_long_inc(v)		atomic_long_add(1, v)
#define atomic_long_dec(v)		atomic_long_sub(1, v)
#define atomic_long_inc_return(v)	atomic_long_add_return(1, v)
#define atomic_long_dec_return(v)	atomic_long_sub_return(1, v)
#define atomic_long_dec_and_test(v)	(atomic_long_dec_return(v) == 0)
#define atomic_long_sub_and_test(n, v)	(atomic_long_sub_return(n, v) == 0)
#define atomic_long_fetch_add(n, v) \
	__atomic_fetch_add(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_long_xchg(v, n) \
	__atomic_exchange_n(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_long_cmpxchg(v, o, n)	cmpxchg(&(v)->counter, o, n)
#define atomic_long_try_cmpxchg(v, o, n)	try_cmpxchg(&(v)->counter, o, n)
#define atomic_long_inc_not_zero(v)	shim_inc_not_zero(&(v)->counter)

#endif /* SHIM_LINUX_ATOMIC_H */
