// SPDX-License-Identifier: GPL-2.0
/*
 * dmz-pause: suspend a device, wait, resume it; with a table that was loaded, that
 * is what it goes on with. All in locked memory: of a swap device that is suspended
 * no page comes back, neither of a shell nor of dmsetup.
 */
#include <sys/mman.h>
#include "dmctl.h"

int main(int argc, char **argv)
{
	struct dmc c;

	if (argc != 3) {
		fputs("usage: dmz-pause NAME MILLISECONDS\n", stderr);
		return 2;
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	dmc_open(&c);
	dmc_request(&c, argv[1], DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG);
	dmc_do(&c, DM_DEV_SUSPEND, "suspend");
	usleep(strtoul(argv[2], NULL, 10) * 1000);
	dmc_request(&c, argv[1], 0);
	dmc_do(&c, DM_DEV_SUSPEND, "resume");
	return 0;
}
