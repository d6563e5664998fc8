/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_UNALIGNED_H
#define SHIM_LINUX_UNALIGNED_H

#include <linux/types.h>

#include <endian.h>
#include <string.h>

#define shim_unaligned(name, type, from, to) \
static inline type get_unaligned_##name(const void *p) \
{ \
	type v; \
	memcpy(&v, p, sizeof(v)); \
	return from(v); \
} \
static inline void put_unaligned_##name(type v, void *p) \
{ \
	v = to(v); \
	memcpy(p, &v, sizeof(v)); \
}

shim_unaligned(le16, u16, le16toh, htole16)
shim_unaligned(le32, u32, le32toh, htole32)
shim_unaligned(le64, u64, le64toh, htole64)
shim_unaligned(be16, u16, be16toh, htobe16)
shim_unaligned(be32, u32, be32toh, htobe32)
shim_unaligned(be64, u64, be64toh, htobe64)

#endif /* SHIM_LINUX_UNALIGNED_H */
