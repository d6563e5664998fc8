// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: slots of zspages, and zspages on the lists of their class.
 *
 * Everything here runs with the class lock held, takes a time that does not
 * depend on the size of the pool, and calls nothing outside the allocator.
 *
 * A zspage starts with one page. Its slots are handed out in order (bump), and
 * those that were freed are chained through their headers and used first. When
 * no zspage of the class has a free slot in its pages, one that is not yet
 * whole gets its next page; a new zspage is begun only when there is none. A
 * slot is shorter than a page, so each page adds at least one.
 */
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "dzs-internal.h"

struct slot_header {
	u32 word;	/* owner, or next free slot */
	u8 pad;
} __packed;

static_assert(sizeof(struct slot_header) == DZS_HEADER_SIZE);

static struct slot_header *slot_header(const struct dzs_class *class,
				       struct dzs_slot slot)
{
	return (struct slot_header *)dzs_slot_header(class, slot);
}

/* Sums are read without the lock. */
static void add(unsigned long *sum, long n)
{
	WRITE_ONCE(*sum, *sum + n);
}

static unsigned int zspage_group(const struct dzs_class *class,
				 const struct dzs_zspage *zs)
{
	if (zs->inuse < zs->cap)
		return zs->inuse * DZS_GROUP_ROOM / zs->cap;
	return zs->pages < class->chain ? DZS_GROUP_GROW : DZS_GROUP_FULL;
}

/* Put a zspage whose counts have changed on the list that it belongs to. */
static void zspage_regroup(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	unsigned int group = zspage_group(class, zs);

	if (zs->isolated || group == zs->group)
		return;
	list_move(&zs->node, &class->group[group]);
	zs->group = group;
}

/* Take an empty zspage out of the class. */
static void zspage_detach(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	list_del(&zs->node);
	add(&class->nr_zspages, -1);
	add(&class->nr_slots, -(long)zs->cap);
	add(&class->nr_pages, -(long)zs->pages);
}

static void zspage_add_page(struct dzs_class *class, struct dzs_zspage *zs,
			    struct page *page) __must_hold(&class->lock)
{
	unsigned int cap;

	zs->pfn[zs->pages++] = page_to_pfn(page);
	cap = min_t(unsigned int, zs->pages * PAGE_SIZE / class->size,
		    class->slots);
	add(&class->nr_slots, cap - zs->cap);
	add(&class->nr_pages, 1);
	zs->cap = cap;
}

static struct dzs_zspage *first_in(struct dzs_class *class, unsigned int group)
	__must_hold(&class->lock)
{
	return list_first_entry_or_null(&class->group[group],
					struct dzs_zspage, node);
}

bool dzs_class_grow(struct dzs_class *class, struct dzs_spare *spare)
	__must_hold(&class->lock)
{
	struct dzs_zspage *zs = first_in(class, DZS_GROUP_GROW);

	lockdep_assert_held(&class->lock);
	if (!zs) {
		zs = spare->zs;
		if (!zs)
			return false;
		spare->zs = NULL;
		*zs = (struct dzs_zspage) {
			.free = DZS_NO_SLOT,
			.class = spare->class,
			.group = DZS_GROUP_GROW,
		};
		list_add(&zs->node, &class->group[DZS_GROUP_GROW]);
		add(&class->nr_zspages, 1);
	}
	zspage_add_page(class, zs, spare->page);
	spare->page = NULL;
	zspage_regroup(class, zs);
	return true;
}

/* The next free slot of a zspage that has one. */
static unsigned int zspage_pop(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	struct dzs_slot slot = { .zs = zs, .idx = zs->free };

	if (slot.idx == DZS_NO_SLOT)
		return zs->bump++;
	zs->free = slot_header(class, slot)->word;
	return slot.idx;
}

bool dzs_slot_take(struct dzs_class *class, u32 owner, unsigned int len,
		   struct dzs_slot *slot) __must_hold(&class->lock)
{
	unsigned int group = DZS_GROUP_ROOM;
	struct dzs_zspage *zs = NULL;

	lockdep_assert_held(&class->lock);
	while (group && !zs)
		zs = first_in(class, --group);
	if (!zs)
		return false;
	slot->zs = zs;
	slot->idx = zspage_pop(class, zs);
	*slot_header(class, *slot) = (struct slot_header) {
		.word = owner,
		.pad = class->size - DZS_HEADER_SIZE - len,
	};
	zs->inuse++;
	add(&class->nr_objects, 1);
	add(&class->stored, len);
	zspage_regroup(class, zs);
	return true;
}

bool dzs_slot_live(struct dzs_class *class, struct dzs_slot slot, u32 *owner,
		   unsigned int *len) __must_hold(&class->lock)
{
	const struct slot_header *header = slot_header(class, slot);

	lockdep_assert_held(&class->lock);
	if (header->pad == DZS_PAD_FREE)
		return false;
	*owner = header->word;
	*len = class->size - DZS_HEADER_SIZE - header->pad;
	return true;
}

bool dzs_slot_put(struct dzs_class *class, struct dzs_slot slot)
	__must_hold(&class->lock)
{
	struct slot_header *header = slot_header(class, slot);
	struct dzs_zspage *zs = slot.zs;
	unsigned int len;
	u32 owner;

	if (WARN_ON_ONCE(!dzs_slot_live(class, slot, &owner, &len)))
		return false;
	header->word = zs->free;
	header->pad = DZS_PAD_FREE;
	zs->free = slot.idx;
	zs->inuse--;
	add(&class->nr_objects, -1);
	add(&class->stored, -(long)len);
	if (zs->inuse || zs->isolated) {
		zspage_regroup(class, zs);
		return false;
	}
	zspage_detach(class, zs);
	return true;
}

struct dzs_zspage *dzs_isolate(struct dzs_class *class, unsigned int groups,
			       unsigned long max_cap)
	__must_hold(&class->lock)
{
	struct dzs_zspage *zs;
	unsigned int i;

	lockdep_assert_held(&class->lock);
	for (i = 0; i < groups; i++) {
		zs = first_in(class, i);
		if (!zs || zs->cap > max_cap)
			continue;
		list_del_init(&zs->node);
		zs->isolated = 1;
		return zs;
	}
	return NULL;
}

bool dzs_unisolate(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	lockdep_assert_held(&class->lock);
	zs->isolated = 0;
	if (!zs->inuse) {
		zspage_detach(class, zs);
		return true;
	}
	zs->group = zspage_group(class, zs);
	list_add(&zs->node, &class->group[zs->group]);
	return false;
}
