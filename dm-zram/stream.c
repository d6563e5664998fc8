// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: per-CPU codec workspaces that survive CPU hotplug.
 *
 * A stream is filled by the hotplug core: for the CPUs that are online when
 * the set is created, and for any other one before it comes up for the first
 * time. It is never emptied before the set is destroyed, but by an exchange that
 * has nothing for it: a CPU that has come up since, with no memory for its
 * second workspace. The spare stream, which serves the CPUs that have none, is
 * ready as long as the set exists: whatever is ready when the other set is made
 * has its counterpart there.
 *
 * Locks: st->lock. Not the hotplug lock in an exchange: the device may be
 * suspended, and whoever has that lock may be waiting for it to swap.
 */
#include <linux/bits.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/minmax.h>

#include "stream.h"

/**
 * struct dzr_streams - the streams of one device
 * @codec: what they compress with
 * @known: bit for each codec whose objects they can restore
 * @pcpu: one for each possible CPU
 * @node: in the hotplug core's list
 * @hotplugged: @node is in that list
 * @created: dzr_streams_create() is done, CPUs that come up are extra
 * @spare: a CPU whose stream is ready, always
 */
struct dzr_streams {
	const struct dzr_codec *codec;
	u8 known;
	struct dzr_stream __percpu *pcpu;
	struct hlist_node node;
	bool hotplugged;
	bool created;
	unsigned int spare;
};

/* The dynamic state that the hotplug core gave us. */
static enum cpuhp_state dzr_streams_state;

static void dzr_workspace_free(struct dzr_workspace *ws)
{
	unsigned int id;

	kfree(ws->block);
	kfree(ws->buf);
	for (id = 0; id < DZR_NR_CODECS; id++)
		kvfree(ws->decomp_ws[id]);
	kvfree(ws->comp_ws);
	*ws = (struct dzr_workspace){};
}

static bool dzr_workspace_alloc(void **mem, size_t size)
{
	if (!size)
		return true;
	*mem = kvzalloc(size, GFP_KERNEL);
	return *mem;
}

static bool dzr_workspace_fill(struct dzr_workspace *ws)
{
	unsigned int id;
	bool ok;

	ws->buf = kmalloc(DZR_STREAM_BUF, GFP_KERNEL);
	ws->block = kmalloc(DZR_BLOCK_SIZE, GFP_KERNEL);
	ok = ws->buf && ws->block &&
	     dzr_workspace_alloc(&ws->comp_ws, ws->codec->comp_size());
	for (id = 0; ok && id < DZR_NR_CODECS; id++)
		if (ws->known & BIT(id))
			ok = dzr_workspace_alloc(&ws->decomp_ws[id],
					dzr_codec_by_id(id)->decomp_size());
	if (!ok)
		dzr_workspace_free(ws);
	return ok;
}

/* Is it what all of the set are to be by now? */
static bool dzr_workspace_current(const struct dzr_streams *s,
				  const struct dzr_workspace *ws)
{
	return ws->codec == READ_ONCE(s->codec) &&
	       ws->known == READ_ONCE(s->known);
}

static bool dzr_stream_ready(struct dzr_stream *st)
{
	/* Pairs with dzr_stream_set_ready(). */
	return smp_load_acquire(&st->ready);
}

static void dzr_stream_set_ready(struct dzr_stream *st, bool ready)
{
	lockdep_assert_held(&st->lock);
	/* Pairs with dzr_stream_ready(): the pointers before the flag. */
	smp_store_release(&st->ready, ready);
}

/* Nothing is allocated under the lock; what was made may be outdated by then. */
static int dzr_stream_fill(struct dzr_streams *s, struct dzr_stream *st)
{
	bool current_one = false;

	while (!current_one && !dzr_stream_ready(st)) {
		struct dzr_workspace ws = {
			.codec = READ_ONCE(s->codec),
			.known = READ_ONCE(s->known),
		};

		if (!dzr_workspace_fill(&ws))
			return -ENOMEM;
		mutex_lock(&st->lock);
		current_one = dzr_workspace_current(s, &ws);
		if (current_one && !st->ready) {
			swap(st->ws, ws);
			dzr_stream_set_ready(st, true);
		}
		mutex_unlock(&st->lock);
		dzr_workspace_free(&ws);
	}
	return 0;
}

