/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benches write: 4 KiB blocks that follow from (seed, number), all
 * distinct, and compress about 3:1 on average with sizes as spread as those of
 * the heap of a program: one in 25 is random and does not compress, the others
 * have 100 to 2300 random bytes, most of them about 1200, and zeroes behind.
 */
#ifndef DZB_HEAP_H
#define DZB_HEAP_H

#include "../../dm/src/pattern.h"

/* Random bytes of a block. */
static inline unsigned int heap_literal(uint64_t key)
{
	unsigned int a = (key >> 8) & 1023, b = (key >> 20) & 1023;

	if ((key >> 32) % 25 == 0)
		return BLOCK_BYTES;
	return (100 + (a + b) * 2200 / 2046) & ~7u;
}

static inline uint64_t heap_key(uint64_t seed, uint64_t nr)
{
	return mix64(seed * 0x9e3779b97f4a7c15ull + nr + 1);
}

static inline void heap_fill(struct block *b, uint64_t seed, uint64_t nr)
{
	uint64_t key = heap_key(seed, nr), state = key | 1;
	unsigned int words = heap_literal(key) / 8, i;

	for (i = 0; i < words; i++)
		b->w[i] = next_random(&state);
	memset(b->w + words, 0, BLOCK_BYTES - words * 8);
	b->w[0] = PATTERN_MAGIC;
	b->w[1] = seed;
	b->w[2] = nr;
}

/* Which blocks a bench frees when it frees a random half. */
static inline int heap_freed(uint64_t seed, uint64_t nr)
{
	return mix64(heap_key(seed, nr) + 0x2015) & 1;
}

#endif /* DZB_HEAP_H */
