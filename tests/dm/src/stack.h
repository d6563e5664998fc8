/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small zram device over a small cold device, with dm-nth between them if
 * wanted, and a model of what each block holds: the generation of its last
 * write, which pattern.h makes its content from; 0 for zeroes.
 *
 * The log is tight (overcommit, few segments of the smallest size), so that
 * some rounds of writing make the cleaner work.
 */
#ifndef DMZ_TEST_STACK_H
#define DMZ_TEST_STACK_H

#include <sys/mman.h>
#include <time.h>
#include <linux/fs.h>
#include "dmctl.h"
#include "pattern.h"

#define SEG_BYTES	65536u
#define SEG_SECTORS	(SEG_BYTES / 512)
#define HEADER_BYTES	(1u << 20)
#define MAX_BLOCKS	4096u
#define BATCH		16u	/* blocks of one I/O, where it does not matter */
#define PATIENCE_SECS	30

enum { RIGHT, BAD };	/* what a read says; wrong data ends the program */

struct stack {
	struct dmc c;
	const char *cold;	/* path */
	int cold_fd;
	int fd;			/* the zram device */
	int with_nth;
	uint32_t blocks;
	uint32_t segments;
	unsigned int ratio;
	int groups;		/* cold_algorithm zstd */
	uint32_t next_gen;
	uint32_t gen[MAX_BLOCKS];
	unsigned char lost[MAX_BLOCKS];	/* EIO is right */
	uint64_t random;
	char fields[4096];
	struct block *got, *want;
};

static const char *const zram_name = "dmz-faulty", *const nth_name = "dmz-nth";

