// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, simulated: every policy on every trace, as tables and as rows of
 * JSON.
 *
 * usage: policy-sim JSON-FILE [NAME=TRACE-FILE | NAME]...
 *
 * A NAME alone is a generated trace; without any, all of these. Status 1 when the
 * default is worse than it has to be on a trace whose name begins with "swap-".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "shim.h"
#include "sim.h"

/* Generated traces: 128 MiB, and each block is accessed 32 times. */
#define BLOCKS		32768U
#define ACCESSES	(32 * BLOCKS)

static const struct engine *const engines[] = {
	&engine_age, &engine_plain, &engine_fifo, &engine_lru, &engine_s3fifo,
	&engine_sieve, &engine_arc, &engine_opt,
};

/* RAM, in percent of the footprint. */
static const u32 rams[] = { 25, 50, 75 };

/* Hits of the default by hits of the best that does not know the future. */
#define GOAL	0.98

#define MAX_CELLS	64U

/**
 * struct cell - what all policies have made of one trace with so much RAM
 * @trace: its name
 * @ram: percent of the footprint
 * @r: the results, in the order of @engines
 */
struct cell {
	char trace[16];
	u32 ram;
	struct result r[ARRAY_SIZE(engines)];
};

static FILE *json;
static u32 rows;
static u32 missed;
static struct cell cells[MAX_CELLS];
static u32 nr_cells;

static void row(const char *trace, u32 ram, const char *policy,
		const char *metric, const char *unit, double value)
{
	fprintf(json, "%s\n  {\"bench\": \"policy\", \"trace\": \"%s\", \"ram\": %u, \"policy\": \"%s\", \"metric\": \"%s\", \"unit\": \"%s\", \"value\": %.6g, \"rounds\": 1}",
		rows++ ? "," : "", trace, ram, policy, metric, unit, value);
}

static double hit_percent(const struct result *r)
{
	return r->reads ? 100.0 * r->hits / r->reads : 0;
}

static double written_mib(const struct result *r)
{
	return r->bytes / 1048576.0;
}

static void report(const char *trace, u32 ram, const char *policy,
		   const struct result *r)
{
	double hits = hit_percent(r);

	printf("%-13s %2u %% %-8s %6.2f %8.1f %9llu %9llu %9llu %9llu %9llu %8llu\n",
	       trace, ram, policy, hits, written_mib(r),
	       (unsigned long long)(r->reads - r->hits),
	       (unsigned long long)r->demotions, (unsigned long long)r->drops,
	       (unsigned long long)r->promotions, (unsigned long long)r->dead,
	       (unsigned long long)r->pingpong);
	fflush(stdout);
	row(trace, ram, policy, "hit ratio", "percent of reads", hits);
	row(trace, ram, policy, "device bytes", "bytes written", r->bytes);
	row(trace, ram, policy, "device reads", "blocks", r->reads - r->hits);
	row(trace, ram, policy, "demotions", "blocks", r->demotions);
	row(trace, ram, policy, "drops", "blocks", r->drops);
	row(trace, ram, policy, "promotions", "blocks", r->promotions);
	row(trace, ram, policy, "dead demotions", "blocks", r->dead);
	row(trace, ram, policy, "ping-pong", "blocks", r->pingpong);
}

/* How good is the default, beside the best of those that can be built? */
static void judge(const char *trace, u32 ram, const struct result *r)
{
	size_t best = 0, k;
	double ratio;

	for (k = 1; engines[k] != &engine_opt; k++)
		if (r[k].hits > r[best].hits)
			best = k;
	ratio = r[best].hits ? (double)r[0].hits / r[best].hits : 1;
	row(trace, ram, engines[0]->name, "hits by hits of the best", "ratio",
	    ratio);
	printf("%-13s %2u %% %s has %.3f of the hits of the best, %s\n\n", trace,
	       ram, engines[0]->name, ratio, engines[best]->name);
	if (!strncmp(trace, "swap-", 5) && ratio < GOAL) {
		printf("MISSED: that is less than %.2f\n\n", GOAL);
		missed++;
	}
}

static void measure(const char *name, const struct trace *t)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(rams); i++) {
		struct cell *c = &cells[nr_cells++];

		check(nr_cells <= MAX_CELLS);
		snprintf(c->trace, sizeof(c->trace), "%s", name);
		c->ram = rams[i];
		for (k = 0; k < ARRAY_SIZE(engines); k++) {
			sim_run(t, (u64)t->footprint * rams[i] / 100,
				engines[k], &c->r[k]);
			report(name, rams[i], engines[k]->name, &c->r[k]);
		}
		judge(name, rams[i], c->r);
	}
}

/* All cells, one number of each. */
static void table(const char *title, double (*number)(const struct result *r))
{
	size_t i, k;

	printf("\n%s\n\ntrace         RAM ", title);
	for (k = 0; k < ARRAY_SIZE(engines); k++)
		printf(" %8s", engines[k]->name);
	printf("\n");
	for (i = 0; i < nr_cells; i++) {
		printf("%-13s %2u %%", cells[i].trace, cells[i].ram);
		for (k = 0; k < ARRAY_SIZE(engines); k++)
			printf(" %8.1f", number(&cells[i].r[k]));
		printf("\n");
	}
}

/* Returns false if there is no such trace. */
static bool measure_one(char *name)
{
	char *file = strchr(name, '=');
	struct trace t;
	bool good;

	if (file) {
		*file++ = 0;
		good = trace_read(&t, file);
	} else {
		good = trace_generate(&t, name, BLOCKS, ACCESSES);
	}
	if (!good) {
		fprintf(stderr, "policy-sim: no trace: %s\n", file ?: name);
		return false;
	}
	printf("%s: %u accesses, at most %u blocks stored\n", name, t.nr,
	       t.footprint);
	measure(name, &t);
	trace_fini(&t);
	return true;
}

int main(int argc, char **argv)
{
	char all[][10] = { "loop", "scan", "stream", "zipf", "zipf+scan",
			   "phases", "once" };
	bool good = true;
	size_t k;
	int i;

	json = argc >= 2 ? fopen(argv[1], "w") : NULL;
	if (!json)
		return 2;
	fprintf(json, "[");
	printf("trace         RAM  policy   hits %%  written,  device     blocks   without   promoted dead when  ping-\n");
	printf("                                       MiB    reads    demoted  a write            demoted   pong\n");
	for (i = 2; i < argc; i++)
		good = measure_one(argv[i]) && good;
	for (k = 0; argc == 2 && k < ARRAY_SIZE(all); k++)
		good = measure_one(all[k]) && good;
	fprintf(json, "\n]\n");
	table("Hits, percent of reads", hit_percent);
	table("Written to the cold device, MiB", written_mib);
	return ferror(json) || fclose(json) || !good || missed;
}
