/* Watches. Changes are gathered while a group of updates ends and then told once: to the watches here, and as
 * messages of many partitions each to the other workers. A watch whose partition changed is first moved to a
 * list of those to be called, so that what is called may remove any watch. */
#include <config.h>

#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/buf.h>
#include <posthorn/bus.h>
#include <posthorn/bytes.h>
#include <posthorn/list.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>

#define TOPIC "kv"
#define PARTITION_SIZE 9

struct ph_kv_watch {
	struct ph_list link; /* in the place's list, or among those to be called */
	struct place *place;
	void (*changed)(void *arg);
	void *arg;
};

/* A partition that is watched. */
struct place {
	char key[PARTITION_SIZE];
	size_t count;
	struct ph_list watches;
};

static struct ph_map *places;
static struct ph_buf changes; /* partitions, one after the other */

static void write_key(char *to, struct ph_kv_partition partition)
{
	to[0] = (char)partition.kind;
	ph_bytes_put64(to + 1, partition.number);
}

static void gather(const struct place *place, struct ph_list *calls)
{
	PH_LIST_EACH (&place->watches, node) {
		ph_list_remove(node);
		ph_list_append(calls, node);
	}
}

static void call_all(struct ph_list *calls)
{
	while (!ph_list_empty(calls)) {
		struct ph_kv_watch *watch = ph_container_of(calls->next, struct ph_kv_watch, link);

		ph_list_remove(&watch->link);
		ph_list_append(&watch->place->watches, &watch->link);
		watch->changed(watch->arg);
	}
}

static void tell_here(struct ph_str partitions)
{
	struct ph_list calls;

	ph_list_init(&calls);
	for (size_t at = 0; at + PARTITION_SIZE <= partitions.len; at += PARTITION_SIZE) {
		struct place *place = ph_map_get(places, ph_str_slice(partitions, at, at + PARTITION_SIZE));

		if (place)
			gather(place, &calls);
	}
	call_all(&calls);
}

static void tell_everybody_here(void)
{
	struct ph_list calls;
	struct ph_str key;
	size_t cursor = 0;
	void *place;

	ph_list_init(&calls);
	while (ph_map_next(places, &cursor, &key, &place))
		gather(place, &calls);
	call_all(&calls);
}

static void receive(void *arg, struct ph_str message, bool overflow)
{
	(void)arg;
	if (!places)
		return;
	if (overflow)
		tell_everybody_here();
	else
		tell_here(message);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, PARTITION_SIZE);
}

/* Each changed partition once. */
static void drop_doubles(void)
{
	size_t kept = 0;

	qsort(changes.data, changes.len / PARTITION_SIZE, PARTITION_SIZE, compare);
	for (size_t at = 0; at < changes.len; at += PARTITION_SIZE) {
		if (kept > 0 && compare(changes.data + kept - PARTITION_SIZE, changes.data + at) == 0)
			continue;
		memmove(changes.data + kept, changes.data + at, PARTITION_SIZE);
		kept += PARTITION_SIZE;
	}
	changes.len = kept;
}

void kv_watch_changed(struct ph_kv_partition partition)
{
	char key[PARTITION_SIZE];

	write_key(key, partition);
	ph_buf_add(&changes, key, sizeof(key));
}

void kv_watch_tell(void)
{
	const size_t most = PH_BUS_MESSAGE_MAX / PARTITION_SIZE * PARTITION_SIZE;

	if (changes.len == 0)
		return;
	drop_doubles();
	for (size_t at = 0; at < changes.len; at += most)
		ph_bus_publish(TOPIC, ph_str_slice(ph_buf_str(&changes), at, at + most));
	tell_here(ph_buf_str(&changes));
	ph_buf_reset(&changes);
}

void kv_watch_start(void)
{
	places = ph_map_new();
	ph_buf_init(&changes, SIZE_MAX);
	ph_bus_subscribe(TOPIC, receive, NULL);
}

void kv_watch_stop(void)
{
	PH_ASSERT(ph_map_count(places) == 0);
	ph_map_free(&places);
	ph_buf_free(&changes);
}

static struct place *place_of(struct ph_kv_partition partition)
{
	char key[PARTITION_SIZE];
	struct place *place;

	write_key(key, partition);
	place = ph_map_get(places, ph_str_of(key, sizeof(key)));
	if (place)
		return place;
	place = ph_alloc(sizeof(*place));
	memcpy(place->key, key, sizeof(key));
	ph_list_init(&place->watches);
	ph_map_put(places, ph_str_of(key, sizeof(key)), place);
	return place;
}

struct ph_kv_watch *kv_watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg)
{
	struct ph_kv_watch *watch = ph_alloc(sizeof(*watch));

	watch->place = place_of(partition);
	watch->place->count++;
	watch->changed = changed;
	watch->arg = arg;
	ph_list_append(&watch->place->watches, &watch->link);
	return watch;
}

void kv_watch_remove(struct ph_kv_watch **watch)
{
	struct place *place;

	if (!*watch)
		return;
	place = (*watch)->place;
	ph_list_remove(&(*watch)->link);
	free(*watch);
	*watch = NULL;
	if (--place->count > 0)
		return;
	ph_map_remove(places, ph_str_of(place->key, sizeof(place->key)));
	free(place);
}
