// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-series FILE DISK-STAT [NAME...]: twice a second a line in FILE: seconds since the start, KiB of all
 * compressed pools, KiB available, KiB written to the disk and read from it. The pools are those of the
 * zrams that are there now, of zswap, and of the zram devices NAME of device-mapper.
 * What it needs is locked in memory and it starts no process: a row with more devices to ask does not
 * pay more for being watched.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "dmctl.h"

#define EVERY_NS	500000000L
#define FILE_MAX	8192

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* A file that is read again and again. */
static int open_again(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s", path);
	return fd;
}

static char *read_again(int fd)
{
	static char text[FILE_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Word number @i of @text; any blanks between them. */
static uint64_t word(const char *text, unsigned int i)
{
	for (text += strspn(text, " "); i--; text += strspn(text, " "))
		text += strcspn(text, " ");
	return strtoull(text, NULL, 10);
}

/* A line of /proc/meminfo, KiB; 0 if there is none. */
static uint64_t meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? word(line + strlen(name), 0) : 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	struct timespec start, next, now;
	static struct dmc dm;
	static char fields[FILE_MAX];
	int out, disk, memory, *zram, i;
	size_t zrams, z;
	glob_t found;

	if (argc < 3) {
		fprintf(stderr, "usage: dmz-series FILE DISK-STAT [NAME...]\n");
		return 2;
	}
	out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0)
		die("%s", argv[1]);
	disk = open_again(argv[2]);
	memory = open_again("/proc/meminfo");

	if (glob("/sys/block/zram*/mm_stat", 0, NULL, &found))
		found.gl_pathc = 0;
	zrams = found.gl_pathc;
	zram = calloc(zrams + 1, sizeof(*zram));
	if (!zram)
		die("memory");
	for (z = 0; z < zrams; z++)
		zram[z] = open_again(found.gl_pathv[z]);

	if (argc > 3) {
		dmc_open(&dm);
		errno = dmc_message(&dm, argv[3], fields, sizeof(fields), "fields");
		if (errno)
			die("%s: fields", argv[3]);
	}

	sigaction(SIGTERM, &action, NULL);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	clock_gettime(CLOCK_MONOTONIC, &start);
	next = start;
	for (;;) {
		uint64_t pool = 0, available, written, read_kib;
		char line[128], *text;
		int n;

		next.tv_nsec += EVERY_NS;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
		if (stop)
			return 0;
		for (z = 0; z < zrams; z++)
			pool += word(read_again(zram[z]), 2) / 1024;
		for (i = 3; i < argc; i++)
			pool += dmc_stat(&dm, argv[i], fields, "pool_bytes") / 1024;
		text = read_again(memory);
		available = meminfo(text, "MemAvailable:");
		pool += meminfo(text, "Zswap:");
		text = read_again(disk);
		written = word(text, 6) / 2;
		read_kib = word(text, 2) / 2;
		clock_gettime(CLOCK_MONOTONIC, &now);
		n = snprintf(line, sizeof(line), "%.2f %llu %llu %llu %llu\n",
			     (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9,
			     (unsigned long long)pool, (unsigned long long)available,
			     (unsigned long long)written, (unsigned long long)read_kib);
		if (write(out, line, n) != n)
			die("%s", argv[1]);
	}
}
