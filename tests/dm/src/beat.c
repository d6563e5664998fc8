// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-beat [-r] [MS FILE]: a task that wants to run every 10 ms, and keeps a record of how late it was.
 * What it needs is locked in memory, so its gaps are those of the machine: its turn among those that want
 * to run, and the kernel, where it does not let go of a processor. With -r it has a realtime priority and
 * takes no turns: what is left is the kernel. Of each gap it knows what part it has waited for a processor,
 * by its schedstat: the rest is a timer that came late, as timers of a guest do when the host has not let it run.
 *
 * With MS and FILE it writes "0" to FILE, tracing_on of tracefs, after the first gap of more than MS, and
 * says when that was.
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

struct histogram {
	int64_t worst;	/* ns */
	uint64_t count[BUCKETS];
};

static volatile sig_atomic_t stop;

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

static void add(struct histogram *h, int64_t ns)
{
	unsigned int b = bucket(ns / 1000);

	if (ns > h->worst)
		h->worst = ns;
	h->count[b < BUCKETS ? b : BUCKETS - 1]++;
}

/* How late were the latest of a thousand, microseconds? */
static uint64_t percentile(const struct histogram *h, uint64_t beats, unsigned int permille)
{
	uint64_t want = beats * permille / 1000, seen = 0;
	unsigned int b;

	for (b = 0; b < BUCKETS - 1; b++) {
		seen += h->count[b];
		if (seen > want)
			break;
	}
	return bucket_end(b);
}

/* How long this task has waited for a processor so far, ns; -1 if the kernel does not say. */
static int64_t waited(int fd)
{
	long long wait;
	char text[100];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = 0;
	return sscanf(text, "%*d %lld", &wait) == 1 ? wait : -1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	static struct histogram gaps, waits;
	int64_t last, wait, stop_at = INT64_MAX;
	int stat = open("/proc/self/schedstat", O_RDONLY);
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
	wait = waited(stat);
	last = now_ns();
	while (!stop) {
		struct timespec nap = { 0, PERIOD_NS };
		int64_t gap, before = wait;

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
			stop_at = INT64_MAX;
		}
		wait = waited(stat);
		add(&gaps, gap);
		add(&waits, wait > before ? wait - before : 0);
		beats++;
	}
	printf("beats=%llu worst_us=%lld p99_us=%llu p999_us=%llu", (unsigned long long)beats,
	       (long long)gaps.worst / 1000, (unsigned long long)percentile(&gaps, beats, 990),
	       (unsigned long long)percentile(&gaps, beats, 999));
	if (wait >= 0)
		printf(" wait_worst_us=%lld wait_p999_us=%llu", (long long)waits.worst / 1000,
		       (unsigned long long)percentile(&waits, beats, 999));
	printf("\n");
	return 0;
}
