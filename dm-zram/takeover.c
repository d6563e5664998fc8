// SPDX-License-Identifier: GPL-2.0
/*
 * Takeover of a device by a table. See takeover.h.
 *
 * To let a table change something more: take its line out of the checks, make
 * what it takes in dzr_takeover_prepare(), and exchange it in
 * dzr_takeover_apply().
 */
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "grouping.h"
#include "takeover.h"

static char *dzr_check_cold(struct dzr_dev *d, const struct dzr_takeover *tk)
{
	return d->cold_dev == tk->cold_dev ? NULL :
		"The cold device of an active device cannot be changed";
}

static char *dzr_check_size(struct dzr_dev *d, const struct dzr_takeover *tk)
{
	return d->sectors <= tk->sectors ? NULL :
		"The size of an active device cannot be reduced";
}

static char *dzr_check_algorithm(struct dzr_dev *d,
				 const struct dzr_takeover *tk)
{
	return d->cfg.codec == tk->cfg.codec ? NULL :
		"algorithm of an active device cannot be changed";
}

static char *dzr_check_segment_size(struct dzr_dev *d,
				    const struct dzr_takeover *tk)
{
	return d->cfg.segment_size == tk->cfg.segment_size ? NULL :
		"segment_size of an active device cannot be changed";
}

static char *dzr_check_reserve(struct dzr_dev *d,
			       const struct dzr_takeover *tk)
{
	return d->cfg.reserve == tk->cfg.reserve ? NULL :
		"reserve of an active device cannot be changed";
}

/*
 * Each returns NULL, or why the device cannot become that. They run at load and
 * again at preresume, and touch nothing.
 */
static char *(*const dzr_checks[])(struct dzr_dev *d,
				   const struct dzr_takeover *tk) = {
	dzr_check_cold,
	dzr_check_size,
	dzr_check_algorithm,
	dzr_check_segment_size,
	dzr_check_reserve,
};

static char *dzr_takeover_check(struct dzr_dev *d,
				const struct dzr_takeover *tk)
{
	char *error = NULL;
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(dzr_checks); i++)
		error = dzr_checks[i](d, tk);
	return error;
}

static u64 dzr_takeover_blocks(const struct dzr_takeover *tk)
{
	return tk->sectors / DZR_BLOCK_SECTORS;
}

/* Was all made that it takes, as the device is now? */
static bool dzr_takeover_ready(struct dzr_dev *d,
			       const struct dzr_takeover *tk)
{
	if (tk->cfg.cold_codec && !d->grouping && !tk->grouping)
		return false;
	return tk->root || dzr_btable_holds(d->bt, dzr_takeover_blocks(tk));
}

/* Make all that it takes. */
static int dzr_takeover_prepare(struct dzr_dev *d, struct dzr_takeover *tk)
{
	u64 blocks = dzr_takeover_blocks(tk);

	if (!dzr_btable_holds(d->bt, blocks)) {
		tk->root = dzr_broot_create(d->bt, blocks);
		if (!tk->root)
			return -ENOMEM;
	}
	if (tk->cfg.cold_codec && !READ_ONCE(d->grouping)) {
		tk->grouping = dzr_grouping_create();
		if (!tk->grouping)
			return -ENOMEM;
	}
	return 0;
}

static struct dzr_takeover *
dzr_takeover_new(struct dzr_dev *d, const struct dzr_takeover *wanted,
		 char **error)
{
	struct dzr_takeover *tk = kmalloc(sizeof(*tk), GFP_KERNEL);
	int err;

	if (!tk) {
		*error = "Not enough memory";
		return ERR_PTR(-ENOMEM);
	}
	*tk = *wanted;
	*error = dzr_takeover_check(d, tk);
	err = *error ? -EINVAL : dzr_takeover_prepare(d, tk);
	if (!err)
		return tk;
	if (err == -ENOMEM)
		*error = "Not enough memory";
	dzr_takeover_free(tk);
	return ERR_PTR(err);
}

struct dzr_takeover *dzr_takeover_create(struct dzr_dev *d, sector_t sectors,
					 const struct dzr_config *cfg,
					 struct block_device *cold,
					 char **error)
{
	struct dzr_takeover tk = {
		.sectors = sectors,
		.cfg = *cfg,
		.cold = cold,
		.cold_dev = cold ? cold->bd_dev : 0,
	};

	return dzr_takeover_new(d, &tk, error);
}

struct dzr_takeover *dzr_takeover_change(struct dzr_dev *d,
					 const struct dzr_config *cfg,
					 char **error)
{
	struct dzr_takeover tk = {
		.sectors = d->sectors,
		.cfg = *cfg,
		.cold_dev = d->cold_dev,
	};

	return dzr_takeover_new(d, &tk, error);
}

/* The table's blocks that are new are EMPTY: nothing else to do. */
static void dzr_takeover_grow(struct dzr_dev *d, struct dzr_takeover *tk)
{
	if (tk->sectors == d->sectors)
		return;
	dzr_btable_grow(d->bt, dzr_takeover_blocks(tk),
			dzr_dev_table_reserve(tk->sectors, tk->cold_dev),
			&tk->root);
	d->sectors = tk->sectors;
	dzr_dev_refill(d);
}

int dzr_takeover_apply(struct dzr_dev *d, struct dzr_takeover *tk, char **error)
{
	lockdep_assert_held(&d->hand_lock);

	*error = dzr_takeover_check(d, tk);
	if (!*error && !dzr_takeover_ready(d, tk))
		*error = "The device has changed since this table was loaded: load it again";
	if (*error)
		return -EINVAL;
	dzr_takeover_grow(d, tk);
	/* Stays for good, since groups may be in the log from now on. */
	if (tk->grouping && !d->grouping) {
		WRITE_ONCE(d->grouping, tk->grouping);
		tk->grouping = NULL;
	}
	dzr_dev_configure(d, &tk->cfg);
	return 0;
}

void dzr_takeover_free(struct dzr_takeover *tk)
{
	if (!tk)
		return;
	dzr_grouping_destroy(tk->grouping);
	dzr_broot_destroy(tk->root);
	kfree(tk);
}
