/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_WAIT_H
#define SHIM_LINUX_WAIT_H

#include <linux/types.h>

typedef struct {
	struct list_head head;
} wait_queue_head_t;

#endif /* SHIM_LINUX_WAIT_H */
