// SPDX-License-Identifier: GPL-2.0
/*
 * A discrete-event simulation: the recorded operations of each thread run on a
 * CPU of its own. It waits for a lock that another holds, first come first
 * served, and for each line that it does not have.
 *
 * A line is as a coherent cache has it. Who writes it must be its only holder;
 * who reads it, one of them. A line comes from another CPU in a fixed time, and
 * to one CPU at a time when it has been written. A lock that was waited for is
 * handed over at the price of one more line.
 *
 * With ideal caches of slots, an allocation takes no lock of a class and none of
 * its lines, as if each CPU always had a slot of its own at hand, which costs
 * nothing to fill. Real caches gain less.
 */
#include <stdlib.h>
#include <string.h>

#include "scale.h"

struct line {
	double free;		/* when it can go to the next */
	unsigned int holders;	/* bit for each CPU */
	bool dirty;
	double lock_free;	/* when it is a lock: when that is to be had */
	double cost;
};

struct cpu {
	double now;
	unsigned int op;
	unsigned int segment;	/* of the operation */
};

struct sim {
	const struct trace *t;
	struct line *line;
	struct cpu cpu[MAX_THREADS];
	double transfer;
	double think;
	bool cached;
	struct outcome out;
};

static double later(double a, double b)
{
	return a > b ? a : b;
}

static void touch(struct sim *s, unsigned int cpu, unsigned int id, bool write)
{
	struct line *l = &s->line[id];
	unsigned int me = 1u << cpu;
	double *now = &s->cpu[cpu].now, since = *now;

	if (write ? l->holders != me : !(l->holders & me)) {
		if (l->holders & ~me || !l->holders) {
			if (write || l->dirty)
				*now = later(*now, l->free);
			/* The first touch of all is in the segment's time. */
			if (l->holders)
				*now += s->transfer;
			if (write || l->dirty)
				l->free = *now;
		}
		l->cost += *now - since;
		s->out.line_ns += *now - since;
		l->holders = write ? me : l->holders | me;
	}
	l->dirty = write || (l->dirty && l->holders == me);
}

static bool of_a_class(const struct sim *s, int line)
{
	return line >= 0 && !strncmp(s->t->place[line], "a class:", 8);
}

/* @cached: what belongs to a class is not needed. */
static void run_segment(struct sim *s, unsigned int cpu,
			const struct segment *seg, bool cached)
{
	struct line *lock = seg->lock >= 0 ? &s->line[seg->lock] : NULL;
	double *now = &s->cpu[cpu].now;
	unsigned int i, line;

	if (cached && of_a_class(s, seg->lock))
		lock = NULL;

	if (lock) {
		if (lock->lock_free > *now) {
			s->out.lock_ns += lock->lock_free - *now;
			lock->cost += lock->lock_free - *now;
			*now = lock->lock_free + s->transfer;
		}
		touch(s, cpu, seg->lock, true);
	}
	for (i = 0; i < seg->n; i++) {
		line = s->t->access[seg->access + i] / 2;
		if (!cached || !of_a_class(s, line))
			touch(s, cpu, line,
			      s->t->access[seg->access + i] & 1);
	}
	*now += seg->ns;
	if (lock)
		lock->lock_free = *now;
}

/* The CPU that is furthest behind does its next segment. */
static bool step(struct sim *s, unsigned int threads)
{
	struct cpu *c = NULL;
	const struct op *op;
	unsigned int i;

	for (i = 0; i < threads; i++)
		if (s->cpu[i].op < s->t->ops[i] &&
		    (!c || s->cpu[i].now < c->now))
			c = &s->cpu[i];
	if (!c)
		return false;
	op = &s->t->op[c - s->cpu][c->op];
	if (!c->segment && op->kind == OP_ALLOC)
		c->now += s->think;
	run_segment(s, c - s->cpu, &s->t->segment[op->first + c->segment],
		    s->cached && op->kind == OP_ALLOC);
	if (++c->segment == op->n) {
		c->segment = 0;
		c->op++;
	}
	return true;
}

struct outcome replay(const struct trace *t, unsigned int threads,
		      double transfer, double think, bool cached)
{
	struct sim s = {
		.t = t,
		.transfer = transfer,
		.think = think,
		.cached = cached,
	};
	unsigned int i;

	s.line = calloc(t->lines + 1, sizeof(*s.line));
	while (step(&s, threads))
		;
	for (i = 0; i < threads; i++)
		s.out.ns = later(s.out.ns, s.cpu[i].now);
	s.out.worst = "-";
	for (i = 0; i < t->lines; i++) {
		if (s.line[i].cost <= s.out.worst_ns)
			continue;
		s.out.worst_ns = s.line[i].cost;
		s.out.worst = t->place[i];
	}
	free(s.line);
	return s.out;
}
