/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tiers: storing one block, loading it, and moving it between pool and log.
 *
 * All changes of entries are made here, in owner.c and in preclean.c. The pattern is one: lock the entry,
 * compare or exchange, unlock, and only then let go of what the entry held.
 */
#ifndef DZR_TIER_H
#define DZR_TIER_H

#include "device.h"

/**
 * dzr_store - store one block
 * @d: the device
 * @st: a codec workspace, held
 * @block: which
 * @src: its 4096 bytes; may be the stream's block
 * @waited: the caller is the worker, with a bio that has waited before
 *
 * Goes to the pool, or compressed straight to the log when the pool is at its
 * limit or no page can be had. An incompressible block saves no memory in the
 * pool: it goes straight to the log whenever that has a buffer free, unless
 * the wear budget is used up.
 *
 * Context: process; never sleeps for I/O, and for memory (a page of the block
 * table) only if @waited.
 * Return: 0; -EAGAIN: the caller must wait for a kick; -ENOSPC, -ENOMEM or
 * -EIO when neither tier can take the block.
 */
int dzr_store(struct dzr_dev *d, struct dzr_stream *st, u32 block,
	      const void *src, bool waited);

/**
 * struct dzr_miss - a block that must be read from the cold device
 * @pin: keeps it there
 * @age: its age before this access
 */
struct dzr_miss {
	struct dzr_pin pin;
	u8 age;
};

/**
 * dzr_load - load one block
 * @d: the device
 * @st: a codec workspace, held
 * @block: which
 * @dst: 4096 bytes for it; may be the stream's block
 * @miss: filled in for -EINPROGRESS
 *
 * Context: process.
 * Return: 0; -EINPROGRESS: the block must be read, and @miss has it pinned;
 * -EIO: the stored block cannot be decompressed.
 */
int dzr_load(struct dzr_dev *d, struct dzr_stream *st, u32 block, void *dst,
	     struct dzr_miss *miss);

/**
 * dzr_unload - a block that dzr_load() has found cold cannot be read yet
 * @d: the device
 * @block: which
 * @miss: what dzr_load() said; unpinned
 *
 * It is tried again, and until then it has not been accessed: its age is what it
 * was, or the second try would look like a second read.
 *
 * Context: process.
 */
void dzr_unload(struct dzr_dev *d, u32 block, struct dzr_miss *miss);

/**
 * dzr_unpack - decompress a block that is an object of its own
 * @st: a codec workspace, held
 * @codec: how it is compressed
 * @data: the compressed block
 * @len: its length
 * @dst: 4096 bytes for the block
 *
 * Context: process.
 * Return: 0 or -EIO.
 */
int dzr_unpack(struct dzr_stream *st, u8 codec, const void *data, u32 len,
	       void *dst);

/**
 * dzr_discard - forget blocks
 * @d: the device
 * @block: the first
 * @nr: how many
 *
 * Context: process; reschedules. Ranges that were never touched cost nothing.
 */
void dzr_discard(struct dzr_dev *d, u64 block, u64 nr);

/**
 * dzr_forget - free all pool objects of a device that goes away
 * @d: the device; nobody uses its table, pool or log any more
 *
 * The allocator has no list of whole-page objects: the entries are that list.
 *
 * Context: process; reschedules.
 */
void dzr_forget(struct dzr_dev *d);

/**
 * dzr_demote - move one block from the pool to the log
 * @d: the device
 * @block: which
 * @slot: its entry
 * @cause: what for
 *
 * A clean copy is dropped; anything else is appended to the log. From then on
 * reads are served from the segment's buffer, so nothing is gained by waiting
 * for the write before the entry is changed.
 *
 * Context: process; hand_lock held.
 * Return: 1 if the block left the pool, 0 if it was not there any more, or
 * -EAGAIN, -ENOSPC, -EIO as dzr_log_reserve().
 */
int dzr_demote(struct dzr_dev *d, u32 block, unsigned long *slot,
	       enum dzr_cause cause);

/**
 * dzr_promote - give a block that was read from the log a copy in the pool
 * @d: the device
 * @block: which
 * @loc: where it was read
 * @codec: how @data is compressed
 * @data: as stored there, or, of a group, compressed alone
 * @len: its length
 * @age: of the entry before the read
 * @ahead: nobody has asked for the block, it was read with another
 *
 * Nothing happens if the pool is near its limit, or in want of pages, or the
 * block has changed, or if it came @ahead and has no room for its location.
 *
 * Context: process.
 * Return: true if it has a copy now.
 */
bool dzr_promote(struct dzr_dev *d, u32 block, dzr_loc_t loc, u8 codec,
		 const void *data, u32 len, u8 age, bool ahead);

/*
 * A CLEAN object starts with a word: its location in the log, and whether it was
 * written ahead of need; else it was promoted.
 */
#define DZR_CLEAN_PREFIX	sizeof(u64)
#define DZR_CLEAN_AHEAD		(1ULL << 63)

static_assert(DZR_ENTRY_VALUE_BITS < 63);

/* The location that such a word has. */
static inline dzr_loc_t dzr_word_loc(u64 word)
{
	return (__force dzr_loc_t)(word & ~DZR_CLEAN_AHEAD);
}

/**
 * dzr_clean_word - the first word of a CLEAN block's object
 * @d: the device
 * @e: its entry
 *
 * Context: process, with the entry locked, or when no entry holds the object
 * any more.
 * Return: the word.
 */
u64 dzr_clean_word(struct dzr_dev *d, struct dzr_entry e);

/**
 * dzr_count_move - a block has gone from one state to another
 * @d: the device
 * @from: the state before
 * @to: the state now
 *
 * Context: process.
 */
void dzr_count_move(struct dzr_dev *d, enum dzr_state from, enum dzr_state to);

/*
 * What the allocator asks of the owner of the entries; its argument is ours.
 * This and the next are in owner.c.
 */
extern const struct dzs_ops dzr_pool_ops;

/* What the log asks. */
extern const struct dzr_log_ops dzr_log_ops;

#endif /* DZR_TIER_H */
