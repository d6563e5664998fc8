/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/build_bug.h>

#include "shim.h"

/* A warning ends the test, unless the test said that it expects some. */
#define WARN_ON(cond)		shim_warn_on(cond, __FILE__, __LINE__, #cond)
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define WARN(cond, ...)		WARN_ON(cond)
#define WARN_ONCE(cond, ...)	WARN_ON(cond)
#define VM_WARN_ON_ONCE(cond)	((void)WARN_ON(cond))

#endif /* SHIM_LINUX_BUG_H */
