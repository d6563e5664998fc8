/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MEMPOOL_H
#define SHIM_LINUX_MEMPOOL_H

typedef struct mempool mempool_t;

#endif /* SHIM_LINUX_MEMPOOL_H */
