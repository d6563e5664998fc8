// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-scan: rebuild what a dm-zram device holds from its cold device alone, as
 * a recovery would, and compare with what the device itself says. All blocks
 * must be cold and on the device (demote all, drain), and none a repeated word.
 *
 * Reads by the text of Documentation/design.rst, with code of its own. For
 * comparison it also counts what the sequence numbers of segments alone would
 * have got wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/fs.h>
#include <zstd.h>

#define MAGIC		0x67655372617a6d64ull
#define AREA		(1u << 20)
#define STEP		(64u << 10)	/* the smallest segment */
#define BLOCK		4096u

struct seg_header {
	uint64_t magic;
	uint32_t version, seg;
	uint64_t seq, log_id[2];
	uint32_t used, objects;
	uint64_t base;
	uint32_t segment_size, crc;
};

struct obj_header {
	uint32_t block;
	uint16_t len;
	uint8_t codec, flags;
	uint32_t version, crc;
};

struct group_header {
	uint8_t members, dead, zero[2], weight[4];
	uint32_t version[4];
};

/* The best object of a block so far, by one order or the other. */
struct best {
	uint64_t major, minor;
	const struct obj_header *obj;
};

static unsigned char *cold;
static uint64_t cold_bytes;
static struct best *by_version, *by_seq;
static uint64_t nr_blocks, objects, groups, damaged;

