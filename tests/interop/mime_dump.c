/* Says what the parser makes of messages, for comparison with other parsers. On its input each message stands
 * behind its length (four bytes, the highest first); on its output are lines of words, the texts in hex:
 *
 *   part DEPTH TYPE FILENAME BODY             the body decoded; of what holds others it is "-"
 *   subject TEXT
 *   date SECONDS
 *   addresses NAME LOCAL DOMAIN ...           of the To field
 *   end */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/addresses.h"
#include "../../modules/mime/decode.h"
#include "../../modules/mime/header.h"
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

static void print_parts(const struct ph_mime_part *part, struct ph_str message, int depth)
{
	for (; part; part = part->next) {
		struct ph_buf type;
		ph_buf_init(&type, SIZE_MAX);
		ph_buf_printf(&type, "%.*s/%.*s", PH_STR_ARGS(part->type), PH_STR_ARGS(part->subtype));
		printf("part %d", depth);
		print_hex(ph_buf_str(&type));
		ph_buf_free(&type);
		print_hex(part->filename);
		if (part->children)
			printf(" -");
		else
			print_body(part, message);
		putchar('\n');
		print_parts(part->children, message, depth + 1);
	}
}

static void print_addresses(struct ph_str header)
{
	struct ph_mime_field field;
	const struct ph_mime_address *list;
	struct ph_pool *pool = ph_pool_new(0);
	size_t count =
		header_find(&header, "to", &field) ? addresses_parse(field.value, 1000, pool, &list) : 0;
	printf("addresses");
	for (size_t i = 0; i < count; i++) {
		if (list[i].kind != PH_MIME_MAILBOX)
			continue;
		print_hex(header_decode(list[i].name, pool));
		print_hex(list[i].local);
		print_hex(list[i].domain);
	}
	putchar('\n');
	ph_pool_free(&pool);
}

static void dump(struct ph_str bytes)
{
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	const struct ph_mime_message *message = parser_finish(parser);
	print_parts(message->root, bytes, 0);
	printf("subject");
	print_hex(message->subject);
	if (message->date.known)
		printf("\ndate %" PRId64, message->date.time);
	putchar('\n');
	print_addresses(message->header);
	puts("end");
	(void)fflush(stdout);
	parser_free(&parser);
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
