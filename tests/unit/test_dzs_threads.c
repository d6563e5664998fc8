// SPDX-License-Identifier: GPL-2.0
/*
 * dzs with threads, under ThreadSanitizer. Entries have a lock each, as in the
 * real owner; threads stand back at random before exchanges and locks, so that
 * others get in between.
 *
 * rounds	all objects of some zspages are freed at once by all workers,
 *		which allocate meanwhile; after each round no page is left,
 *		without anybody's help. Then again beside compaction, which
 *		may have a zspage in its hands for a little longer
 * shared	workers allocate, free and read so few entries that all are in
 *		a few zspages, whose last object goes and whose first comes all
 *		the time; one compacts, one refills and resizes the reserve and reads the
 *		totals
 * mixed	the same with many entries, of all lengths, which are rewritten,
 *		too; allocations fail now and then
 */
#include <stdio.h>
#include <time.h>

#include "dzs-internal.h"
#include "dzs_model.h"

#define WORKERS	4
#define OPS	40000
#define ROUNDS	1000U
#define LEN	DZS_MAX_SIZE	/* few slots to a zspage */

static struct model m;
static bool done;

/* Lengths that share a few classes. */
static unsigned int some_len(uint64_t r)
{
	if ((r & 7) == 7)
		return DZS_HUGE_SIZE;
	return model_fit(500 + (r & 7) * 401);
}

static void *work(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	unsigned int n, i;

	for (n = 0; n < OPS; n++) {
		uint64_t r = shim_random(&state), r2 = shim_random(&state);

		i = (r >> 8) % m.n;
		switch (r % 8) {
		case 0 ... 2:
			model_put(&m, i, some_len(r2), r2);
			break;
		case 3:
		case 4:
			model_del(&m, i);
			break;
		case 5:
			model_rewrite(&m, i, r2);
			break;
		default:
			model_check(&m, i);
		}
	}
	return NULL;
}

static void *share(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	unsigned int n;

	for (n = 0; n < OPS / 4; n++) {
		uint64_t r = shim_random(&state);

		if (r % 5 < 2)
			check(!model_put(&m, (r >> 8) % m.n, LEN, r));
		else if (r % 5 < 4)
			model_del(&m, (r >> 8) % m.n);
		else
			model_check(&m, (r >> 8) % m.n);
	}
	return NULL;
}

static void *compactor(void *arg)
{
	struct dzs_compact_ctl ctl = { .may_sleep = true };

	dzs_set_slack(m.pool, 0);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		dzs_compact(m.pool, dzs_compactable(m.pool), &ctl);
		dzs_compact(m.pool, ~0UL, NULL);
	}
	return NULL;
}

/* Totals that are read while all changes are no snapshot; none is absurd. */
static void check_sane(void)
{
	struct dzs_stats s;

	dzs_stats(m.pool, &s);
	check(s.reserve_pages <= s.reserve_target);
	check(s.objects <= m.n + 2 * WORKERS + DZS_BATCH);
	check(s.pages < 1UL << 19 && s.zspages < 1UL << 19);
}

static void resize_reserve(unsigned long pages)
{
	struct dzs_reserve *res = dzs_reserve_create(m.pool, pages);

	if (res)
		dzs_reserve_exchange(m.pool, res);
	dzs_reserve_destroy(res);
}

static void *keeper(void *arg)
{
	unsigned int round = 0;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		if (++round % 64 == 0)
			resize_reserve(30 + round / 64 % 5 * 10);
		if (dzs_needs_refill(m.pool))
			dzs_refill(m.pool, GFP_KERNEL);
		check_sane();
		/* A second compactor finds it busy, or takes its turn. */
		dzs_compact(m.pool, 1, NULL);
	}
	return NULL;
}

