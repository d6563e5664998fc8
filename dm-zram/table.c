// SPDX-License-Identifier: GPL-2.0
/*
 * The table line: words to a struct, and back. One descriptor for an argument;
 * what the argument says about its value, in both directions, is beside it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "codec.h"
#include "policy.h"
#include "size.h"
#include "table.h"
#include "wear.h"

/**
 * struct dzr_arg - one argument
 * @name: the word
 * @bare: no value follows it
 * @cold: means something with a cold device only
 * @live: a message can change it
 * @twice: error text: given twice
 * @no_value: error text: the line ends behind it
 * @no_cold: error text: given without a cold device
 * @parse: put @value into @cfg; returns NULL or a static error text
 * @emit: write the value as snprintf() does
 */
struct dzr_arg {
	const char *name;
	bool bare;
	bool cold;
	bool live;
	char *twice;
	char *no_value;
	char *no_cold;
	char *(*parse)(struct dzr_config *cfg, const char *value);
	int (*emit)(const struct dzr_config *cfg, char *buf, size_t size);
};

/* The name of an argument, and the error texts that contain it. */
#define DZR_ARG_TEXTS(_name) \
	.name		= _name, \
	.twice		= "Argument " _name " is given twice", \
	.no_value	= "Argument " _name " has no value", \
	.no_cold	= "Argument " _name " needs a cold device"

static char *dzr_mem_limit_parse(struct dzr_config *cfg, const char *value)
{
	switch (dzr_parse_limit(value, &cfg->mem_limit)) {
	case 0:
		return NULL;
	case -ERANGE:
		return "mem_limit is beyond 64 bits";
	case -EDOM:
		return "mem_limit is not from 1% to 100%";
	}
	return "mem_limit is neither a size nor a percentage";
}

static int dzr_mem_limit_emit(const struct dzr_config *cfg, char *buf,
			      size_t size)
{
	if (cfg->mem_limit.percent)
		return snprintf(buf, size, "%u%%", cfg->mem_limit.percent);
	return dzr_emit_size(cfg->mem_limit.bytes, buf, size);
}

static char *dzr_algorithm_parse(struct dzr_config *cfg, const char *value)
{
	cfg->codec = dzr_codec_find(value);
	return cfg->codec ? NULL : "Unknown algorithm (" DZR_CODEC_NAMES ")";
}

static int dzr_algorithm_emit(const struct dzr_config *cfg, char *buf,
			      size_t size)
{
	return snprintf(buf, size, "%s", cfg->codec->name);
}

static char *dzr_policy_parse(struct dzr_config *cfg, const char *value)
{
	cfg->policy = dzr_policy_find(value);
	return cfg->policy ? NULL : "Unknown policy (" DZR_POLICY_NAMES ")";
}

static int dzr_policy_emit(const struct dzr_config *cfg, char *buf, size_t size)
{
	return snprintf(buf, size, "%s", cfg->policy->name);
}

/* There is one mode so far. */
static char *dzr_mode_parse(struct dzr_config *cfg, const char *value)
{
	return strcmp(value, "volatile") ? "Unknown argument to mode (volatile)" :
					   NULL;
}

static int dzr_mode_emit(const struct dzr_config *cfg, char *buf, size_t size)
{
	return snprintf(buf, size, "volatile");
}

static char *dzr_segment_size_parse(struct dzr_config *cfg, const char *value)
{
	u64 v;

	switch (dzr_parse_size(value, &v)) {
	case 0:
		break;
	case -ERANGE:
		return "segment_size is beyond 64 bits";
	default:
		return "segment_size is not a size";
	}
	if (v < DZR_SEGMENT_SIZE_MIN || v > DZR_SEGMENT_SIZE_MAX)
		return "segment_size is not from 64K to 1M";
	if (v & (v - 1))
		return "segment_size is not a power of two";
	cfg->segment_size = v;
	return NULL;
}

static int dzr_segment_size_emit(const struct dzr_config *cfg, char *buf,
				 size_t size)
{
	return dzr_emit_size(cfg->segment_size, buf, size);
}

