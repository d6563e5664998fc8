// SPDX-License-Identifier: GPL-2.0
/*
 * Write amplification, simulated: the cells, a table of them, and rows of JSON.
 *
 * usage: wa FILE.json [SEGMENT-SIZE SEGMENTS LIVE-PERCENT OBJECT-BYTES PATTERN]
 *
 * With a cell as arguments, that one alone: what is measured with the module is
 * compared with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "shim.h"
#include "wa.h"

#define SEGMENTS	2000U

/* Objects of one size: 1365 bytes, which is 3 to 1, with their header. */
#define EQUAL		1384U

static const struct cell others[] = {
	{ 1 << 16, SEGMENTS, 80, 0, UNIFORM },
	{ 1 << 16, SEGMENTS, 80, 0, SKEW_80_20 },
	{ 1 << 20, SEGMENTS, 80, 0, UNIFORM },
	{ 1 << 20, SEGMENTS, 80, 0, SKEW_80_20 },
	{ 1 << 16, SEGMENTS, 80, EQUAL, UNIFORM },
	{ 1 << 18, SEGMENTS, 80, EQUAL, UNIFORM },
	{ 1 << 18, SEGMENTS, 80, EQUAL, SKEW_80_20 },
	{ 1 << 20, SEGMENTS, 80, EQUAL, UNIFORM },
	/* More than dzr_segs_pick() looks at in one go. */
	{ 1 << 16, 3 * SEGMENTS, 80, 0, UNIFORM },
	{ 1 << 16, 3 * SEGMENTS, 80, 0, SKEW_80_20 },
};

static FILE *json;
static unsigned int rows;

static double theory(const struct cell *c, const struct trace *t)
{
	double rho = (double)t->bytes / log_user_bytes(c);
	/* With sizes that vary, fewer objects have as much variance. */
	double objects = (c->segment_size - sizeof(struct dzr_seg_header)) *
			 (double)t->bytes / t->square;

	switch (c->pattern) {
	case UNIFORM:
		return theory_greedy(rho, objects);
	case SKEW_80_20:
		return theory_apart(rho, objects, 0.2, 0.8);
	case SKEW_90_10:
		return theory_apart(rho, objects, 0.1, 0.9);
	case IN_ORDER:
		return 1;
	default:
		return 0;
	}
}

static void row(const struct cell *c, const struct figure *ours,
		const char *name, const struct figure *peer)
{
	fprintf(json, "%s\n  {\"bench\": \"wa\", \"metric\": \"%s, %.4g %% live, %u segments of %uK, %s\", \"unit\": \"bytes written by bytes appended\", ",
		rows++ ? "," : "", pattern_names[c->pattern], c->live,
		c->segments, c->segment_size >> 10,
		c->equal ? "one size" : "mixed sizes");
	fprintf(json, "\"ours\": %.4f, \"peer\": \"%s\", \"peer_value\": %.4f, \"ratio\": %.4f, \"rounds\": %u, ",
		ours->mean, name, peer->mean, ours->mean / peer->mean,
		WA_ROUNDS);
	fprintf(json, "\"spread\": {\"ours\": [%.4f, %.4f], \"peer\": [%.4f, %.4f]}}",
		ours->least, ours->most, peer->least, peer->most);
}

static void row_theory(const struct cell *c, const struct figure *ours,
		       const char *name, double value)
{
	struct figure peer = { .mean = value, .least = value, .most = value };

	row(c, ours, name, &peer);
}

static void measure(const struct cell *c)
{
	struct figure f[NR_CLEANINGS];
	double th;
	enum cleaning i;
	struct trace t;

	trace_init(&t, log_user_bytes(c) * c->live / 100, c);
	printf("%4uK %5u %-5s %-9s %4.4g %%", c->segment_size >> 10, c->segments,
	       c->equal ? "one" : "mixed", pattern_names[c->pattern], c->live);
	for (i = 0; i < NR_CLEANINGS; i++) {
		log_measure(c, &t, i, &f[i]);
		printf("  %7.3f", f[i].mean);
		fflush(stdout);
	}
	for (i = GREEDY; i < NR_CLEANINGS; i++)
		row(c, &f[OURS], cleaning_names[i], &f[i]);
	th = theory(c, &t);
	if (th) {
		row_theory(c, &f[OURS], "theory", th);
		printf("  %7.3f", th);
	} else {
		printf("        -");
	}
	if (c->pattern == UNIFORM)
		row_theory(c, &f[OURS], "theory, large segments",
			   theory_limit((double)t.bytes / log_user_bytes(c)));
	printf("  %5.3f %6.1f  %5.0f\n", f[OURS].mean / f[GREEDY].mean,
	       f[OURS].spare, (double)t.bytes / t.blocks);
	trace_fini(&t);
}

static void measure_all(void)
{
	static const u32 live[] = { 50, 70, 80, 90 };
	enum pattern p;
	size_t i;

	check(EQUAL == dzr_object_size(1365));
	printf("large segments, uniform, theory:");
	for (i = 0; i < ARRAY_SIZE(live); i++)
		printf("  %u %%: %.3f", live[i], theory_limit(live[i] / 100.0));
	printf("\n");
	for (p = 0; p < NR_PATTERNS; p++) {
		for (i = 0; i < ARRAY_SIZE(live); i++) {
			const struct cell c = { 1 << 18, SEGMENTS, live[i],
						0, p };

			measure(&c);
		}
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		measure(&others[i]);
}

/* Returns false if the words do not make sense. */
static bool measure_one(char **word)
{
	struct cell c = {
		.segment_size = atoi(word[0]), .segments = atoi(word[1]),
		.live = atof(word[2]), .equal = atoi(word[3]),
	};

	while (c.pattern < NR_PATTERNS &&
	       strcmp(pattern_names[c.pattern], word[4]))
		c.pattern++;
	if (c.segment_size < 1 << 16 || c.segments < 50 || c.live <= 0 ||
	    c.live > 95 || c.equal % DZR_LOC_UNIT ||
	    c.equal > dzr_object_size(4096) || c.pattern == NR_PATTERNS)
		return false;
	measure(&c);
	return true;
}

int main(int argc, char **argv)
{
	bool sane = true;

	json = argc == 2 || argc == 7 ? fopen(argv[1], "w") : NULL;
	if (!json)
		return 2;
	fprintf(json, "[");
	printf("                                   ours   greedy  cost-b.     FIFO   theory  by greedy, spare, bytes\n");
	if (argc == 2)
		measure_all();
	else
		sane = measure_one(argv + 2);
	fprintf(json, "\n]\n");
	return ferror(json) || fclose(json) || !sane;
}
