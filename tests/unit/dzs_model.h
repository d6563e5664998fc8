/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive owner of dzs objects: a table of entries, each with its own lock, the
 * length and the seed of what it should hold. Any content follows from the
 * seed, so the model needs no copy of the data.
 */
#ifndef DZS_MODEL_H
#define DZS_MODEL_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <linux/err.h>
#include <linux/gfp.h>

#include "dzs.h"
#include "shim.h"

struct entry {
	pthread_mutex_t lock;
	dzs_handle_t handle;
	unsigned int len;
	uint64_t seed;
};

struct model {
	struct dzs_pool *pool;
	struct entry *entries;
	unsigned int n;
	unsigned long relocated;
	unsigned long refused;
	/* Called by relocate() before it takes the entry lock; may be NULL. */
	void (*before_relocate)(struct model *m, u32 owner, dzs_handle_t old);
};

static bool model_relocate(void *ctx, u32 owner, dzs_handle_t old,
			   dzs_handle_t new)
{
	struct model *m = ctx;
	struct entry *e;
	bool mine;

	check(owner < m->n && old && new && old != new);
	e = &m->entries[owner];
	if (m->before_relocate)
		m->before_relocate(m, owner, old);
	pthread_mutex_lock(&e->lock);
	mine = e->handle == old;
	if (mine) {
		check(dzs_size(m->pool, new) == e->len);
		dzs_copy(m->pool, old, new);
		e->handle = new;
	}
	pthread_mutex_unlock(&e->lock);
	__atomic_fetch_add(mine ? &m->relocated : &m->refused, 1,
			   __ATOMIC_RELAXED);
	return mine;
}

static const struct dzs_ops model_ops = { .relocate = model_relocate };

static inline void model_init(struct model *m, unsigned int n,
			      unsigned long reserve)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->n = n;
	m->entries = calloc(n, sizeof(*m->entries));
	check(m->entries);
	for (i = 0; i < n; i++)
		pthread_mutex_init(&m->entries[i].lock, NULL);
	m->pool = dzs_create(&model_ops, m, reserve);
	check(!IS_ERR(m->pool));
}

/* Entry lock held. */
static inline void model_drop(struct model *m, struct entry *e)
{
	if (e->handle)
		dzs_free(m->pool, e->handle);
	e->handle = DZS_NO_HANDLE;
}

static inline void model_fini(struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		model_drop(m, &m->entries[i]);
	dzs_destroy(m->pool);
	free(m->entries);
}

/* Replace the object of entry @i. Return: that of dzs_alloc(). */
static inline int model_put(struct model *m, unsigned int i, unsigned int len,
			    uint64_t seed)
{
	unsigned int head = len == DZS_HUGE_SIZE ? 0 : seed % 13 % (len + 1);
	struct entry *e = &m->entries[i];
	dzs_handle_t handle = DZS_NO_HANDLE;
	char buf[DZS_HUGE_SIZE];
	int ret;

	shim_fill(buf, len, seed);
	ret = dzs_alloc2(m->pool, i, buf, head, buf + head, len - head,
			 &handle);
	if (ret) {
		check(!handle);
		return ret;
	}
	check(handle && !((__force u64)handle >> DZS_HANDLE_BITS));
	check(dzs_is_huge(handle) == (len == DZS_HUGE_SIZE));
	pthread_mutex_lock(&e->lock);
	model_drop(m, e);
	e->handle = handle;
	e->len = len;
	e->seed = seed;
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static inline void model_del(struct model *m, unsigned int i)
{
	struct entry *e = &m->entries[i];

	pthread_mutex_lock(&e->lock);
	model_drop(m, e);
	pthread_mutex_unlock(&e->lock);
}

/* Is all of entry @i as it should be? */
static inline void model_check(struct model *m, unsigned int i)
{
	struct entry *e = &m->entries[i];
	char buf[DZS_HUGE_SIZE];

	pthread_mutex_lock(&e->lock);
	if (e->handle) {
		check(dzs_size(m->pool, e->handle) == e->len);
		dzs_read(m->pool, e->handle, buf, 0, e->len);
		check(shim_same(buf, e->len, e->seed));
	}
	pthread_mutex_unlock(&e->lock);
}

/* Read a part of entry @i, and compare it with the whole. */
static inline void model_check_part(struct model *m, unsigned int i,
				    uint64_t r)
{
	char whole[DZS_HUGE_SIZE], part[DZS_HUGE_SIZE];
	struct entry *e = &m->entries[i];
	unsigned int off, len;

	pthread_mutex_lock(&e->lock);
	if (e->handle) {
		off = r % e->len;
		len = (r >> 32) % (e->len - off + 1);
		shim_fill(whole, e->len, e->seed);
		dzs_read(m->pool, e->handle, part, off, len);
		check(!memcmp(part, whole + off, len));
	}
	pthread_mutex_unlock(&e->lock);
}

/* Overwrite entry @i in place, in two parts. */
static inline void model_rewrite(struct model *m, unsigned int i,
				 uint64_t seed)
{
	struct entry *e = &m->entries[i];
	char buf[DZS_HUGE_SIZE];
	unsigned int cut;

	pthread_mutex_lock(&e->lock);
	if (e->handle) {
		e->seed = seed;
		cut = seed % (e->len + 1);
		shim_fill(buf, e->len, seed);
		dzs_write(m->pool, e->handle, buf + cut, cut, e->len - cut);
		dzs_write(m->pool, e->handle, buf, 0, cut);
	}
	pthread_mutex_unlock(&e->lock);
}

/* Compare the totals of an idle pool with those of the model. */
static inline void model_check_totals(struct model *m)
{
	unsigned long objects = 0, huge = 0;
	struct dzs_stats s;
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		struct entry *e = &m->entries[i];

		if (!e->handle)
			continue;
		objects++;
		huge += e->len == DZS_HUGE_SIZE;
		bytes += e->len;
	}
	dzs_stats(m->pool, &s);
	check(s.objects == objects && s.huge_objects == huge);
	check(s.stored_bytes == bytes);
	check(s.pages == dzs_pages(m->pool));
	check(s.pages + s.reserve_pages == shim.pages);
	check(s.meta_bytes == s.zspages * 64 + (objects - huge) * 5);
	check(s.pages * PAGE_SIZE >= bytes);
}

/* @len, or one that fits when the constants are cut down. */
static inline unsigned int model_fit(unsigned int len)
{
	if (len == DZS_HUGE_SIZE || len <= DZS_MAX_SIZE)
		return len;
	return 1 + len % DZS_MAX_SIZE;
}

/* Lengths as compressed pages have them; @r is random. */
static inline unsigned int model_len(uint64_t r)
{
	unsigned int kind = r % 100;

	r >>= 8;
	if (kind < 4)
		return DZS_HUGE_SIZE;
	if (kind < 10)
		return 1 + r % 200;
	if (kind < 14)
		return DZS_MAX_SIZE - r % 40;
	if (kind < 50)
		return model_fit(200 + r % 1200);
	return model_fit(700 + r % 900 + (r >> 20) % 900 + (r >> 40) % 900);
}

#endif /* DZS_MODEL_H */
