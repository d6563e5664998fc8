// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the allocator against the model: the input is a program. Its first
 * byte sets the size of the reserve; then each operation is one byte, with its
 * operands, taken from the input as needed.
 */
#include <stdio.h>

#include "dzs_model.h"

#define ENTRIES	256

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static unsigned int byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static unsigned int word(struct input *in)
{
	unsigned int low = byte(in);

	return low | byte(in) << 8;
}

/* Entries get freed, replaced or compacted while they are being moved. */
static struct input *meddler;

static void meddle(struct model *m, u32 owner, dzs_handle_t old)
{
	unsigned int b = byte(meddler);

	if (b % 5 == 1)
		model_del(m, owner);
	else if (b % 5 == 2)
		model_put(m, owner, m->entries[owner].len, b);
	else if (b % 5 == 3)
		model_del(m, (owner + b) % ENTRIES);
}

static void put(struct model *m, unsigned int i, unsigned int len, u64 seed)
{
	bool valid = (len && len <= DZS_MAX_SIZE) || len == DZS_HUGE_SIZE;
	int ret;

	if (valid) {
		ret = model_put(m, i, len, seed);
		check(!ret || (ret == -ENOMEM && shim.fail_kinds));
	} else {
		static const char none[8192];
		dzs_handle_t h = DZS_NO_HANDLE;

		ret = dzs_alloc(m->pool, i, none, len, &h);
		check(ret == -EINVAL && !h);
	}
}

/* The same length for a run of entries: fills zspages. */
static void put_many(struct model *m, struct input *in)
{
	unsigned int from = byte(in), n = byte(in), len = word(in) % 4097;

	for (; n; n--, from++)
		put(m, from % ENTRIES, len, from);
}

static void del_many(struct model *m, struct input *in)
{
	unsigned int from = byte(in), n = byte(in), step = 1 + byte(in) % 8;

	while (n--) {
		model_del(m, from % ENTRIES);
		from += step;
	}
}

static bool stop(void *arg)
{
	return byte(arg) % 4 == 3;
}

static void compact(struct model *m, struct input *in)
{
	struct dzs_compact_ctl ctl = { .stop = stop, .arg = in };
	unsigned int b = byte(in);

	dzs_set_slack(m->pool, b >> 4);
	shim.contended = b & 4;
	m->before_relocate = b & 2 ? meddle : NULL;
	dzs_compact(m->pool, byte(in), b & 1 ? &ctl : NULL);
}

static void step(struct model *m, struct input *in)
{
	switch (byte(in) % 10) {
	case 0:
	case 1:
		put(m, byte(in), word(in) % 4200, word(in));
		break;
	case 2:
		model_del(m, byte(in));
		break;
	case 3:
		put_many(m, in);
		break;
	case 4:
		del_many(m, in);
		break;
	case 5:
		model_check_part(m, byte(in), (u64)word(in) << 32 | word(in));
		break;
	case 6:
		model_rewrite(m, byte(in), word(in));
		break;
	case 7:
		compact(m, in);
		break;
	case 8:
		dzs_refill(m->pool, GFP_NOWAIT);
		break;
	case 9:
		shim.fail_kinds = byte(in) % 4;
		shim.fail_every = byte(in) % 4;
		if (!shim.fail_every)
			shim.fail_kinds = 0;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = data, .end = data + size };
	struct model m;
	unsigned int i;

	shim.strict = true;
	meddler = &in;
	model_init(&m, ENTRIES, byte(&in) % 16);
	while (in.at < in.end)
		step(&m, &in);
	shim_no_fail();
	for (i = 0; i < m.n; i++)
		model_check(&m, i);
	model_check_totals(&m);
	if (size & 1) {
		/* Leave the objects of classes to dzs_destroy(). */
		for (i = 0; i < m.n; i++)
			if (m.entries[i].len != DZS_HUGE_SIZE)
				m.entries[i].handle = DZS_NO_HANDLE;
	}
	model_fini(&m);
	shim_check_leaks("fuzz");
	return 0;
}
