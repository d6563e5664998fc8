// SPDX-License-Identifier: GPL-2.0
/*
 * Block table: packing of entries, locations and fill words, and the sparse
 * array against a naive model (which leaves were touched), with and without
 * memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "btable.h"
#include "shim.h"

#define LEAF	DZR_LEAF_BLOCKS
#define MID	(LEAF * (PAGE_SIZE / sizeof(void *)))
#define VALUES	BIT_ULL(DZR_ENTRY_VALUE_BITS)

static void check_entry(u64 value, unsigned int state, unsigned int age)
{
	struct dzr_entry e = { .value = value, .state = state, .age = age };
	unsigned long word = dzr_entry_encode(e);
	struct dzr_entry d = dzr_entry_decode(word);

	check(d.value == value && d.state == state && d.age == age);
	check(!(word & BIT(DZR_ENTRY_LOCK_BIT)));
	check(dzr_entry_in_pool(e) ==
	      (state == DZR_HOT || state == DZR_CLEAN || state == DZR_AHEAD));
	check(dzr_entry_is_clean(e) ==
	      (state == DZR_CLEAN || state == DZR_AHEAD));
	/* The lock bit is not seen by those who decode. */
	d = dzr_entry_decode(word | BIT(DZR_ENTRY_LOCK_BIT));
	check(dzr_entry_encode(d) == word);
}

static void test_entries(void)
{
	static const u64 values[] = {
		0, 1, 2, U32_MAX, BIT_ULL(32), VALUES / 2 - 1, VALUES / 2,
		VALUES - 2, VALUES - 1,
	};
	unsigned int i, state, age;
	uint64_t seed = 1;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		for (state = 0; state <= DZR_ENTRY_STATE_MASK; state++)
			for (age = 0; age <= DZR_ENTRY_AGE_MASK; age++)
				check_entry(values[i], state, age);
	for (i = 0; i < 200000; i++) {
		u64 r = shim_random(&seed);
		unsigned long word = shim_random(&seed);

		check_entry(r >> 7, r & 7, r >> 3 & 7);
		/* Every word is the image of some entry. */
		check(dzr_entry_encode(dzr_entry_decode(word)) ==
		      (word & ~BIT(DZR_ENTRY_LOCK_BIT)));
	}
	check(!dzr_entry_encode((struct dzr_entry){ .state = DZR_EMPTY }));
}

static void test_entry_lock(void)
{
	struct dzr_entry e = { .value = VALUES - 1, .state = DZR_COLD, .age = 5 };
	struct dzr_entry was;
	unsigned long slot = 0;

	was = dzr_entry_lock(&slot);
	check(was.state == DZR_EMPTY && !was.value && !was.age);
	check(slot == BIT(DZR_ENTRY_LOCK_BIT));
	dzr_entry_set(&slot, e);
	check(slot == (dzr_entry_encode(e) | BIT(DZR_ENTRY_LOCK_BIT)));
	check(dzr_entry_peek(&slot).value == e.value);
	dzr_entry_unlock(&slot);
	check(slot == dzr_entry_encode(e));
	was = dzr_entry_lock(&slot);
	check(was.value == e.value && was.state == e.state && was.age == e.age);
	check((__force u64)dzr_entry_loc(was) == e.value);
	dzr_entry_unlock(&slot);
	check(slot == dzr_entry_encode(e));
}

/* A handle and how the object is compressed, in one value. */
static void check_pool(u64 handle, u8 codec)
{
	struct dzr_entry e = { .state = DZR_HOT };

	e.value = dzr_pool_value((__force dzs_handle_t)handle, codec);
	check(e.value < VALUES);
	check((__force u64)dzr_entry_handle(e) == handle);
	check(dzr_entry_codec(e) == codec);
}

