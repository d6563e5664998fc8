// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: locations of members, weights, when a group pays, which heads are
 * valid and which object a location means, each against the definition; and
 * the score of taking neighbours along.
 */
#include <stdio.h>
#include <string.h>

#include <asm/byteorder.h>
#include <linux/kernel.h>

#include "readahead.h"
#include "group.h"
#include "shim.h"

#define VALUES		BIT_ULL(DZR_ENTRY_VALUE_BITS)
#define OBJ_HEADER	((u32)sizeof(struct dzr_object_header))
#define HEAD		((u32)sizeof(struct dzr_group_head))
#define ROUNDS		300000

static uint64_t seed = 1;

static u32 below(u32 n)
{
	return shim_random(&seed) % n;
}

static void check_gloc(u32 seg, u32 off, u32 size, u8 weight)
{
	dzr_loc_t loc = dzr_gloc(seg, off, size, weight);

	check(dzr_loc_grouped(loc) && (__force u64)loc < VALUES);
	check(dzr_loc_seg(loc) == seg && dzr_loc_off(loc) == off);
	check(dzr_gloc_weight(loc) == weight);
	check(dzr_gloc_size(loc) >= size);
	check(dzr_gloc_size(loc) < size + DZR_GLOC_SIZE_UNIT);
}

static void test_locations(void)
{
	int i;

	check_gloc(0, 64, 1, 1);
	check_gloc(DZR_MAX_SEGMENTS - 1, (1U << 20) - 8, 8192, 127);
	check_gloc(DZR_MAX_SEGMENTS - 1, 64, DZR_MAX_GROUP, 115);
	for (i = 0; i < ROUNDS; i++)
		check_gloc(below(DZR_MAX_SEGMENTS),
			   below((1U << 20) / DZR_LOC_UNIT) * DZR_LOC_UNIT,
			   1 + below(8192), 1 + below(127));
}

static void test_weights(void)
{
	u32 len;

	for (len = 1; len <= DZS_MAX_SIZE; len++) {
		u32 bytes = dzr_group_weight(len) * DZR_GLOC_WEIGHT_UNIT;

		check(bytes >= dzr_object_size(len));
		check(bytes < dzr_object_size(len) + DZR_GLOC_WEIGHT_UNIT);
	}
}

static void random_head(struct dzr_group_head *head)
{
	int i;

	memset(head, 0, sizeof(*head));
	do
		head->members = below(16);
	while (__builtin_popcount(head->members) < 2);
	head->dead = head->members & below(16);
	for (i = 0; i < 4; i++)
		if (head->members >> i & 1)
			head->weight[i] = dzr_group_weight(1 + below(DZS_MAX_SIZE));
}

static u32 naive_weights(const struct dzr_group_head *head, unsigned int members)
{
	u32 sum = 0;
	int i;

	for (i = 0; i < 4; i++)
		sum += members >> i & 1 ? 32 * head->weight[i] : 0;
	return sum;
}

/* A frame that has just room pays; one that takes 8 bytes more does not. */
static void test_room(void)
{
	unsigned int capped = 0, i;

	for (i = 0; i < ROUNDS; i++) {
		struct dzr_group_head head;
		u32 room, alone, size;

		random_head(&head);
		alone = naive_weights(&head, head.members);
		check(dzr_group_weights(&head, head.members) == alone);
		room = dzr_group_frame_room(&head);
		size = dzr_object_size(HEAD + room);
		check(room && room <= DZR_GROUP_MAX_FRAME);
		check(size <= alone - alone / 16 && size <= DZR_MAX_GROUP);
		capped += size == DZR_MAX_GROUP;
		check(size == DZR_MAX_GROUP || size + 8 > alone - alone / 16);
		check((size == DZR_MAX_GROUP) == (room == DZR_GROUP_MAX_FRAME));
	}
	check(capped);
}

static bool naive_valid(const struct dzr_group_head *head, u32 len)
{
	int i, members = 0;

	for (i = 0; i < 8; i++) {
		if (!(head->members >> i & 1)) {
			if (head->dead >> i & 1)
				return false;
			continue;
		}
		members++;
		if (i > 3 || !head->weight[i] || head->weight[i] > 127)
			return false;
	}
	return members > 1 && len > HEAD && OBJ_HEADER + len <= DZR_MAX_GROUP;
}

static void test_valid(void)
{
	static const u32 lens[] = {
		0, 1, HEAD, HEAD + 1, 4096, DZR_MAX_GROUP - OBJ_HEADER,
		DZR_MAX_GROUP - OBJ_HEADER + 1, 65535
	};
	struct dzr_group_head head;
	unsigned int members, dead, i, j, valid = 0;

	for (members = 0; members < 256; members++)
		for (dead = 0; dead < 256; dead++)
			for (i = 0; i < ARRAY_SIZE(lens); i++) {
				memset(&head, 0, sizeof(head));
				head.members = members;
				head.dead = dead;
				for (j = 0; j < 4; j++)
					head.weight[j] = below(20) ? 1 + below(127) :
							 below(256);
				check(dzr_group_valid(&head, lens[i]) ==
				      naive_valid(&head, lens[i]));
				valid += dzr_group_valid(&head, lens[i]);
			}
	check(valid);
}

