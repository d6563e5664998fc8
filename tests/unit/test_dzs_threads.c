// SPDX-License-Identifier: GPL-2.0
/*
 * dzs with threads, under ThreadSanitizer: workers allocate, replace, free,
 * read and rewrite the same entries, one compacts, one refills the reserve and
 * reads the totals. Entries have a lock each, as in the real owner.
 */
#include <stdio.h>

#include "dzs_model.h"

#define WORKERS	4
#define OPS	60000

static struct model m;
static bool done;

static void *work(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	unsigned int n, i;

	for (n = 0; n < OPS; n++) {
		uint64_t r = shim_random(&state), r2 = shim_random(&state);

		i = (r >> 8) % m.n;
		switch (r % 8) {
		case 0 ... 2:
			/* Few lengths, so that classes are shared. */
			model_put(&m, i, (r2 & 7) == 7 ? DZS_HUGE_SIZE :
				  model_fit(500 + (r2 & 7) * 401), r2);
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

static void *compactor(void *arg)
{
	struct dzs_compact_ctl ctl = { .may_sleep = true };

	dzs_set_slack(m.pool, 1);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		dzs_compact(m.pool, dzs_compactable(m.pool), &ctl);
		dzs_compact(m.pool, ~0UL, NULL);
	}
	return NULL;
}

static void *keeper(void *arg)
{
	struct dzs_stats s;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		if (dzs_needs_refill(m.pool))
			dzs_refill(m.pool, GFP_KERNEL);
		dzs_stats(m.pool, &s);
		check(s.reserve_pages <= s.reserve_target);
		check(dzs_pages(m.pool) < 1UL << 19);
		/* A second compactor finds it busy, or takes its turn. */
		dzs_compact(m.pool, 1, NULL);
	}
	return NULL;
}

int main(void)
{
	pthread_t worker[WORKERS], other[2];
	struct dzs_stats s;
	unsigned int i;

	shim.strict = true;
	model_init(&m, 3000, 50);
	shim.fail_every = 7;
	shim.fail_kinds = SHIM_PAGE | SHIM_CACHE;
	for (i = 0; i < WORKERS; i++)
		check(!pthread_create(&worker[i], NULL, work,
				      (void *)(uintptr_t)(i + 1)));
	check(!pthread_create(&other[0], NULL, compactor, NULL));
	check(!pthread_create(&other[1], NULL, keeper, NULL));
	for (i = 0; i < WORKERS; i++)
		pthread_join(worker[i], NULL);
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	pthread_join(other[0], NULL);
	pthread_join(other[1], NULL);
	shim_no_fail();
	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
	dzs_stats(m.pool, &s);
	check(s.compact_moved > 100 && s.from_reserve > 100);
	printf("  threads: %d ops, %lu moved, %lu refused, %lu from reserve\n",
	       WORKERS * OPS, m.relocated, m.refused, s.from_reserve);
	model_fini(&m);
	shim_check_leaks("threads");
	return 0;
}
