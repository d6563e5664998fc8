// SPDX-License-Identifier: GPL-2.0
/*
 * Write amplification, simulated: a log in numbers around dm-zram/segment.c.
 *
 * Ours cleans as cleaner.c does, whenever a user's segment is full, and with
 * nothing in its way: that is when it runs farthest ahead and so copies most.
 * The others have the same accounting and the same reserve, but clean as late
 * as can be and look at all segments for each victim.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "segment.h"
#include "shim.h"
#include "wa.h"

/* As in log.c of the module. */
#define MIN_GAIN	(2 * dzr_object_size(4096))
#define CLEAN_AHEAD_SHIFT	5
#define CLEAN_FILL	64

/* How often the live data is overwritten before it is measured. */
#define WARM_UP		8

#define NOWHERE		U64_MAX

const char *const cleaning_names[NR_CLEANINGS] = {
	[OURS]		= "ours",
	[GREEDY]	= "greedy",
	[COST_BENEFIT]	= "cost-benefit",
	[FIFO]		= "FIFO",
};

/**
 * struct seg - a segment's content
 * @block: its blocks, dead ones included
 * @nr: their number
 * @max: room in @block
 * @fill: bytes
 * @youngest: when the youngest of its blocks was written
 * @sealed: may be cleaned
 */
struct seg {
	u32 *block;
	u32 nr;
	u32 max;
	u32 fill;
	u32 youngest;
	bool sealed;
};

/**
 * struct sim - a log
 * @t: its blocks
 * @cleaning: who cleans
 * @segs: the accounting
 * @nr: segments
 * @capacity: bytes of objects in a segment
 * @clean_below: ours cleans when fewer are spare
 * @seg: the segments
 * @open: the open segment of each stream
 * @where: of each block, segment and place
 * @time: when each block was written
 * @now: blocks that users have written
 * @user: bytes that users have appended
 * @written: bytes written
 */
struct sim {
	struct trace *t;
	enum cleaning cleaning;
	struct dzr_segs *segs;
	u32 nr;
	u32 capacity;
	u32 clean_below;
	struct seg *seg;
	u32 open[DZR_NR_STREAMS];
	u64 *where;
	u32 *time;
	u32 now;
	u64 user;
	u64 written;
};

static u32 log_capacity(const struct cell *c)
{
	return c->segment_size - sizeof(struct dzr_seg_header);
}

u64 log_user_bytes(const struct cell *c)
{
	return (u64)(c->segments - DZR_CLEANER_SEGS) * log_capacity(c);
}

static void sim_init(struct sim *s, const struct cell *c, struct trace *t,
		     enum cleaning cleaning)
{
	*s = (struct sim){
		.t = t, .cleaning = cleaning, .nr = c->segments,
		.capacity = log_capacity(c),
		.clean_below = max(4U, c->segments >> CLEAN_AHEAD_SHIFT),
		.open = { DZR_NO_SEGMENT, DZR_NO_SEGMENT },
	};
	s->segs = dzr_segs_create(s->nr, s->capacity, DZR_CLEANER_SEGS,
				  MIN_GAIN);
	s->seg = calloc(s->nr, sizeof(*s->seg));
	s->where = malloc(t->blocks * sizeof(*s->where));
	s->time = calloc(t->blocks, sizeof(*s->time));
	check(s->segs && s->seg && s->where && s->time);
	memset(s->where, 0xff, t->blocks * sizeof(*s->where));
}

static void sim_fini(struct sim *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++)
		free(s->seg[i].block);
	free(s->seg);
	free(s->where);
	free(s->time);
	dzr_segs_destroy(s->segs);
	shim_check_leaks("wa");
}

static void sim_dies(struct sim *s, u32 block)
{
	if (s->where[block] != NOWHERE)
		dzr_segs_put_object(s->segs, s->where[block] >> 32,
				    s->t->size[block]);
}

static void sim_place(struct sim *s, u32 to, u32 block)
{
	struct seg *seg = &s->seg[to];

	if (seg->nr == seg->max) {
		seg->max = seg->max ? 2 * seg->max : 64;
		seg->block = realloc(seg->block, seg->max * sizeof(u32));
		check(seg->block);
	}
	dzr_segs_get_object(s->segs, to, s->t->size[block]);
	sim_dies(s, block);
	s->where[block] = (u64)to << 32 | seg->nr;
	seg->block[seg->nr++] = block;
	seg->fill += s->t->size[block];
	seg->youngest = max(seg->youngest, s->time[block]);
}

static void sim_close(struct sim *s, enum dzr_log_stream st)
{
	u32 seg = s->open[st];

	/* What dzr_buf_submit() writes, less rounding to logical blocks. */
	s->written += sizeof(struct dzr_seg_header) + s->seg[seg].fill;
	s->seg[seg].sealed = true;
	s->open[st] = DZR_NO_SEGMENT;
	dzr_segs_seal(s->segs, seg);
}

/* As dzr_log_reserve(): false when there is no segment. */
static bool sim_append(struct sim *s, enum dzr_log_stream st, bool reserve,
		       u32 block)
{
	u32 seg = s->open[st];

	if (seg != DZR_NO_SEGMENT &&
	    s->seg[seg].fill + s->t->size[block] > s->capacity)
		sim_close(s, st);
	if (s->open[st] == DZR_NO_SEGMENT) {
		seg = dzr_segs_alloc(s->segs, reserve);
		if (seg == DZR_NO_SEGMENT)
			return false;
		s->open[st] = seg;
		s->seg[seg].nr = 0;
		s->seg[seg].fill = 0;
		s->seg[seg].youngest = 0;
		s->seg[seg].sealed = false;
	}
	sim_place(s, s->open[st], block);
	return true;
}

