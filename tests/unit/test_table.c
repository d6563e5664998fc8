// SPDX-License-Identifier: GPL-2.0
/*
 * The table line: every mistake with its exact error text, what good lines
 * come to, messages, and that what is emitted reads back as the same.
 *
 * table.c, policy.c and codec.c are linked as they are; of the codecs only the
 * names matter here.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "codec.h"
#include "policy.h"
#include "table.h"

#include "table_wrong.h"

const struct dzr_codec dzr_codec_lz4 = { .name = "lz4", .id = DZR_CODEC_LZ4 };
const struct dzr_codec dzr_codec_lzo_rle = {
	.name = "lzo-rle", .id = DZR_CODEC_LZO_RLE
};
const struct dzr_codec dzr_codec_zstd = {
	.name = "zstd", .id = DZR_CODEC_ZSTD
};

#define MAX_WORDS 64
#define RANDOM_LINES 200000

static int failures;

#define CHECK(cond, ...) do {						\
	if (!(cond)) {							\
		failures++;						\
		printf("%s:%d: %s: ", __func__, __LINE__, #cond);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
} while (0)

/* A line cut into words, each in its own allocation so that ASan sees its end. */
struct words {
	unsigned int argc;
	char *argv[MAX_WORDS];
};

static void words_split(struct words *w, const char *line)
{
	w->argc = 0;
	for (;;) {
		size_t len;

		line += strspn(line, " ");
		len = strcspn(line, " ");
		if (!len)
			break;
		assert(w->argc < MAX_WORDS);
		w->argv[w->argc++] = strndup(line, len);
		line += len;
	}
}

static void words_free(struct words *w)
{
	while (w->argc)
		free(w->argv[--w->argc]);
}

static bool words_equal_line(const struct words *w, const char *line)
{
	struct words other;
	bool equal;
	unsigned int i;

	words_split(&other, line);
	equal = other.argc == w->argc;
	for (i = 0; equal && i < w->argc; i++)
		equal = !strcmp(w->argv[i], other.argv[i]);
	words_free(&other);
	return equal;
}

static bool config_equal(const struct dzr_config *a, const struct dzr_config *b)
{
	if (!a->cold != !b->cold || (a->cold && strcmp(a->cold, b->cold)))
		return false;
	return a->given == b->given &&
	       a->mem_limit.bytes == b->mem_limit.bytes &&
	       a->mem_limit.percent == b->mem_limit.percent &&
	       a->codec == b->codec && a->policy == b->policy &&
	       a->segment_size == b->segment_size &&
	       a->demote_age == b->demote_age &&
	       a->compact_slack == b->compact_slack && a->reserve == b->reserve &&
	       a->overcommit == b->overcommit &&
	       a->discard_passdown == b->discard_passdown &&
	       a->wear_budget == b->wear_budget &&
	       a->cold_codec == b->cold_codec;
}

static void test_wrong_lines(void)
{
	struct dzr_config cfg, before;
	struct words w;
	char *error;
	size_t i;
	int ret;

	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(wrong_lines); i++) {
		const char *line = wrong_lines[i].line;

		memcpy(&cfg, &before, sizeof(cfg));
		error = NULL;
		words_split(&w, line);
		ret = dzr_config_parse(&cfg, w.argc, w.argv, &error);
		CHECK(ret == -EINVAL, "'%s' gives %d", line, ret);
		CHECK(error && !strcmp(error, wrong_lines[i].error),
		      "'%s' gives '%s'", line, error ? error : "nothing");
		CHECK(!memcmp(&cfg, &before, sizeof(cfg)), "'%s'", line);
		CHECK(words_equal_line(&w, line), "'%s' was changed", line);
		words_free(&w);
	}
}

