// SPDX-License-Identifier: GPL-2.0
/*
 * The proof that dzr_log_min_sectors() promises enough: a log that holds exactly
 * as much as it may is overwritten, block by block, and cleaned as cleaner.c
 * does; it must always find room for one more after a bounded number of
 * cleanings, and the cleaner's reserve must never run out.
 *
 * The pessimistic case throughout: a write ends only when its buffer is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "segment.h"
#include "shim.h"

/* As in log.c. */
#define MIN_GAIN	(2 * dzr_object_size(4096))

#define OBJECT	dzr_object_size(4096)
#define SMALLEST	dzr_object_size(500)

enum pattern {
	UNIFORM,	/* any block is as likely to be overwritten as another */
	HOSTILE,	/* dead space is spread over all segments evenly */
};

/**
 * struct proof - one row of the proof
 * @segment_size: bytes
 * @blocks: their number
 * @mixed: blocks of all sizes; else all are incompressible
 * @bad: segments that cannot be written, on top of those promised
 * @lazy: clean only when a user waits, not ahead as well
 * @pattern: what is overwritten
 * @writes: overwrites
 * @short_by: segments fewer than promised; then it must get stuck
 */
struct proof {
	u32 segment_size;
	u32 blocks;
	bool mixed;
	u32 bad;
	bool lazy;
	enum pattern pattern;
	unsigned int writes;
	u32 short_by;
};

struct buf {
	u32 seg;
	u32 n;
};

/* A stream's buffers: the open one, and those in flight, oldest first. */
struct stream {
	struct buf open;
	struct buf flight[DZR_NR_BUFS];
	unsigned int in_flight;
	unsigned int max;
	bool is_open;
	bool reserve;
};

/* What the log and the block table are, reduced to numbers. */
struct sim {
	const struct proof *p;
	struct dzr_segs *segs;
	u32 nr;
	u32 capacity;
	u32 per_seg;		/* places for objects, at most */
	u64 bytes;		/* of all blocks */
	u16 *size;		/* of each block */
	u32 *content;		/* block of each place in each segment */
	u32 *used;		/* places taken of each segment */
	u32 *fill;		/* bytes taken of each segment */
	u32 *where;		/* place of each block, or U32_MAX */
	u32 *dead;		/* dead bytes of each segment */
	struct stream user, cleaner;
	uint64_t seed;
	u32 bad_left;
	bool filled;		/* writes fail only when it hurts */
	unsigned long moved, cleanings, borrowed;
	u32 most;		/* cleanings until one user could go on */
	s64 least_spare;
};

/* The formula of dzr_log_min_sectors() in log.c, in segments. */
static u32 promised(u64 bytes, u32 capacity)
{
	u64 usable = capacity - MIN_GAIN;

	return DIV_ROUND_UP_ULL(bytes, usable) + DZR_CLEANER_SEGS +
	       DZR_NR_BUFS;
}

static void sim_init_blocks(struct sim *s)
{
	u32 i;

	s->size = calloc(s->p->blocks, sizeof(*s->size));
	s->where = malloc(s->p->blocks * sizeof(*s->where));
	check(s->size && s->where);
	memset(s->where, 0xff, s->p->blocks * sizeof(*s->where));
	for (i = 0; i < s->p->blocks; i++) {
		s->size[i] = OBJECT;
		if (s->p->mixed)
			s->size[i] -= shim_random(&s->seed) %
				      (OBJECT - SMALLEST) / 8 * 8;
		s->bytes += s->size[i];
	}
}

static void sim_init(struct sim *s, const struct proof *p)
{
	*s = (struct sim){ .p = p, .seed = 7, .bad_left = p->bad };
	sim_init_blocks(s);
	s->capacity = p->segment_size - sizeof(struct dzr_seg_header);
	s->nr = promised(s->bytes, s->capacity) + p->bad - p->short_by;
	s->per_seg = s->capacity / (p->mixed ? SMALLEST : OBJECT);
	s->segs = dzr_segs_create(s->nr, s->capacity, DZR_CLEANER_SEGS,
				  MIN_GAIN);
	s->content = calloc(s->nr * (size_t)s->per_seg, sizeof(u32));
	s->used = calloc(s->nr, sizeof(u32));
	s->fill = calloc(s->nr, sizeof(u32));
	s->dead = calloc(s->nr, sizeof(u32));
	check(s->segs && s->content && s->used && s->fill && s->dead);
	s->user.max = DZR_USER_BUFS;
	s->cleaner.max = DZR_CLEANER_BUFS;
	s->cleaner.reserve = true;
	s->least_spare = s->nr;
}

static void sim_fini(struct sim *s)
{
	dzr_segs_destroy(s->segs);
	free(s->content);
	free(s->used);
	free(s->fill);
	free(s->dead);
	free(s->size);
	free(s->where);
	shim_check_leaks("sim");
}

