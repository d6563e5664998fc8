/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Block table: where each block of the device lives now.
 *
 * One word (an entry) for each block, in leaves of one page; leaves hang off
 * interior pages of pointers, and those off a root array. Interior pages and
 * leaves appear at the first write to their range and stay until the table
 * goes, so a pointer to an entry is good for the life of the table and lookup
 * takes no lock. A table can grow, beside lookups.
 *
 * An entry, from bit 0: lock (1), age (3), state (3), value (57). An entry is
 * changed only with its lock bit held. The lock is a bit spinlock: nothing
 * under it sleeps, does I/O, allocates, or compresses.
 *
 * Lock order: entry -> anything of the allocator; entry -> log lock; see
 * Documentation/locking.rst.
 *
 * Pure: compiles unmodified in user space (tests/unit).
 */
#ifndef DZR_BTABLE_H
#define DZR_BTABLE_H

#include <linux/bit_spinlock.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/types.h>

#include "codec.h"
#include "dzs.h"

#define DZR_ENTRY_LOCK_BIT	0
#define DZR_ENTRY_AGE_SHIFT	1
#define DZR_ENTRY_AGE_MASK	0x7UL
#define DZR_ENTRY_STATE_SHIFT	4
#define DZR_ENTRY_STATE_MASK	0x7UL
#define DZR_ENTRY_VALUE_SHIFT	7
#define DZR_ENTRY_VALUE_BITS	57

/*
 * The value of a block in the pool: the object's handle without the bit that
 * says whether it is huge, and how it is compressed: a huge one is not.
 */
#define DZR_POOL_CODEC_SHIFT	(DZS_HANDLE_BITS - 1)
#define DZR_POOL_CODEC_BITS	2

/* Entries are changed with word-sized atomics. */
static_assert(sizeof(unsigned long) == sizeof(u64));
static_assert(DZR_POOL_CODEC_SHIFT + DZR_POOL_CODEC_BITS ==
	      DZR_ENTRY_VALUE_BITS);
static_assert(DZR_NR_CODECS <= 1 << DZR_POOL_CODEC_BITS);
static_assert(DZR_CODEC_RAW == 0);

/**
 * enum dzr_state - where a block lives
 * @DZR_EMPTY: nowhere; reads as zeroes; value 0
 * @DZR_FILL: one repeated word; the value is the packed word
 * @DZR_HOT: a pool object holds the block; the value says which, and how it is
 *	compressed
 * @DZR_CLEAN: as HOT, and the log has a valid copy, whose location is the
 *	first eight bytes of the object: dropping the object costs no I/O
 * @DZR_COLD: only the log has it; the value is the location
 * @DZR_AHEAD: as CLEAN, but nobody has asked for the block yet: it came to the
 *	pool with a neighbour
 * @DZR_NR_STATES: how many there are
 */
enum dzr_state {
	DZR_EMPTY,
	DZR_FILL,
	DZR_HOT,
	DZR_CLEAN,
	DZR_COLD,
	DZR_AHEAD,
	DZR_NR_STATES,
};

/*
 * Where an object lies in the log: segment (26 bits), kind (1), and for an
 * object of one block the offset of its header in units of eight bytes (18) and
 * the length of its data (12; 0 says 4096).
 *
 * For a member of a group (see group.h) the offset has 17 bits; what follows is
 * what the whole group takes in units of 128 bytes, less one (6), and the
 * member's weight in units of 32 bytes (7): what it would take alone. Which
 * member it is follows from the number of the block.
 */
typedef u64 __bitwise dzr_loc_t;

#define DZR_LOC_LEN_BITS	12
#define DZR_LOC_OFF_BITS	18
#define DZR_LOC_SEG_BITS	26
#define DZR_LOC_SEG_SHIFT	(DZR_LOC_LEN_BITS + DZR_LOC_OFF_BITS + 1)
#define DZR_LOC_GROUP_BIT	(DZR_LOC_LEN_BITS + DZR_LOC_OFF_BITS)
#define DZR_LOC_UNIT		8U
#define DZR_MAX_SEGMENTS	(1U << DZR_LOC_SEG_BITS)

