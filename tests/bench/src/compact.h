/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A full compaction of either device, from the calling thread: the message
 * "compact" of a dm-zram device, or sysfs of a zram.
 */
#ifndef DZB_COMPACT_H
#define DZB_COMPACT_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>

static int compact_dm(const char *name)
{
	struct {
		struct dm_ioctl io;
		struct dm_target_msg msg;
		char text[16];
	} __attribute__((aligned(8))) m = {
		.io = { .version = { 4, 0, 0 }, .data_size = sizeof(m) },
		.text = "",
	};
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC), ret;

	m.io.data_start = offsetof(__typeof__(m), msg);
	snprintf(m.io.name, sizeof(m.io.name), "%s", name);
	strcpy(m.msg.message, "compact");
	ret = fd < 0 ? -1 : ioctl(fd, DM_TARGET_MSG, &m);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int compact_zram(const char *name)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/block/%s/compact", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = fd < 0 || write(fd, "1", 1) != 1 ? -1 : 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* @device: /dev/mapper/NAME or /dev/zramN. */
static int compact(const char *device)
{
	const char *name = strrchr(device, '/') + 1;

	return strncmp(name, "zram", 4) ? compact_dm(name) : compact_zram(name);
}

#endif /* DZB_COMPACT_H */