static char *dzr_reserve_parse(struct dzr_config *cfg, const char *value)
{
	u64 v;

	switch (dzr_parse_size(value, &v)) {
	case 0:
		break;
	case -ERANGE:
		return "reserve is beyond 64 bits";
	default:
		return "reserve is not a size";
	}
	if (v > DZR_RESERVE_MAX)
		return "reserve is more than 1G";
	cfg->reserve = v;
	return NULL;
}

static int dzr_reserve_emit(const struct dzr_config *cfg, char *buf,
			    size_t size)
{
	return dzr_emit_size(cfg->reserve, buf, size);
}

static char *dzr_demote_age_parse(struct dzr_config *cfg, const char *value)
{
	u64 v;

	switch (dzr_parse_number(value, &v)) {
	case 0:
		break;
	case -ERANGE:
		return "demote_age is beyond 64 bits";
	default:
		return "demote_age is not a number of seconds";
	}
	if (v > DZR_DEMOTE_AGE_MAX)
		return "demote_age is more than 30 days";
	cfg->demote_age = v;
	return NULL;
}

static int dzr_demote_age_emit(const struct dzr_config *cfg, char *buf,
			       size_t size)
{
	return snprintf(buf, size, "%u", cfg->demote_age);
}

static char *dzr_compact_slack_parse(struct dzr_config *cfg, const char *value)
{
	u64 v;

	if (dzr_parse_number(value, &v))
		return "compact_slack is not a number of percent";
	if (v > DZR_COMPACT_SLACK_MAX)
		return "compact_slack is more than 50";
	cfg->compact_slack = v;
	return NULL;
}

static int dzr_compact_slack_emit(const struct dzr_config *cfg, char *buf,
				  size_t size)
{
	return snprintf(buf, size, "%u", cfg->compact_slack);
}

static char *dzr_overcommit_parse(struct dzr_config *cfg, const char *value)
{
	cfg->overcommit = true;
	return NULL;
}

static char *dzr_discard_passdown_parse(struct dzr_config *cfg,
					const char *value)
{
	bool on = !strcmp(value, "on");

	if (!on && strcmp(value, "off"))
		return "discard_passdown is neither on nor off";
	cfg->discard_passdown = on;
	return NULL;
}

static int dzr_discard_passdown_emit(const struct dzr_config *cfg, char *buf,
				     size_t size)
{
	return snprintf(buf, size, "%s", cfg->discard_passdown ? "on" : "off");
}

static char *dzr_wear_budget_parse(struct dzr_config *cfg, const char *value)
{
	u64 v;

	switch (dzr_parse_size(value, &v)) {
	case 0:
		break;
	case -ERANGE:
		return "wear_budget is beyond 64 bits";
	default:
		return "wear_budget is not a size";
	}
	if (v > DZR_WEAR_MAX)
		return "wear_budget is more than 1024T a day";
	cfg->wear_budget = v;
	return NULL;
}

static int dzr_wear_budget_emit(const struct dzr_config *cfg, char *buf,
				size_t size)
{
	return dzr_emit_size(cfg->wear_budget, buf, size);
}

static char *dzr_cold_algorithm_parse(struct dzr_config *cfg,
				      const char *value)
{
	bool none = !strcmp(value, "none");

	if (!none && strcmp(value, dzr_codec_zstd.name))
		return "Unknown cold_algorithm (" DZR_COLD_NAMES ")";
	cfg->cold_codec = none ? NULL : &dzr_codec_zstd;
	return NULL;
}

static int dzr_cold_algorithm_emit(const struct dzr_config *cfg, char *buf,
				   size_t size)
{
	return snprintf(buf, size, "%s",
			cfg->cold_codec ? cfg->cold_codec->name : "none");
}