/*
 * A CPU comes up, or a set is created while @cpu is online. Runs under
 * cpu_hotplug_lock on some other CPU. The swap device that reclaim would write
 * to may be ours, and its way may lead to that lock: so no I/O.
 */
static int dzr_stream_cpu_up(unsigned int cpu, struct hlist_node *node)
{
	struct dzr_streams *s = hlist_entry(node, struct dzr_streams, node);
	unsigned int noio = memalloc_noio_save();
	int ret = dzr_stream_fill(s, per_cpu_ptr(s->pcpu, cpu));

	memalloc_noio_restore(noio);

	/* A CPU is not refused for our sake: it can use the spare stream. */
	return READ_ONCE(s->created) ? 0 : ret;
}

/* Every online CPU has one by now, but some of them may have gone since. */
static unsigned int dzr_streams_first_ready(struct dzr_streams *s)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (dzr_stream_ready(per_cpu_ptr(s->pcpu, cpu)))
			break;
	return cpu;
}

static int dzr_streams_fill(struct dzr_streams *s)
{
	unsigned int cpu;
	int ret;

	s->pcpu = alloc_percpu(struct dzr_stream);
	if (!s->pcpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		mutex_init(&per_cpu_ptr(s->pcpu, cpu)->lock);

	ret = cpuhp_state_add_instance(dzr_streams_state, &s->node);
	if (ret)
		return ret;
	s->hotplugged = true;
	WRITE_ONCE(s->created, true);
	s->spare = dzr_streams_first_ready(s);
	return 0;
}

static struct dzr_streams *dzr_streams_alloc(const struct dzr_codec *codec,
					     u8 known)
{
	struct dzr_streams *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->codec = codec;
	s->known = known | BIT(codec->id);
	ret = dzr_streams_fill(s);
	if (ret) {
		dzr_streams_destroy(s);
		return ERR_PTR(ret);
	}
	return s;
}

struct dzr_streams *dzr_streams_create(const struct dzr_codec *codec)
{
	return dzr_streams_alloc(codec, 0);
}

struct dzr_streams *dzr_streams_create_like(struct dzr_streams *s,
					    const struct dzr_codec *codec)
{
	struct dzr_streams *like = dzr_streams_alloc(codec,
						     READ_ONCE(s->known));
	unsigned int cpu;

	if (IS_ERR(like))
		return like;
	/* Those of CPUs that are gone, too: tasks may hold them. */
	for_each_possible_cpu(cpu) {
		int ret = 0;

		if (dzr_stream_ready(per_cpu_ptr(s->pcpu, cpu)))
			ret = dzr_stream_fill(like,
					      per_cpu_ptr(like->pcpu, cpu));
		if (ret) {
			dzr_streams_destroy(like);
			return ERR_PTR(ret);
		}
	}
	return like;
}

/* All of it, ready or not. */
static void dzr_stream_swap(struct dzr_stream *st, struct dzr_stream *other)
{
	bool ready = st->ready;

	swap(st->ws, other->ws);
	dzr_stream_set_ready(st, other->ready);
	dzr_stream_set_ready(other, ready);
}

/* First: restore what the new codec makes, but do not use it. */
static void dzr_stream_learn(struct dzr_streams *s, struct dzr_stream *st,
			     struct dzr_stream *other)
{
	unsigned int id;

	if (!st->ready)
		return;
	if (!other->ready) {
		dzr_stream_swap(st, other);
		return;
	}
	for (id = 0; id < DZR_NR_CODECS; id++)
		swap(st->ws.decomp_ws[id], other->ws.decomp_ws[id]);
	swap(st->ws.known, other->ws.known);
}

/* Second, when all can restore that: use it. */
static void dzr_stream_turn(struct dzr_streams *s, struct dzr_stream *st,
			    struct dzr_stream *other)
{
	if (st->ready && other->ready) {
		swap(st->ws.codec, other->ws.codec);
		swap(st->ws.comp_ws, other->ws.comp_ws);
	} else if (st->ready || dzr_workspace_current(s, &other->ws)) {
		dzr_stream_swap(st, other);
	}
}

static void dzr_streams_pass(struct dzr_streams *s, struct dzr_streams *other,
			     void (*step)(struct dzr_streams *s,
					  struct dzr_stream *st,
					  struct dzr_stream *other))
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct dzr_stream *st = per_cpu_ptr(s->pcpu, cpu);
		struct dzr_stream *new = per_cpu_ptr(other->pcpu, cpu);

		mutex_lock(&st->lock);
		mutex_lock_nested(&new->lock, SINGLE_DEPTH_NESTING);
		if (!dzr_workspace_current(s, &st->ws))
			step(s, st, new);
		mutex_unlock(&new->lock);
		mutex_unlock(&st->lock);
	}
}

