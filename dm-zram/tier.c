// SPDX-License-Identifier: GPL-2.0
/*
 * Tiers: storing and loading one block, and its ways between pool and log.
 *
 * Locks: the entry lock around each change; the codec workspace is taken before
 * it, since it may sleep. Nothing is compressed or decompressed under an entry
 * lock: what is in the pool is copied out first.
 */
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "groupread.h"
#include "log-format.h"
#include "preclean.h"
#include "tier.h"
#include "trace.h"

/* For a page of the block table, where waiting for reclaim is harmless. */
#define DZR_GFP_WAITED		(GFP_NOIO | __GFP_NORETRY)

/* A write that no tier has a page for fails after this long. */
#define DZR_STARVE_JIFFIES	(5 * HZ)

/* Blocks that a discard empties before it lets go of what they held. */
#define DZR_DISCARD_BATCH	16

/* Counter of a state's population; EMPTY has none. */
static const s8 dzr_population[] = {
	[DZR_EMPTY] = -1,
	[DZR_FILL] = DZR_POP_FILL,
	[DZR_HOT] = DZR_POP_HOT,
	[DZR_CLEAN] = DZR_POP_CLEAN,
	[DZR_COLD] = DZR_POP_COLD,
	[DZR_AHEAD] = DZR_POP_CLEAN,
};

void dzr_count_move(struct dzr_dev *d, enum dzr_state from, enum dzr_state to)
{
	if (from == to)
		return;
	if (dzr_population[from] >= 0)
		dzr_stat_add(d->stats, dzr_population[from], -1);
	if (dzr_population[to] >= 0)
		dzr_stat_add(d->stats, dzr_population[to], 1);
}

u64 dzr_clean_word(struct dzr_dev *d, struct dzr_entry e)
{
	u64 word;

	dzs_read(d->pool, dzr_entry_handle(e), &word, 0, sizeof(word));
	return word;
}

/* Let go of what an entry held, which no entry holds any more. */
static void dzr_release(struct dzr_dev *d, struct dzr_entry old)
{
	u64 word;

	switch (old.state) {
	case DZR_HOT:
		dzs_free(d->pool, dzr_entry_handle(old));
		break;
	case DZR_CLEAN:
	case DZR_AHEAD:
		word = dzr_clean_word(d, old);
		dzs_free(d->pool, dzr_entry_handle(old));
		if (word & DZR_CLEAN_AHEAD)
			dzr_stat_add(d->stats, DZR_STAT_PRECLEAN_WASTED, 1);
		dzr_log_put(d->log, dzr_word_loc(word));
		break;
	case DZR_COLD:
		dzr_log_put(d->log, dzr_entry_loc(old));
		break;
	default:
		break;
	}
}

/* Make an entry COLD, whatever it was. */
static void dzr_replace_cold(struct dzr_dev *d, unsigned long *slot,
			     struct dzr_append *a)
{
	struct dzr_entry old = dzr_entry_lock(slot);

	dzr_log_publish(a);
	dzr_entry_set(slot, (struct dzr_entry){
		.state = DZR_COLD,
		.value = (__force u64)a->loc,
		.age = READ_ONCE(d->policy)->chilled(),
	});
	dzr_entry_unlock(slot);
	dzr_count_move(d, old.state, DZR_COLD);
	dzr_release(d, old);
}

/* Make an entry something new in RAM, whatever it was. */
static void dzr_replace(struct dzr_dev *d, unsigned long *slot,
			enum dzr_state state, u64 value)
{
	const struct dzr_policy *policy = READ_ONCE(d->policy);
	struct dzr_entry new = { .state = state, .value = value };
	struct dzr_entry old;

	old = dzr_entry_lock(slot);
	if (dzr_entry_in_pool(old))
		new.age = policy->touch(old.age, true);
	else
		new.age = policy->born();
	dzr_entry_set(slot, new);
	dzr_entry_unlock(slot);
	dzr_count_move(d, old.state, state);
	dzr_release(d, old);
}

/* Is the block one word, repeated, of those that an entry has room for? */
static bool dzr_same_filled(const void *src, u64 *value)
{
	const u64 *word = src;

	if (word[0] != word[1] ||
	    word[0] != word[DZR_BLOCK_SIZE / sizeof(*word) - 1])
		return false;
	if (memcmp(word, word + 1, DZR_BLOCK_SIZE - sizeof(*word)))
		return false;
	return dzr_fill_pack(word[0], value);
}

