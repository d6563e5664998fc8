// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-watch: the time limit of one step of a test. A task that hangs in the
 * kernel cannot be killed, and a shell that waits for it neither goes on nor
 * says anything: so somebody else must.
 *
 * usage: dmz-watch SECONDS TEST JOB WHAT
 *
 * After SECONDS, unless it has been killed before, it shows where JOB is,
 * says that WHAT has not ended, and kills TEST.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void show_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (n > 0)
		fwrite(text, 1, n, stderr);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char path[64];
	int fd;

	if (argc != 5) {
		fputs("usage: dmz-watch SECONDS TEST JOB WHAT\n", stderr);
		return 2;
	}
	for (unsigned int left = atoi(argv[1]); left; )
		left = sleep(left);
	fprintf(stderr, "FAILED: %s: not done after %s s\n", argv[4], argv[1]);
	snprintf(path, sizeof(path), "/proc/%d/stack", atoi(argv[3]));
	show_file(path);
	/* every blocked task goes to the kernel log */
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "w", 1) != 1)
			perror("sysrq-trigger");
		close(fd);
	}
	kill(atoi(argv[3]), SIGKILL);
	sleep(1);
	kill(atoi(argv[2]), SIGKILL);
	return 1;
}
