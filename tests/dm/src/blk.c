// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-blk: write and verify blocks of a device with O_DIRECT, without needing
 * memory once it has started, and count what failed instead of stopping.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include "pattern.h"

#define MAX_BATCH	256u
#define MAX_EXPLAIN	5u

struct job {
	int fd;
	uint64_t from;		/* first block */
	uint64_t count;		/* blocks */
	uint64_t seed;
	unsigned int ratio;
	unsigned int batch;	/* blocks of one I/O */
	unsigned int stride;	/* of so many I/Os that could be, the first */
	unsigned int passes;
	int random;		/* order of the I/Os */
	int fsync;
	int quiet;
	unsigned int pause_ms;	/* between two passes */
	const char *until;	/* stop when this file exists */
	struct block *buf;
	struct block *want;
};

struct tally {
	uint64_t good, zero, wrong, failed, nospace;
	uint64_t first_failed;
	uint64_t slowest_ms;	/* longest time from the start of a pass to that of the next */
};

static void usage(void)
{
	fputs("usage: dmz-blk write|verify|zero|excl DEVICE [option...]\n"
	      "  write    write blocks; prints good= (written) failed= nospace= (of these, with ENOSPC)\n"
	      "  verify   read and compare; prints good= zero= wrong= failed=\n"
	      "  zero     read and expect zeroes\n"
	      "  excl     open the device exclusively for writing, and close it\n"
	      "  --from N --count N   range, in blocks of 4 KiB (default: the whole device)\n"
	      "  --seed N             what to write (default 1)\n"
	      "  --ratio N            compressibility N:1; 1 random, 0 a mixture (default 3);\n"
	      "                       100 + N: as N, and four neighbours have much in common\n"
	      "  --batch N            blocks of one I/O, up to 256 (default 16)\n"
	      "  --stride N           one I/O, then none where N - 1 could be (default 1)\n"
	      "  --random             I/Os in random order\n"
	      "  --passes N           do it N times, write with the same content (default 1)\n"
	      "  --pause MS           between two passes; prints slowest_ms=, the longest from one to the next\n"
	      "  --until FILE         stop as soon as FILE exists, in whatever pass\n"
	      "  --sync               fsync at the end\n"
	      "  --report             status 0 whatever the counts are; no complaint for each block\n",
	      stderr);
	exit(2);
}

