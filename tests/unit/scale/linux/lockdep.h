/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SCALE_LINUX_LOCKDEP_H
#define SCALE_LINUX_LOCKDEP_H

#define lockdep_assert_held(l)		((void)(l))
#define lockdep_assert_not_held(l)	((void)(l))

#endif /* SCALE_LINUX_LOCKDEP_H */
