// SPDX-License-Identifier: GPL-2.0
/*
 * Block table with threads, under ThreadSanitizer: workers find or make the
 * same entries at the same time and count in them under the entry lock, while
 * pages fail to come; one thread refills the reserve, one walks the table. Many
 * small tables, for most of what can go wrong happens at the first touch. Then a
 * table that grows while another thread looks at it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <linux/kernel.h>

#include "btable.h"
#include "shim.h"

#define WORKERS	4
#define TABLES	60
#define OPS	1500
#define LEAVES	40
#define MID	(DZR_LEAF_BLOCKS * (PAGE_SIZE / sizeof(void *)))
#define BLOCKS	(3 * MID)
#define RESERVE	5
#define GROWTHS	200
#define MAX_AGE	((unsigned int)DZR_ENTRY_AGE_MASK)

static struct dzr_btable *bt;
static pthread_barrier_t barrier;
static unsigned long counted, refused;
static int working;

/* Few entries in a few leaves of three interior pages. */
static u32 pick_block(uint64_t r)
{
	return r % 3 * MID + (r >> 8) % LEAVES * DZR_LEAF_BLOCKS +
	       (r >> 16) % 3;
}

static bool count_in(u32 block)
{
	unsigned long *slot = dzr_btable_get(bt, block, GFP_NOWAIT);
	struct dzr_entry e;

	if (!slot)
		return false;
	check(dzr_btable_find(bt, block) == slot);
	e = dzr_entry_lock(slot);
	check(e.state == (e.value ? DZR_FILL : DZR_EMPTY));
	check(e.age == e.value % (MAX_AGE + 1));
	e.value++;
	e.state = DZR_FILL;
	e.age = e.value % (MAX_AGE + 1);
	dzr_entry_set(slot, e);
	dzr_entry_unlock(slot);
	return true;
}

static void *work(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	unsigned long done = 0;
	unsigned int i, table;

	for (table = 0; table < TABLES; table++) {
		pthread_barrier_wait(&barrier);
		for (i = 0; i < OPS; i++)
			done += count_in(pick_block(shim_random(&state)));
		__atomic_fetch_sub(&working, 1, __ATOMIC_RELEASE);
		pthread_barrier_wait(&barrier);
	}
	__atomic_fetch_add(&counted, done, __ATOMIC_RELAXED);
	__atomic_fetch_add(&refused, (u64)TABLES * OPS - done,
			   __ATOMIC_RELAXED);
	return NULL;
}

static bool still_working(void)
{
	return __atomic_load_n(&working, __ATOMIC_ACQUIRE);
}

static void *keeper(void *arg)
{
	unsigned int table;

	for (table = 0; table < TABLES; table++) {
		pthread_barrier_wait(&barrier);
		while (still_working()) {
			if (dzr_btable_needs_refill(bt))
				dzr_btable_refill(bt, GFP_NOWAIT);
			sched_yield();
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* What was touched stays, and is found in order. */
static u64 walk(void)
{
	u64 block, leaves = 0, last = 0;

	for (block = dzr_btable_next(bt, 0); block < BLOCKS;
	     block = dzr_btable_next(bt, last + DZR_LEAF_BLOCKS)) {
		unsigned long *slot = dzr_btable_find(bt, block);
		struct dzr_entry e;

		check(slot && block % DZR_LEAF_BLOCKS == 0);
		check(!leaves || block > last);
		e = dzr_entry_peek(slot);
		check(e.age == e.value % (MAX_AGE + 1));
		last = block;
		leaves++;
	}
	check(block == BLOCKS);
	return leaves;
}

static void *walker(void *arg)
{
	unsigned int table;
	u64 before, leaves;

	for (table = 0; table < TABLES; table++) {
		pthread_barrier_wait(&barrier);
		for (before = 0; still_working(); before = leaves) {
			leaves = walk();
			check(leaves >= before && leaves <= 3 * LEAVES);
			check(dzr_btable_bytes(bt) < 1 << 20);
			sched_yield();
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* The sum of all entries; the pages are those of the table, and no more. */
static u64 finish(u64 empty)
{
	u64 sum = 0, block;
	unsigned long *slot;

	shim_no_fail();
	check(dzr_btable_refill(bt, GFP_KERNEL));
	check(shim.pages ==
	      (dzr_btable_bytes(bt) - empty) / PAGE_SIZE + RESERVE);
	check(shim.pages <= 3 * (LEAVES + 1) + RESERVE);
	for (block = 0; block < BLOCKS; block++) {
		block = dzr_btable_next(bt, block);
		if (block == BLOCKS)
			break;
		slot = dzr_btable_find(bt, block);
		check(block % DZR_LEAF_BLOCKS < 3 || !*slot);
		sum += dzr_entry_peek(slot).value;
	}
	dzr_btable_destroy(bt);
	shim_check_leaks("table");
	return sum;
}

/* Looks up whatever the table says that it has, as the shrinker would. */
static void *looker(void *arg)
{
	u64 seen = 0, block, blocks;

	while (still_working()) {
		blocks = dzr_btable_blocks(bt);
		check(blocks >= seen);
		seen = blocks;
		dzr_btable_find(bt, blocks - 1);
		for (block = dzr_btable_next(bt, 0); block < blocks;
		     block = dzr_btable_next(bt, block + DZR_LEAF_BLOCKS))
			check(dzr_btable_find(bt, block));
		check(dzr_btable_bytes(bt) < 1 << 24);
	}
	return NULL;
}

static void grow_beside_lookups(void)
{
	struct dzr_broot *root = NULL;
	pthread_t thread;
	unsigned int i;

	bt = dzr_btable_create(MID, RESERVE);
	check(bt);
	working = 1;
	check(!pthread_create(&thread, NULL, looker, NULL));
	for (i = 1; i < GROWTHS; i++) {
		u64 blocks = (i + 1) * MID - i;

		check(dzr_btable_get(bt, i * MID - MID / 2, GFP_KERNEL));
		if (!dzr_btable_holds(bt, blocks))
			root = dzr_broot_create(bt, blocks);
		dzr_btable_grow(bt, blocks, RESERVE + i, &root);
		check(!root);
		sched_yield();
	}
	__atomic_store_n(&working, 0, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	for (i = 1; i < GROWTHS; i++)
		check(dzr_btable_find(bt, i * MID - MID / 2));
	dzr_btable_destroy(bt);
	shim_check_leaks("a table that grew");
}

int main(void)
{
	pthread_t thread[WORKERS + 2];
	unsigned int i, table;
	u64 sum = 0, empty;

	shim.strict = true;
	check(!pthread_barrier_init(&barrier, NULL, WORKERS + 3));
	check(!pthread_create(&thread[WORKERS], NULL, keeper, NULL));
	check(!pthread_create(&thread[WORKERS + 1], NULL, walker, NULL));
	for (i = 0; i < WORKERS; i++)
		check(!pthread_create(&thread[i], NULL, work,
				      (void *)(uintptr_t)(i + 1)));
	for (table = 0; table < TABLES; table++) {
		bt = dzr_btable_create(BLOCKS, RESERVE);
		check(bt);
		empty = dzr_btable_bytes(bt);
		shim_fail(SHIM_PAGE, 0, false);
		shim.fail_every = 1 + table % 3;
		working = WORKERS;
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		sum += finish(empty);
	}
	for (i = 0; i < WORKERS + 2; i++)
		pthread_join(thread[i], NULL);
	check(sum == counted && counted > 100000 && refused > 1000);
	shim_no_fail();
	grow_beside_lookups();
	printf("  btable threads: %lu counted, %lu refused\n", counted,
	       refused);
	return 0;
}
