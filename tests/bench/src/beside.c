// SPDX-License-Identifier: GPL-2.0
/*
 * Writes of single blocks beside a compaction, by the module tests/bench/write;
 * what it has to say about them. See dzb.h.
 */
#include <stdlib.h>
#include <unistd.h>
#include "compact.h"
#include "dzb.h"

#define CTL		"/sys/kernel/debug/dzb_write"
#define SPIN_MS		800		/* about as long as a compaction */
#define OTHER_CPU	1

/* As in dzb-write.c. */
struct sample {
	uint32_t wall, ran, other, switches;
};

static struct sample *samples;
static uint32_t nr_samples;

static void ctl(const char *command)
{
	int to = open(CTL, O_WRONLY | O_CLOEXEC);

	if (to < 0 || write(to, command, strlen(command)) != (ssize_t)strlen(command))
		die(command);
	close(to);
}

static void load_samples(void)
{
	size_t room = 16u << 20, got = 0;
	int from = open(CTL, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (from < 0)
		die(CTL);
	samples = memory(room);
	do {
		n = read(from, (char *)samples + got, room - got);
		if (n < 0)
			die(CTL);
		got += n;
	} while (n);
	close(from);
	nr_samples = got / sizeof(*samples);
	if (nr_samples < 1000) {
		fprintf(stderr, "dzb: only %u writes\n", nr_samples);
		exit(1);
	}
}

/* Running time without what the writer spun while the other one was stopped. */
static uint32_t both(const struct sample *s)
{
	return s->ran < s->other ? s->ran : s->other;
}

static uint32_t wall(const struct sample *s)
{
	return s->wall;
}

static uint32_t ran(const struct sample *s)
{
	return s->ran;
}

static void say(const char *name, uint32_t (*value)(const struct sample *s))
{
	uint32_t *v = memory(nr_samples * sizeof(*v)), i;

	for (i = 0; i < nr_samples; i++)
		v[i] = value(&samples[i]);
	qsort(v, nr_samples, sizeof(*v), by_value);
	printf("%s_p50=%u %s_p99=%u %s_p999=%u %s_p9999=%u %s_max=%u ", name, v[nr_samples / 2],
	       name, v[(uint64_t)nr_samples * 99 / 100], name, v[(uint64_t)nr_samples * 999 / 1000],
	       name, v[(uint64_t)nr_samples * 9999 / 10000], name, v[nr_samples - 1]);
}

static int by_wall(const void *a, const void *b)
{
	return by_value(&((const struct sample *)a)->wall, &((const struct sample *)b)->wall);
}

/* Of what the slowest thousandth, by the guest's clock, consists. */
static void explain_slow(void)
{
	uint32_t n = nr_samples / 1000, switched = 0, i;
	uint64_t stopped = 0, spun = 0, rest = 0;
	const struct sample *s;

	qsort(samples, nr_samples, sizeof(*samples), by_wall);
	for (i = 0; i < n; i++) {
		s = &samples[nr_samples - 1 - i];
		stopped += s->wall > s->ran ? s->wall - s->ran : 0;
		spun += s->ran - both(s);
		rest += both(s);
		switched += s->switches != 0;
	}
	printf("slow=%u slow_stopped_avg=%llu slow_spun_avg=%llu slow_both_avg=%llu slow_switched=%u\n",
	       n, (unsigned long long)(stopped / n), (unsigned long long)(spun / n),
	       (unsigned long long)(rest / n), switched);
}

void beside_writes(unsigned int cycles, int control)
{
	char start[96], spin[32];
	unsigned int c;

	snprintf(start, sizeof(start), "start %s %llu %llu", device, (unsigned long long)count,
		 (unsigned long long)seed);
	snprintf(spin, sizeof(spin), "spin %u", SPIN_MS);
	on_cpu(OTHER_CPU);
	for (c = 0; c < cycles; c++) {
		fill();
		halve();
		ctl(start);
		if (control)
			ctl(spin);
		else if (compact(device))
			die("compact");
		ctl("stop");
	}
	verify('h');
	load_samples();
	printf("writes=%u ", nr_samples);
	say("wall", wall);
	say("ran", ran);
	say("both", both);
	explain_slow();
}
