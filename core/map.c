/* A hash map from text to a pointer: open addressing with linear probing, at most three quarters full.
 * Removing moves the entries behind the gap up, so that there are no tombstones. Keys may come from peers, so
 * the hash is keyed with a random number of the process. */
#include <config.h>

#include <posthorn/map.h>

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include <posthorn/mem.h>

struct entry {
	char *key; /* NULL: free */
	size_t len;
	uint64_t hash;
	void *value;
};

struct ph_map {
	struct entry *entries;
	size_t capacity; /* a power of two */
	size_t count;
};

enum { SMALLEST = 8 };

static uint64_t process_key(void)
{
	static uint64_t key;
	if (key == 0 && getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
		key = (uint64_t)(uintptr_t)&key;
	return key | 1;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return h;
}

static uint64_t hash_of(struct ph_str key)
{
	uint64_t hash = process_key();
	size_t i = 0;
	for (; key.len - i >= 8; i += 8) {
		uint64_t word;
		memcpy(&word, key.data + i, 8);
		hash = mix(hash ^ word) * 0x9e3779b97f4a7c15u;
	}
	uint64_t last = key.len;
	for (; i < key.len; i++)
		last = last << 8 | (unsigned char)key.data[i];
	return mix(hash ^ last);
}

struct ph_map *ph_map_new(void)
{
	struct ph_map *map = ph_alloc(sizeof(*map));
	map->capacity = SMALLEST;
	map->entries = ph_alloc_array(map->capacity, sizeof(*map->entries));
	return map;
}

/* Where the key is, or where it would go. */
static struct entry *slot_for(const struct ph_map *map, struct ph_str key, uint64_t hash)
{
	for (size_t i = hash & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1)) {
		struct entry *entry = &map->entries[i];
		if (!entry->key)
			return entry;
		if (entry->hash == hash && ph_str_eq((struct ph_str){ entry->key, entry->len }, key))
			return entry;
	}
}

void *ph_map_get(const struct ph_map *map, struct ph_str key)
{
	const struct entry *entry = slot_for(map, key, hash_of(key));
	return entry->key ? entry->value : NULL;
}

static void grow(struct ph_map *map)
{
	struct entry *old = map->entries;
	size_t old_capacity = map->capacity;
	map->capacity *= 2;
	map->entries = ph_alloc_array(map->capacity, sizeof(*map->entries));
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].key)
			*slot_for(map, (struct ph_str){ old[i].key, old[i].len }, old[i].hash) = old[i];
	free(old);
}

void *ph_map_put(struct ph_map *map, struct ph_str key, void *value)
{
	uint64_t hash = hash_of(key);
	struct entry *entry = slot_for(map, key, hash);
	if (entry->key) {
		void *former = entry->value;
		entry->value = value;
		return former;
	}
	*entry = (struct entry){ ph_str_dup(key), key.len, hash, value };
	if (++map->count > map->capacity / 4 * 3)
		grow(map);
	return NULL;
}

/* Moves into the gap each later entry of the run whose own place is not between the gap and it. */
static void close_gap(struct ph_map *map, size_t gap)
{
	size_t mask = map->capacity - 1;
	for (size_t i = (gap + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
		size_t home = map->entries[i].hash & mask;
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		map->entries[gap] = map->entries[i];
		gap = i;
	}
	map->entries[gap] = (struct entry){ 0 };
}

void *ph_map_remove(struct ph_map *map, struct ph_str key)
{
	struct entry *entry = slot_for(map, key, hash_of(key));
	if (!entry->key)
		return NULL;
	void *value = entry->value;
	free(entry->key);
	close_gap(map, (size_t)(entry - map->entries));
	map->count--;
	return value;
}

size_t ph_map_count(const struct ph_map *map)
{
	return map->count;
}

bool ph_map_next(const struct ph_map *map, size_t *cursor, struct ph_str *key_r, void **value_r)
{
	while (*cursor < map->capacity) {
		const struct entry *entry = &map->entries[(*cursor)++];
		if (!entry->key)
			continue;
		*key_r = (struct ph_str){ entry->key, entry->len };
		*value_r = entry->value;
		return true;
	}
	return false;
}

void ph_map_free(struct ph_map **map)
{
	if (!*map)
		return;
	for (size_t i = 0; i < (*map)->capacity; i++)
		free((*map)->entries[i].key);
	free((*map)->entries);
	free(*map);
	*map = NULL;
}
