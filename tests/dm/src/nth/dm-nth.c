// SPDX-License-Identifier: GPL-2.0
/*
 * dm-nth: a disk that goes wrong at the n-th read or write, for the tests.
 *
 *	0 <sectors> nth <device> <start>
 *
 * Messages:
 *
 *	arm read|write <n> <count> <action> [<argument>]
 *	disarm
 *
 * Both set the counters to 0. The I/Os of that kind with the numbers n to
 * n + count - 1, counted from 0, suffer the action (count 0: all from n on):
 *
 *	fail		EIO; nothing is read or written
 *	drop		a write is said to be done, and is not
 *	tear <sectors>	only so much of a write, from its start, is done
 *	move <sector>	the I/O is done at this place of the target instead
 *	zero		a read brings back zeroes
 *	flip <bit>	a read brings back one bit changed: <bit> modulo its size
 *	delay <ms>	the I/O starts that much later
 *
 * Status: reads and writes seen, how many of them suffered, and sector and
 * sectors of the last one that did. Discards and flushes just pass.
 *
 * Lock: nth->lock, a spinlock, covers the rule and the counters.
 */
#include <linux/module.h>
#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/workqueue.h>

enum nth_action {
	NTH_FAIL,
	NTH_DROP,
	NTH_TEAR,
	NTH_MOVE,
	NTH_ZERO,
	NTH_FLIP,
	NTH_DELAY,
	NTH_NONE,
};

static const struct nth_action_info {
	const char *name;
	bool read, write, arg;
} nth_actions[] = {
	[NTH_FAIL]  = { "fail", true, true, false },
	[NTH_DROP]  = { "drop", false, true, false },
	[NTH_TEAR]  = { "tear", false, true, true },
	[NTH_MOVE]  = { "move", true, true, true },
	[NTH_ZERO]  = { "zero", true, false, false },
	[NTH_FLIP]  = { "flip", true, false, true },
	[NTH_DELAY] = { "delay", true, true, true },
};

struct nth_rule {
	enum nth_action action;
	bool write;
	u64 n;
	u64 count;
	u64 arg;
};

struct nth {
	struct dm_dev *dev;
	sector_t start;
	spinlock_t lock;
	struct nth_rule rule;
	u64 seen[2];		/* reads, writes */
	u64 hits;
	sector_t sector;	/* of the last hit */
	unsigned int sectors;
	struct workqueue_struct *wq;
};

/* Of one bio. */
struct nth_io {
	bool flip;
	u64 bit;
	struct bvec_iter iter;
	struct delayed_work work;
};

/* Count a bio; what is to be done to it? */
static struct nth_rule nth_judge(struct nth *nth, struct bio *bio)
{
	struct nth_rule rule = { .action = NTH_NONE };
	bool write = bio_op(bio) == REQ_OP_WRITE;
	unsigned long flags;
	u64 i;

	if ((!write && bio_op(bio) != REQ_OP_READ) || !bio_sectors(bio))
		return rule;
	spin_lock_irqsave(&nth->lock, flags);
	i = nth->seen[write]++;
	if (nth->rule.action != NTH_NONE && nth->rule.write == write &&
	    i >= nth->rule.n &&
	    (!nth->rule.count || i - nth->rule.n < nth->rule.count)) {
		rule = nth->rule;
		nth->hits++;
		nth->sector = bio->bi_iter.bi_sector;
		nth->sectors = bio_sectors(bio);
	}
	spin_unlock_irqrestore(&nth->lock, flags);
	return rule;
}

static void nth_delayed(struct work_struct *work)
{
	struct nth_io *io = container_of(to_delayed_work(work), struct nth_io,
					 work);

	submit_bio_noacct(dm_bio_from_per_bio_data(io, sizeof(*io)));
}