static const struct dzr_arg dzr_args[DZR_NR_ARGS] = {
	[DZR_ARG_MEM_LIMIT] = {
		DZR_ARG_TEXTS("mem_limit"),
		.live	= true,
		.parse	= dzr_mem_limit_parse,
		.emit	= dzr_mem_limit_emit,
	},
	[DZR_ARG_ALGORITHM] = {
		DZR_ARG_TEXTS("algorithm"),
		.live	= true,
		.parse	= dzr_algorithm_parse,
		.emit	= dzr_algorithm_emit,
	},
	[DZR_ARG_POLICY] = {
		DZR_ARG_TEXTS("policy"),
		.cold	= true,
		.live	= true,
		.parse	= dzr_policy_parse,
		.emit	= dzr_policy_emit,
	},
	[DZR_ARG_MODE] = {
		DZR_ARG_TEXTS("mode"),
		.parse	= dzr_mode_parse,
		.emit	= dzr_mode_emit,
	},
	[DZR_ARG_SEGMENT_SIZE] = {
		DZR_ARG_TEXTS("segment_size"),
		.cold	= true,
		.parse	= dzr_segment_size_parse,
		.emit	= dzr_segment_size_emit,
	},
	[DZR_ARG_RESERVE] = {
		DZR_ARG_TEXTS("reserve"),
		.live	= true,
		.parse	= dzr_reserve_parse,
		.emit	= dzr_reserve_emit,
	},
	[DZR_ARG_DEMOTE_AGE] = {
		DZR_ARG_TEXTS("demote_age"),
		.cold	= true,
		.live	= true,
		.parse	= dzr_demote_age_parse,
		.emit	= dzr_demote_age_emit,
	},
	[DZR_ARG_COMPACT_SLACK] = {
		DZR_ARG_TEXTS("compact_slack"),
		.live	= true,
		.parse	= dzr_compact_slack_parse,
		.emit	= dzr_compact_slack_emit,
	},
	[DZR_ARG_OVERCOMMIT] = {
		DZR_ARG_TEXTS("overcommit"),
		.bare	= true,
		.cold	= true,
		.parse	= dzr_overcommit_parse,
	},
	[DZR_ARG_DISCARD_PASSDOWN] = {
		DZR_ARG_TEXTS("discard_passdown"),
		.cold	= true,
		.live	= true,
		.parse	= dzr_discard_passdown_parse,
		.emit	= dzr_discard_passdown_emit,
	},
	[DZR_ARG_WEAR_BUDGET] = {
		DZR_ARG_TEXTS("wear_budget"),
		.cold	= true,
		.live	= true,
		.parse	= dzr_wear_budget_parse,
		.emit	= dzr_wear_budget_emit,
	},
	[DZR_ARG_COLD_ALGORITHM] = {
		DZR_ARG_TEXTS("cold_algorithm"),
		.cold	= true,
		.live	= true,
		.parse	= dzr_cold_algorithm_parse,
		.emit	= dzr_cold_algorithm_emit,
	},
};

/* The id of an argument; DZR_NR_ARGS if there is none of that name. */
static unsigned int dzr_arg_find(const char *name)
{
	unsigned int id;

	for (id = 0; id < DZR_NR_ARGS; id++)
		if (!strcmp(dzr_args[id].name, name))
			break;
	return id;
}

static void dzr_config_init(struct dzr_config *cfg, const char *cold)
{
	*cfg = (struct dzr_config) {
		.cold			= strcmp(cold, "-") ? cold : NULL,
		.codec			= &dzr_codec_lz4,
		.policy			= dzr_policy_default(),
		.segment_size		= DZR_SEGMENT_SIZE_DEFAULT,
		.demote_age		= DZR_DEMOTE_AGE_DEFAULT,
		.compact_slack		= DZR_COMPACT_SLACK_DEFAULT,
		.discard_passdown	= true,
	};
	if (cfg->cold)
		cfg->mem_limit.percent = DZR_MEM_LIMIT_DEFAULT_PERCENT;
}

