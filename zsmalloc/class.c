// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: the size classes: their layout, built once, at creation, and constant
 * afterwards; their sums and their locks.
 *
 * A zspage of k pages holds n slots of floor(k * 4096 / n) bytes. Going down
 * from the largest slot, a class is worth having when a slot of it costs at
 * least 1/192 less than one of the class above, its share of the descriptor
 * included. Among the sizes around the first such one the cheapest
 * in waste is taken, and each size is given the chain length that makes a slot
 * of it cheapest. So two classes of the same layout cannot arise, and no object
 * is rounded up by much more than the geometry of whole pages forces on it.
 */
#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "dzs-internal.h"

/*
 * A byte of a descriptor counts as so many bytes of a page: metadata has a tight
 * budget of its own, and the classes should not meet it by luck.
 */
#define DESC_WEIGHT	12U
#define DESC_COST	(DESC_WEIGHT * sizeof(struct dzs_zspage))

/* The way to cut pages into slots of one size. */
struct layout {
	unsigned int size;
	unsigned int slots;
	unsigned int chain;
	unsigned int cost;	/* of a slot, in 1/256 byte */
};

/* The best layout for @size: the least cost of a slot. */
static struct layout layout_for(unsigned int size)
{
	struct layout best = { .size = size, .cost = ~0U };
	unsigned int chain, slots, cost;

	for (chain = 1; chain <= DZS_MAX_CHAIN; chain++) {
		slots = chain * PAGE_SIZE / size;
		if (slots > DZS_MAX_SLOTS ||
		    (chain < DZS_MIN_CHAIN && slots < DZS_MAX_SLOTS / 2))
			continue;
		cost = (chain * PAGE_SIZE + DESC_COST) * 256 / slots;
		if (cost <= best.cost) {
			best.slots = slots;
			best.chain = chain;
			best.cost = cost;
		}
	}
	return best;
}

/* Bytes, in 1/256, that a slot of this layout costs beyond its size. */
static unsigned int layout_waste(const struct layout *l)
{
	return l->cost - l->size * 256;
}

/* The class below @above; its size is 0 when there is none. */
static struct layout layout_below(const struct layout *above)
{
	unsigned int target = above->cost - above->cost / 192;
	struct layout best = { .size = 0 };
	unsigned int size, last = DZS_MIN_SLOT;

	for (size = above->size - DZS_ALIGN; size >= last; size -= DZS_ALIGN) {
		struct layout l = layout_for(size);

		if (l.cost > target)
			continue;
		if (!best.size) {
			best = l;
			last = max(last, size - size / 128);
		} else if (layout_waste(&l) < layout_waste(&best)) {
			best = l;
		}
	}
	return best;
}

static void class_init(struct dzs_class *class, unsigned int index,
		       const struct layout *l)
{
	unsigned int i;

	spin_lock_init(&class->lock);
	init_llist_head(&class->queue);
	class->size = l->size;
	class->slots = l->slots;
	class->chain = l->chain;
	class->index = index;
	for (i = 0; i <= DZS_MAX_CHAIN; i++)
		class->cap[i] = min_t(unsigned int, i * PAGE_SIZE / l->size,
				      l->slots);
	for (i = 0; i < DZS_NR_GROUPS; i++)
		INIT_LIST_HEAD(&class->group[i]);
}

int dzs_classes_init(struct dzs_pool *pool)
{
	struct layout next, l = layout_for(DZS_MAX_SLOT);
	unsigned int i = DZS_MAX_SLOT / DZS_ALIGN;
	unsigned int n;

	for (n = 0; n < DZS_MAX_CLASSES && l.size; n++, l = next) {
		next = layout_below(&l);
		if (WARN_ON_ONCE(!l.slots || l.slots * l.size >
				 l.chain * PAGE_SIZE ||
				 (next.size &&
				  l.size - next.size > DZS_MAX_GAP)))
			return -EINVAL;
		class_init(&pool->classes[n], n, &l);
		while (i > next.size / DZS_ALIGN)
			pool->class_of[--i] = n;
	}
	pool->nr_classes = n;
	return WARN_ON_ONCE(l.size) ? -EINVAL : 0;
}

unsigned long dzs_class_objects(struct dzs_pool *pool,
				const struct dzs_class *class)
{
	u32 objects = READ_ONCE(class->taken);
	int cpu;

	for_each_possible_cpu(cpu)
		objects -= READ_ONCE(per_cpu_ptr(pool->freed, cpu)
				     ->objects[class->index]);
	/* What was taken after our look, and freed before it. */
	return (s32)objects < 0 ? 0 : objects;
}

unsigned long dzs_class_room(struct dzs_pool *pool,
			     const struct dzs_class *class)
{
	unsigned long slots = READ_ONCE(class->nr_slots);
	unsigned long objects = dzs_class_objects(pool, class);

	return slots > objects ? slots - objects : 0;
}

void dzs_class_lock(struct dzs_pool *pool, struct dzs_class *class)
	__acquires(&class->lock)
{
	u64 since;

	if (likely(spin_trylock(&class->lock)))
		return;
	if (!(READ_ONCE(pool->compact.busy) & 1)) {
		spin_lock(&class->lock);
		return;
	}
	since = ktime_get_ns();
	spin_lock(&class->lock);
	dzs_clock_add(&pool->wait, ktime_get_ns() - since);
}

bool dzs_class_info(struct dzs_pool *pool, unsigned int i,
		    struct dzs_class_info *info)
{
	const struct dzs_class *class = &pool->classes[i];

	if (i >= pool->nr_classes)
		return false;
	*info = (struct dzs_class_info) {
		.size = class->size,
		.slots = class->slots,
		.chain = class->chain,
		.zspages = READ_ONCE(class->nr_zspages),
		.pages = READ_ONCE(class->nr_pages),
		.objects = dzs_class_objects(pool, class),
		.free_slots = dzs_class_room(pool, class),
	};
	return true;
}
