/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SCALE_LINUX_SPINLOCK_H
#define SCALE_LINUX_SPINLOCK_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>

/* As large as the kernel's; taking and dropping it is recorded. */
typedef struct {
	u32 held;
} spinlock_t;

void scale_lock(u32 *lock);
void scale_unlock(u32 *lock);

#define DEFINE_SPINLOCK(name)	spinlock_t name = { 0 }
#define spin_lock_init(l)	((void)((l)->held = 0))
#define spin_lock(l)		scale_lock(&(l)->held)
#define spin_unlock(l)		scale_unlock(&(l)->held)
#define spin_trylock(l)		(scale_lock(&(l)->held), true)
#define spin_is_locked(l)	((l)->held != 0)
#define spin_is_contended(l)	((void)(l), false)

#endif /* SCALE_LINUX_SPINLOCK_H */
