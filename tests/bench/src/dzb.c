// SPDX-License-Identifier: GPL-2.0
/*
 * dzb: the program of the benches. It writes, frees, reads and compacts on a
 * dm-zram device and on a zram alike, with O_DIRECT, and says how long that
 * took, in nanoseconds, as words "name=number" on one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/fs.h>
#include "compact.h"
#include "dzb.h"

#define BATCH		256u		/* blocks of a large I/O */
/* Blocks of an I/O that fills: one that dm-zram leaves to one processor, so that each pool is like the last. */
#define FILL		16u
#define MAX_SAMPLES	(1u << 21)
#define CGROUP		"/sys/fs/cgroup/dzb"	/* made by the bench */

const char *device;
static int fd = -1;
uint64_t count, seed;
struct block *buf;

void usage(void)
{
	fputs("usage: dzb fill DEVICE BLOCKS SEED          write blocks 0..BLOCKS-1\n"
	      "       dzb halve DEVICE BLOCKS SEED         discard a random half, one by one\n"
	      "       dzb verify DEVICE BLOCKS SEED WHAT   all, half (the other reads as zeroes), none\n"
	      "       dzb discard DEVICE BLOCKS            in one request\n"
	      "       dzb compact DEVICE                   as the thread \"dzb-compact\"\n"
	      "       dzb rate DEVICE BLOCKS SEED          writes and reads in large requests\n"
	      "       dzb latency DEVICE BLOCKS SEED CYCLES [idle]\n"
	      "                  fill, halve, and write single blocks while it is compacted\n"
	      "       dzb beside DEVICE BLOCKS SEED CYCLES [control]\n"
	      "                  the same with writes from the kernel, by the module \"write\"; the\n"
	      "                  control has a processor that spins instead of the compaction\n"
	      "       dzb exit MEGABYTES SEED              a process with that much swapped out ends\n"
	      "       dzb reads DEVICE BLOCKS SEED COUNT WHAT\n"
	      "                  random single blocks; WHAT: all, none (as for verify), - (whatever it is)\n"
	      "       dzb watch STAT MILLISECONDS SECONDS  until the disk has written and is quiet for\n"
	      "                  so many ms, for so many s at most; STAT is its file in sysfs\n"
	      "       dzb touch MEGABYTES                  use that much memory once\n"
	      "       dzb hold MEGABYTES SEED [cached]     swap out, say so, wait for a line, verify;\n"
	      "                  cached: the swap cache may keep what it likes\n",
	      stderr);
	exit(2);
}

void die(const char *what)
{
	fprintf(stderr, "dzb: %s: %s\n", what, strerror(errno));
	exit(2);
}

uint64_t number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (!*s || *end)
		usage();
	return v;
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

uint64_t cpu_now(void)
{
	FILE *f = fopen("/sys/kernel/debug/dzb_clock", "r");
	unsigned long long v = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &v) != 1)
		die("dzb_clock");
	fclose(f);
	return v;
}

void *memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void write_at(const struct block *from, uint64_t block, unsigned int n)
{
	if (pwrite(fd, from, (size_t)n * BLOCK_BYTES, block * BLOCK_BYTES) !=
	    (ssize_t)n * BLOCK_BYTES)
		die("write");
}

void read_at(struct block *to, uint64_t block, unsigned int n)
{
	if (pread(fd, to, (size_t)n * BLOCK_BYTES, block * BLOCK_BYTES) !=
	    (ssize_t)n * BLOCK_BYTES)
		die("read");
}

static void discard(uint64_t block, uint64_t n)
{
	uint64_t range[2] = { block * BLOCK_BYTES, n * BLOCK_BYTES };

	if (ioctl(fd, BLKDISCARD, range))
		die("discard");
}

void fill(void)
{
	uint64_t at, i, n;

	for (at = 0; at < count; at += n) {
		n = count - at < FILL ? count - at : FILL;
		for (i = 0; i < n; i++)
			heap_fill(&buf[i], seed, at + i);
		write_at(buf, at, n);
	}
}

void halve(void)
{
	uint64_t at, run;

	for (at = 0; at < count; at += run) {
		for (run = 0; at + run < count && heap_freed(seed, at + run); run++)
			;
		if (run)
			discard(at, run);
		else
			run = 1;
	}
}

void verify(char what)
{
	struct block want;
	uint64_t at, i, n, wrong = 0;

	for (at = 0; at < count; at += n) {
		n = count - at < BATCH ? count - at : BATCH;
		read_at(buf, at, n);
		for (i = 0; i < n; i++) {
			memset(&want, 0, sizeof(want));
			if (what == 'a' || (what == 'h' && !heap_freed(seed, at + i)))
				heap_fill(&want, seed, at + i);
			if (memcmp(&buf[i], &want, BLOCK_BYTES) && wrong++ < 5)
				pattern_explain(&buf[i], &want, at + i);
		}
	}
	if (wrong) {
		fprintf(stderr, "dzb: %llu blocks of %s are wrong\n",
			(unsigned long long)wrong, device);
		exit(1);
	}
}