static inline void stack_init(struct stack *s, const char *cold)
{
	memset(s, 0, sizeof(*s));
	s->cold = cold;
	s->got = mmap(NULL, (BATCH + 1) * BLOCK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->got == MAP_FAILED)
		die("mmap");
	s->want = s->got + BATCH;
	s->cold_fd = open(cold, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (s->cold_fd < 0)
		die("%s", cold);
	dmc_open(&s->c);
	s->next_gen = 1;
}

static inline void stack_up(struct stack *s)
{
	uint64_t sectors = (HEADER_BYTES + (uint64_t)s->segments * SEG_BYTES) / 512;
	char params[256], below[32];
	struct stat st;
	dev_t dev;

	if (fstat(s->cold_fd, &st))
		die("%s", s->cold);
	dev = st.st_rdev;
	snprintf(params, sizeof(params), "%u:%u 0", major(dev), minor(dev));
	dev = dmc_create(&s->c, nth_name, sectors, s->with_nth ? "nth" : "linear", params);
	snprintf(below, sizeof(below), "%u:%u", major(dev), minor(dev));
	snprintf(params, sizeof(params),
		 "%s 11 segment_size 64K mem_limit 0 demote_age 0 overcommit discard_passdown off cold_algorithm %s",
		 below, s->groups ? "zstd" : "none");
	dev = dmc_create(&s->c, zram_name, (uint64_t)s->blocks * 8, "zram", params);
	snprintf(params, sizeof(params), "/dev/dm-%u", minor(dev));
	s->fd = open(params, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (s->fd < 0)
		die("%s", params);
	if (!*s->fields &&
	    dmc_message(&s->c, zram_name, s->fields, sizeof(s->fields), "fields"))
		die("message fields");
	memset(s->gen, 0, sizeof(s->gen));
	memset(s->lost, 0, sizeof(s->lost));
	s->random = 1;
}

static inline void stack_down(struct stack *s)
{
	close(s->fd);
	dmc_remove(&s->c, zram_name);
	dmc_remove(&s->c, nth_name);
}

static inline uint64_t stat_of(struct stack *s, const char *field)
{
	return dmc_stat(&s->c, zram_name, s->fields, field);
}

/* A number below @n, the same ones in each run. */
static inline uint32_t pick(struct stack *s, uint32_t n)
{
	return (next_random(&s->random) >> 20) % n;
}

/* Write @n blocks in one go. Writes never fail. */
static inline void put_run(struct stack *s, uint32_t b, uint32_t n)
{
	size_t bytes = (size_t)n * BLOCK_BYTES;
	uint32_t i;

	for (i = 0; i < n; i++) {
		s->gen[b + i] = s->next_gen++;
		s->lost[b + i] = 0;
		pattern_fill(s->got + i, s->gen[b + i], b + i, s->ratio);
	}
	if (n && pwrite(s->fd, s->got, bytes, (off_t)b * BLOCK_BYTES) != (ssize_t)bytes)
		die("write of blocks %u + %u", b, n);
}

static inline void put(struct stack *s, uint32_t b)
{
	put_run(s, b, 1);
}

/* Write some of the blocks that are not lost anew: @share of 256 of them. */
static inline void put_some(struct stack *s, uint32_t share)
{
	uint32_t b = 0, n;

	while (b < s->blocks) {
		int wanted = pick(s, 256) < share;

		for (n = 0; n < 1 + b % 7 && b + n < s->blocks && !s->lost[b + n]; n++)
			;
		if (wanted)
			put_run(s, b, n);
		b += n ? n : 1;
	}
}

static inline void discard(struct stack *s, uint32_t b, uint32_t n)
{
	uint64_t range[2] = { (uint64_t)b * BLOCK_BYTES, (uint64_t)n * BLOCK_BYTES };

	if (ioctl(s->fd, BLKDISCARD, range))
		die("discard of block %u", b);
	memset(s->gen + b, 0, n * sizeof(s->gen[0]));
	memset(s->lost + b, 0, n);
}

static inline void compare(struct stack *s, const struct block *got, uint32_t b)
{
	if (s->gen[b])
		pattern_fill(s->want, s->gen[b], b, s->ratio);
	else
		memset(s->want, 0, BLOCK_BYTES);
	if (!memcmp(got, s->want, BLOCK_BYTES))
		return;
	pattern_explain(got, s->want, b);
	errno = 0;
	die("WRONG DATA in block %u, of generation %u", b, s->gen[b]);
}

/* Return: RIGHT, or BAD if they cannot all be read; wrong data is the end. */
static inline int get_run(struct stack *s, uint32_t b, uint32_t n)
{
	ssize_t bytes = (ssize_t)n * BLOCK_BYTES;
	ssize_t done = pread(s->fd, s->got, bytes, (off_t)b * BLOCK_BYTES);
	uint32_t i;

	if (done < 0 && errno == EIO)
		return BAD;
	if (done != bytes && n > 1)
		return BAD;	/* up to the first that cannot */
	if (done != bytes)
		die("read of block %u: %zd", b, done);
	for (i = 0; i < n; i++)
		compare(s, s->got + i, b + i);
	return RIGHT;
}

static inline int get(struct stack *s, uint32_t b)
{
	return get_run(s, b, 1);
}

/* All blocks out of RAM, all of the log on the device. Return: 0 or errno. */
static inline int settle(struct stack *s)
{
	int err = dmc_message(&s->c, zram_name, NULL, 0, "demote all");

	return err ? err : dmc_message(&s->c, zram_name, NULL, 0, "drain");
}

static inline void must_settle(struct stack *s)
{
	errno = settle(s);
	if (errno)
		die("demote all, drain");
}

static inline void nap(unsigned int ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000l };

	nanosleep(&t, NULL);
}

/*
 * Until the cleaner rests, too: what it has read before the device was damaged would come right
 * again later.
 */
static inline void quiesce(struct stack *s)
{
	unsigned int same = 0, tries;
	uint64_t was = 0;

	for (tries = 0; same < 3 && tries < 200; tries++) {
		uint64_t now;

		must_settle(s);
		nap(20);
		now = stat_of(s, "cold_read_bytes") + stat_of(s, "blocks_cleaned") +
		      stat_of(s, "segments_cleaned");
		same = now == was ? same + 1 : 0;
		was = now;
	}
}

/* Until all segments that can be free are: nothing is stored any more. */
static inline void empty_out(struct stack *s)
{
	uint64_t want = s->segments - stat_of(s, "segments_bad");
	time_t end = time(NULL) + PATIENCE_SECS;

	discard(s, 0, s->blocks);
	while (stat_of(s, "segments_free") != want) {
		if (time(NULL) > end) {
			errno = 0;
			die("%llu of %llu segments are free with nothing stored",
			    (unsigned long long)stat_of(s, "segments_free"),
			    (unsigned long long)want);
		}
		must_settle(s);
		nap(5);
	}
}

/* Write most blocks anew, some rounds, so that the cleaner must work. */
static inline void churn(struct stack *s, unsigned int rounds)
{
	while (rounds--) {
		put_some(s, 192);
		must_settle(s);
	}
}

/* Each block: right or lost? Return: how many are lost. */
static inline uint32_t find_lost(struct stack *s)
{
	uint32_t b, i, n, lost = 0;

	memset(s->lost, 0, sizeof(s->lost));
	for (b = 0; b < s->blocks; b += n) {
		n = s->blocks - b < BATCH ? s->blocks - b : BATCH;
		if (get_run(s, b, n) == RIGHT)
			continue;
		for (i = 0; i < n; i++) {
			s->lost[b + i] = get(s, b + i) == BAD;
			lost += s->lost[b + i];
		}
	}
	return lost;
}

/*
 * What is not lost is right, and what is lost does not turn into something else: at most, into
 * what it was, if the cleaner had it in memory all the time.
 */
static inline void verify_all(struct stack *s)
{
	unsigned char was[MAX_BLOCKS];
	uint32_t b;

	memcpy(was, s->lost, sizeof(was));
	find_lost(s);
	errno = 0;
	for (b = 0; b < s->blocks; b++)
		if (s->lost[b] && !was[b])
			die("block %u cannot be read, though it is not lost", b);
}

#endif /* DMZ_TEST_STACK_H */
