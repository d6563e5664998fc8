/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Write amplification of the cold log, simulated: what the parts share.
 *
 *   trace.c	which block is overwritten next, and how large blocks are
 *   log.c	a log in numbers, around the real dm-zram/segment.c
 *   theory.c	what the literature says
 *   main.c	the cells that are measured, the table and the rows of JSON
 *
 * Write amplification is bytes written to the device by bytes that users
 * appended: 1 without any cleaning.
 */
#ifndef WA_H
#define WA_H

#include <linux/types.h>

/* Rounds of a measurement; in each, the live data is written once over. */
#define WA_ROUNDS	4

/**
 * enum pattern - which blocks are overwritten
 * @UNIFORM: any
 * @SKEW_80_20: in 80 of 100 writes one of a fifth of the blocks
 * @SKEW_90_10: in 90 of 100 writes one of a tenth of the blocks
 * @ZIPF: the k-th most popular with a probability of k^-0.99
 * @IN_ORDER: one after the other, round and round
 */
enum pattern {
	UNIFORM,
	SKEW_80_20,
	SKEW_90_10,
	ZIPF,
	IN_ORDER,
	NR_PATTERNS
};

/**
 * enum cleaning - who chooses the victims
 * @OURS: dm-zram/segment.c, ahead of need as cleaner.c
 * @GREEDY: that with the fewest live bytes; one stream
 * @COST_BENEFIT: Rosenblum and Ousterhout; copies in a stream of their own
 * @FIFO: the oldest; one stream
 */
enum cleaning {
	OURS,
	GREEDY,
	COST_BENEFIT,
	FIFO,
	NR_CLEANINGS
};

/**
 * struct cell - one measurement
 * @segment_size: bytes
 * @segments: of the log
 * @live: percent of the space that users may fill
 * @equal: bytes of each object, header and padding included; 0: sizes of real
 *	pages
 * @pattern: what is overwritten
 */
struct cell {
	u32 segment_size;
	u32 segments;
	double live;
	u32 equal;
	enum pattern pattern;
};

/**
 * struct trace - the blocks of a cell
 * @blocks: their number
 * @size: of each, as it is in the log
 * @bytes: of all
 * @square: sum of the squares of the sizes
 * @pattern: what is overwritten
 * @order: blocks, the most popular first
 * @prob: Zipf: chance to stay at a rank (the alias method)
 * @alias: Zipf: where to go else
 * @next: IN_ORDER: the next
 * @seed: of the random numbers
 */
struct trace {
	u32 blocks;
	u16 *size;
	u64 bytes;
	double square;
	enum pattern pattern;
	u32 *order;
	u32 *prob;
	u32 *alias;
	u32 next;
	uint64_t seed;
};

/**
 * struct figure - what was measured
 * @mean: of all rounds
 * @least: of a round
 * @most: of a round
 * @spare: free segments beyond the reserve, on average
 */
struct figure {
	double mean;
	double least;
	double most;
	double spare;
};

extern const char *const pattern_names[NR_PATTERNS];
extern const char *const cleaning_names[NR_CLEANINGS];

/* Blocks of @bytes in all. trace_rewind() makes it begin anew. */
void trace_init(struct trace *t, u64 bytes, const struct cell *c);
void trace_rewind(struct trace *t);
void trace_fini(struct trace *t);
u32 trace_next(struct trace *t);

u64 log_user_bytes(const struct cell *c);
void log_measure(const struct cell *c, struct trace *t, enum cleaning cleaning,
		 struct figure *f);

/* Share of the space that is live, objects a segment: write amplification. */
double theory_limit(double rho);
double theory_greedy(double rho, double objects);
/*
 * The least that there can be with hot blocks, which are that share of the
 * data and of the writes, cleaned apart from the cold ones.
 */
double theory_apart(double rho, double objects, double data, double writes);

#endif /* WA_H */
