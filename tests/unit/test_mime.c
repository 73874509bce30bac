/* Structure, sections and summaries: every message in data/mime is parsed whole, in pieces, and byte by byte,
 * and what comes out is compared with the .expected file beside it. After a change that is meant, RECORD=1
 * writes those files anew, to be read before they are committed. */
#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/parse.h"
#include "../../modules/mime/search.h"
#include "../../modules/mime/section.h"
#include "../../modules/mime/summary.h"

static const char *data_directory(void)
{
	static char path[4096];
	const char *source = getenv("SOURCE");
	snprintf(path, sizeof path, "%s/tests/unit/data/mime", source ? source : ".");
	return path;
}

static void read_file(const char *name, const char *suffix, struct ph_buf *buf)
{
	char path[4400], chunk[4096];
	size_t length;
	snprintf(path, sizeof path, "%s/%s%s", data_directory(), name, suffix);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	while ((length = fread(chunk, 1, sizeof chunk, file)) > 0)
		ph_buf_add(buf, chunk, length);
	fclose(file);
}

static void write_file(const char *name, const char *suffix, const struct ph_buf *buf)
{
	char path[4400];
	snprintf(path, sizeof path, "%s/%s%s", data_directory(), name, suffix);
	FILE *file = fopen(path, "wb");
	ck_assert(file && fwrite(buf->data, 1, buf->len, file) == buf->len);
	fclose(file);
}

static void dump_text(struct ph_buf *out, const char *name, struct ph_str text)
{
	if (text.len > 0)
		ph_buf_printf(out, "%s: %.*s\n", name, PH_STR_ARGS(text));
}

static void dump_section(
	struct ph_buf *out, const struct ph_mime_message *message, struct ph_str bytes, const char *name)
{
	struct ph_mime_section section;
	if (section_find(message, ph_str(name), &section) < 0)
		return;
	ph_buf_printf(out, "[%s] %" PRIu64 "+%" PRIu64, name, section.offset, section.size);
	ck_assert(section.offset + section.size <= bytes.len);
	struct ph_str text = ph_str_slice(bytes, section.offset, section.offset + section.size);
	text = ph_str_slice(text, 0, text.len < 60 ? text.len : 60);
	ph_buf_add_text(out, " |");
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || (unsigned char)text.data[i] > 126)
			ph_buf_printf(out, "\\%02x", (unsigned char)text.data[i]);
		else
			ph_buf_add_char(out, text.data[i]);
	ph_buf_add_text(out, "|\n");
}

/* All sections that numbers of up to three levels lead to. */
static void dump_sections(struct ph_buf *out, const struct ph_mime_message *message, struct ph_str bytes,
	const char *prefix, int levels)
{
	static const char *const ends[] = { "HEADER", "TEXT", "MIME" };
	char name[64];
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", prefix, ends[i]);
		dump_section(out, message, bytes, name);
	}
	for (int number = 1; number < 6 && levels > 0; number++) {
		snprintf(name, sizeof name, "%s%d", prefix, number);
		dump_section(out, message, bytes, name);
		snprintf(name, sizeof name, "%s%d.", prefix, number);
		dump_sections(out, message, bytes, name, levels - 1);
	}
}

static void dump_parts(struct ph_buf *out, const struct ph_mime_part *part, int depth)
{
	for (; part; part = part->next) {
		ph_buf_printf(out, "%*s%.*s/%.*s encoding %d header %" PRIu32 " lines body %" PRIu32 " lines",
			2 * depth, "", PH_STR_ARGS(part->type), PH_STR_ARGS(part->subtype), part->encoding,
			part->header_lines, part->body_lines);
		ph_buf_printf(out, " charset '%.*s' filename '%.*s' disposition '%.*s'\n",
			PH_STR_ARGS(part->charset), PH_STR_ARGS(part->filename),
			PH_STR_ARGS(part->disposition));
		dump_parts(out, part->children, depth + 1);
	}
}

static void dump(struct ph_buf *out, const struct ph_mime_message *message, struct ph_str bytes)
{
	ph_buf_printf(out, "size: %" PRIu64 "\n", message->size);
	if (message->date.known)
		ph_buf_printf(out, "date: %" PRId64 " zone %d\n", message->date.time, message->date.zone);
	dump_text(out, "ENVELOPE", message->envelope);
	dump_text(out, "BODY", message->body);
	dump_text(out, "BODYSTRUCTURE", message->bodystructure);
	dump_text(out, "subject", message->subject);
	dump_text(out, "from", message->from);
	dump_text(out, "to", message->to);
	dump_text(out, "cc", message->cc);
	dump_text(out, "bcc", message->bcc);
	dump_text(out, "message-id", message->message_id);
	dump_text(out, "in-reply-to", message->in_reply_to);
	dump_text(out, "references", message->references);
	dump_text(out, "sort-from", message->sort_from);
	dump_text(out, "sort-to", message->sort_to);
	dump_text(out, "sort-cc", message->sort_cc);
	dump_text(out, "display-from", message->display_from);
	dump_text(out, "display-to", message->display_to);
	dump_text(out, "preview", message->preview);
	dump_parts(out, message->root, 0);
	dump_section(out, message, bytes, "");
	dump_sections(out, message, bytes, "", 3);
}