#define DZR_GLOC_WEIGHT_BITS	7
#define DZR_GLOC_SIZE_BITS	6
#define DZR_GLOC_OFF_SHIFT	(DZR_GLOC_WEIGHT_BITS + DZR_GLOC_SIZE_BITS)
#define DZR_GLOC_OFF_BITS	(DZR_LOC_GROUP_BIT - DZR_GLOC_OFF_SHIFT)
#define DZR_GLOC_WEIGHT_UNIT	32U
#define DZR_GLOC_SIZE_UNIT	128U

static_assert(DZR_LOC_SEG_SHIFT + DZR_LOC_SEG_BITS == DZR_ENTRY_VALUE_BITS);

static inline dzr_loc_t dzr_loc(u32 seg, u32 off, u32 len)
{
	return (__force dzr_loc_t)(((u64)seg << DZR_LOC_SEG_SHIFT) |
				   ((u64)(off / DZR_LOC_UNIT) <<
				    DZR_LOC_LEN_BITS) |
				   (len & ((1U << DZR_LOC_LEN_BITS) - 1)));
}

static inline bool dzr_loc_grouped(dzr_loc_t loc)
{
	return (__force u64)loc & BIT_ULL(DZR_LOC_GROUP_BIT);
}

static inline u32 dzr_loc_seg(dzr_loc_t loc)
{
	return (__force u64)loc >> DZR_LOC_SEG_SHIFT;
}

static inline u32 dzr_loc_off(dzr_loc_t loc)
{
	u64 v = (__force u64)loc & (BIT_ULL(DZR_LOC_GROUP_BIT) - 1);

	return (v >> (dzr_loc_grouped(loc) ? DZR_GLOC_OFF_SHIFT :
					     DZR_LOC_LEN_BITS)) * DZR_LOC_UNIT;
}

/* Of an object of one block. */
static inline u32 dzr_loc_len(dzr_loc_t loc)
{
	u32 len = (__force u64)loc & ((1U << DZR_LOC_LEN_BITS) - 1);

	return len ? len : 1U << DZR_LOC_LEN_BITS;
}

/* Of a member of a group of @size bytes, 1 to 8192, which weighs @weight units. */
static inline dzr_loc_t dzr_gloc(u32 seg, u32 off, u32 size, u8 weight)
{
	return (__force dzr_loc_t)(((u64)seg << DZR_LOC_SEG_SHIFT) |
				   BIT_ULL(DZR_LOC_GROUP_BIT) |
				   ((u64)(off / DZR_LOC_UNIT) <<
				    DZR_GLOC_OFF_SHIFT) |
				   ((u64)((size - 1) / DZR_GLOC_SIZE_UNIT) <<
				    DZR_GLOC_WEIGHT_BITS) | weight);
}

static inline u8 dzr_gloc_weight(dzr_loc_t loc)
{
	return (__force u64)loc & ((1U << DZR_GLOC_WEIGHT_BITS) - 1);
}

/* What the group takes, rounded up. */
static inline u32 dzr_gloc_size(dzr_loc_t loc)
{
	u32 units = ((__force u64)loc >> DZR_GLOC_WEIGHT_BITS) &
		    ((1U << DZR_GLOC_SIZE_BITS) - 1);

	return (units + 1) * DZR_GLOC_SIZE_UNIT;
}

/*
 * A decoded entry. Passed by value; putting it back is one store.
 */
struct dzr_entry {
	u64 value;
	enum dzr_state state;
	u8 age;
};

static inline struct dzr_entry dzr_entry_decode(unsigned long word)
{
	return (struct dzr_entry){
		.value = word >> DZR_ENTRY_VALUE_SHIFT,
		.state = (word >> DZR_ENTRY_STATE_SHIFT) &
			 DZR_ENTRY_STATE_MASK,
		.age = (word >> DZR_ENTRY_AGE_SHIFT) & DZR_ENTRY_AGE_MASK,
	};
}

static inline unsigned long dzr_entry_encode(struct dzr_entry e)
{
	return (e.value << DZR_ENTRY_VALUE_SHIFT) |
	       ((unsigned long)e.state << DZR_ENTRY_STATE_SHIFT) |
	       ((unsigned long)e.age << DZR_ENTRY_AGE_SHIFT);
}

