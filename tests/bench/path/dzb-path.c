// SPDX-License-Identifier: GPL-2.0
/*
 * What the way through a block device costs: bios of one size at random from
 * within the kernel, some of them in flight at once, by one thread or by one on
 * each processor; and what its codec alone takes for the same data, which is the
 * least that a compressed device can take.
 *
 *	echo load DEVICE >/sys/kernel/debug/dzb_path
 *	echo run DEVICE read|write BYTES DEPTH JOBS BLOCKS SEED >/sys/kernel/debug/dzb_path
 *	echo codec read|write JOBS BLOCKS >/sys/kernel/debug/dzb_path
 *	cat /sys/kernel/debug/dzb_path
 *
 * "load" reads the first 16 MiB of a device: that is what "run" writes and "codec"
 * compresses from then on. Each job does BLOCKS blocks of 4 KiB. Reading gives the
 * result of the last one: nanoseconds that passed, and, on User Mode Linux, that
 * all processors ran (hostclock.h), for one block.
 *
 * Locks: ctl_lock, a mutex, around all that is written to the file. A job is its
 * thread's, but for the slots: one that is busy is its bio's.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/lz4.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#ifdef CONFIG_UML
#include "hostclock.h"

static u64 all_ran_ns(void)
{
	return host_clock_ns(HOST_CLOCK_PROCESS);
}
#else
static u64 all_ran_ns(void)
{
	return 0;
}
#endif

#define MAX_JOBS	2U
#define MAX_DEPTH	32U
#define MAX_PAGES	256U	/* of a bio */
#define DATA_PAGES	4096U	/* that are written, and compressed */

struct job;

/**
 * struct slot - a bio and where it reads to
 * @bio: initialised anew for each use
 * @vecs: its segments
 * @pages: what it reads to
 * @job: whose it is
 * @busy: it is in flight
 */
struct slot {
	struct bio bio;
	struct bio_vec vecs[MAX_PAGES];
	struct page *pages[MAX_PAGES];
	struct job *job;
	bool busy;
};

/**
 * struct job - a thread and what it has to do
 * @slots: as many as may be in flight
 * @wait: for a slot to become free
 * @done: it has ended
 * @random: state of the generator
 * @left: blocks
 * @err: the first error
 * @work: of the codec
 * @out: the codec writes to here
 */
struct job {
	struct slot *slots[MAX_DEPTH];
	wait_queue_head_t wait;
	struct completion done;
	u64 random;
	u64 left;
	int err;
	void *work;
	void *out;
};

static struct job jobs[MAX_JOBS];
static struct page *data[DATA_PAGES];
static void *packed[DATA_PAGES];	/* the same, compressed */
static u32 packed_len[DATA_PAGES];	/* 0: does not become smaller */

/* what the jobs do at present */
static struct {
	struct block_device *bdev;
	enum req_op op;
	unsigned int pages;	/* of a bio */
	unsigned int depth;
	u64 places;		/* where a bio can begin */
} order;

static struct {
	u64 wall, ran, blocks;
	int err;
} result;

static DEFINE_MUTEX(ctl_lock);

static u64 next_random(struct job *job, u64 range)
{
	job->random = job->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return mul_u64_u64_div_u64(job->random >> 32, range, 1ULL << 32);
}

/* ---- through a device ---- */

static void slot_end(struct bio *bio)
{
	struct slot *slot = container_of(bio, struct slot, bio);
	struct job *job = slot->job;

	if (bio->bi_status)
		job->err = blk_status_to_errno(bio->bi_status);
	bio_uninit(bio);
	smp_store_release(&slot->busy, false);
	if (wq_has_sleeper(&job->wait))
		wake_up(&job->wait);
}

static void slot_wait(struct slot *slot)
{
	if (smp_load_acquire(&slot->busy))
		wait_event(slot->job->wait, !smp_load_acquire(&slot->busy));
}

static void slot_submit(struct slot *slot)
{
	struct bio *bio = &slot->bio;
	u64 from = next_random(slot->job, DATA_PAGES);
	unsigned int i;

	bio_init(bio, order.bdev, slot->vecs, order.pages, order.op);
	bio->bi_iter.bi_sector = next_random(slot->job, order.places) * order.pages * PAGE_SECTORS;
	bio->bi_end_io = slot_end;
	for (i = 0; i < order.pages; i++)
		__bio_add_page(bio, order.op == REQ_OP_WRITE ? data[(from + i) % DATA_PAGES] :
			       slot->pages[i], PAGE_SIZE, 0);
	slot->busy = true;
	submit_bio(bio);
}

