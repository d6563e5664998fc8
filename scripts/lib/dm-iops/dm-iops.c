// SPDX-License-Identifier: GPL-2.0
/*
 * dm-iops: a disk that does so many I/Os a second, for guests whose machine cannot throttle one.
 *
 *	0 <sectors> iops <device> <start> <I/Os a second> [<bytes a second>]
 *
 * Each read or write takes a slot of 1/N seconds, or as long as its bytes take if that is more;
 * time that passed unused is lost, but for a burst of 50 ms (a timer tick is 10). Bios wait in one list, in order, and a
 * delayed work sends them when their time has come. Flushes wait behind what is before
 * them, and take no slot; discards pass through.
 *
 * Lock: iops->lock, a spinlock, covers the list and the time of the next slot.
 */
#include <linux/module.h>
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/workqueue.h>

#define BURST_NS	(50 * NSEC_PER_MSEC)

struct iops {
	struct dm_dev *dev;
	sector_t start;
	unsigned int rate;
	u64 bytes_rate;		/* bytes a second; 0: no limit */
	u64 slot_ns;		/* what one I/O takes at least */
	u64 next;		/* when the next slot begins, ktime ns */
	spinlock_t lock;
	struct bio_list waiting;
	struct workqueue_struct *wq;
	struct delayed_work work;
};

static bool takes_slot(struct bio *bio)
{
	return bio_op(bio) == REQ_OP_READ ||
	       (bio_op(bio) == REQ_OP_WRITE && bio_sectors(bio));
}

/* How long the disk is busy with it. */
static u64 takes_ns(struct iops *iops, struct bio *bio)
{
	u64 ns = 0;

	if (iops->bytes_rate)
		ns = div64_u64((u64)bio->bi_iter.bi_size * NSEC_PER_SEC, iops->bytes_rate);
	return max(ns, iops->slot_ns);
}

/* Send what is due. Returns how long the next one must wait, or 0 when none is left. */
static u64 send_due(struct iops *iops)
{
	struct bio_list due;
	struct bio *bio;
	u64 now = ktime_get_ns(), wait = 0;

	bio_list_init(&due);
	spin_lock_irq(&iops->lock);
	iops->next = max(iops->next, now - BURST_NS);
	while ((bio = bio_list_peek(&iops->waiting))) {
		if (takes_slot(bio)) {
			if (iops->next > now) {
				wait = iops->next - now;
				break;
			}
			iops->next += takes_ns(iops, bio);
		}
		bio_list_add(&due, bio_list_pop(&iops->waiting));
	}
	spin_unlock_irq(&iops->lock);
	while ((bio = bio_list_pop(&due)))
		submit_bio_noacct(bio);
	return wait;
}

static void iops_work(struct work_struct *work)
{
	struct iops *iops = container_of(to_delayed_work(work), struct iops, work);
	u64 wait = send_due(iops);

	if (wait)
		queue_delayed_work(iops->wq, &iops->work, nsecs_to_jiffies(wait) + 1);
}

static int iops_map(struct dm_target *ti, struct bio *bio)
{
	struct iops *iops = ti->private;
	unsigned long flags;

	bio_set_dev(bio, iops->dev->bdev);
	bio->bi_iter.bi_sector = iops->start + dm_target_offset(ti, bio->bi_iter.bi_sector);
	if (!takes_slot(bio) && !(bio->bi_opf & REQ_PREFLUSH))
		return DM_MAPIO_REMAPPED;
	spin_lock_irqsave(&iops->lock, flags);
	bio_list_add(&iops->waiting, bio);
	spin_unlock_irqrestore(&iops->lock, flags);
	queue_delayed_work(iops->wq, &iops->work, 0);
	return DM_MAPIO_SUBMITTED;
}

static void iops_dtr(struct dm_target *ti)
{
	struct iops *iops = ti->private;

	cancel_delayed_work_sync(&iops->work);
	destroy_workqueue(iops->wq);
	dm_put_device(ti, iops->dev);
	kfree(iops);
}

static int iops_parse(struct dm_target *ti, struct iops *iops, unsigned int argc, char **argv)
{
	unsigned long long start;
	int r;

	if (kstrtoull(argv[1], 10, &start) || kstrtouint(argv[2], 10, &iops->rate) || !iops->rate) {
		ti->error = "Invalid start or rate";
		return -EINVAL;
	}
	if (argc == 4 && (kstrtou64(argv[3], 10, &iops->bytes_rate) || !iops->bytes_rate)) {
		ti->error = "Invalid bytes a second";
		return -EINVAL;
	}
	iops->start = start;
	iops->slot_ns = NSEC_PER_SEC / iops->rate;
	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &iops->dev);
	if (r)
		ti->error = "Device lookup failed";
	return r;
}

static int iops_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct iops *iops;
	int r;

	if (argc != 3 && argc != 4) {
		ti->error = "Requires <device> <start> <I/Os a second> [<bytes a second>]";
		return -EINVAL;
	}
	iops = kzalloc(sizeof(*iops), GFP_KERNEL);
	if (!iops)
		return -ENOMEM;
	spin_lock_init(&iops->lock);
	bio_list_init(&iops->waiting);
	INIT_DELAYED_WORK(&iops->work, iops_work);
	iops->wq = alloc_workqueue("dm-iops", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI, 1);
	r = iops->wq ? iops_parse(ti, iops, argc, argv) : -ENOMEM;
	if (r) {
		if (iops->wq)
			destroy_workqueue(iops->wq);
		kfree(iops);
		return r;
	}
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->private = iops;
	return 0;
}

static void iops_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			char *result, unsigned int maxlen)
{
	struct iops *iops = ti->private;
	unsigned int sz = 0;

	*result = '\0';
	if (type != STATUSTYPE_TABLE)
		return;
	DMEMIT("%s %llu %u", iops->dev->name, (unsigned long long)iops->start, iops->rate);
	if (iops->bytes_rate)
		DMEMIT(" %llu", (unsigned long long)iops->bytes_rate);
}

static int iops_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct iops *iops = ti->private;

	return fn(ti, iops->dev, iops->start, ti->len, data);
}

static struct target_type iops_target = {
	.name		 = "iops",
	.version	 = {1, 0, 0},
	.module		 = THIS_MODULE,
	.ctr		 = iops_ctr,
	.dtr		 = iops_dtr,
	.map		 = iops_map,
	.status		 = iops_status,
	.iterate_devices = iops_iterate_devices,
};

static int __init iops_init(void)
{
	return dm_register_target(&iops_target);
}

static void __exit iops_exit(void)
{
	dm_unregister_target(&iops_target);
}

module_init(iops_init);
module_exit(iops_exit);

MODULE_DESCRIPTION("device-mapper target that limits I/Os and bytes per second, for tests");
MODULE_LICENSE("GPL");
