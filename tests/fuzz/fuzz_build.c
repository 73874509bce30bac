/* The builder: whatever a message is built from, it reads back the same, and goes through the narrowest way:
 * no line is too long, and nothing but a message in a message is more than ASCII. The input says what to
 * build: each byte decides something, or is the length of a text that follows. */
#include <stdint.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/addresses.h"
#include "../../modules/mime/build.h"
#include "../../modules/mime/build_field.h"
#include "../../modules/mime/decode.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/params.h"
#include "../../modules/mime/parse.h"
#include "../../modules/mime/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 4, FIELDS_MAX = 4, ADDRESSES_MAX = 4 };

/* --- reading the input --- */

struct input {
	struct ph_str rest;
	struct ph_pool *pool;
};

static unsigned take_number(struct input *input, unsigned max)
{
	if (input->rest.len == 0)
		return 0;
	unsigned number = (unsigned char)input->rest.data[0];
	input->rest = ph_str_slice(input->rest, 1, input->rest.len);
	return number % (max + 1);
}

static struct ph_str take_text(struct input *input)
{
	size_t length = take_number(input, 255);
	struct ph_str text = ph_str_slice(input->rest, 0, length);
	input->rest = ph_str_slice(input->rest, text.len, input->rest.len);
	return text;
}

static void take_addresses(struct input *input, struct ph_mime_new_field *field)
{
	struct ph_mime_address *list = ph_pool_array(input->pool, 3 * ADDRESSES_MAX, sizeof *list);
	unsigned count = take_number(input, ADDRESSES_MAX);
	for (unsigned i = 0; i < count; i++) {
		bool group = take_number(input, 3) == 0;
		if (group)
			list[field->address_count++] = (struct ph_mime_address){ .kind = PH_MIME_GROUP_BEGIN,
				.name = take_text(input) };
		struct ph_mime_address *mailbox = &list[field->address_count++];
		*mailbox = (struct ph_mime_address){
			.name = take_text(input), .local = take_text(input), .domain = take_text(input)
		};
		if (group)
			list[field->address_count++] = (struct ph_mime_address){ .kind = PH_MIME_GROUP_END };
	}
	field->addresses = list;
}

static void take_fields(struct input *input, struct ph_mime_new_part *part)
{
	/* Names that do not mean something for the structure. */
	static const char *const names[] = { "Subject", "X-Test", "To", "Comments" };
	struct ph_mime_new_field *fields = ph_pool_array(input->pool, FIELDS_MAX, sizeof *fields);
	part->field_count = take_number(input, FIELDS_MAX);
	part->fields = fields;
	for (size_t i = 0; i < part->field_count; i++) {
		fields[i].name = ph_str(names[take_number(input, 3)]);
		fields[i].kind = (enum ph_mime_new_kind)take_number(input, 2);
		if (fields[i].kind == PH_MIME_NEW_ADDRESSES)
			take_addresses(input, &fields[i]);
		else
			fields[i].text = take_text(input);
	}
}

static struct ph_mime_new_part *take_parts(struct input *input, size_t count, unsigned depth)
{
	static const char *const types[] = { "", "text/plain", "TEXT/HTML", "image/png", "multipart/mixed",
		"multipart/Alternative", "message/delivery-status", "multipart/digest", "message/global-x" };
	struct ph_mime_new_part *parts = ph_pool_array(input->pool, count, sizeof *parts);
	for (size_t i = 0; i < count; i++) {
		struct ph_mime_new_part *part = &parts[i];
		take_fields(input, part);
		part->type = ph_str(types[take_number(input, depth < 4 ? 8 : 3)]);
		if (take_number(input, 1))
			part->filename = take_text(input);
		if (ph_str_case_starts(part->type, PH_STR("multipart/"))) {
			part->part_count = 1 + take_number(input, PARTS_MAX - 1);
			part->parts = take_parts(input, part->part_count, depth + 1);
		} else {
			part->body = take_text(input);
		}
	}
	return parts;
}

/* --- comparing --- */

/* As the builder promises to clean texts. */
static struct ph_str clean(struct ph_str text, bool trim, struct ph_pool *pool)
{
	struct ph_buf buf;
	ph_buf_init(&buf, SIZE_MAX);
	for (size_t used = utf8_add_clean(&buf, text); used < text.len; used++)
		ph_buf_add_str(&buf, UTF8_REPLACEMENT);
	for (size_t i = 0; i < buf.len; i++)
		if ((unsigned char)buf.data[i] < ' ' || buf.data[i] == 127)
			buf.data[i] = ' ';
	struct ph_str copy = ph_pool_str(pool, trim ? ph_str_trim(ph_buf_str(&buf)) : ph_buf_str(&buf));
	ph_buf_free(&buf);
	return copy;
}