static void test_pool_values(void)
{
	uint64_t seed = 5;
	unsigned int i;

	for (i = 0; i < 200000; i++) {
		u64 where = shim_random(&seed) >> (65 - DZS_HANDLE_BITS);

		check_pool(where | DZS_HANDLE_HUGE, DZR_CODEC_RAW);
		check_pool(where, DZR_CODEC_RAW + 1 + i % (DZR_NR_CODECS - 1));
	}
	check_pool(DZS_HANDLE_HUGE, DZR_CODEC_RAW);
	check_pool(DZS_HANDLE_HUGE - 1, DZR_NR_CODECS - 1);
}

static void check_loc(u32 seg, u32 off, u32 len)
{
	dzr_loc_t loc = dzr_loc(seg, off, len);

	check(dzr_loc_seg(loc) == seg);
	check(dzr_loc_off(loc) == off);
	check(dzr_loc_len(loc) == len);
	check((__force u64)loc < VALUES && !dzr_loc_grouped(loc));
}

static void test_locations(void)
{
	static const u32 segs[] = { 0, 1, DZR_MAX_SEGMENTS / 2, DZR_MAX_SEGMENTS - 1 };
	static const u32 offs[] = { 0, 8, 64, 65528, 262136, (2U << 20) - 8 };
	static const u32 lens[] = { 1, 2, 2047, 2048, 4094, 4095, 4096 };
	unsigned int i, j, k;
	uint64_t seed = 2;

	for (i = 0; i < ARRAY_SIZE(segs); i++)
		for (j = 0; j < ARRAY_SIZE(offs); j++)
			for (k = 0; k < ARRAY_SIZE(lens); k++)
				check_loc(segs[i], offs[j], lens[k]);
	for (i = 0; i < 200000; i++) {
		u64 r = shim_random(&seed);

		check_loc(r % DZR_MAX_SEGMENTS,
			  (r >> 26) % (1U << DZR_LOC_OFF_BITS) * DZR_LOC_UNIT,
			  1 + (r >> 45) % 4096);
	}
}

/* A number of 56 bits, or two equal halves: straight from the definition. */
static bool fill_fits(u64 word)
{
	s64 n = (s64)word;

	return (n >= -(1LL << 55) && n < 1LL << 55) ||
	       word >> 32 == (word & U32_MAX);
}

static bool check_fill(u64 word)
{
	u64 value = U64_MAX;
	bool fits = dzr_fill_pack(word, &value);

	check(fits == fill_fits(word));
	if (!fits)
		return false;
	check(value < VALUES);
	check(dzr_fill_unpack(value) == word);
	return true;
}

/* All around each power of two, each byte and half repeated, all widths. */
static void test_fill(void)
{
	unsigned int bit, i, fitted = 0, tested = 0;
	uint64_t seed = 3;

	for (bit = 0; bit < 64; bit++)
		for (i = 0; i < 7; i++) {
			check_fill(BIT_ULL(bit) + i - 3);
			check_fill(-BIT_ULL(bit) + i - 3);
			check_fill(~0ULL << bit >> i);
		}
	check(check_fill((1ULL << 55) - 1) && !check_fill(1ULL << 55));
	check(check_fill(-(1ULL << 55)) && !check_fill(-(1ULL << 55) - 1));
	check(check_fill(0) && check_fill(U64_MAX));
	for (i = 0; i < 256; i++)
		check(check_fill(i * 0x0101010101010101ULL));
	for (i = 0; i < 200000; i++) {
		u64 r = shim_random(&seed);
		u32 half = r >> 32;

		check(check_fill((u64)half << 32 | half));
		check(check_fill((s64)r >> (8 + r % 56)));
		fitted += check_fill((s64)r >> r % 16);
		fitted += check_fill(r);
		tested += 2;
	}
	check(fitted > tested / 8 && fitted < tested / 2);
}

