// SPDX-License-Identifier: GPL-2.0
/*
 * Write amplification, simulated: the cells, a table of them, and rows of JSON.
 *
 * usage: wa FILE.json
 */
#include <stdio.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "shim.h"
#include "wa.h"

#define SEGMENTS	2000U

static const struct cell others[] = {
	{ 1 << 16, SEGMENTS, 80, true, UNIFORM },
	{ 1 << 16, SEGMENTS, 80, true, SKEW_80_20 },
	{ 1 << 20, SEGMENTS, 80, true, UNIFORM },
	{ 1 << 20, SEGMENTS, 80, true, SKEW_80_20 },
	{ 1 << 16, SEGMENTS, 80, false, UNIFORM },
	{ 1 << 18, SEGMENTS, 80, false, UNIFORM },
	{ 1 << 18, SEGMENTS, 80, false, SKEW_80_20 },
	{ 1 << 20, SEGMENTS, 80, false, UNIFORM },
	/* More than dzr_segs_pick() looks at in one go. */
	{ 1 << 16, 10 * SEGMENTS, 80, true, UNIFORM },
	{ 1 << 16, 10 * SEGMENTS, 80, true, SKEW_80_20 },
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
	fprintf(json, "%s\n  {\"bench\": \"wa\", \"metric\": \"%s, %u %% live, %u segments of %uK, %s\", \"unit\": \"bytes written by bytes appended\", ",
		rows++ ? "," : "", pattern_names[c->pattern], c->live,
		c->segments, c->segment_size >> 10,
		c->mixed ? "mixed sizes" : "one size");
	fprintf(json, "\"ours\": %.4f, \"peer\": \"%s\", \"peer_value\": %.4f, \"ratio\": %.4f, \"rounds\": %u, ",
		ours->mean, name, peer->mean, ours->mean / peer->mean,
		WA_ROUNDS);
	fprintf(json, "\"spread\": {\"ours\": [%.4f, %.4f], \"peer\": [%.4f, %.4f]}}",
		ours->least, ours->most, peer->least, peer->most);
}

static void measure(const struct cell *c)
{
	struct figure f[NR_CLEANINGS], th;
	enum cleaning i;
	struct trace t;

	trace_init(&t, log_user_bytes(c) * c->live / 100, c);
	printf("%4uK %5u %-5s %-9s %2u %%", c->segment_size >> 10, c->segments,
	       c->mixed ? "mixed" : "one", pattern_names[c->pattern], c->live);
	for (i = 0; i < NR_CLEANINGS; i++) {
		log_measure(c, &t, i, &f[i]);
		printf("  %7.3f", f[i].mean);
		fflush(stdout);
	}
	th.mean = theory(c, &t);
	th.least = th.mean;
	th.most = th.mean;
	for (i = GREEDY; i < NR_CLEANINGS; i++)
		row(c, &f[OURS], cleaning_names[i], &f[i]);
	if (th.mean) {
		row(c, &f[OURS], "theory", &th);
		printf("  %7.3f", th.mean);
	} else {
		printf("        -");
	}
	printf("  %5.3f %6.1f\n", f[OURS].mean / f[GREEDY].mean,
	       f[OURS].spare);
	trace_fini(&t);
}

int main(int argc, char **argv)
{
	static const u32 live[] = { 50, 70, 80, 90 };
	enum pattern p;
	size_t i;

	json = argc == 2 ? fopen(argv[1], "w") : NULL;
	if (!json)
		return 2;
	fprintf(json, "[");
	printf("                                 ours   greedy  cost-b.     FIFO   theory  by greedy, spare\n");
	for (p = 0; p < NR_PATTERNS; p++) {
		for (i = 0; i < ARRAY_SIZE(live); i++) {
			const struct cell c = { 1 << 18, SEGMENTS, live[i],
						true, p };

			measure(&c);
		}
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		measure(&others[i]);
	fprintf(json, "\n]\n");
	return ferror(json) || fclose(json);
}