static struct ph_mime_parser *parse(
	struct ph_str bytes, size_t piece, const struct ph_mime_message **message_r)
{
	struct ph_mime_parser *parser = parser_new(NULL);
	for (size_t at = 0; at < bytes.len; at += piece)
		parser_feed(parser, ph_str_slice(bytes, at, at + piece));
	*message_r = parser_finish(parser);
	return parser;
}

static void check_equal(
	const char *name, const char *how, const struct ph_buf *got, const struct ph_buf *expected)
{
	ck_assert_msg(ph_str_eq(ph_buf_str(got), ph_buf_str(expected)), "%s, %s:\n%.*s\nexpected:\n%.*s",
		name, how, PH_STR_ARGS(*got), PH_STR_ARGS(*expected));
}

static void check_message(const char *name)
{
	struct ph_buf bytes, expected, whole, pieces, summary, decoded;
	struct ph_buf *const bufs[] = { &bytes, &expected, &whole, &pieces, &summary, &decoded };
	const struct ph_mime_message *message;
	struct ph_mime_message read_back;
	struct ph_pool *pool = ph_pool_new(0);
	for (size_t i = 0; i < 6; i++)
		ph_buf_init(bufs[i], SIZE_MAX);
	read_file(name, ".eml", &bytes);
	struct ph_mime_parser *parser = parse(ph_buf_str(&bytes), bytes.len + 1, &message);
	dump(&whole, message, ph_buf_str(&bytes));
	if (getenv("RECORD"))
		write_file(name, ".expected", &whole);
	read_file(name, ".expected", &expected);
	check_equal(name, "whole", &whole, &expected);
	summary_encode(message, &summary);
	parser_free(&parser);
	for (size_t piece = 1; piece < 10; piece++) {
		parser = parse(ph_buf_str(&bytes), piece, &message);
		ph_buf_reset(&pieces);
		dump(&pieces, message, ph_buf_str(&bytes));
		check_equal(name, "in pieces", &pieces, &whole);
		parser_free(&parser);
	}
	ck_assert_int_eq(summary_decode(ph_buf_str(&summary), pool, &read_back), 0);
	dump(&decoded, &read_back, ph_buf_str(&bytes));
	check_equal(name, "from its summary", &decoded, &whole);
	ck_assert_int_eq(summary_view(ph_buf_str(&summary), &read_back), 0);
	ck_assert(ph_str_starts(read_back.envelope, PH_STR("(")));
	ph_pool_free(&pool);
	for (size_t i = 0; i < 6; i++)
		ph_buf_free(bufs[i]);
}

START_TEST(test_messages)
{
	DIR *directory = opendir(data_directory());
	size_t count = 0;
	ck_assert_msg(directory != NULL, "cannot open %s", data_directory());
	for (struct dirent *entry; (entry = readdir(directory));) {
		char *suffix = strstr(entry->d_name, ".eml");
		if (!suffix)
			continue;
		*suffix = 0;
		check_message(entry->d_name);
		count++;
	}
	closedir(directory);
	ck_assert_uint_gt(count, 20);
}
END_TEST

/* Bodies are passed over in blocks: a boundary is met wherever in one it begins, and lines are counted right.
 */
