// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-mem: a working set that checks itself, and a hog that takes memory away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "pattern.h"

#define HOG_STEP	(1u << 20)

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void usage(void)
{
	fputs("usage: dmz-mem work MEGABYTES [SEED]\n"
	      "  fills that much anonymous memory with a mixture, reads it back in order and\n"
	      "  at random, changes half, reads it again; prints pages= wrong=\n"
	      "       dmz-mem hold MEGABYTES RANDOM READY\n"
	      "  fills that much, RANDOM percent of the pages with what does not compress, the others\n"
	      "  with what compresses to a half; creates the file READY, touches a page every 10 ms,\n"
	      "  and when told to end looks at all of it; prints pages= wrong=\n"
	      "       dmz-mem idle MEGABYTES RANDOM READY\n"
	      "  fills as hold does, has all of it swapped out, and touches nothing; when told to end,\n"
	      "  looks at all pages at random; prints pages= wrong= faults= p50_us= p99_us= worst_us=\n"
	      "  of these, and how long major faults took\n"
	      "       dmz-mem hog LEAVE [READY]\n"
	      "  locks memory until no more than LEAVE MiB are available, goes on while more\n"
	      "  become so, and says so by creating the file READY; ends when told to\n", stderr);
	exit(2);
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (!*s || *end)
		usage();
	return v;
}

