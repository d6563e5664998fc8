// SPDX-License-Identifier: GPL-2.0
/* Policies, simulated: traces, read from a file or generated. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "shim.h"
#include "sim.h"

/* Generated accesses are this many a millisecond: the device is not idle. */
#define PER_MS		20

/* Popularity: the k-th comes as k^-0.9. */
#define ZIPF		0.9

/* A device and a trace may not be larger, so that numbers fit. */
#define MAX_BLOCKS	(1U << 24)
#define MAX_ACCESSES	(1U << 28)

void trace_add(struct trace *t, enum op op, u32 block, u32 ms)
{
	if (t->nr == t->max) {
		t->max = t->max ? 2 * t->max : 1024;
		t->a = realloc(t->a, t->max * sizeof(*t->a));
		check(t->a && t->nr < MAX_ACCESSES);
	}
	t->a[t->nr++] = (struct access){ .block = block, .ms = ms, .op = op };
}

void trace_finish(struct trace *t)
{
	u32 i, stored = 0;
	u8 *there;

	t->blocks = 1;
	for (i = 0; i < t->nr; i++)
		t->blocks = max(t->blocks, t->a[i].block + 1U);
	there = calloc(t->blocks, 1);
	check(there);
	t->footprint = 0;
	for (i = 0; i < t->nr; i++) {
		u8 *b = &there[t->a[i].block];

		if (t->a[i].op == WRITE) {
			stored += !*b;
			*b = 1;
		} else if (t->a[i].op == DISCARD) {
			stored -= *b;
			*b = 0;
		}
		t->footprint = max(t->footprint, stored);
	}
	free(there);
}

void trace_fini(struct trace *t)
{
	free(t->a);
	*t = (struct trace){};
}

static bool trace_line(struct trace *t, const char *line)
{
	unsigned long long us, block, nr;
	enum op op;
	char c;

	if (sscanf(line, "%llu %c %llu %llu", &us, &c, &block, &nr) != 4 ||
	    block + nr > MAX_BLOCKS || nr > MAX_BLOCKS)
		return false;
	if (c != 'R' && c != 'W' && c != 'D')
		return false;
	op = c == 'R' ? READ : c == 'W' ? WRITE : DISCARD;
	for (; nr; nr--)
		trace_add(t, op, block++, us / 1000);
	return true;
}

bool trace_read(struct trace *t, const char *file)
{
	char line[128];
	bool good = true;
	FILE *f = fopen(file, "r");

	*t = (struct trace){};
	if (!f)
		return false;
	while (good && fgets(line, sizeof(line), f))
		good = trace_line(t, line);
	good = good && !ferror(f) && t->nr;
	fclose(f);
	if (good)
		trace_finish(t);
	return good;
}

/**
 * struct gen - a generator
 * @t: what it makes
 * @blocks: of the device
 * @scan: the next block of a scan
 * @unread: blocks that were written and not read since
 */
struct gen {
	struct trace *t;
	u32 blocks;
	u32 scan;
	u8 *unread;
};

static u32 gen_random(struct gen *g, u32 of)
{
	return (u32)(shim_random(&g->t->seed) >> 32) % of;
}

/* By popularity; what is popular is spread over all blocks. */
static u32 gen_zipf(struct gen *g)
{
	double u = (shim_random(&g->t->seed) >> 11) * 0x1p-53;
	u64 rank = g->blocks * pow(u, 1 / (1 - ZIPF));

	return rank * 7919 % g->blocks;
}

static void gen_op(struct gen *g, enum op op, u32 block)
{
	trace_add(g->t, op, block, g->t->nr / PER_MS);
}

static void gen_loop(struct gen *g, u32 i, u32 nr)
{
	gen_op(g, READ, i % g->blocks);
}

/* Every other read is of a hot eighth, every other goes on with a scan. */
static void gen_scan(struct gen *g, u32 i, u32 nr)
{
	u32 hot = g->blocks / 8;

	if (i % 2)
		gen_op(g, READ, gen_random(g, hot));
	else
		gen_op(g, READ, hot + g->scan++ % (g->blocks - hot));
}

/* The same, but the scan writes, as swap-out and log files do. */
static void gen_stream(struct gen *g, u32 i, u32 nr)
{
	u32 hot = g->blocks / 8;

	if (i % 4)
		gen_op(g, READ, gen_random(g, hot));
	else
		gen_op(g, WRITE, hot + g->scan++ % (g->blocks - hot));
}

static void gen_zipf_mix(struct gen *g, u32 i, u32 nr)
{
	gen_op(g, gen_random(g, 5) ? READ : WRITE, gen_zipf(g));
}

/* A fifth of the time belongs to scans over half of the device. */
static void gen_zipf_scan(struct gen *g, u32 i, u32 nr)
{
	if (i / (g->blocks / 2) % 5 == 4)
		gen_op(g, READ, g->scan++ % g->blocks);
	else
		gen_zipf_mix(g, i, nr);
}

/* Eight times, another quarter becomes the one that is popular. */
static void gen_phases(struct gen *g, u32 i, u32 nr)
{
	u32 start = i / (nr / 8 + 1) * 5 % 8 * (g->blocks / 8);
	u32 rank = gen_zipf(g) / 4;

	if (!gen_random(g, 10))
		rank = gen_random(g, g->blocks);
	gen_op(g, gen_random(g, 5) ? READ : WRITE,
	       (start + rank) % g->blocks);
}

/*
 * As swap: blocks are written in order, and read once, most of them soon: then
 * they are done with, but nobody says so before they are written again.
 */
static void gen_once(struct gen *g, u32 i, u32 nr)
{
	double u = (shim_random(&g->t->seed) >> 11) * 0x1p-53;
	u32 back = g->blocks * u * u * u, n;

	if (i % 2) {
		g->unread[g->scan % g->blocks] = 1;
		gen_op(g, WRITE, g->scan++ % g->blocks);
		return;
	}
	for (n = 0; n < g->blocks; n++) {
		u32 block = (g->scan + 2 * g->blocks - 1 - back - n) %
			    g->blocks;

		if (g->unread[block]) {
			g->unread[block] = 0;
			gen_op(g, READ, block);
			return;
		}
	}
}

static const struct {
	const char *name;
	void (*next)(struct gen *g, u32 i, u32 nr);
} generators[] = {
	{ "loop", gen_loop },
	{ "scan", gen_scan },
	{ "stream", gen_stream },
	{ "zipf", gen_zipf_mix },
	{ "zipf+scan", gen_zipf_scan },
	{ "phases", gen_phases },
	{ "once", gen_once },
};

bool trace_generate(struct trace *t, const char *name, u32 blocks, u32 nr)
{
	struct gen g = { .t = t, .blocks = blocks };
	size_t k = 0;
	u32 i;

	*t = (struct trace){ .seed = 17 };
	while (k < ARRAY_SIZE(generators) && strcmp(generators[k].name, name))
		k++;
	if (k == ARRAY_SIZE(generators))
		return false;
	g.unread = malloc(blocks);
	check(g.unread);
	memset(g.unread, 1, blocks);
	for (i = 0; i < blocks; i++)
		gen_op(&g, WRITE, i);
	for (i = 0; i < nr; i++)
		generators[k].next(&g, i, nr);
	free(g.unread);
	trace_finish(t);
	return true;
}
