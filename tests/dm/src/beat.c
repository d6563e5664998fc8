// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-beat [-r] [MS FILE]: a task that wants to run every 10 ms, and keeps a record of how late it was.
 * What it needs is locked in memory, so its gaps are those of the machine: its turn among those that want
 * to run, and the kernel, where it does not let go of a processor. With -r it has a realtime priority and
 * takes no turns: what is left is the kernel, which may also move locked pages, and a late timer.
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

#define PERIOD_NS	(10 * 1000 * 1000LL)
/* A bucket for each eighth of a power of two of microseconds. */
#define STEPS		8
#define BUCKETS		(40 * STEPS)

static volatile sig_atomic_t stop;
static uint64_t count[BUCKETS];

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
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

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	int64_t last, worst = 0, stop_at = INT64_MAX;
	uint64_t beats = 0;
	int fd = -1, realtime = argc > 1 && !strcmp(argv[1], "-r");

	argc -= realtime;
	argv += realtime;
	if (argc == 3) {
		stop_at = atoll(argv[1]) * 1000000;
		fd = open(argv[2], O_WRONLY);
		if (fd < 0) {
			fprintf(stderr, "dmz-beat: %s: %s\n", argv[2], strerror(errno));
			return 2;
		}
	} else if (argc != 1) {
		fprintf(stderr, "usage: dmz-beat [-r] [MS FILE]\n");
		return 2;
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
	last = now_ns();
	while (!stop) {
		struct timespec nap = { 0, PERIOD_NS };
		int64_t gap;
		unsigned int b;

		if (nanosleep(&nap, NULL))
			break;	/* told to end: this beat is not whole */
		gap = now_ns() - last - PERIOD_NS;
		last += gap + PERIOD_NS;
		if (gap < 0)
			gap = 0;
		if (gap > stop_at) {
			if (write(fd, "0", 1) == 1)
				fprintf(stderr, "dmz-beat: late by %lld us at %lld.%06lld\n",
					(long long)gap / 1000, (long long)last / 1000000000,
					(long long)last / 1000 % 1000000);
			stop_at = gap;
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
	return 0;
}
