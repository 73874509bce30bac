/* Header fields on raw bytes: walking, finding, filtering, unfolding (RFC 5322, 2.2). Line ends are CRLF or
 * LF. */
#include "header.h"

#include <stdlib.h>

#include <posthorn/mem.h>

#include "scan.h"
#include "word.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line with its end. */
static struct ph_str line_of(struct ph_str text)
{
	ptrdiff_t end = ph_str_find(text, '\n');
	return end < 0 ? text : ph_str_slice(text, 0, (size_t)end + 1);
}

static struct ph_str without_end(struct ph_str line)
{
	if (line.len && line.data[line.len - 1] == '\n') {
		line.len--;
		if (line.len && line.data[line.len - 1] == '\r')
			line.len--;
	}
	return line;
}

/* A line begins a field with a name of printable characters and a colon, perhaps with obsolete white space
 * between. Returns the length of the name; 0 when it does not. */
static size_t name_length(struct ph_str line)
{
	size_t length = 0;
	while (length < line.len && line.data[length] > ' ' && line.data[length] < 127 &&
		line.data[length] != ':')
		length++;
	size_t colon = length;
	while (colon < line.len && is_space(line.data[colon]))
		colon++;
	return colon < line.len && line.data[colon] == ':' ? length : 0;
}

bool header_next(struct ph_str *header, struct ph_mime_field *field_r)
{
	struct ph_str rest = *header;
	struct ph_str line = line_of(rest);
	if (without_end(line).len == 0)
		return false;
	size_t name = name_length(line);
	size_t length = line.len;
	for (;;) {
		line = line_of(ph_str_slice(rest, length, rest.len));
		if (without_end(line).len == 0 || name_length(line) > 0)
			break;
		length += line.len;
	}
	field_r->raw = ph_str_slice(rest, 0, length);
	field_r->name = ph_str_slice(rest, 0, name);
	field_r->value = without_end(field_r->raw);
	if (name > 0)
		field_r->value = ph_str_slice(
			field_r->value, (size_t)ph_str_find(field_r->value, ':') + 1, field_r->value.len);
	*header = ph_str_slice(rest, length, rest.len);
	return true;
}

bool header_find(struct ph_str *header, const char *name, struct ph_mime_field *field_r)
{
	struct ph_str wanted = ph_str(name);
	while (header_next(header, field_r))
		if (ph_str_case_eq(field_r->name, wanted))
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	const struct ph_str *one = a, *other = b;
	for (size_t i = 0; i < one->len && i < other->len; i++) {
		unsigned char c = (unsigned char)ph_lower(one->data[i]);
		unsigned char d = (unsigned char)ph_lower(other->data[i]);
		if (c != d)
			return c < d ? -1 : 1;
	}
	return (one->len > other->len) - (one->len < other->len);
}

/* Both the fields and the names may be a great many: the names are put in order to be found fast. */
void header_filter(
	struct ph_str header, const struct ph_str *names, size_t count, bool except, struct ph_buf *buf)
{
	struct ph_mime_field field;
	struct ph_str *sorted = ph_alloc_array(count, sizeof(*sorted));
	for (size_t i = 0; i < count; i++)
		sorted[i] = names[i];
	qsort(sorted, count, sizeof(*sorted), compare_names);
	while (header_next(&header, &field)) {
		bool named = bsearch(&field.name, sorted, count, sizeof(*sorted), compare_names) != NULL;
		if (named != except)
			ph_buf_add_str(buf, field.raw);
	}
	ph_buf_add_str(buf, line_of(header));
	free(sorted);
}

struct ph_str header_unfold(struct ph_str value, struct ph_pool *pool)
{
	value = ph_str_trim(value);
	if (scan_is_plain(value, 0, 0))
		return ph_pool_str(pool, value);
	char *text = ph_pool_alloc(pool, value.len + 1);
	if (!text)
		return (struct ph_str){ NULL, 0 };
	size_t length = 0;
	bool folded = false;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		if (c == '\r' || c == '\n') {
			folded = true;
			continue;
		}
		/* A fold is a line end before white space; any other line end parts words all the same. */
		if (folded && !is_space(c))
			text[length++] = ' ';
		folded = false;
		if (c != 0)
			text[length++] = c;
	}
	return ph_str_of(text, length);
}

struct ph_str header_decode(struct ph_str value, struct ph_pool *pool)
{
	value = header_unfold(value, pool);
	/* No encoded word begins in it. */
	if (!value.data || scan_is_plain(value, '=', 0))
		return value;
	struct ph_buf text;
	ph_buf_init(&text, words_decoded_max(value));
	words_decode(value, &text);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 127)
			text.data[i] = ' ';
	struct ph_str decoded = ph_pool_str(pool, ph_str_trim(ph_buf_str(&text)));
	ph_buf_free(&text);
	return decoded;
}

/* msg-id is "<" something without white space ">" here; quotes and comments in it are obsolete and unseen. */
struct ph_str message_ids(struct ph_str value, struct ph_pool *pool)
{
	/* Each id has two characters at least, and gets a space. */
	char *ids = ph_pool_alloc(pool, value.len + value.len / 2 + 1);
	if (!ids)
		return (struct ph_str){ NULL, 0 };
	size_t length = 0;
	ptrdiff_t close;
	for (; (close = ph_str_find(value, '>')) >= 0;
		value = ph_str_slice(value, (size_t)close + 1, value.len)) {
		ptrdiff_t open = ph_str_rfind(ph_str_slice(value, 0, (size_t)close), '<');
		if (open < 0)
			continue;
		if (length > 0)
			ids[length++] = ' ';
		for (ptrdiff_t i = open; i <= close; i++)
			if ((unsigned char)value.data[i] > ' ')
				ids[length++] = value.data[i];
	}
	return ph_str_of(ids, length);
}
