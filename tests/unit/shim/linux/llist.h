/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LLIST_H
#define SHIM_LINUX_LLIST_H

#include <linux/atomic.h>
#include <linux/container_of.h>

struct llist_head {
	struct llist_node *first;
};

struct llist_node {
	struct llist_node *next;
};

#define LLIST_HEAD_INIT(name)	{ NULL }
#define LLIST_HEAD(name)	struct llist_head name = LLIST_HEAD_INIT(name)

static inline void init_llist_head(struct llist_head *head)
{
	head->first = NULL;
}

static inline bool llist_empty(const struct llist_head *head)
{
	return !READ_ONCE(head->first);
}

static inline struct llist_node *llist_next(struct llist_node *node)
{
	return node->next;
}

/* Return: was it empty? */
static inline bool llist_add_batch(struct llist_node *from,
				   struct llist_node *to,
				   struct llist_head *head)
{
	struct llist_node *first = READ_ONCE(head->first);

	/* What is about to be queued is a time of its own: make it longer. */
	shim_jitter();
	shim_jitter();
	shim_jitter();
	do {
		to->next = first;
	} while (!try_cmpxchg(&head->first, &first, from));
	return !first;
}

static inline bool llist_add(struct llist_node *n, struct llist_head *head)
{
	return llist_add_batch(n, n, head);
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

/*
 * One consumer only. A failed exchange is a load too, on which the look at the
 * node depends: the kernel has the address dependency for that.
 */
static inline struct llist_node *llist_del_first(struct llist_head *head)
{
	struct llist_node *first = smp_load_acquire(&head->first);

	do {
		if (!first)
			return NULL;
	} while (!__atomic_compare_exchange_n(&head->first, &first,
					      READ_ONCE(first->next), false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE));
	return first;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *head)
{
	struct llist_node *n, *list = NULL;

	while ((n = head)) {
		head = n->next;
		n->next = list;
		list = n;
	}
	return list;
}

#define llist_entry(p, type, member)	container_of(p, type, member)
#define shim_llist_entry(p, type, member) \
	({ struct llist_node *shim_p = (p); \
	   shim_p ? llist_entry(shim_p, type, member) : NULL; })
#define llist_for_each(p, node)	for ((p) = (node); (p); (p) = (p)->next)
#define llist_for_each_safe(p, n, node) \
	for ((p) = (node); (p) && ((n) = (p)->next, true); (p) = (n))
#define llist_for_each_entry(p, node, member) \
	for ((p) = shim_llist_entry(node, typeof(*(p)), member); (p); \
	     (p) = shim_llist_entry((p)->member.next, typeof(*(p)), member))
#define llist_for_each_entry_safe(p, n, node, member) \
	for ((p) = shim_llist_entry(node, typeof(*(p)), member); \
	     (p) && ((n) = shim_llist_entry((p)->member.next, typeof(*(n)), \
					    member), true); \
	     (p) = (n))

#endif /* SHIM_LINUX_LLIST_H */
