/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_STRING_H
#define SHIM_LINUX_STRING_H

#include <linux/types.h>

#include <stdlib.h>
#include <string.h>

static inline ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size);

	if (!size)
		return -7;	/* E2BIG */
	if (n == size)
		n--;
	memcpy(dst, src, n);
	dst[n] = 0;
	return src[n] ? -7 : (ssize_t)n;
}

static inline size_t str_has_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? 0 : n;
}

static inline void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *s = p;

	for (; n; n--, s++)
		if (*s != (u8)c)
			return (void *)s;
	return NULL;
}

static inline int match_string(const char *const *a, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n && a[i]; i++)
		if (!strcmp(a[i], s))
			return i;
	return -22;	/* EINVAL */
}

static inline void memset64(u64 *p, u64 v, size_t n)
{
	while (n--)
		*p++ = v;
}

#endif /* SHIM_LINUX_STRING_H */
