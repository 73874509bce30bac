/* Watches. One whose partition changed waits in a list of those to be called, so that several changes give
 * one call, and what is called may remove any watch. */
#include <config.h>

#include "watch.h"

#include <stdlib.h>

#include <posthorn/list.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "partition.h"

struct ph_kv_watch {
	struct ph_list link; /* the partition's */
	struct ph_list due;
	struct partition *partition;
	void (*changed)(void *arg);
	void *arg;
};

static struct ph_list due;

void memory_watches_open(void)
{
	ph_list_init(&due);
}

static void call_all(void *arg)
{
	(void)arg;
	while (!ph_list_empty(&due)) {
		struct ph_kv_watch *watch = ph_container_of(due.next, struct ph_kv_watch, due);

		ph_list_remove(&watch->due);
		watch->changed(watch->arg);
	}
}

void memory_watch_changed(struct partition *partition)
{
	PH_LIST_EACH (&partition->watches, node) {
		struct ph_kv_watch *watch = ph_container_of(node, struct ph_kv_watch, link);

		if (ph_list_empty(&due))
			ph_loop_post(call_all, NULL);
		ph_list_remove(&watch->due);
		ph_list_append(&due, &watch->due);
	}
}

struct ph_kv_watch *memory_watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg)
{
	struct ph_kv_watch *watch = ph_alloc(sizeof(*watch));

	watch->partition = partition_take(partition);
	watch->changed = changed;
	watch->arg = arg;
	ph_list_init(&watch->due);
	ph_list_append(&watch->partition->watches, &watch->link);
	return watch;
}

void memory_watch_remove(struct ph_kv_watch **watch)
{
	if (!*watch)
		return;
	ph_list_remove(&(*watch)->link);
	ph_list_remove(&(*watch)->due);
	partition_drop((*watch)->partition);
	free(*watch);
	*watch = NULL;
}
