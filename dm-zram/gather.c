// SPDX-License-Identifier: GPL-2.0
/*
 * Demotion of neighbours as a group. See gather.h.
 *
 * Of each member a copy is taken under its entry lock; they are decompressed and
 * compressed again with no entry lock held. Then each entry is changed, if the
 * block still has the very bytes that were taken, compressed the same way; a member that has changed
 * meanwhile is dead in the group. A handle would not be proof enough: another
 * object of the block may have got the same one. Nothing is allocated.
 *
 * Locks: hand_lock is held, which keeps the buffers; stream->lock to decompress;
 * the entry lock, one at a time.
 */
#include <linux/bitops.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "frame.h"
#include "gather.h"
#include "grouping.h"
#include "tier.h"
#include "trace.h"

/**
 * struct dzr_party - the members of a group that is being made
 * @d: the device
 * @g: what was gathered
 * @taken: bit for each that there is a copy of
 * @len: bytes of each, compressed
 * @codec: how each is compressed
 * @handle: the object that each of the demoted ones had in the pool
 */
struct dzr_party {
	struct dzr_dev *d;
	struct dzr_gather *g;
	u8 taken;
	u32 len[DZR_GROUP_BLOCKS];
	u8 codec[DZR_GROUP_BLOCKS];
	dzs_handle_t handle[DZR_GROUP_BLOCKS];
};

bool dzr_gathers(struct dzr_dev *d, struct dzr_entry e)
{
	lockdep_assert_held(&d->hand_lock);
	return d->cfg.cold_codec && e.state == DZR_HOT;
}

void dzr_gather(struct dzr_gather *g, u32 block, unsigned long *slot, u8 age)
{
	unsigned int i = dzr_group_member(block);

	g->first = dzr_group_first(block);
	g->members |= BIT(i);
	g->slot[i] = slot;
	g->age[i] = age;
}

/* Is it, in the pool alone, a compressed block? The entry is locked. */
static bool dzr_party_fits(struct dzr_entry e)
{
	return e.state == DZR_HOT && !dzs_is_huge(dzr_entry_handle(e));
}

/* Copy a member out of the pool, and restore it. */
static bool dzr_party_take(struct dzr_party *p, struct dzr_stream *st,
			   unsigned int i)
{
	unsigned int at = hweight8(p->taken);
	struct dzr_grouping *gr = p->d->grouping;
	unsigned long *slot = p->g->slot[i];
	struct dzr_entry e = dzr_entry_lock(slot);
	bool fits = dzr_party_fits(e);

	if (fits) {
		p->codec[i] = dzr_entry_codec(e);
		p->len[i] = dzs_size(p->d->pool, dzr_entry_handle(e));
		dzs_read(p->d->pool, dzr_entry_handle(e), gr->taken[i], 0,
			 p->len[i]);
	}
	dzr_entry_unlock(slot);
	return fits && !dzr_unpack(st, p->codec[i], gr->taken[i], p->len[i],
				   gr->plain[at]);
}

static void dzr_party_take_all(struct dzr_party *p)
{
	struct dzr_stream *st = dzr_stream_get(p->d->streams);
	unsigned int i;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (p->g->members & BIT(i) && dzr_party_take(p, st, i))
			p->taken |= BIT(i);
	dzr_stream_put(st);
}

/* The group has room for this member, and its data: publish it, if it is still true. */
static bool dzr_party_publish(struct dzr_party *p, unsigned int i,
			      struct dzr_append *a)
{
	struct dzr_grouping *gr = p->d->grouping;
	unsigned long *slot = p->g->slot[i];
	struct dzr_entry e = dzr_entry_lock(slot);
	dzs_handle_t handle = dzr_entry_handle(e);
	bool same = dzr_party_fits(e) && dzr_entry_codec(e) == p->codec[i] &&
		    dzs_size(p->d->pool, handle) == p->len[i];

