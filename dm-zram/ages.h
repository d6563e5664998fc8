/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How old the blocks are: what the message "ages" prints.
 *
 * Locks: none. Entries are looked at one after the other while others change
 * them, so that the counts are those of no one instant.
 */
#ifndef DZR_AGES_H
#define DZR_AGES_H

#include "device.h"

/**
 * dzr_ages_print - count the blocks of each age, and write it as text
 * @d: the device
 * @buf: where to
 * @size: room there, in bytes
 *
 * Lines of a name and a number: rotation_seconds, for one rotation of the slow
 * hand, 0 if there is none; ram_<n>, blocks in RAM that <n> rotations have seen
 * untouched; ram_read_<n>, those of them that were read since they were written;
 * cold_<n>, cold blocks whose previous cold read is <n> rotations ago;
 * sampled_reads_<n>, reads of sampled blocks in RAM that had that age.
 *
 * Context: process; may sleep, and takes time in proportion to the blocks that
 * were ever written. Can be killed.
 * Return: 0 or -EINTR.
 */
int dzr_ages_print(struct dzr_dev *d, char *buf, unsigned int size);

#endif /* DZR_AGES_H */
