// SPDX-License-Identifier: GPL-2.0
/*
 * The simulation of policies: LRU against a naive one, the bound against all
 * that there is to choose, nobody better than the bound, and what each policy
 * is there for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "policy-sim/sim.h"
#include "shim.h"

static int failures;

#define CHECK(cond, ...) do {						\
	if (!(cond)) {							\
		failures++;						\
		printf("%s:%d: %s: ", __func__, __LINE__, #cond);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
} while (0)

static const struct engine *const engines[] = {
	&engine_age, &engine_plain, &engine_fifo, &engine_lru, &engine_s3fifo,
	&engine_sieve, &engine_arc, &engine_opt,
};

/* Any access of any block. */
static void random_trace(struct trace *t, uint64_t seed, u32 blocks, u32 nr)
{
	u32 i;

	*t = (struct trace){ .seed = seed };
	for (i = 0; i < nr; i++) {
		u32 r = shim_random(&t->seed) >> 33;
		enum op op = r % 20 == 0 ? DISCARD : r % 3 ? READ : WRITE;

		trace_add(t, op, shim_random(&t->seed) % blocks, i);
	}
	trace_finish(t);
}

/**
 * struct naive - LRU without any structure
 * @where: each block is
 * @last: access
 * @hot: blocks in RAM
 * @marks: as in &struct sim
 * @r: what should come out; not all of it is worked out
 */
struct naive {
	u8 where[256];
	u32 last[256];
	u32 hot;
	struct dzr_marks marks;
	struct result r;
};

static void naive_room(struct naive *n)
{
	while (n->hot > n->marks.stop) {
		u32 oldest = NONE, i;

		for (i = 0; i < ARRAY_SIZE(n->where); i++)
			if ((n->where[i] == HOT || n->where[i] == CLEAN) &&
			    (oldest == NONE || n->last[i] < n->last[oldest]))
				oldest = i;
		if (n->where[oldest] == HOT)
			n->r.demotions++;
		else
			n->r.drops++;
		n->where[oldest] = COLD;
		n->hot--;
	}
}

static void naive_access(struct naive *n, u32 i, const struct access *a)
{
	u8 *w = &n->where[a->block];
	bool hot = *w == HOT || *w == CLEAN;

	if (a->op == DISCARD) {
		n->hot -= hot;
		*w = EMPTY;
		return;
	}
	if (a->op == READ && *w == EMPTY)
		return;
	if (a->op == READ) {
		n->r.reads++;
		n->r.hits += hot;
		n->r.promotions += !hot;
	}
	n->last[a->block] = i;
	*w = a->op == WRITE ? HOT : hot ? *w : CLEAN;
	n->hot += !hot;
	if (!hot && n->hot > n->marks.start)
		naive_room(n);
}

static void test_lru(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		u32 limit = 20 + seed * 5, i;
		struct naive n = { .marks = dzr_marks_from_limit(limit) };
		struct result r;
		struct trace t;

		random_trace(&t, seed, 256, 5000);
		for (i = 0; i < t.nr; i++)
			naive_access(&n, i, &t.a[i]);
		sim_run(&t, limit, &engine_lru, &r);
		CHECK(r.reads == n.r.reads && r.hits == n.r.hits, "%llu, %llu",
		      r.hits, n.r.hits);
		CHECK(r.promotions == n.r.promotions, "-");
		CHECK(r.demotions == n.r.demotions && r.drops == n.r.drops,
		      "%llu, %llu", r.demotions, n.r.demotions);
		CHECK(r.hits > 0 && r.drops > 0, "-");
		trace_fini(&t);
	}
}

#define TINY	5U

/* With @hits so far, any part of @held may be kept that there is room for. */
static void keep_any(int *best, int hits, u32 held, u32 limit)
{
	u32 keep;

	for (keep = 0; keep < 1U << TINY; keep++)
		if (!(keep & ~held) && __builtin_popcount(keep) <= (int)limit)
			best[keep] = max(best[keep], hits);
}

/* The most hits that any choice gives, tried one by one. */
static int most_hits(const struct trace *t, u32 limit)
{
	int best[1 << TINY], next[1 << TINY], most = 0;
	u32 stored = 0, set, i;

	memset(best, 0xff, sizeof(best));	/* -1: cannot be */
	best[0] = 0;
	for (i = 0; i < t->nr; i++) {
		u32 bit = 1U << t->a[i].block;

		if (t->a[i].op == WRITE)
			stored |= bit;
		else if (t->a[i].op == DISCARD)
			stored &= ~bit;
		memset(next, 0xff, sizeof(next));
		for (set = 0; set < 1U << TINY; set++)
			if (best[set] >= 0)
				keep_any(next, best[set] +
					 (t->a[i].op == READ && (set & bit)),
					 (set | bit) & stored, limit);
		memcpy(best, next, sizeof(best));
	}
	for (set = 0; set < 1U << TINY; set++)
		most = max(most, best[set]);
	return most;
}

static void test_opt_is_best(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 200; seed++) {
		u32 limit = 1 + seed % 3;
		struct result r;
		struct trace t;

		random_trace(&t, seed, TINY, 60);
		sim_run(&t, limit, &engine_opt, &r);
		CHECK((int)r.hits == most_hits(&t, limit), "%llu, not %d",
		      r.hits, most_hits(&t, limit));
		trace_fini(&t);
	}
}

