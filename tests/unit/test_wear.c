// SPDX-License-Identifier: GPL-2.0
/*
 * The wear budget against a naive model: one that lets in what is due one
 * millisecond at a time, counting in bytes times milliseconds, so that it has
 * no rest to carry. And what the header promises, one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "wear.h"

#define DAY ((u64)DZR_WEAR_DAY_MS)
#define HOUR (DAY / 24)

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

/* In units of bytes times DAY; one millisecond brings in per_day of them. */
struct model {
	__int128 per_day;
	__int128 left;
	u64 overdrawn;
	bool used_up;
};

static __int128 model_floor(__int128 v)
{
	__int128 q = v / DAY;

	return v % DAY < 0 ? q - 1 : q;
}

static void model_judge(struct model *m)
{
	__int128 hour = m->per_day / 24, batch = 1 << 20;

	if (batch > hour)
		batch = hour;
	if (model_floor(m->left) <= 0)
		m->used_up = true;
	else if (model_floor(m->left) >= batch)
		m->used_up = false;
}

/*
 * A full bucket keeps the part of a byte that came in last, and so does an
 * empty one: what counts is whole bytes.
 */
static void model_clamp(struct model *m)
{
	__int128 part = m->left - model_floor(m->left) * DAY;

	if (model_floor(m->left) > m->per_day)
		m->left = m->per_day * DAY + part;
	if (model_floor(m->left) < -m->per_day)
		m->left = -m->per_day * DAY + part;
}

static void model_wait(struct model *m, u64 ms)
{
	while (ms--) {
		m->left += m->per_day;
		model_clamp(m);
	}
	model_judge(m);
}

static void model_charge(struct model *m, u64 bytes)
{
	__int128 have = model_floor(m->left);

	if (have < 0)
		have = 0;
	if (bytes > have)
		m->overdrawn += bytes - have;
	m->left -= (__int128)bytes * DAY;
	model_clamp(m);
	model_judge(m);
}

static void compare(const struct dzr_wear *w, const struct model *m, u64 step)
{
	CHECK(w->left == (s64)model_floor(m->left), "step %llu, budget %llu: %lld, not %lld",
	      (unsigned long long)step, (unsigned long long)w->per_day,
	      (long long)w->left, (long long)model_floor(m->left));
	CHECK(w->overdrawn == m->overdrawn, "step %llu: %llu, not %llu",
	      (unsigned long long)step, (unsigned long long)w->overdrawn,
	      (unsigned long long)m->overdrawn);
	CHECK(w->used_up == m->used_up, "step %llu: left %lld",
	      (unsigned long long)step, (long long)w->left);
}

/* Waits and writes of all sizes, about as much as comes in. */
static void run_model(u64 per_day, unsigned int steps, u64 max_wait)
{
	struct dzr_wear w = {};
	struct model m = { .per_day = per_day };
	u64 now = rnd(1ull << 40), i;
	int before = failures;

	dzr_wear_set(&w, per_day, now);
	m.left = (__int128)(per_day / 24) * DAY;
	model_judge(&m);
	for (i = 0; i < steps && failures == before; i++) {
		u64 wait = rnd(max_wait);
		u64 due = (unsigned __int128)per_day * max_wait / DAY;
		u64 bytes = rnd(4) ? rnd(due + 2) : rnd(8 * due + 2);

		now += wait;
		model_wait(&m, wait);
		if (rnd(2)) {
			model_charge(&m, bytes);
			dzr_wear_charge(&w, bytes, now);
		} else {
			dzr_wear_update(&w, now);
		}
		compare(&w, &m, i);
	}
}

static void test_model(void)
{
	static const u64 budgets[] = {
		1, 23, 24, 1000, 86399999, 86400000, 86400001, 1ull << 30,
		10ull << 30, 1234567890123ull, DZR_WEAR_MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		run_model(budgets[i], 20000, 3);
		run_model(budgets[i], 5000, 2000);
		run_model(budgets[i], 30, 3 * HOUR / 10);
	}
	for (i = 0; i < 200; i++)
		run_model(rnd(DZR_WEAR_MAX >> rnd(50)) + 1, 200, 1 + rnd(1000));
}

static void test_new(void)
{
	struct dzr_wear w = {};

	dzr_wear_update(&w, 1000);
	dzr_wear_charge(&w, 1ull << 60, 2000);
	CHECK(!w.left && !w.overdrawn && !w.used_up, "without a budget");

	dzr_wear_set(&w, 24000000, 5000);
	CHECK(w.left == 1000000, "%lld", (long long)w.left);
	CHECK(dzr_wear_hour(&w) == 1000000, "-");
	CHECK(!w.used_up, "-");
	dzr_wear_update(&w, 5000 + HOUR);
	CHECK(w.left == 2000000, "%lld", (long long)w.left);
}

