/* Intrusive doubly linked list: the links live in the members, so joining and leaving allocate nothing. */
#ifndef POSTHORN_LIST_H
#define POSTHORN_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ph_list {
	struct ph_list *next;
	struct ph_list *prev;
};

#define ph_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void ph_list_init(struct ph_list *list)
{
	list->next = list->prev = list;
}

static inline bool ph_list_empty(const struct ph_list *list)
{
	return list->next == list;
}

static inline void ph_list_append(struct ph_list *list, struct ph_list *node)
{
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

/* The node is left pointing at itself, so that removing twice does no harm. */
static inline void ph_list_remove(struct ph_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	ph_list_init(node);
}

/* The body may remove `node`, and nothing else, from the list. */
#define PH_LIST_EACH(list, node)                                                             \
	for (struct ph_list *node = (list)->next, *node##_next = node->next; node != (list); \
		node = node##_next, node##_next = node->next)

#endif