static int nth_end_now(struct bio *bio)
{
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

static int nth_map(struct dm_target *ti, struct bio *bio)
{
	struct nth_io *io = dm_per_bio_data(bio, sizeof(*io));
	struct nth *nth = ti->private;
	struct nth_rule rule;

	io->flip = false;
	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	rule = nth_judge(nth, bio);
	bio_set_dev(bio, nth->dev->bdev);
	if (rule.action == NTH_MOVE)
		bio->bi_iter.bi_sector = rule.arg;
	bio->bi_iter.bi_sector += nth->start;

	switch (rule.action) {
	case NTH_FAIL:
		return DM_MAPIO_KILL;
	case NTH_DROP:
		return nth_end_now(bio);
	case NTH_TEAR:
		if (!rule.arg)
			return nth_end_now(bio);
		bio->bi_iter.bi_size = min_t(u64, bio->bi_iter.bi_size,
					     rule.arg << SECTOR_SHIFT);
		break;
	case NTH_ZERO:
		zero_fill_bio(bio);
		return nth_end_now(bio);
	case NTH_FLIP:
		io->flip = true;
		io->bit = rule.arg;
		io->iter = bio->bi_iter;
		break;
	case NTH_DELAY:
		INIT_DELAYED_WORK(&io->work, nth_delayed);
		queue_delayed_work(nth->wq, &io->work,
				   msecs_to_jiffies(rule.arg));
		return DM_MAPIO_SUBMITTED;
	default:
		break;
	}
	return DM_MAPIO_REMAPPED;
}

static void nth_flip(struct bio *bio, struct bvec_iter from, u64 bit)
{
	u32 at = (bit >> 3) % from.bi_size;
	struct bvec_iter iter;
	struct bio_vec bv;

	__bio_for_each_segment(bv, bio, iter, from) {
		if (at < bv.bv_len) {
			u8 *data = bvec_kmap_local(&bv);

			data[at] ^= 1 << (bit & 7);
			kunmap_local(data);
			return;
		}
		at -= bv.bv_len;
	}
}

static int nth_end_io(struct dm_target *ti, struct bio *bio,
		      blk_status_t *error)
{
	struct nth_io *io = dm_per_bio_data(bio, sizeof(*io));

	if (io->flip && !*error)
		nth_flip(bio, io->iter, io->bit);
	return DM_ENDIO_DONE;
}

/* Parse the words behind "arm". */
static int nth_parse_rule(unsigned int argc, char **argv, struct nth_rule *rule)
{
	const struct nth_action_info *info;
	unsigned int i;

	if (argc < 4)
		return -EINVAL;
	rule->write = !strcmp(argv[0], "write");
	if (!rule->write && strcmp(argv[0], "read"))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(nth_actions); i++)
		if (!strcmp(argv[3], nth_actions[i].name))
			break;
	if (i == ARRAY_SIZE(nth_actions))
		return -EINVAL;
	info = &nth_actions[i];
	rule->action = i;
	if (!(rule->write ? info->write : info->read) ||
	    argc != 4 + info->arg || kstrtou64(argv[1], 10, &rule->n) ||
	    kstrtou64(argv[2], 10, &rule->count) ||
	    (info->arg && kstrtou64(argv[4], 10, &rule->arg)))
		return -EINVAL;
	return 0;
}

static int nth_message(struct dm_target *ti, unsigned int argc, char **argv,
		       char *result, unsigned int maxlen)
{
	struct nth_rule rule = { .action = NTH_NONE };
	struct nth *nth = ti->private;
	unsigned long flags;
	int r = -EINVAL;

	if (argc == 1 && !strcmp(argv[0], "disarm"))
		r = 0;
	else if (argc > 1 && !strcmp(argv[0], "arm"))
		r = nth_parse_rule(argc - 1, argv + 1, &rule);
	if (r)
		return r;
	spin_lock_irqsave(&nth->lock, flags);
	nth->rule = rule;
	nth->seen[0] = 0;
	nth->seen[1] = 0;
	nth->hits = 0;
	spin_unlock_irqrestore(&nth->lock, flags);
	return 0;
}

static void nth_status(struct dm_target *ti, status_type_t type,
		       unsigned int flags, char *result, unsigned int maxlen)
{
	struct nth *nth = ti->private;
	unsigned int sz = 0;

	*result = '\0';
	if (type == STATUSTYPE_TABLE)
		DMEMIT("%s %llu", nth->dev->name,
		       (unsigned long long)nth->start);
	else if (type == STATUSTYPE_INFO)
		DMEMIT("%llu %llu %llu %llu %u", nth->seen[0], nth->seen[1],
		       nth->hits, (unsigned long long)nth->sector,
		       nth->sectors);
}

static void nth_dtr(struct dm_target *ti)
{
	struct nth *nth = ti->private;

	destroy_workqueue(nth->wq);
	dm_put_device(ti, nth->dev);
	kfree(nth);
}

static int nth_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long start;
	struct nth *nth;
	int r = -ENOMEM;

	if (argc != 2 || kstrtoull(argv[1], 10, &start)) {
		ti->error = "Requires <device> <start>";
		return -EINVAL;
	}
	nth = kzalloc(sizeof(*nth), GFP_KERNEL);
	if (!nth)
		return -ENOMEM;
	spin_lock_init(&nth->lock);
	nth->rule.action = NTH_NONE;
	nth->start = start;
	nth->wq = alloc_workqueue("dm-nth", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!nth->wq)
		goto free;
	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &nth->dev);
	if (r) {
		ti->error = "Device lookup failed";
		goto destroy;
	}
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->per_io_data_size = sizeof(struct nth_io);
	ti->private = nth;
	return 0;

destroy:
	destroy_workqueue(nth->wq);
free:
	kfree(nth);
	return r;
}

static int nth_iterate_devices(struct dm_target *ti,
			       iterate_devices_callout_fn fn, void *data)
{
	struct nth *nth = ti->private;

	return fn(ti, nth->dev, nth->start, ti->len, data);
}

static struct target_type nth_target = {
	.name		 = "nth",
	.version	 = {1, 0, 0},
	.module		 = THIS_MODULE,
	.ctr		 = nth_ctr,
	.dtr		 = nth_dtr,
	.map		 = nth_map,
	.end_io		 = nth_end_io,
	.message	 = nth_message,
	.status		 = nth_status,
	.iterate_devices = nth_iterate_devices,
};

static int __init nth_init(void)
{
	return dm_register_target(&nth_target);
}

static void __exit nth_exit(void)
{
	dm_unregister_target(&nth_target);
}

module_init(nth_init);
module_exit(nth_exit);

MODULE_DESCRIPTION("device-mapper target that fails the n-th I/O, for tests");
MODULE_LICENSE("GPL");
