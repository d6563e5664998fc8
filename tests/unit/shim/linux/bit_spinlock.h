/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BIT_SPINLOCK_H
#define SHIM_LINUX_BIT_SPINLOCK_H

#include <linux/bitops.h>

#include <sched.h>
#include "shim.h"

static inline bool bit_spin_trylock(int nr, unsigned long *p)
{
	if (test_and_set_bit_lock(nr, p))
		return false;
	shim_depth(1);
	return true;
}

static inline void bit_spin_lock(int nr, unsigned long *p)
{
	while (!bit_spin_trylock(nr, p))
		sched_yield();
}

static inline void bit_spin_unlock(int nr, unsigned long *p)
{
	shim_depth(-1);
	clear_bit_unlock(nr, p);
}

#define __bit_spin_unlock(nr, p)	bit_spin_unlock(nr, p)

static inline bool bit_spin_is_locked(int nr, unsigned long *p)
{
	return test_bit(nr, p);
}

#endif /* SHIM_LINUX_BIT_SPINLOCK_H */