/**
 * dzr_pool_value - the value of a block in the pool
 * @handle: of the object
 * @codec: how it is compressed; DZR_CODEC_RAW if, and only if, it is huge
 */
static inline u64 dzr_pool_value(dzs_handle_t handle, u8 codec)
{
	return ((__force u64)handle & ~DZS_HANDLE_HUGE) |
	       (u64)codec << DZR_POOL_CODEC_SHIFT;
}

/* Of a block in the pool: how it is compressed. */
static inline u8 dzr_entry_codec(struct dzr_entry e)
{
	return e.value >> DZR_POOL_CODEC_SHIFT;
}

/* Of a block in the pool: where it is. */
static inline dzs_handle_t dzr_entry_handle(struct dzr_entry e)
{
	u64 where = e.value & (DZS_HANDLE_HUGE - 1);

	if (dzr_entry_codec(e) == DZR_CODEC_RAW)
		where |= DZS_HANDLE_HUGE;
	return (__force dzs_handle_t)where;
}

static inline dzr_loc_t dzr_entry_loc(struct dzr_entry e)
{
	return (__force dzr_loc_t)e.value;
}

static inline bool dzr_entry_in_pool(struct dzr_entry e)
{
	return e.state == DZR_HOT || e.state == DZR_CLEAN ||
	       e.state == DZR_AHEAD;
}

/* In the pool, with a valid copy in the log? */
static inline bool dzr_entry_is_clean(struct dzr_entry e)
{
	return e.state == DZR_CLEAN || e.state == DZR_AHEAD;
}

/**
 * dzr_entry_peek - a look at an entry without its lock
 * @slot: the entry
 *
 * Good for a hint: the entry may change at any time.
 *
 * Context: any.
 */
static inline struct dzr_entry dzr_entry_peek(const unsigned long *slot)
{
	return dzr_entry_decode(READ_ONCE(*slot));
}

/**
 * dzr_entry_lock - lock an entry
 * @slot: the entry
 *
 * Context: process; spins, disables preemption until dzr_entry_unlock().
 * Return: the entry's contents.
 */
static inline struct dzr_entry dzr_entry_lock(unsigned long *slot)
	__acquires(bitlock)
{
	bit_spin_lock(DZR_ENTRY_LOCK_BIT, slot);
	return dzr_entry_decode(READ_ONCE(*slot));
}

/**
 * dzr_entry_unlock - unlock an entry, leaving it as it is
 * @slot: the entry, locked
 */
static inline void dzr_entry_unlock(unsigned long *slot)
	__releases(bitlock)
{
	bit_spin_unlock(DZR_ENTRY_LOCK_BIT, slot);
}

/**
 * dzr_entry_set - change a locked entry
 * @slot: the entry, locked
 * @e: what it becomes
 */
static inline void dzr_entry_set(unsigned long *slot, struct dzr_entry e)
	__must_hold(bitlock)
{
	WRITE_ONCE(*slot, dzr_entry_encode(e) | BIT(DZR_ENTRY_LOCK_BIT));
}

/**
 * dzr_fill_pack - pack a repeated word into the value of a FILL entry
 * @word: the word
 * @value: the packed form
 *
 * Words that are a sign-extended 56-bit number, and words whose halves are
 * equal, fit.
 *
 * Return: false when @word does not fit.
 */
bool dzr_fill_pack(u64 word, u64 *value);

/**
 * dzr_fill_unpack - the word that a FILL entry stands for
 * @value: of the entry
 */
u64 dzr_fill_unpack(u64 value);

struct dzr_btable;

/**
 * dzr_btable_create - create an empty table
 * @nr_blocks: number of entries; at least 1
 * @reserve: pages set aside for leaves that are needed when the page
 *	allocator has none
 *
 * Context: process; may sleep (GFP_KERNEL).
 * Return: the table, or NULL without memory.
 */
struct dzr_btable *dzr_btable_create(u64 nr_blocks, unsigned int reserve);

