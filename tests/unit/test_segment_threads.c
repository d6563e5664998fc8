// SPDX-License-Identifier: GPL-2.0
/*
 * Segment accounting with threads, under ThreadSanitizer: users append to
 * segments of their own, one cleans, readers pin and look, one discards. There
 * is an entry for each block, with its lock, and a device of plain memory: a
 * segment that is reused while somebody may look at it is a data race, and its
 * content is wrong.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <linux/kernel.h>

#include "segment.h"
#include "shim.h"

#define USERS		3
#define READERS		2
#define PER_SEG		8U
#define OBJECT		4112U
#define CAPACITY	(PER_SEG * OBJECT + 100)
#define MIN_GAIN	(2 * OBJECT)
#define RESERVE		3U
#define BLOCKS		600U
#define WRITES		6000
/* Each sealed segment may have one dead object that nobody goes for. */
#define SEGS		(BLOCKS / (PER_SEG - 1) + RESERVE + USERS + READERS + 3)
#define NOWHERE		U32_MAX

struct entry {
	pthread_mutex_t lock;
	u32 place;
	u32 version;
};

/* What the device holds at a place. */
struct object {
	u32 block;
	u32 version;
	u32 seq;
};

static struct dzr_segs *segs;
static struct entry entries[BLOCKS];
static struct object device[SEGS * PER_SEG];
static unsigned long cleaned, moved, waited, read_back, discarded;
static int working = USERS;

/* An open segment of one thread. */
struct writer {
	u32 seg;
	u32 used;
	bool reserve;
};

static bool still_working(void)
{
	return __atomic_load_n(&working, __ATOMIC_ACQUIRE);
}

