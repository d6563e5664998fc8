/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MUTEX_H
#define SHIM_LINUX_MUTEX_H

#include <linux/spinlock.h>

#include <pthread.h>
#include "shim.h"

struct mutex {
	pthread_mutex_t mutex;
	void *owner;
};

#define DEFINE_MUTEX(name) \
	struct mutex name = { PTHREAD_MUTEX_INITIALIZER, NULL }
#define mutex_init(l) \
	(pthread_mutex_init(&(l)->mutex, NULL), (void)((l)->owner = NULL))
#define mutex_destroy(l)	((void)pthread_mutex_destroy(&(l)->mutex))
#define mutex_lock(l)	(shim_might_sleep(), pthread_mutex_lock(&(l)->mutex), \
			 (void)((l)->owner = shim_self()))
#define mutex_unlock(l)	((void)((l)->owner = NULL), \
			 (void)pthread_mutex_unlock(&(l)->mutex))
#define mutex_trylock(l) \
	(pthread_mutex_trylock(&(l)->mutex) ? 0 : \
	 ((l)->owner = shim_self(), 1))
#define mutex_is_locked(l)	((l)->owner != NULL)

#endif /* SHIM_LINUX_MUTEX_H */
