/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cold device as the tests see it: the format of Documentation/design.rst,
 * read by code of its own.
 */
#ifndef DMZ_TEST_LOGVIEW_H
#define DMZ_TEST_LOGVIEW_H

#include "stack.h"

#define SEG_HEADER	64u
#define OBJ_HEADER	16u
#define MAX_OBJECTS	16384u

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

#define GROUP_HEADER	24u

struct group_header {
	uint8_t members, dead, zero[2], weight[4];
	uint32_t version[4];
};

/* A block in the log. Members of a group share @seg, @off and @len. */
struct object {
	uint32_t block, seg, off, len;
	uint64_t version;
	int live;
};

struct view {
	struct stack *s;
	size_t bytes;
	unsigned char *data;		/* what should be on the device */
	unsigned char *scratch;		/* a segment */
	struct object obj[MAX_OBJECTS];
	uint32_t nr;
	int of_block[MAX_BLOCKS];	/* its live object, or -1 */
	uint32_t live_of_seg[1024];
};

static inline uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	const unsigned char *p = data;
	uint32_t i, j, v;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			for (v = i, j = 0; j < 8; j++)
				v = v & 1 ? v >> 1 ^ 0x82f63b78u : v >> 1;
			table[i] = v;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return crc;
}

static inline uint64_t seg_at(uint32_t seg)
{
	return HEADER_BYTES + (uint64_t)seg * SEG_BYTES;
}

static inline unsigned char *seg_data(struct view *v, uint32_t seg)
{
	return v->data + seg_at(seg);
}

static inline unsigned char *obj_data(struct view *v, const struct object *o)
{
	return seg_data(v, o->seg) + o->off;
}

static inline uint32_t obj_bytes(const struct object *o)
{
	return OBJ_HEADER + o->len;
}

static inline uint32_t obj_padded(const struct object *o)
{
	return (obj_bytes(o) + 7) & ~7u;
}

/* Is the block stored in the log at all, or is it one word of those that an entry has room for? */
static inline int is_stored(struct stack *s, uint32_t b)
{
	uint64_t w;

	if (!s->gen[b])
		return 0;
	pattern_fill(s->want, s->gen[b], b, s->ratio);
	w = s->want->w[0];
	if (memcmp(s->want->w, s->want->w + 1, BLOCK_BYTES - 8))
		return 1;
	return (int64_t)(w << 8) >> 8 != (int64_t)w && w >> 32 != (uint32_t)w;
}