/* What the splitter above cannot make, and dm could. */
static void test_empty_words(void)
{
	char empty[] = "", dev[] = "/dev/sdb", two[] = "2", name[] = "mem_limit";
	struct dzr_config cfg;
	char *error;

	CHECK(dzr_config_parse(&cfg, 1, (char *[]){ empty }, &error), "-");
	CHECK(!strncmp(error, "Cold device", 11), "%s", error);
	CHECK(dzr_config_parse(&cfg, 2, (char *[]){ dev, empty }, &error), "-");
	CHECK(!strcmp(error, "Invalid argument count"), "%s", error);
	CHECK(dzr_config_parse(&cfg, 4, (char *[]){ dev, two, empty, empty },
			       &error), "-");
	CHECK(!strcmp(error, "Unknown argument"), "%s", error);
	CHECK(dzr_config_parse(&cfg, 4, (char *[]){ dev, two, name, empty },
			       &error), "-");
	CHECK(!strcmp(error, "mem_limit is neither a size nor a percentage"),
	      "%s", error);
}

static void parse_ok(struct dzr_config *cfg, struct words *w, const char *line)
{
	char *error = NULL;
	int ret;

	words_split(w, line);
	memset(cfg, 0xa5, sizeof(*cfg));
	ret = dzr_config_parse(cfg, w->argc, w->argv, &error);
	if (ret) {
		printf("'%s' gives %d, '%s'\n", line, ret, error);
		exit(1);
	}
}

static void test_defaults(void)
{
	struct dzr_config cfg;
	struct words w;

	parse_ok(&cfg, &w, "/dev/sdb");
	CHECK(cfg.cold == w.argv[0], "%s", cfg.cold);
	CHECK(cfg.given == 0, "%x", cfg.given);
	CHECK(cfg.mem_limit.percent == 50, "%u", cfg.mem_limit.percent);
	CHECK(cfg.mem_limit.bytes == 0, "-");
	CHECK(cfg.codec == &dzr_codec_lz4, "%s", cfg.codec->name);
	CHECK(cfg.policy == dzr_policy_find("age"), "%s", cfg.policy->name);
	CHECK(cfg.segment_size == 256 << 10, "%u", cfg.segment_size);
	CHECK(cfg.demote_age == 600, "%u", cfg.demote_age);
	CHECK(cfg.compact_slack == 2, "%u", cfg.compact_slack);
	CHECK(cfg.reserve == 0, "-");
	CHECK(!cfg.overcommit, "-");
	CHECK(cfg.discard_passdown, "-");
	CHECK(!cfg.wear_budget, "-");
	CHECK(!cfg.cold_codec, "-");
	words_free(&w);

	parse_ok(&cfg, &w, "- 0");
	CHECK(!cfg.cold, "%s", cfg.cold);
	CHECK(!cfg.mem_limit.percent && !cfg.mem_limit.bytes, "-");
	words_free(&w);
}

static void test_everything(void)
{
	static const char *const line =
		"253:7 23 cold_algorithm zstd wear_budget 20g compact_slack 0 discard_passdown off overcommit reserve 1g demote_age 0 segment_size 64k mode volatile policy fifo algorithm zstd mem_limit 100%";
	char text[DZR_CONFIG_TEXT_MAX];
	struct dzr_config cfg;
	struct words w;

	parse_ok(&cfg, &w, line);
	CHECK(!strcmp(cfg.cold, "253:7"), "%s", cfg.cold);
	CHECK(cfg.given == (1u << DZR_NR_ARGS) - 1, "%x", cfg.given);
	CHECK(cfg.mem_limit.percent == 100, "%u", cfg.mem_limit.percent);
	CHECK(cfg.codec == &dzr_codec_zstd, "%s", cfg.codec->name);
	CHECK(cfg.policy == dzr_policy_find("fifo"), "%s", cfg.policy->name);
	CHECK(cfg.segment_size == 64 << 10, "%u", cfg.segment_size);
	CHECK(cfg.demote_age == 0, "%u", cfg.demote_age);
	CHECK(cfg.compact_slack == 0, "%u", cfg.compact_slack);
	CHECK(cfg.reserve == 1 << 30, "-");
	CHECK(cfg.overcommit, "-");
	CHECK(!cfg.discard_passdown, "-");
	CHECK(cfg.wear_budget == 20ull << 30, "-");
	CHECK(cfg.cold_codec == &dzr_codec_zstd, "-");
	CHECK(dzr_config_emit(&cfg, text, sizeof(text)) > 0, "-");
	CHECK(!strcmp(text, "23 mem_limit 100% algorithm zstd policy fifo mode volatile segment_size 64K reserve 1G demote_age 0 compact_slack 0 overcommit discard_passdown off wear_budget 20G cold_algorithm zstd"), "'%s'", text);
	words_free(&w);
}

