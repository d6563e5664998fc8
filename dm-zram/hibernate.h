/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hibernation: an image in RAM is lost when the power goes, and what is in RAM
 * may not get ahead of the image.
 *
 * While a device is in use as swap, hibernation is refused before anything is
 * done: the kernel might write the image to it. Who has another disk for the
 * image says so by the module's parameter "hibernation". Then, from the moment
 * when all processes are frozen, all devices have stopped demotion, cleaning and
 * writing: the log is as the image knows it. And an image that comes to one of
 * them nevertheless is refused, write by write, which ends hibernation with an
 * error.
 */
#ifndef DZR_HIBERNATE_H
#define DZR_HIBERNATE_H

/**
 * dzr_hibernate_init - when the module is loaded
 *
 * Context: process; may sleep.
 * Return: 0 or a negative errno.
 */
int dzr_hibernate_init(void);

/**
 * dzr_hibernate_exit - undo dzr_hibernate_init(); no device exists any more
 *
 * Context: process; may sleep.
 */
void dzr_hibernate_exit(void);

#endif /* DZR_HIBERNATE_H */