/* Each block that came left again, went away, or is still there. */
static void check_sane(const char *trace, const struct engine *e, u32 limit,
		       const struct result *r, const struct result *opt)
{
	CHECK(r->peak <= limit, "%s %s: %u of %u", trace, e->name, r->peak,
	      limit);
	CHECK(r->reads == opt->reads, "%s %s", trace, e->name);
	CHECK(r->hits <= opt->hits, "%s %s", trace, e->name);
	CHECK(r->promotions <= r->reads - r->hits, "%s %s", trace, e->name);
	CHECK(r->drops <= r->promotions, "%s %s", trace, e->name);
	CHECK(r->dead <= r->demotions, "%s %s", trace, e->name);
	CHECK(r->pingpong <= r->promotions, "%s %s", trace, e->name);
	CHECK(r->bytes >= r->demotions * 24 && r->bytes <= r->demotions * 4200,
	      "%s %s", trace, e->name);
}

#define BLOCKS	2048U

static void test_bound(void)
{
	static const char *const names[] = { "loop", "scan", "stream", "zipf",
		"zipf+scan", "phases", "once" };
	struct result opt, r;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		u32 limit = BLOCKS / 4 + i * BLOCKS / 16;
		struct trace t;

		check(trace_generate(&t, names[i], BLOCKS, 16 * BLOCKS));
		sim_run(&t, limit, &engine_opt, &opt);
		for (k = 0; k < ARRAY_SIZE(engines); k++) {
			sim_run(&t, limit, engines[k], &r);
			check_sane(names[i], engines[k], limit, &r, &opt);
		}
		trace_fini(&t);
	}
}

static double hits(const char *trace, u32 limit, const struct engine *e)
{
	struct result r;
	struct trace t;

	check(trace_generate(&t, trace, BLOCKS, 32 * BLOCKS));
	sim_run(&t, limit, e, &r);
	trace_fini(&t);
	printf("  %-9s %4u of %u blocks in RAM: %-7s %5.1f %% hits, %6llu demotions\n",
	       trace, limit, BLOCKS, e->name, 100.0 * r.hits / r.reads,
	       r.demotions);
	return 100.0 * r.hits / r.reads;
}

/* The bounds are a little below what was measured when they were written. */
static void test_what_for(void)
{
	double age, lru;

	/* A loop beyond RAM: LRU always has just let go of what comes. */
	age = hits("loop", BLOCKS / 2, &engine_age);
	lru = hits("loop", BLOCKS / 2, &engine_lru);
	CHECK(lru == 0 && age > 38, "%f %f", lru, age);
	/* A scan beside a hot set, which is half of the reads. */
	age = hits("scan", BLOCKS / 4, &engine_age);
	lru = hits("scan", BLOCKS / 4, &engine_lru);
	CHECK(age > 50 && age > lru + 10, "%f %f", lru, age);
	/* What is read once, as swap is: it goes first. */
	age = hits("once", BLOCKS / 2, &engine_age);
	lru = hits("once", BLOCKS / 2, &engine_lru);
	CHECK(age > 95 && age > lru + 10, "%f %f", lru, age);
	age = hits("zipf", BLOCKS / 4, &engine_age);
	lru = hits("zipf", BLOCKS / 4, &engine_lru);
	CHECK(age > lru, "%f %f", lru, age);
	/* What these two are known for: they beat LRU where scans are. */
	lru = hits("zipf+scan", BLOCKS / 4, &engine_lru);
	CHECK(hits("zipf+scan", BLOCKS / 4, &engine_s3fifo) > lru + 2, "-");
	CHECK(hits("zipf+scan", BLOCKS / 4, &engine_sieve) > lru + 2, "-");
	CHECK(hits("zipf+scan", BLOCKS / 4, &engine_arc) > lru, "-");
}

static void test_file(void)
{
	static const struct { const char *text; u32 nr, footprint; } rows[] = {
		{ "0 W 5 3\n1000 R 5 1\n2000000 D 6 2\n", 6, 3 },
		{ "0 W 5 3\n1 X 5 1\n", 0, 0 },
		{ "0 W 5\n", 0, 0 },
		{ "", 0, 0 },
		{ "0 W 99999999 1\n", 0, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[] = "/tmp/policy-sim.XXXXXX";
		int fd = mkstemp(name);
		FILE *f = fdopen(fd, "w");
		struct trace t;
		bool good;

		check(fd >= 0 && f);
		fputs(rows[i].text, f);
		fclose(f);
		good = trace_read(&t, name);
		CHECK(good == !!rows[i].nr, "%zu", i);
		if (good)
			CHECK(t.nr == rows[i].nr && t.blocks == 8 &&
			      t.footprint == rows[i].footprint &&
			      t.a[3].ms == 1 && t.a[5].ms == 2000, "%zu", i);
		trace_fini(&t);
		remove(name);
	}
}

int main(void)
{
	test_lru();
	test_opt_is_best();
	test_bound();
	test_what_for();
	test_file();
	if (failures) {
		printf("policy-sim: %d failures\n", failures);
		return 1;
	}
	return 0;
}
