/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/overflow.h>

#define SLAB_HWCACHE_ALIGN	0x1u
#define SLAB_RECLAIM_ACCOUNT	0x2u
#define ARCH_KMALLOC_MINALIGN	8

struct kmem_cache;

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *obj);

#define kmalloc(size, gfp)	shim_malloc(size, gfp)
#define kzalloc(size, gfp)	shim_malloc(size, (gfp) | __GFP_ZERO)
#define kcalloc(n, size, gfp)	kzalloc(array_size(n, size), gfp)
#define kmalloc_array(n, size, gfp)	kmalloc(array_size(n, size), gfp)
#define kvmalloc(size, gfp)	kmalloc(size, gfp)
#define kvzalloc(size, gfp)	kzalloc(size, gfp)
#define kvcalloc(n, size, gfp)	kcalloc(n, size, gfp)
#define kvmalloc_array(n, size, gfp)	kmalloc_array(n, size, gfp)
#define kfree(p)		shim_free((void *)(p))
#define kvfree(p)		kfree(p)
#define kfree_sensitive(p)	kfree(p)

#endif /* SHIM_LINUX_SLAB_H */