static void count(unsigned long *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void writer_seal(struct writer *w)
{
	if (w->seg != DZR_NO_SEGMENT)
		dzr_segs_seal(segs, w->seg);
	w->seg = DZR_NO_SEGMENT;
}

/* Room for an object in the writer's segment: its place. */
static u32 writer_claim(struct writer *w)
{
	if (w->seg != DZR_NO_SEGMENT && w->used == PER_SEG)
		writer_seal(w);
	while (w->seg == DZR_NO_SEGMENT) {
		w->seg = dzr_segs_alloc(segs, w->reserve);
		w->used = 0;
		if (w->seg != DZR_NO_SEGMENT)
			break;
		count(&waited);
		sched_yield();
	}
	dzr_segs_get_object(segs, w->seg, OBJECT);
	return w->seg * PER_SEG + w->used++;
}

static void drop(u32 place)
{
	dzr_segs_put_object(segs, place / PER_SEG, OBJECT);
}

/* As a demotion: write, then publish; what was there before is dead. */
static void user_write(struct writer *w, u32 block)
{
	struct entry *e = &entries[block];
	u32 place = writer_claim(w), old;

	device[place] = (struct object){
		.block = block, .seq = dzr_segs_seq(segs, w->seg),
	};
	pthread_mutex_lock(&e->lock);
	device[place].version = ++e->version;
	old = e->place;
	e->place = place;
	pthread_mutex_unlock(&e->lock);
	if (old != NOWHERE)
		drop(old);
}

static void *user(void *arg)
{
	struct writer w = { .seg = DZR_NO_SEGMENT };
	uint64_t state = (uintptr_t)arg;
	unsigned int i;
	u32 block;

	for (i = 0; i < WRITES; i++) {
		block = shim_random(&state) % BLOCKS;
		/* All blocks come first, so that the log is full. */
		if (i < BLOCKS / USERS)
			block = i * USERS + (uintptr_t)arg - 1;
		user_write(&w, block);
	}
	writer_seal(&w);
	__atomic_fetch_sub(&working, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* As a cold read: pin under the entry lock, look without, unpin. */
static void *reader(void *arg)
{
	uint64_t state = (uintptr_t)arg;

	while (still_working()) {
		u32 block = shim_random(&state) % BLOCKS, place, version;
		struct entry *e = &entries[block];

		pthread_mutex_lock(&e->lock);
		place = e->place;
		version = e->version;
		if (place != NOWHERE)
			dzr_segs_pin(segs, place / PER_SEG);
		pthread_mutex_unlock(&e->lock);
		if (place == NOWHERE)
			continue;
		sched_yield();
		check(device[place].block == block);
		check(device[place].version == version);
		check(device[place].seq == dzr_segs_seq(segs, place / PER_SEG));
		dzr_segs_unpin(segs, place / PER_SEG);
		count(&read_back);
	}
	return NULL;
}

/* Copy what is at @place, if it is live; the entry may go elsewhere meanwhile. */
static void clean_one(struct writer *w, u32 place)
{
	struct object o = device[place];
	struct entry *e = &entries[o.block];
	u32 copy;
	bool mine;

	pthread_mutex_lock(&e->lock);
	mine = e->place == place;
	pthread_mutex_unlock(&e->lock);
	if (!mine)
		return;
	copy = writer_claim(w);
	o.seq = dzr_segs_seq(segs, w->seg);
	device[copy] = o;
	pthread_mutex_lock(&e->lock);
	mine = e->place == place;
	if (mine)
		e->place = copy;
	pthread_mutex_unlock(&e->lock);
	drop(mine ? place : copy);
	if (mine)
		count(&moved);
}

static void *cleaner(void *arg)
{
	struct writer w = { .seg = DZR_NO_SEGMENT, .reserve = true };

	while (still_working()) {
		bool must = dzr_segs_spare(segs) <= 0, freed;
		u32 victim, i;

		if (dzr_segs_spare(segs) >= 4) {
			sched_yield();
			continue;
		}
		victim = dzr_segs_pick(segs, must, &freed);
		if (victim == DZR_NO_SEGMENT) {
			dzr_segs_coming(segs);
			sched_yield();
			continue;
		}
		/* A victim is sealed: what it has was written before. */
		for (i = 0; i < PER_SEG; i++)
			if (device[victim * PER_SEG + i].seq ==
			    dzr_segs_seq(segs, victim))
				clean_one(&w, victim * PER_SEG + i);
		dzr_segs_unpin(segs, victim);
		count(&cleaned);
	}
	writer_seal(&w);
	return NULL;
}

static void *discarder(void *arg)
{
	struct dzr_segs_totals t;

	while (still_working()) {
		u32 seg = dzr_segs_take_stale(segs);

		if (seg != DZR_NO_SEGMENT) {
			/* Nobody else may touch it now. */
			device[seg * PER_SEG] = (struct object){};
			dzr_segs_discarded(segs, seg);
			count(&discarded);
		}
		dzr_segs_totals(segs, &t);
		check(t.free <= SEGS && t.stale <= SEGS && !t.bad);
		sched_yield();
	}
	return NULL;
}

/* All is at rest: each block is where it should be, and nothing was lost. */
static void check_end(void)
{
	u32 nr[SEGS] = {}, used = 0, i;
	struct dzr_segs_totals t;

	for (i = 0; i < BLOCKS; i++) {
		u32 place = entries[i].place;

		check(place != NOWHERE && device[place].block == i);
		check(device[place].version == entries[i].version);
		check(device[place].seq == dzr_segs_seq(segs, place / PER_SEG));
		nr[place / PER_SEG]++;
	}
	for (i = 0; i < SEGS; i++) {
		check(nr[i] <= PER_SEG);
		used += nr[i] > 0;
	}
	dzr_segs_totals(segs, &t);
	check(t.free == SEGS - used && t.segments == SEGS);
	check(t.live_bytes == (u64)BLOCKS * OBJECT);
	for (i = 0; i < BLOCKS; i++)
		drop(entries[i].place);
	dzr_segs_totals(segs, &t);
	check(t.free == SEGS && !t.live_bytes);
}

int main(void)
{
	pthread_t thread[USERS + READERS + 2];
	unsigned int i, n = 0;

	shim.strict = true;
	segs = dzr_segs_create(SEGS, CAPACITY, RESERVE, MIN_GAIN);
	check(segs);
	for (i = 0; i < BLOCKS; i++) {
		pthread_mutex_init(&entries[i].lock, NULL);
		entries[i].place = NOWHERE;
	}
	check(!pthread_create(&thread[n++], NULL, cleaner, NULL));
	check(!pthread_create(&thread[n++], NULL, discarder, NULL));
	for (i = 0; i < READERS; i++)
		check(!pthread_create(&thread[n++], NULL, reader,
				      (void *)(uintptr_t)(i + 100)));
	for (i = 0; i < USERS; i++)
		check(!pthread_create(&thread[n++], NULL, user,
				      (void *)(uintptr_t)(i + 1)));
	while (n--)
		pthread_join(thread[n], NULL);
	check_end();
	printf("  segment threads: %lu cleaned, %lu moved, %lu read back, %lu discarded, %lu waits\n",
	       cleaned, moved, read_back, discarded, waited);
	check(cleaned > 100 && moved > 100 && read_back > 100);
	dzr_segs_destroy(segs);
	shim_check_leaks("segment threads");
	return 0;
}
