// SPDX-License-Identifier: GPL-2.0
/*
 * Writes of single blocks to a block device from within the kernel, each one
 * timed by three clocks: the guest's, the running time of the processor that
 * writes, and that of the other one (hostclock.h). There is no system call of
 * the guest in it, and what the host's scheduler does can be told apart:
 *
 *	wall - ran		the writer's processor was stopped
 *	ran - min(ran, other)	it spun for a lock while the other one was stopped
 *	min(ran, other)		the rest, at most: what the code of both takes
 *
 * At most, since slices of the host are in the last as well when it runs both in
 * turn, on one of its processors.
 *
 *	echo start DEVICE BLOCKS SEED >/sys/kernel/debug/dzb_write
 *	echo stop >/sys/kernel/debug/dzb_write
 *	echo spin MILLISECONDS >/sys/kernel/debug/dzb_write
 *	cat /sys/kernel/debug/dzb_write
 *
 * "start" returns when the writer runs. The other processor is the one that
 * "start" is written on, so the thread that does is bound, and not to the
 * writer's, which is 0. "spin" keeps it busy with nothing, as a control. Blocks
 * at random are read and overwritten with what they hold; those that are all
 * zeroes are passed over. Samples pile up until the module goes; reading gives
 * them all, as struct sample.
 *
 * Locks: ctl_lock, a mutex, around all that is written to the file. The samples
 * are the writer's until it has been stopped.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "hostclock.h"

#define BLOCK_BYTES	4096U
#define MAX_SAMPLES	(1U << 19)
#define WRITER_CPU	0U

/**
 * struct sample - one write
 * @wall: nanoseconds of the guest's clock
 * @ran: running time of the writer's processor
 * @other: running time of the other one meanwhile
 * @switches: how often the writer's thread gave way to another one
 */
struct sample {
	u32 wall;
	u32 ran;
	u32 other;
	u32 switches;
};

static struct sample *samples;
static unsigned int nr_samples;

static struct {
	struct file *file;
	struct task_struct *task;
	void *block;
	u64 blocks;
	u64 random;
	long other;		/* clock of the other processor */
	int err;
} writer;

static DEFINE_MUTEX(ctl_lock);

static u32 clip(u64 ns)
{
	return min_t(u64, ns, U32_MAX);
}

static unsigned long switches(void)
{
	return current->nvcsw + current->nivcsw;
}

static int block_io(u64 nr, enum req_op op)
{
	return bdev_rw_virt(file_bdev(writer.file), nr * (BLOCK_BYTES / SECTOR_SIZE),
			    writer.block, BLOCK_BYTES, op);
}

static int timed_write(u64 nr, struct sample *s)
{
	unsigned long before = switches();
	u64 wall = ktime_get_ns();
	u64 other = host_clock_ns(writer.other);
	u64 ran = cpu_ns();
	int err = block_io(nr, REQ_OP_WRITE);

	s->ran = clip(cpu_ns() - ran);
	s->other = clip(host_clock_ns(writer.other) - other);
	s->wall = clip(ktime_get_ns() - wall);
	s->switches = switches() - before;
	return err;
}

static u64 next_block(void)
{
	writer.random = writer.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (writer.random >> 33) % writer.blocks;
}

static int one_write(void)
{
	u64 nr = next_block();
	int err = block_io(nr, REQ_OP_READ);

	if (err || !memchr_inv(writer.block, 0, BLOCK_BYTES))
		return err;
	return timed_write(nr, &samples[nr_samples++]);
}

static int writer_run(void *started)
{
	complete(started);
	while (!kthread_should_stop()) {
		if (!writer.err && nr_samples < MAX_SAMPLES)
			writer.err = one_write();
		else
			schedule_timeout_interruptible(1);
		cond_resched();
	}
	return writer.err;
}

static int writer_start(const char *path, u64 blocks, u64 seed)
{
	DECLARE_COMPLETION_ONSTACK(started);
	struct file *file;

	if (writer.task || !blocks || raw_smp_processor_id() == WRITER_CPU)
		return -EINVAL;
	file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, NULL, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	writer.file = file;
	writer.blocks = blocks;
	writer.random = hash_64(seed, 64);
	writer.other = host_clock_here();
	writer.err = 0;
	writer.task = kthread_create(writer_run, &started, "dzb-write");
	if (IS_ERR(writer.task)) {
		writer.task = NULL;
		fput(file);
		return -ENOMEM;
	}
	kthread_bind(writer.task, WRITER_CPU);
	wake_up_process(writer.task);
	wait_for_completion(&started);
	return 0;
}

static int writer_stop(void)
{
	int err;

	if (!writer.task)
		return -EINVAL;
	err = kthread_stop(writer.task);
	writer.task = NULL;
	fput(writer.file);
	return err;
}

/* In running time, so that it is as long as a compaction of so many is. */
static void spin_for(u64 ms)
{
	u64 end = cpu_ns() + ms * NSEC_PER_MSEC;

	while (cpu_ns() < end)
		cond_resched();
}

static int command(char *text)
{
	char path[48];
	u64 blocks, seed, ms;

	if (sscanf(text, "start %47s %llu %llu", path, &blocks, &seed) == 3)
		return writer_start(path, blocks, seed);
	if (sscanf(text, "spin %llu", &ms) == 1) {
		spin_for(ms);
		return 0;
	}
	return strcmp(strim(text), "stop") ? -EINVAL : writer_stop();
}

static ssize_t ctl_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char text[96] = "";
	int err;

	if (!len || len >= sizeof(text) || copy_from_user(text, from, len))
		return -EINVAL;
	mutex_lock(&ctl_lock);
	err = command(text);
	mutex_unlock(&ctl_lock);
	return err ? err : len;
}

static ssize_t ctl_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	ssize_t ret = -EBUSY;

	mutex_lock(&ctl_lock);
	if (!writer.task)
		ret = simple_read_from_buffer(to, len, pos, samples, nr_samples * sizeof(*samples));
	mutex_unlock(&ctl_lock);
	return ret;
}

static const struct file_operations ctl_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= ctl_read,
	.write	= ctl_write,
	.llseek	= default_llseek,
};

static struct dentry *ctl;

static int __init write_init(void)
{
	samples = vzalloc(MAX_SAMPLES * sizeof(*samples));
	writer.block = kmalloc(BLOCK_BYTES, GFP_KERNEL);
	if (!samples || !writer.block) {
		kfree(writer.block);
		vfree(samples);
		return -ENOMEM;
	}
	ctl = debugfs_create_file("dzb_write", 0600, NULL, NULL, &ctl_fops);
	return 0;
}

static void __exit write_exit(void)
{
	debugfs_remove(ctl);
	if (writer.task)
		writer_stop();
	kfree(writer.block);
	vfree(samples);
}

module_init(write_init);
module_exit(write_exit);

MODULE_DESCRIPTION("timed writes of single blocks, for benches");
MODULE_LICENSE("GPL");
