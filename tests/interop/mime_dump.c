/* Says what the parser makes of messages, for comparison with other parsers. On its input each message stands
 * behind its length (four bytes, the highest first); on its output are lines of words, the texts in hex, "."
 * if empty:
 *
 *   part DEPTH TYPE BODY                      the body decoded; of what holds others it is "-"
 *   type RAW NAME VALUE ...                   of the part: Content-Type, and its parameters decoded
 *   disposition RAW VALUE NAME VALUE ...      the same for Content-Disposition
 *   subject RAW TEXT
 *   from RAW KIND NAME LOCAL DOMAIN ...       likewise to, cc; KIND is mailbox, group or end
 *   date RAW SECONDS                          without the seconds when it cannot be read
 *   message-id RAW ID ...                     likewise references
 *   end
 *
 * Fields that are not there are left out; of those that come again the first is told. RAW is as it stands
 * there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/addresses.h"
#include "../../modules/mime/date.h"
#include "../../modules/mime/decode.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/params.h"
#include "../../modules/mime/parse.h"

enum { MESSAGE_MAX = 64 * 1024 * 1024 };

static void print_hex(struct ph_str text)
{
	putchar(' ');
	if (text.len == 0)
		putchar('.');
	for (size_t i = 0; i < text.len; i++)
		printf("%02x", (unsigned char)text.data[i]);
}

static void print_body(const struct ph_mime_part *part, struct ph_str message)
{
	struct ph_mime_decoder decoder;
	struct ph_buf body;
	uint64_t offset = ph_mime_body_offset(part);
	ph_buf_init(&body, SIZE_MAX);
	decoder_init(&decoder, part->encoding);
	decoder_feed(&decoder, ph_str_slice(message, offset, offset + part->body_size), &body);
	decoder_finish(&decoder, &body);
	print_hex(ph_buf_str(&body));
	ph_buf_free(&body);
}

/* The parameters by their names without stars, each as a reader of the name gets it. */
static void print_params(const struct ph_mime_params *params, struct ph_pool *pool)
{
	for (size_t i = 0; i < params->count; i++) {
		struct ph_str name = params->items[i].name, value;
		if (ph_str_ends(name, PH_STR("*")))
			name.len--;
		char *text = ph_str_dup(name);
		print_hex(name);
		if (!params_get(params, text, pool, &value))
			value = params->items[i].value;
		print_hex(value);
		free(text);
	}
	putchar('\n');
}

/* The first field of that name in the header. Puts the beginning of its line. */
static bool find_field(struct ph_str header, const char *name, const char *title, struct ph_str *value_r)
{
	struct ph_mime_field field;
	if (!header_find(&header, name, &field))
		return false;
	*value_r = field.value;
	printf("%s", title);
	print_hex(field.value);
	return true;
}

static void print_part_fields(const struct ph_mime_part *part, struct ph_str message, struct ph_pool *pool)
{
	struct ph_str header =
		ph_str_slice(message, part->header_offset, part->header_offset + part->header_size);
	struct ph_str value;
	if (find_field(header, "content-type", "type", &value))
		print_params(&part->params, pool);
	if (find_field(header, "content-disposition", "disposition", &value)) {
		print_hex(part->disposition);
		print_params(&part->disposition_params, pool);
	}
}

static void print_parts(
	const struct ph_mime_part *part, struct ph_str message, int depth, struct ph_pool *pool)
{
	for (; part; part = part->next) {
		printf("part %d", depth);
		print_hex(ph_pool_printf(
			pool, "%.*s/%.*s", PH_STR_ARGS(part->type), PH_STR_ARGS(part->subtype)));
		if (part->children)
			printf(" -");
		else
			print_body(part, message);
		putchar('\n');
		print_part_fields(part, message, pool);
		print_parts(part->children, message, depth + 1, pool);
	}
}

static void print_addresses(struct ph_str header, const char *name, struct ph_pool *pool)
{
	static const char *const kinds[] = { "mailbox", "group", "end" };
	const struct ph_mime_address *list;
	struct ph_str value;
	if (!find_field(header, name, name, &value))
		return;
	size_t count = addresses_parse(value, 1000, pool, &list);
	for (size_t i = 0; i < count; i++) {
		printf(" %s", kinds[list[i].kind]);
		print_hex(header_decode(list[i].name, pool));
		print_hex(list[i].local);
		print_hex(list[i].domain);
	}
	putchar('\n');
}

static void print_ids(struct ph_str header, const char *name, struct ph_pool *pool)
{
	struct ph_str value, id;
	if (!find_field(header, name, name, &value))
		return;
	struct ph_str ids = message_ids(value, pool);
	while (ids.len > 0 && ph_str_split(&ids, ' ', &id))
		print_hex(id);
	putchar('\n');
}

static void print_message_fields(struct ph_str header, struct ph_pool *pool)
{
	struct ph_str value;
	if (find_field(header, "subject", "subject", &value)) {
		print_hex(header_decode(value, pool));
		putchar('\n');
	}
	print_addresses(header, "from", pool);
	print_addresses(header, "to", pool);
	print_addresses(header, "cc", pool);
	if (find_field(header, "date", "date", &value)) {
		struct ph_mime_date date = date_parse(value);
		if (date.known)
			printf(" %" PRId64, date.time);
		putchar('\n');
	}
	print_ids(header, "message-id", pool);
	print_ids(header, "references", pool);
}

static void dump(struct ph_str bytes)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	const struct ph_mime_message *message = parser_finish(parser);
	print_parts(message->root, bytes, 0, pool);
	print_message_fields(message->header, pool);
	puts("end");
	(void)fflush(stdout);
	parser_free(&parser);
	ph_pool_free(&pool);
}

int main(void)
{
	unsigned char length[4];
	while (fread(length, 1, sizeof length, stdin) == sizeof length) {
		size_t size = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 |
			      length[3];
		if (size > MESSAGE_MAX)
			return 1;
		char *bytes = ph_alloc_array(size + 1, 1);
		if (fread(bytes, 1, size, stdin) != size)
			return 1;
		dump(ph_str_of(bytes, size));
		free(bytes);
	}
	return 0;
}