/**
 * struct dzr_packed - a block as it will be stored
 * @data: the bytes
 * @len: their number
 * @codec: how they are compressed
 * @waited: of a bio that has waited before
 */
struct dzr_packed {
	const void *data;
	u32 len;
	u8 codec;
	bool waited;
};

static int dzr_store_hot(struct dzr_dev *d, u32 block, unsigned long *slot,
			 const struct dzr_packed *p)
{
	dzs_handle_t handle;
	unsigned long pages;
	int err;

	err = dzs_alloc(d->pool, block, p->data, p->len, &handle);
	if (unlikely(dzs_needs_refill(d->pool)))
		dzr_dev_refill(d);
	if (err)
		return err;
	dzr_replace(d, slot, DZR_HOT, dzr_pool_value(handle, p->codec));

	/* A racy maximum: good enough for a statistic. */
	pages = dzs_pages(d->pool);
	if (pages > READ_ONCE(d->peak))
		WRITE_ONCE(d->peak, pages);
	return 0;
}

static int dzr_store_cold(struct dzr_dev *d, u32 block, unsigned long *slot,
			  const struct dzr_packed *p)
{
	struct dzr_append a;
	int err;

	/* Those that came before, and wait for the log, must not starve. */
	if (!p->waited && atomic_read(&d->nr_deferred))
		return -EAGAIN;
	err = dzr_log_reserve(d->log, DZR_STREAM_USER, block, p->codec,
			      p->len, &a);
	if (err)
		return err;
	memcpy(a.data, p->data, p->len);
	dzr_replace_cold(d, slot, &a);
	dzr_log_commit(&a, true);
	dzr_stat_add(d->stats, DZR_STAT_SPILLS, 1);
	trace_dzr_spill(d->dev, block, p->len, dzr_loc_seg(a.loc));
	return 0;
}

/*
 * No page, and no log to go to: wait for the reserve to be filled up again,
 * which asks reclaim; but not for ever.
 */
static int dzr_starve(struct dzr_dev *d, const struct dzr_packed *p)
{
	dzr_dev_refill(d);
	if (!p->waited)
		return -EAGAIN;
	if (!d->starved)
		d->starved = jiffies | 1;
	return time_before(jiffies, d->starved + DZR_STARVE_JIFFIES) ? -EAGAIN :
								      -ENOMEM;
}

/*
 * Store a compressed block in the tier that has room for it. Returns what
 * matters most: whether waiting helps, or why nothing does.
 */
static int dzr_store_packed(struct dzr_dev *d, u32 block, unsigned long *slot,
			    const struct dzr_packed *p)
{
	bool below = dzr_dev_pool_bytes(d) < READ_ONCE(d->limit);
	bool raw = p->codec == DZR_CODEC_RAW && !READ_ONCE(d->thrifty);
	int hot = -ENOSPC, cold = -EIO;

	if (raw && d->log)
		cold = dzr_store_cold(d, block, slot, p);
	if (raw && !cold)
		return 0;
	if (below)
		hot = dzr_store_hot(d, block, slot, p);
	if (!hot)
		return 0;
	if (!raw && d->log)
		cold = dzr_store_cold(d, block, slot, p);
	if (cold != -EIO)
		return cold;
	/*
	 * The cold device takes no writes, or there is none: what is left is
	 * RAM, with a cold device beyond the limit. A log that is just full
	 * (-ENOSPC) is no reason for that.
	 */
	if (!below && d->log)
		hot = dzr_store_hot(d, block, slot, p);
	return hot == -ENOMEM ? dzr_starve(d, p) : hot;
}

int dzr_store(struct dzr_dev *d, struct dzr_stream *st, u32 block,
	      const void *src, bool waited)
{
	gfp_t gfp = waited ? DZR_GFP_WAITED : GFP_NOWAIT;
	unsigned long *slot = dzr_btable_get(d->bt, block, gfp);
	struct dzr_packed p = {
		.data = st->ws.buf,
		.codec = dzr_stream_codec(st),
		.waited = waited,
	};
	u64 fill;
	int err;

	if (unlikely(dzr_btable_needs_refill(d->bt)))
		dzr_dev_refill(d);
	if (!slot)
		return -EAGAIN;
	if (dzr_same_filled(src, &fill)) {
		dzr_replace(d, slot, DZR_FILL, fill);
		return 0;
	}
	if (dzr_stream_compress(st, src, &p.len) || p.len > DZS_MAX_SIZE) {
		p.data = src;
		p.len = DZR_BLOCK_SIZE;
		p.codec = DZR_CODEC_RAW;
	}
	err = dzr_store_packed(d, block, slot, &p);
	if (!err && p.codec == DZR_CODEC_RAW)
		dzr_stat_add(d->stats, DZR_STAT_RAW, 1);
	return err;
}

