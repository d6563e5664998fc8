/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far the allocator scales: what the parts of the program share.
 *
 * Glossary
 *	segment	a stretch of an operation, with one lock held or none
 *	line	64 bytes, named by a small number
 */
#ifndef SCALE_H
#define SCALE_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_THREADS	16
#define MAX_SEGMENTS	16	/* of an operation; the rest counts as the last */

enum op_kind { OP_ALLOC, OP_FREE, OP_READ, OP_KINDS };

/**
 * struct segment - a stretch of an operation
 * @lock: line of the lock held, or -1
 * @access: first of its accesses to lines
 * @n: how many
 * @ns: how long it takes alone, on average over those of its kind
 */
struct segment {
	int lock;
	unsigned int access;
	unsigned int n;
	double ns;
};

/**
 * struct op - one call of the allocator
 * @kind: which
 * @first: its first segment
 * @n: how many
 */
struct op {
	enum op_kind kind;
	unsigned int first;
	unsigned int n;
};

/**
 * struct trace - what was recorded
 * @op: calls, by thread
 * @ops: how many of each thread
 * @segment: segments of all of them
 * @access: line * 2 + (1 if written)
 * @lines: lines seen
 * @place: what a line holds, by line
 */
struct trace {
	struct op *op[MAX_THREADS];
	unsigned int ops[MAX_THREADS];
	struct segment *segment;
	unsigned int segments;
	unsigned int *access;
	unsigned int accesses;
	unsigned int lines;
	const char **place;
};

/* trace.c: one thread runs, and what it does is kept. */

/* From now on nothing, or what follows is an operation of @thread. */
void trace_begin(unsigned int thread, enum op_kind kind);
void trace_end(void);
/* Lines written so far, outside of the stack, in the current operation. */
unsigned int trace_written(void);
void trace_reset(struct trace *into);
/* Write mean times of segments; read them into the trace. */
void trace_print_times(const char *workload);
void trace_read_times(struct trace *t, const char *workload);
/* What is at that address? */
void trace_name(const void *p, unsigned long len, const char *name);

/* replay.c: a discrete-event simulation of many threads. */

/**
 * struct outcome - of a simulated run
 * @ns: when the last thread was done
 * @lock_ns: sum of waits for locks
 * @line_ns: sum of times lines took to come
 * @worst: what the line that cost most holds
 * @worst_ns: what it cost
 */
struct outcome {
	double ns;
	double lock_ns;
	double line_ns;
	const char *worst;
	double worst_ns;
};

/**
 * replay() - run the threads of a trace side by side
 * @t: the trace
 * @threads: how many there are
 * @transfer: ns for a line to come from another CPU
 * @think: ns before each allocation, spent alone
 * @cached: with ideal caches of free slots for each CPU
 */
struct outcome replay(const struct trace *t, unsigned int threads,
		      double transfer, double think, bool cached);

#endif /* SCALE_H */