static uint64_t timed_compact(void)
{
	uint64_t t;

	prctl(PR_SET_NAME, "dzb-compact");
	t = now();
	if (compact(device))
		die("compact");
	return now() - t;
}

/* Large requests of blocks that were made before the clock starts; in CPU time. */
static void rate(void)
{
	uint64_t window = 64 * BATCH, at, i, n, writing = 0, reading = 0, cpu;
	struct block *b = memory(window * BLOCK_BYTES), want;

	for (at = 0; at < count; at += window) {
		n = count - at < window ? count - at : window;
		n -= n % BATCH;
		for (i = 0; i < n; i++)
			heap_fill(&b[i], seed, at + i);
		cpu = cpu_now();
		for (i = 0; i < n; i += BATCH)
			write_at(b + i, at + i, BATCH);
		writing += cpu_now() - cpu;
		cpu = cpu_now();
		for (i = 0; i < n; i += BATCH)
			read_at(b + i, at + i, BATCH);
		reading += cpu_now() - cpu;
		for (i = 0; i < n; i++) {
			heap_fill(&want, seed, at + i);
			if (memcmp(&b[i], &want, BLOCK_BYTES)) {
				fprintf(stderr, "dzb: block %llu is wrong\n",
					(unsigned long long)(at + i));
				exit(1);
			}
		}
	}
	printf("write_ns=%llu read_ns=%llu\n", (unsigned long long)(writing / count),
	       (unsigned long long)(reading / count));
}

/* ---- latency ----------------------------------------------------------- */

static volatile int compacting;
static uint64_t compact_ns;

void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* with one CPU there is no choice */
}

static void *compactor(void *unused)
{
	(void)unused;
	on_cpu(1);
	compact_ns += timed_compact();
	compacting = 0;
	return NULL;
}

int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Overwrites live blocks with what they hold, until told or @limit writes are done. */
static uint32_t write_singles(uint32_t *ns, uint32_t n, uint32_t limit, uint64_t *state)
{
	uint64_t t, nr;

	while (n < MAX_SAMPLES && (limit ? n < limit : compacting)) {
		nr = next_random(state) % count;
		if (heap_freed(seed, nr))
			continue;
		heap_fill(buf, seed, nr);
		t = now();
		write_at(buf, nr, 1);
		t = now() - t;
		ns[n++] = t > UINT32_MAX ? UINT32_MAX : t;
	}
	return n;
}

static void latency(unsigned int cycles, int idle)
{
	uint32_t *ns = memory(MAX_SAMPLES * sizeof(*ns)), n = 0, i;
	uint64_t state = mix64(seed) | 1, sum = 0;
	pthread_t thread;
	unsigned int c;

	on_cpu(0);
	for (c = 0; c < cycles; c++) {
		fill();
		halve();
		compacting = 1;
		if (!idle && pthread_create(&thread, NULL, compactor, NULL))
			die("thread");
		n = write_singles(ns, n, idle ? (c + 1) * 20000 : 0, &state);
		if (!idle)
			pthread_join(thread, NULL);
	}
	verify('h');
	if (!n)
		die("not a single write");
	for (i = 0; i < n; i++)
		sum += ns[i];
	qsort(ns, n, sizeof(*ns), by_value);
	printf("writes=%u avg_ns=%llu p50_ns=%u p99_ns=%u p999_ns=%u max_ns=%u compact_ns=%llu\n",
	       n, (unsigned long long)(sum / n), ns[n / 2], ns[(uint64_t)n * 99 / 100],
	       ns[(uint64_t)n * 999 / 1000], ns[n - 1],
	       (unsigned long long)(compact_ns / cycles));
}

/* ---- swap -------------------------------------------------------------- */

