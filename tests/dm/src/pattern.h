/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests write: 4 KiB blocks whose content follows from (seed, number),
 * so that a reader needs nothing but these two to tell right from wrong, and a
 * wrong block tells whose content it is instead.
 *
 * Ratio 1 is random data, ratio N > 1 compresses about N:1 (lz4, lzo and zstd
 * agree within some percent), ratio 0 is a mixture by block number: one block
 * in four random, one in two 3:1, one in eight of one repeated word, one in
 * eight zero. Ratio 100 + N is N with the same body for four neighbours, which
 * differ in their first words only.
 */
#ifndef DMZ_TEST_PATTERN_H
#define DMZ_TEST_PATTERN_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES	4096u
#define PATTERN_MAGIC	0x444d5a5041545431ull	/* "DMZPATT1" */

struct block {
	uint64_t w[BLOCK_BYTES / 8];
};

static inline uint64_t mix64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ (x >> 33);
}

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Per 256 bytes: some random words, then the first of them over and over. */
static inline void pattern_body(struct block *b, uint64_t key, unsigned int ratio)
{
	unsigned int literal = 32, i;
	uint64_t state = key | 1;

	if (ratio > 1) {
		/* a token, its lengths and the offset cost about 6 bytes */
		literal = 256 / ratio > 14 ? (256 / ratio - 6 + 4) / 8 : 1;
	}
	for (i = 0; i < BLOCK_BYTES / 8; i++)
		b->w[i] = i % 32 < literal ? next_random(&state) : b->w[i & ~31u];
}

static inline void pattern_fill(struct block *b, uint64_t seed, uint64_t nr,
				unsigned int ratio)
{
	uint64_t key = mix64(seed * 0x9e3779b97f4a7c15ull + nr + 1);
	unsigned int i, kind;

	if (!ratio) {
		kind = (key >> 40) & 7;
		if (kind >= 6) {
			for (i = 0; i < BLOCK_BYTES / 8; i++)
				b->w[i] = kind == 7 ? 0 : key;
			return;
		}
		ratio = kind < 2 ? 1 : 3;
	}
	if (ratio >= 100) {
		key = mix64(seed * 0x9e3779b97f4a7c15ull + nr / 4 + 1);
		ratio -= 100;
	}
	pattern_body(b, key, ratio);
	b->w[0] = PATTERN_MAGIC;
	b->w[1] = seed;
	b->w[2] = nr;
}

static inline int block_is_zero(const struct block *b)
{
	return !b->w[0] && !memcmp(b->w, b->w + 1, BLOCK_BYTES - 8);
}

/* Say what a wrong block looks like. */
static inline void pattern_explain(const struct block *got, const struct block *want,
				   uint64_t nr)
{
	unsigned int i, differ = 0, first = 0;

	for (i = 0; i < BLOCK_BYTES / 8; i++) {
		if (got->w[i] != want->w[i] && !differ++)
			first = i * 8;
	}
	fprintf(stderr, "block %llu is wrong: %u of 512 words differ, the first at byte %u",
		(unsigned long long)nr, differ, first);
	if (block_is_zero(got))
		fprintf(stderr, "; it is zero\n");
	else if (got->w[0] == PATTERN_MAGIC)
		fprintf(stderr, "; it says that it is block %llu of seed %llu\n",
			(unsigned long long)got->w[2], (unsigned long long)got->w[1]);
	else
		fprintf(stderr, "; it starts with %016llx %016llx\n",
			(unsigned long long)got->w[0], (unsigned long long)got->w[1]);
}

#endif /* DMZ_TEST_PATTERN_H */
