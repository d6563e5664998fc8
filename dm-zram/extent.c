// SPDX-License-Identifier: GPL-2.0
/*
 * Extents: numbers of segments that come and go with cold devices. See segment.h.
 *
 * The accounts are in chunks, which never move: an object that dies looks for
 * its segment's account with no lock. The root that names the chunks is replaced
 * by a larger one when it must be; who reads the old one finds the same chunks.
 *
 * Free segments of an extent are in a list, or nowhere: when the extent retires,
 * the lists are dropped as a whole, and whatever becomes free later goes to none.
 *
 * Locks: segs->lock, for DZR_PICK_WINDOW segments at the most.
 */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "btable.h"
#include "segment-internal.h"

/**
 * struct dzr_segs_room - memory for more segments
 * @root: large enough for them, or NULL if the present one is
 * @nr: length of @chunk
 * @chunk: accounts; NULL once they are in use
 */
struct dzr_segs_room {
	struct dzr_seg_root *root;
	u32 nr;
	struct dzr_seg *chunk[];
};

static u32 dzr_chunks(u32 segments)
{
	return DIV_ROUND_UP(segments, DZR_SEGS_CHUNK);
}

/* The first chunk behind an extent; 0 if there is none. */
static u32 dzr_extent_end(const struct dzr_seg_extent *e)
{
	return e->nr ? dzr_chunks(e->first + e->nr) : 0;
}

/* The first chunk behind all. */
static u32 dzr_segs_end(struct dzr_segs *segs)
{
	return max(dzr_extent_end(&segs->active),
		   dzr_extent_end(&segs->retiring));
}

static struct dzr_seg_root *dzr_root_create(u32 nr)
{
	struct dzr_seg_root *root;

	root = kvzalloc(struct_size(root, chunk, nr), GFP_KERNEL);
	if (root)
		root->nr = nr;
	return root;
}

void dzr_segs_room_destroy(struct dzr_segs_room *room)
{
	u32 i;

	if (!room)
		return;
	for (i = 0; i < room->nr; i++)
		kvfree(room->chunk[i]);
	kvfree(room->root);
	kvfree(room);
}

struct dzr_segs_room *dzr_segs_room_create(struct dzr_segs *segs, u32 nr)
{
	u32 chunks = dzr_chunks(nr), i, end = dzr_segs_end(segs) + chunks;
	u32 have = segs->root ? segs->root->nr : 0;
	struct dzr_segs_room *room;

	room = kvzalloc(struct_size(room, chunk, chunks), GFP_KERNEL);
	if (!room)
		return NULL;
	room->nr = chunks;
	if (have < end) {
		room->root = dzr_root_create(max(end, 2 * have));
		if (!room->root)
			goto fail;
	}
	for (i = 0; i < chunks; i++) {
		room->chunk[i] = kvzalloc(DZR_SEGS_CHUNK *
					  sizeof(struct dzr_seg), GFP_KERNEL);
		if (!room->chunk[i])
			goto fail;
		cond_resched();
	}
	return room;
fail:
	dzr_segs_room_destroy(room);
	return NULL;
}

/* Let there be accounts for chunks @first to @end. */
static void dzr_segs_extend(struct dzr_segs *segs, struct dzr_segs_room *room,
			    u32 first, u32 end)
{
	struct dzr_seg_root *old = segs->root, *root = room->root;
	u32 i, next = 0;

	if (!old || old->nr < end) {
		for (i = 0; old && i < old->nr; i++)
			root->chunk[i] = old->chunk[i];
		root->older = old;
		/* Pairs with the address dependency in dzr_seg(). */
		smp_store_release(&segs->root, root);
		room->root = NULL;
	}
	for (i = first; i < end; i++) {
		if (segs->root->chunk[i] || WARN_ON_ONCE(next == room->nr))
			continue;
		WRITE_ONCE(segs->root->chunk[i], room->chunk[next]);
		room->chunk[next++] = NULL;
	}
}

/* Numbers from @first on, up to @end, which nobody knows of yet, as a list. */
static void dzr_segs_chain(struct dzr_segs *segs, u32 first, u32 end,
			   struct dzr_seg_list *list)
{
	u32 seg;