/* The longest line there can be fits in what the header promises. */
static void test_longest(void)
{
	struct dzr_config cfg;
	struct words w;
	char text[DZR_CONFIG_TEXT_MAX];
	int len;

	parse_ok(&cfg, &w,
		 "a 23 cold_algorithm zstd compact_slack 50 mem_limit 18446744073709551615 algorithm lzo-rle policy fifo mode volatile segment_size 65536 reserve 1073741823 demote_age 2592000 overcommit discard_passdown off wear_budget 1125899906842623");
	len = dzr_config_emit(&cfg, text, sizeof(text));
	CHECK(len > 150 && len == (int)strlen(text), "%d", len);
	words_free(&w);
}

static const struct {
	const char *text;
	int ret;
	u64 bytes;
} sizes[] = {
	{ "0", 0, 0 }, { "1", 0, 1 }, { "007", 0, 7 }, { "0K", 0, 0 },
	{ "1k", 0, 1024 }, { "1K", 0, 1024 }, { "3m", 0, 3ull << 20 },
	{ "3M", 0, 3ull << 20 }, { "5g", 0, 5ull << 30 },
	{ "5G", 0, 5ull << 30 }, { "7t", 0, 7ull << 40 },
	{ "7T", 0, 7ull << 40 }, { "16777215T", 0, 16777215ull << 40 },
	{ "18446744073709551615", 0, U64_MAX },
	{ "18014398509481983K", 0, 18014398509481983ull << 10 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "28446744073709551615", -ERANGE, 0 },
	{ "184467440737095516150", -ERANGE, 0 },
	{ "18014398509481984K", -ERANGE, 0 }, { "16777216T", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "K", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 }, { "1 K", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 }, { "1Kx", -EINVAL, 0 }, { "1E", -EINVAL, 0 },
	{ "1:", -EINVAL, 0 }, { "/", -EINVAL, 0 }, { "1\n", -EINVAL, 0 },
	{ "1\x80", -EINVAL, 0 }, { "1%", -EINVAL, 0 },
};

static void test_sizes(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 bytes = 12345;
		int ret = dzr_parse_size(sizes[i].text, &bytes);
		u64 want = sizes[i].ret ? 12345 : sizes[i].bytes;

		CHECK(ret == sizes[i].ret, "'%s' gives %d", sizes[i].text, ret);
		CHECK(bytes == want, "'%s' gives %llu", sizes[i].text,
		      (unsigned long long)bytes);
	}
}

static void test_limits(void)
{
	struct dzr_limit l = { .bytes = 5, .percent = 6 };

	CHECK(dzr_parse_limit("0%", &l) == -EDOM, "-");
	CHECK(dzr_parse_limit("101%", &l) == -EDOM, "-");
	CHECK(dzr_parse_limit("1%x", &l) == -EINVAL, "-");
	CHECK(dzr_parse_limit("", &l) == -EINVAL, "-");
	CHECK(dzr_parse_limit("16777216T", &l) == -ERANGE, "-");
	CHECK(l.bytes == 5 && l.percent == 6, "touched on error");
	CHECK(!dzr_parse_limit("1%", &l), "-");
	CHECK(l.bytes == 0 && l.percent == 1, "-");
	CHECK(dzr_limit_bytes(&l, 1000) == 10, "-");
	CHECK(dzr_limit_bytes(&l, U64_MAX) == U64_MAX / 100, "-");
	CHECK(dzr_limit_bytes(&l, 99) == 0, "-");
	CHECK(!dzr_parse_limit("100%", &l), "-");
	CHECK(dzr_limit_bytes(&l, U64_MAX) == U64_MAX, "-");
	CHECK(dzr_limit_bytes(&l, 12345) == 12345, "-");
	CHECK(!dzr_parse_limit("33%", &l), "-");
	CHECK(dzr_limit_bytes(&l, 199) == 65, "-");
	CHECK(!dzr_parse_limit("16M", &l), "-");
	CHECK(l.bytes == 16 << 20 && l.percent == 0, "-");
	CHECK(dzr_limit_bytes(&l, 1000) == 16 << 20, "-");
	CHECK(!dzr_parse_limit("0", &l), "-");
	CHECK(dzr_limit_bytes(&l, 1000) == 0, "-");
}