/* Two fill values never stand for one word: comparing values is enough. */
static void test_fill_canonical(void)
{
	uint64_t seed = 4;
	unsigned int i;

	for (i = 0; i < 200000; i++) {
		u64 value = shim_random(&seed) >> 7;
		u64 word = dzr_fill_unpack(value), again;

		check(dzr_fill_pack(word, &again));
		check(dzr_fill_unpack(again) == word);
	}
}

/* The naive model of a table: which leaves were touched, as a sorted list. */
struct model {
	struct dzr_btable *bt;
	u64 blocks;
	u64 *leaf;
	unsigned int nr;
	unsigned int mids;
};

static void model_init(struct model *m, u64 blocks, unsigned int reserve)
{
	*m = (struct model){ .blocks = blocks };
	m->bt = dzr_btable_create(blocks, reserve);
}

static void model_fini(struct model *m)
{
	dzr_btable_destroy(m->bt);
	free(m->leaf);
	shim_check_leaks("btable");
}

/* Index of the first touched leaf at or after @leaf. */
static unsigned int model_from(const struct model *m, u64 leaf)
{
	unsigned int low = 0, high = m->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (m->leaf[mid] < leaf)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool model_has(const struct model *m, u64 block)
{
	unsigned int i = model_from(m, block / LEAF);

	return i < m->nr && m->leaf[i] == block / LEAF;
}

static u64 model_next(const struct model *m, u64 block)
{
	unsigned int i = model_from(m, block / LEAF);

	if (i == m->nr || block >= m->blocks)
		return m->blocks;
	return max_t(u64, block, m->leaf[i] * LEAF);
}

static bool model_has_mid(const struct model *m, u64 block)
{
	return model_next(m, block / MID * MID) / MID == block / MID &&
	       model_next(m, block / MID * MID) < m->blocks;
}

static void model_add(struct model *m, u64 block)
{
	unsigned int i = model_from(m, block / LEAF);

	if (model_has(m, block))
		return;
	m->mids += !model_has_mid(m, block);
	m->leaf = realloc(m->leaf, (m->nr + 1) * sizeof(*m->leaf));
	check(m->leaf);
	memmove(m->leaf + i + 1, m->leaf + i, (m->nr - i) * sizeof(*m->leaf));
	m->leaf[i] = block / LEAF;
	m->nr++;
}

/* Touch a block, and leave its number behind. Returns false without memory. */
static bool model_touch(struct model *m, u64 block, gfp_t gfp)
{
	bool had = model_has(m, block);
	unsigned long *slot = dzr_btable_get(m->bt, block, gfp);
	struct dzr_entry e;

	if (!slot) {
		check(!had && !dzr_btable_find(m->bt, block));
		return false;
	}
	model_add(m, block);
	check(slot == dzr_btable_find(m->bt, block));
	e = dzr_entry_lock(slot);
	check((e.state == DZR_EMPTY && !e.value && !e.age) ||
	      (e.state == DZR_FILL && e.value == block));
	dzr_entry_set(slot, (struct dzr_entry){ .value = block,
						.state = DZR_FILL });
	dzr_entry_unlock(slot);
	return true;
}

static void model_check_find(const struct model *m, u64 block)
{
	unsigned long *slot = dzr_btable_find(m->bt, block);
	struct dzr_entry e;

	check(!!slot == model_has(m, block));
	if (!slot)
		return;
	/* A leaf is one page, its entries in the order of their blocks. */
	check(((unsigned long)slot & ~PAGE_MASK) ==
	      block % LEAF * sizeof(*slot));
	e = dzr_entry_peek(slot);
	check(e.state == DZR_EMPTY ? !e.value : e.value == block);
}

static void model_check_next(const struct model *m, u64 block)
{
	check(dzr_btable_next(m->bt, block) == model_next(m, block));
}

/* Walk all touched leaves; look right and left of each border. */
static void model_check(struct model *m)
{
	u64 block = dzr_btable_next(m->bt, 0);
	unsigned int i;
	int d;

	for (i = 0; i < m->nr; i++) {
		u64 start = m->leaf[i] * LEAF;

		check(block == start);
		for (d = -2; d <= 2; d++) {
			model_check_next(m, max_t(s64, 0, (s64)start + d));
			model_check_next(m, start + LEAF + d);
			model_check_next(m, start / MID * MID + MID + d);
		}
		block = dzr_btable_next(m->bt, start + LEAF);
	}
	check(block == m->blocks);
	model_check_next(m, m->blocks - 1);
	model_check_next(m, m->blocks);
	model_check_next(m, m->blocks + 1);
	model_check_next(m, U64_MAX);
}

static void model_check_bytes(struct model *m, u64 empty, u64 spare)
{
	u64 pages = m->nr + m->mids;

	check(dzr_btable_bytes(m->bt) == empty + pages * PAGE_SIZE);
	check(shim.pages == pages + spare);
}

static void run_sparse(u64 blocks, unsigned int touches, uint64_t seed)
{
	struct model m;
	unsigned int i;
	u64 empty;

	model_init(&m, blocks, 0);
	check(m.bt && dzr_btable_blocks(m.bt) == blocks);
	check(!dzr_btable_needs_refill(m.bt) && !dzr_btable_reserve_bytes(m.bt));
	empty = dzr_btable_bytes(m.bt);
	check(empty < 256 + 8 * (blocks / MID + 1));
	model_check(&m);
	model_check_find(&m, 0);
	model_check_find(&m, blocks - 1);
	for (i = 0; i < touches; i++) {
		u64 r = shim_random(&seed), block = r % blocks;

		/* Some close together, some at the ends. */
		if (r >> 62 == 0)
			block = block % min_t(u64, blocks, 9 * LEAF);
		else if (r >> 62 == 1)
			block = blocks - 1 - block % min_t(u64, blocks, LEAF);
		model_check_find(&m, block);
		model_check_next(&m, block);
		check(model_touch(&m, block, GFP_KERNEL));
		model_check_find(&m, shim_random(&seed) % blocks);
		model_check_next(&m, shim_random(&seed) % blocks);
	}
	model_check(&m);
	model_check_bytes(&m, empty, 0);
	model_fini(&m);
}

static void test_sparse(void)
{
	static const u64 sizes[] = {
		1, 2, LEAF - 1, LEAF, LEAF + 1, 3 * LEAF + 7, MID - LEAF,
		MID - 1, MID, MID + 1, 3 * MID - LEAF - 1, 3 * MID + 777,
		1ULL << 31, (1ULL << 32) - 1, 1ULL << 32,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		run_sparse(sizes[i], 1, i);
		run_sparse(sizes[i], 300, i + 100);
	}
}

/* Grow the table, as at a reload: what it takes is made before, if anything. */
static void model_grow(struct model *m, u64 blocks, unsigned int reserve)
{
	bool holds = dzr_btable_holds(m->bt, blocks);
	struct dzr_broot *root = holds ? NULL :
					 dzr_broot_create(m->bt, blocks);

	check(holds || root);
	dzr_btable_grow(m->bt, blocks, reserve, &root);
	check(!root && dzr_btable_holds(m->bt, blocks));
	check(dzr_btable_blocks(m->bt) == blocks);
	m->blocks = blocks;
}

/* In small steps and large ones, with blocks at the old end and at the new. */
static void run_grow(u64 blocks, unsigned int steps, uint64_t seed)
{
	unsigned long *slot, *old;
	struct dzr_broot *root;
	struct model m;
	unsigned int i;
	u64 empty;

	model_init(&m, blocks, 0);
	check(model_touch(&m, 0, GFP_KERNEL));
	old = dzr_btable_find(m.bt, 0);
	for (i = 0; i < steps; i++) {
		u64 last = m.blocks, by = 1 + shim_random(&seed) % (MID / 2);

		check(model_touch(&m, last - 1, GFP_KERNEL));
		model_grow(&m, last + (i % 3 ? by : i % 2 ? 1 : 3 * by), 0);
		check(model_has(&m, last) || !dzr_btable_find(m.bt, last));
		check(model_touch(&m, last, GFP_KERNEL));
		check(model_touch(&m, m.blocks - 1, GFP_KERNEL));
		model_check(&m);
	}
	for (i = 0; i < m.nr; i++)
		model_check_find(&m, m.leaf[i] * LEAF);
	/* An entry stays where it is; one root array is not used. */
	slot = dzr_btable_find(m.bt, 0);
	check(slot == old);
	root = dzr_broot_create(m.bt, 1ULL << 32);
	check(root);
	dzr_broot_destroy(root);
	/* All root arrays together: less than twice the last, which has room. */
	empty = dzr_btable_bytes(m.bt) - (m.nr + m.mids) * PAGE_SIZE;
	check(empty < 512 + 4 * 8 * (m.blocks / MID + 1));
	check(shim.pages == m.nr + m.mids);
	model_fini(&m);
}

/* No memory for a larger one: the table is as it was. The reserve grows, too. */
static void test_grow(void)
{
	struct model m;

	run_grow(1, 40, 11);
	run_grow(MID - 1, 40, 12);
	run_grow(5 * MID + 3, 200, 13);
	model_init(&m, MID, 2);
	check(model_touch(&m, 7, GFP_KERNEL));
	shim_fail(SHIM_MALLOC, 1, true);
	check(!dzr_btable_holds(m.bt, MID + 1));
	check(!dzr_broot_create(m.bt, MID + 1));
	shim_no_fail();
	model_check(&m);
	model_grow(&m, 2 * MID, 9);
	check(dzr_btable_needs_refill(m.bt));
	check(dzr_btable_refill(m.bt, GFP_KERNEL));
	check(dzr_btable_reserve_bytes(m.bt) == 9 * PAGE_SIZE);
	check(shim.pages == m.nr + m.mids + 9);
	model_fini(&m);
}

/* Every leaf of two interior pages, each once, in a scrambled order. */
static void test_dense(void)
{
	u64 leaves = 2 * MID / LEAF - 3, i;
	struct model m;

	model_init(&m, leaves * LEAF - 11, 0);
	for (i = 0; i < leaves; i++)
		check(model_touch(&m, i * 397 % leaves * LEAF + i % 400,
				  GFP_KERNEL));
	check(m.nr == leaves && m.mids == 2);
	model_check(&m);
	for (i = 0; i < m.blocks; i += 100)
		model_check_find(&m, i);
	model_fini(&m);
}

/* The leaf of this block has nothing but zeroes, one entry aside. */
static void check_blank(struct model *m, u64 block)
{
	unsigned long *leaf = dzr_btable_find(m->bt, block / LEAF * LEAF);
	unsigned int i;

	for (i = 0; i < LEAF; i++)
		check(i == block % LEAF || !leaf[i]);
}

/* With no page to be had, the reserve serves to its last page, and no more. */
static void test_reserve(void)
{
	struct model m;
	u64 i, empty;

	model_init(&m, 3 * MID, 8);
	empty = dzr_btable_bytes(m.bt);
	check(dzr_btable_reserve_bytes(m.bt) == 8 * PAGE_SIZE);
	check(shim.pages == 8 && !dzr_btable_needs_refill(m.bt));
	shim_fail(SHIM_PAGE, 1, true);
	for (i = 0; i < 7; i++) {
		/* One of the eight is an interior page. */
		check(model_touch(&m, i * LEAF + 9, GFP_NOIO));
		check(dzr_btable_needs_refill(m.bt));
		check_blank(&m, i * LEAF + 9);
	}
	model_check_bytes(&m, empty, 0);
	check(!model_touch(&m, 7 * LEAF, GFP_NOIO));
	check(!model_touch(&m, 2 * MID, GFP_NOWAIT));
	/* What is there needs no memory. */
	check(model_touch(&m, 5 * LEAF + 17, GFP_NOWAIT));
	check(!dzr_btable_refill(m.bt, GFP_NOIO));
	model_check(&m);
	/* Three pages come, the fourth does not. */
	shim_fail(SHIM_PAGE, 4, true);
	check(!dzr_btable_refill(m.bt, GFP_NOWAIT));
	check(dzr_btable_needs_refill(m.bt));
	model_check_bytes(&m, empty, 3);
	/* An interior page and a leaf, then one page for an interior alone. */
	check(model_touch(&m, MID, GFP_NOWAIT));
	check(!model_touch(&m, 2 * MID, GFP_NOWAIT));
	check(shim.pages == m.nr + m.mids + 1);
	shim_no_fail();
	check(dzr_btable_refill(m.bt, GFP_KERNEL));
	check(!dzr_btable_needs_refill(m.bt));
	check(model_touch(&m, 2 * MID, GFP_NOWAIT));
	model_check(&m);
	model_check_bytes(&m, empty, 8);
	check(dzr_btable_reserve_bytes(m.bt) == 8 * PAGE_SIZE);
	model_fini(&m);
}

/* While the page allocator delivers, the reserve is left alone. */
static void test_reserve_rests(void)
{
	struct model m;
	u64 i;

	model_init(&m, MID, 4);
	shim.gfp_and = ~0U;
	for (i = 0; i < 100; i++) {
		check(model_touch(&m, i * LEAF, GFP_NOWAIT));
		check(!dzr_btable_needs_refill(m.bt));
	}
	check(dzr_btable_refill(m.bt, GFP_NOWAIT));
	/* Never the emergency reserves, never a complaint in the log. */
	check((shim.gfp_and & (__GFP_NOMEMALLOC | __GFP_NOWARN)) ==
	      (__GFP_NOMEMALLOC | __GFP_NOWARN));
	check(shim.pages == 100 + 1 + 4);
	model_fini(&m);
}

static unsigned long refused;

/* A run with a bit of everything, whatever fails. */
static void run_failing(uint64_t seed)
{
	struct model m;
	unsigned int i;

	model_init(&m, 5 * MID + 5, 5);
	if (!m.bt) {
		shim_check_leaks("create");
		return;
	}
	for (i = 0; i < 60; i++) {
		u64 r = shim_random(&seed), block = r % m.blocks;

		if (!model_touch(&m, block, i % 2 ? GFP_NOIO : GFP_NOWAIT))
			refused++;
		model_check_next(&m, block);
		model_check_find(&m, block ^ LEAF);
		if (i % 20 == 19)
			check(dzr_btable_refill(m.bt, GFP_NOIO) ==
			      !dzr_btable_needs_refill(m.bt));
	}
	model_check(&m);
	model_fini(&m);
}

/* The k-th allocation fails, or all from it on, for every k there is. */
static unsigned long sweep(bool on)
{
	unsigned long k = 0;

	do {
		shim_fail(SHIM_ANY, ++k, on);
		run_failing(42);
	} while (shim.allocs >= k);
	shim_no_fail();
	return k;
}

static void test_failures(void)
{
	unsigned long once, on;

	once = sweep(false);
	/* One failure is what the reserve is there for. */
	check(once > 60 && !refused);
	on = sweep(true);
	check(on > 60 && refused > 1000);
	printf("  btable: %lu runs with failing allocations, %lu refused\n",
	       once + on, refused);
}

int main(void)
{
	shim.strict = true;
	test_entries();
	test_entry_lock();
	test_pool_values();
	test_locations();
	test_fill();
	test_fill_canonical();
	test_sparse();
	test_dense();
	test_grow();
	test_reserve();
	test_reserve_rests();
	test_failures();
	dzr_btable_destroy(NULL);
	shim_check_leaks("btable");
	return 0;
}
