/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BYTEORDER_H
#define SHIM_LINUX_BYTEORDER_H

#include <linux/types.h>

#include <endian.h>

#define cpu_to_le16(x)	((__le16)htole16(x))
#define cpu_to_le32(x)	((__le32)htole32(x))
#define cpu_to_le64(x)	((__le64)htole64(x))
#define le16_to_cpu(x)	le16toh((u16)(x))
#define le32_to_cpu(x)	le32toh((u32)(x))
#define le64_to_cpu(x)	le64toh((u64)(x))

#endif /* SHIM_LINUX_BYTEORDER_H */
