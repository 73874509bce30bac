/* Parameters of MIME fields (RFC 2045, 5.1), and their charsets and continuations (RFC 2231). Read leniently:
 * values may have spaces and specials without quotes, quotes may lack their end. */
#include "params.h"

#include "charset.h"
#include "continuation.h"
#include "header.h"
#include "lexer.h"
#include "quoted.h"

struct reader {
	struct lexer lexer;
	char *out; /* texts are written one behind the other; none is longer than what it comes from */
};

static struct ph_str finish(struct reader *reader, char *begin, bool lower)
{
	struct ph_str text = ph_str_trim(ph_str_of(begin, (size_t)(reader->out - begin)));
	for (char *at = begin; lower && at < reader->out; at++)
		*at = ph_lower(*at);
	return text;
}

/* Takes text up to one of two characters, without comments (those behind white space: "a(1).txt" is meant as
 * it is) and with each white space as one space. */
static struct ph_str take_text(struct reader *reader, char end, char other_end, bool lower)
{
	struct lexer *lexer = &reader->lexer;
	char *begin = reader->out;
	struct ph_str comment;
	lexer_skip(lexer);
	while (!lexer_ended(lexer) && *lexer->at != end && *lexer->at != other_end) {
		if (lexer_space(lexer)) {
			*reader->out++ = ' ';
			lexer_comment(lexer, &comment);
		} else {
			*reader->out++ = *lexer->at++;
		}
	}
	return finish(reader, begin, lower);
}

static struct ph_str take_value(struct reader *reader)
{
	struct ph_str quoted;
	lexer_skip(&reader->lexer);
	if (!lexer_quoted(&reader->lexer, &quoted)) {
		if (!lexer_ended(&reader->lexer) && *reader->lexer.at == '"')
			reader->lexer.at++;
		return take_text(reader, ';', ';', false);
	}
	char *begin = reader->out;
	reader->out += lexer_unescape(quoted, reader->out);
	return ph_str_of(begin, (size_t)(reader->out - begin));
}

/* Without white space, which has no place in "text / plain" and "filename = x". */
static struct ph_str squeeze(struct ph_str text)
{
	char *out = (char *)text.data;
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ' ')
			out[length++] = text.data[i];
	return ph_str_of(out, length);
}

/* "text / plain" is one word; what stands behind it, as in "text/plain charset=utf-8", is none of it. White
 * space is single spaces here. */
static struct ph_str first_word(struct ph_str text)
{
	char *out = (char *)text.data;
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool before_slash = i + 1 < text.len && text.data[i + 1] == '/';
		bool behind_slash = length > 0 && out[length - 1] == '/';
		if (text.data[i] != ' ')
			out[length++] = text.data[i];
		else if (!before_slash && !behind_slash)
			break;
	}
	return ph_str_of(out, length);
}

static size_t count_of(struct ph_str text, char c)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == c;
	return count;
}

void params_parse(struct ph_str field_value, size_t max, struct ph_pool *pool, struct ph_str *value_r,
	struct ph_mime_params *params_r)
{
	*value_r = (struct ph_str){ NULL, 0 };
	*params_r = (struct ph_mime_params){ 0 };
	size_t most = count_of(field_value, '=');
	struct reader reader = { .lexer = lexer_of(field_value),
		.out = ph_pool_alloc(pool, field_value.len + 1) };
	struct ph_mime_param *items = ph_pool_array(pool, most < max ? most : max, sizeof *items);
	if (!reader.out || !items)
		return;
	*value_r = first_word(take_text(&reader, ';', ';', true));
	size_t count = 0;
	while (!lexer_ended(&reader.lexer) && count < max) {
		struct ph_str name = squeeze(take_text(&reader, ';', '=', true));
		bool has_value = !lexer_ended(&reader.lexer) && *reader.lexer.at == '=';
		if (!lexer_ended(&reader.lexer))
			reader.lexer.at++;
		if (!has_value)
			continue;
		struct ph_str value = take_value(&reader);
		if (name.len > 0)
			items[count++] = (struct ph_mime_param){ .name = name, .value = value };
		/* What is left behind a quoted value. */
		char *out = reader.out;
		take_text(&reader, ';', ';', false);
		reader.out = out;
	}
	params_r->items = items;
	params_r->count = continuation_join(items, count, pool);
}

