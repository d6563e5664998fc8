// SPDX-License-Identifier: GPL-2.0
/*
 * Writing ahead: what ahead.h promises, one by one; and a simulated pool whose
 * blocks die before they are dropped with a given chance, which must end with
 * the share that this chance deserves.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "ahead.h"

static int failures;

#define CHECK(cond, ...) do {						\
	if (!(cond)) {							\
		failures++;						\
		printf("%s:%d: %s: ", __func__, __LINE__, #cond);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
} while (0)

static unsigned long long seed = 88172645463325252ull;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return below ? seed % below : 0;
}

static void test_due(void)
{
	CHECK(!dzr_ahead_due(0, U64_MAX, 0), "an empty pool");
	CHECK(!dzr_ahead_due(50, 100, 1000), "half of its limit");
	CHECK(dzr_ahead_due(51, 100, 1000), "more than half of its limit");
	CHECK(!dzr_ahead_due(100, U64_MAX, 100), "half of what there is");
	CHECK(dzr_ahead_due(101, U64_MAX, 99), "more than half of it");
	CHECK(dzr_ahead_due(60, 1000, 10), "memory is short below the limit");
}

static void test_want(void)
{
	struct dzr_ahead a = {};

	CHECK(dzr_ahead_want(&a, 1000, 0) == 500, "half");
	CHECK(dzr_ahead_want(&a, 1000, 499) == 1, "one less");
	CHECK(dzr_ahead_want(&a, 1000, 500) == 0, "all there");
	CHECK(dzr_ahead_want(&a, 1000, 900) == 0, "more than that");
	CHECK(dzr_ahead_want(&a, 0, 0) == 0, "no blocks");
	a.backoff = DZR_AHEAD_MAX_BACKOFF;
	CHECK(dzr_ahead_want(&a, 1280, 0) == 10, "the least share");
}

/* One window of @cleaned blocks, @died and @dropped of them; the new share. */
static u8 window(u8 backoff, u64 cleaned, u64 died, u64 dropped)
{
	struct dzr_ahead_sums sums = { 7000, 4000, 3000 };
	struct dzr_ahead a = { .then = sums, .backoff = backoff };
	bool moved;

	sums.cleaned += cleaned;
	sums.died += died;
	sums.dropped += dropped;
	dzr_ahead_judge(&a, &sums);
	moved = a.then.cleaned == sums.cleaned;
	CHECK(moved || a.backoff == backoff, "the share of an old window");
	return a.backoff;
}

static void test_windows(void)
{
	CHECK(window(2, 1000, 250, 0) == 2, "a quarter dead is not more");
	CHECK(window(2, 1000, 251, 0) == 3, "more than a quarter dead");
	CHECK(window(2, 1000, 251, 700) == 3, "that comes first");
	CHECK(window(2, 1000, 100, 499) == 2, "not half dropped");
	CHECK(window(2, 1000, 100, 500) == 1, "half dropped");
	CHECK(window(0, 1000, 0, 1000) == 0, "no more than half of the pool");
	CHECK(window(DZR_AHEAD_MAX_BACKOFF, 1000, 1000, 0) ==
	      DZR_AHEAD_MAX_BACKOFF, "no less than 1/128");
	CHECK(window(2, 70, DZR_AHEAD_LEAST - 1, 0) == 2, "too few died");
	CHECK(window(2, 70, DZR_AHEAD_LEAST, 0) == 3, "enough died");
	CHECK(window(2, 70, 0, DZR_AHEAD_LEAST - 1) == 2, "too few dropped");
	CHECK(window(2, 0, 0, 0) == 2, "nothing happened");
}

/* What was alive when the window began is part of it. */
static void test_carried(void)
{
	struct dzr_ahead_sums sums = { 1000, 0, 0 };
	struct dzr_ahead a = { .then = sums };

	sums.died = 250;
	dzr_ahead_judge(&a, &sums);
	CHECK(a.backoff == 0, "a quarter");
	sums.died = 251;
	dzr_ahead_judge(&a, &sums);
	CHECK(a.backoff == 1, "more");
	/* The new window has 749: 187 are a quarter. */
	sums.died += 187;
	dzr_ahead_judge(&a, &sums);
	CHECK(a.backoff == 1, "a quarter of the rest");
	sums.died++;
	dzr_ahead_judge(&a, &sums);
	CHECK(a.backoff == 2, "more than that");
}

static void test_alive(void)
{
	CHECK(dzr_ahead_alive(&(struct dzr_ahead_sums){ 10, 3, 4 }) == 3, "3");
	/* Sums are not taken at one moment. */
	CHECK(dzr_ahead_alive(&(struct dzr_ahead_sums){ 10, 6, 5 }) == 0, "0");
}

/*
 * @rounds ticks of a pool of 65536 blocks. In each the share is filled up, and
 * 256 of what was written ahead come to an end: @percent of them die. Returns
 * what was written in vain.
 */
static u64 simulate(struct dzr_ahead *a, struct dzr_ahead_sums *sums,
		    unsigned int rounds, unsigned int percent)
{
	u64 before = sums->died;

	while (rounds--) {
		u64 alive = dzr_ahead_alive(sums);
		u64 ends = alive < 256 ? alive : 256;

		sums->cleaned += dzr_ahead_want(a, 65536, alive);
		while (ends--) {
			if (rnd(100) < percent)
				sums->died++;
			else
				sums->dropped++;
		}
		dzr_ahead_judge(a, sums);
	}
	return sums->died - before;
}

static void test_simulated(void)
{
	struct dzr_ahead_sums sums = {};
	struct dzr_ahead a = {};

	simulate(&a, &sums, 4000, 5);
	CHECK(a.backoff == 0, "5 %% in vain: %u", a.backoff);
	simulate(&a, &sums, 4000, 90);
	CHECK(a.backoff == DZR_AHEAD_MAX_BACKOFF, "90 %%: %u", a.backoff);
	CHECK(dzr_ahead_alive(&sums) <= 65536 / 128 + 256, "what is left: %llu",
	      (unsigned long long)dzr_ahead_alive(&sums));
	/* It comes back as soon as it pays again. */
	simulate(&a, &sums, 4000, 5);
	CHECK(a.backoff == 0, "5 %% again: %u", a.backoff);
}

int main(void)
{
	test_due();
	test_want();
	test_windows();
	test_carried();
	test_alive();
	test_simulated();
	if (failures)
		return 1;
	printf("ok\n");
	return 0;
}
