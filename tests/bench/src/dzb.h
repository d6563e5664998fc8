/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of dzb share: the device that main() has opened, and clocks. */
#ifndef DZB_H
#define DZB_H

#include <stddef.h>
#include "heap.h"

extern const char *device;
extern uint64_t count, seed;	/* blocks of it, and what they follow from */
extern struct block *buf;	/* some memory for I/O */

void usage(void) __attribute__((noreturn));
void die(const char *what) __attribute__((noreturn));
uint64_t number(const char *s);

/* Nanoseconds of the guest's clock. */
uint64_t now(void);

/* How long the guest's processors have run, where the module clock is; else 0. */
uint64_t cpu_now(void);

void *memory(size_t bytes);
void read_at(struct block *to, uint64_t block, unsigned int n);

void on_cpu(int cpu);

/* All blocks; discards a random half, one by one. */
void fill(void);
void halve(void);

/* @what: 'a'll blocks are there, one 'h'alf, 'n'one. */
void verify(char what);

/* For qsort() of uint32_t. */
int by_value(const void *a, const void *b);

/*
 * Reads @n single blocks, each another one, in random order, and compares them:
 * @what: 'a'll hold what they should, 'n'one (they are zero), '-': not compared.
 */
void single_reads(uint64_t n, char what);

/*
 * Writes of single blocks, timed in the kernel, while the device is compacted; or
 * while the other processor has something else to do: @control.
 */
void beside_writes(unsigned int cycles, int control);

/*
 * Waits until a disk has written something, and nothing more for @quiet_ms. Says
 * when, and how long the processors ran meanwhile.
 */
void watch_writes(const char *stat, uint64_t quiet_ms, uint64_t limit_s);

#endif /* DZB_H */
