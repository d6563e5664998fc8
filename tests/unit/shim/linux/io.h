/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_IO_H
#define SHIM_LINUX_IO_H

#include <linux/types.h>

/* Objects of the shim's slab: one address space, physical is virtual. */
#define virt_to_phys(p)	((phys_addr_t)(uintptr_t)(p))
#define phys_to_virt(p)	((void *)(uintptr_t)(p))

#endif /* SHIM_LINUX_IO_H */
