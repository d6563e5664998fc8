/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_GFP_H
#define SHIM_LINUX_GFP_H

#include <linux/types.h>

#include "shim.h"

#define __GFP_HIGH		0x0001u
#define __GFP_IO		0x0002u
#define __GFP_FS		0x0004u
#define __GFP_DIRECT_RECLAIM	0x0008u
#define __GFP_KSWAPD_RECLAIM	0x0010u
#define __GFP_NOWARN		0x0020u
#define __GFP_NOMEMALLOC	0x0040u
#define __GFP_ZERO		0x0080u
#define __GFP_HIGHMEM		0x0100u
#define __GFP_MOVABLE		0x0200u
#define __GFP_NORETRY		0x0400u
#define __GFP_RETRY_MAYFAIL	0x0800u
#define __GFP_MEMALLOC		0x1000u
#define __GFP_NOFAIL		0x2000u
#define __GFP_COMP		0x4000u
#define __GFP_ACCOUNT		0x8000u
#define __GFP_RECLAIM	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_NOIO	__GFP_RECLAIM
#define GFP_NOFS	(__GFP_RECLAIM | __GFP_IO)
#define GFP_NOWAIT	__GFP_KSWAPD_RECLAIM
#define GFP_ATOMIC	(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

#define alloc_page(gfp)		shim_alloc_page(gfp)
#define __free_page(page)	shim_free_page(page)

static inline void release_pages(struct page **pages, int nr)
{
	while (nr)
		shim_free_page(pages[--nr]);
}

#define page_to_pfn(page)	shim_page_to_pfn(page)
#define pfn_to_page(pfn)	shim_pfn_to_page(pfn)
#define page_address(page)	shim_page_address(page)
#define virt_to_page(addr)	shim_virt_to_page(addr)

static inline unsigned long __get_free_page(gfp_t gfp)
{
	struct page *page = alloc_page(gfp);

	return page ? (unsigned long)page_address(page) : 0;
}

#define get_zeroed_page(gfp)	__get_free_page((gfp) | __GFP_ZERO)

static inline void free_page(unsigned long addr)
{
	if (addr)
		__free_page(virt_to_page((void *)addr));
}

#endif /* SHIM_LINUX_GFP_H */
