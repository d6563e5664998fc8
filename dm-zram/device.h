/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One dm-zram instance: table, pool, log, workers. It outlives dm tables: a
 * reload hands it over from the old table to the new one.
 *
 * Lock order, outermost first:
 *
 *   dzr_devices_lock		the list of instances
 *   d->hand_lock		demotion: one clock hand
 *   stream->lock		a codec workspace (mutex)
 *   opener->lock		what opens a group (mutex)
 *   entry lock			one block (bit spinlock)
 *   pool and log locks		spinlocks, see zsmalloc/dzs.h and log.h
 *   d->defer_lock		the list of bios that wait (spinlock)
 *   spread->lock		parts of large bios that wait for a helper (spinlock)
 *   d->wear_lock		the wear budget (spinlock)
 */
#ifndef DZR_DEVICE_H
#define DZR_DEVICE_H

#include <linux/bio.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "btable.h"
#include "codec.h"
#include "dzs.h"
#include "load.h"
#include "log.h"
#include "policy.h"
#include "preclean.h"
#include "spread.h"
#include "stats.h"
#include "stream.h"
#include "table.h"
#include "wear.h"

struct dzr_colddev;
struct dzr_grouping;
struct dzr_takeover;
struct mapped_device;
struct dm_target;

/* One number: blocks of 4096 bytes, in sectors. */
#define DZR_BLOCK_SHIFT		12
#define DZR_BLOCK_SECTORS	(DZR_BLOCK_SIZE >> SECTOR_SHIFT)

/* An object's owner word and an entry's location have room for 2^32 blocks. */
#define DZR_MAX_BLOCKS		(1ULL << 32)

/**
 * enum dzr_cause - why a block leaves RAM
 * @DZR_CAUSE_LIMIT: the pool is above its mark
 * @DZR_CAUSE_PRESSURE: reclaim has asked
 * @DZR_CAUSE_AGE: it was not used for long
 * @DZR_CAUSE_MESSAGE: the operator wants it
 */
enum dzr_cause {
	DZR_CAUSE_LIMIT,
	DZR_CAUSE_PRESSURE,
	DZR_CAUSE_AGE,
	DZR_CAUSE_MESSAGE,
};

/**
 * struct dzr_hand - the clock hand that ages blocks and picks the old ones
 * @block: next block to visit
 * @threshold: age from which a block is demoted
 * @barren: rotations since it last gained anything
 * @early: age from which blocks that were read are demoted, 0: @threshold; see
 *	&struct dzr_reuse
 */
struct dzr_hand {
	u64 block;
	u8 threshold;
	u8 barren;
	u8 early;
};