static void dzr_fill_block(void *dst, u64 word)
{
	if (word)
		memset64(dst, word, DZR_BLOCK_SIZE / sizeof(word));
	else
		memset(dst, 0, DZR_BLOCK_SIZE);
}

int dzr_unpack(struct dzr_stream *st, u8 codec, const void *data, u32 len,
	       void *dst)
{
	if (codec != DZR_CODEC_RAW)
		return dzr_stream_decompress(st, codec, data, len, dst);
	if (len != DZR_BLOCK_SIZE)
		return -EIO;
	memcpy(dst, data, len);
	return 0;
}

/* Mark a locked entry as accessed, writing it only if that changes it. */
static void dzr_set_age(unsigned long *slot, struct dzr_entry e, u8 age)
	__must_hold(bitlock)
{
	if (e.age == age)
		return;
	e.age = age;
	dzr_entry_set(slot, e);
}

/*
 * The block is in the pool: copy it out under the entry lock, so that it
 * cannot be moved or freed, and decompress after.
 */
static int dzr_load_hot(struct dzr_dev *d, struct dzr_stream *st,
			unsigned long *slot, struct dzr_entry e, void *dst)
	__releases(bitlock)
{
	dzs_handle_t handle = dzr_entry_handle(e);
	u32 skip = dzr_entry_is_clean(e) ? DZR_CLEAN_PREFIX : 0;
	u32 len;

	if (unlikely(e.state == DZR_AHEAD))
		e = dzr_readahead_hit(d, slot, e);
	dzr_set_age(slot, e, READ_ONCE(d->policy)->touch(e.age, false));
	if (dzs_is_huge(handle)) {
		memcpy(dst, dzs_map_huge(handle), DZR_BLOCK_SIZE);
		dzr_entry_unlock(slot);
		return 0;
	}
	len = dzs_size(d->pool, handle) - skip;
	dzs_read(d->pool, handle, st->ws.buf, skip, len);
	dzr_entry_unlock(slot);
	return dzr_unpack(st, dzr_entry_codec(e), st->ws.buf, len, dst);
}

/* The block is in the log: pin it, and take it from the buffer if it can be. */
static int dzr_load_cold(struct dzr_dev *d, struct dzr_stream *st, u32 block,
			 unsigned long *slot, struct dzr_entry e, void *dst,
			 struct dzr_miss *miss)
	__releases(bitlock)
{
	const struct dzr_object_header *hdr;
	int err;

	dzr_log_pin(d->log, dzr_entry_loc(e), &miss->pin);
	miss->age = e.age;
	dzr_set_age(slot, e, READ_ONCE(d->policy)->cold_touch(e.age));
	dzr_entry_unlock(slot);
	if (!miss->pin.data)
		return -EINPROGRESS;
	hdr = (const void *)(miss->pin.data - sizeof(*hdr));
	if (dzr_loc_grouped(miss->pin.loc))
		err = dzr_group_load(d, hdr, block, dst);
	else
		err = dzr_unpack(st, hdr->codec, miss->pin.data,
				 dzr_loc_len(miss->pin.loc), dst);
	dzr_log_unpin(&miss->pin);
	dzr_stat_add(d->stats, DZR_STAT_BUFFER_READS, 1);
	return err;
}

int dzr_load(struct dzr_dev *d, struct dzr_stream *st, u32 block, void *dst,
	     struct dzr_miss *miss)
{
	unsigned long *slot = dzr_btable_find(d->bt, block);
	struct dzr_entry e = {};
	int err = 0;

