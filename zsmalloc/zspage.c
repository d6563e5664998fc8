// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: slots of zspages, and zspages on the lists of their class.
 *
 * Everything here runs with the class lock held, takes a time that does not
 * depend on the size of the pool, and calls nothing outside the allocator.
 * Frees go on meanwhile: see dzs-types.h for who may change what.
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

#include "dzs-internal.h"

/* Zspages of one group that dzs_isolate() looks at. */
#define ISOLATE_TRIES	4U

/* Sums are read without the lock. */
static void add(unsigned long *sum, long n)
{
	WRITE_ONCE(*sum, *sum + n);
}

/* A state is about to be stored: let it say where the zspage belongs. */
static void state_regroup(const struct dzs_class *class, union dzs_state *state)
{
	state->group = dzs_state_group(class, *state);
}

/* The state has changed from @old to @new: follow with the lists. */
static void zspage_relist(struct dzs_class *class, struct dzs_zspage *zs,
			  union dzs_state old, union dzs_state new)
	__must_hold(&class->lock)
{
	if (new.group != old.group)
		list_move(&zs->node, &class->group[new.group]);
}

/* Take an empty zspage out of the class. */
static void zspage_detach(struct dzs_class *class, struct dzs_zspage *zs,
			  union dzs_state state) __must_hold(&class->lock)
{
	list_del(&zs->node);
	add(&class->nr_zspages, -1);
	add(&class->nr_slots, -(long)class->cap[state.pages]);
	add(&class->nr_pages, -(long)state.pages);
}

static void zspage_add_page(struct dzs_class *class, struct dzs_zspage *zs,
			    struct page *page) __must_hold(&class->lock)
{
	union dzs_state new, old = dzs_state(zs);

	/* Nobody looks at it before the state says that there is one more. */
	zs->pfn[old.pages] = page_to_pfn(page);
	do {
		new = old;
		new.pages++;
		state_regroup(class, &new);
	} while (!dzs_state_change(zs, &old, new));
	zspage_relist(class, zs, old, new);
	add(&class->nr_slots, class->cap[new.pages] - class->cap[old.pages]);
	add(&class->nr_pages, 1);
}

static struct dzs_zspage *first_in(struct dzs_class *class, unsigned int group)
	__must_hold(&class->lock)
{
	return list_first_entry_or_null(&class->group[group],
					struct dzs_zspage, node);
}

static void zspage_init(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	union dzs_state state = { .word = 0 };

	state.free = DZS_NO_SLOT;
	state.group = DZS_GROUP_GROW;
	state.class = class->index;
	atomic64_set(&zs->state, state.word);
	list_add(&zs->node, &class->group[DZS_GROUP_GROW]);
	add(&class->nr_zspages, 1);
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
		zspage_init(class, zs);
	}
	zspage_add_page(class, zs, spare->page);
	spare->page = NULL;
	return true;
}

/* Take a free slot of a zspage that has one. */
static unsigned int zspage_pop(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	struct dzs_slot slot = { .zs = zs };
	union dzs_state new, old = dzs_state(zs);

	do {
		new = old;
		if (old.free == DZS_NO_SLOT) {
			slot.idx = new.bump++;
		} else {
			/* Still free when the exchange succeeds: we have the lock. */
			slot.idx = old.free;
			new.free = READ_ONCE(*(u32 *)dzs_slot_header(class, slot));
		}
		new.inuse++;
		state_regroup(class, &new);
	} while (!dzs_state_change(zs, &old, new));
	zspage_relist(class, zs, old, new);
	return slot.idx;
}

bool dzs_slot_take(struct dzs_class *class, u32 owner, unsigned int len,
		   struct dzs_slot *slot) __must_hold(&class->lock)
{
	unsigned int group = DZS_GROUP_ROOM;
	struct dzs_zspage *zs = NULL;
	u8 *header;

	lockdep_assert_held(&class->lock);
	while (group && !zs)
		zs = first_in(class, --group);
	if (!zs)
		return false;
	slot->zs = zs;
	slot->idx = zspage_pop(class, zs);
	header = dzs_slot_header(class, *slot);
	WRITE_ONCE(*(u32 *)header, owner);
	WRITE_ONCE(header[DZS_HEADER_PAD], class->size - DZS_HEADER_SIZE - len);
	WRITE_ONCE(class->taken, class->taken + 1);
	add(&class->stored, len);
	return true;
}

bool dzs_slot_live(const struct dzs_class *class, struct dzs_slot slot,
		   u32 *owner, unsigned int *len)
{
	const u8 *header = dzs_slot_header(class, slot);
	u8 pad;

	*owner = READ_ONCE(*(const u32 *)header);
	/* Pairs with smp_store_release() in slot_push(). */
	smp_rmb();
	pad = READ_ONCE(header[DZS_HEADER_PAD]);
	*len = class->size - DZS_HEADER_SIZE - pad;
	return pad != DZS_PAD_FREE;
}

bool dzs_settle(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	union dzs_state new, old = dzs_state(zs);

	lockdep_assert_held(&class->lock);
	do {
		new = old;
		new.queued = 0;
		state_regroup(class, &new);
	} while (!dzs_state_change(zs, &old, new));
	/* No object is left that could be freed, and none can be added. */
	if (!new.inuse) {
		zspage_detach(class, zs, new);
		return true;
	}
	zspage_relist(class, zs, old, new);
	return false;
}

/* Isolate a zspage, unless a free has queued it. */
static bool zspage_isolate(struct dzs_zspage *zs)
{
	union dzs_state new, old = dzs_state(zs);

	do {
		if (old.queued)
			return false;
		new = old;
		new.isolated = 1;
	} while (!dzs_state_change(zs, &old, new));
	list_del_init(&zs->node);
	return true;
}

struct dzs_zspage *dzs_isolate(struct dzs_class *class, unsigned int groups,
			       unsigned long max_cap)
	__must_hold(&class->lock)
{
	struct dzs_zspage *zs;
	unsigned int i, tries;

	lockdep_assert_held(&class->lock);
	for (i = 0; i < groups; i++) {
		tries = ISOLATE_TRIES;
		list_for_each_entry(zs, &class->group[i], node) {
			if (class->cap[dzs_state(zs).pages] <= max_cap &&
			    zspage_isolate(zs))
				return zs;
			if (!--tries)
				break;
		}
	}
	return NULL;
}

bool dzs_unisolate(struct dzs_class *class, struct dzs_zspage *zs)
	__must_hold(&class->lock)
{
	union dzs_state new, old = dzs_state(zs);

	lockdep_assert_held(&class->lock);
	do {
		new = old;
		new.isolated = 0;
		state_regroup(class, &new);
	} while (!dzs_state_change(zs, &old, new));
	if (!new.inuse) {
		zspage_detach(class, zs, new);
		return true;
	}
	list_add(&zs->node, &class->group[new.group]);
	return false;
}
