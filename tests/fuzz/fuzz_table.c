// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the table line and the settings of messages.
 *
 * The first line of the input is a table line, its words separated by single
 * blanks (so that empty words occur too). Each further line is a key and a
 * value for dzr_config_set(). Whatever is accepted must read back as equal
 * from what is emitted; whatever is refused must leave the configuration alone
 * and have an error text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "codec.h"
#include "policy.h"
#include "table.h"
#include "wear.h"

const struct dzr_codec dzr_codec_lz4 = { .name = "lz4", .id = DZR_CODEC_LZ4 };
const struct dzr_codec dzr_codec_lzo_rle = {
	.name = "lzo-rle", .id = DZR_CODEC_LZO_RLE
};
const struct dzr_codec dzr_codec_zstd = {
	.name = "zstd", .id = DZR_CODEC_ZSTD
};

#define MAX_WORDS 64

#define MUST(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "line %d: %s\n", __LINE__, #cond);	\
		abort();						\
	}								\
} while (0)

/* Words of their own, so that a read beyond an end is seen. */
static unsigned int split(char **argv, const char *line, size_t len)
{
	unsigned int argc = 0;

	while (argc < MAX_WORDS) {
		const char *blank = memchr(line, ' ', len);
		size_t word = blank ? (size_t)(blank - line) : len;

		argv[argc++] = strndup(line, word);
		if (!blank)
			break;
		line += word + 1;
		len -= word + 1;
	}
	return argc;
}

/* Up to the newline, or to @end. */
static size_t line_length(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', end - line);

	return (newline ? newline : end) - line;
}

static void free_words(char **argv, unsigned int argc)
{
	while (argc)
		free(argv[--argc]);
}

static void must_be_equal(const struct dzr_config *a,
			  const struct dzr_config *b)
{
	MUST(!a->cold == !b->cold);
	MUST(!a->cold || !strcmp(a->cold, b->cold));
	MUST(a->given == b->given);
	MUST(a->mem_limit.bytes == b->mem_limit.bytes);
	MUST(a->mem_limit.percent == b->mem_limit.percent);
	MUST(a->codec == b->codec && a->policy == b->policy);
	MUST(a->segment_size == b->segment_size);
	MUST(a->demote_age == b->demote_age && a->reserve == b->reserve);
	MUST(a->overcommit == b->overcommit);
	MUST(a->discard_passdown == b->discard_passdown);
	MUST(a->wear_budget == b->wear_budget);
}

static void must_be_sane(const struct dzr_config *cfg)
{
	MUST(cfg->codec && cfg->policy);
	MUST(!cfg->cold || cfg->cold[0]);
	MUST(cfg->mem_limit.percent <= 100);
	MUST(!cfg->mem_limit.percent || !cfg->mem_limit.bytes);
	MUST(cfg->segment_size >= DZR_SEGMENT_SIZE_MIN);
	MUST(cfg->segment_size <= DZR_SEGMENT_SIZE_MAX);
	MUST(!(cfg->segment_size & (cfg->segment_size - 1)));
	MUST(cfg->reserve <= DZR_RESERVE_MAX);
	MUST(cfg->demote_age <= DZR_DEMOTE_AGE_MAX);
	MUST(cfg->wear_budget <= DZR_WEAR_MAX);
	MUST(cfg->given < 1u << DZR_NR_ARGS);
}

static void must_round_trip(const struct dzr_config *cfg)
{
	char text[DZR_CONFIG_TEXT_MAX], again[DZR_CONFIG_TEXT_MAX];
	char *argv[MAX_WORDS + 1];
	struct dzr_config back;
	char *error = NULL;
	unsigned int argc;
	int len;

	must_be_sane(cfg);
	len = dzr_config_emit(cfg, text, sizeof(text));
	MUST(len > 0 && (size_t)len == strlen(text));
	argv[0] = (char *)(cfg->cold ? cfg->cold : "-");
	argc = 1 + split(argv + 1, text, len);
	MUST(!dzr_config_parse(&back, argc, argv, &error));
	MUST(!error);
	must_be_equal(cfg, &back);
	MUST(dzr_config_emit(&back, again, sizeof(again)) == len);
	MUST(!strcmp(text, again));
	free_words(argv + 1, argc - 1);
}

static void fuzz_line(struct dzr_config *cfg, char **argv, unsigned int argc)
{
	struct dzr_config before = *cfg;
	char *error = NULL;
	int ret;

	ret = dzr_config_parse(cfg, argc, argv, &error);
	MUST(ret == 0 || ret == -EINVAL);
	MUST(!ret == !error);
	if (ret)
		MUST(!memcmp(cfg, &before, sizeof(before)));
	else
		must_round_trip(cfg);
}

static void fuzz_setting(struct dzr_config *cfg, const char *line, size_t len)
{
	struct dzr_config before = *cfg;
	char *argv[MAX_WORDS];
	unsigned int argc = split(argv, line, len);
	char *error = NULL;
	int ret;

	if (argc >= 2) {
		ret = dzr_config_set(cfg, argv[0], argv[1], &error);
		MUST(ret == 0 || ret == -EINVAL);
		MUST(!ret == !error);
		if (ret)
			MUST(!memcmp(cfg, &before, sizeof(before)));
		must_round_trip(cfg);
	}
	free_words(argv, argc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end = line + size;
	char *argv[MAX_WORDS], *copy[MAX_WORDS];
	char dash[] = "-", *fallback[] = { dash };
	struct dzr_config cfg;
	unsigned int argc, i;
	size_t len;

	fuzz_line(memset(&cfg, 0, sizeof(cfg)), fallback, 1);
	len = line_length(line, end);
	argc = split(argv, line, len);
	for (i = 0; i < argc; i++)
		copy[i] = strdup(argv[i]);
	fuzz_line(&cfg, argv, argc);
	for (i = 0; i < argc; i++)
		MUST(!strcmp(argv[i], copy[i]));

	for (line += len; line < end; line += len) {
		line++;
		len = line_length(line, end);
		fuzz_setting(&cfg, line, len);
	}
	free_words(copy, argc);
	free_words(argv, argc);
	return 0;
}