static void check_addresses(const struct ph_mime_new_field *field, struct ph_str value, struct ph_pool *pool)
{
	const struct ph_mime_address *list;
	size_t count = addresses_parse(value, 100, pool, &list);
	PH_ASSERT(count == field->address_count);
	for (size_t i = 0; i < count; i++) {
		const struct ph_mime_address *built = &field->addresses[i];
		PH_ASSERT(list[i].kind == built->kind);
		PH_ASSERT(ph_str_eq(header_decode(list[i].name, pool), clean(built->name, true, pool)));
		PH_ASSERT(ph_str_eq(list[i].local, built->local) && ph_str_eq(list[i].domain, built->domain));
	}
}

static void check_fields(const struct ph_mime_new_part *built, struct ph_str header, struct ph_pool *pool)
{
	struct ph_mime_field field;
	for (size_t i = 0; i < built->field_count; i++) {
		const struct ph_mime_new_field *wanted = &built->fields[i];
		PH_ASSERT(header_next(&header, &field) && ph_str_eq(field.name, wanted->name));
		if (wanted->kind == PH_MIME_NEW_ADDRESSES)
			check_addresses(wanted, field.value, pool);
		else if (wanted->kind == PH_MIME_NEW_TEXT)
			PH_ASSERT(
				ph_str_eq(header_decode(field.value, pool), clean(wanted->text, true, pool)));
		else
			PH_ASSERT(
				ph_str_eq(header_unfold(field.value, pool), clean(wanted->text, true, pool)));
	}
}

/* The text with CRLF as line ends. */
static struct ph_str with_line_ends(struct ph_str text, struct ph_pool *pool)
{
	struct ph_buf buf;
	ph_buf_init(&buf, SIZE_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r'))
			ph_buf_add_char(&buf, '\r');
		ph_buf_add_char(&buf, text.data[i]);
	}
	struct ph_str copy = ph_pool_str(pool, ph_buf_str(&buf));
	ph_buf_free(&buf);
	return copy;
}

static void check_body(const struct ph_mime_new_part *built, const struct ph_mime_part *part,
	struct ph_str bytes, struct ph_pool *pool)
{
	struct ph_mime_decoder decoder;
	struct ph_buf body;
	ph_buf_init(&body, SIZE_MAX);
	decoder_init(&decoder, part->encoding);
	decoder_feed(&decoder, bytes, &body);
	decoder_finish(&decoder, &body);
	bool is_text = ph_mime_is(part, "text", NULL);
	PH_ASSERT(ph_str_eq(ph_buf_str(&body), is_text ? with_line_ends(built->body, pool) : built->body));
	ph_buf_free(&body);
}

static void check_part(const struct ph_mime_new_part *built, const struct ph_mime_part *part,
	struct ph_str bytes, struct ph_pool *pool)
{
	struct ph_str type =
		ph_pool_printf(pool, "%.*s/%.*s", PH_STR_ARGS(part->type), PH_STR_ARGS(part->subtype));
	uint64_t body = ph_mime_body_offset(part);
	PH_ASSERT(ph_str_case_eq(type, built->type.len > 0 ? built->type : PH_STR("text/plain")));
	PH_ASSERT(ph_str_eq(part->filename, clean(built->filename, false, pool)));
	check_fields(built, ph_str_slice(bytes, part->header_offset, body), pool);
	if (built->part_count == 0) {
		check_body(built, part, ph_str_slice(bytes, body, body + part->body_size), pool);
		return;
	}
	const struct ph_mime_part *child = part->children;
	for (size_t i = 0; i < built->part_count; i++, child = child->next)
		check_part(&built->parts[i], child, bytes, pool);
	PH_ASSERT(!child);
}

static void check_lines(struct ph_str bytes)
{
	struct ph_str line;
	while (ph_str_split(&bytes, '\n', &line)) {
		PH_ASSERT(line.len <= 999);
		PH_ASSERT(bytes.len == 0 || (line.len > 0 && line.data[line.len - 1] == '\r'));
	}
}

static bool has_opaque_message(const struct ph_mime_new_part *part)
{
	bool found = ph_str_starts(part->type, PH_STR("message/d"));
	for (size_t i = 0; i < part->part_count; i++)
		found = found || has_opaque_message(&part->parts[i]);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_buf bytes;
	struct input input = { ph_str_of(data, size), ph_pool_new(0) };
	const struct ph_mime_new_part *message = take_parts(&input, 1, 0);
	ph_buf_init(&bytes, SIZE_MAX);
	int result = build(message, &bytes);
	PH_ASSERT(result == 0 || result == PH_E_INVALID);
	if (result == 0) {
		struct ph_mime_parser *parser = parser_new(NULL);
		parser_feed(parser, ph_buf_str(&bytes));
		check_part(message, parser_finish(parser)->root, ph_buf_str(&bytes), input.pool);
		parser_free(&parser);
		if (!has_opaque_message(message))
			check_lines(ph_buf_str(&bytes));
	}
	ph_buf_free(&bytes);
	ph_pool_free(&input.pool);
	return 0;
}
