// SPDX-License-Identifier: GPL-2.0
/*
 * Messages. See message.h; one row a message in the table below.
 *
 * Locks: none here.
 */
#include <linux/device-mapper.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "ages.h"
#include "compact.h"
#include "demote.h"
#include "message.h"

#define DM_MSG_PREFIX "zram"

/**
 * struct dzr_command - one message
 * @name: its first word
 * @argc: number of words, the name included
 * @usage: the whole of it, for error texts
 * @run: what it does; answers go to @result
 */
struct dzr_command {
	const char *name;
	unsigned int argc;
	const char *usage;
	int (*run)(struct dzr_dev *d, char **argv, char *result,
		   unsigned int maxlen);
};

static int dzr_msg_set(struct dzr_dev *d, char **argv, char *result,
		       unsigned int maxlen)
{
	char *error = NULL;
	int err = dzr_dev_set(d, argv[1], argv[2], &error);

	if (err)
		DMERR("set %s %s: %s", argv[1], argv[2], error);
	return err;
}

static int dzr_msg_demote(struct dzr_dev *d, char **argv, char *result,
			  unsigned int maxlen)
{
	u64 nr = U64_MAX;
	int err;

	if (!d->log) {
		DMERR("demote: there is no cold device");
		return -EINVAL;
	}
	if (strcmp(argv[1], "all") && kstrtou64(argv[1], 10, &nr)) {
		DMERR("demote: '%s' is neither a number of blocks nor 'all'",
		      argv[1]);
		return -EINVAL;
	}
	err = dzr_demote_blocks(d, nr);
	if (err)
		DMERR("demote: stopped by error %d", err);
	return err;
}

static int dzr_msg_drain(struct dzr_dev *d, char **argv, char *result,
			 unsigned int maxlen)
{
	int err;

	if (!d->log) {
		DMERR("drain: there is no cold device");
		return -EINVAL;
	}
	err = dzr_log_drain(d->log);
	if (err)
		DMERR("drain: not all segments could be written: error %d",
		      err);
	return err;
}

static int dzr_msg_compact(struct dzr_dev *d, char **argv, char *result,
			   unsigned int maxlen)
{
	return dzr_compact_all(d);
}

static int dzr_msg_reset_peak(struct dzr_dev *d, char **argv, char *result,
			      unsigned int maxlen)
{
	WRITE_ONCE(d->peak, 0);
	dzs_reset_times(d->pool);
	if (d->log)
		dzr_latency_reset(dzr_log_latency(d->log));
	return 0;
}

static int dzr_msg_latency(struct dzr_dev *d, char **argv, char *result,
			   unsigned int maxlen)
{
	if (!d->log) {
		DMERR("latency: there is no cold device");
		return -EINVAL;
	}
	dzr_latency_print(dzr_log_latency(d->log), result, maxlen);
	return 1;
}

static int dzr_msg_fields(struct dzr_dev *d, char **argv, char *result,
			  unsigned int maxlen)
{
	dzr_status_fields(result, maxlen);
	return 1;
}

static int dzr_msg_ages(struct dzr_dev *d, char **argv, char *result,
			unsigned int maxlen)
{
	return dzr_ages_print(d, result, maxlen) ?: 1;
}

static const struct dzr_command dzr_commands[] = {
	{ "set", 3, "set <key> <value>", dzr_msg_set },
	{ "demote", 2, "demote <blocks|all>", dzr_msg_demote },
	{ "drain", 1, "drain", dzr_msg_drain },
	{ "compact", 1, "compact", dzr_msg_compact },
	{ "reset_peak", 1, "reset_peak", dzr_msg_reset_peak },
	{ "fields", 1, "fields", dzr_msg_fields },
	{ "latency", 1, "latency", dzr_msg_latency },
	{ "ages", 1, "ages", dzr_msg_ages },
};

int dzr_message(struct dzr_dev *d, unsigned int argc, char **argv,
		char *result, unsigned int maxlen)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dzr_commands); i++) {
		const struct dzr_command *cmd = &dzr_commands[i];

		if (strcmp(argv[0], cmd->name))
			continue;
		if (argc == cmd->argc)
			return cmd->run(d, argv, result, maxlen);
		DMERR("wrong number of words; usage: %s", cmd->usage);
		return -EINVAL;
	}
	DMERR("unknown message '%s'", argv[0]);
	return -EINVAL;
}
