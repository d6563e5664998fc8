// SPDX-License-Identifier: GPL-2.0
/*
 * Reading neighbours at once.
 *
 * Demotion puts neighbours in block order side by side, and who reads one of
 * them, swap's readahead or a file system's, mostly reads others, too, under one
 * plug. So cold reads wait in the plug until it is released. Those that lie
 * close together are then read by one bio, holes and all, and each gets its
 * part. If that bio fails, or has brought something else, who suffers is read
 * again alone: an error is one of those blocks only that cannot be read.
 *
 * Nothing here waits for memory: where there is none, reads go out one by one.
 *
 * Locks: none. A plug belongs to its task.
 */
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/list_sort.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "log-internal.h"

/* A hole of this many bytes is cheaper to read than to leave out. */
#define DZR_RUN_HOLE		4096U

/* No bio for several reads is longer, in bytes. */
#define DZR_RUN_MAX		(128U << 10)

/* So many reads do not wait for more. */
#define DZR_RUN_READS		64U

#define DZR_RUN_GFP		(GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NOWARN)

/**
 * struct dzr_run_plug - reads that wait in a task's plug
 * @cb: of the plug; its data is the log
 * @work: sends them, where the task cannot
 * @reads: the reads
 * @nr: their number
 */
struct dzr_run_plug {
	struct blk_plug_cb cb;
	struct work_struct work;
	struct list_head reads;
	unsigned int nr;
};

/**
 * struct dzr_run - reads that are one bio
 * @log: the log
 * @reads: the reads, by their place
 * @start: where in the segment the bio begins
 * @work: deals with what came
 * @bio: the bio
 * @vecs: its pages
 */
struct dzr_run {
	struct dzr_log *log;
	struct list_head reads;
	u32 start;
	struct work_struct work;
	struct bio bio;
	struct bio_vec vecs[];
};

static void dzr_run_free(struct dzr_run *run)
{
	unsigned int i;

	bio_uninit(&run->bio);
	for (i = 0; i < run->bio.bi_vcnt; i++)
		__free_page(run->vecs[i].bv_page);
	kfree(run);
}

static void dzr_run_alone(struct list_head *reads)
{
	struct dzr_cold_read *cr, *next;

	list_for_each_entry_safe(cr, next, reads, link)
		dzr_cold_read_send(cr);
}

/* Copy a read's part of the pages to where it would have come alone. */
static void dzr_run_fetch(struct dzr_run *run, struct dzr_cold_read *cr)
{
	u32 from = cr->start - run->start, len = cr->stop - cr->start, done, n;

	for (done = 0; done < len; done += n, from += n) {
		n = min_t(u32, len - done, PAGE_SIZE - offset_in_page(from));
		memcpy_from_page(cr->buf + done,
				 run->vecs[from >> PAGE_SHIFT].bv_page,
				 offset_in_page(from), n);
	}
}

static void dzr_run_work(struct work_struct *work)
{
	struct dzr_run *run = container_of(work, struct dzr_run, work);
	struct dzr_cold_read *cr, *next;

	if (run->bio.bi_status) {
		dzr_run_alone(&run->reads);
	} else {
		list_for_each_entry_safe(cr, next, &run->reads, link) {
			dzr_run_fetch(run, cr);
			if (dzr_cold_read_check(cr))
				dzr_cold_read_came(cr, BLK_STS_OK);
			else
				dzr_cold_read_send(cr);
		}
	}
	dzr_run_free(run);
}

static void dzr_run_endio(struct bio *bio)
{
	struct dzr_run *run = container_of(bio, struct dzr_run, bio);

	queue_work(run->log->wq, &run->work);
}

static struct dzr_run *dzr_run_create(struct dzr_log *log, u32 seg, u32 start,
				      u32 end)
{
	unsigned int nr = DIV_ROUND_UP(end - start, PAGE_SIZE);
	const struct dzr_extent *e = dzr_log_extent(log, seg);
	struct dzr_run *run;
	struct page *page;
	u32 len;

	run = kmalloc(struct_size(run, vecs, nr), DZR_RUN_GFP);
	if (!run)
		return NULL;
	run->log = log;
	run->start = start;
	INIT_LIST_HEAD(&run->reads);
	INIT_WORK(&run->work, dzr_run_work);
	bio_init(&run->bio, e->bdev, run->vecs, nr, REQ_OP_READ);
	run->bio.bi_iter.bi_sector = dzr_log_sector(log, e, seg) +
				     (start >> SECTOR_SHIFT);
	run->bio.bi_end_io = dzr_run_endio;
	for (; start < end; start += len) {
		page = alloc_page(DZR_RUN_GFP);
		if (!page) {
			dzr_run_free(run);
			return NULL;
		}
		len = min_t(u32, end - start, PAGE_SIZE);
		__bio_add_page(&run->bio, page, len, 0);
	}
	return run;
}