static const struct {
	const char *line;
	const char *key;
	const char *value;
	const char *error;	/* or NULL, and then ... */
	const char *emitted;
} settings[] = {
	{ "a", "mem_limit", "10%", NULL, "2 mem_limit 10%" },
	{ "a 2 mem_limit 1G", "mem_limit", "0", NULL, "2 mem_limit 0" },
	{ "-", "mem_limit", "1536M", NULL, "2 mem_limit 1536M" },
	{ "a 1 overcommit", "policy", "fifo", NULL, "3 policy fifo overcommit" },
	{ "a", "demote_age", "60", NULL, "2 demote_age 60" },
	{ "-", "compact_slack", "10", NULL, "2 compact_slack 10" },
	{ "-", "compact_slack", "51", "compact_slack is more than 50", NULL },
	{ "a", "discard_passdown", "off", NULL, "2 discard_passdown off" },
	{ "a", "wear_budget", "1536M", NULL, "2 wear_budget 1536M" },
	{ "a 2 wear_budget 1G", "wear_budget", "0", NULL, "2 wear_budget 0" },
	{ "a", "wear_budget", "1025T", "wear_budget is more than 1024T a day", NULL },
	{ "a", "cold_algorithm", "zstd", NULL, "2 cold_algorithm zstd" },
	{ "a 2 cold_algorithm zstd", "cold_algorithm", "none", NULL, "2 cold_algorithm none" },
	{ "a", "cold_algorithm", "lz4", "Unknown cold_algorithm (none, zstd)", NULL },
	{ "-", "cold_algorithm", "zstd", "Argument cold_algorithm needs a cold device", NULL },
	{ "a", "frob", "1", "Unknown key", NULL },
	{ "a", "", "1", "Unknown key", NULL },
	{ "a", "algorithm", "zstd", NULL, "2 algorithm zstd" },
	{ "- 2 algorithm zstd", "algorithm", "lz4", NULL, "2 algorithm lz4" },
	{ "a", "algorithm", "lz5", "Unknown algorithm (lz4, lzo-rle, zstd)", NULL },
	{ "a", "mode", "volatile", "Key cannot change while the device is active", NULL },
	{ "a", "segment_size", "1M", "Key cannot change while the device is active", NULL },
	{ "-", "reserve", "1M", NULL, "2 reserve 1M" },
	{ "a 2 reserve 1M", "reserve", "0", NULL, "2 reserve 0" },
	{ "a", "reserve", "2G", "reserve is more than 1G", NULL },
	{ "a", "overcommit", "on", "Key cannot change while the device is active", NULL },
	{ "a", "mem_limit", "10", NULL, "2 mem_limit 10" },
	{ "a", "mem_limit", "", "mem_limit is neither a size nor a percentage", NULL },
	{ "a", "mem_limit", "200%", "mem_limit is not from 1% to 100%", NULL },
	{ "a", "policy", "x", "Unknown policy (age, fifo)", NULL },
	{ "a", "demote_age", "2592001", "demote_age is more than 30 days", NULL },
	{ "-", "demote_age", "1", "Argument demote_age needs a cold device", NULL },
	{ "-", "policy", "age", "Argument policy needs a cold device", NULL },
	{ "-", "discard_passdown", "on", "Argument discard_passdown needs a cold device", NULL },
	{ "-", "wear_budget", "1G", "Argument wear_budget needs a cold device", NULL },
};

