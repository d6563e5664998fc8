/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device-mapper by ioctl: what dmsetup does, without a process for each step,
 * so that a test can do it thousands of times. Errors end the program, but for
 * those of messages, which are returned.
 */
#ifndef DMZ_TEST_DMCTL_H
#define DMZ_TEST_DMCTL_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>

#define DMC_BYTES	16384u

struct dmc {
	int fd;
	union {
		struct dm_ioctl io;
		char raw[DMC_BYTES];
	};
};

static inline void __attribute__((format(printf, 1, 2), noreturn)) die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (errno %s)\n", strerror(err));
	exit(1);
}

static inline void dmc_open(struct dmc *c)
{
	c->fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (c->fd < 0)
		die("/dev/mapper/control");
}

/* An empty request for a device. */
static inline void *dmc_request(struct dmc *c, const char *name, uint32_t flags)
{
	memset(c->raw, 0, sizeof(c->raw));
	c->io.version[0] = 4;
	c->io.data_size = sizeof(c->raw);
	c->io.data_start = sizeof(c->io);
	c->io.flags = flags;
	snprintf(c->io.name, sizeof(c->io.name), "%s", name);
	return c->raw + sizeof(c->io);
}

static inline void dmc_do(struct dmc *c, unsigned long request, const char *what)
{
	char name[sizeof(c->io.name)];

	memcpy(name, c->io.name, sizeof(name));
	if (ioctl(c->fd, request, &c->io))
		die("%s: %s", name, what);
}

/* Return: its number. */
static inline dev_t dmc_create(struct dmc *c, const char *name, uint64_t sectors,
			       const char *type, const char *params)
{
	struct dm_target_spec *spec;
	uint64_t dev;

	dmc_request(c, name, 0);
	dmc_do(c, DM_DEV_CREATE, "create");
	dev = c->io.dev;
	spec = dmc_request(c, name, 0);
	c->io.target_count = 1;
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	snprintf((char *)(spec + 1), DMC_BYTES - sizeof(c->io) - sizeof(*spec), "%s", params);
	dmc_do(c, DM_TABLE_LOAD, params);
	dmc_request(c, name, 0);
	dmc_do(c, DM_DEV_SUSPEND, "resume");
	return makedev((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00));
}

static inline void dmc_remove(struct dmc *c, const char *name)
{
	dmc_request(c, name, 0);
	dmc_do(c, DM_DEV_REMOVE, "remove");
}

/* Return: 0 or an errno; the answer, if any, in @answer (which may be NULL). */
static inline int dmc_message(struct dmc *c, const char *name, char *answer, size_t size,
			      const char *fmt, ...)
{
	struct dm_target_msg *msg = dmc_request(c, name, 0);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg->message, 256, fmt, ap);
	va_end(ap);
	if (ioctl(c->fd, DM_TARGET_MSG, &c->io))
		return errno;
	if (answer)
		snprintf(answer, size, "%s", c->io.flags & DM_DATA_OUT_FLAG ?
			 c->raw + c->io.data_start : "");
	return 0;
}

/* The status line of a device of one target. Return: in the request's buffer. */
static inline const char *dmc_status(struct dmc *c, const char *name)
{
	dmc_request(c, name, 0);
	dmc_do(c, DM_TABLE_STATUS, "status");
	return c->raw + c->io.data_start + sizeof(struct dm_target_spec);
}

/* Word number @i of a line, as a number. */
static inline uint64_t nth_number(const char *line, unsigned int i)
{
	while (i-- && line)
		line = strchr(line + 1, ' ');
	return line ? strtoull(line, NULL, 10) : 0;
}

/* A number of a zram device's status by name; @fields is the answer to that message. */
static inline uint64_t dmc_stat(struct dmc *c, const char *name, const char *fields,
				const char *field)
{
	const char *line = dmc_status(c, name);
	size_t len = strlen(field);
	unsigned int i = 0;

	for (; fields; fields = strchr(fields, ' '), i++) {
		fields += *fields == ' ';
		if (!strncmp(fields, field, len) && (!fields[len] || fields[len] == ' '))
			return nth_number(line, i);
	}
	errno = 0;
	die("STATUS has no field %s", field);
}

#endif /* DMZ_TEST_DMCTL_H */