	*list = (struct dzr_seg_list){};
	for (seg = first; seg < end; seg++) {
		*dzr_seg(segs, seg) = (struct dzr_seg){
			.state = DZR_SEG_FREE,
		};
		dzr_seg_list_add(segs, list, seg);
		if (seg % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
}

/* Put a list at the end of the clean ones. */
static void dzr_segs_append(struct dzr_segs *segs,
			    const struct dzr_seg_list *list)
{
	struct dzr_seg_list *clean = &segs->clean;

	lockdep_assert_held(&segs->lock);

	if (!list->nr)
		return;
	if (clean->nr)
		WRITE_ONCE(dzr_seg(segs, clean->tail)->seq, list->head);
	else
		clean->head = list->head;
	clean->tail = list->tail;
	WRITE_ONCE(clean->nr, clean->nr + list->nr);
}

static void dzr_extent_set(struct dzr_seg_extent *e, struct dzr_seg_extent to)
{
	WRITE_ONCE(e->first, to.first);
	WRITE_ONCE(e->nr, to.nr);
}

void dzr_segs_destroy(struct dzr_segs *segs)
{
	struct dzr_seg_root *root, *older;
	u32 i;

	if (!segs)
		return;
	root = segs->root;
	for (i = 0; root && i < root->nr; i++)
		kvfree(root->chunk[i]);
	for (; root; root = older) {
		older = root->older;
		kvfree(root);
	}
	mutex_destroy(&segs->walk);
	kfree(segs);
}

struct dzr_segs *dzr_segs_create(u32 nr, u32 capacity, u32 reserve,
				 u32 min_gain)
{
	struct dzr_segs *segs = kzalloc(sizeof(*segs), GFP_KERNEL);
	struct dzr_segs_room *room;

	if (!segs)
		return NULL;
	raw_spin_lock_init(&segs->lock);
	mutex_init(&segs->walk);
	segs->capacity = capacity;
	segs->reserve = reserve;
	segs->min_gain = min_gain;
	room = dzr_segs_room_create(segs, nr);
	if (!room) {
		dzr_segs_destroy(segs);
		return NULL;
	}
	dzr_segs_move(segs, room, nr);
	dzr_segs_room_destroy(room);
	return segs;
}

u32 dzr_segs_place(struct dzr_segs *segs, u32 nr)
{
	const struct dzr_seg_extent *low = &segs->active, *high = low;
	u32 chunks = dzr_chunks(nr), at = 0;

	if (segs->retiring.nr && segs->retiring.first < low->first)
		low = &segs->retiring;
	else if (segs->retiring.nr)
		high = &segs->retiring;
	/* Below both, between them, or above. */
	if (low->nr && low->first / DZR_SEGS_CHUNK < chunks) {
		at = dzr_extent_end(low);
		if (high != low && high->first / DZR_SEGS_CHUNK < at + chunks)
			at = dzr_extent_end(high);
	}
	return (u64)at * DZR_SEGS_CHUNK + nr <= DZR_MAX_SEGMENTS ?
	       at * DZR_SEGS_CHUNK : DZR_NO_SEGMENT;
}

void dzr_segs_grow(struct dzr_segs *segs, struct dzr_segs_room *room, u32 nr)
{
	struct dzr_seg_extent to = segs->active;
	u32 end = to.first + to.nr;
	struct dzr_seg_list list;

	if (WARN_ON_ONCE(nr < to.nr || segs->retiring.nr))
		return;
	to.nr = nr;
	dzr_segs_extend(segs, room, to.first / DZR_SEGS_CHUNK,
			dzr_extent_end(&to));
	dzr_segs_chain(segs, end, to.first + nr, &list);
	raw_spin_lock(&segs->lock);
	dzr_extent_set(&segs->active, to);
	dzr_segs_append(segs, &list);
	raw_spin_unlock(&segs->lock);
}

/* What of a segment in the retiring extent is to be done at once. */
static bool dzr_segs_retire_one(struct dzr_segs *segs, u32 seg)
{
	struct dzr_seg *s = dzr_seg(segs, seg);

	lockdep_assert_held(&segs->lock);

	if (s->state == DZR_SEG_FREE)
		dzr_seg_free(segs, NULL, seg);
	/* The cleaner may have given it up; what is good in it has to move. */
	if (s->state == DZR_SEG_SEALED)
		WRITE_ONCE(s->shunned, 0);
	if (s->state != DZR_SEG_BAD)
		return false;
	/* As one with nothing alive; its reference is ours to put. */
	WRITE_ONCE(s->state, DZR_SEG_SEALED);
	WRITE_ONCE(s->shunned, DZR_SHUN_DAMAGED);
	return true;
}

/* Segments that are on no list any more become absent. */
static void dzr_segs_retire(struct dzr_segs *segs)
{
	u32 i, first = segs->retiring.first, nr = segs->retiring.nr;

	for (i = 0; i < nr; i++) {
		bool put;

		raw_spin_lock(&segs->lock);
		put = dzr_segs_retire_one(segs, first + i);
		raw_spin_unlock(&segs->lock);
		if (put)
			dzr_segs_unpin(segs, first + i);
		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
}

/* The next active extent; what is active retires. */
static void dzr_segs_switch(struct dzr_segs *segs, struct dzr_seg_extent to,
			    const struct dzr_seg_list *list)
{
	raw_spin_lock(&segs->lock);
	dzr_extent_set(&segs->retiring, segs->active);
	dzr_extent_set(&segs->active, to);
	WRITE_ONCE(segs->left, segs->retiring.nr);
	WRITE_ONCE(segs->stale.nr, 0);
	WRITE_ONCE(segs->clean.nr, 0);
	dzr_segs_append(segs, list);
	WRITE_ONCE(segs->bad, 0);
	segs->cursor = 0;
	segs->passed = 0;
	raw_spin_unlock(&segs->lock);
	dzr_segs_retire(segs);
}

u32 dzr_segs_move(struct dzr_segs *segs, struct dzr_segs_room *room, u32 nr)
{
	struct dzr_seg_extent to = { .first = dzr_segs_place(segs, nr),
				     .nr = nr };
	struct dzr_seg_list list;

	if (WARN_ON_ONCE(segs->retiring.nr || to.first == DZR_NO_SEGMENT))
		return DZR_NO_SEGMENT;
	dzr_segs_extend(segs, room, to.first / DZR_SEGS_CHUNK,
			dzr_extent_end(&to));
	dzr_segs_chain(segs, to.first, to.first + nr, &list);
	dzr_segs_switch(segs, to, &list);
	return to.first;
}

/* Segments that were absent, and are active now, are free. */
static void dzr_segs_revive(struct dzr_segs *segs)
{
	u32 i, seg;

	for (i = 0; i < segs->active.nr; i++) {
		seg = segs->active.first + i;
		raw_spin_lock(&segs->lock);
		if (dzr_seg(segs, seg)->state == DZR_SEG_ABSENT)
			dzr_seg_free(segs, &segs->stale, seg);
		raw_spin_unlock(&segs->lock);
		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
	}
}

void dzr_segs_turn_back(struct dzr_segs *segs)
{
	static const struct dzr_seg_list none;

	if (WARN_ON_ONCE(!segs->retiring.nr))
		return;
	dzr_segs_switch(segs, segs->retiring, &none);
	dzr_segs_revive(segs);
}

bool dzr_segs_forget(struct dzr_segs *segs)
{
	struct dzr_seg_extent none = {}, e = segs->retiring;
	u32 i;

	if (!e.nr || READ_ONCE(segs->left))
		return false;
	mutex_lock(&segs->walk);
	raw_spin_lock(&segs->lock);
	dzr_extent_set(&segs->retiring, none);
	raw_spin_unlock(&segs->lock);
	for (i = e.first / DZR_SEGS_CHUNK; i < dzr_extent_end(&e); i++) {
		kvfree(segs->root->chunk[i]);
		WRITE_ONCE(segs->root->chunk[i], NULL);
	}
	mutex_unlock(&segs->walk);
	return true;
}

u32 dzr_segs_left(struct dzr_segs *segs)
{
	return READ_ONCE(segs->left);
}

bool dzr_segs_retires(struct dzr_segs *segs, u32 seg)
{
	return dzr_extent_has(&segs->retiring, seg);
}

/* Is there something in it that could be moved? */
static bool dzr_segs_movable(struct dzr_segs *segs, u32 seg, bool again)
{
	struct dzr_seg *s = dzr_seg(segs, seg);

	return READ_ONCE(s->state) == DZR_SEG_SEALED &&
	       READ_ONCE(s->shunned) == (again ? DZR_SHUN_UNREAD : 0) &&
	       atomic_read(&s->live);
}

u32 dzr_segs_pick_retiring(struct dzr_segs *segs, bool again)
{
	u32 i, nr = segs->retiring.nr;

	for (i = 0; i < nr && READ_ONCE(segs->left); i++) {
		u32 at = (segs->passed + i) % nr;
		u32 seg = segs->retiring.first + at;

		if (i % DZR_PICK_WINDOW == 0)
			cond_resched();
		if (!dzr_segs_movable(segs, seg, again) ||
		    !dzr_seg_try_pin(segs, seg))
			continue;
		segs->passed = (at + 1) % nr;
		return seg;
	}
	return DZR_NO_SEGMENT;
}

u64 dzr_segs_bytes(struct dzr_segs *segs)
{
	u64 chunks, bytes = sizeof(*segs);
	struct dzr_seg_root *root;

	raw_spin_lock(&segs->lock);
	chunks = (u64)dzr_chunks(segs->active.nr) +
		 dzr_chunks(segs->retiring.nr);
	raw_spin_unlock(&segs->lock);
	for (root = READ_ONCE(segs->root); root; root = root->older)
		bytes += struct_size(root, chunk, root->nr);
	return bytes + chunks * DZR_SEGS_CHUNK * sizeof(struct dzr_seg);
}
