/* Keywords of messages. The first spelling of a keyword is kept; ASCII case makes no other one. */
#include <config.h>

#include "keyword.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

uint16_t keyword_list_at(const struct keyword_list *list, size_t index)
{
	return ph_bytes_get16(list->bytes + 2 * index);
}

/* Where the number is, or would be. */
static uint16_t position(const struct keyword_list *list, uint16_t number)
{
	uint16_t at = 0;

	while (at < list->count && keyword_list_at(list, at) < number)
		at++;
	return at;
}

bool keyword_list_has(const struct keyword_list *list, uint16_t number)
{
	uint16_t at = position(list, number);

	return at < list->count && keyword_list_at(list, at) == number;
}

void keyword_list_add(struct keyword_list *list, uint16_t number)
{
	uint16_t at = position(list, number);
	char *place;

	if (keyword_list_has(list, number))
		return;
	if (list->count == list->capacity) {
		list->capacity = (uint16_t)(list->capacity + 16);
		list->bytes = ph_realloc_array(list->bytes, list->capacity, 2);
	}
	place = list->bytes + 2 * (size_t)at;
	memmove(place + 2, place, 2 * (size_t)(list->count - at));
	ph_bytes_put16(place, number);
	list->count++;
}

void keyword_list_free(struct keyword_list *list)
{
	free(list->bytes);
	*list = (struct keyword_list){ 0 };
}

bool keyword_is_legal(struct ph_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (c <= ' ' || c >= 0x7f || strchr("(){%*\"\\]", c))
			return false;
	}
	return name.len > 0 && name.len <= PH_KEYWORD_MAX;
}

/* PH_E_ABSENT: the mailbox does not know it. */
static int find(struct change *change, struct ph_str name, uint16_t *number_r)
{
	struct ph_str value;
	struct key key;
	int result;

	if (!keyword_is_legal(name))
		return PH_E_INVALID;
	result = store.kv->get(change->txn, change->partition, key_text(&key, 'K', name), &value);
	if (result < 0)
		return result;
	if (value.len != 2)
		return PH_E_CORRUPT;
	*number_r = ph_bytes_get16(value.data);
	return 0;
}

static struct ph_str number_key(struct key *key, uint16_t number)
{
	key->bytes[0] = 'k';
	ph_bytes_put16(key->bytes + 1, number);
	return ph_str_of(key->bytes, 3);
}

static int add_name(struct change *change, struct ph_str name, uint16_t *number_r)
{
	char copy[PH_KEYWORD_MAX], number[2];
	struct key key;
	int result;

	if (change->meta.keywords >= store.config->keywords)
		return PH_E_LIMIT;
	memcpy(copy, name.data, name.len);
	name.data = copy;
	*number_r = (uint16_t)change->meta.keywords++;
	change->meta_changed = true;
	ph_bytes_put16(number, *number_r);
	result = store.kv->put(change->txn, change->partition, number_key(&key, *number_r), name);
	if (result < 0)
		return result;
	return store.kv->put(
		change->txn, change->partition, key_text(&key, 'K', name), ph_str_of(number, sizeof(number)));
}

static int find_or_add(struct change *change, struct ph_str name, bool add, struct keyword_list *list)
{
	uint16_t number;
	int result = find(change, name, &number);

	if (result == PH_E_ABSENT && add)
		result = add_name(change, name, &number);
	if (result == 0)
		keyword_list_add(list, number);
	return result == PH_E_ABSENT ? 0 : result;
}

/* Is there room for all that are new? Counted generously: names that occur twice count twice. */
static int check_room(struct change *change, const struct ph_str *names, size_t count)
{
	uint32_t room = change->meta.keywords < store.config->keywords
				? (uint32_t)store.config->keywords - change->meta.keywords
				: 0;
	uint16_t number;

	for (size_t i = 0; i < count; i++) {
		int result = find(change, names[i], &number);

		if (result < 0 && result != PH_E_ABSENT)
			return result;
		if (result == PH_E_ABSENT && room-- == 0)
			return PH_E_LIMIT;
	}
	return 0;
}

int keywords_find(struct change *change, const struct ph_str *names, size_t count, bool add,
	struct keyword_list *list_r)
{
	int result = add ? check_room(change, names, count) : 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = find_or_add(change, names[i], add, list_r);
	return result;
}

int keyword_name(struct ph_kv_txn *txn, size_t partition, uint16_t number, struct ph_str *name_r)
{
	struct key key;

	return store.kv->get(txn, partition, number_key(&key, number), name_r);
}