START_TEST(test_boundary_anywhere)
{
	static const struct ph_str header =
		PH_STR_INIT("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
	static const struct ph_str lines[] = { PH_STR_INIT("\n"), PH_STR_INIT("-\n"), PH_STR_INIT("--\r\n"),
		PH_STR_INIT("abcdefg\r\n"), PH_STR_INIT("x") };
	struct ph_buf bytes;
	ph_buf_init(&bytes, SIZE_MAX);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		for (size_t repeated = 0; repeated < 400; repeated++) {
			const struct ph_mime_message *message;
			uint64_t feeds = lines[i].len > 1 || i == 0 ? repeated : 0;
			ph_buf_reset(&bytes);
			ph_buf_add_str(&bytes, header);
			for (size_t j = 0; j < repeated; j++)
				ph_buf_add_str(&bytes, lines[i]);
			size_t body = bytes.len - header.len;
			ph_buf_add_text(&bytes, "\n--b--\nepilogue\n");
			struct ph_mime_parser *parser = parse(ph_buf_str(&bytes), 1 << 20, &message);
			const struct ph_mime_part *part = message->root->children;
			ck_assert(!part->next && part->body_size == body && part->body_lines == feeds);
			ck_assert_uint_eq(message->root->body_lines, feeds + 5);
			parser_free(&parser);
		}
	ph_buf_free(&bytes);
}
END_TEST

START_TEST(test_section_names)
{
	static const struct {
		const char *name;
		int result;
	} rows[] = {
		{ "1", 0 },
		{ "1.MIME", 0 },
		{ "header", 0 },
		{ "Text", 0 },
		{ "2", PH_E_ABSENT },
		{ "1.1", PH_E_ABSENT },
		{ "1.HEADER", PH_E_ABSENT },
		{ "2.TEXT", PH_E_ABSENT },
		{ "MIME", PH_E_INVALID },
		{ "0", PH_E_INVALID },
		{ "01", PH_E_INVALID },
		{ "1.", PH_E_INVALID },
		{ ".1", PH_E_INVALID },
		{ "1..2", PH_E_INVALID },
		{ ".", PH_E_INVALID },
		{ "HEADER.1", PH_E_INVALID },
		{ "BODY", PH_E_INVALID },
		{ "-1", PH_E_INVALID },
		{ "4294967296", PH_E_INVALID },
		{ "1.FOO", PH_E_INVALID },
		{ "1x", PH_E_INVALID },
	};
	const struct ph_mime_message *message;
	struct ph_mime_section section;
	struct ph_mime_parser *parser = parse(PH_STR("A: b\r\n\r\ntext"), 100, &message);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_msg(section_find(message, ph_str(rows[i].name), &section) == rows[i].result, "%s",
			rows[i].name);
	parser_free(&parser);
}
END_TEST

static void add_nested(struct ph_buf *buf, int levels)
{
	for (int i = 0; i < levels; i++)
		ph_buf_printf(buf, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	ph_buf_add_text(buf, "\r\ndeep\r\n");
}

static size_t count_parts(const struct ph_mime_part *part, size_t *deepest, size_t depth)
{
	size_t count = 0;
	for (; part; part = part->next) {
		if (depth > *deepest)
			*deepest = depth;
		count += 1 + count_parts(part->children, deepest, depth + 1);
	}
	return count;
}

/* Beyond a limit, everything else still holds. */
START_TEST(test_limits)
{
	static const struct ph_mime_limits limits = {
		.nesting = 5, .parts = 8, .header_bytes = 600, .parameters = 2, .addresses = 3
	};
	struct ph_buf bytes;
	size_t deepest = 0;
	ph_buf_init(&bytes, SIZE_MAX);
	ph_buf_add_text(&bytes,
		"To: a@b, c@d, e@f, g@h, i@j\r\nContent-Type: multipart/mixed; a=1; boundary=b; c=2\r\n\r\n");
	for (int i = 0; i < 20; i++)
		ph_buf_add_text(&bytes, "--b\r\nContent-Type: text/html\r\n\r\nx\r\n");
	ph_buf_add_text(&bytes, "--b--\r\n");
	struct ph_mime_parser *parser = parser_new(&limits);
	parser_feed(parser, ph_buf_str(&bytes));
	const struct ph_mime_message *message = parser_finish(parser);
	ck_assert_uint_eq(message->size, bytes.len);
	ck_assert_uint_eq(count_parts(message->root, &deepest, 0), 8);
	ck_assert_uint_eq(message->root->params.count, 2);
	ck_assert(text_contains(message->envelope, PH_STR("\"c\"")));
	ck_assert(!text_contains(message->envelope, PH_STR("\"g\"")));
	parser_free(&parser);

	ph_buf_reset(&bytes);
	add_nested(&bytes, 20);
	parser = parser_new(&limits);
	parser_feed(parser, ph_buf_str(&bytes));
	message = parser_finish(parser);
	deepest = 0;
	count_parts(message->root, &deepest, 0);
	ck_assert_uint_eq(deepest, 5);
	parser_free(&parser);
	ph_buf_free(&bytes);
}
END_TEST

/* Every cut and every changed byte of a summary is refused or read, but never trusted. */
START_TEST(test_damaged_summary)
{
	struct ph_buf bytes, summary;
	const struct ph_mime_message *message;
	struct ph_mime_message read_back;
	ph_buf_init(&bytes, SIZE_MAX);
	ph_buf_init(&summary, SIZE_MAX);
	read_file("forwarded", ".eml", &bytes);
	struct ph_mime_parser *parser = parse(ph_buf_str(&bytes), bytes.len, &message);
	summary_encode(message, &summary);
	for (size_t i = 0; i < summary.len; i++) {
		struct ph_pool *pool = ph_pool_new(0);
		ck_assert_int_eq(summary_decode(ph_str_of(summary.data, i), pool, &read_back), PH_E_CORRUPT);
		summary.data[i] = (char)(summary.data[i] ^ 0x55);
		summary_decode(ph_buf_str(&summary), pool, &read_back);
		summary.data[i] = (char)(summary.data[i] ^ 0x55);
		ph_pool_free(&pool);
	}
	struct ph_pool *small = ph_pool_new(100);
	ck_assert_int_eq(summary_decode(ph_buf_str(&summary), small, &read_back), PH_E_LIMIT);
	ph_pool_free(&small);
	parser_free(&parser);
	ph_buf_free(&bytes);
	ph_buf_free(&summary);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime");
	TCase *tests = tcase_create("structure");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_messages);
	tcase_add_test(tests, test_boundary_anywhere);
	tcase_add_test(tests, test_section_names);
	tcase_add_test(tests, test_limits);
	tcase_add_test(tests, test_damaged_summary);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