static void test_index(void)
{
	struct dzr_group_head head = {};
	unsigned int members, i, at;

	for (members = 0; members < 16; members++) {
		head.members = members;
		for (i = 0, at = 0; i < 4; i++)
			if (members >> i & 1)
				check(dzr_group_index(&head, i) == at++);
		check(dzr_group_blocks(&head) == at);
	}
}

/* An object as it is in the log, of which any bit can be changed. */
struct image {
	struct dzr_object_header hdr;
	struct dzr_group_head head;
};

static bool matches(dzr_loc_t loc, u32 block, const struct image *img)
{
	return dzr_group_matches(loc, block, &img->hdr);
}

/* Every bit that the answer must depend on, one at a time. */
static void flip_all(dzr_loc_t loc, u32 block, const struct image *img)
{
	unsigned int member = block & 3, bit;
	struct image bad = *img;

	for (bit = 0; bit < 32; bit++) {
		bad.hdr.block ^= cpu_to_le32(1U << bit);
		check(!matches(loc, block, &bad));
		bad.hdr.block = img->hdr.block;
		/* Another block of the same group is another member. */
		if (bit > 1)
			check(!matches(loc, block ^ 1U << bit, img));
	}
	for (bit = 0; bit < 8; bit++) {
		bad.hdr.flags ^= 1 << bit;
		check(!matches(loc, block, &bad));
		bad.hdr.flags = img->hdr.flags;
		bad.head.weight[member] ^= 1 << bit;
		check(!matches(loc, block, &bad));
		bad.head.weight[member] = img->head.weight[member];
	}
	bad.head.members &= ~(1 << member);
	check(!matches(loc, block, &bad));
	for (bit = 0; bit < DZR_LOC_GROUP_BIT; bit++)
		/* Segment and offset are for the checksum. */
		check(matches((__force dzr_loc_t)((__force u64)loc ^ 1ULL << bit),
			      block, img) == (bit >= DZR_GLOC_OFF_SHIFT));
}

static void test_matches(void)
{
	struct image img;
	u32 block;
	int i;

	for (i = 0; i < ROUNDS / 10; i++) {
		u32 seg = below(DZR_MAX_SEGMENTS), off = 64 + 8 * below(8000);
		u32 len = HEAD + 1 + below(DZR_GROUP_MAX_FRAME);

		memset(&img, 0, sizeof(img));
		random_head(&img.head);
		do
			block = shim_random(&seed);
		while (!(img.head.members >> (block & 3) & 1));
		img.hdr.block = cpu_to_le32(block & ~3U);
		img.hdr.len = cpu_to_le16(len);
		img.hdr.flags = DZR_OBJECT_GROUP;
		check(matches(dzr_group_loc(seg, off, len, &img.head, block & 3),
			      block, &img));
		flip_all(dzr_group_loc(seg, off, len, &img.head, block & 3),
			 block, &img);
		check(!matches(dzr_group_loc(seg, off, len ^ 128, &img.head,
					     block & 3), block, &img));
	}
}

/* Read @groups groups of which three come along; @percent of these are used. */
static unsigned int play(struct dzr_readahead *a, unsigned int groups,
			 unsigned int percent)
{
	unsigned int taken = 0, i, j;

	for (i = 0; i < groups; i++) {
		if (!dzr_readahead_wanted(a))
			continue;
		taken++;
		for (j = 0; j < 3; j++) {
			dzr_readahead_took(a);
			if (below(100) < percent)
				dzr_readahead_used(a);
		}
	}
	return taken;
}

static void test_ahead(void)
{
	struct dzr_readahead a;
	unsigned int n;

	dzr_readahead_init(&a);
	check(dzr_readahead_wanted(&a));
	check(play(&a, 2000, 100) == 2000);
	check(atomic_read(&a.score) > DZR_READAHEAD_ONE * 9 / 10);
	check(atomic_read(&a.score) <= DZR_READAHEAD_ONE * 17 / 16);
	check(play(&a, 2000, 60) == 2000);
	/* Of no use: soon off, but for a test now and then. */
	play(&a, 100, 0);
	n = play(&a, 16000, 0);
	check(n == 16000 / DZR_READAHEAD_PROBE);
	n = play(&a, 16000, 10);
	check(n >= 16000 / DZR_READAHEAD_PROBE && n < 16000 / 8);
	check(atomic_read(&a.score) >= 0);
	/* Of use again: on again, and it stays. */
	play(&a, 16 * 40, 90);
	check(play(&a, 2000, 90) == 2000);
	/* Used long after, in one go: a score is never far above one. */
	for (n = 0; n < 1000; n++)
		dzr_readahead_used(&a);
	check(atomic_read(&a.score) <= DZR_READAHEAD_ONE * 17 / 16);
}

int main(void)
{
	test_locations();
	test_weights();
	test_room();
	test_valid();
	test_index();
	test_matches();
	test_ahead();
	printf("  %d locations, rooms; %d groups bit by bit\n", ROUNDS, ROUNDS / 10);
	return 0;
}
