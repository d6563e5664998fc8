/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How busy the device is: the number of reads and writes in flight, averaged
 * over the last milliseconds.
 *
 * The times that I/Os have taken add up on each CPU; what they grow by, over the
 * time in which they do, is the average number in flight (Little's law). A hit
 * in RAM takes as long as a CPU works on it, so this is what part of the time
 * somebody was being served, or how many were at once. Those that have not ended
 * yet are counted by looking: the larger of the two is a sample. No shared cache
 * line is written; the average is brought up to date by whoever asks.
 */
#ifndef DZR_LOAD_H
#define DZR_LOAD_H

#include <linux/types.h>

struct dzr_dev;

/* One I/O in flight all the time. */
#define DZR_LOAD_ONE	256U

/**
 * struct dzr_load - the average
 * @sampled: when it was brought up to date, in ns
 * @served: time that all I/Os had taken then, in ns
 * @average: I/Os in flight, in 1/DZR_LOAD_ONE; weight 1/16 for each millisecond
 * @busy: from 1/8 on, until it is below 1/32
 */
struct dzr_load {
	u64 sampled;
	u64 served;
	u32 average;
	bool busy;
};

/**
 * dzr_load_begin - an I/O begins
 * @d: the device
 *
 * Context: process.
 * Return: what dzr_load_end() wants to have.
 */
u64 dzr_load_begin(struct dzr_dev *d);

/**
 * dzr_load_end - it ends
 * @d: the device
 * @begin: when it has begun
 *
 * Context: process; perhaps on another CPU.
 */
void dzr_load_end(struct dzr_dev *d, u64 begin);

/**
 * dzr_load_busy - is somebody being served?
 * @d: the device
 *
 * Context: any; walks all possible CPUs once in a millisecond.
 * Return: true once the average is 1/8, that part of the time, and until it is
 * below 1/32.
 */
bool dzr_load_busy(struct dzr_dev *d);

#endif /* DZR_LOAD_H */
