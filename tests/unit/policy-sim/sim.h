/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies, simulated: what the parts share.
 *
 *   trace.c	accesses: read from a file, or generated
 *   sim.c	a device in numbers: what is in RAM, and what that costs
 *   clock.c	the kernel's policies: policy.c, driven as demote.c does
 *   lru.c	LRU
 *   s3fifo.c	S3-FIFO
 *   sieve.c	SIEVE
 *   arc.c	ARC
 *   opt.c	what nobody can beat
 *   main.c	the traces that are measured, tables and rows of JSON
 *
 * A block in RAM is hot, one only on the cold device is cold. Every write makes
 * a block hot, as in the kernel. Whether a read does, and which blocks have to
 * leave, is what a policy decides.
 */
#ifndef POLICY_SIM_H
#define POLICY_SIM_H

#include <linux/types.h>

#include "policy.h"

/* No block. */
#define NONE	U32_MAX

enum op { READ, WRITE, DISCARD };

/**
 * struct access - one block is read, written or discarded
 * @block: which
 * @ms: when, since the begin
 * @op: what
 */
struct access {
	u32 block;
	u32 ms : 30;
	u32 op : 2;
};

/**
 * struct trace - accesses to a device that is empty at first
 * @a: the accesses, in order
 * @nr: their number
 * @max: room in @a
 * @blocks: size of the device
 * @footprint: the most blocks that were stored at a time
 * @seed: of the random numbers
 */
struct trace {
	struct access *a;
	u32 nr;
	u32 max;
	u32 blocks;
	u32 footprint;
	uint64_t seed;
};

/**
 * struct result - what a policy has made of a trace
 * @reads: of blocks that were stored
 * @hits: of these, in RAM
 * @promotions: cold reads that made a block hot
 * @demotions: blocks written to the cold device
 * @drops: hot blocks let go that had a copy there
 * @bytes: written to the cold device: objects with their headers, packed into
 *	segments; no cleaning
 * @dead: demotions of what was then overwritten or discarded before it was read
 * @pingpong: blocks that left RAM within as many accesses after their promotion
 *	as RAM has blocks, and were not read in between
 * @peak: the most hot blocks at a time
 */
struct result {
	u64 reads;
	u64 hits;
	u64 promotions;
	u64 demotions;
	u64 drops;
	u64 bytes;
	u64 dead;
	u64 pingpong;
	u32 peak;
};

enum where { EMPTY, HOT, CLEAN, COLD };

struct sim;

/**
 * struct engine - a policy as the simulation sees it
 * @name: in tables
 * @exact: it is told of each access, and may use all of the limit
 * @create: its state
 * @destroy: frees that
 * @enters: a block became hot; @promoted by a read, else by a write
 * @hit: a hot block is accessed
 * @gone: a block is discarded; it was hot or cold, as sim_where() still says
 * @miss: a cold block is read; true: make it hot
 * @room: let blocks leave, by sim_leaves(), until no more than @target are hot
 * @tick: another second has passed; may be NULL
 */
struct engine {
	const char *name;
	bool exact;
	void *(*create)(struct sim *s);
	void (*destroy)(void *e);
	void (*enters)(void *e, u32 block, bool promoted);
	void (*hit)(void *e, u32 block, enum op op);
	void (*gone)(void *e, u32 block);
	bool (*miss)(void *e, u32 block);
	void (*room)(void *e, u32 target);
	void (*tick)(void *e);
};

/**
 * struct block - a block of the device
 * @where: it is
 * @unread: it left RAM and was not read since
 * @promoted: the access that promoted it; NONE: it was written or read since
 * @version: how often it was written: its length depends on that
 */
struct block {
	u8 where;
	u8 unread;
	u16 version;
	u32 promoted;
};

/**
 * struct sim - a device
 * @t: what is done with it
 * @limit: blocks that RAM holds
 * @marks: above and down to which blocks leave
 * @now: the present access
 * @hot: hot blocks
 * @block: all blocks
 * @r: the result so far
 */
struct sim {
	const struct trace *t;
	u32 limit;
	struct dzr_marks marks;
	u32 now;
	u32 hot;
	struct block *block;
	struct result r;
};

extern const struct engine engine_age, engine_plain, engine_fifo, engine_lru,
	engine_s3fifo, engine_sieve, engine_arc, engine_opt;

/* @trace with RAM for @limit blocks under @engine. */
void sim_run(const struct trace *t, u32 limit, const struct engine *engine,
	     struct result *r);
enum where sim_where(const struct sim *s, u32 block);
bool sim_is_hot(const struct sim *s, u32 block);
/* A hot block is demoted, or dropped. */
void sim_leaves(struct sim *s, u32 block);

/* Returns false if there is no such generated trace. */
bool trace_generate(struct trace *t, const char *name, u32 blocks, u32 nr);
/* Returns false if @file cannot be read or has something else. */
bool trace_read(struct trace *t, const char *file);
void trace_add(struct trace *t, enum op op, u32 block, u32 ms);
/* Sets blocks and footprint. */
void trace_finish(struct trace *t);
void trace_fini(struct trace *t);

/**
 * struct queue - blocks in an order; a block is in one of several at most
 * @next: towards the oldest, of all blocks; shared by the queues of an engine
 * @prev: towards the newest
 * @newest: NONE if it is empty
 * @oldest: likewise
 * @nr: blocks
 */
struct queue {
	u32 *next;
	u32 *prev;
	u32 newest;
	u32 oldest;
	u32 nr;
};

/* The first queue of an engine allocates, the others share with it. */
void queue_init(struct queue *q, u32 blocks, const struct queue *share);
void queue_fini(struct queue *q);
void queue_push(struct queue *q, u32 block);
void queue_remove(struct queue *q, u32 block);

#endif /* POLICY_SIM_H */
