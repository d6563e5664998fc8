// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel as a unit test sees it: memory, locks' owners, failure injection.
 *
 * Pages come from one large mapping with a table of frame numbers beside it.
 * A free page is poisoned for AddressSanitizer; a new one is filled with junk.
 * Freed frames are reused last-in first-out, so stale handles hurt soon.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "shim.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p), (void)(n))
#endif

#if __SIZEOF_LONG__ == 8
#define MAX_PAGES	(1UL << 19)
#define HIGH_PFN	(1UL << 33)
#else
#define MAX_PAGES	(1UL << 17)
#define HIGH_PFN	0UL		/* there are none */
#endif
#define PFN_BASE	0x1000UL
#define PAGE		4096UL
#define PCPU_CHUNK	64UL
#define PCPU_CHUNKS	1024UL		/* of one CPU */
#define PCPU_UNIT	(PCPU_CHUNK * PCPU_CHUNKS)

#define GFP_ZERO	0x0080u		/* as in linux/gfp.h */
#define GFP_MAY_SLEEP	0x0008u

struct page {
	unsigned int next;	/* free frame below this one */
	bool live;
	bool high;
};

struct kmem_cache {
	size_t size;
	size_t align;
	long live;
	void (*ctor)(void *obj);
};

struct shim shim = { .gfp_and = ~0U };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *arena;
static struct page frames[MAX_PAGES];
static unsigned int first_free;		/* index + 1; 0: none */
static unsigned int never_used;
static __thread int spin_depth;
static __thread char self;
static __thread int my_cpu = -1;

int shim_fence_word;

void shim_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	abort();
}

void shim_warn(const char *file, int line, const char *cond)
{
	__atomic_fetch_add(&shim.warns, 1, __ATOMIC_RELAXED);
	if (!shim.expect_warn)
		shim_die(file, line, cond);
}

void *shim_self(void)
{
	return &self;
}

void shim_depth(int change)
{
	spin_depth += change;
}

void shim_lock_taken(void **owner)
{
	__atomic_store_n(owner, shim_self(), __ATOMIC_RELAXED);
	spin_depth++;
}

void shim_lock_dropped(void **owner)
{
	shim_assert_held(owner);
	__atomic_store_n(owner, NULL, __ATOMIC_RELAXED);
	spin_depth--;
}

void shim_assert_held(void **owner)
{
	check(__atomic_load_n(owner, __ATOMIC_RELAXED) == shim_self());
}

bool shim_contended(void)
{
	return shim.contended;
}

void shim_might_sleep(void)
{
	check(!spin_depth);
}

