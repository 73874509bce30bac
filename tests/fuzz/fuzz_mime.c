/* The parser: whole and in pieces it must say the same; parts lie within each other; the summary reads back;
 * IMAP texts hold what IMAP allows; searching and decoding bodies comes to an end. */
#include <stdint.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/attachments.h"
#include "../../modules/mime/binary.h"
#include "../../modules/mime/decode.h"
#include "../../modules/mime/encode_nul.h"
#include "../../modules/mime/flowed.h"
#include "../../modules/mime/html.h"
#include "../../modules/mime/parse.h"
#include "../../modules/mime/search.h"
#include "../../modules/mime/section.h"
#include "../../modules/mime/sort.h"
#include "../../modules/mime/summary.h"
#include "../../modules/mime/thread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void summarize(struct ph_str bytes, size_t piece, struct ph_buf *summary)
{
	struct ph_mime_parser *parser = parser_new(NULL);
	for (size_t at = 0; at < bytes.len; at += piece)
		parser_feed(parser, ph_str_slice(bytes, at, at + piece));
	summary_encode(parser_finish(parser), summary);
	parser_free(&parser);
}

static void check_part(const struct ph_mime_part *part, uint64_t begin, uint64_t end)
{
	for (; part; part = part->next) {
		uint64_t body_end = ph_mime_body_offset(part) + part->body_size;
		PH_ASSERT(part->header_offset >= begin && body_end <= end);
		check_part(part->children, ph_mime_body_offset(part), body_end);
		begin = body_end;
	}
}

/* Balanced parentheses outside of strings; 8-bit bytes only in literals, NULs nowhere. */
static void check_imap_text(struct ph_str text)
{
	int depth = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		PH_ASSERT(c != 0 && c < 0x80 && c != '\r' && c != '\n');
		if (c == '"') {
			for (i++; text.data[i] != '"'; i++) {
				i += text.data[i] == '\\';
				PH_ASSERT(i + 1 < text.len && (unsigned char)text.data[i] < 0x80 &&
					  text.data[i] != 0);
			}
		} else if (c == '{') {
			size_t length = strtoul(text.data + i + 1, NULL, 10);
			i += (size_t)ph_str_find(ph_str_slice(text, i, text.len), '\n') + length;
			PH_ASSERT(i < text.len);
		}
		depth += (c == '(') - (c == ')');
		PH_ASSERT(depth > 0 || i + 1 == text.len);
	}
	PH_ASSERT(depth == 0);
}

static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	const struct ph_str *bytes = arg;
	*bytes_r = ph_str_slice(*bytes, offset, offset + 100);
	return 0;
}

static int count_bytes(void *arg, struct ph_str bytes)
{
	*(uint64_t *)arg += bytes.len;
	return 0;
}

/* A part is as long decoded as it was measured. */
static void check_binary(
	const struct ph_mime_message *message, const struct ph_mime_source *source, const char *name)
{
	struct ph_mime_binary binary;
	uint64_t size, written = 0;
	bool has_nul;
	const struct ph_mime_sink sink = { count_bytes, &written };
	if (binary_find(message, ph_str(name), &binary) < 0)
		return;
	PH_ASSERT(binary_size(&binary, source, &size, &has_nul) == 0);
	PH_ASSERT(binary_write(&binary, source, 0, UINT64_MAX, &sink) == 0);
	PH_ASSERT(size == written && size <= binary.size);
}

static int keep_bytes(void *arg, struct ph_str bytes)
{
	return ph_buf_add_str(arg, bytes) ? 0 : PH_E_LIMIT;
}

/* What a part is, decoded; empty for one with parts in it, whose bytes may become others. */
static void read_leaf(
	const struct ph_mime_message *message, struct ph_str bytes, const char *name, struct ph_buf *leaf_r)
{
	const struct ph_mime_source source = { view, &bytes };
	const struct ph_mime_sink sink = { keep_bytes, leaf_r };
	struct ph_mime_section section;
	struct ph_mime_binary binary;
	ph_buf_init(leaf_r, SIZE_MAX);
	if (section_find(message, ph_str(name), &section) == 0 && !section.part->children &&
		binary_find(message, ph_str(name), &binary) == 0)
		PH_ASSERT(binary_write(&binary, &source, 0, UINT64_MAX, &sink) == 0);
}

static void decode(
	struct ph_str bytes, enum ph_mime_encoding encoding, size_t piece, struct ph_buf *decoded_r)
{
	struct ph_mime_decoder decoder;
	ph_buf_init(decoded_r, SIZE_MAX);
	decoder_init(&decoder, encoding);
	for (size_t at = 0; at < bytes.len; at += piece)
		decoder_feed(&decoder, ph_str_slice(bytes, at, at + piece), decoded_r);
	decoder_finish(&decoder, decoded_r);
	PH_ASSERT(decoded_r->len <= bytes.len);
}

