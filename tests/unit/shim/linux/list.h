/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/types.h>
#include <linux/container_of.h>

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline void list_add(struct list_head *n, struct list_head *l)
{
	n->next = l->next;
	n->prev = l;
	l->next->prev = n;
	l->next = n;
}

static inline void list_add_tail(struct list_head *n, struct list_head *l)
{
	list_add(n, l->prev);
}

static inline void __list_del_entry(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

/* A second list_del() or a walk over a removed entry faults. */
static inline void list_del(struct list_head *n)
{
	__list_del_entry(n);
	n->next = NULL;
	n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
	__list_del_entry(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *l)
{
	__list_del_entry(n);
	list_add(n, l);
}

static inline void list_move_tail(struct list_head *n, struct list_head *l)
{
	__list_del_entry(n);
	list_add_tail(n, l);
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline bool list_is_singular(const struct list_head *l)
{
	return !list_empty(l) && l->next == l->prev;
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	INIT_LIST_HEAD(from);
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *to)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first_entry(l, type, member) list_entry((l)->next, type, member)
#define list_last_entry(l, type, member) list_entry((l)->prev, type, member)
#define list_first_entry_or_null(l, type, member) \
	(list_empty(l) ? NULL : list_first_entry(l, type, member))
/* By offset: the end of a walk is no entry, and need not be aligned as one. */
#define shim_node(p, member) \
	((struct list_head *)((char *)(p) + offsetof(typeof(*(p)), member)))
#define list_next_entry(p, member) \
	list_entry(shim_node(p, member)->next, typeof(*(p)), member)
#define list_prev_entry(p, member) \
	list_entry(shim_node(p, member)->prev, typeof(*(p)), member)
#define list_for_each(p, l) \
	for ((p) = (l)->next; (p) != (l); (p) = (p)->next)
#define list_for_each_entry(p, l, member) \
	for ((p) = list_first_entry(l, typeof(*(p)), member); \
	     shim_node(p, member) != (l); (p) = list_next_entry(p, member))
#define list_for_each_entry_reverse(p, l, member) \
	for ((p) = list_last_entry(l, typeof(*(p)), member); \
	     shim_node(p, member) != (l); (p) = list_prev_entry(p, member))
#define list_for_each_entry_safe(p, n, l, member) \
	for ((p) = list_first_entry(l, typeof(*(p)), member), \
	     (n) = list_next_entry(p, member); \
	     shim_node(p, member) != (l); \
	     (p) = (n), (n) = list_next_entry(n, member))

#define INIT_HLIST_HEAD(h)	((h)->first = NULL)

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hlist_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
}

#define hlist_entry_safe(p, type, member) \
	({ typeof(p) shim_p = (p); \
	   shim_p ? container_of(shim_p, type, member) : NULL; })
#define hlist_for_each_entry(p, h, member) \
	for ((p) = hlist_entry_safe((h)->first, typeof(*(p)), member); (p); \
	     (p) = hlist_entry_safe((p)->member.next, typeof(*(p)), member))

#endif /* SHIM_LINUX_LIST_H */
