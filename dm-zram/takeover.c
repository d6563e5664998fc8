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

#include "colddev.h"
#include "grouping.h"
#include "takeover.h"

/* Is it to compress with another codec? */
static bool dzr_takeover_recodes(const struct dzr_dev *d,
				 const struct dzr_takeover *tk)
{
	return dzr_streams_codec(d->streams) != tk->cfg.codec;
}

static char *dzr_check_size(struct dzr_dev *d, const struct dzr_takeover *tk)
{
	return d->sectors <= tk->sectors ? NULL :
		"The size of an active device cannot be reduced";
}

static char *dzr_check_segment_size(struct dzr_dev *d,
				    const struct dzr_takeover *tk)
{
	return d->cfg.segment_size == tk->cfg.segment_size ? NULL :
		"segment_size of an active device cannot be changed";
}

/* What was made for that table would not fit any more. */
static char *dzr_check_loaded(struct dzr_dev *d, const struct dzr_takeover *tk)
{
	return !tk->message || !dzr_takeover_recodes(d, tk) ||
	       READ_ONCE(d->users) == 1 ? NULL :
		"Another table is loaded: resume or clear it before algorithm is set";
}

/*
 * Each returns NULL, or why the device cannot become that. They run at load and
 * again at preresume, and touch nothing.
 */
static char *(*const dzr_checks[])(struct dzr_dev *d,
				   const struct dzr_takeover *tk) = {
	dzr_cold_verify,
	dzr_check_size,
	dzr_check_segment_size,
	dzr_check_loaded,
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

static bool dzr_takeover_can_recode(const struct dzr_dev *d,
				    const struct dzr_takeover *tk)
{
	return tk->streams && dzr_streams_codec(tk->streams) == tk->cfg.codec &&
	       dzr_streams_fit(d->streams, tk->streams);
}

static bool dzr_takeover_resizes(const struct dzr_dev *d,
				 const struct dzr_takeover *tk)
{
	return dzs_reserve_target(d->pool) != dzr_dev_reserve(&tk->cfg);
}

static bool dzr_takeover_can_resize(const struct dzr_takeover *tk)
{
	return tk->reserve &&
	       dzs_reserve_pages(tk->reserve) == dzr_dev_reserve(&tk->cfg);
}

/* Was all made that it takes, as the device is now? */
static bool dzr_takeover_ready(struct dzr_dev *d,
			       const struct dzr_takeover *tk)
{
	if (tk->cfg.cold_codec && !d->grouping && !tk->grouping)
		return false;
	if (dzr_takeover_recodes(d, tk) && !dzr_takeover_can_recode(d, tk))
		return false;
	if (dzr_takeover_resizes(d, tk) && !dzr_takeover_can_resize(tk))
		return false;
	return tk->root || dzr_btable_holds(d->bt, dzr_takeover_blocks(tk));
}

/* Make all that it takes. */
static int dzr_takeover_prepare(struct dzr_dev *d, struct dzr_takeover *tk,
				char **error)
{
	u64 blocks = dzr_takeover_blocks(tk);
	int err = dzr_cold_prepare(d, tk, error);

	if (err)
		return err;

	if (!dzr_btable_holds(d->bt, blocks)) {
		tk->root = dzr_broot_create(d->bt, blocks);
		if (!tk->root)
			return -ENOMEM;
	}
	if (dzr_takeover_recodes(d, tk)) {
		struct dzr_streams *s;

		s = dzr_streams_create_like(d->streams, tk->cfg.codec);
		if (IS_ERR(s))
			return PTR_ERR(s);
		tk->streams = s;
	}
	/* A table's in any case: a message may change the device's meanwhile. */
	if (!tk->message || dzr_takeover_resizes(d, tk)) {
		tk->reserve = dzs_reserve_create(d->pool,
						 dzr_dev_reserve(&tk->cfg));
		if (!tk->reserve)
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
	err = *error ? -EINVAL : dzr_takeover_prepare(d, tk, error);
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
		.message = true,
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
	if (dzr_takeover_recodes(d, tk))
		dzr_streams_exchange(d->streams, tk->streams);
	if (dzr_takeover_resizes(d, tk))
		dzs_reserve_exchange(d->pool, tk->reserve);
	dzr_cold_apply(d, tk);
	/* Stays for good, since groups may be in the log from now on. */
	if (tk->grouping && !d->grouping) {
		WRITE_ONCE(d->grouping, tk->grouping);
		tk->grouping = NULL;
	}
	dzr_dev_configure(d, &tk->cfg);
	dzr_dev_refill(d);
	return 0;
}

void dzr_takeover_free(struct dzr_takeover *tk)
{
	if (!tk)
		return;
	dzr_cold_release(tk);
	dzr_grouping_destroy(tk->grouping);
	dzr_streams_destroy(tk->streams);
	dzr_broot_destroy(tk->root);
	dzs_reserve_destroy(tk->reserve);
	kfree(tk);
}
