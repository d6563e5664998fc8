// SPDX-License-Identifier: GPL-2.0
/*
 * What a device needs for groups. See grouping.h.
 */
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "frame.h"
#include "grouping.h"

/* Opening a group takes some 10 us: more at once hardly find a free one less. */
#define DZR_MAX_OPENERS	8U

/* Members, their plain blocks, and one of them again. */
#define DZR_GROUPING_BLOCKS	(2 * DZR_GROUP_BLOCKS + 1)

/* All of the packer's memory but the workspace. */
#define DZR_GROUPING_BUFS	(DZR_GROUPING_BLOCKS * DZR_BLOCK_SIZE + \
				 DZR_MAX_GROUP)

static bool dzr_opener_init(struct dzr_opener *o)
{
	o->ws = kvzalloc(dzr_frame_decomp_size(), GFP_KERNEL);
	o->plain = kvmalloc(DZR_FRAME_MAX, GFP_KERNEL);
	return o->ws && o->plain;
}

static bool dzr_grouping_fill(struct dzr_grouping *g)
{
	unsigned int i;
	u8 *bufs;

	for (i = 0; i < g->nr; i++)
		mutex_init(&g->openers[i].lock);
	g->ws = kvzalloc(dzr_frame_comp_size(), GFP_KERNEL);
	bufs = kvmalloc(DZR_GROUPING_BUFS, GFP_KERNEL);
	g->taken = (void *)bufs;
	if (!g->ws || !bufs)
		return false;
	g->plain = g->taken + DZR_GROUP_BLOCKS;
	g->again = (u8 *)(g->plain + DZR_GROUP_BLOCKS);
	g->frame = g->again + DZR_BLOCK_SIZE;
	for (i = 0; i < g->nr; i++)
		if (!dzr_opener_init(&g->openers[i]))
			return false;
	return true;
}

struct dzr_grouping *dzr_grouping_create(void)
{
	unsigned int nr = min(num_possible_cpus(), DZR_MAX_OPENERS);
	struct dzr_grouping *g;

	g = kzalloc(struct_size(g, openers, nr), GFP_KERNEL);
	if (!g)
		return NULL;
	g->nr = nr;
	dzr_readahead_init(&g->ahead);
	if (dzr_grouping_fill(g))
		return g;
	dzr_grouping_destroy(g);
	return NULL;
}

void dzr_grouping_destroy(struct dzr_grouping *g)
{
	unsigned int i;

	if (!g)
		return;
	for (i = 0; i < g->nr; i++) {
		kvfree(g->openers[i].plain);
		kvfree(g->openers[i].ws);
		mutex_destroy(&g->openers[i].lock);
	}
	kvfree(g->taken);
	kvfree(g->ws);
	kfree(g);
}

size_t dzr_grouping_bytes(const struct dzr_grouping *g)
{
	if (!g)
		return 0;
	return struct_size(g, openers, g->nr) + dzr_frame_comp_size() +
	       DZR_GROUPING_BUFS +
	       g->nr * (dzr_frame_decomp_size() + DZR_FRAME_MAX);
}

struct dzr_opener *dzr_opener_get(struct dzr_grouping *g)
{
	unsigned int first = raw_smp_processor_id() % g->nr;
	unsigned int i;

	for (i = 0; i < g->nr; i++) {
		struct dzr_opener *o = &g->openers[(first + i) % g->nr];

		if (mutex_trylock(&o->lock))
			return o;
	}
	mutex_lock(&g->openers[first].lock);
	return &g->openers[first];
}

void dzr_opener_put(struct dzr_opener *o)
{
	mutex_unlock(&o->lock);
}

int dzr_open_group(struct dzr_opener *o, const struct dzr_group_head *head,
		   u32 len)
{
	lockdep_assert_held(&o->lock);
	return dzr_frame_decompress(o->ws, head + 1, len - sizeof(*head),
				    o->plain, dzr_group_blocks(head));
}