/* What is decoded many bytes at once is what it is byte by byte. */
static void check_decoded(struct ph_str bytes, enum ph_mime_encoding encoding)
{
	struct ph_buf whole, single;
	decode(bytes, encoding, bytes.len + 1, &whole);
	decode(bytes, encoding, 1, &single);
	PH_ASSERT(ph_str_eq(ph_buf_str(&whole), ph_buf_str(&single)));
	ph_buf_free(&whole);
	ph_buf_free(&single);
}

/* Without NULs in its binary parts a message has the same parts as before. */
static void check_encode_nul(struct ph_str bytes)
{
	static const char *const names[] = { "1", "2", "1.1", "2.1" };
	const struct ph_mime_source source = { view, &bytes };
	struct ph_mime_parser *before = parser_new(NULL), *after = parser_new(NULL);
	struct ph_buf encoded;
	const struct ph_mime_sink sink = { keep_bytes, &encoded };
	ph_buf_init(&encoded, SIZE_MAX);
	parser_feed(before, bytes);
	const struct ph_mime_message *message = parser_finish(before);
	PH_ASSERT(encode_nul(message, &source, &sink) == 0);
	parser_feed(after, ph_buf_str(&encoded));
	const struct ph_mime_message *changed = parser_finish(after);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct ph_buf was, is;
		read_leaf(message, bytes, names[i], &was);
		read_leaf(changed, ph_buf_str(&encoded), names[i], &is);
		PH_ASSERT(ph_str_eq(ph_buf_str(&was), ph_buf_str(&is)));
		ph_buf_free(&was);
		ph_buf_free(&is);
	}
	parser_free(&before);
	parser_free(&after);
	ph_buf_free(&encoded);
}

static void check_products(
	const struct ph_mime_message *message, const struct ph_mime_source *source, struct ph_pool *pool)
{
	const struct ph_mime_attachment *attachments;
	const struct ph_str *references;
	struct ph_str text;
	int count = attachments_list(message, source, 20, pool, &attachments);
	PH_ASSERT(count >= 0 && count <= 20);
	PH_ASSERT(thread_ids(message, 3, pool, &text, &references) <= 3);
	base_subject(message->subject, pool, &text);
	PH_ASSERT(text.len <= message->subject.len);
	PH_ASSERT(message->preview.len <= 800 && message->preview.len <= 4 * message->size);
}

/* Neither grows beyond what the contract says. */
static void check_readable(struct ph_str bytes)
{
	struct ph_buf text;
	bool is_ascii = true;
	for (size_t i = 0; i < bytes.len; i++)
		is_ascii = is_ascii && (unsigned char)bytes.data[i] < 0x80;
	ph_buf_init(&text, is_ascii ? bytes.len : SIZE_MAX);
	PH_ASSERT(html_text(bytes, &text));
	ph_buf_free(&text);
	ph_buf_init(&text, 2 * bytes.len);
	PH_ASSERT(flowed_text(bytes, false, &text));
	ph_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const sections[] = { "HEADER", "1", "1.MIME", "2.HEADER", "1.1", "2.1.1.MIME" };
	struct ph_str bytes = ph_str_of(data, size);
	struct ph_buf whole, pieces;
	struct ph_mime_message message;
	struct ph_mime_section section;
	struct ph_pool *pool = ph_pool_new(0);
	ph_buf_init(&whole, SIZE_MAX);
	ph_buf_init(&pieces, SIZE_MAX);
	summarize(bytes, size + 1, &whole);
	summarize(bytes, size > 0 && data[0] % 2 ? 1 : 7, &pieces);
	PH_ASSERT(ph_str_eq(ph_buf_str(&whole), ph_buf_str(&pieces)));
	PH_ASSERT(summary_decode(ph_buf_str(&whole), pool, &message) == 0);
	PH_ASSERT(message.size == size);
	check_part(message.root, 0, size);
	check_imap_text(message.envelope);
	check_imap_text(message.body);
	check_imap_text(message.bodystructure);
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (section_find(&message, ph_str(sections[i]), &section) == 0)
			PH_ASSERT(section.offset + section.size <= size);
	struct ph_mime_source source = { view, &bytes };
	check_binary(&message, &source, "");
	check_binary(&message, &source, "1");
	check_binary(&message, &source, "2.1");
	check_encode_nul(bytes);
	check_decoded(bytes, PH_MIME_BASE64);
	check_decoded(bytes, PH_MIME_QUOTED_PRINTABLE);
	check_products(&message, &source, pool);
	check_readable(bytes);
	message_contains(&message, &source, PH_STR("abab ac"), true);
	ph_buf_free(&whole);
	ph_buf_free(&pieces);
	ph_pool_free(&pool);
	return 0;
}
