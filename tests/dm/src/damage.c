// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-damage: what lies on the cold device is changed behind the log's back.
 *
 *   bits		each bit of each field of a segment header and of object
 *			headers, a bit of each byte of data and of padding
 *   segments		zeroes, ones, torn writes, another segment's content, the
 *			place's own older content, that of an earlier log
 *   cleaner		all of it met by the cleaner, in live and dead objects
 *
 *
 * With "groups", neighbours are compressed as one.
 *
 * The judge is simple: a block whose object's bytes, header and data, are all
 * there is right; any other is EIO, counted, for ever until it is written anew.
 */
#define _GNU_SOURCE
#include "logview.h"

struct tally {
	uint64_t cases, detected, harmless;
};

static struct stack s;
static struct view v;
static struct tally t;
static uint64_t base_bad;	/* cold_bad_objects that are accounted for */

/* Read a block. It must be as @intact says, and damage counted. */
static void judge(uint32_t b, int intact)
{
	int ret = get(&s, b);

	errno = 0;
	if (ret == BAD && intact)
		die("case %llu: block %u cannot be read, its object is intact",
		    (unsigned long long)t.cases, b);
	if (ret == RIGHT && !intact)
		die("case %llu: block %u is right, its object is damaged",
		    (unsigned long long)t.cases, b);
	if (ret == BAD) {
		t.detected++;
		base_bad++;
	} else {
		t.harmless++;
	}
}

static void check_counter(void)
{
	uint64_t bad = stat_of(&s, "cold_bad_objects");

	errno = 0;
	if (bad != base_bad)
		die("case %llu: cold_bad_objects is %llu, %llu were met", (unsigned long long)t.cases,
		    (unsigned long long)bad, (unsigned long long)base_bad);
}

/*
 * Let the log forget what was read, so that the next read goes to the device again, and to the
 * same place: an incompressible block that is promoted leaves the log. Each pass of the hand makes
 * a cold read older by one; after six of them it is too old to count.
 */
static void forget(void)
{
	int i;

	for (i = 0; i < 6; i++) {
		errno = dmc_message(&s.c, zram_name, NULL, 0, "demote all");
		if (errno)
			die("demote all");
	}
}

/* What lies there of an earlier log would be taken for this one's. */
static void wipe(void)
{
	uint64_t at;

	memset(v.scratch, 0, SEG_BYTES);
	for (at = 0; at < v.bytes; at += SEG_BYTES)
		view_write(&v, v.scratch, at, SEG_BYTES);
}

static void fill_device(uint32_t blocks, uint32_t segments, unsigned int ratio)
{
	s.blocks = blocks;
	s.segments = segments;
	s.ratio = ratio;
	wipe();
	stack_up(&s);
	put_some(&s, 256);
	must_settle(&s);
	base_bad = 0;
}

/* Incompressible blocks, few enough at a time for the order in the log to be always the same. */
static void fill_same_places(void)
{
	uint32_t b;

	s.blocks = 192;
	s.segments = 40;
	s.ratio = 1;
	wipe();
	stack_up(&s);
	base_bad = 0;
	for (b = 0; b < s.blocks; b += 8) {
		put_run(&s, b, 8);
		must_settle(&s);
	}
}

/* ---- bits ------------------------------------------------------------------------------ */

static int together(const struct object *a, const struct object *b)
{
	return a->seg == b->seg && a->off == b->off;
}

/* The live object before or behind, of the same segment if there is one. */
static const struct object *neighbour(const struct object *o, int step)
{
	int i = (int)(o - v.obj) + step;

	while (i >= 0 && i < (int)v.nr && (!v.obj[i].live || together(o, &v.obj[i])))
		i += step;
	return i >= 0 && i < (int)v.nr ? &v.obj[i] : o;
}