	if (slot)
		e = dzr_entry_peek(slot);
	if (e.state == DZR_EMPTY || e.state == DZR_FILL) {
		dzr_fill_block(dst, dzr_fill_unpack(e.value));
		return 0;
	}
	e = dzr_entry_lock(slot);
	if (dzr_entry_in_pool(e)) {
		if (dzr_reuse_sample(block))
			dzr_stat_pool_read(d->stats, e.age);
		err = dzr_load_hot(d, st, slot, e, dst);
	} else if (e.state == DZR_COLD) {
		err = dzr_load_cold(d, st, block, slot, e, dst, miss);
	} else {
		dzr_entry_unlock(slot);
		dzr_fill_block(dst, dzr_fill_unpack(e.value));
	}
	return err;
}

void dzr_unload(struct dzr_dev *d, u32 block, struct dzr_miss *miss)
{
	unsigned long *slot = dzr_btable_find(d->bt, block);
	struct dzr_entry e = dzr_entry_lock(slot);

	if (e.state == DZR_COLD && dzr_entry_loc(e) == miss->pin.loc)
		dzr_set_age(slot, e, miss->age);
	dzr_entry_unlock(slot);
	dzr_log_unpin(&miss->pin);
}

/**
 * struct dzr_gone - what entries held that are empty now
 * @old: the entries; what they refer to is ours
 * @n: their number
 */
struct dzr_gone {
	struct dzr_entry old[DZR_DISCARD_BATCH];
	unsigned int n;
};

/*
 * Let go of all of it. Objects lie far apart and nobody has looked at them for
 * long: ask for all before the first is needed.
 */
static void dzr_gone_release(struct dzr_dev *d, struct dzr_gone *gone)
{
	unsigned int i;

	for (i = 0; i < gone->n; i++)
		if (dzr_entry_in_pool(gone->old[i]))
			dzs_prefetch_zspage(dzr_entry_handle(gone->old[i]));
	for (i = 0; i < gone->n; i++)
		if (dzr_entry_in_pool(gone->old[i]))
			dzs_prefetch(d->pool, dzr_entry_handle(gone->old[i]));
	for (i = 0; i < gone->n; i++)
		dzr_release(d, gone->old[i]);
	gone->n = 0;
}

/* Empty an entry, unless it is. */
static void dzr_empty(unsigned long *slot, struct dzr_gone *gone)
{
	if (dzr_entry_peek(slot).state == DZR_EMPTY)
		return;
	gone->old[gone->n++] = dzr_entry_lock(slot);
	dzr_entry_set(slot, (struct dzr_entry){ .state = DZR_EMPTY });
	dzr_entry_unlock(slot);
}

/* Discard the blocks from @block to @end, which one leaf holds. */
static void dzr_discard_leaf(struct dzr_dev *d, u64 block, u64 end)
{
	unsigned long *slot = dzr_btable_find(d->bt, block);
	u32 by_state[DZR_NR_STATES] = {};
	struct dzr_gone gone = { .n = 0 };
	enum dzr_state state;
	unsigned int i;

	while (block < end) {
		u64 stop = min(end, block + DZR_DISCARD_BATCH);

		for (; block < stop; block++)
			dzr_empty(slot++, &gone);
		for (i = 0; i < gone.n; i++)
			by_state[gone.old[i].state]++;
		dzr_gone_release(d, &gone);
	}
	for (state = DZR_EMPTY + 1; state < DZR_NR_STATES; state++) {
		if (!by_state[state])
			continue;
		dzr_stat_add(d->stats, dzr_population[state],
			     -(s64)by_state[state]);
		dzr_stat_add(d->stats, DZR_STAT_DISCARDS, by_state[state]);
	}
}

void dzr_discard(struct dzr_dev *d, u64 block, u64 nr)
{
	u64 end = block + nr;

	for (block = dzr_btable_next(d->bt, block); block < end;
	     block = dzr_btable_next(d->bt, block)) {
		u64 stop = min(end, (block / DZR_LEAF_BLOCKS + 1) *
				    DZR_LEAF_BLOCKS);

		dzr_discard_leaf(d, block, stop);
		block = stop;
		cond_resched();
	}
}

void dzr_forget(struct dzr_dev *d)
{
	u64 nr = dzr_btable_blocks(d->bt);
	u64 block = dzr_btable_next(d->bt, 0);

	while (block < nr) {
		struct dzr_entry e;

		e = dzr_entry_peek(dzr_btable_find(d->bt, block));
		if (dzr_entry_in_pool(e))
			dzs_free(d->pool, dzr_entry_handle(e));
		if (++block % DZR_LEAF_BLOCKS == 0) {
			block = dzr_btable_next(d->bt, block);
			cond_resched();
		}
	}
}

