/* A hash map from text to a pointer. Keys are compared byte by byte and copied; values are the caller's. */
#ifndef POSTHORN_MAP_H
#define POSTHORN_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/str.h>

struct ph_map;

struct ph_map *ph_map_new(void) __attribute__((returns_nonnull));
/* The value, or NULL. */
void *ph_map_get(const struct ph_map *map, struct ph_str key);
/* Sets (or replaces) a value other than NULL and returns the former one. */
void *ph_map_put(struct ph_map *map, struct ph_str key, void *value);
/* Removes the key and returns its value, or NULL. */
void *ph_map_remove(struct ph_map *map, struct ph_str key);
size_t ph_map_count(const struct ph_map *map);
/* Walks all entries in no order: start with *cursor = 0; false at the end. The map must not change. */
bool ph_map_next(const struct ph_map *map, size_t *cursor, struct ph_str *key_r, void **value_r);
void ph_map_free(struct ph_map **map);

#endif