/* --- RFC 2231 --- */

/* Takes charset'language' off the front of the value. */
static struct ph_str take_charset(struct ph_str *value)
{
	ptrdiff_t first = ph_str_find(*value, '\'');
	if (first < 0)
		return (struct ph_str){ NULL, 0 };
	struct ph_str charset = ph_str_slice(*value, 0, (size_t)first);
	struct ph_str rest = ph_str_slice(*value, (size_t)first + 1, value->len);
	ptrdiff_t second = ph_str_find(rest, '\'');
	if (second < 0)
		return (struct ph_str){ NULL, 0 };
	*value = ph_str_slice(rest, (size_t)second + 1, rest.len);
	return charset;
}

static void add_unescaped(struct ph_str value, struct ph_buf *bytes)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		if (c == '%' && i + 2 < value.len && hex_digit((unsigned char)value.data[i + 1]) >= 0 &&
			hex_digit((unsigned char)value.data[i + 2]) >= 0) {
			c = (char)(hex_digit((unsigned char)value.data[i + 1]) << 4 |
				   hex_digit((unsigned char)value.data[i + 2]));
			i += 2;
		}
		ph_buf_add_char(bytes, c);
	}
}

static struct ph_str clean_copy(struct ph_str text, struct ph_pool *pool)
{
	struct ph_str copy = ph_pool_str(pool, text);
	for (size_t i = 0; i < copy.len; i++)
		if ((unsigned char)copy.data[i] < ' ' || copy.data[i] == 127)
			((char *)copy.data)[i] = ' ';
	return copy;
}

static struct ph_str convert(struct ph_str charset_name, struct ph_str bytes, struct ph_pool *pool)
{
	struct charset charset;
	struct ph_buf text;
	ph_buf_init(&text, bytes.len * 4 + 16);
	charset_open(&charset, charset_name);
	charset_feed(&charset, bytes, &text);
	charset_finish(&charset, &text);
	charset_close(&charset);
	struct ph_str copy = clean_copy(ph_buf_str(&text), pool);
	ph_buf_free(&text);
	return copy;
}

/* The parameter of that name, with `star` behind it; of several one in pieces, else the first. */
static const struct ph_mime_param *find(
	const struct ph_mime_params *params, struct ph_str name, struct ph_str star)
{
	const struct ph_mime_param *found = NULL;
	for (size_t i = 0; i < params->count; i++) {
		const struct ph_mime_param *param = &params->items[i];
		if (param->name.len == name.len + star.len && ph_str_case_starts(param->name, name) &&
			ph_str_ends(param->name, star) && (!found || (param->in_pieces && !found->in_pieces)))
			found = param;
	}
	return found;
}

/* What is escaped may say its charset: RFC 2231, 4. */
static struct ph_str decode_escaped(struct ph_str value, struct ph_pool *pool)
{
	struct ph_str charset = take_charset(&value);
	struct ph_buf bytes;
	ph_buf_init(&bytes, value.len);
	add_unescaped(value, &bytes);
	struct ph_str text = convert(charset, ph_buf_str(&bytes), pool);
	ph_buf_free(&bytes);
	return text;
}

bool params_get(
	const struct ph_mime_params *params, const char *name, struct ph_pool *pool, struct ph_str *value_r)
{
	const struct ph_mime_param *escaped = find(params, ph_str(name), PH_STR("*"));
	const struct ph_mime_param *plain = escaped ? NULL : find(params, ph_str(name), PH_STR(""));
	if (escaped)
		*value_r = decode_escaped(escaped->value, pool);
	else if (plain)
		*value_r = header_decode(plain->value, pool);
	return escaped || plain;
}

bool params_raw(
	const struct ph_mime_params *params, const char *name, struct ph_pool *pool, struct ph_str *value_r)
{
	const struct ph_mime_param *plain = find(params, ph_str(name), PH_STR(""));
	if (!plain)
		return params_get(params, name, pool, value_r);
	*value_r = plain->value;
	return true;
}
