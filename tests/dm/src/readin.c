// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-readin: does what read() puts into a page last, when the page has just come back from swap?
 *
 * The page is then writable, clean, and still has a copy on the swap device; what the kernel writes
 * to it has to make it dirty. Not so on User Mode Linux as it is: see
 * scripts/kernel.d/uml-dirty.patch. Needs swap, and says nothing of the device below it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES	1024
#define PAGE	4096UL
#define SIZE	(PAGES * PAGE)

/* Returns how many pages have their data on the swap device alone. */
static unsigned int swapped(void *mem)
{
	uint64_t entry[PAGES];
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned int n = 0;

	if (fd < 0 || pread(fd, entry, sizeof(entry), (uintptr_t)mem / PAGE * sizeof(*entry)) != sizeof(entry)) {
		perror("dmz-readin: /proc/self/pagemap");
		exit(2);
	}
	close(fd);
	for (unsigned int i = 0; i < PAGES; i++)
		n += entry[i] >> 62 & 1;
	return n;
}

/* A page that is under writeback stays; another round takes it: half a minute of rounds, at least. */
static void swap_out(void *mem)
{
	for (int i = 0; i < 3000 && swapped(mem) < PAGES; i++) {
		if (madvise(mem, SIZE, MADV_PAGEOUT)) {
			perror("dmz-readin: madvise");
			exit(2);
		}
		usleep(10000);
	}
}

/* Returns how many pages do not begin with byte. */
static unsigned int wrong(const volatile unsigned char *mem, unsigned char byte)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		n += mem[i * PAGE] != byte;
	return n;
}

int main(void)
{
	unsigned char *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *news = malloc(SIZE);
	int fd = memfd_create("news", 0);
	unsigned int out, bad;

	if (mem == MAP_FAILED || !news || fd < 0) {
		perror("dmz-readin");
		return 2;
	}
	memset(mem, 1, SIZE);
	memset(news, 2, SIZE);
	if (write(fd, news, SIZE) != SIZE) {
		perror("dmz-readin: write");
		return 2;
	}
	swap_out(mem);
	out = swapped(mem);
	if (out < PAGES / 2) {
		fprintf(stderr, "dmz-readin: only %u of %u pages can be swapped out\n", out, PAGES);
		return 2;
	}
	bad = wrong(mem, 1);
	if (pread(fd, mem, SIZE, 0) != SIZE) {
		perror("dmz-readin: read");
		return 2;
	}
	swap_out(mem);
	bad += wrong(mem, 2);
	printf("%u of %u pages swapped out, %u wrong\n", out, PAGES, bad);
	return bad ? 1 : 0;
}
