/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KSTRTOX_H
#define SHIM_LINUX_KSTRTOX_H

#include <linux/types.h>

#include "shim.h"

/* The whole string is a number, but for one newline at the end. */
#define shim_kstrto(type, max) \
static inline int kstrto##type(const char *s, unsigned int base, type *res) \
{ \
	u64 v; \
	int ret = shim_kstrtou64(s, base, &v); \
	if (ret) \
		return ret; \
	if (v > (max)) \
		return -34; \
	*res = v; \
	return 0; \
}

shim_kstrto(u64, ~0ULL)
shim_kstrto(u32, 0xffffffffULL)
shim_kstrto(u16, 0xffffULL)
shim_kstrto(u8, 0xffULL)

static inline int kstrtouint(const char *s, unsigned int base,
			     unsigned int *res)
{
	return kstrtou32(s, base, res);
}

static inline int kstrtoul(const char *s, unsigned int base,
			   unsigned long *res)
{
	u64 v;
	int ret = kstrtou64(s, base, &v);

	if (!ret)
		*res = v;
	return ret;
}

static inline int kstrtoull(const char *s, unsigned int base,
			    unsigned long long *res)
{
	u64 v;
	int ret = kstrtou64(s, base, &v);

	if (!ret)
		*res = v;
	return ret;
}

#endif /* SHIM_LINUX_KSTRTOX_H */
