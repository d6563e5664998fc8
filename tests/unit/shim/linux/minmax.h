/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#include <linux/compiler.h>

#define shim_cmp(a, b, op) \
	({ __auto_type shim_a = (a); __auto_type shim_b = (b); \
	   (void)(&shim_a == &shim_b); \
	   shim_a op shim_b ? shim_a : shim_b; })
#define shim_cmp_t(t, a, b, op) \
	({ t shim_ta = (a); t shim_tb = (b); \
	   shim_ta op shim_tb ? shim_ta : shim_tb; })
#define min_t(t, a, b)	shim_cmp_t(t, a, b, <)
#define max_t(t, a, b)	shim_cmp_t(t, a, b, >)
/* As strict about types as 6.1, but for integer constants. */
#define min(a, b) __builtin_choose_expr(__builtin_constant_p(b), \
	min_t(typeof(a), a, b), shim_cmp(a, b, <))
#define max(a, b) __builtin_choose_expr(__builtin_constant_p(b), \
	max_t(typeof(a), a, b), shim_cmp(a, b, >))
#define min3(a, b, c)	min(min(a, b), c)
#define max3(a, b, c)	max(max(a, b), c)
#define clamp(v, lo, hi)	min_t(typeof(v), max_t(typeof(v), v, lo), hi)
#define clamp_t(t, v, lo, hi)	min_t(t, max_t(t, v, lo), hi)
#define clamp_val(v, lo, hi)	clamp_t(typeof(v), v, lo, hi)
#define swap(a, b) \
	do { typeof(a) shim_t = (a); (a) = (b); (b) = shim_t; } while (0)

#endif /* SHIM_LINUX_MINMAX_H */
