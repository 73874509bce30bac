/* Parameter values in several pieces (RFC 2231, 3), put together, and still escaped: IMAP shows them so (6),
 * since only the client knows what it can display. Numbers say the order of the pieces; the order of
 * parameters means nothing (RFC 2045, 5.1). */
#include "continuation.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 9999 };

/* One piece of a value: "name*1" or "name*1*" (RFC 2231, 4.1). */
struct piece {
	struct ph_str name; /* without its number */
	uint64_t number;
	bool escaped;
	size_t index; /* among the parameters */
};

static bool read_piece(const struct ph_mime_param *param, struct piece *piece_r)
{
	ptrdiff_t star = ph_str_find(param->name, '*');
	if (star <= 0)
		return false;
	struct ph_str number = ph_str_slice(param->name, (size_t)star + 1, param->name.len);
	piece_r->name = ph_str_slice(param->name, 0, (size_t)star);
	piece_r->escaped = ph_str_ends(number, PH_STR("*"));
	if (piece_r->escaped)
		number = ph_str_slice(number, 0, number.len - 1);
	/* No zeros before a number: "n*00" is not "n*0". */
	bool is_padded = number.len > 1 && number.data[0] == '0';
	return !is_padded && ph_str_number(number, NUMBER_MAX, &piece_r->number);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *one = a, *other = b;
	int names = ph_str_cmp(one->name, other->name);
	if (names != 0)
		return names;
	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return (one->index > other->index) - (one->index < other->index);
}

/* Orders the pieces by name and number. Returns how many there are. */
static size_t sort_pieces(const struct ph_mime_param *items, size_t count, struct piece *pieces_r)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		if (read_piece(&items[i], &pieces_r[found]))
			pieces_r[found++].index = i;
	qsort(pieces_r, found, sizeof *pieces_r, compare_pieces);
	return found;
}

/* attribute-char (RFC 2231, 7) */
static bool is_attribute_char(char c)
{
	return c > ' ' && c < 127 && !strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static void add_escaped(struct ph_buf *value, struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_attribute_char(text.data[i]))
			ph_buf_add_char(value, text.data[i]);
		else
			ph_buf_printf(value, "%%%02X", (unsigned)(unsigned char)text.data[i]);
	}
}

/* The parameters while they are put together. One without a name was a piece. */
struct joining {
	struct ph_mime_param *items;
	struct ph_pool *pool;
};

/* Puts the pieces of one value, in their order, where the first of them stands. */
static void join(struct joining *joining, const struct piece *pieces, size_t count)
{
	struct ph_buf value;
	size_t first = pieces[0].index;
	bool escaped = false;
	for (size_t i = 0; i < count; i++) {
		escaped |= pieces[i].escaped;
		first = pieces[i].index < first ? pieces[i].index : first;
	}
	ph_buf_init(&value, SIZE_MAX);
	if (escaped && !pieces[0].escaped)
		ph_buf_add_text(&value, "''");
	for (size_t i = 0; i < count; i++) {
		struct ph_mime_param *piece = &joining->items[pieces[i].index];
		if (escaped && !pieces[i].escaped)
			add_escaped(&value, piece->value);
		else
			ph_buf_add_str(&value, piece->value);
		*piece = (struct ph_mime_param){ 0 };
	}
	/* "name*" is how "name*0" begins. */
	struct ph_str name = pieces[0].name;
	joining->items[first] = (struct ph_mime_param){
		.name = ph_str_of(name.data, name.len + (escaped ? 1 : 0)),
		.value = ph_pool_str(joining->pool, ph_buf_str(&value)),
		.in_pieces = true,
	};
	ph_buf_free(&value);
}

/* Joins each run of pieces of one name that is numbered 0, 1, 2 ... */
static void join_runs(struct joining *joining, struct piece *pieces, size_t count)
{
	for (size_t begin = 0; begin < count;) {
		struct ph_str name = pieces[begin].name;
		size_t end = begin, taken = 0;
		for (; end < count && ph_str_eq(pieces[end].name, name); end++)
			if (pieces[end].number == taken)
				pieces[begin + taken++] = pieces[end];
		if (taken > 0)
			join(joining, pieces + begin, taken);
		begin = end;
	}
}

size_t continuation_join(struct ph_mime_param *items, size_t count, struct ph_pool *pool)
{
	struct joining joining = { items, pool };
	struct piece *pieces = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < count && !pieces; i++)
		if (ph_str_find(items[i].name, '*') > 0)
			pieces = ph_pool_array(pool, count, sizeof *pieces);
	if (!pieces)
		return count;
	join_runs(&joining, pieces, sort_pieces(items, count, pieces));
	for (size_t i = 0; i < count; i++)
		if (items[i].name.len > 0)
			items[kept++] = items[i];
	return kept;
}
