/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table line: words to a struct, and back.
 *
 *	<cold device|-> [<#args> <arg>...]
 *
 * <#args> counts the words behind it. Arguments come in any order, each at
 * most once:
 *
 *	mem_limit <size|N%>		soft limit of the pool, 0: none
 *	algorithm <lz4|lzo-rle|zstd>
 *	policy <age|fifo>		(*)
 *	mode volatile
 *	segment_size <size>		(*) power of two
 *	reserve <size>			pool pages set aside, 0: automatic
 *	demote_age <seconds>		(*) 0: never
 *	compact_slack <percent>		free room that compaction leaves
 *	overcommit			(*)
 *	discard_passdown <on|off>	(*)
 *	wear_budget <size>		(*) bytes a day, 0: none
 *	cold_algorithm <none|zstd>	(*) none: as in RAM
 *
 * (*): means something with a cold device only, and is refused without one.
 * A size is decimal digits with one of K, M, G, T behind them or nothing.
 *
 * Pure: looks at words only, opens nothing, allocates nothing. Everything may
 * be called in any context.
 */
#ifndef DZR_TABLE_H
#define DZR_TABLE_H

#include <linux/types.h>

#include "size.h"

struct dzr_codec;
struct dzr_policy;

/* More words than all arguments there are could fill. */
#define DZR_MAX_ARGS 32u

/* The soft limit when a cold device is there to take the rest. */
#define DZR_MEM_LIMIT_DEFAULT_PERCENT 50

/* Bytes of a log segment; the largest is what one bio can hold in pages. */
#define DZR_SEGMENT_SIZE_MIN (64u << 10)
#define DZR_SEGMENT_SIZE_MAX (1u << 20)
#define DZR_SEGMENT_SIZE_DEFAULT (256u << 10)

/* Bytes of the pool's page reserve. */
#define DZR_RESERVE_MAX (1ull << 30)

/* Seconds. Ten minutes is well beyond the reuse of a busy working set. */
#define DZR_DEMOTE_AGE_DEFAULT 600u
#define DZR_DEMOTE_AGE_MAX (30u * 24 * 60 * 60)

/* Percent of the pool's pages. */
#define DZR_COMPACT_SLACK_DEFAULT 2u
#define DZR_COMPACT_SLACK_MAX 50u

/* What cold_algorithm may be. */
#define DZR_COLD_NAMES "none, zstd"

/* A buffer of this size is large enough for what dzr_config_emit() writes. */
#define DZR_CONFIG_TEXT_MAX 320

/**
 * enum dzr_arg_id - the arguments, as bit numbers in dzr_config.given
 * @DZR_ARG_MEM_LIMIT: mem_limit
 * @DZR_ARG_ALGORITHM: algorithm
 * @DZR_ARG_POLICY: policy
 * @DZR_ARG_MODE: mode
 * @DZR_ARG_SEGMENT_SIZE: segment_size
 * @DZR_ARG_RESERVE: reserve
 * @DZR_ARG_DEMOTE_AGE: demote_age
 * @DZR_ARG_COMPACT_SLACK: compact_slack
 * @DZR_ARG_OVERCOMMIT: overcommit
 * @DZR_ARG_DISCARD_PASSDOWN: discard_passdown
 * @DZR_ARG_WEAR_BUDGET: wear_budget
 * @DZR_ARG_COLD_ALGORITHM: cold_algorithm
 * @DZR_NR_ARGS: how many there are
 */
enum dzr_arg_id {
	DZR_ARG_MEM_LIMIT,
	DZR_ARG_ALGORITHM,
	DZR_ARG_POLICY,
	DZR_ARG_MODE,
	DZR_ARG_SEGMENT_SIZE,
	DZR_ARG_RESERVE,
	DZR_ARG_DEMOTE_AGE,
	DZR_ARG_COMPACT_SLACK,
	DZR_ARG_OVERCOMMIT,
	DZR_ARG_DISCARD_PASSDOWN,
	DZR_ARG_WEAR_BUDGET,
	DZR_ARG_COLD_ALGORITHM,
	DZR_NR_ARGS
};

/**
 * struct dzr_config - a table line
 * @cold: the word for the cold device, as it stands in argv; NULL for "-"
 * @given: bit for each argument that was given, or set by a message since
 * @mem_limit: soft limit of the pool
 * @codec: compression in RAM
 * @cold_codec: compression of what leaves RAM, in groups; NULL: none
 * @policy: which blocks are cold
 * @segment_size: bytes of a log segment, a power of two
 * @demote_age: seconds after which an untouched block is demoted, 0: never
 * @compact_slack: free room that compaction leaves, percent of the pool
 * @reserve: bytes of the pool's page reserve, 0: automatic
 * @overcommit: the cold device may be too small for every block uncompressed
 * @discard_passdown: freed segments are discarded on the cold device
 * @wear_budget: bytes a day that may go to the cold device, 0: no limit
 *
 * Arguments that were not given have their default here.
 */
struct dzr_config {
	const char *cold;
	u32 given;
	struct dzr_limit mem_limit;
	const struct dzr_codec *codec;
	const struct dzr_codec *cold_codec;
	const struct dzr_policy *policy;
	u32 segment_size;
	u32 demote_age;
	u32 compact_slack;
	u64 reserve;
	u64 wear_budget;
	bool overcommit;
	bool discard_passdown;
};

/**
 * dzr_config_parse() - read a table line
 * @cfg: the result; untouched on error
 * @argc: number of words
 * @argv: the words, as a dm constructor gets them; never modified, and
 *	@cfg->cold points to one of them
 * @error: on error, a static text for ti->error, a distinct one for each kind
 *	of mistake
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int dzr_config_parse(struct dzr_config *cfg, unsigned int argc, char **argv,
		     char **error);

/**
 * dzr_config_set() - change one argument of a running device
 * @cfg: changed, and the argument counts as given; untouched on error
 * @key: name of an argument that can change live: mem_limit, algorithm,
 *	policy, reserve, demote_age, compact_slack, discard_passdown, wear_budget, cold_algorithm
 * @value: as in the table line
 * @error: on error, a static text
 *
 * Context: any; the caller keeps others away from @cfg.
 * Return: 0 or -EINVAL.
 */
int dzr_config_set(struct dzr_config *cfg, const char *key, const char *value,
		   char **error);

/**
 * dzr_config_emit() - write the arguments for STATUSTYPE_TABLE
 * @cfg: the configuration
 * @buf: where to write, always terminated if @size is not 0
 * @size: bytes there; DZR_CONFIG_TEXT_MAX is always enough
 *
 * Writes "<#args> <arg>..." with the arguments that were given, in the order
 * of enum dzr_arg_id. The cold device is not part of it. Reading the line again
 * gives an equal configuration.
 *
 * Context: any.
 * Return: the length of the text, or -ENOSPC if it does not fit.
 */
int dzr_config_emit(const struct dzr_config *cfg, char *buf, size_t size);

#endif /* DZR_TABLE_H */