static int run_job(void *arg)
{
	struct job *job = arg;
	unsigned int i = 0;

	while (job->left && !job->err) {
		slot_wait(job->slots[i]);
		slot_submit(job->slots[i]);
		job->left -= min_t(u64, job->left, order.pages);
		i = (i + 1) % order.depth;
		cond_resched();
	}
	for (i = 0; i < order.depth; i++)
		slot_wait(job->slots[i]);
	complete(&job->done);
	return 0;
}

/* ---- the codec alone ---- */

static int codec_block(struct job *job, unsigned int i)
{
	if (order.op == REQ_OP_WRITE) {
		LZ4_compress_default(page_address(data[i]), job->out, PAGE_SIZE, PAGE_SIZE, job->work);
		return 0;
	}
	if (!packed_len[i]) {
		memcpy(job->out, page_address(data[i]), PAGE_SIZE);
		return 0;
	}
	return LZ4_decompress_safe(packed[i], job->out, packed_len[i], PAGE_SIZE) == PAGE_SIZE ?
		0 : -EIO;
}

static int codec_job(void *arg)
{
	struct job *job = arg;

	for (; job->left && !job->err; job->left--) {
		job->err = codec_block(job, next_random(job, DATA_PAGES));
		if (job->left % 64 == 0)
			cond_resched();
	}
	complete(&job->done);
	return 0;
}

/* ---- either ---- */

static int jobs_start(int (*what)(void *), unsigned int nr, struct task_struct **tasks)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		tasks[i] = kthread_create(what, &jobs[i], "dzb-path/%u", i);
		if (IS_ERR(tasks[i]))
			break;
		kthread_bind(tasks[i], i % num_online_cpus());
	}
	if (i == nr)
		return 0;
	while (i--)
		kthread_stop(tasks[i]);
	return -ENOMEM;
}

/* All of them at once, and the time until the last one has ended. */
static int jobs_run(int (*what)(void *), unsigned int nr, u64 blocks, u64 seed)
{
	struct task_struct *tasks[MAX_JOBS];
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		jobs[i].random = hash_64(seed * MAX_JOBS + i + 1, 64);
		jobs[i].left = blocks;
		jobs[i].err = 0;
		reinit_completion(&jobs[i].done);
	}
	err = jobs_start(what, nr, tasks);
	if (err)
		return err;
	result.wall = ktime_get_ns();
	result.ran = all_ran_ns();
	for (i = 0; i < nr; i++)
		wake_up_process(tasks[i]);
	for (i = 0; i < nr; i++) {
		wait_for_completion(&jobs[i].done);
		if (jobs[i].err)
			err = jobs[i].err;
	}
	result.ran = all_ran_ns() - result.ran;
	result.wall = ktime_get_ns() - result.wall;
	result.blocks = nr * blocks;
	return err;
}

static struct file *open_device(const char *path)
{
	return bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, NULL, NULL);
}

static int run(const char *path, unsigned int bytes, unsigned int nr, u64 blocks, u64 seed)
{
	struct file *file;
	int err;

	order.pages = bytes / PAGE_SIZE;
	if (!order.pages || order.pages > MAX_PAGES || !order.depth || order.depth > MAX_DEPTH)
		return -EINVAL;
	file = open_device(path);
	if (IS_ERR(file))
		return PTR_ERR(file);
	order.bdev = file_bdev(file);
	order.places = div64_u64(bdev_nr_bytes(order.bdev), bytes);
	err = order.places ? jobs_run(run_job, nr, blocks, seed) : -EINVAL;
	fput(file);
	return err;
}

static int pack(unsigned int i)
{
	int len = LZ4_compress_default(page_address(data[i]), jobs[0].out, PAGE_SIZE, PAGE_SIZE,
				       jobs[0].work);

	kfree(packed[i]);
	packed[i] = NULL;
	packed_len[i] = 0;
	if (len <= 0 || len >= PAGE_SIZE)
		return 0;
	packed[i] = kmemdup(jobs[0].out, len, GFP_KERNEL);
	if (!packed[i])
		return -ENOMEM;
	packed_len[i] = len;
	return 0;
}

static int read_page(struct block_device *bdev, sector_t sector, struct page *page)
{
	struct bio_vec vec;
	struct bio bio;
	int err;

	bio_init(&bio, bdev, &vec, 1, REQ_OP_READ);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, page, PAGE_SIZE, 0);
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