/* @argc words are left; returns how many the argument took, 0 on error. */
static unsigned int dzr_parse_arg(struct dzr_config *cfg, unsigned int argc,
				  char **argv, char **error)
{
	unsigned int id = dzr_arg_find(argv[0]);
	const struct dzr_arg *arg = &dzr_args[id];
	unsigned int words;

	if (id == DZR_NR_ARGS) {
		*error = "Unknown argument";
		return 0;
	}
	words = arg->bare ? 1 : 2;
	if (cfg->given & (1u << id))
		*error = arg->twice;
	else if (arg->cold && !cfg->cold)
		*error = arg->no_cold;
	else if (argc < words)
		*error = arg->no_value;
	else
		*error = arg->parse(cfg, arg->bare ? NULL : argv[1]);
	if (*error)
		return 0;
	cfg->given |= 1u << id;
	return words;
}

/* The word with the number of arguments must count the @words behind it. */
static char *dzr_check_count(const char *count, unsigned int words)
{
	u64 n;

	if (dzr_arg_find(count) != DZR_NR_ARGS)
		return "Argument count is missing";
	if (dzr_parse_number(count, &n))
		return "Invalid argument count";
	if (n > DZR_MAX_ARGS)
		return "Argument count is more than 32";
	if (n > words)
		return "Fewer arguments than the argument count says";
	if (n < words)
		return "More arguments than the argument count says";
	return NULL;
}

static char *dzr_parse_line(struct dzr_config *cfg, unsigned int argc,
			    char **argv)
{
	unsigned int words, i;
	char *error;

	if (!argc || !argv[0][0])
		return "Cold device is missing (a device, or - for none)";
	dzr_config_init(cfg, argv[0]);
	if (argc == 1)
		return NULL;
	error = dzr_check_count(argv[1], argc - 2);
	if (error)
		return error;
	for (i = 2; i < argc; i += words) {
		words = dzr_parse_arg(cfg, argc - i, argv + i, &error);
		if (!words)
			return error;
	}
	return NULL;
}

int dzr_config_parse(struct dzr_config *cfg, unsigned int argc, char **argv,
		     char **error)
{
	struct dzr_config new;
	char *text;

	text = dzr_parse_line(&new, argc, argv);
	if (text) {
		*error = text;
		return -EINVAL;
	}
	*cfg = new;
	return 0;
}

static char *dzr_set_one(struct dzr_config *cfg, const char *key,
			 const char *value)
{
	unsigned int id = dzr_arg_find(key);
	const struct dzr_arg *arg = &dzr_args[id];
	char *error;

	if (id == DZR_NR_ARGS)
		return "Unknown key";
	if (!arg->live)
		return "Key cannot change while the device is active";
	if (arg->cold && !cfg->cold)
		return arg->no_cold;
	error = arg->parse(cfg, value);
	if (!error)
		cfg->given |= 1u << id;
	return error;
}

int dzr_config_set(struct dzr_config *cfg, const char *key, const char *value,
		   char **error)
{
	struct dzr_config new = *cfg;
	char *text;

	text = dzr_set_one(&new, key, value);
	if (text) {
		*error = text;
		return -EINVAL;
	}
	*cfg = new;
	return 0;
}

static unsigned int dzr_config_words(const struct dzr_config *cfg)
{
	unsigned int id, words = 0;

	for (id = 0; id < DZR_NR_ARGS; id++)
		if (cfg->given & (1u << id))
			words += dzr_args[id].bare ? 1 : 2;
	return words;
}

static int dzr_emit_arg(const struct dzr_config *cfg, unsigned int id,
			char *buf, size_t size)
{
	const struct dzr_arg *arg = &dzr_args[id];
	size_t len;
	int value;

	len = snprintf(buf, size, " %s%s", arg->name, arg->bare ? "" : " ");
	if (arg->bare || len >= size)
		return len;
	value = arg->emit(cfg, buf + len, size - len);
	return len + value;
}

int dzr_config_emit(const struct dzr_config *cfg, char *buf, size_t size)
{
	unsigned int id;
	size_t len;

	len = snprintf(buf, size, "%u", dzr_config_words(cfg));
	for (id = 0; id < DZR_NR_ARGS && len < size; id++)
		if (cfg->given & (1u << id))
			len += dzr_emit_arg(cfg, id, buf + len, size - len);
	return len < size ? (int)len : -ENOSPC;
}