/**
 * struct dzr_dev - one device
 * @list: in the list of all devices
 * @users: dm tables that hold the device
 * @md: the mapped device it belongs to
 * @ti: the live target, for dm events; NULL while suspended
 * @live: the table's part that @cfg came from; only compared
 * @dev: its device number, for events
 * @cold_dev: device number of the cold device, 0 without
 * @cold: the cold device, or NULL
 * @cold_old: the one that blocks move off, or NULL
 * @let_go_work: lets go of @cold_old when it is empty
 * @retired: takeovers that took effect, whose remains are to be freed
 * @sectors: size of the device; changed under @hand_lock, while suspended
 * @cfg: configuration in force; changed and copied under @hand_lock
 * @policy: as in @cfg, for the I/O path
 * @bt: block table
 * @pool: hot tier
 * @log: cold tier, or NULL
 * @streams: codec workspaces
 * @grouping: what groups take; NULL until cold_algorithm has asked for them
 * @stats: counters
 * @wq: all work that I/O may wait for; has a rescuer
 * @limit: soft limit of the pool in bytes; U64_MAX: none
 * @marks: where demotion starts and stops, in bytes
 * @wear_lock: guards @wear, @wear_told, and the writing of @marks and @thrifty
 * @wear: the wear budget
 * @wear_told: it was said that the budget is used up
 * @thrifty: it is used up: see budget.h
 * @peak: largest pool seen, in pages
 * @suspended: background work is stopped
 * @frozen: it is, for an image is being made; changes under dzr_devices_lock
 * @no_image: it is swap besides: only what is swapped out may be written
 * @swapped: something was swapped out to the device, or to one above
 * @defer_lock: guards @deferred
 * @deferred: bios that wait for memory or the log, in order of arrival
 * @nr_deferred: bios in @deferred or in the worker's hands
 * @starved: since when (jiffies) the first deferred bio has had no memory,
 *	or 0; only the worker uses it
 * @io_work: tries deferred bios again
 * @io_retry: the same, when nothing else would wake them
 * @spread: parts of large bios, and who helps with them
 * @hand_lock: one demotion at a time
 * @hand: pressure's clock hand
 * @sweep_hand: age's clock hand
 * @preclean: what is written ahead of need
 * @drop: the hand that looks for clean blocks
 * @reuse: are blocks read again? Guarded by @hand_lock
 * @demote_work: demotes while the pool is above its marks, or for @pressure
 * @demoting: above @marks.start once, not below @marks.stop yet
 * @oom_mark: bytes the pool is to come down to before anything is killed; 0: none
 * @oom: called before the kernel kills a process for memory
 * @pressure: blocks that @hand has yet to visit for reclaim
 * @sweep_work: ages all blocks bit by bit, demotes the oldest
 * @refill_work: tops up the reserves of pages
 * @event_work: raises a dm event
 * @event_due: an event that a suspend has kept from being raised
 * @last_ios: blocks read and written up to the last tick of the sweep
 * @last_in: blocks read from the log up to the last tick
 * @last_out: blocks that left RAM up to then
 * @refaulting: blocks come back about as fast as they go
 * @sweep_end: where @sweep_hand must get to in this tick
 * @sweep_due: when the next tick is to begin (jiffies)
 * @sweep_idle: the device was idle when the tick began
 * @shrinker: our share in memory reclaim
 * @load: how busy the device is
 * @compact_work: compaction that waits for the device to be idle
 * @debugfs: directory in debugfs
 */
struct dzr_dev {
	struct list_head list;
	unsigned int users;
	struct mapped_device *md;
	struct dm_target *ti;
	const void *live;
	dev_t dev;
	dev_t cold_dev;
	struct dzr_colddev *cold;
	struct dzr_colddev *cold_old;
	struct work_struct let_go_work;
	struct llist_head retired;
	sector_t sectors;
	struct dzr_config cfg;
	const struct dzr_policy *policy;

	struct dzr_btable *bt;
	struct dzs_pool *pool;
	struct dzr_log *log;
	struct dzr_streams *streams;
	struct dzr_grouping *grouping;
	struct dzr_stats __percpu *stats;
	struct workqueue_struct *wq;

	u64 limit;
	struct dzr_marks marks;
	spinlock_t wear_lock;
	struct dzr_wear wear;
	bool wear_told;
	bool thrifty;
	unsigned long peak;
	bool suspended;
	bool frozen;
	bool no_image;
	bool swapped;

	spinlock_t defer_lock;
	struct bio_list deferred;
	atomic_t nr_deferred;
	unsigned long starved;
	struct work_struct io_work;
	struct delayed_work io_retry;
	struct dzr_spread spread;

	struct mutex hand_lock;
	struct dzr_hand hand;
	struct dzr_hand sweep_hand;
	struct dzr_preclean preclean;
	struct dzr_drop drop;
	struct dzr_reuse reuse;
	struct work_struct demote_work;
	bool demoting;
	u64 oom_mark;
	struct notifier_block oom;
	atomic_long_t pressure;
	struct delayed_work sweep_work;
	struct work_struct refill_work;
	struct work_struct event_work;
	bool event_due;
	u64 last_ios;
	u64 last_in;
	u64 last_out;
	bool refaulting;
	u64 sweep_end;
	unsigned long sweep_due;
	bool sweep_idle;
	struct shrinker *shrinker;
	struct dzr_load load;
	struct delayed_work compact_work;
	struct dentry *debugfs;
};

/**
 * dzr_dev_get - find or create the device of a table that is being loaded
 * @md: the mapped device
 * @sectors: its size
 * @cfg: wanted configuration
 * @cold: the cold device, open for the table, or NULL
 * @tk: what the table brings, for dzr_dev_take()
 * @error: a message when it fails
 *
 * A mapped device that is active keeps its device, which is not touched here:
 * see takeover.h.
 *
 * Context: process; may sleep (GFP_KERNEL under memalloc_noio).
 * Return: the device with one more user, or ERR_PTR().
 */