/* A day's worth is all that it holds, and all that it owes. */
static void test_bounds(void)
{
	struct dzr_wear w = {};

	dzr_wear_set(&w, 86400000, 0);
	dzr_wear_update(&w, 100 * DAY);
	CHECK(w.left == 86400000, "%lld", (long long)w.left);
	dzr_wear_charge(&w, 86400000, 100 * DAY);
	CHECK(w.left == 0 && w.used_up && !w.overdrawn, "%lld", (long long)w.left);
	dzr_wear_charge(&w, 10 * 86400000ull, 100 * DAY);
	CHECK(w.left == -86400000, "%lld", (long long)w.left);
	CHECK(w.overdrawn == 10 * 86400000ull, "%llu", (unsigned long long)w.overdrawn);
	dzr_wear_update(&w, 101 * DAY);
	CHECK(w.left == 0 && w.used_up, "%lld", (long long)w.left);
	dzr_wear_update(&w, 101 * DAY + 1);
	CHECK(w.left == 1 && w.used_up, "%lld", (long long)w.left);
	dzr_wear_update(&w, 1000 * DAY);
	CHECK(w.left == 86400000 && !w.used_up, "%lld", (long long)w.left);
	dzr_wear_charge(&w, U64_MAX, 1000 * DAY);
	CHECK(w.left == -86400000, "%lld", (long long)w.left);
	/* From the deepest debt to a full bucket in one step. */
	dzr_wear_update(&w, 1002 * DAY);
	CHECK(w.left == 86400000, "%lld", (long long)w.left);
}

/* Whatever the steps, a day brings in a day's worth, not a byte less. */
static void test_exact(void)
{
	static const u64 budgets[] = { 1, 7, 86399999, 86400001, 1234567891ull };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		struct dzr_wear w = {};
		u64 now = 0, day;

		dzr_wear_set(&w, budgets[i], now);
		dzr_wear_charge(&w, w.left, now);
		for (day = DAY; now < day;) {
			now = min(day, now + 1 + rnd(5000));
			dzr_wear_update(&w, now);
		}
		CHECK(w.left == (s64)budgets[i], "%llu: %lld",
		      (unsigned long long)budgets[i], (long long)w.left);
	}
}

static void test_filled_again(void)
{
	struct dzr_wear w = {};

	/* 1000 bytes a millisecond; a batch is 1 MiB, 1049 ms. */
	dzr_wear_set(&w, 86400000000ull, 0);
	dzr_wear_charge(&w, w.left + 500000, 0);
	CHECK(w.used_up && w.overdrawn == 500000, "-");
	dzr_wear_update(&w, 501);
	CHECK(w.left == 1000 && w.used_up, "%lld", (long long)w.left);
	dzr_wear_update(&w, 500 + 1048);
	CHECK(w.left < DZR_WEAR_BATCH && w.used_up, "%lld", (long long)w.left);
	dzr_wear_update(&w, 500 + 1049);
	CHECK(w.left >= DZR_WEAR_BATCH && !w.used_up, "%lld", (long long)w.left);
	/* And stays so until nothing is left. */
	dzr_wear_charge(&w, w.left - 1, 500 + 1049);
	CHECK(w.left == 1 && !w.used_up, "%lld", (long long)w.left);
	dzr_wear_charge(&w, 1, 500 + 1049);
	CHECK(!w.left && w.used_up && w.overdrawn == 500000, "-");
}

static void test_changes(void)
{
	struct dzr_wear w = {};

	dzr_wear_set(&w, 2400000, 0);
	dzr_wear_update(&w, DAY);
	CHECK(w.left == 2400000, "%lld", (long long)w.left);
	/* What is there stays, within the new bounds. */
	dzr_wear_set(&w, 4800000, DAY);
	CHECK(w.left == 2400000, "%lld", (long long)w.left);
	dzr_wear_set(&w, 24000, DAY);
	CHECK(w.left == 24000, "%lld", (long long)w.left);
	dzr_wear_charge(&w, 48000, DAY);
	CHECK(w.left == -24000 && w.used_up && w.overdrawn == 24000, "-");
	/* What was due under the old budget comes in before the new one counts. */
	dzr_wear_set(&w, 2400000, 2 * DAY);
	CHECK(w.left == 0 && w.used_up, "%lld", (long long)w.left);
	/* None: nothing is used up. What was overdrawn is not forgotten. */
	dzr_wear_set(&w, 0, 2 * DAY);
	CHECK(!w.left && !w.used_up && w.overdrawn == 24000, "-");
	dzr_wear_charge(&w, 1000000, 3 * DAY);
	CHECK(!w.left && !w.used_up && w.overdrawn == 24000, "-");
	dzr_wear_set(&w, 24000, 3 * DAY);
	CHECK(w.left == 1000, "%lld", (long long)w.left);
}

static void test_clock(void)
{
	struct dzr_wear w = {};

	dzr_wear_set(&w, 86400000, 1000000);
	dzr_wear_charge(&w, w.left, 1000000);
	dzr_wear_update(&w, 500000);
	CHECK(w.left == 0, "%lld", (long long)w.left);
	dzr_wear_update(&w, 1000005);
	CHECK(w.left == 5, "%lld", (long long)w.left);
	dzr_wear_update(&w, U64_MAX);
	CHECK(w.left == 86400000, "%lld", (long long)w.left);
}

int main(void)
{
	test_new();
	test_bounds();
	test_exact();
	test_filled_again();
	test_changes();
	test_clock();
	test_model();
	if (failures) {
		printf("wear: %d failures\n", failures);
		return 1;
	}
	return 0;
}
