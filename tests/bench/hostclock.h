/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time that does not pass while the host runs something else.
 *
 * A processor of User Mode Linux is a thread of the host, and the kernel's clock
 * goes on while that thread is not running: on a host with other work, a short
 * thing takes 8 ms now and then. The host knows how long the thread ran. A module
 * is native code of a host process, so it may simply ask, by a system call.
 *
 * Who spins for a lock runs, also while the host has stopped the one who holds
 * it. So where something on one processor may wait for another, read the running
 * time of both: the shorter one is the most that can have passed while both ran,
 * and all that code of the one can have made the other wait.
 */
#ifndef DZB_HOSTCLOCK_H
#define DZB_HOSTCLOCK_H

#include <linux/types.h>

#if !defined(CONFIG_UML) || !defined(CONFIG_X86_64)
#error "for User Mode Linux on x86_64"
#endif

#define HOST_CLOCK_PROCESS	2L	/* CLOCK_PROCESS_CPUTIME_ID */
#define HOST_CLOCK_THREAD	3L	/* CLOCK_THREAD_CPUTIME_ID */

/* Nanoseconds of a clock of the host. */
static inline u64 host_clock_ns(long clock)
{
	s64 t[2] = { 0, 0 };
	long ret = 228; /* clock_gettime(2) */

	asm volatile("syscall" : "+a" (ret) : "D" (clock), "S" (t) : "rcx", "r11", "memory");
	return t[0] * 1000000000ULL + t[1];
}

/* How long this processor has run. Two readings on one processor can be compared. */
static inline u64 cpu_ns(void)
{
	return host_clock_ns(HOST_CLOCK_THREAD);
}

/* The clock of this processor, for readings by others: host_clock_ns(). */
static inline long host_clock_here(void)
{
	long tid = 186; /* gettid(2) */

	asm volatile("syscall" : "+a" (tid) : : "rcx", "r11", "memory");
	return ~tid << 3 | 6; /* CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED */
}

/*
 * What the host did to this processor so far and cannot be measured away, as it
 * is in its running time: page faults and the cold caches of a preemption. If
 * two readings are the same, there was none between them.
 */
static inline unsigned long host_disturbances(void)
{
	long usage[18] = { 0 };	/* struct rusage */
	long ret = 98; /* getrusage(2) */

	asm volatile("syscall" : "+a" (ret) : "D" (1L /* RUSAGE_THREAD */), "S" (usage)
		     : "rcx", "r11", "memory");
	return usage[8] + usage[9] + usage[16] + usage[17];
}

#endif /* DZB_HOSTCLOCK_H */
