/* Sets of UIDs. See uid_set.h. */
#include <config.h>

#include "uid_set.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

size_t uid_set_find(const struct ph_uid_set *set, uint32_t uid)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert_range(struct ph_uid_set *set, size_t at, uint32_t first, uint32_t last)
{
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? set->capacity * 2 : 4;
		set->ranges = ph_realloc_array(set->ranges, set->capacity, sizeof(*set->ranges));
	}
	memmove(&set->ranges[at + 1], &set->ranges[at], (set->count - at) * sizeof(*set->ranges));
	set->ranges[at] = (struct ph_uid_range){ first, last };
	set->count++;
}

/* Behind all others. */
static void append_range(struct ph_uid_set *set, uint32_t first, uint32_t last)
{
	struct ph_uid_range *end = &set->ranges[set->count - 1];

	if (end->last + 1 == first)
		end->last = last;
	else
		insert_range(set, set->count, first, last);
}

void uid_set_add(struct ph_uid_set *set, uint32_t first, uint32_t last)
{
	size_t at, end;

	if (first > last)
		return;
	/* Mostly sets are made in order. */
	if (set->count > 0 && set->ranges[set->count - 1].last < first) {
		append_range(set, first, last);
		return;
	}
	/* Those from `at` up to `end` overlap the new range, or touch it. */
	at = uid_set_find(set, first > 0 ? first - 1 : 0);
	for (end = at; end < set->count; end++) {
		if (last != UINT32_MAX && set->ranges[end].first > last + 1)
			break;
	}
	if (at == end) {
		insert_range(set, at, first, last);
		return;
	}
	if (set->ranges[at].first > first)
		set->ranges[at].first = first;
	if (set->ranges[end - 1].last > last)
		last = set->ranges[end - 1].last;
	set->ranges[at].last = last;
	memmove(&set->ranges[at + 1], &set->ranges[end], (set->count - end) * sizeof(*set->ranges));
	set->count -= end - at - 1;
}

bool uid_set_has(const struct ph_uid_set *set, uint32_t uid)
{
	size_t at = uid_set_find(set, uid);

	return at < set->count && set->ranges[at].first <= uid;
}

uint64_t uid_set_count(const struct ph_uid_set *set)
{
	uint64_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return count;
}

void uid_set_free(struct ph_uid_set *set)
{
	free(set->ranges);
	*set = (struct ph_uid_set){ 0 };
}

void uid_set_add_all(struct ph_uid_set *set, const struct ph_uid_set *other)
{
	for (size_t i = 0; i < other->count; i++)
		uid_set_add(set, other->ranges[i].first, other->ranges[i].last);
}

void uid_set_add_common(struct ph_uid_set *set, const struct ph_uid_set *a, const struct ph_uid_set *b)
{
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		const struct ph_uid_range *x = &a->ranges[i], *y = &b->ranges[j];

		uid_set_add(set, x->first > y->first ? x->first : y->first,
			x->last < y->last ? x->last : y->last);
		if (x->last < y->last)
			i++;
		else
			j++;
	}
}

void uid_set_add_rest(struct ph_uid_set *set, const struct ph_uid_set *a, const struct ph_uid_set *b)
{
	size_t j = 0;

	for (size_t i = 0; i < a->count; i++) {
		uint32_t first = a->ranges[i].first, last = a->ranges[i].last;

		while (j < b->count && b->ranges[j].last < first)
			j++;
		for (; j < b->count && b->ranges[j].first <= last; j++) {
			if (b->ranges[j].first > first)
				uid_set_add(set, first, b->ranges[j].first - 1);
			if (b->ranges[j].last >= last)
				break;
			first = b->ranges[j].last + 1;
		}
		if (j == b->count || b->ranges[j].first > last)
			uid_set_add(set, first, last);
	}
}

bool uid_set_next(const struct ph_uid_set *set, uint32_t uid, uint32_t *next_r)
{
	size_t at = uid_set_find(set, uid);

	if (at == set->count)
		return false;
	*next_r = set->ranges[at].first > uid ? set->ranges[at].first : uid;
	return true;
}

/* --- as bytes: for each range the gap before it and its length, seven bits to a byte --- */

static void add_number(struct ph_buf *buf, uint32_t number)
{
	for (; number > 127; number >>= 7)
		ph_buf_add_char(buf, (char)(number | 128));
	ph_buf_add_char(buf, (char)number);
}

static bool take_number(struct ph_str *bytes, uint64_t *number_r)
{
	*number_r = 0;
	for (unsigned shift = 0; shift < 35 && bytes->len > 0; shift += 7) {
		unsigned char byte = (unsigned char)bytes->data[0];

		*bytes = ph_str_slice(*bytes, 1, bytes->len);
		*number_r |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return true;
	}
	return false;
}

void uid_set_encode(const struct ph_uid_set *set, struct ph_buf *buf)
{
	uint32_t before = 0;

	for (size_t i = 0; i < set->count; i++) {
		add_number(buf, set->ranges[i].first - before);
		add_number(buf, set->ranges[i].last - set->ranges[i].first);
		before = set->ranges[i].last;
	}
}

int uid_set_decode(struct ph_str bytes, struct ph_uid_set *set)
{
	uint64_t before = 0, gap, length;

	while (bytes.len > 0) {
		if (!take_number(&bytes, &gap) || !take_number(&bytes, &length) ||
			before + gap + length > UINT32_MAX)
			return PH_E_CORRUPT;
		uid_set_add(set, (uint32_t)(before + gap), (uint32_t)(before + gap + length));
		before += gap + length;
	}
	return 0;
}
