// SPDX-License-Identifier: GPL-2.0
/*
 * dzs: handles, and the bytes behind them.
 *
 * A handle is, from bit 0: the index of the slot, then the physical address of
 * the zspage descriptor without its six zero bits; or, with the huge bit set,
 * a page frame number. A physical address of 52 bits fits.
 *
 * No locks here: the caller's entry lock keeps a live object where it is, and
 * what is read of its zspage does not change meanwhile (dzs-types.h). An
 * object lies in one page or in two neighbours of the chain.
 */
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/prefetch.h>
#include <linux/string.h>

#include "dzs-internal.h"

#define IDX_BITS	9
#define DESC_SHIFT	6

static_assert(1U << IDX_BITS == DZS_MAX_SLOTS);
static_assert(1U << DESC_SHIFT == sizeof(struct dzs_zspage));

dzs_handle_t dzs_slot_handle(struct dzs_slot slot)
{
	u64 desc = (u64)virt_to_phys(slot.zs) >> DESC_SHIFT;

	return (__force dzs_handle_t)(desc << IDX_BITS | slot.idx);
}

struct dzs_slot dzs_handle_slot(dzs_handle_t handle)
{
	u64 raw = (__force u64)handle;

	return (struct dzs_slot) {
		.zs = phys_to_virt((phys_addr_t)(raw >> IDX_BITS) <<
				   DESC_SHIFT),
		.idx = raw & (DZS_MAX_SLOTS - 1),
	};
}

dzs_handle_t dzs_page_handle(struct page *page)
{
	return (__force dzs_handle_t)(DZS_HANDLE_HUGE | page_to_pfn(page));
}

struct page *dzs_handle_page(dzs_handle_t handle)
{
	return pfn_to_page((unsigned long)((__force u64)handle & ~DZS_HANDLE_HUGE));
}

bool dzs_is_huge(dzs_handle_t handle)
{
	return (__force u64)handle & DZS_HANDLE_HUGE;
}

const void *dzs_map_huge(dzs_handle_t handle)
{
	if (!dzs_is_huge(handle))
		return NULL;
	return page_address(dzs_handle_page(handle));
}

/* Address of byte @pos of a zspage, and in @run the bytes left in its page. */
static u8 *zspage_addr(const struct dzs_zspage *zs, unsigned int pos,
		       unsigned int *run)
{
	struct page *page = pfn_to_page(zs->pfn[pos / PAGE_SIZE]);
	unsigned int off = pos % PAGE_SIZE;

	*run = PAGE_SIZE - off;
	return (u8 *)page_address(page) + off;
}

u8 *dzs_slot_header(const struct dzs_class *class, struct dzs_slot slot)
{
	unsigned int run;

	return zspage_addr(slot.zs, slot.idx * class->size, &run);
}

/* Address of byte @off of an object; @run bytes can be accessed there. */
static u8 *object_addr(const struct dzs_class *class, struct dzs_slot slot,
		       unsigned int off, unsigned int *run)
{
	return zspage_addr(slot.zs, slot.idx * class->size + DZS_HEADER_SIZE +
			   off, run);
}

void dzs_slot_write(const struct dzs_class *class, struct dzs_slot slot,
		    unsigned int off, const void *src, unsigned int len)
{
	unsigned int run;
	u8 *to;

	while (len) {
		to = object_addr(class, slot, off, &run);
		run = min(run, len);
		memcpy(to, src, run);
		src += run;
		off += run;
		len -= run;
	}
}

static void slot_read(const struct dzs_class *class, struct dzs_slot slot,
		      unsigned int off, void *dst, unsigned int len)
{
	unsigned int run;
	u8 *from;

	while (len) {
		from = object_addr(class, slot, off, &run);
		run = min(run, len);
		memcpy(dst, from, run);
		dst += run;
		off += run;
		len -= run;
	}
}

static struct dzs_class *slot_class(struct dzs_pool *pool, struct dzs_slot slot)
{
	return &pool->classes[dzs_state(slot.zs).class];
}

static unsigned int slot_len(const struct dzs_class *class,
			     struct dzs_slot slot)
{
	const u8 *header = dzs_slot_header(class, slot);

	return class->size - DZS_HEADER_SIZE - READ_ONCE(header[DZS_HEADER_PAD]);
}

void dzs_prefetch_zspage(dzs_handle_t handle)
{
	if (!dzs_is_huge(handle))
		prefetchw(dzs_handle_slot(handle).zs);
}

void dzs_prefetch(struct dzs_pool *pool, dzs_handle_t handle)
{
	struct dzs_slot slot;

	if (dzs_is_huge(handle))
		return;
	slot = dzs_handle_slot(handle);
	prefetchw(dzs_slot_header(slot_class(pool, slot), slot));
}

unsigned int dzs_size(struct dzs_pool *pool, dzs_handle_t handle)
{
	struct dzs_slot slot;

	if (dzs_is_huge(handle))
		return DZS_HUGE_SIZE;
	slot = dzs_handle_slot(handle);
	return slot_len(slot_class(pool, slot), slot);
}

/* How much of @len at @off lies in an object of @size bytes. */
static unsigned int clip(unsigned int size, unsigned int off, unsigned int len)
{
	if (!WARN_ON_ONCE(off > size || len > size - off))
		return len;
	return off > size ? 0 : size - off;
}

void dzs_read(struct dzs_pool *pool, dzs_handle_t handle, void *dst,
	      unsigned int off, unsigned int len)
{
	unsigned int n = clip(dzs_size(pool, handle), off, len);
	struct dzs_slot slot;

	memset(dst + n, 0, len - n);
	if (dzs_is_huge(handle)) {
		memcpy(dst, dzs_map_huge(handle) + off, n);
		return;
	}
	slot = dzs_handle_slot(handle);
	slot_read(slot_class(pool, slot), slot, off, dst, n);
}

void dzs_write(struct dzs_pool *pool, dzs_handle_t handle, const void *src,
	       unsigned int off, unsigned int len)
{
	unsigned int n = clip(dzs_size(pool, handle), off, len);
	struct dzs_slot slot;

	if (dzs_is_huge(handle)) {
		memcpy(page_address(dzs_handle_page(handle)) + off, src, n);
		return;
	}
	slot = dzs_handle_slot(handle);
	dzs_slot_write(slot_class(pool, slot), slot, off, src, n);
}

void dzs_copy(struct dzs_pool *pool, dzs_handle_t from, dzs_handle_t to)
{
	struct dzs_slot src = dzs_handle_slot(from);
	struct dzs_slot dst = dzs_handle_slot(to);
	struct dzs_class *class = slot_class(pool, src);
	unsigned int len = slot_len(class, src);
	unsigned int off, run;
	u8 *data;

	if (WARN_ON_ONCE(slot_class(pool, dst) != class ||
			 slot_len(class, dst) != len))
		return;
	for (off = 0; off < len; off += run) {
		data = object_addr(class, src, off, &run);
		run = min(run, len - off);
		dzs_slot_write(class, dst, off, data, run);
	}
}
