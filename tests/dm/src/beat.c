// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-beat [-r] [-p MS] [-g MS] [MS FILE]: a task that wants to run every 10 ms (-p), and keeps a record of
 * how late it was.
 * What it needs is locked in memory, so its gaps are those of the machine: its turn among those that want
 * to run, and the kernel, where it does not let go of a processor. With -r it has a realtime priority and
 * takes no turns: what is left is the kernel, which may also move locked pages, and a late timer.
 *
 * With -g it lists the gaps of more than so many ms as well, at its end: "gap END LENGTH", microseconds, END
 * by the clock of the day, so that the gaps of a guest can be laid over those of its host.
 *
 * With MS and FILE it writes "0" to FILE, tracing_on of tracefs, after the first gap of more than MS and
 * after each that is longer still, and says when that was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MS		(1000 * 1000LL)
/* A bucket for each eighth of a power of two of microseconds. */
#define STEPS		8
#define BUCKETS		(40 * STEPS)

static volatile sig_atomic_t stop;
static uint64_t count[BUCKETS];

/* In memory, which is locked: to write them down at once could be a gap. */
static struct { int64_t end_us, us; } gaps[8192];
static unsigned int gaps_seen;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static unsigned int bucket(uint64_t us)
{
	unsigned int log;

	if (us < STEPS)
		return us;
	log = 63 - __builtin_clzll(us);
	return (log - 2) * STEPS + ((us >> (log - 3)) & (STEPS - 1));
}

/* Upper end of a bucket, microseconds. */
static uint64_t bucket_end(unsigned int b)
{
	unsigned int log = b / STEPS + 2;

	if (b < STEPS)
		return b + 1;
	return ((uint64_t)(STEPS + b % STEPS + 1)) << (log - 3);
}

/* How late were the latest of a thousand, microseconds? */
static uint64_t percentile(uint64_t beats, unsigned int permille)
{
	uint64_t want = beats * permille / 1000, seen = 0;
	unsigned int b;

	for (b = 0; b < BUCKETS - 1; b++) {
		seen += count[b];
		if (seen > want)
			break;
	}
	return bucket_end(b);
}

static void usage(void)
{
	fprintf(stderr, "usage: dmz-beat [-r] [-p MS] [-g MS] [MS FILE]\n");
	exit(2);
}

/* Milliseconds, 1 to 999, in nanoseconds. */
static int64_t ms_arg(const char *arg)
{
	char *end;
	long ms = strtol(arg, &end, 10);

	if (*end || ms < 1 || ms > 999)
		usage();
	return ms * MS;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	int64_t last, worst = 0, stop_at = INT64_MAX, list_at = INT64_MAX, period = 10 * MS;
	uint64_t beats = 0;
	unsigned int g;
	int fd = -1, realtime = 0, c;

	while ((c = getopt(argc, argv, "rp:g:")) != -1) {
		if (c == 'r')
			realtime = 1;
		else if (c == 'p')
			period = ms_arg(optarg);
		else if (c == 'g')
			list_at = ms_arg(optarg);
		else
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc == 2) {
		stop_at = atoll(argv[0]) * MS;
		fd = open(argv[1], O_WRONLY);
		if (fd < 0) {
			fprintf(stderr, "dmz-beat: %s: %s\n", argv[1], strerror(errno));
			return 2;
		}
	} else if (argc) {
		usage();
	}
	if (realtime) {
		struct sched_param param = { .sched_priority = 50 };

		if (sched_setscheduler(0, SCHED_FIFO, &param)) {
			fprintf(stderr, "dmz-beat: realtime priority: %s\n", strerror(errno));
			return 2;
		}
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE)) {
		fprintf(stderr, "dmz-beat: mlockall: %s\n", strerror(errno));
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	last = ns_of(CLOCK_MONOTONIC);
	while (!stop) {
		struct timespec nap = { 0, period };
		int64_t gap;
		unsigned int b;

		if (nanosleep(&nap, NULL))
			break;	/* told to end: this beat is not whole */
		gap = ns_of(CLOCK_MONOTONIC) - last - period;
		last += gap + period;
		if (gap < 0)
			gap = 0;
		if (gap > stop_at) {
			if (write(fd, "0", 1) == 1)
				fprintf(stderr, "dmz-beat: late by %lld us at %lld.%06lld\n",
					(long long)gap / 1000, (long long)last / 1000000000,
					(long long)last / 1000 % 1000000);
			stop_at = gap;
		}
		if (gap > list_at) {
			g = gaps_seen++;
			if (g < sizeof(gaps) / sizeof(gaps[0])) {
				gaps[g].end_us = ns_of(CLOCK_REALTIME) / 1000;
				gaps[g].us = gap / 1000;
			}
		}
		if (gap > worst)
			worst = gap;
		b = bucket(gap / 1000);
		count[b < BUCKETS ? b : BUCKETS - 1]++;
		beats++;
	}
	printf("beats=%llu worst_us=%lld p99_us=%llu p999_us=%llu\n", (unsigned long long)beats,
	       (long long)worst / 1000, (unsigned long long)percentile(beats, 990),
	       (unsigned long long)percentile(beats, 999));
	for (g = 0; g < gaps_seen && g < sizeof(gaps) / sizeof(gaps[0]); g++)
		printf("gap %lld %lld\n", (long long)gaps[g].end_us, (long long)gaps[g].us);
	if (g < gaps_seen) {
		fprintf(stderr, "dmz-beat: %u gaps are not listed\n", gaps_seen - g);
		return 1;
	}
	return 0;
}
