/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as a unit test sees it: what the headers in linux/ are built on,
 * and the knobs and counters that a test uses. Include it after any kernel
 * header, or alone.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page;

#define SHIM_CPUS	16	/* CPUs, over which threads are dealt out */

/* Kinds of allocation that can be told to fail. */
enum shim_kind {
	SHIM_PAGE	= 1,
	SHIM_CACHE	= 2,	/* kmem_cache_alloc() */
	SHIM_MALLOC	= 4,	/* kmalloc(), alloc_percpu(), and new caches */
	SHIM_ANY	= 7,
};

/**
 * struct shim - knobs (set by the test) and counters (read by it)
 * @fail_kinds: which kinds of allocation take part in failing
 * @fail_at: the allocation that fails, counted from 1; 0: none
 * @fail_on: all from @fail_at on fail, not just that one
 * @fail_every: of all allocations, one in so many fails; 0: none
 * @at_alloc_kinds: before the next allocation of these kinds, @at_alloc is called, once
 * @at_alloc: what somebody else does just then
 * @high_pfn_every: one page in so many has a frame number above 32 bits
 * @strict: no allocation, and no freeing, under a spinlock
 * @expect_warn: warnings are counted, they do not end the test
 * @contended: what spin_is_contended() says
 * @clock_ns: what the clock says; 0: real time
 * @jitter: before one exchange or lock in so many the thread stands back; 0: no
 * @meanwhile: with @jitter, called there instead each time: a test of one thread
 *	says what others do; it sets @jitter to 0 as long
 * @allocs: allocations that took part so far
 * @pages: pages allocated and not freed
 * @objects: other allocations not freed
 * @warns: warnings counted
 * @gfp_and: bits that all page and cache requests that may not sleep had
 * @max_pages: largest @pages so far
 */
struct shim {
	unsigned int fail_kinds;
	unsigned long fail_at;
	bool fail_on;
	unsigned long fail_every;
	unsigned int at_alloc_kinds;
	void (*at_alloc)(void);
	unsigned long high_pfn_every;
	bool strict;
	bool expect_warn;
	bool contended;
	uint64_t clock_ns;
	unsigned int jitter;
	void (*meanwhile)(void);
	unsigned long allocs;
	long pages;
	long objects;
	unsigned long warns;
	unsigned int gfp_and;
	long max_pages;
};

extern struct shim shim;

/* Used by tests. */
void shim_fail(unsigned int kinds, unsigned long at, bool on);
void shim_no_fail(void);
void shim_check_leaks(const char *where);
_Noreturn void shim_die(const char *file, int line, const char *what);
uint64_t shim_random(uint64_t *state);
/* From now on this thread runs on @cpu. */
void shim_set_cpu(int cpu);
/* Fill @len bytes with what @seed says; and compare. */
void shim_fill(void *buf, size_t len, uint64_t seed);
bool shim_same(const void *buf, size_t len, uint64_t seed);

#define check(cond) \
	do { if (!(cond)) shim_die(__FILE__, __LINE__, #cond); } while (0)

/* Used by the headers. */
struct page *shim_alloc_page(unsigned int gfp);
void shim_free_page(struct page *page);
unsigned long shim_page_to_pfn(const struct page *page);
struct page *shim_pfn_to_page(unsigned long pfn);
void *shim_page_address(const struct page *page);
struct page *shim_virt_to_page(const void *addr);
void *shim_malloc(size_t size, unsigned int gfp);
void shim_free(void *p);
void shim_warn(const char *file, int line, const char *cond);

static inline bool shim_warn_on(bool cond, const char *file, int line,
				const char *what)
{
	if (cond)
		shim_warn(file, line, what);
	return cond;
}

void *shim_alloc_percpu(size_t size, size_t align, unsigned int gfp);
void shim_free_percpu(void *p);
void *shim_per_cpu(const void *p, int cpu);
int shim_cpu(void);

void shim_stand_back(void);

/* Where threads meet; SHIM_STILL is for those who want no more than the code. */
static inline void shim_jitter(void)
{
#ifndef SHIM_STILL
	if (__builtin_expect(shim.jitter, 0))
		shim_stand_back();
#endif
}

void *shim_self(void);
void shim_depth(int change);
void shim_lock_taken(void **owner);
void shim_lock_dropped(void **owner);
void shim_assert_held(void **owner);
bool shim_contended(void);
void shim_might_sleep(void);
uint64_t shim_clock(void);
int shim_kstrtou64(const char *s, unsigned int base,
		   unsigned long long *res);
unsigned long long shim_memparse(const char *s, char **end);
int shim_scnprintf(char *buf, size_t size, const char *fmt, ...);

#endif /* SHIM_H */
