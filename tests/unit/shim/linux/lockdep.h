/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LOCKDEP_H
#define SHIM_LINUX_LOCKDEP_H

#include <linux/types.h>
#include <linux/compiler.h>

#include "shim.h"

#define lockdep_assert_held(l)		shim_assert_held(&(l)->owner)
#define lockdep_assert_not_held(l)	((void)(l))
#define lockdep_assert_none_held_once()	((void)0)
#define lockdep_set_class(l, k)		((void)(l))

struct lock_class_key {
	int unused;
};

struct lockdep_map {
	int unused;
};

#endif /* SHIM_LINUX_LOCKDEP_H */
