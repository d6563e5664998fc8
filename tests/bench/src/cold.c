// SPDX-License-Identifier: GPL-2.0
/* What dzb does for the benches of cold blocks. See dzb.h. */
#include <stdlib.h>
#include <unistd.h>
#include "dzb.h"

/* Reads begin no sooner than this after each other: the disk's limit of I/Os is not met. */
#define READ_INTERVAL_NS	500000ull

#define POLL_US			20000

/* All block numbers, in random order. */
static uint32_t *shuffled(void)
{
	uint32_t *order = memory(count * sizeof(*order)), i, other, t;
	uint64_t state = mix64(seed + 0xc01d) | 1;

	for (i = 0; i < count; i++)
		order[i] = i;
	for (i = count - 1; i > 0; i--) {
		other = next_random(&state) % (i + 1);
		t = order[i];
		order[i] = order[other];
		order[other] = t;
	}
	return order;
}

static int differs(const struct block *got, uint64_t nr, char what)
{
	struct block want;

	if (what == '-')
		return 0;
	memset(&want, 0, sizeof(want));
	if (what == 'a')
		heap_fill(&want, seed, nr);
	if (!memcmp(got, &want, BLOCK_BYTES))
		return 0;
	pattern_explain(got, &want, nr);
	return 1;
}

void single_reads(uint64_t n, char what)
{
	uint32_t *order = shuffled(), *ns = memory(n * sizeof(*ns)), i;
	uint64_t t, next = now(), sum = 0;

	if (!n || n > count)
		usage();
	for (i = 0; i < n; i++) {
		t = now();
		if (t < next)
			usleep((next - t) / 1000);
		t = now();
		next = t + READ_INTERVAL_NS;
		read_at(buf, order[i], 1);
		t = now() - t;
		ns[i] = t > UINT32_MAX ? UINT32_MAX : t;
		sum += ns[i];
		if (differs(buf, order[i], what))
			exit(1);
	}
	qsort(ns, n, sizeof(*ns), by_value);
	printf("reads=%llu avg_ns=%llu p50_ns=%u p90_ns=%u p99_ns=%u max_ns=%u\n",
	       (unsigned long long)n, (unsigned long long)(sum / n), ns[n / 2], ns[n * 9 / 10],
	       ns[n * 99 / 100], ns[n - 1]);
}

/* I/Os that a disk has written, from its "stat"; @in_flight: and has not yet ended. */
static uint64_t writes_of(const char *stat, uint64_t *in_flight)
{
	unsigned long long f[9];
	FILE *from = fopen(stat, "r");
	int i;

	if (!from)
		die(stat);
	for (i = 0; i < 9; i++)
		if (fscanf(from, "%llu", &f[i]) != 1)
			die(stat);
	fclose(from);
	*in_flight = f[8];
	return f[4];
}

struct moment {
	uint64_t t, cpu;
};

static struct moment moment(void)
{
	return (struct moment){ .t = now(), .cpu = cpu_now() };
}

void watch_writes(const char *stat, uint64_t quiet_ms, uint64_t limit_s)
{
	uint64_t in_flight, writes = writes_of(stat, &in_flight), seen, idle;
	struct moment start = moment(), first = start, last = start, at = start, before;
	int begun = 0;

	while (!begun || at.t - last.t < quiet_ms * 1000000) {
		if (at.t - start.t > limit_s * 1000000000) {
			fprintf(stderr, "dzb: %s does not come to rest\n", stat);
			exit(1);
		}
		usleep(POLL_US);
		before = at;
		seen = writes;
		writes = writes_of(stat, &in_flight);
		at = moment();
		if (writes == seen && !in_flight)
			continue;
		if (!begun)
			first = before;
		begun = 1;
		last = at;
	}
	/* What goes on when nothing does, this program's looking included, is not its cost. */
	idle = (at.cpu - last.cpu) * (last.t - first.t) / (at.t - last.t);
	printf("since_ns=%llu busy_ns=%llu cpu_ns=%llu idle_ns=%llu\n",
	       (unsigned long long)(last.t - start.t), (unsigned long long)(last.t - first.t),
	       (unsigned long long)(last.cpu - first.cpu), (unsigned long long)idle);
}