/* Change one bit at @at of a segment, read @o and its neighbours, change it back. */
static void flip(const struct object *o, uint32_t at, unsigned int bit, int intact)
{
	const struct object *before = neighbour(o, -1), *behind = neighbour(o, 1);
	uint32_t sector = at & ~511u;

	memcpy(v.scratch, seg_data(&v, o->seg) + sector, 512);
	v.scratch[at - sector] ^= 1 << bit;
	view_write(&v, v.scratch, seg_at(o->seg) + sector, 512);
	judge(o->block, intact);
	if (before != o)
		judge(before->block, 1);
	if (behind != o)
		judge(behind->block, 1);
	view_write(&v, seg_data(&v, o->seg) + sector, seg_at(o->seg) + sector, 512);
	forget();
	t.cases++;
}

static void flip_object(const struct object *o)
{
	uint32_t end = o->off + obj_bytes(o), at;

	for (at = o->off; at < o->off + OBJ_HEADER; at++) {
		unsigned int bit;

		for (bit = 0; bit < 8; bit++)
			flip(o, at, bit, 0);
	}
	for (; at < end; at += 1 + (at - o->off) / 64)
		flip(o, at, at & 7, 0);
	flip(o, end - 1, 7, 0);
	for (at = end; at < o->off + obj_padded(o); at++)
		flip(o, at, at & 7, 1);
	judge(o->block, 1);
	forget();
	check_counter();
}

static void must_have_groups(void)
{
	uint64_t n = stat_of(&s, "groups");

	errno = 0;
	if (s.groups != !!n)
		die("%llu groups", (unsigned long long)n);
}

static void test_bits(void)
{
	int first = -1, last = -1, raw = -1, padded = -1, i;
	uint32_t at;

	fill_device(256, 64, s.groups ? 3 : 0);
	put_some(&s, 100);
	must_settle(&s);
	view_parse(&v);
	must_have_groups();
	for (i = 0; i < (int)v.nr; i++) {
		const struct object *o = &v.obj[i];

		if (!o->live)
			continue;
		if (o->off == SEG_HEADER && first < 0)
			first = i;
		/* With groups there is no raw one: one more of what there is. */
		if (o->len == BLOCK_BYTES || (s.groups && raw < 0))
			raw = i;
		else if (obj_padded(o) - obj_bytes(o) >= 4)
			padded = i;
		last = i;
	}
	errno = 0;
	if (first < 0 || raw < 0 || padded < 0)
		die("no object to damage: %d %d %d", first, raw, padded);
	flip_object(&v.obj[first]);
	flip_object(&v.obj[raw]);
	flip_object(&v.obj[padded]);
	flip_object(&v.obj[last]);
	/* A read does not look at the segment header. */
	for (at = 0; at < SEG_HEADER; at++)
		flip(&v.obj[first], at, at & 7, 1);
	check_counter();
	stack_down(&s);
}

/* ---- segments ---------------------------------------------------------------------------- */

/* Put @data at the place of a segment; all blocks of it must be told right. */
static void replace(uint32_t seg, const unsigned char *data)
{
	uint32_t i;

	view_write(&v, data, seg_at(seg), SEG_BYTES);
	for (i = 0; i < v.nr; i++) {
		const struct object *o = &v.obj[i];

		if (o->live && o->seg == seg)
			judge(o->block, !memcmp(obj_data(&v, o), data + o->off, obj_bytes(o)));
	}
	view_write(&v, seg_data(&v, seg), seg_at(seg), SEG_BYTES);
	forget();
	t.cases++;
}

/* The first @sectors are new, the rest is @old or zeroes. */
static void tear(uint32_t seg, uint32_t sectors, const unsigned char *old)
{
	if (old)
		memcpy(v.scratch, old, SEG_BYTES);
	else
		memset(v.scratch, 0, SEG_BYTES);
	memcpy(v.scratch, seg_data(&v, seg), sectors * 512);
	replace(seg, v.scratch);
}