/* What follows an allocation. */
static u32 sim_opened(struct sim *s, u32 seg)
{
	s->least_spare = min_t(s64, s->least_spare, dzr_segs_spare(s->segs));
	if (seg == DZR_NO_SEGMENT)
		return seg;
	s->used[seg] = 0;
	s->fill[seg] = 0;
	s->dead[seg] = 0;
	return seg;
}

/* Put @block at the end of @seg; what it was before is dead. */
static void sim_place(struct sim *s, u32 seg, u32 block)
{
	u32 old = s->where[block], size = s->size[block];

	check(s->used[seg] < s->per_seg);
	s->where[block] = seg * s->per_seg + s->used[seg]++;
	s->content[s->where[block]] = block;
	s->fill[seg] += size;
	check(s->fill[seg] <= s->capacity);
	dzr_segs_get_object(s->segs, seg, size);
	if (old == U32_MAX)
		return;
	s->dead[old / s->per_seg] += size;
	dzr_segs_put_object(s->segs, old / s->per_seg, size);
}

/*
 * As dzr_buf_failed(): all that is live goes to another segment. As failures
 * are seldom here, there must be one.
 */
static void sim_write_fails(struct sim *s, struct stream *st, struct buf *buf)
{
	u32 from = buf->seg, to, i;

	s->borrowed += !st->reserve && dzr_segs_spare(s->segs) <= 0;
	to = st->reserve ? dzr_segs_alloc(s->segs, true) :
			   dzr_segs_alloc_above(s->segs, DZR_CLEANER_KEEP);
	sim_opened(s, to);
	check(to != DZR_NO_SEGMENT);
	for (i = 0; i < s->used[from]; i++) {
		u32 place = from * s->per_seg + i;

		if (s->where[s->content[place]] == place)
			sim_place(s, to, s->content[place]);
	}
	dzr_segs_spoil(s->segs, from);
	buf->seg = to;
	s->bad_left--;
}

/* The oldest write of a stream ends. */
static void sim_write_ends(struct sim *s, struct stream *st)
{
	struct buf *buf = &st->flight[0];

	if (s->bad_left && s->filled && shim_random(&s->seed) % 8 == 0)
		sim_write_fails(s, st, buf);
	dzr_segs_seal(s->segs, buf->seg);
	memmove(buf, buf + 1, --st->in_flight * sizeof(*buf));
}

static void sim_close(struct stream *st)
{
	st->flight[st->in_flight++] = st->open;
	st->is_open = false;
}

/* As dzr_log_reserve(): false when there is no segment. Writes are slow. */
static bool sim_append(struct sim *s, struct stream *st, u32 block)
{
	if (st->is_open &&
	    s->fill[st->open.seg] + s->size[block] > s->capacity)
		sim_close(st);
	if (!st->is_open) {
		if (st->in_flight == st->max)
			sim_write_ends(s, st);
		st->open.seg = sim_opened(s, dzr_segs_alloc(s->segs,
							    st->reserve));
		if (st->open.seg == DZR_NO_SEGMENT)
			return false;
		st->is_open = true;
	}
	sim_place(s, st->open.seg, block);
	return true;
}

/* As dzr_log_new(): clean when fewer are spare. */
static s64 sim_ahead(struct sim *s)
{
	return max(4U, s->nr >> 5);
}

/* As cleaner.c. Returns false when nothing was worth it. */
static bool sim_clean(struct sim *s)
{
	bool must = dzr_segs_spare(s->segs) <= 0;
	u32 victim, i;
	bool freed;

	victim = dzr_segs_pick(s->segs, must, &freed);
	check(!freed);
	if (victim == DZR_NO_SEGMENT)
		return false;
	if (!dzr_segs_pays(s->segs, victim, sim_ahead(s))) {
		check(!must && !dzr_segs_unpin(s->segs, victim));
		return false;
	}
	for (i = 0; i < s->used[victim]; i++) {
		u32 place = victim * s->per_seg + i;

		if (s->where[s->content[place]] != place)
			continue;
		/* The reserve is for this: it never runs out. */
		check(sim_append(s, &s->cleaner, s->content[place]));
		s->moved++;
	}
	check(dzr_segs_unpin(s->segs, victim));
	s->cleanings++;
	return true;
}

/*
 * How many cleanings until a user can go on: each frees a segment, and takes
 * less than that by MIN_GAIN, but may lose as much as one object at the end of
 * a segment. What is missing from the reserve comes first; and the cleaner's
 * open segment may hide as much as a whole one.
 */
static u32 sim_bound(struct sim *s)
{
	s64 short_by = 1 - dzr_segs_spare(s->segs);

	return (short_by + 1) * DIV_ROUND_UP(s->capacity, MIN_GAIN - OBJECT);
}