static void die(const char *what)
{
	fprintf(stderr, "dmz-mem: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t check(struct block *mem, struct block *want, uint64_t pages, uint64_t seed,
		      int second)
{
	uint64_t size = 1, wrong = 0, i;

	while (size < pages)
		size <<= 1;
	for (i = 0; i < size; i++) {
		uint64_t at = second ? (i * 0x9e3779b1ull + 7) & (size - 1) : i;

		if (at >= pages)
			continue;
		/* before the second check every other page was changed */
		pattern_fill(want, second && at % 2 ? seed + 1 : seed, at, 0);
		if (memcmp(&mem[at], want, BLOCK_BYTES) && wrong++ < 5)
			pattern_explain(&mem[at], want, at);
	}
	return wrong;
}

static void tell(const char *ready)
{
	if (ready)
		close(open(ready, O_CREAT | O_WRONLY, 0600));
}

static int work(uint64_t megabytes, uint64_t seed)
{
	uint64_t pages = (megabytes << 20) / BLOCK_BYTES, wrong, i;
	struct block *mem, want;

	mem = mmap(NULL, pages * BLOCK_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	madvise(mem, pages * BLOCK_BYTES, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i++)
		pattern_fill(&mem[i], seed, i, 0);
	wrong = check(mem, &want, pages, seed, 0);
	for (i = 1; i < pages; i += 2)
		pattern_fill(&mem[i], seed + 1, i, 0);
	wrong += check(mem, &want, pages, seed, 1);
	printf("pages=%llu wrong=%llu\n", (unsigned long long)pages, (unsigned long long)wrong);
	return wrong != 0;
}

/* Not the pattern of pattern.h, which needs a second page to compare with: one word is its seed. */
static void hold_fill(struct block *b, uint64_t page, int random)
{
	uint64_t *word = (uint64_t *)b, x = page * 0x9e3779b97f4a7c15ull + 1;
	unsigned int i;

	for (i = 0; i < BLOCK_BYTES / sizeof(*word); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		word[i] = random || i % 3 == 0 ? x : page;
	}
}

/* Memory that is to be held, filled; SIGTERM sets stop from now on. */
static struct block *hold_new(uint64_t pages, uint64_t percent)
{
	struct sigaction action = { .sa_handler = on_term };
	struct block *mem;
	uint64_t i;

	sigaction(SIGTERM, &action, NULL);
	mem = mmap(NULL, pages * BLOCK_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	madvise(mem, pages * BLOCK_BYTES, MADV_NOHUGEPAGE);
	for (i = 0; i < pages && !stop; i++)
		hold_fill(&mem[i], i, i % 100 < percent);
	return mem;
}

static int hold(uint64_t megabytes, uint64_t percent, const char *ready)
{
	uint64_t pages = (megabytes << 20) / BLOCK_BYTES, wrong = 0, i;
	struct block *mem = hold_new(pages, percent), want;
	struct timespec nap = { 0, 10 * 1000 * 1000 };
	volatile struct block *touched;

	tell(ready);
	for (i = 0; !stop; i += 61) {
		touched = &mem[i % pages];
		(void)*(volatile char *)touched;
		nanosleep(&nap, NULL);
	}
	for (i = 0; i < pages; i++) {
		hold_fill(&want, i, i % 100 < percent);
		wrong += memcmp(&mem[i], &want, BLOCK_BYTES) != 0;
	}
	printf("pages=%llu wrong=%llu\n", (unsigned long long)pages, (unsigned long long)wrong);
	return wrong != 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static long major_faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_majflt;
}

/* touch: the page is there after this; microseconds if that took a major fault, else 0. */
static uint32_t touch(volatile char *page)
{
	long before = major_faults();
	uint64_t at = now_ns();
	uint32_t us;

	(void)*page;
	us = (now_ns() - at) / 1000;
	if (major_faults() == before)
		return 0;
	return us ? us : 1;
}

/* An application that comes back: each fault is waited for, as by the one who sits in front of it. */
static int idle(uint64_t megabytes, uint64_t percent, const char *ready)
{
	uint64_t pages = (megabytes << 20) / BLOCK_BYTES, size = 1, faults = 0, wrong = 0, i;
	struct block *mem = hold_new(pages, percent), want;
	uint32_t *us = calloc(pages, sizeof(*us));

	if (!us || mlock(us, pages * sizeof(*us)))
		die("record of faults");
	if (madvise(mem, pages * BLOCK_BYTES, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	tell(ready);
	while (!stop)
		usleep(10 * 1000);
	while (size < pages)
		size <<= 1;
	for (i = 0; i < size; i++) {
		uint64_t at = (i * 0x9e3779b1ull + 7) & (size - 1);

		if (at >= pages)
			continue;
		us[faults] = touch((char *)&mem[at]);
		faults += us[faults] != 0;
		hold_fill(&want, at, at % 100 < percent);
		wrong += memcmp(&mem[at], &want, BLOCK_BYTES) != 0;
	}
	qsort(us, faults, sizeof(*us), compare_u32);
	printf("pages=%llu wrong=%llu faults=%llu p50_us=%u p99_us=%u worst_us=%u\n",
	       (unsigned long long)pages, (unsigned long long)wrong, (unsigned long long)faults,
	       faults ? us[faults / 2] : 0, faults ? us[faults * 99 / 100] : 0,
	       faults ? us[faults - 1] : 0);
	return wrong != 0;
}

/* What could be had without swapping, in MiB. */
static uint64_t available_megabytes(int fd)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *at;

	if (n <= 0)
		die("/proc/meminfo");
	text[n] = 0;
	at = strstr(text, "MemAvailable:");
	return at ? strtoull(at + 13, NULL, 10) / 1024 : 0;
}

static void set_oom_score(const char *adj)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, adj, strlen(adj)) < 0)
		die("oom_score_adj");
	close(fd);
}

/* Never returns: it is killed, by its parent or by the kernel. */
static void hold_memory(uint64_t leave, const char *ready)
{
	struct timespec nap = { 0, 50 * 1000 * 1000 };
	int fd = open("/proc/meminfo", O_RDONLY);

	if (fd < 0)
		die("/proc/meminfo");
	for (;;) {
		void *p = MAP_FAILED;

		if (available_megabytes(fd) > leave)
			p = mmap(NULL, HOG_STEP, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
		if (p != MAP_FAILED) {
			/* A failed lock leaves pages untouched: take them now. */
			memset(p, 0x5a, HOG_STEP);
			continue;
		}
		tell(ready);
		ready = NULL;
		nanosleep(&nap, NULL);
	}
}

/*
 * The holder is the first that the OOM killer takes, so that nothing else dies;
 * then there is another one.
 */
static int hog(uint64_t leave, const char *ready)
{
	struct sigaction action = { .sa_handler = on_term };
	struct timespec nap = { 0, 200 * 1000 * 1000 };
	unsigned int killed = 0;
	pid_t child = 0;
	int status;

	/* no SA_RESTART: a signal must end the wait below */
	sigaction(SIGTERM, &action, NULL);
	set_oom_score("-1000");
	while (!stop) {
		child = fork();
		if (!child) {
			signal(SIGTERM, SIG_DFL);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			set_oom_score("1000");
			hold_memory(leave, ready);
		}
		if (child > 0 && waitpid(child, &status, 0) == child) {
			if (WIFEXITED(status))
				return WEXITSTATUS(status);
			child = 0;
			killed++;
			tell(ready);	/* less there cannot be */
		}
		if (!stop)
			nanosleep(&nap, NULL);
	}
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	fprintf(stderr, "dmz-mem: the kernel killed the hog %u times\n", killed);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "work"))
		return work(number(argv[2]), argc > 3 ? number(argv[3]) : 1);
	if (argc == 5 && !strcmp(argv[1], "hold"))
		return hold(number(argv[2]), number(argv[3]), argv[4]);
	if (argc == 5 && !strcmp(argv[1], "idle"))
		return idle(number(argv[2]), number(argv[3]), argv[4]);
	if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "hog"))
		return hog(number(argv[2]), argc > 3 ? argv[3] : NULL);
	usage();
}
