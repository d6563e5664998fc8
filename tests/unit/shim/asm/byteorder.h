/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_BYTEORDER_H
#define SHIM_ASM_BYTEORDER_H

#include <linux/byteorder.h>

#endif /* SHIM_ASM_BYTEORDER_H */