static void die(const char *what)
{
	fprintf(stderr, "dmz-scan: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	const unsigned char *p = data;
	uint32_t i, j, v;

	for (i = table[1] ? 256 : 0; i < 256; i++) {
		for (v = i, j = 0; j < 8; j++)
			v = v & 1 ? v >> 1 ^ 0x82f63b78u : v >> 1;
		table[i] = v;
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return crc;
}

/* The format of a block of LZ4. Returns the bytes it gave. */
static size_t lz4(const unsigned char *in, size_t len, unsigned char *out)
{
	const unsigned char *end = in + len;
	size_t at = 0;

	while (in < end) {
		unsigned int token = *in++, n = token >> 4, distance, more;

		if (n == 15)
			do {
				n += more = *in++;
			} while (more == 255);
		if (n > end - in || at + n > BLOCK)
			return 0;
		memcpy(out + at, in, n);
		at += n;
		in += n;
		if (in == end)
			break;
		distance = in[0] | in[1] << 8;
		in += 2;
		n = (token & 15) + 4;
		if (n == 19)
			do {
				n += more = *in++;
			} while (more == 255);
		if (!distance || distance > at || at + n > BLOCK)
			return 0;
		for (; n; n--, at++)
			out[at] = out[at - distance];
	}
	return at;
}

/* Open a device, or a copy of one in a file; its size in bytes. */
static int open_dev(const char *name, uint64_t *bytes)
{
	int fd = open(name, O_RDONLY | O_DIRECT);
	off_t end;

	if (fd < 0 && errno == EINVAL)
		fd = open(name, O_RDONLY);
	if (fd < 0)
		die(name);
	if (!ioctl(fd, BLKGETSIZE64, bytes))
		return fd;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		die(name);
	*bytes = end;
	return fd;
}

static void *memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static const struct seg_header *header_at(uint64_t at)
{
	const struct seg_header *h = (const void *)(cold + at);

	if (at + sizeof(*h) > cold_bytes || h->magic != MAGIC || h->version != 3 ||
	    h->crc != crc32c(~0u, h, 60))
		return NULL;
	return h;
}

/* Is there an object of that segment at @off? */
static const struct obj_header *object_at(const struct seg_header *sh, uint32_t off)
{
	const struct obj_header *h = (const void *)((const unsigned char *)sh + off);
	uint32_t seq = sh->seq, crc;

	if (off + sizeof(*h) > sh->used || !h->len || h->len > (h->flags & 2 ? 7664 : BLOCK) ||
	    off + sizeof(*h) + h->len > sh->used)
		return NULL;
	crc = crc32c(~0u, sh->log_id, sizeof(sh->log_id));
	crc = crc32c(crc ^ off, &seq, sizeof(seq));
	crc = crc32c(crc, h, 12);
	return h->crc == crc32c(crc, h + 1, h->len) ? h : NULL;
}

static void consider(struct best *best, uint32_t block, const struct obj_header *h, uint64_t major,
		     uint64_t minor)
{
	struct best *b = &best[block];

	if (b->obj && (b->major > major || (b->major == major && b->minor > minor)))
		return;
	*b = (struct best){ major, minor, h };
}

static void found(const struct seg_header *sh, uint32_t off, uint32_t block, uint32_t version)
{
	const struct obj_header *h = (const void *)((const unsigned char *)sh + off);

	if (block >= nr_blocks) {
		damaged++;
		return;
	}
	consider(by_version, block, h, sh->base + (uint32_t)(version - (uint32_t)sh->base), 0);
	consider(by_seq, block, h, sh->seq, off);
}

static void found_group(const struct seg_header *sh, uint32_t off)
{
	const struct obj_header *h = (const void *)((const unsigned char *)sh + off);
	const struct group_header *g = (const void *)(h + 1);
	uint32_t i;

	if (h->len <= sizeof(*g)) {
		damaged++;
		return;
	}
	groups++;
	for (i = 0; i < 4; i++)
		if ((g->members & ~g->dead) >> i & 1)
			found(sh, off, h->block + i, g->version[i]);
}

static void scan_segment(const struct seg_header *sh)
{
	uint32_t off = sizeof(*sh), n = 0;

	while (off < sh->used) {
		const struct obj_header *h = object_at(sh, off);

		if (!h) {
			damaged++;
			off += 8;
			continue;
		}
		if (!h->flags)
			found(sh, off, h->block, h->version);
		else if (h->flags == 2)
			found_group(sh, off);
		objects++;
		n++;
		off += (sizeof(*h) + h->len + 7) & ~7u;
	}
	if (n != sh->objects)
		damaged++;
}

/* All segments of the log that the first one found belongs to. Returns their number. */
static unsigned int scan(void)
{
	const struct seg_header *first = NULL, *h;
	unsigned int segments = 0;
	uint64_t at, seg;

	for (at = AREA; !first && at < cold_bytes; at += STEP)
		first = header_at(at);
	if (!first)
		return 0;
	for (seg = 0; AREA + (seg + 1) * first->segment_size <= cold_bytes; seg++) {
		h = header_at(AREA + seg * first->segment_size);
		if (!h || h->seg != seg || memcmp(h->log_id, first->log_id, 16))
			continue;
		scan_segment(h);
		segments++;
	}
	return segments;
}

/* Is that member of the group what the device says the block is? */
static int same_member(const struct obj_header *h, uint32_t member, const unsigned char *want)
{
	const struct group_header *g = (const void *)(h + 1);
	unsigned int nr = __builtin_popcount(g->members);
	unsigned char got[4 * BLOCK];

	return ZSTD_decompress(got, sizeof(got), g + 1, h->len - sizeof(*g)) == nr * BLOCK &&
	       !memcmp(got + __builtin_popcount(g->members & ((1u << member) - 1)) * BLOCK, want, BLOCK);
}

/* Is @h what the device says the block is? */
static int same(const struct obj_header *h, uint32_t block, const unsigned char *want)
{
	unsigned char got[BLOCK];

	if (h->flags & 2)
		return same_member(h, block - h->block, want);
	if (!h->codec)
		return h->len == BLOCK && !memcmp(h + 1, want, BLOCK);
	return h->codec == 1 && lz4((const void *)(h + 1), h->len, got) == BLOCK &&
	       !memcmp(got, want, BLOCK);
}

int main(int argc, char **argv)
{
	uint64_t bytes, at, b, good = 0, wrong = 0, missing = 0, seq_wrong = 0;
	unsigned char *want;
	unsigned int segments;
	int cold_fd, fd;

	if (argc != 3) {
		fputs("usage: dmz-scan COLD-DEVICE|FILE DEVICE\n", stderr);
		return 2;
	}
	cold_fd = open_dev(argv[1], &cold_bytes);
	fd = open_dev(argv[2], &bytes);
	nr_blocks = bytes / BLOCK;
	cold = memory(cold_bytes);
	want = memory(BLOCK);
	by_version = memory(nr_blocks * sizeof(*by_version));
	by_seq = memory(nr_blocks * sizeof(*by_seq));
	for (at = 0; at < cold_bytes; at += STEP)
		if (pread(cold_fd, cold + at, STEP, at) <= 0)
			die(argv[1]);
	segments = scan();
	for (b = 0; b < nr_blocks; b++) {
		if (pread(fd, want, BLOCK, b * BLOCK) != BLOCK)
			die(argv[2]);
		if (!by_version[b].obj) {
			missing++;
			continue;
		}
		if (same(by_version[b].obj, b, want))
			good++;
		else
			wrong++;
		seq_wrong += !same(by_seq[b].obj, b, want);
	}
	printf("segments=%u objects=%llu groups=%llu damaged=%llu good=%llu wrong=%llu missing=%llu wrong_by_sequence=%llu\n",
	       segments, (unsigned long long)objects, (unsigned long long)groups,
	       (unsigned long long)damaged,
	       (unsigned long long)good, (unsigned long long)wrong, (unsigned long long)missing,
	       (unsigned long long)seq_wrong);
	return wrong || missing || damaged;
}