struct dzr_dev *dzr_dev_get(struct mapped_device *md, sector_t sectors,
			    const struct dzr_config *cfg,
			    struct block_device *cold,
			    struct dzr_takeover **tk, char **error);

/**
 * dzr_dev_put - a table lets go of its device
 * @d: the device; destroyed with its last user
 *
 * Context: process; may sleep.
 */
void dzr_dev_put(struct dzr_dev *d);

/**
 * dzr_dev_take - a table takes effect
 * @d: the device, suspended
 * @tk: from dzr_dev_get(); it belongs to the device now
 * @error: a message when it fails
 *
 * Context: process, from preresume; allocates nothing.
 * Return: 0; -EINVAL: the device is another one than when the table was
 * loaded, and stays as it is. @tk still belongs to the caller then.
 */
int dzr_dev_take(struct dzr_dev *d, struct dzr_takeover *tk, char **error);

/**
 * dzr_dev_configure - put a configuration in force that needs nothing made
 * @d: the device
 * @cfg: the configuration
 *
 * Context: process; hand_lock held.
 */
void dzr_dev_configure(struct dzr_dev *d, const struct dzr_config *cfg);

/**
 * dzr_dev_set - change one argument of the configuration in force
 * @d: the device
 * @key: the argument's name
 * @value: as in a table line
 * @error: a message when it fails
 *
 * Context: process; may sleep.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int dzr_dev_set(struct dzr_dev *d, const char *key, const char *value,
		char **error);

/**
 * dzr_dev_config - the configuration in force
 * @d: the device
 * @cfg: a copy of it
 *
 * Context: process; may sleep.
 */
void dzr_dev_config(struct dzr_dev *d, struct dzr_config *cfg);

/**
 * dzr_dev_reserve - pages of the pool's reserve
 * @cfg: a configuration
 */
unsigned long dzr_dev_reserve(const struct dzr_config *cfg);

/**
 * dzr_dev_table_reserve - pages set aside for the block table
 * @sectors: size of the device
 * @cold: there is a cold device
 *
 * Return: no more than the whole table can take: leaves, and some interior pages.
 */
unsigned int dzr_dev_table_reserve(sector_t sectors, bool cold);

/**
 * dzr_dev_suspend - stop all background work
 * @d: the device; its bios have ended
 *
 * Context: process; waits for work and segment writes in flight.
 */
void dzr_dev_suspend(struct dzr_dev *d);

/**
 * dzr_dev_resume - start background work
 * @d: the device
 *
 * Context: process.
 */
void dzr_dev_resume(struct dzr_dev *d);

/**
 * dzr_dev_freeze - stop background work for hibernation
 * @d: the device; nothing happens if it is suspended
 * @swap: it is swap: the hibernation image is not to be written to it
 *
 * I/O is served further. A suspend or resume by dm ends it, too.
 *
 * Context: from dzr_dev_for_each(); waits for segment writes in flight.
 */
void dzr_dev_freeze(struct dzr_dev *d, bool swap);

/**
 * dzr_dev_thaw - undo dzr_dev_freeze(), if it is still in force
 * @d: the device
 *
 * Context: from dzr_dev_for_each().
 */
void dzr_dev_thaw(struct dzr_dev *d);

/**
 * dzr_dev_own - what follows is dm's to suspend or resume
 * @d: the device; dzr_dev_freeze() is not in force any more
 *
 * Context: process; before I/O is held back.
 */
void dzr_dev_own(struct dzr_dev *d);

/**
 * dzr_dev_for_each - call a function for each active device
 * @fn: what to call
 * @arg: its second argument
 *
 * Context: process; holds dzr_devices_lock meanwhile.
 */
void dzr_dev_for_each(void (*fn)(struct dzr_dev *d, void *arg), void *arg);

/**
 * dzr_dev_pool_bytes - what the pool holds now
 * @d: the device
 *
 * Context: any; cheap.
 */
static inline u64 dzr_dev_pool_bytes(struct dzr_dev *d)
{
	return (u64)dzs_pages(d->pool) << PAGE_SHIFT;
}

/**
 * dzr_dev_refill - have the reserves of pages topped up
 * @d: the device
 *
 * Context: any.
 */
void dzr_dev_refill(struct dzr_dev *d);

#endif /* DZR_DEVICE_H */