/* Room for a copy of the device; O_DIRECT wants it aligned. */
static inline unsigned char *image_alloc(size_t bytes)
{
	unsigned char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static inline void view_init(struct view *v, struct stack *s)
{
	v->s = s;
	v->bytes = HEADER_BYTES + (size_t)s->segments * SEG_BYTES;
	v->data = image_alloc(v->bytes + SEG_BYTES);
	v->scratch = v->data + v->bytes;
}

static inline void view_read(struct view *v)
{
	size_t at;

	for (at = 0; at < v->bytes; at += SEG_BYTES)
		if (pread(v->s->cold_fd, v->data + at, SEG_BYTES, at) != SEG_BYTES)
			die("read of the cold device");
}

/* Put @len bytes, in whole sectors, on the device. */
static inline void view_write(struct view *v, const void *data, uint64_t at, size_t len)
{
	if (pwrite(v->s->cold_fd, data, len, at) != (ssize_t)len)
		die("write of the cold device");
}

static inline void format_error(const struct object *o, const char *what)
{
	errno = 0;
	die("format: segment %u, offset %u: %s", o->seg, o->off, what);
}

static inline void view_add(struct view *v, const struct object *o)
{
	if (v->nr == MAX_OBJECTS)
		format_error(o, "too many objects");
	v->obj[v->nr++] = *o;
}

static inline uint64_t whole_version(const struct seg_header *sh, uint32_t low)
{
	return sh->base + (uint32_t)(low - (uint32_t)sh->base);
}

/* The members of a group. */
static inline void view_group(struct view *v, const struct seg_header *sh, struct object *o,
			      int dead)
{
	const struct obj_header *h = (const void *)obj_data(v, o);
	const struct group_header *g = (const void *)(h + 1);
	uint32_t i;

	if (o->len <= GROUP_HEADER || o->len > 7664 || h->block % 4 || h->version ||
	    h->codec != 3 || g->members > 15 || (g->dead & ~g->members) || g->zero[0] || g->zero[1] ||
	    __builtin_popcount(g->members) < 2)
		format_error(o, "group");
	for (i = 0; i < 4; i++) {
		int member = g->members >> i & 1;

		if (member ? !g->weight[i] || g->weight[i] > 127 : g->weight[i] || g->version[i])
			format_error(o, "weight or version");
		if (!member)
			continue;
		o->block = h->block + i;
		o->version = whole_version(sh, g->version[i]);
		o->live = !dead && !(g->dead >> i & 1);
		view_add(v, o);
	}
}

/* One object; what design.rst says of it must hold. */
static inline void view_object(struct view *v, const struct seg_header *sh, struct object *o)
{
	const struct obj_header *h = (const void *)obj_data(v, o);
	uint32_t off = o->off, seq = sh->seq, crc;

	o->block = h->block;
	o->len = h->len;
	o->version = whole_version(sh, h->version);
	if (!h->len || o->off + obj_padded(o) > sh->used)
		format_error(o, "length");
	if (h->block >= v->s->blocks || h->codec > 3 || h->flags > 3)
		format_error(o, "header");
	crc = crc32c(~0u, sh->log_id, sizeof(sh->log_id));
	crc = crc32c(crc ^ off, &seq, sizeof(seq));
	crc = crc32c(crc, h, 12);
	if (h->crc != crc32c(crc, h + 1, h->len))
		format_error(o, "checksum");
	o->live = !(h->flags & 1);
	if (h->flags & 2)
		view_group(v, sh, o, h->flags & 1);
	else
		view_add(v, o);
}

static inline void view_segment(struct view *v, uint32_t seg)
{
	const struct seg_header *h = (const void *)seg_data(v, seg);
	struct object o = { .seg = seg, .off = SEG_HEADER };
	uint32_t n = 0;

	if (h->magic != 0x67655372617a6d64ull || h->crc != crc32c(~0u, h, 60))
		return;		/* never written */
	if (h->version != 3 || h->seg != seg || h->used > SEG_BYTES || h->segment_size != SEG_BYTES)
		format_error(&o, "segment header");
	for (; o.off < h->used; o.off += obj_padded(&o), n++) {
		view_object(v, h, &o);
	}
	if (n != h->objects || o.off != h->used)
		format_error(&o, "number of objects");
}

/*
 * Read the device and find all that is on it. Nothing is in RAM, so the newest
 * object of each block that is stored is the live one.
 */
static inline void view_parse(struct view *v)
{
	uint32_t seg, i, live = 0;

	quiesce(v->s);
	view_read(v);
	v->nr = 0;
	memset(v->of_block, -1, sizeof(v->of_block));
	memset(v->live_of_seg, 0, sizeof(v->live_of_seg));
	for (seg = 0; seg < v->s->segments; seg++)
		view_segment(v, seg);
	for (i = 0; i < v->nr; i++) {
		struct object *o = &v->obj[i];
		int *was = &v->of_block[o->block];

		if (!o->live || !is_stored(v->s, o->block))
			o->live = 0;
		else if (*was < 0 || v->obj[*was].version < o->version)
			*was = i;
	}
	for (i = 0; i < v->nr; i++) {
		struct object *o = &v->obj[i];

		o->live = o->live && v->of_block[o->block] == (int)i;
		live += o->live;
		v->live_of_seg[o->seg] += o->live;
	}
	errno = 0;
	if (live != stat_of(v->s, "cold_blocks"))
		die("the log has %u live objects, STATUS says %llu", live,
		    (unsigned long long)stat_of(v->s, "cold_blocks"));
}

#endif /* DMZ_TEST_LOGVIEW_H */