bool dzr_streams_fit(const struct dzr_streams *s,
		     const struct dzr_streams *other)
{
	return !(READ_ONCE(s->known) & ~other->known);
}

void dzr_streams_exchange(struct dzr_streams *s, struct dzr_streams *other)
{
	const struct dzr_codec *codec = s->codec;
	u8 known = s->known;

	/* What is filled from here on is right at once. */
	WRITE_ONCE(s->known, other->known);
	dzr_streams_pass(s, other, dzr_stream_learn);
	WRITE_ONCE(s->codec, other->codec);
	dzr_streams_pass(s, other, dzr_stream_turn);
	WRITE_ONCE(other->codec, codec);
	WRITE_ONCE(other->known, known);
}

const struct dzr_codec *dzr_streams_codec(const struct dzr_streams *s)
{
	return READ_ONCE(s->codec);
}

void dzr_streams_destroy(struct dzr_streams *s)
{
	unsigned int cpu;

	if (!s)
		return;
	if (s->hotplugged)
		cpuhp_state_remove_instance(dzr_streams_state, &s->node);
	if (s->pcpu) {
		for_each_possible_cpu(cpu) {
			struct dzr_stream *st = per_cpu_ptr(s->pcpu, cpu);

			dzr_workspace_free(&st->ws);
			mutex_destroy(&st->lock);
		}
		free_percpu(s->pcpu);
	}
	kfree(s);
}

struct dzr_stream *dzr_stream_get(struct dzr_streams *s)
{
	struct dzr_stream *st;

	/* Only a hint for locality; the lock is what makes it ours. */
	st = per_cpu_ptr(s->pcpu, raw_smp_processor_id());
	if (likely(dzr_stream_ready(st))) {
		mutex_lock(&st->lock);
		if (likely(st->ready))
			return st;
		mutex_unlock(&st->lock);
	}
	st = per_cpu_ptr(s->pcpu, s->spare);
	mutex_lock(&st->lock);
	return st;
}

void dzr_stream_put(struct dzr_stream *st)
{
	mutex_unlock(&st->lock);
}

int dzr_stream_compress(struct dzr_stream *st, const void *src,
			unsigned int *len)
{
	lockdep_assert_held(&st->lock);
	return st->ws.codec->compress(st->ws.comp_ws, src, st->ws.buf,
				      DZR_BLOCK_SIZE - 1, len);
}

int dzr_stream_decompress(struct dzr_stream *st, u8 codec, const void *src,
			  unsigned int len, void *dst)
{
	lockdep_assert_held(&st->lock);
	if (codec >= DZR_NR_CODECS || !(st->ws.known & BIT(codec)))
		return -EIO;
	return dzr_codec_by_id(codec)->decompress(st->ws.decomp_ws[codec], src,
						  len, dst);
}

static size_t dzr_streams_one(const struct dzr_streams *s)
{
	size_t one = READ_ONCE(s->codec)->comp_size() + DZR_STREAM_BUF +
		     DZR_BLOCK_SIZE;
	unsigned int id;

	for (id = 0; id < DZR_NR_CODECS; id++)
		if (READ_ONCE(s->known) & BIT(id))
			one += dzr_codec_by_id(id)->decomp_size();
	return one;
}

size_t dzr_streams_bytes(struct dzr_streams *s)
{
	size_t one = dzr_streams_one(s);
	size_t bytes = sizeof(*s);
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		bytes += sizeof(struct dzr_stream);
		if (dzr_stream_ready(per_cpu_ptr(s->pcpu, cpu)))
			bytes += one;
	}
	return bytes;
}

int dzr_streams_init(void)
{
	int ret;

	ret = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, "dm-zram:streams",
				      dzr_stream_cpu_up, NULL);
	if (ret < 0)
		return ret;
	dzr_streams_state = ret;
	return 0;
}

void dzr_streams_exit(void)
{
	cpuhp_remove_multi_state(dzr_streams_state);
}