static void test_settings(void)
{
	struct dzr_config cfg, before;
	char text[DZR_CONFIG_TEXT_MAX];
	struct words w;
	char *error;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		const char *want = settings[i].error;

		parse_ok(&cfg, &w, settings[i].line);
		memcpy(&before, &cfg, sizeof(cfg));
		error = NULL;
		ret = dzr_config_set(&cfg, settings[i].key, settings[i].value,
				     &error);
		if (want) {
			CHECK(ret == -EINVAL, "%zu gives %d", i, ret);
			CHECK(error && !strcmp(error, want), "%zu gives '%s'",
			      i, error ? error : "nothing");
			CHECK(!memcmp(&cfg, &before, sizeof(cfg)), "%zu", i);
		} else {
			CHECK(!ret && !error, "%zu gives %d", i, ret);
			CHECK(dzr_config_emit(&cfg, text, sizeof(text)) > 0,
			      "%zu", i);
			CHECK(!strcmp(text, settings[i].emitted),
			      "%zu gives '%s'", i, text);
		}
		words_free(&w);
	}
}

static unsigned long long seed = 88172645463325252ull;

static u64 random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static unsigned int random_below(unsigned int n)
{
	return random_u64() % n;
}

/* A size of at most @max in any of its spellings. */
static int random_size(char *p, u64 max)
{
	u64 v = random_u64() >> random_below(64);
	unsigned int unit = random_below(5);

	if (v > max)
		v %= max;
	if (!unit)
		return sprintf(p, "%llu", (unsigned long long)v);
	return sprintf(p, "%llu%c", (unsigned long long)v >> (10 * unit),
		       "KMGT"[unit - 1] | (random_below(2) ? 0x20 : 0));
}

static int random_arg(char *p, unsigned int id)
{
	static const char *const algorithms[] = { "lz4", "lzo-rle", "zstd" };
	static const char *const policies[] = { "age", "fifo" };
	char *start = p;

	switch (id) {
	case DZR_ARG_MEM_LIMIT:
		p += sprintf(p, " mem_limit ");
		if (random_below(2))
			p += sprintf(p, "%u%%", 1 + random_below(100));
		else
			p += random_size(p, U64_MAX);
		break;
	case DZR_ARG_ALGORITHM:
		p += sprintf(p, " algorithm %s", algorithms[random_below(3)]);
		break;
	case DZR_ARG_COLD_ALGORITHM:
		p += sprintf(p, " cold_algorithm %s",
			     random_below(2) ? "none" : "zstd");
		break;
	case DZR_ARG_POLICY:
		p += sprintf(p, " policy %s", policies[random_below(2)]);
		break;
	case DZR_ARG_MODE:
		p += sprintf(p, " mode volatile");
		break;
	case DZR_ARG_SEGMENT_SIZE:
		p += sprintf(p, " segment_size %u", 65536u << random_below(5));
		break;
	case DZR_ARG_RESERVE:
		p += sprintf(p, " reserve ");
		p += random_size(p, 1ull << 30);
		break;
	case DZR_ARG_DEMOTE_AGE:
		p += sprintf(p, " demote_age %u", random_below(2592001));
		break;
	case DZR_ARG_COMPACT_SLACK:
		p += sprintf(p, " compact_slack %u", random_below(51));
		break;
	case DZR_ARG_OVERCOMMIT:
		p += sprintf(p, " overcommit");
		break;
	case DZR_ARG_DISCARD_PASSDOWN:
		p += sprintf(p, " discard_passdown %s",
			     random_below(2) ? "on" : "off");
		break;
	case DZR_ARG_WEAR_BUDGET:
		p += sprintf(p, " wear_budget ");
		p += random_size(p, 1ull << 50);
		break;
	}
	return p - start;
}

static bool needs_cold(unsigned int id)
{
	return id == DZR_ARG_POLICY || id == DZR_ARG_SEGMENT_SIZE ||
	       id == DZR_ARG_DEMOTE_AGE || id == DZR_ARG_OVERCOMMIT ||
	       id == DZR_ARG_DISCARD_PASSDOWN || id == DZR_ARG_WEAR_BUDGET ||
	       id == DZR_ARG_COLD_ALGORITHM;
}

