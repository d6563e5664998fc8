// SPDX-License-Identifier: GPL-2.0
/* Write amplification, simulated: which block is overwritten, and its size. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "log-internal.h"
#include "shim.h"
#include "sizes.h"
#include "wa.h"

#define WA_ZIPF		0.99

const char *const pattern_names[NR_PATTERNS] = {
	[UNIFORM]	= "uniform",
	[SKEW_80_20]	= "80/20",
	[SKEW_90_10]	= "90/10",
	[ZIPF]		= "Zipf 0.99",
	[IN_ORDER]	= "in order",
};

/* The length of a page: two in three are a Python heap's, one is of text. */
static u32 trace_length(uint64_t *seed)
{
	const char *kind = shim_random(seed) % 3 ? "python" : "text";
	u32 at = shim_random(seed) & 0xffff, bin = 0, k = 0;

	while (strcmp(sizes[k].name, kind))
		k++;
	while (bin < SIZES_BINS - 1 && at >= sizes[k].share[bin])
		at -= sizes[k].share[bin++];
	if (bin == SIZES_BINS - 1)
		return 4096;
	return bin * SIZES_STEP + 1 + shim_random(seed) % SIZES_STEP;
}

static void trace_sizes(struct trace *t, u64 bytes, u32 equal)
{
	u32 max = bytes / dzr_object_size(1) + 1;

	t->size = malloc(max * sizeof(*t->size));
	check(t->size);
	while (t->bytes < bytes) {
		u32 size = equal;

		if (!equal)
			size = dzr_object_size(trace_length(&t->seed));

		t->size[t->blocks++] = size;
		t->bytes += size;
		t->square += (double)size * size;
	}
	t->size = realloc(t->size, t->blocks * sizeof(*t->size));
	check(t->size);
}

/* What is popular is spread over all blocks. */
static void trace_shuffle(struct trace *t)
{
	u32 i;

	t->order = malloc(t->blocks * sizeof(*t->order));
	check(t->order);
	for (i = 0; i < t->blocks; i++) {
		u32 j = shim_random(&t->seed) % (i + 1);

		t->order[i] = t->order[j];
		t->order[j] = i;
	}
}

/* Alias method after Vose, 1991. */
static void trace_zipf(struct trace *t)
{
	u32 *small = malloc(t->blocks * sizeof(u32)), smalls = 0;
	u32 *large = malloc(t->blocks * sizeof(u32)), larges = 0;
	double *p = malloc(t->blocks * sizeof(double)), sum = 0;
	u32 i, s, l;

	t->prob = malloc(t->blocks * sizeof(u32));
	t->alias = calloc(t->blocks, sizeof(u32));
	check(small && large && p && t->prob && t->alias);
	for (i = 0; i < t->blocks; i++)
		sum += p[i] = pow(i + 1, -WA_ZIPF);
	for (i = 0; i < t->blocks; i++) {
		p[i] *= t->blocks / sum;
		if (p[i] < 1)
			small[smalls++] = i;
		else
			large[larges++] = i;
	}
	while (smalls && larges) {
		s = small[--smalls];
		l = large[larges - 1];
		t->prob[s] = p[s] * U32_MAX;
		t->alias[s] = l;
		p[l] -= 1 - p[s];
		if (p[l] < 1)
			small[smalls++] = large[--larges];
	}
	while (larges)
		t->prob[large[--larges]] = U32_MAX;
	while (smalls)
		t->prob[small[--smalls]] = U32_MAX;
	free(small);
	free(large);
	free(p);
}

void trace_init(struct trace *t, u64 bytes, const struct cell *c)
{
	*t = (struct trace){ .seed = 11, .pattern = c->pattern };
	trace_sizes(t, bytes, c->equal);
	trace_shuffle(t);
	if (c->pattern == ZIPF)
		trace_zipf(t);
	trace_rewind(t);
}

void trace_rewind(struct trace *t)
{
	t->seed = 5;
	t->next = 0;
}

void trace_fini(struct trace *t)
{
	free(t->size);
	free(t->order);
	free(t->prob);
	free(t->alias);
}

/* Of the first @part percent of the blocks in @often percent of the cases. */
static u32 trace_skewed(struct trace *t, u32 often, u32 part)
{
	u32 hot = (u64)t->blocks * part / 100;
	u64 r = shim_random(&t->seed);
	u32 which = (r >> 32) % 100 < often ? (u32)r % hot :
					      hot + (u32)r % (t->blocks - hot);

	return t->order[which];
}

u32 trace_next(struct trace *t)
{
	u64 r;

	switch (t->pattern) {
	case SKEW_80_20:
		return trace_skewed(t, 80, 20);
	case SKEW_90_10:
		return trace_skewed(t, 90, 10);
	case ZIPF:
		r = shim_random(&t->seed);
		if ((u32)shim_random(&t->seed) > t->prob[r % t->blocks])
			return t->order[t->alias[r % t->blocks]];
		return t->order[r % t->blocks];
	case IN_ORDER:
		t->next = t->next + 1 < t->blocks ? t->next + 1 : 0;
		return t->next;
	default:
		return shim_random(&t->seed) % t->blocks;
	}
}