/*
 * Put what the entry had when it was @was into the claimed room, if it still
 * has that. It is COLD from then on.
 */
static bool dzr_demote_into(struct dzr_dev *d, unsigned long *slot,
			    struct dzr_entry was, struct dzr_append *a)
{
	dzs_handle_t handle = dzr_entry_handle(was);
	struct dzr_entry e = dzr_entry_lock(slot);
	bool same;

	same = e.state == DZR_HOT && e.value == was.value &&
	       dzs_size(d->pool, handle) == a->len;
	if (same) {
		dzs_read(d->pool, handle, a->data, 0, a->len);
		dzr_log_publish(a);
		dzr_entry_set(slot, (struct dzr_entry){
			.state = DZR_COLD,
			.value = (__force u64)a->loc,
			.age = READ_ONCE(d->policy)->chilled(),
		});
	}
	dzr_entry_unlock(slot);
	return same;
}

int dzr_demote(struct dzr_dev *d, u32 block, unsigned long *slot,
	       enum dzr_cause cause)
{
	struct dzr_append a;
	struct dzr_entry e;
	bool moved;
	u32 len;
	int err;

	lockdep_assert_held(&d->hand_lock);

	if (dzr_drop(d, block, slot, cause))
		return 1;
	e = dzr_entry_lock(slot);
	if (e.state != DZR_HOT) {
		dzr_entry_unlock(slot);
		return 0;
	}
	len = dzs_size(d->pool, dzr_entry_handle(e));
	dzr_entry_unlock(slot);

	err = dzr_log_reserve(d->log, DZR_STREAM_USER, block,
			      dzr_entry_codec(e), len, &a);
	if (err)
		return err;
	moved = dzr_demote_into(d, slot, e, &a);
	dzr_log_commit(&a, moved);
	if (!moved)
		return 0;
	dzs_free(d->pool, dzr_entry_handle(e));
	dzr_count_move(d, DZR_HOT, DZR_COLD);
	dzr_stat_add(d->stats, DZR_STAT_DEMOTIONS, 1);
	trace_dzr_demote(d->dev, block, len, dzr_loc_seg(a.loc), e.age, cause);
	return 1;
}

bool dzr_promote(struct dzr_dev *d, u32 block, dzr_loc_t loc, u8 codec,
		 const void *data, u32 len, u8 age, bool ahead)
{
	bool clean = len + DZR_CLEAN_PREFIX <= DZS_MAX_SIZE;
	struct dzr_entry e, new = {
		.state = !clean ? DZR_HOT : ahead ? DZR_AHEAD : DZR_CLEAN,
		.age = ahead ? DZR_AGE_AHEAD : READ_ONCE(d->policy)->born(),
	};
	unsigned long *slot = dzr_btable_find(d->bt, block);
	dzs_handle_t handle;
	bool same;

	if (dzr_dev_pool_bytes(d) >= READ_ONCE(d->limit) || (ahead && !clean))
		return false;
	/* The reserve is for writes, which have to find a page. */
	if (unlikely(dzs_needs_refill(d->pool))) {
		dzr_dev_refill(d);
		return false;
	}
	/* What nobody here has written: the entry could not say it. */
	if (WARN_ON_ONCE((codec == DZR_CODEC_RAW) != (len == DZS_HUGE_SIZE)))
		return false;
	if (clean ? dzs_alloc2(d->pool, block, &loc, sizeof(loc), data, len,
			       &handle) :
		    dzs_alloc(d->pool, block, data, len, &handle))
		return false;
	new.value = dzr_pool_value(handle, codec);
	e = dzr_entry_lock(slot);
	same = e.state == DZR_COLD && dzr_entry_loc(e) == loc;
	if (same)
		dzr_entry_set(slot, new);
	dzr_entry_unlock(slot);
	if (!same) {
		dzs_free(d->pool, handle);
		return false;
	}
	dzr_count_move(d, DZR_COLD, new.state);
	dzr_stat_add(d->stats, ahead ? DZR_STAT_AHEAD : DZR_STAT_PROMOTIONS, 1);
	if (!ahead)
		trace_dzr_promote(d->dev, block, len, dzr_loc_seg(loc), age,
				  clean);
	if (!clean)
		dzr_log_put(d->log, loc);
	return true;
}