static void wreck(uint32_t seg, const unsigned char *old)
{
	uint32_t k;

	memset(v.scratch, 0, SEG_BYTES);
	replace(seg, v.scratch);
	memset(v.scratch, 255, SEG_BYTES);
	replace(seg, v.scratch);
	memcpy(v.scratch, seg_data(&v, (seg + 1) % s.segments), SEG_BYTES);
	replace(seg, v.scratch);
	for (k = 0; k < SEG_SECTORS; k += 1 + k / 4)
		tear(seg, k, NULL);
	for (k = 0; old && k < SEG_SECTORS; k += 1 + k / 4)
		tear(seg, k, old);
}

/* Older contents are those of the same log, a while ago. */
static void test_segments(void)
{
	unsigned char *old;
	uint32_t seg, reused = 0;

	fill_device(256, 30, 0);
	old = image_alloc(v.bytes);
	view_read(&v);
	memcpy(old, v.data, v.bytes);
	churn(&s, 6);
	view_parse(&v);
	for (seg = 0; seg < s.segments; seg++) {
		const unsigned char *was = old + seg_at(seg);

		if (!v.live_of_seg[seg])
			continue;
		if (!memcmp(was, seg_data(&v, seg), SEG_HEADER) || !*was)
			was = NULL;
		reused += !!was;
		wreck(seg, was);
	}
	check_counter();
	errno = 0;
	if (!reused)
		die("no segment was used twice");
	must_have_groups();
	verify_all(&s);
	munmap(old, v.bytes);
	stack_down(&s);
}

/*
 * The log before this one, of a device that was removed, has written the same
 * blocks, as long as these, to the same places, with the same sequence numbers.
 */
static void test_earlier_log(void)
{
	unsigned char *old;
	uint32_t seg, i, same = 0;

	fill_same_places();
	old = image_alloc(v.bytes);
	view_read(&v);
	memcpy(old, v.data, v.bytes);
	stack_down(&s);
	fill_same_places();
	view_parse(&v);
	for (i = 0; i < v.nr; i++)
		same += !memcmp(old + seg_at(v.obj[i].seg) + v.obj[i].off, obj_data(&v, &v.obj[i]), 12);
	errno = 0;
	if (same < v.nr / 2)
		die("only %u of %u object headers are as before", same, v.nr);
	for (seg = 0; seg < s.segments; seg++)
		if (v.live_of_seg[seg])
			replace(seg, old + seg_at(seg));
	check_counter();
	verify_all(&s);
	munmap(old, v.bytes);
	stack_down(&s);
}

/* ---- the cleaner ------------------------------------------------------------------------- */

/* The @i-th object of a segment that is live or dead. Return: NULL if there is none. */
static const struct object *object_of(uint32_t seg, int live)
{
	const struct object *found = NULL;
	uint32_t i, n = 0;

	for (i = 0; i < v.nr; i++)
		if (v.obj[i].seg == seg && v.obj[i].live == live && !pick(&s, ++n))
			found = &v.obj[i];
	return found;
}

/* Damage a copy of segment @seg, in the way of number @way. */
static void spoil(uint32_t seg, uint32_t way, unsigned char *d)
{
	const struct object *o = object_of(seg, way & 1);
	uint32_t kind = way / 2 % 12, at;

	if (!o)
		o = object_of(seg, 1);
	at = o->off;
	switch (kind) {
	case 0: d[pick(&s, SEG_HEADER)] ^= 1 << pick(&s, 8); break;
	case 1: d[at + pick(&s, 4)] ^= 1 << pick(&s, 8); break;		/* block */
	case 2: d[at + 4 + pick(&s, 2)] ^= 1 << pick(&s, 8); break;	/* len */
	case 3: d[at + 6] ^= 1 << pick(&s, 8); break;			/* codec */
	case 4: d[at + 7] ^= 1 << pick(&s, 8); break;			/* flags */
	case 5: d[at + 8 + pick(&s, 4)] ^= 1 << pick(&s, 8); break;	/* version */
	case 6: d[at + 12 + pick(&s, 4)] ^= 1 << pick(&s, 8); break;	/* crc */
	case 7: d[at + OBJ_HEADER + pick(&s, o->len)] ^= 1 << pick(&s, 8); break;
	case 8: d[at + 4] = d[at + 5] = way & 1 ? 0 : 255; break;	/* the cursor's step */
	case 9: at = pick(&s, SEG_SECTORS) * 512; memset(d + at, 0, SEG_BYTES - at); break;
	case 10: memset(d, 0, SEG_BYTES); break;
	case 11: memcpy(d, seg_data(&v, (seg + 1) % s.segments), SEG_BYTES); break;
	}
}

