/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MATH64_H
#define SHIM_LINUX_MATH64_H

#include <linux/math.h>

/* Not inline: a plain division of 64 bits in a kernel file is to be seen. */
u64 shim_div64(u64 n, u64 d);
u64 shim_rem64(u64 n, u64 d);
/* a * b / d, and a * b >> shift, with all bits of the product. */
u64 shim_muldiv(u64 a, u64 b, u64 d);

static inline u64 div_u64(u64 n, u32 d)
{
	return shim_div64(n, d);
}

static inline u64 div_u64_rem(u64 n, u32 d, u32 *rem)
{
	*rem = shim_rem64(n, d);
	return shim_div64(n, d);
}

static inline s64 div_s64(s64 n, s32 d)
{
	u64 q = shim_div64(n < 0 ? -(u64)n : n, d < 0 ? -(s64)d : d);

	return (n < 0) == (d < 0) ? q : -q;
}

static inline u64 div64_u64(u64 n, u64 d)
{
	return shim_div64(n, d);
}

static inline u64 div64_u64_rem(u64 n, u64 d, u64 *rem)
{
	*rem = shim_rem64(n, d);
	return shim_div64(n, d);
}

static inline u64 mul_u64_u32_div(u64 a, u32 mul, u32 d)
{
	return shim_muldiv(a, mul, d);
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 d)
{
	return shim_muldiv(a, b, d);
}

static inline u64 mul_u64_u32_shr(u64 a, u32 mul, unsigned int shift)
{
	return shim_muldiv(a, mul, 1ULL << shift);
}

#define do_div(n, base) \
	({ u32 shim_r = shim_rem64(n, base); (n) = shim_div64(n, base); shim_r; })

#endif /* SHIM_LINUX_MATH64_H */