	if (same) {
		dzs_read(p->d->pool, handle, gr->again, 0, p->len[i]);
		same = !memcmp(gr->again, gr->taken[i], p->len[i]);
	}
	if (same) {
		p->handle[i] = handle;
		dzr_entry_set(slot, (struct dzr_entry){
			.state = DZR_COLD,
			.value = (__force u64)dzr_log_publish_member(a, i),
			.age = READ_ONCE(p->d->policy)->chilled(),
		});
	}
	dzr_entry_unlock(slot);
	return same;
}

/* A member is in the log: let go of the pool's object. */
static void dzr_party_leave(struct dzr_party *p, unsigned int i, u32 seg,
			    enum dzr_cause cause)
{
	struct dzr_dev *d = p->d;

	dzs_free(d->pool, p->handle[i]);
	dzr_count_move(d, DZR_HOT, DZR_COLD);
	dzr_stat_add(d->stats, DZR_STAT_DEMOTIONS, 1);
	dzr_stat_add(d->stats, DZR_STAT_GROUPED, 1);
	trace_dzr_demote(d->dev, p->g->first + i, p->len[i], seg, p->g->age[i],
			 cause);
	p->g->done++;
}

/* The frame is ready: append it. */
static int dzr_party_append(struct dzr_party *p,
			    const struct dzr_group_head *head, u32 len,
			    enum dzr_cause cause)
{
	struct dzr_append a;
	unsigned int i;
	u8 live = 0;
	int err;

	err = dzr_log_reserve_group(p->d->log, DZR_STREAM_USER, p->g->first,
				    head, p->d->grouping->frame, len, &a);
	if (err)
		return err;
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (head->members & BIT(i) && dzr_party_publish(p, i, &a))
			live |= BIT(i);
	dzr_log_commit_group(&a, live);
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (live & BIT(i))
			dzr_party_leave(p, i, dzr_loc_seg(a.loc), cause);
	p->g->members &= ~head->members;
	dzr_stat_add(p->d->stats, DZR_STAT_GROUPS, 1);
	return 0;
}

/*
 * Try these members as a group. Returns 0 if it does not pay, too; the members
 * are still gathered then. @large says that it did not fit.
 */
static int dzr_party_try(struct dzr_party *p, u8 members, enum dzr_cause cause,
			 bool *large)
{
	u8 below = (members & -members) - 1;
	unsigned int at = hweight8(p->taken & below);
	struct dzr_group_head head = { .members = p->taken & members };
	struct dzr_grouping *gr = p->d->grouping;
	u32 room, len;
	unsigned int i;

	if (dzr_group_blocks(&head) < 2)
		return 0;
	for (i = 0; i < DZR_GROUP_BLOCKS; i++)
		if (head.members & BIT(i))
			head.weight[i] = dzr_group_weight(p->len[i]);
	room = dzr_group_frame_room(&head);
	*large = room == DZR_GROUP_MAX_FRAME;
	if (dzr_frame_compress(gr->ws, gr->plain[at], dzr_group_blocks(&head),
			       gr->frame, room, &len))
		return 0;
	return dzr_party_append(p, &head, len, cause);
}

/* Those that are in no group. */
static int dzr_gather_alone(struct dzr_dev *d, struct dzr_gather *g,
			    enum dzr_cause cause)
{
	unsigned int i;

	for (i = 0; i < DZR_GROUP_BLOCKS; i++) {
		int ret;

		if (!(g->members & BIT(i)))
			continue;
		ret = dzr_demote(d, g->first + i, g->slot[i], cause);
		if (ret < 0)
			return ret;
		g->done += ret;
	}
	return 0;
}

int dzr_gather_demote(struct dzr_dev *d, struct dzr_gather *g,
		      enum dzr_cause cause)
{
	struct dzr_party p = { .d = d, .g = g };
	bool large = false;
	int err = 0;

	lockdep_assert_held(&d->hand_lock);

	if (hweight8(g->members) > 1) {
		dzr_party_take_all(&p);
		err = dzr_party_try(&p, 0xf, cause, &large);
	}
	if (!err && large && g->members & p.taken) {
		err = dzr_party_try(&p, 0x3, cause, &large);
		if (!err)
			err = dzr_party_try(&p, 0xc, cause, &large);
	}
	if (!err)
		err = dzr_gather_alone(d, g, cause);
	g->members = 0;
	return err;
}