/* Return: how many blocks are lost by it. */
static uint32_t spoil_all(uint32_t round)
{
	uint32_t seg, i, lost = 0, way = round * 7;
	unsigned char *copy = image_alloc(v.bytes);

	memcpy(copy, v.data, v.bytes);
	for (seg = 0; seg < s.segments; seg++) {
		/* Every third stays whole, for comparison. */
		if (!v.live_of_seg[seg] || seg % 3 == round % 3)
			continue;
		memcpy(v.scratch, seg_data(&v, seg), SEG_BYTES);
		spoil(seg, way++, v.scratch);
		memcpy(copy + seg_at(seg), v.scratch, SEG_BYTES);
		view_write(&v, v.scratch, seg_at(seg), SEG_BYTES);
		t.cases++;
	}
	for (i = 0; i < v.nr; i++) {
		const struct object *o = &v.obj[i];

		if (!o->live || !memcmp(obj_data(&v, o), copy + seg_at(o->seg) + o->off, obj_bytes(o)))
			continue;
		s.lost[o->block] = 1;
		lost++;
	}
	munmap(copy, v.bytes);
	return lost;
}

static void cleaner_round(uint32_t round)
{
	uint64_t cleaned, met;
	uint32_t lost, b;

	fill_device(768, 56, 0);
	s.random += round;
	churn(&s, 1);
	view_parse(&v);
	cleaned = stat_of(&s, "segments_cleaned");
	lost = spoil_all(round);
	/* Nobody but the cleaner reads meanwhile. */
	for (b = 0; b < 8; b++)
		churn(&s, 1);
	met = stat_of(&s, "cold_bad_objects");
	verify_all(&s);
	errno = 0;
	if (!lost || !met || stat_of(&s, "segments_cleaned") == cleaned)
		die("round %u tests nothing: %u blocks lost, %llu met by the cleaner", round, lost,
		    (unsigned long long)met);
	must_have_groups();
	t.detected += met;
	if (stat_of(&s, "cold_bad_objects") < met + lost)
		die("%u blocks are lost, but only %llu damaged objects counted", lost,
		    (unsigned long long)(stat_of(&s, "cold_bad_objects") - met));
	for (b = 0; b < s.blocks; b++)
		if (s.lost[b])
			put(&s, b);
	churn(&s, 1);
	verify_all(&s);
	empty_out(&s);
	stack_down(&s);
}

int main(int argc, char **argv)
{
	uint32_t i, rounds = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 3) {
		fputs("usage: dmz-damage COLD bits|segments|earlier|cleaner [ROUNDS] [groups]\n", stderr);
		return 2;
	}
	stack_init(&s, argv[1]);
	s.segments = 72;
	s.groups = !strcmp(argv[argc - 1], "groups");
	view_init(&v, &s);
	if (!strcmp(argv[2], "bits"))
		test_bits();
	else if (!strcmp(argv[2], "segments"))
		test_segments();
	else if (!strcmp(argv[2], "earlier"))
		test_earlier_log();
	else
		for (i = 0; i < rounds; i++)
			cleaner_round(i);
	printf("cases=%llu detected=%llu harmless=%llu\n", (unsigned long long)t.cases,
	       (unsigned long long)t.detected, (unsigned long long)t.harmless);
	return 0;
}
