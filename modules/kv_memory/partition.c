/* Partitions. A sorted array of pointers is found in by halving; what moves when a key comes or goes is
 * little. */
#include <config.h>

#include "partition.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>

#include "room.h"

static struct ph_map *partitions;

void partitions_open(void)
{
	partitions = ph_map_new();
}

static void partition_free(struct partition *partition)
{
	for (size_t i = 0; i < partition->count; i++)
		entry_free(partition->entries[i]);
	free(partition->entries);
	free(partition);
}

void partitions_close(void)
{
	struct ph_str name;
	size_t at = 0;
	void *partition;

	while (ph_map_next(partitions, &at, &name, &partition))
		partition_free(partition);
	ph_map_free(&partitions);
}

static struct ph_str name_of(const struct partition *partition)
{
	return ph_str_of(partition->name, sizeof(partition->name));
}

struct partition *partition_take(struct ph_kv_partition name)
{
	char bytes[sizeof(((struct partition *)NULL)->name)];
	struct partition *partition;

	bytes[0] = (char)name.kind;
	ph_bytes_put64(bytes + 1, name.number);
	partition = ph_map_get(partitions, ph_str_of(bytes, sizeof(bytes)));
	if (partition)
		return partition;
	partition = ph_alloc(sizeof(*partition));
	memcpy(partition->name, bytes, sizeof(bytes));
	ph_list_init(&partition->watches);
	ph_map_put(partitions, name_of(partition), partition);
	return partition;
}

void partition_drop(struct partition *partition)
{
	if (partition->count > 0 || !ph_list_empty(&partition->watches))
		return;
	ph_map_remove(partitions, name_of(partition));
	partition_free(partition);
}

size_t partition_find(const struct partition *partition, struct ph_str key, bool *found_r)
{
	size_t low = 0, high = partition->count;

	*found_r = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = ph_str_cmp(partition->entries[middle]->key, key);

		*found_r |= order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct partition *partition, size_t at, struct entry *entry)
{
	if (partition->count == partition->capacity) {
		partition->capacity = partition->capacity ? partition->capacity * 2 : 8;
		partition->entries = ph_realloc_array(
			partition->entries, partition->capacity, sizeof(*partition->entries));
	}
	memmove(&partition->entries[at + 1], &partition->entries[at],
		(partition->count - at) * sizeof(*partition->entries));
	partition->entries[at] = entry;
	partition->count++;
}

static void take_out(struct partition *partition, size_t at)
{
	partition->count--;
	memmove(&partition->entries[at], &partition->entries[at + 1],
		(partition->count - at) * sizeof(*partition->entries));
}

struct entry *partition_replace(struct partition *partition, struct ph_str key, struct entry *entry)
{
	bool found;
	size_t at = partition_find(partition, key, &found);
	struct entry *before = found ? partition->entries[at] : NULL;

	if (before && entry)
		partition->entries[at] = entry;
	else if (before)
		take_out(partition, at);
	else if (entry)
		insert(partition, at, entry);
	return before;
}

static size_t entry_size(size_t key, size_t value)
{
	return sizeof(struct entry) + sizeof(struct entry *) + key + value;
}

struct entry *entry_new(struct ph_str key, struct ph_str value)
{
	struct entry *entry;

	if (!room_take(entry_size(key.len, value.len)))
		return NULL;
	entry = ph_alloc(sizeof(*entry) + key.len + value.len);
	entry->key = ph_str_of(entry->bytes, key.len);
	entry->value = ph_str_of(entry->bytes + key.len, value.len);
	if (key.len > 0)
		memcpy(entry->bytes, key.data, key.len);
	if (value.len > 0)
		memcpy(entry->bytes + key.len, value.data, value.len);
	return entry;
}

void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	room_give(entry_size(entry->key.len, entry->value.len));
	free(entry);
}