/* What a peer thinks that cleaning is worth; below 0: nothing. */
static double peer_score(struct sim *s, u32 seg)
{
	u32 live = dzr_segs_live(s->segs, seg);
	double u = (double)live / s->capacity;

	if (!s->seg[seg].sealed || !live)
		return -1;
	switch (s->cleaning) {
	case GREEDY:
		return 1 - u;
	case COST_BENEFIT:
		return (1 - u) * (s->now - s->seg[seg].youngest) / (1 + u);
	default:
		return U32_MAX - dzr_segs_seq(s->segs, seg);
	}
}

static u32 peer_pick(struct sim *s)
{
	u32 best = DZR_NO_SEGMENT, i;
	double most = -1;

	for (i = 0; i < s->nr; i++) {
		double score = peer_score(s, i);

		if (score > most) {
			most = score;
			best = i;
		}
	}
	if (best != DZR_NO_SEGMENT)
		dzr_segs_pin(s->segs, best);
	return best;
}

/*
 * As dzr_cleaner_fill(): when the next object does not fit any more, others of
 * the victim may.
 */
static void sim_fill_up(struct sim *s, u32 victim, u32 i)
{
	const struct seg *open = &s->seg[s->open[DZR_STREAM_CLEANER]];
	const struct seg *from = &s->seg[victim];
	u32 end = min(from->nr, i + CLEAN_FILL);

	if (s->open[DZR_STREAM_CLEANER] == DZR_NO_SEGMENT ||
	    open->fill + s->t->size[from->block[i]] <= s->capacity)
		return;
	for (i++; i < end; i++) {
		u32 block = from->block[i];

		if (s->where[block] == ((u64)victim << 32 | i) &&
		    open->fill + s->t->size[block] <= s->capacity)
			sim_place(s, s->open[DZR_STREAM_CLEANER], block);
	}
}

/* As cleaner.c: false when nothing was worth it. */
static bool sim_clean(struct sim *s)
{
	bool must = dzr_segs_spare(s->segs) <= 0, freed;
	enum dzr_log_stream st = DZR_STREAM_CLEANER;
	u32 victim, i;

	if (s->cleaning == GREEDY || s->cleaning == FIFO)
		st = DZR_STREAM_USER;
	victim = s->cleaning == OURS ? dzr_segs_pick(s->segs, must, &freed) :
				       peer_pick(s);
	if (victim == DZR_NO_SEGMENT)
		return false;
	if (s->cleaning == OURS && !must &&
	    !dzr_segs_pays(s->segs, victim, s->clean_below)) {
		check(!dzr_segs_unpin(s->segs, victim));
		return false;
	}
	for (i = 0; i < s->seg[victim].nr; i++) {
		u32 block = s->seg[victim].block[i];

		if (s->where[block] != ((u64)victim << 32 | i))
			continue;
		if (s->cleaning == OURS)
			sim_fill_up(s, victim, i);
		check(sim_append(s, st, true, block));
	}
	s->seg[victim].sealed = false;
	check(dzr_segs_unpin(s->segs, victim));
	return true;
}

static void sim_write(struct sim *s, u32 block)
{
	u32 open = s->open[DZR_STREAM_USER];

	s->time[block] = ++s->now;
	while (!sim_append(s, DZR_STREAM_USER, false, block))
		check(sim_clean(s));
	s->user += s->t->size[block];
	if (s->cleaning != OURS || s->open[DZR_STREAM_USER] == open)
		return;
	while (dzr_segs_spare(s->segs) < s->clean_below)
		if (!sim_clean(s))
			return;
}

/* As many bytes as are alive are overwritten. Returns the amplification. */
static double sim_round(struct sim *s, double *spare)
{
	u64 user = s->user, written = s->written, n = 0;

	*spare = 0;
	while (s->user < user + s->t->bytes) {
		sim_write(s, trace_next(s->t));
		*spare += dzr_segs_spare(s->segs);
		n++;
	}
	*spare /= n;
	return (double)(s->written - written) / (s->user - user);
}

/* Nothing was lost, and nothing was counted twice. */
static void sim_check(struct sim *s)
{
	struct dzr_segs_totals totals;
	u32 i;

	dzr_segs_totals(s->segs, &totals);
	check(totals.live_bytes == s->t->bytes);
	for (i = 0; i < s->t->blocks; i++)
		check(s->seg[s->where[i] >> 32].block[(u32)s->where[i]] == i);
}

void log_measure(const struct cell *c, struct trace *t, enum cleaning cleaning,
		 struct figure *f)
{
	double spare, wa;
	struct sim s;
	u32 i;

	*f = (struct figure){ .least = 1e9 };
	trace_rewind(t);
	sim_init(&s, c, t, cleaning);
	for (i = 0; i < t->blocks; i++)
		sim_write(&s, i);
	for (i = 0; i < WARM_UP; i++)
		sim_round(&s, &spare);
	for (i = 0; i < WA_ROUNDS; i++) {
		wa = sim_round(&s, &spare);
		f->mean += wa / WA_ROUNDS;
		f->spare += spare / WA_ROUNDS;
		f->least = min(f->least, wa);
		f->most = max(f->most, wa);
	}
	sim_check(&s);
	sim_fini(&s);
}
