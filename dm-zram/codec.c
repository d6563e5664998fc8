// SPDX-License-Identifier: GPL-2.0
/*
 * The table of codecs. The back-ends are in codec-*.c.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "codec.h"

/* By id; DZR_CODEC_RAW has no back-end. */
static const struct dzr_codec *const dzr_codecs[DZR_NR_CODECS] = {
	[DZR_CODEC_LZ4]		= &dzr_codec_lz4,
	[DZR_CODEC_LZO_RLE]	= &dzr_codec_lzo_rle,
	[DZR_CODEC_ZSTD]	= &dzr_codec_zstd,
};

const struct dzr_codec *dzr_codec_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dzr_codecs); i++)
		if (dzr_codecs[i] && !strcmp(dzr_codecs[i]->name, name))
			return dzr_codecs[i];
	return NULL;
}

const struct dzr_codec *dzr_codec_by_id(u8 id)
{
	return id < ARRAY_SIZE(dzr_codecs) ? dzr_codecs[id] : NULL;
}

const char *dzr_codec_names(void)
{
	return DZR_CODEC_NAMES;
}