/* Read what lies between @start and @end of one segment. */
static void dzr_run_send(struct dzr_log *log, struct list_head *reads,
			 u32 start, u32 end)
{
	u32 seg = dzr_loc_seg(list_first_entry(reads, struct dzr_cold_read,
					       link)->pin.loc);
	struct dzr_run *run = NULL;

	if (!list_is_singular(reads))
		run = dzr_run_create(log, seg, start, end);
	if (!run) {
		dzr_run_alone(reads);
		return;
	}
	list_splice(reads, &run->reads);
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_IOS, 1);
	dzr_stat_add(log->stats, DZR_STAT_COLD_READ_BYTES, end - start);
	submit_bio(&run->bio);
}

static int dzr_run_cmp(void *priv, const struct list_head *a,
		       const struct list_head *b)
{
	const struct dzr_cold_read *x, *y;
	u32 seg_x, seg_y;

	x = list_entry(a, struct dzr_cold_read, link);
	y = list_entry(b, struct dzr_cold_read, link);
	seg_x = dzr_loc_seg(x->pin.loc);
	seg_y = dzr_loc_seg(y->pin.loc);
	if (seg_x != seg_y)
		return seg_x > seg_y ? 1 : -1;
	return x->start > y->start;
}

/* Sort reads by their place, and send those that lie close together as one. */
static void dzr_run_release(struct dzr_log *log, struct list_head *reads)
{
	struct dzr_cold_read *first, *cr;
	struct list_head *stop;
	LIST_HEAD(run);
	u32 end;

	list_sort(NULL, reads, dzr_run_cmp);
	while (!list_empty(reads)) {
		first = list_first_entry(reads, struct dzr_cold_read, link);
		end = first->stop;
		stop = reads;
		cr = first;
		list_for_each_entry_continue(cr, reads, link) {
			if (dzr_loc_seg(cr->pin.loc) !=
				    dzr_loc_seg(first->pin.loc) ||
			    cr->start > end + DZR_RUN_HOLE ||
			    cr->stop > first->start + DZR_RUN_MAX) {
				stop = &cr->link;
				break;
			}
			end = max(end, cr->stop);
		}
		list_cut_before(&run, reads, stop);
		dzr_run_send(log, &run, first->start, end);
	}
}

static void dzr_run_plug_work(struct work_struct *work)
{
	struct dzr_run_plug *plug = container_of(work, struct dzr_run_plug,
						 work);

	dzr_run_release(plug->cb.data, &plug->reads);
	kfree(plug);
}

/*
 * A task that is about to sleep must not wait for the queue of the device. With
 * nothing left to send, the log may be gone.
 */
static void dzr_run_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct dzr_run_plug *plug = container_of(cb, struct dzr_run_plug, cb);
	struct dzr_log *log = cb->data;

	INIT_WORK(&plug->work, dzr_run_plug_work);
	if (from_schedule && plug->nr)
		queue_work(log->wq, &plug->work);
	else
		dzr_run_plug_work(&plug->work);
}

bool dzr_run_add(struct dzr_log *log, struct dzr_cold_read *cr)
{
	struct dzr_run_plug *plug;
	struct blk_plug_cb *cb;
	LIST_HEAD(reads);

	cb = blk_check_plugged(dzr_run_unplug, log, sizeof(*plug));
	if (!cb)
		return false;
	plug = container_of(cb, struct dzr_run_plug, cb);
	if (!plug->nr)
		INIT_LIST_HEAD(&plug->reads);
	list_add_tail(&cr->link, &plug->reads);
	if (++plug->nr < DZR_RUN_READS)
		return true;
	/* To send them may sleep, which releases the plug: it is not ours then. */
	list_splice_init(&plug->reads, &reads);
	plug->nr = 0;
	dzr_run_release(log, &reads);
	return true;
}