static void die(const char *what)
{
	fprintf(stderr, "dmz-blk: %s: %s\n", what, strerror(errno));
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

/* Return: 0 or the errno of the I/O. */
static int transfer(struct job *j, int write, uint64_t block, unsigned int n)
{
	size_t len = (size_t)n * BLOCK_BYTES;
	off_t off = block * BLOCK_BYTES;
	ssize_t done = write ? pwrite(j->fd, j->buf, len, off) : pread(j->fd, j->buf, len, off);

	if (done == (ssize_t)len)
		return 0;
	/* A short transfer: the caller goes on block by block and meets the error. */
	return done < 0 ? errno : EIO;
}

static void write_blocks(struct job *j, struct tally *t, uint64_t block, unsigned int n)
{
	unsigned int i;
	int err;

	for (i = 0; i < n; i++)
		pattern_fill(&j->buf[i], j->seed, block + i, j->ratio);
	err = transfer(j, 1, block, n);
	if (!err) {
		t->good += n;
		return;
	}
	if (n > 1) {
		for (i = 0; i < n; i++)
			write_blocks(j, t, block + i, 1);
		return;
	}
	if (!t->failed++)
		t->first_failed = block;
	if (err == ENOSPC)
		t->nospace++;
	if (!j->quiet && t->failed <= MAX_EXPLAIN)
		fprintf(stderr, "write of block %llu: %s\n", (unsigned long long)block, strerror(err));
}

static void check_block(struct job *j, struct tally *t, const struct block *got,
			uint64_t block, int want_zero)
{
	if (want_zero)
		memset(j->want, 0, BLOCK_BYTES);
	else
		pattern_fill(j->want, j->seed, block, j->ratio);
	if (!memcmp(got, j->want, BLOCK_BYTES)) {
		t->good++;
	} else {
		if (!want_zero && block_is_zero(got))
			t->zero++;
		else
			t->wrong++;
		if (!j->quiet && t->wrong + t->zero <= MAX_EXPLAIN)
			pattern_explain(got, j->want, block);
	}
}

static void verify_blocks(struct job *j, struct tally *t, uint64_t block, unsigned int n,
			  int want_zero)
{
	int err = transfer(j, 0, block, n);
	unsigned int i;

	if (!err) {
		for (i = 0; i < n; i++)
			check_block(j, t, &j->buf[i], block + i, want_zero);
		return;
	}
	if (n > 1) {
		for (i = 0; i < n; i++)
			verify_blocks(j, t, block + i, 1, want_zero);
		return;
	}
	if (!t->failed++)
		t->first_failed = block;
	if (!j->quiet && t->failed <= MAX_EXPLAIN)
		fprintf(stderr, "read of block %llu: %s\n", (unsigned long long)block, strerror(err));
}

static int told_to_stop(const struct job *j)
{
	return j->until && !access(j->until, F_OK);
}

/* Visit every I/O of the range once, in order or in a pseudo-random permutation. */
static void run(struct job *j, struct tally *t, char what)
{
	uint64_t step = (uint64_t)j->batch * j->stride;
	uint64_t ios = (j->count + step - 1) / step, size = 1, i, at;

	while (size < ios)
		size <<= 1;
	for (i = 0; i < size && !told_to_stop(j); i++) {
		unsigned int n = j->batch;

		/* odd factor: a permutation of the power of two */
		at = j->random ? (i * 0x9e3779b1ull + mix64(j->seed)) & (size - 1) : i;
		if (at >= ios)
			continue;
		if (j->count - at * step < n)
			n = j->count - at * step;
		if (what == 'w')
			write_blocks(j, t, j->from + at * step, n);
		else
			verify_blocks(j, t, j->from + at * step, n, what == 'z');
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void run_passes(struct job *j, struct tally *t, char what)
{
	struct timespec pause = { j->pause_ms / 1000, j->pause_ms % 1000 * 1000000l };
	uint64_t start = now_ms(), now;
	unsigned int i;

	for (i = 0; i < j->passes && !told_to_stop(j); i++) {
		run(j, t, what);
		if (j->pause_ms)
			nanosleep(&pause, NULL);
		now = now_ms();
		if (now - start > t->slowest_ms)
			t->slowest_ms = now - start;
		start = now;
	}
}

static const struct option options[] = {
	{ "from", 1, NULL, 'f' }, { "count", 1, NULL, 'c' }, { "seed", 1, NULL, 's' },
	{ "ratio", 1, NULL, 'r' }, { "batch", 1, NULL, 'b' }, { "passes", 1, NULL, 'p' },
	{ "random", 0, NULL, 'R' }, { "sync", 0, NULL, 'S' }, { "report", 0, NULL, 'q' },
	{ "until", 1, NULL, 'u' }, { "pause", 1, NULL, 'P' },
	{ "stride", 1, NULL, 't' },
	{ NULL, 0, NULL, 0 }
};

static void parse(struct job *j, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f': j->from = number(optarg); break;
		case 'c': j->count = number(optarg); break;
		case 's': j->seed = number(optarg); break;
		case 'r': j->ratio = number(optarg); break;
		case 'b': j->batch = number(optarg); break;
		case 'p': j->passes = number(optarg); break;
		case 't': j->stride = number(optarg); break;
		case 'R': j->random = 1; break;
		case 'S': j->fsync = 1; break;
		case 'q': j->quiet = 1; break;
		case 'u': j->until = optarg; break;
		case 'P': j->pause_ms = number(optarg); break;
		default: usage();
		}
	}
	if (optind != argc || !j->stride || !j->batch || j->batch > MAX_BATCH)
		usage();
}

static void open_device(struct job *j, const char *path, int write)
{
	uint64_t bytes = 0;

	j->fd = open(path, (write ? O_WRONLY : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (j->fd < 0)
		die(path);
	if (ioctl(j->fd, BLKGETSIZE64, &bytes))
		bytes = lseek(j->fd, 0, SEEK_END);	/* a file will do */
	if (j->from > bytes / BLOCK_BYTES)
		usage();
	if (!j->count || j->count > bytes / BLOCK_BYTES - j->from)
		j->count = bytes / BLOCK_BYTES - j->from;
}

static int open_exclusively(const char *path)
{
	int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		die(path);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct job j = { .seed = 1, .ratio = 3, .batch = 16, .stride = 1, .passes = 1 };
	struct tally t = { 0 };
	const char *verb, *path;
	int bad;

	if (argc < 3)
		usage();
	verb = argv[1];
	path = argv[2];
	parse(&j, argc - 2, argv + 2);
	if (!strcmp(verb, "excl"))
		return open_exclusively(path);
	if (strcmp(verb, "write") && strcmp(verb, "verify") && strcmp(verb, "zero"))
		usage();
	j.buf = mmap(NULL, (MAX_BATCH + 1) * BLOCK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (j.buf == MAP_FAILED)
		die("mmap");
	j.want = j.buf + MAX_BATCH;
	/* Its own page faults must not be what fails in a guest without memory. */
	if (mlockall(MCL_CURRENT))
		fprintf(stderr, "dmz-blk: mlockall: %s\n", strerror(errno));
	open_device(&j, path, *verb == 'w');
	run_passes(&j, &t, *verb);
	bad = t.failed || t.wrong || t.zero;
	if (j.fsync && fsync(j.fd)) {
		fprintf(stderr, "dmz-blk: fsync: %s\n", strerror(errno));
		bad = 1;
	}
	printf("good=%llu zero=%llu wrong=%llu failed=%llu nospace=%llu first_failed=%lld",
	       (unsigned long long)t.good, (unsigned long long)t.zero, (unsigned long long)t.wrong,
	       (unsigned long long)t.failed, (unsigned long long)t.nospace,
	       t.failed ? (long long)t.first_failed : -1);
	if (j.pause_ms)
		printf(" slowest_ms=%llu", (unsigned long long)t.slowest_ms);
	putchar('\n');
	return bad && !j.quiet;
}
