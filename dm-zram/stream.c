// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: per-CPU codec workspaces that survive CPU hotplug.
 *
 * A stream is filled by the hotplug core: for the CPUs that are online when
 * the set is created, and for any other one before it comes up for the first
 * time. It is never emptied before the set is destroyed. So a stream that has
 * been seen ready stays so, and the one that was ready first serves the CPUs
 * whose own could not be had.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/mm.h>

#include "stream.h"

/**
 * struct dzr_streams - the streams of one device
 * @codec: what they are for
 * @pcpu: one for each possible CPU
 * @node: in the hotplug core's list
 * @hotplugged: @node is in that list
 * @created: dzr_streams_create() is done, CPUs that come up are extra
 * @spare: a CPU whose stream is ready
 */
struct dzr_streams {
	const struct dzr_codec *codec;
	struct dzr_stream __percpu *pcpu;
	struct hlist_node node;
	bool hotplugged;
	bool created;
	unsigned int spare;
};

/* The dynamic state that the hotplug core gave us. */
static enum cpuhp_state dzr_streams_state;

static void dzr_stream_empty(struct dzr_stream *st)
{
	kfree(st->block);
	kfree(st->buf);
	kvfree(st->decomp_ws);
	kvfree(st->comp_ws);
	st->block = NULL;
	st->buf = NULL;
	st->decomp_ws = NULL;
	st->comp_ws = NULL;
}

static int dzr_workspace_alloc(void **ws, size_t size)
{
	if (!size)
		return 0;
	*ws = kvzalloc(size, GFP_KERNEL);
	return *ws ? 0 : -ENOMEM;
}

static int dzr_stream_fill(struct dzr_stream *st, const struct dzr_codec *codec)
{
	st->codec = codec;
	st->buf = kmalloc(DZR_STREAM_BUF, GFP_KERNEL);
	st->block = kmalloc(DZR_BLOCK_SIZE, GFP_KERNEL);
	if (!st->buf || !st->block ||
	    dzr_workspace_alloc(&st->comp_ws, codec->comp_size()) ||
	    dzr_workspace_alloc(&st->decomp_ws, codec->decomp_size())) {
		dzr_stream_empty(st);
		return -ENOMEM;
	}
	/* Pairs with dzr_stream_ready(): the pointers before the flag. */
	smp_store_release(&st->ready, true);
	return 0;
}

static bool dzr_stream_ready(struct dzr_stream *st)
{
	/* Pairs with dzr_stream_fill(). */
	return smp_load_acquire(&st->ready);
}

/*
 * A CPU comes up, or a set is created while @cpu is online. Runs under
 * cpu_hotplug_lock on some other CPU. The swap device that reclaim would write
 * to may be ours, and its way may lead to that lock: so no I/O.
 */
static int dzr_stream_cpu_up(unsigned int cpu, struct hlist_node *node)
{
	struct dzr_streams *s = hlist_entry(node, struct dzr_streams, node);
	struct dzr_stream *st = per_cpu_ptr(s->pcpu, cpu);
	unsigned int noio;
	int ret;

	if (dzr_stream_ready(st))
		return 0;
	noio = memalloc_noio_save();
	ret = dzr_stream_fill(st, s->codec);
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

struct dzr_streams *dzr_streams_create(const struct dzr_codec *codec)
{
	struct dzr_streams *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->codec = codec;
	ret = dzr_streams_fill(s);
	if (ret) {
		dzr_streams_destroy(s);
		return ERR_PTR(ret);
	}
	return s;
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

			dzr_stream_empty(st);
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
	if (unlikely(!dzr_stream_ready(st)))
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
	return st->codec->compress(st->comp_ws, src, st->buf,
				   DZR_BLOCK_SIZE - 1, len);
}

int dzr_stream_decompress(struct dzr_stream *st, const void *src,
			  unsigned int len, void *dst)
{
	lockdep_assert_held(&st->lock);
	return st->codec->decompress(st->decomp_ws, src, len, dst);
}

size_t dzr_streams_bytes(struct dzr_streams *s)
{
	size_t one = s->codec->comp_size() + s->codec->decomp_size() +
		     DZR_STREAM_BUF + DZR_BLOCK_SIZE;
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