uint64_t shim_clock(void)
{
	struct timespec ts;

	if (shim.clock_ns)
		return shim.clock_ns;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void shim_fail(unsigned int kinds, unsigned long at, bool on)
{
	shim.fail_kinds = kinds;
	shim.fail_at = at;
	shim.fail_on = on;
	shim.allocs = 0;
}

void shim_no_fail(void)
{
	shim_fail(0, 0, false);
	shim.fail_every = 0;
	shim.high_pfn_every = 0;
}

/* Called for each allocation; decides whether it fails. */
static bool alloc_fails(enum shim_kind kind, unsigned int gfp)
{
	unsigned long n;

	if (gfp & GFP_MAY_SLEEP)
		shim_might_sleep();
	else if (kind != SHIM_MALLOC)
		__atomic_fetch_and(&shim.gfp_and, gfp, __ATOMIC_RELAXED);
	check(!shim.strict || !spin_depth);
	if (shim.at_alloc_kinds & kind) {
		shim.at_alloc_kinds = 0;
		shim.at_alloc();
	}
	if (!(shim.fail_kinds & kind))
		return false;
	n = __atomic_add_fetch(&shim.allocs, 1, __ATOMIC_RELAXED);
	if (shim.fail_every && n % shim.fail_every == 0)
		return true;
	return shim.fail_at &&
	       (shim.fail_on ? n >= shim.fail_at : n == shim.fail_at);
}

static void *frame_addr(const struct page *page)
{
	return arena + (page - frames) * PAGE;
}

static void arena_init(void)
{
	arena = mmap(NULL, MAX_PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(arena != MAP_FAILED);
}

struct page *shim_alloc_page(unsigned int gfp)
{
	struct page *page = NULL;
	static unsigned long count;

	if (alloc_fails(SHIM_PAGE, gfp))
		return NULL;
	pthread_mutex_lock(&lock);
	if (!arena)
		arena_init();
	if (first_free) {
		page = &frames[first_free - 1];
		first_free = page->next;
	} else if (never_used < MAX_PAGES) {
		page = &frames[never_used++];
	}
	if (page) {
		page->live = true;
		page->high = shim.high_pfn_every &&
			     ++count % shim.high_pfn_every == 0;
		shim.pages++;
		if (shim.pages > shim.max_pages)
			shim.max_pages = shim.pages;
	}
	pthread_mutex_unlock(&lock);
	if (!page)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(frame_addr(page), PAGE);
	memset(frame_addr(page), gfp & GFP_ZERO ? 0 : 0xa5, PAGE);
	return page;
}

void shim_free_page(struct page *page)
{
	check(page >= frames && page < frames + MAX_PAGES && page->live);
	check(!shim.strict || !spin_depth);
	ASAN_POISON_MEMORY_REGION(frame_addr(page), PAGE);
	pthread_mutex_lock(&lock);
	page->live = false;
	page->next = first_free;
	first_free = page - frames + 1;
	shim.pages--;
	pthread_mutex_unlock(&lock);
}

unsigned long shim_page_to_pfn(const struct page *page)
{
	return page - frames + PFN_BASE + (page->high ? HIGH_PFN : 0);
}

struct page *shim_pfn_to_page(unsigned long pfn)
{
	check(pfn >= PFN_BASE && pfn < PFN_BASE + MAX_PAGES);
	return &frames[pfn - PFN_BASE];
}

void *shim_page_address(const struct page *page)
{
	check(page->live);
	return frame_addr(page);
}

struct page *shim_virt_to_page(const void *addr)
{
	unsigned long off = (const char *)addr - arena;

	check(arena && off / PAGE < MAX_PAGES);
	return &frames[off / PAGE];
}

static void *object_alloc(size_t size, size_t align, unsigned int gfp)
{
	void *p = NULL;

	if (posix_memalign(&p, align, size ? size : 1))
		return NULL;
	memset(p, gfp & GFP_ZERO ? 0 : 0xa5, size);
	__atomic_fetch_add(&shim.objects, 1, __ATOMIC_RELAXED);
	return p;
}

static void object_free(void *p)
{
	check(!shim.strict || !spin_depth);
	if (p)
		__atomic_fetch_sub(&shim.objects, 1, __ATOMIC_RELAXED);
	free(p);
}

void *shim_malloc(size_t size, unsigned int gfp)
{
	if (size > SIZE_MAX / 2 || alloc_fails(SHIM_MALLOC, gfp))
		return NULL;
	return object_alloc(size, 64, gfp);
}

void shim_free(void *p)
{
	object_free(p);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *cache;

	(void)name;
	(void)flags;
	cache = shim_malloc(sizeof(*cache), GFP_MAY_SLEEP);
	if (cache)
		*cache = (struct kmem_cache) {
			.size = size,
			.align = align < 8 ? 8 : align,
			.ctor = ctor,
		};
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	check(!cache || !cache->live);
	shim_free(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, unsigned int gfp)
{
	void *p;

	if (alloc_fails(SHIM_CACHE, gfp))
		return NULL;
	p = object_alloc(cache->size, cache->align, gfp);
	if (p && cache->ctor)
		cache->ctor(p);
	__atomic_fetch_add(&cache->live, !!p, __ATOMIC_RELAXED);
	return p;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	__atomic_fetch_sub(&cache->live, 1, __ATOMIC_RELAXED);
	object_free(obj);
}

/* Let others run: soon again, or after a while. */
void shim_stand_back(void)
{
	static const struct timespec while_ = { .tv_nsec = 1000 };
	static __thread uint64_t state;
	uint64_t r;

	if (shim.meanwhile) {
		shim.meanwhile();
		return;
	}
	if (!state)
		state = (uintptr_t)&state;
	r = shim_random(&state);
	if (r % shim.jitter)
		return;
	if (r >> 62)
		sched_yield();
	else
		nanosleep(&while_, NULL);
}

int shim_cpu(void)
{
	static int threads;

	if (my_cpu < 0)
		my_cpu = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED) %
			 SHIM_CPUS;
	return my_cpu;
}

void shim_set_cpu(int cpu)
{
	check(cpu >= 0 && cpu < SHIM_CPUS);
	my_cpu = cpu;
}

/* Per-CPU memory: a unit for each CPU, cut in the same way; first fit. */
static char *pcpu;
static unsigned short pcpu_len[PCPU_CHUNKS];	/* chunks of what begins here */

static void pcpu_init(void)
{
	pcpu = mmap(NULL, SHIM_CPUS * PCPU_UNIT, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(pcpu != MAP_FAILED);
	ASAN_POISON_MEMORY_REGION(pcpu, SHIM_CPUS * PCPU_UNIT);
}

/* The first of @n free chunks in a row. */
static unsigned long pcpu_find(unsigned long n)
{
	unsigned long at = 0, free = 0;

	while (at + free < PCPU_CHUNKS && free < n) {
		if (pcpu_len[at + free]) {
			at += free + pcpu_len[at + free];
			free = 0;
		} else {
			free++;
		}
	}
	check(free == n);
	return at;
}

void *shim_alloc_percpu(size_t size, size_t align, unsigned int gfp)
{
	unsigned long at, n = (size + PCPU_CHUNK - 1) / PCPU_CHUNK;
	int cpu;

	check(size && align <= PCPU_CHUNK);
	if (alloc_fails(SHIM_MALLOC, gfp))
		return NULL;
	pthread_mutex_lock(&lock);
	if (!pcpu)
		pcpu_init();
	at = pcpu_find(n);
	pcpu_len[at] = n;
	shim.objects++;
	pthread_mutex_unlock(&lock);
	for (cpu = 0; cpu < SHIM_CPUS; cpu++) {
		void *p = shim_per_cpu(pcpu + at * PCPU_CHUNK, cpu);

		ASAN_UNPOISON_MEMORY_REGION(p, size);
		memset(p, 0, size);
	}
	return pcpu + at * PCPU_CHUNK;
}

void shim_free_percpu(void *p)
{
	unsigned long at = ((char *)p - pcpu) / PCPU_CHUNK;
	int cpu;

	check(!shim.strict || !spin_depth);
	if (!p)
		return;
	check((char *)p >= pcpu && at < PCPU_CHUNKS && pcpu_len[at]);
	for (cpu = 0; cpu < SHIM_CPUS; cpu++)
		ASAN_POISON_MEMORY_REGION(shim_per_cpu(p, cpu),
					  pcpu_len[at] * PCPU_CHUNK);
	pthread_mutex_lock(&lock);
	pcpu_len[at] = 0;
	shim.objects--;
	pthread_mutex_unlock(&lock);
}

void *shim_per_cpu(const void *p, int cpu)
{
	unsigned long off = (const char *)p - pcpu;

	check(cpu >= 0 && cpu < SHIM_CPUS);
	return (char *)p + (off < PCPU_UNIT ? cpu * PCPU_UNIT : 0);
}

void shim_check_leaks(const char *where)
{
	if (!shim.pages && !shim.objects)
		return;
	fprintf(stderr, "%s: %ld pages and %ld objects leaked\n", where,
		shim.pages, shim.objects);
	abort();
}

uint64_t shim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void shim_fill(void *buf, size_t len, uint64_t seed)
{
	char *p = buf;
	uint64_t v;

	for (; len >= 8; len -= 8, p += 8) {
		v = shim_random(&seed);
		memcpy(p, &v, 8);
	}
	v = shim_random(&seed);
	memcpy(p, &v, len);
}

bool shim_same(const void *buf, size_t len, uint64_t seed)
{
	const char *p = buf;
	uint64_t v;

	for (; len >= 8; len -= 8, p += 8) {
		v = shim_random(&seed);
		if (memcmp(p, &v, 8))
			return false;
	}
	v = shim_random(&seed);
	return !memcmp(p, &v, len);
}

uint64_t shim_div64(uint64_t n, uint64_t d)
{
	return n / d;
}

uint64_t shim_rem64(uint64_t n, uint64_t d)
{
	return n % d;
}

/* By hand, bit after bit: not every machine has 128. */
uint64_t shim_muldiv(uint64_t a, uint64_t b, uint64_t d)
{
	uint64_t high = 0, low = 0, q = 0, rem = 0;
	int i;

	for (i = 63; i >= 0; i--) {
		high = high << 1 | low >> 63;
		low <<= 1;
		if (b >> i & 1) {
			low += a;
			high += low < a;
		}
	}
	for (i = 127; i >= 0; i--) {
		bool carry = rem >> 63;

		rem = rem << 1 | ((i < 64 ? low >> i : high >> (i - 64)) & 1);
		q <<= 1;
		if (carry || rem >= d) {
			rem -= d;
			q |= 1;
		}
	}
	return q;
}

int shim_kstrtou64(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long v;
	char *end;

	if (*s == '+')
		s++;
	if (!isalnum((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, base);
	if (end == s)
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	if (errno)
		return -errno;
	*res = v;
	return 0;
}

unsigned long long shim_memparse(const char *s, char **end)
{
	static const char units[] = "KMGTPE";
	unsigned long long v;
	const char *unit;
	char *p;

	v = strtoull(s, &p, 0);
	unit = *p ? strchr(units, toupper((unsigned char)*p)) : NULL;
	if (unit) {
		v <<= 10 * (unit - units + 1);
		p++;
	}
	if (end)
		*end = p;
	return v;
}

int shim_scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	if (!size)
		return 0;
	return n < (int)size ? n : (int)size - 1;
}