static int load(const char *path)
{
	struct file *file = open_device(path);
	unsigned int i;
	int err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	for (i = 0; i < DATA_PAGES && !err; i++) {
		err = read_page(file_bdev(file), i * PAGE_SECTORS, data[i]);
		if (!err)
			err = pack(i);
	}
	fput(file);
	return err;
}

static int command(char *text)
{
	char path[48], op[8];
	unsigned int bytes, nr;
	u64 blocks, seed;

	if (sscanf(text, "load %47s", path) == 1)
		return load(path);
	if (sscanf(text, "codec %7s %u %llu", op, &nr, &blocks) == 3)
		bytes = 0;
	else if (sscanf(text, "run %47s %7s %u %u %u %llu %llu", path, op, &bytes, &order.depth,
			&nr, &blocks, &seed) != 7)
		return -EINVAL;
	if (!nr || nr > MAX_JOBS)
		return -EINVAL;
	if (!strcmp(op, "read"))
		order.op = REQ_OP_READ;
	else if (!strcmp(op, "write"))
		order.op = REQ_OP_WRITE;
	else
		return -EINVAL;
	return bytes ? run(path, bytes, nr, blocks, seed) : jobs_run(codec_job, nr, blocks, 1);
}

static ssize_t ctl_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char text[128] = "";
	int err;

	if (!len || len >= sizeof(text) || copy_from_user(text, from, len))
		return -EINVAL;
	mutex_lock(&ctl_lock);
	err = command(text);
	result.err = err;
	mutex_unlock(&ctl_lock);
	return err ? err : len;
}

static ssize_t ctl_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	char text[96] = "";
	int n = 0;

	mutex_lock(&ctl_lock);
	if (!result.err && result.blocks)
		n = scnprintf(text, sizeof(text), "blocks=%llu wall_ns=%llu ran_ns=%llu\n", result.blocks,
			      div64_u64(result.wall, result.blocks), div64_u64(result.ran, result.blocks));
	mutex_unlock(&ctl_lock);
	return simple_read_from_buffer(to, len, pos, text, n);
}

static const struct file_operations ctl_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= ctl_read,
	.write	= ctl_write,
	.llseek	= default_llseek,
};

static struct dentry *ctl;

static void slot_free(struct slot *slot)
{
	unsigned int i;

	for (i = 0; slot && i < MAX_PAGES; i++)
		if (slot->pages[i])
			__free_page(slot->pages[i]);
	kvfree(slot);
}

static void memory_free(void)
{
	unsigned int i, j;

	for (i = 0; i < MAX_JOBS; i++) {
		for (j = 0; j < MAX_DEPTH; j++)
			slot_free(jobs[i].slots[j]);
		kvfree(jobs[i].work);
		kfree(jobs[i].out);
	}
	for (i = 0; i < DATA_PAGES; i++) {
		if (data[i])
			__free_page(data[i]);
		kfree(packed[i]);
	}
}

static int job_alloc(struct job *job)
{
	unsigned int i, j;

	init_waitqueue_head(&job->wait);
	init_completion(&job->done);
	job->work = kvmalloc(LZ4_MEM_COMPRESS, GFP_KERNEL);
	job->out = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!job->work || !job->out)
		return -ENOMEM;
	for (i = 0; i < MAX_DEPTH; i++) {
		struct slot *slot = kvzalloc(sizeof(*slot), GFP_KERNEL);

		if (!slot)
			return -ENOMEM;
		slot->job = job;
		job->slots[i] = slot;
		for (j = 0; j < MAX_PAGES; j++) {
			slot->pages[j] = alloc_page(GFP_KERNEL | __GFP_ZERO);
			if (!slot->pages[j])
				return -ENOMEM;
		}
	}
	return 0;
}

static int memory_alloc(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < MAX_JOBS && !err; i++)
		err = job_alloc(&jobs[i]);
	for (i = 0; i < DATA_PAGES && !err; i++) {
		data[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!data[i])
			err = -ENOMEM;
	}
	return err;
}

static int __init path_init(void)
{
	int err = memory_alloc();

	if (err) {
		memory_free();
		return err;
	}
	ctl = debugfs_create_file("dzb_path", 0600, NULL, NULL, &ctl_fops);
	return 0;
}

static void __exit path_exit(void)
{
	debugfs_remove(ctl);
	memory_free();
}

module_init(path_init);
module_exit(path_exit);

MODULE_DESCRIPTION("bios of any size through a block device, and the codec alone, for benches");
MODULE_LICENSE("GPL");
