/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PRINTK_H
#define SHIM_LINUX_PRINTK_H

#include <linux/compiler.h>

#include <stdio.h>

#define KERN_ERR
#define KERN_WARNING
#define KERN_INFO
#define printk(...)	((void)fprintf(stderr, __VA_ARGS__))
#define pr_err(...)	printk(__VA_ARGS__)
#define pr_warn(...)	printk(__VA_ARGS__)
#define pr_info(...)	printk(__VA_ARGS__)
#define pr_debug(...)	((void)0)
#define pr_warn_ratelimited(...)	printk(__VA_ARGS__)
#define pr_err_ratelimited(...)		printk(__VA_ARGS__)

#endif /* SHIM_LINUX_PRINTK_H */
