/* Parameter values in several pieces (RFC 2231, 3) as IMAP shows them: together (6), and still escaped, since
 * only the client knows what it can display. Pieces are taken in the order of their numbers, as all programs
 * write them. */
#include "continuation.h"

#include <string.h>

struct piece {
	struct ph_str name; /* without its number */
	uint64_t number;
	bool escaped;
};

static bool piece_of(const struct ph_mime_param *param, struct piece *piece_r)
{
	ptrdiff_t star = ph_str_find(param->name, '*');
	if (star <= 0)
		return false;
	struct ph_str number = ph_str_slice(param->name, (size_t)star + 1, param->name.len);
	piece_r->name = ph_str_slice(param->name, 0, (size_t)star);
	piece_r->escaped = ph_str_ends(number, PH_STR("*"));
	if (piece_r->escaped)
		number = ph_str_slice(number, 0, number.len - 1);
	return ph_str_number(number, 9999, &piece_r->number);
}

/* How many items the value that begins there has, and whether one of them is escaped. */
static size_t count_pieces(const struct ph_mime_params *params, size_t first, bool *escaped_r)
{
	struct piece begin, piece;
	size_t count = 0;
	*escaped_r = false;
	if (!piece_of(&params->items[first], &begin))
		return 0;
	while (first + count < params->count && piece_of(&params->items[first + count], &piece) &&
		piece.number == count && ph_str_eq(piece.name, begin.name)) {
		*escaped_r |= piece.escaped;
		count++;
	}
	return count;
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

size_t continuation_join(
	const struct ph_mime_params *params, size_t first, struct ph_buf *value, struct ph_str *name_r)
{
	bool escaped;
	size_t count = count_pieces(params, first, &escaped);
	for (size_t i = 0; i < count; i++) {
		const struct ph_mime_param *param = &params->items[first + i];
		bool is_escaped = ph_str_ends(param->name, PH_STR("*"));
		if (i == 0 && escaped && !is_escaped)
			ph_buf_add_text(value, "''");
		if (escaped && !is_escaped)
			add_escaped(value, param->value);
		else
			ph_buf_add_str(value, param->value);
	}
	if (count > 0) {
		size_t star = (size_t)ph_str_find(params->items[first].name, '*');
		*name_r = ph_str_slice(params->items[first].name, 0, star + (escaped ? 1 : 0));
	}
	return count;
}