/* A number of a file in /proc, in KiB. */
static uint64_t proc_kib(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char line[128];
	uint64_t v = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			v = strtoull(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return v;
}

static int tell(const char *path, const char *text)
{
	int to = open(path, O_WRONLY | O_CLOEXEC), ok;

	ok = to >= 0 && write(to, text, strlen(text)) == (ssize_t)strlen(text);
	if (to >= 0)
		close(to);
	return ok;
}

/*
 * A heap, and all of it but a hundredth swapped out; and let go of by the swap
 * cache, in which what was written asynchronously stays until it is reclaimed.
 * For that it is in a cgroup.
 */
static struct block *swapped(uint64_t pages, int may_cache)
{
	struct block *mem = mmap(NULL, pages * BLOCK_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t i, out = 0, cached = 0;
	int tries;

	if (mem == MAP_FAILED)
		die("mmap");
	if (!tell(CGROUP "/cgroup.procs", "0"))
		die(CGROUP);
	madvise(mem, pages * BLOCK_BYTES, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i++)
		heap_fill(&mem[i], seed, i);
	for (tries = 0; tries < 50; tries++) {
		if (madvise(mem, pages * BLOCK_BYTES, MADV_PAGEOUT))
			die("madvise");
		tell(CGROUP "/memory.reclaim", "64M"); /* fails when it finds less */
		out = proc_kib("/proc/self/status", "VmSwap:");
		cached = proc_kib("/proc/meminfo", "SwapCached:");
		if (out >= pages * 4 * 99 / 100 && (may_cache || cached < pages * 4 / 100))
			return mem;
		usleep(50000);
	}
	fprintf(stderr, "dzb: %llu KiB went to swap, %llu KiB are in the swap cache\n",
		(unsigned long long)out, (unsigned long long)cached);
	exit(2);
}

/* The end of such a process; and what goes on behind it, less what does without. */
static void swap_exit(uint64_t pages)
{
	int ready[2], status;
	uint64_t t, cpu, idle, done, rest;
	pid_t child;
	char c;

	if (pipe(ready))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(ready[0]);
		swapped(pages, 0);
		if (write(ready[1], "!", 1) != 1)
			die("pipe");
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		exit(2);
	idle = cpu_now();
	sleep(1);
	cpu = cpu_now();
	idle = cpu - idle;
	t = now();
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		die("wait");
	t = now() - t;
	done = cpu_now();
	sleep(1);
	rest = cpu_now() - done;
	rest = rest > idle ? rest - idle : 0;
	printf("exit_ns=%llu cpu_ns=%llu all_ns=%llu\n", (unsigned long long)t,
	       (unsigned long long)(done - cpu), (unsigned long long)(done - cpu + rest));
}

static void swap_hold(uint64_t pages, int may_cache)
{
	struct block *mem = swapped(pages, may_cache), want;
	uint64_t i, wrong = 0;

	puts("swapped");
	fflush(stdout);
	if (getchar() == EOF)
		exit(2);
	for (i = 0; i < pages; i++) {
		heap_fill(&want, seed, i);
		wrong += memcmp(&mem[i], &want, BLOCK_BYTES) != 0;
	}
	printf("wrong=%llu\n", (unsigned long long)wrong);
	exit(wrong != 0);
}

/* ------------------------------------------------------------------------ */

static void open_device(int argc, char **argv)
{
	device = argv[2];
	count = argc > 3 ? number(argv[3]) : 0;
	seed = argc > 4 ? number(argv[4]) : 1;
	buf = memory(BATCH * BLOCK_BYTES);
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		die(device);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	uint64_t t, cpu;

	if (argc == 4 && !strcmp(verb, "exit")) {
		seed = number(argv[3]);
		swap_exit(number(argv[2]) * 256);
		return 0;
	}
	if ((argc == 4 || (argc == 5 && !strcmp(argv[4], "cached"))) && !strcmp(verb, "hold")) {
		seed = number(argv[3]);
		swap_hold(number(argv[2]) * 256, argc == 5);
		return 0;
	}
	if (argc < 3)
		usage();
	if (!strcmp(verb, "touch")) {
		memory(number(argv[2]) << 20);
		return 0;
	}
	if (argc == 5 && !strcmp(verb, "watch")) {
		watch_writes(argv[2], number(argv[3]), number(argv[4]));
		return 0;
	}
	open_device(argc, argv);
	cpu = cpu_now();
	t = now();
	if (!strcmp(verb, "compact") && argc == 3)
		printf("compact_ns=%llu\n", (unsigned long long)timed_compact());
	else if (!strcmp(verb, "fill") && argc == 5)
		fill();
	else if (!strcmp(verb, "halve") && argc == 5)
		halve();
	else if (!strcmp(verb, "verify") && argc == 6 && strchr("ahn", *argv[5]))
		verify(*argv[5]);
	else if (!strcmp(verb, "reads") && argc == 7 && strchr("an-", *argv[6]))
		single_reads(number(argv[5]), *argv[6]);
	else if (!strcmp(verb, "rate") && argc == 5)
		rate();
	else if (!strcmp(verb, "latency") && argc >= 6)
		latency(number(argv[5]), argc == 7);
	else if (!strcmp(verb, "beside") && argc >= 6)
		beside_writes(number(argv[5]), argc == 7);
	else if (!strcmp(verb, "discard") && argc == 4) {
		discard(0, count);
		t = now() - t;
		printf("discard_ns=%llu cpu_ns=%llu\n", (unsigned long long)t,
		       (unsigned long long)(cpu_now() - cpu));
	} else
		usage();
	return 0;
}
