// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-sweep: the n-th I/O of the cold device goes wrong, for n = 0, 1, 2 ...
 * until there is none of that number; after each, every block is looked at.
 *
 * A run makes the device anew and does always the same: writes, overwrites,
 * demotion, discards, cold reads, promotion, cleaning. What must hold:
 *
 *   never	wrong data, a write that fails, a hang (the caller's watch)
 *   write fail	no error at all: the data goes to another segment
 *   read fail, flip, zero, move
 *		an error of the one read that it hit, none of the cleaner's;
 *		all is right once the fault is gone
 *   write drop, tear, move
 *		errors of the blocks of that one segment (of two, for move), the
 *		same ones until they are overwritten; counted; then all is right
 */
#define _GNU_SOURCE
#include <getopt.h>
#include "stack.h"

#define ROUNDS		4u
#define RUNS_OF_STACK	6u	/* then a new device: making one takes longer than a run */
#define READS		8u	/* of one round */
#define MOST_BAD	5u

struct sweep {
	struct stack s;
	int write;
	const char *action;
	uint64_t count;		/* I/Os in a row that suffer */
	uint64_t step, from;
	/* of this run */
	uint64_t n;
	uint64_t hits, hit_sectors, hit_sector;
	uint64_t read_errors;
	uint64_t base[8];	/* counters at its start, see counters[] */
	unsigned int stack_runs;	/* of this device */
	/* of all */
	uint64_t runs, all_hits, cleaner_hits, lost, cleaned, promoted, groups, all_read_errors;
};

static const char *const counters[] = {
	"cold_bad_objects", "cold_read_errors", "cold_write_errors", "segments_bad",
	"segments_cleaned", "promotions", "write_fails", "groups",
};

/* What a counter says of this run. */
static uint64_t counted(struct sweep *w, const char *name)
{
	unsigned int i = 0;

	while (strcmp(counters[i], name))
		i++;
	return stat_of(&w->s, name) - w->base[i];
}

static void start(struct sweep *w)
{
	unsigned int i;

	if (!w->stack_runs)
		stack_up(&w->s);
	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		w->base[i] = stat_of(&w->s, counters[i]);
	w->read_errors = 0;
	w->s.random = 1;
}

static void finish(struct sweep *w)
{
	/* Segments that were given up are missing: a few may. */
	if (++w->stack_runs < RUNS_OF_STACK && w->hits &&
	    stat_of(&w->s, "segments_bad") < MOST_BAD)
		return;
	stack_down(&w->s);
	w->stack_runs = 0;
}

static int is(const struct sweep *w, const char *action)
{
	return !strcmp(w->action, action);
}

/* Is data lost for good? */
static int lossy(const struct sweep *w)
{
	return w->write && !is(w, "fail") && !is(w, "delay");
}

/* Where an I/O is moved to: the start of some segment. */
static uint64_t move_target(const struct sweep *w)
{
	return HEADER_BYTES / 512 + w->n * 5 % w->s.segments * SEG_SECTORS;
}

static void arm(struct sweep *w)
{
	char arg[32] = "";

	if (is(w, "tear"))
		snprintf(arg, sizeof(arg), " %llu",
			 (unsigned long long)(w->n * 37 % (SEG_SECTORS - 1) + 1));
	else if (is(w, "move"))
		snprintf(arg, sizeof(arg), " %llu", (unsigned long long)
			 move_target(w));
	else if (is(w, "flip"))
		snprintf(arg, sizeof(arg), " %llu", (unsigned long long)(w->n * 1031));
	else if (is(w, "delay"))
		snprintf(arg, sizeof(arg), " 100");
	errno = dmc_message(&w->s.c, nth_name, NULL, 0, "arm %s %llu %llu %s%s",
			    w->write ? "write" : "read", (unsigned long long)w->n,
			    (unsigned long long)w->count, w->action, arg);
	if (errno)
		die("arm");
}

static void disarm(struct sweep *w)
{
	const char *line = dmc_status(&w->s.c, nth_name);

	w->hits = nth_number(line, 2);
	w->hit_sector = nth_number(line, 3);
	w->hit_sectors = nth_number(line, 4);
	errno = dmc_message(&w->s.c, nth_name, NULL, 0, "disarm");
	if (errno)
		die("disarm");
}

/* With more failures in a row than one, it may say that the device is gone. */
static void settle_somehow(struct sweep *w)
{
	errno = settle(&w->s);
	if (errno && (errno != EIO || w->count == 1))
		die("demote all, drain");
}

static void read_some(struct sweep *w)
{
	struct stack *s = &w->s;
	unsigned int i;

	for (i = 0; i < READS; i++) {
		/* Near each other, so that some are read again and promoted. */
		uint32_t b = pick(s, 3) ? pick(s, s->blocks) : pick(s, 8);

		if (get(s, b) == BAD)
			w->read_errors++;
	}
}

static void workload(struct sweep *w)
{
	struct stack *s = &w->s;
	unsigned int round;

	put_some(s, 256);
	settle_somehow(w);
	for (round = 0; round < ROUNDS; round++) {
		put_some(s, 160);
		read_some(w);
		discard(s, pick(s, s->blocks - 8), 8);
		settle_somehow(w);
		read_some(w);
		errno = dmc_message(&s->c, zram_name, NULL, 0, "compact");
		if (errno)
			die("compact");
	}
}

/* The device is whole again, and soon it is used again. */
static void wait_recovered(struct stack *s)
{
	time_t end = time(NULL) + PATIENCE_SECS;

	while (settle(s) || stat_of(s, "cold_failed")) {
		errno = 0;
		if (time(NULL) > end)
			die("the log does not write again");
		nap(50);
	}
}

/* What went wrong is counted by a worker, when that gets a processor. */
static void wait_counted(struct sweep *w)
{
	const char *name = w->write ? "cold_write_errors" : "cold_read_errors";
	time_t end = time(NULL) + PATIENCE_SECS;

	if (!is(w, "fail") || (!w->write && w->count > 1))
		return;
	while (counted(w, name) < w->hits && time(NULL) < end)
		nap(5);
}

static void expect(int ok, struct sweep *w, const char *what, uint64_t value)
{
	errno = 0;
	if (!ok)
		die("%s %s, n = %llu: %s: %llu", w->write ? "write" : "read", w->action,
		    (unsigned long long)w->n, what, (unsigned long long)value);
}

/* Counters that must follow from the fault, and errors that must not. */
static void judge(struct sweep *w, uint64_t lost)
{
	int by_user = w->hit_sectors < SEG_SECTORS / 2;
	uint64_t bad = counted(w, "cold_bad_objects");
	uint64_t most = is(w, "flip") ? 1 : w->count;

	expect(!counted(w, "write_fails"), w, "write_fails", counted(w, "write_fails"));
	if (lossy(w)) {
		/* An object has no less than 1 KiB here; only the fill words have. */
		expect(lost <= 2 * SEG_BYTES / 1024, w, "lost blocks", lost);
		expect(bad >= lost, w, "cold_bad_objects", bad);
		return;
	}
	expect(!lost, w, "lost blocks", lost);
	if (w->write || is(w, "delay")) {
		expect(!w->read_errors, w, "failed reads", w->read_errors);
		expect(!bad, w, "cold_bad_objects", bad);
		expect(counted(w, "cold_write_errors") == (is(w, "delay") ? 0 : w->hits), w,
		       "cold_write_errors", counted(w, "cold_write_errors"));
		expect(counted(w, "segments_bad") <= w->hits, w, "segments_bad",
		       counted(w, "segments_bad"));
		return;
	}
	/* It may have been moved to where it was. */
	if (w->count > 1 || (is(w, "move") && w->hit_sector == move_target(w)))
		return;
	expect(w->read_errors <= (w->hits && by_user ? most : 0), w, "failed reads", w->read_errors);
	if (w->hits && by_user && !is(w, "flip"))
		expect(w->read_errors == 1, w, "failed reads", w->read_errors);
	if (w->hits && is(w, "fail"))
		expect(counted(w, "cold_read_errors") == 1, w, "cold_read_errors",
		       counted(w, "cold_read_errors"));
	else if (w->hits && !is(w, "flip"))
		expect(bad == 1 || !by_user, w, "cold_bad_objects", bad);
}

/* Lost blocks stay lost while all others are written and cleaned; then all is well. */
static void aftermath(struct sweep *w, uint64_t lost)
{
	struct stack *s = &w->s;
	uint32_t b;

	if (lost) {
		churn(s, 3);
		verify_all(s);
	}
	for (b = 0; b < s->blocks; b++)
		if (s->lost[b])
			put(s, b);
	churn(s, 1);
	verify_all(s);
	empty_out(s);
}

/* Return: whether the fault has happened. */
static int run(struct sweep *w)
{
	struct stack *s = &w->s;
	uint64_t lost;

	start(w);
	arm(w);
	workload(w);
	disarm(w);
	if (w->count > 1)
		wait_recovered(s);
	if (lossy(w))
		quiesce(s);
	lost = find_lost(s);
	wait_counted(w);
	judge(w, lost);
	aftermath(w, lost);
	w->runs++;
	w->all_hits += w->hits;
	w->cleaner_hits += w->hits && !w->write && w->hit_sectors == SEG_SECTORS;
	w->lost += lost;
	w->all_read_errors += w->read_errors;
	w->cleaned += counted(w, "segments_cleaned");
	w->promoted += counted(w, "promotions");
	w->groups += counted(w, "groups");
	finish(w);
	return w->hits;
}

static void usage(void)
{
	fputs("usage: dmz-sweep COLD read|write ACTION [--count N] [--from N] [--step N]\n"
	      "  ACTION: one of dm-nth's, the argument is made up\n"
	      "  --count N   I/Os in a row that suffer (1)\n"
	      "  --from N, --step N   n = from, from + step ... (0, 1)\n"
	      "  --groups    neighbours are compressed as one\n", stderr);
	exit(2);
}

static const struct option options[] = {
	{ "count", 1, NULL, 'c' }, { "from", 1, NULL, 'f' }, { "step", 1, NULL, 's' },
	{ "groups", 0, NULL, 'g' },
	{ NULL, 0, NULL, 0 }
};

int main(int argc, char **argv)
{
	static struct sweep w = { .count = 1, .step = 1 };
	int c;

	if (argc < 4)
		usage();
	stack_init(&w.s, argv[1]);
	w.write = !strcmp(argv[2], "write");
	w.action = argv[3];
	while ((c = getopt_long(argc - 3, argv + 3, "", options, NULL)) != -1) {
		switch (c) {
		case 'c': w.count = strtoull(optarg, NULL, 10); break;
		case 'f': w.from = strtoull(optarg, NULL, 10); break;
		case 's': w.step = strtoull(optarg, NULL, 10); break;
		case 'g': w.s.groups = 1; break;
		default: usage();
		}
	}
	w.s.with_nth = 1;
	w.s.blocks = 256;
	w.s.segments = 28;
	for (w.n = w.from; run(&w); w.n += w.step)
		;
	printf("runs=%llu hits=%llu cleaner_hits=%llu lost=%llu read_errors=%llu cleaned=%llu promoted=%llu groups=%llu\n",
	       (unsigned long long)w.runs, (unsigned long long)w.all_hits,
	       (unsigned long long)w.cleaner_hits, (unsigned long long)w.lost,
	       (unsigned long long)w.all_read_errors, (unsigned long long)w.cleaned,
	       (unsigned long long)w.promoted, (unsigned long long)w.groups);
	return 0;
}