/* Returns false if the log is wedged. */
static bool sim_write(struct sim *s, u32 block)
{
	u32 n = 0, bound = 0;

	while (!sim_append(s, &s->user, block)) {
		if (!n)
			bound = sim_bound(s);
		if (!sim_clean(s))
			return false;
		check(++n <= bound);
	}
	s->most = max(s->most, n);
	if (!s->p->lazy && dzr_segs_spare(s->segs) < sim_ahead(s))
		sim_clean(s);
	return true;
}

/* A live block of the segment, of those that are full, with the least dead. */
static u32 sim_hostile(struct sim *s)
{
	u32 best = DZR_NO_SEGMENT, i, at;

	for (i = 0; i < s->nr; i++)
		if (s->fill[i] + OBJECT > s->capacity &&
		    s->dead[i] < s->fill[i] &&
		    (best == DZR_NO_SEGMENT || s->dead[i] < s->dead[best]))
			best = i;
	if (best == DZR_NO_SEGMENT)
		return 0;
	at = shim_random(&s->seed) % s->used[best];
	for (i = 0; i < s->used[best]; i++) {
		u32 place = best * s->per_seg + (at + i) % s->used[best];

		if (s->where[s->content[place]] == place)
			return s->content[place];
	}
	return 0;
}

static bool sim_run(struct sim *s)
{
	unsigned int i;
	u32 block;

	for (i = 0; i < s->p->blocks; i++)
		if (!sim_write(s, i))
			return false;
	s->filled = true;
	for (i = 0; i < s->p->writes; i++) {
		if (s->p->pattern == HOSTILE)
			block = sim_hostile(s);
		else
			block = shim_random(&s->seed) % s->p->blocks;
		if (!sim_write(s, block))
			return false;
	}
	return true;
}

static void sim_check(struct sim *s)
{
	struct dzr_segs_totals t;
	u32 block, place;

	dzr_segs_totals(s->segs, &t);
	check(t.live_bytes == s->bytes);
	check(t.bad == s->p->bad && t.segments == s->nr);
	for (block = 0; block < s->p->blocks; block++) {
		place = s->where[block];
		check(place != U32_MAX && s->content[place] == block);
	}
}

static unsigned long borrowed, failed;

static void run_proof(const struct proof *p)
{
	struct sim s;
	bool done;

	sim_init(&s, p);
	done = sim_run(&s);
	check(done == !p->short_by);
	if (done) {
		sim_check(&s);
		printf("  %4uK %s, %s: %6u blocks in %3u segments, %4.1f moved a write, at most %u cleanings, spare from %lld\n",
		       p->segment_size >> 10,
		       p->pattern == HOSTILE ? "hostile" : "uniform",
		       p->mixed ? "mixed" : "worst", p->blocks, s.nr,
		       1.0 * s.moved / p->writes, s.most, s.least_spare);
		check(!p->lazy || p->blocks < 1000 || s.most > 1);
		borrowed += s.borrowed;
		failed += p->bad;
	}
	sim_fini(&s);
}

static void test_space(void)
{
	static const struct proof proofs[] = {
		{ 65536, 1, .writes = 2000 },
		{ 65536, 14, .lazy = true, .writes = 5000 },
		{ 65536, 5000, .writes = 10000 },
		{ 65536, 5000, .lazy = true, .writes = 10000 },
		{ 65536, 5000, .pattern = HOSTILE, .writes = 10000 },
		{ 65536, 5000, .bad = 9, .lazy = true, .writes = 10000 },
		{ 262144, 20000, .writes = 20000 },
		{ 262144, 20000, .lazy = true, .writes = 20000 },
		{ 262144, 20000, .lazy = true, .pattern = HOSTILE,
		  .writes = 10000 },
		{ 262144, 20000, .bad = 5, .lazy = true, .writes = 20000 },
		{ 262144, 30000, .mixed = true, .lazy = true, .writes = 20000 },
		{ 65536, 9000, .mixed = true, .lazy = true, .bad = 7,
		  .pattern = HOSTILE, .writes = 10000 },
		{ 1048576, 50000, .writes = 40000 },
		{ 1048576, 50000, .bad = 3, .lazy = true, .writes = 20000 },
		/* As large as a location can name. */
		{ 4194304, 101800, .lazy = true, .writes = 60000 },
		{ 4194304, 101800, .lazy = true, .pattern = HOSTILE,
		  .writes = 60000 },
		/* Blocks that fit as such, but leave only the reserve free. */
		{ 65536, 3000, .writes = 10000, .short_by = 22 },
		{ 262144, 63 * 100, .writes = 10000, .short_by = 9 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(proofs); i++)
		run_proof(&proofs[i]);
	/* Now and then, a user's failed write had to take from the reserve. */
	printf("  %lu writes failed, %lu took from the reserve\n", failed,
	       borrowed);
	check(borrowed);
}

int main(void)
{
	shim.strict = true;
	test_space();
	return 0;
}