/**
 * dzr_btable_destroy - free a table
 * @bt: the table, or NULL
 *
 * What the entries refer to is the caller's business.
 *
 * Context: process; may sleep. Nobody else uses the table.
 */
void dzr_btable_destroy(struct dzr_btable *bt);

/* A root array for a larger table. */
struct dzr_broot;

/**
 * dzr_btable_holds - has the root array room for so many entries?
 * @bt: the table
 * @nr_blocks: how many
 *
 * Context: as dzr_btable_grow().
 */
bool dzr_btable_holds(const struct dzr_btable *bt, u64 nr_blocks);

/**
 * dzr_broot_create - make what a table needs that grows beyond its root array
 * @bt: the table, which is not touched
 * @nr_blocks: number of entries that it will have
 *
 * Context: process; may sleep (GFP_KERNEL).
 * Return: the root array, or NULL without memory.
 */
struct dzr_broot *dzr_broot_create(const struct dzr_btable *bt, u64 nr_blocks);

/**
 * dzr_broot_destroy - free one that was not used
 * @root: from dzr_broot_create(), or NULL
 */
void dzr_broot_destroy(struct dzr_broot *root);

/**
 * dzr_btable_grow - make a table larger
 * @bt: the table
 * @nr_blocks: number of entries, not less than before
 * @reserve: pages set aside, as for dzr_btable_create()
 * @root: made for @nr_blocks, if the table does not hold them; NULL afterwards,
 *	if it was used
 *
 * Context: process. Lookups may be under way, but nobody makes room for an
 * entry (dzr_btable_get()) or grows the table.
 */
void dzr_btable_grow(struct dzr_btable *bt, u64 nr_blocks,
		     unsigned int reserve, struct dzr_broot **root);

/**
 * dzr_btable_find - find the entry of a block
 * @bt: the table
 * @block: block number, below the table's size
 *
 * Context: any; no lock.
 * Return: the entry, or NULL when its range was never touched.
 */
unsigned long *dzr_btable_find(struct dzr_btable *bt, u32 block);

/**
 * dzr_btable_get - find the entry of a block, making room for it
 * @bt: the table
 * @block: block number, below the table's size
 * @gfp: how to allocate; the reserve is used when that fails
 *
 * Context: any that @gfp allows; takes the reserve's spinlock.
 * Return: the entry, or NULL when neither page nor reserve was there.
 */
unsigned long *dzr_btable_get(struct dzr_btable *bt, u32 block, gfp_t gfp);

/**
 * dzr_btable_next - first block at or after one whose range was touched
 * @bt: the table
 * @block: where to start
 *
 * Skips untouched ranges leaf by leaf and interior page by interior page.
 *
 * Context: any; no lock.
 * Return: the block, or the table's size when there is none.
 */
u64 dzr_btable_next(struct dzr_btable *bt, u64 block);

/**
 * dzr_btable_refill - top up the reserve of pages
 * @bt: the table
 * @gfp: how to allocate
 *
 * Context: process; may sleep if @gfp does.
 * Return: true when the reserve is full again.
 */
bool dzr_btable_refill(struct dzr_btable *bt, gfp_t gfp);

/**
 * dzr_btable_needs_refill - is the reserve short?
 * @bt: the table
 *
 * Context: any; no lock.
 */
bool dzr_btable_needs_refill(struct dzr_btable *bt);

/**
 * dzr_btable_blocks - number of entries
 * @bt: the table
 */
u64 dzr_btable_blocks(const struct dzr_btable *bt);

/**
 * dzr_btable_bytes - memory that the table holds, its reserve left out
 * @bt: the table
 *
 * Context: any; no lock.
 * Return: bytes.
 */
u64 dzr_btable_bytes(struct dzr_btable *bt);

/**
 * dzr_btable_reserve_bytes - memory set aside for leaves
 * @bt: the table
 *
 * Return: bytes of a full reserve.
 */
u64 dzr_btable_reserve_bytes(struct dzr_btable *bt);

/* Entries in a leaf; pointers in an interior page. */
#define DZR_LEAF_BLOCKS		(PAGE_SIZE / sizeof(unsigned long))

#endif /* DZR_BTABLE_H */
