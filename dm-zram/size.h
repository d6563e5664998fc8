/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes and numbers as people write them: 256K, 25%, 600.
 *
 * Pure: looks at text only. Everything may be called in any context.
 */
#ifndef DZR_SIZE_H
#define DZR_SIZE_H

#include <linux/types.h>

/**
 * struct dzr_limit - an amount of memory as the user put it
 * @bytes: in bytes, if @percent is 0; 0: no limit
 * @percent: 1 to 100, of RAM; or 0
 */
struct dzr_limit {
	u64 bytes;
	u8 percent;
};

/**
 * dzr_parse_number() - read a plain number
 * @s: decimal digits, and nothing behind them
 * @value: the result; untouched on error
 *
 * Context: any.
 * Return: 0, -EINVAL if it is not a number, -ERANGE if it is beyond 64 bits.
 */
int dzr_parse_number(const char *s, u64 *value);

/**
 * dzr_emit_size() - write a size: 256K rather than 262144
 * @bytes: the size
 * @buf: where to write
 * @size: bytes there
 *
 * Context: any.
 * Return: as snprintf().
 */
int dzr_emit_size(u64 bytes, char *buf, size_t size);

/**
 * dzr_parse_size() - read a size
 * @s: decimal digits, and one of k, K, m, M, g, G, t, T behind them or nothing
 * @bytes: the result; untouched on error
 *
 * Context: any.
 * Return: 0, -EINVAL if it is not a size, -ERANGE if it is beyond 64 bits.
 */
int dzr_parse_size(const char *s, u64 *bytes);

/**
 * dzr_parse_limit() - read a size, or a percentage of RAM
 * @s: a size, or 1% to 100%
 * @limit: the result; untouched on error
 *
 * Context: any.
 * Return: 0, -EINVAL if it is neither, -ERANGE if the size is beyond 64 bits,
 * -EDOM if the percentage is not from 1 to 100.
 */
int dzr_parse_limit(const char *s, struct dzr_limit *limit);

/**
 * dzr_limit_bytes() - what a limit comes to
 * @limit: the limit
 * @ram: bytes of RAM in the machine
 *
 * Context: any.
 * Return: bytes, 0: no limit.
 */
u64 dzr_limit_bytes(const struct dzr_limit *limit, u64 ram);

#endif /* DZR_SIZE_H */
