/* Partitions: keys in order, with their values, and those who watch. */
#ifndef KV_MEMORY_PARTITION_H
#define KV_MEMORY_PARTITION_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/kv.h>
#include <posthorn/list.h>

/* Never changed: a key that gets another value gets another entry. */
struct entry {
	struct ph_str key, value;
	char bytes[];
};

struct partition {
	char name[9];
	struct entry **entries; /* in the order of their keys */
	size_t count, capacity;
	struct ph_list watches;
};

void partitions_open(void);
void partitions_close(void);

/* Makes it if need be. */
struct partition *partition_take(struct ph_kv_partition name);
/* One without keys and watches goes. */
void partition_drop(struct partition *partition);

/* The place of the first key that is not below this one; is it that key? */
size_t partition_find(const struct partition *partition, struct ph_str key, bool *found_r);
/* Puts `entry` in the key's place, or takes the key away with NULL; gives what was there, or NULL. */
struct entry *partition_replace(struct partition *partition, struct ph_str key, struct entry *entry);

/* NULL: there is no room. */
struct entry *entry_new(struct ph_str key, struct ph_str value);
void entry_free(struct entry *entry);

#endif
