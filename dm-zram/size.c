// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and numbers as people write them. See size.h.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "size.h"

/* Decimal digits from @s on; @end is where they end. */
static int dzr_parse_digits(const char *s, u64 *value, const char **end)
{
	u64 v = 0;
	const char *p;

	for (p = s; *p >= '0' && *p <= '9'; p++) {
		u64 digit = *p - '0';

		if (v > U64_MAX / 10 || v * 10 > U64_MAX - digit)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (p == s)
		return -EINVAL;
	*value = v;
	*end = p;
	return 0;
}

int dzr_parse_number(const char *s, u64 *value)
{
	const char *end;
	u64 v;
	int ret;

	ret = dzr_parse_digits(s, &v, &end);
	if (ret)
		return ret;
	if (*end)
		return -EINVAL;
	*value = v;
	return 0;
}

static int dzr_suffix_shift(const char *suffix)
{
	if (!suffix[0])
		return 0;
	if (suffix[1])
		return -EINVAL;
	switch (suffix[0]) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	}
	return -EINVAL;
}

int dzr_parse_size(const char *s, u64 *bytes)
{
	const char *end;
	int ret, shift;
	u64 v;

	ret = dzr_parse_digits(s, &v, &end);
	if (ret)
		return ret;
	shift = dzr_suffix_shift(end);
	if (shift < 0)
		return shift;
	if (v > U64_MAX >> shift)
		return -ERANGE;
	*bytes = v << shift;
	return 0;
}

int dzr_parse_limit(const char *s, struct dzr_limit *limit)
{
	struct dzr_limit l = { .bytes = 0 };
	const char *end;
	u64 v;
	int ret;

	ret = dzr_parse_digits(s, &v, &end);
	if (ret)
		return ret;
	if (strcmp(end, "%"))
		ret = dzr_parse_size(s, &l.bytes);
	else if (v < 1 || v > 100)
		ret = -EDOM;
	else
		l.percent = v;
	if (!ret)
		*limit = l;
	return ret;
}

u64 dzr_limit_bytes(const struct dzr_limit *limit, u64 ram)
{
	u32 rest;
	u64 part;

	if (!limit->percent)
		return limit->bytes;
	/* In this order nothing overflows. */
	part = div_u64_rem(ram, 100, &rest);
	return part * limit->percent + rest * limit->percent / 100;
}

int dzr_emit_size(u64 bytes, char *buf, size_t size)
{
	static const char suffixes[] = "KMGT";
	const char *suffix = suffixes;

	if (!bytes || bytes & 1023)
		return snprintf(buf, size, "%llu", (unsigned long long)bytes);
	for (bytes >>= 10; !(bytes & 1023) && suffix[1]; bytes >>= 10)
		suffix++;
	return snprintf(buf, size, "%llu%c", (unsigned long long)bytes,
			*suffix);
}
