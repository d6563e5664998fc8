/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>

#include <pthread.h>

/* A mutex that knows its owner; the shim counts the locks a thread holds. */
typedef struct {
	pthread_mutex_t mutex;
	void *owner;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name)	{ PTHREAD_MUTEX_INITIALIZER, NULL }
#define DEFINE_SPINLOCK(name)	spinlock_t name = __SPIN_LOCK_UNLOCKED(name)

#define spin_lock_init(l) \
	(pthread_mutex_init(&(l)->mutex, NULL), (void)((l)->owner = NULL))
#define spin_lock(l)	(shim_jitter(), pthread_mutex_lock(&(l)->mutex), \
			 shim_lock_taken(&(l)->owner))
#define spin_unlock(l)	(shim_lock_dropped(&(l)->owner), \
			 (void)pthread_mutex_unlock(&(l)->mutex), shim_jitter())
#define spin_trylock(l) \
	(shim_jitter(), pthread_mutex_trylock(&(l)->mutex) ? false : \
	 (shim_lock_taken(&(l)->owner), true))
#define spin_is_locked(l)	(READ_ONCE((l)->owner) != NULL)
#define spin_is_contended(l)	((void)(l), shim_contended())

/* Raw ones differ on PREEMPT_RT only. */
#define raw_spinlock_t		spinlock_t
#define raw_spin_lock_init(l)	spin_lock_init(l)
#define raw_spin_lock(l)	spin_lock(l)
#define raw_spin_unlock(l)	spin_unlock(l)

#define spin_lock_bh(l)		spin_lock(l)
#define spin_unlock_bh(l)	spin_unlock(l)
#define spin_lock_irq(l)	spin_lock(l)
#define spin_unlock_irq(l)	spin_unlock(l)
#define spin_lock_irqsave(l, f)	do { (f) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { (void)(f); spin_unlock(l); } while (0)

#endif /* SHIM_LINUX_SPINLOCK_H */