/* A valid line: any of the arguments in any order. */
static void random_line(char *line)
{
	bool cold = random_below(4);
	char args[512], *p = args;
	unsigned int order[DZR_NR_ARGS], i, words = 0;

	for (i = 0; i < DZR_NR_ARGS; i++) {
		unsigned int at = random_below(i + 1);

		order[i] = order[at];
		order[at] = i;
	}
	*p = 0;
	for (i = 0; i < DZR_NR_ARGS; i++) {
		if (random_below(2) || (!cold && needs_cold(order[i])))
			continue;
		p += random_arg(p, order[i]);
		words += order[i] == DZR_ARG_OVERCOMMIT ? 1 : 2;
	}
	sprintf(line, "%s %u%s", cold ? "/dev/mapper/cold" : "-", words, args);
}

/* Every buffer that is too small is reported, and nothing is written behind it. */
static void check_short_buffers(const struct dzr_config *cfg, int len)
{
	int size;

	for (size = 0; size <= len; size++) {
		char *buf = malloc(size ? size : 1);

		memset(buf, 'x', size ? size : 1);
		CHECK(dzr_config_emit(cfg, buf, size) == -ENOSPC, "%d of %d",
		      size, len);
		CHECK(!size || memchr(buf, 0, size), "%d of %d", size, len);
		free(buf);
	}
}

static void test_round_trip(void)
{
	char line[600], text[DZR_CONFIG_TEXT_MAX], again[2 * DZR_CONFIG_TEXT_MAX];
	struct dzr_config cfg, back;
	struct words w, w2;
	int i, len, len2;

	for (i = 0; i < RANDOM_LINES; i++) {
		random_line(line);
		parse_ok(&cfg, &w, line);
		CHECK(words_equal_line(&w, line), "'%s' was changed", line);
		len = dzr_config_emit(&cfg, text, sizeof(text));
		CHECK(len == (int)strlen(text), "'%s': %d", line, len);

		sprintf(again, "%s %s", cfg.cold ? cfg.cold : "-", text);
		parse_ok(&back, &w2, again);
		CHECK(config_equal(&cfg, &back), "'%s' as '%s'", line, again);
		len2 = dzr_config_emit(&back, again, sizeof(again));
		CHECK(len2 == len && !strcmp(text, again), "'%s' as '%s'",
		      text, again);
		if (i % 1000 == 0)
			check_short_buffers(&cfg, len);
		words_free(&w);
		words_free(&w2);
	}
}

/* The names in the error texts are the names that are known. */
static void test_names(void)
{
	char names[64], *p, *save;
	unsigned int id, n = 0;

	CHECK(!strcmp(dzr_codec_names(), DZR_CODEC_NAMES), "-");
	snprintf(names, sizeof(names), "%s", DZR_CODEC_NAMES);
	for (p = strtok_r(names, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
		const struct dzr_codec *codec = dzr_codec_find(p);

		n++;
		CHECK(codec && !strcmp(codec->name, p), "%s", p);
		CHECK(codec && dzr_codec_by_id(codec->id) == codec, "%s", p);
	}
	CHECK(n == DZR_NR_CODECS - 1, "%u", n);
	for (id = 0; id < 256; id++)
		CHECK(!dzr_codec_by_id(id) == (id < 1 || id > 3), "%u", id);
	CHECK(!dzr_codec_find("raw") && !dzr_codec_find(""), "-");

	snprintf(names, sizeof(names), "%s", DZR_POLICY_NAMES);
	for (p = strtok_r(names, ", ", &save); p; p = strtok_r(NULL, ", ", &save))
		CHECK(dzr_policy_find(p), "%s", p);
}

int main(void)
{
	test_wrong_lines();
	test_empty_words();
	test_defaults();
	test_everything();
	test_longest();
	test_sizes();
	test_limits();
	test_settings();
	test_round_trip();
	test_names();
	if (failures) {
		printf("table: %d failures\n", failures);
		return 1;
	}
	printf("  %zu wrong lines, %zu settings, %d random lines\n",
	       ARRAY_SIZE(wrong_lines), ARRAY_SIZE(settings), RANDOM_LINES);
	return 0;
}