/* Run the workers to their ends, with or without the other two beside them. */
static void run(void *(*worker)(void *), bool beside)
{
	pthread_t thread[WORKERS], other[2];
	unsigned int i;

	done = false;
	for (i = 0; i < WORKERS; i++)
		check(!pthread_create(&thread[i], NULL, worker,
				      (void *)(uintptr_t)(i + 1)));
	if (beside) {
		check(!pthread_create(&other[0], NULL, compactor, NULL));
		check(!pthread_create(&other[1], NULL, keeper, NULL));
	}
	for (i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	for (i = 0; beside && i < 2; i++)
		pthread_join(other[i], NULL);
	shim_no_fail();
}

/* Nothing is stored: no page, no zspage, no slot is left in the pool. */
static void check_empty(void)
{
	struct dzs_stats s;

	dzs_stats(m.pool, &s);
	check(!s.pages && !s.zspages && !s.objects && !s.stored_bytes);
	check(!s.free_slots && !s.meta_bytes);
	check(shim.pages == (long)s.reserve_pages);
}

static void check_all(void)
{
	unsigned int i;

	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
}

static void drop_all(void)
{
	unsigned int i;

	for (i = 0; i < m.n; i++)
		model_del(&m, i);
	check_empty();
}

/*
 * How much a compaction finds to do beside the workers is up to the scheduler: if
 * it was too little, it gets another chance.
 */
#define CHANCES		100

static void test_mixed(void)
{
	unsigned int runs = 0;
	struct dzs_stats s;

	model_init(&m, 3000, 50);
	do {
		shim.fail_every = 7;
		shim.fail_kinds = SHIM_PAGE | SHIM_CACHE;
		run(work, true);
		check_all();
		dzs_stats(m.pool, &s);
	} while ((s.compact_moved <= 100 || s.from_reserve <= 100) &&
		 ++runs < CHANCES);
	check(runs < CHANCES);
	printf("  threads: %d ops, %lu moved, %lu refused, %lu from reserve\n",
	       (runs + 1) * WORKERS * OPS, m.relocated, m.refused,
	       s.from_reserve);
	drop_all();
	model_fini(&m);
	shim_check_leaks("threads, mixed");
}

static void test_shared(void)
{
	unsigned int runs = 0;
	struct dzs_stats s;

	model_init(&m, 100, 8);
	do {
		run(share, true);
		check_all();
	} while (!m.relocated && ++runs < CHANCES);
	check(runs < CHANCES);
	dzs_stats(m.pool, &s);
	printf("  shared: %d ops, %lu moved, %lu refused, %lu runs freed %lu pages\n",
	       (runs + 1) * WORKERS * OPS / 4, m.relocated, m.refused,
	       s.compact_runs, s.compact_freed);
	drop_all();
	model_fini(&m);
	shim_check_leaks("threads, shared");
}

static pthread_barrier_t barrier;
static unsigned int nr_rounds;
static time_t patience;

/*
 * At once, or when compaction has put down what it has in its hands: on a busy
 * machine that is when its thread gets a processor.
 */
static void wait_empty(void)
{
	time_t since = time(NULL);

	while (dzs_pages(m.pool)) {
		check(time(NULL) - since < patience);
		sched_yield();
	}
}

/* Each frees its part of all zspages; the first also makes and checks rounds. */
static void *rounds(void *arg)
{
	unsigned int me = (uintptr_t)arg - 1, round, i;

	for (round = 0; round < nr_rounds; round++) {
		if (!me)
			for (i = 0; i < m.n - WORKERS; i++)
				check(!model_put(&m, i, LEN, i));
		pthread_barrier_wait(&barrier);
		for (i = me; i < m.n - WORKERS; i += WORKERS) {
			model_del(&m, i);
			/* One of each comes and goes meanwhile. */
			if (i % 8 == me)
				check(!model_put(&m, m.n - 1 - me, LEN, i));
			else if (i % 8 == me + 4)
				model_del(&m, m.n - 1 - me);
		}
		model_del(&m, m.n - 1 - me);
		pthread_barrier_wait(&barrier);
		if (!me)
			wait_empty();
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void test_rounds(void)
{
	check(!pthread_barrier_init(&barrier, NULL, WORKERS));
	model_init(&m, 64 + WORKERS, 4);
	nr_rounds = ROUNDS;
	patience = 0;
	run(rounds, false);
	check_empty();
	nr_rounds = ROUNDS / 8;
	patience = 60;
	run(rounds, true);
	check_empty();
	printf("  rounds: %u alone, %u with %lu moved, %lu refused\n", ROUNDS,
	       nr_rounds, m.relocated, m.refused);
	model_fini(&m);
	pthread_barrier_destroy(&barrier);
	shim_check_leaks("threads, rounds");
}

int main(void)
{
	shim.strict = true;
	shim.jitter = 20;
	test_rounds();
	test_shared();
	shim.jitter = 200;
	test_mixed();
	return 0;
}
