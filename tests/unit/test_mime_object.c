/* The object `message` as policies see it: each row is the body of a handler, which accepts when all is
 * right. */
#include <inttypes.h>

#include "fiber_main.h"
#include "lua_host_run.h"

#include "../../core/hook_private.h"
#include "../../modules/mime/edit.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/object.h"
#include "../../modules/mime/parse.h"

static struct ph_hook_point message_hook = {
	.name = "test.message",
	.decides = true,
	.help = "Asked by this test.",
	.arguments = (const struct ph_hook_argument[]){ { "message", PH_OBJECT, &message_type, "a message" },
		{ 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_DEFER),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("failed") },
};

static void setup(void)
{
	static struct ph_hook_point *const points[] = { &message_hook, NULL };
	host_setup();
	ck_assert_int_eq(hook_add_points(points, "test mime", NULL), 0);
}

static void teardown(void)
{
	hook_remove_owner("test mime");
	host_teardown();
}

static void check_handler(struct ph_mime_object *object, const char *body)
{
	char script[2000];
	struct ph_error error;
	struct ph_verdict verdict;
	struct ph_pool *pool = ph_pool_new(0);
	snprintf(script, sizeof(script),
		"local posthorn = require 'posthorn'\n"
		"posthorn.on('test.message', function(session, message)\n%s\nreturn "
		"posthorn.accept()\nend)\n",
		body);
	ck_assert_msg(host_try(script, &error) == 0, "%s", error.detail);
	const struct ph_value argument = PH_VALUE_OBJECT(&message_type, object);
	ph_hook_run(&message_hook, NULL, &argument, pool, &verdict);
	ck_assert_msg(verdict.kind == PH_ACCEPT, "%s: %s", body, host_logged());
	ph_pool_free(&pool);
}

START_TEST(test_message)
{
	static const char *const rows[] = {
		"assert(message.size == 163)",
		"assert(message.subject == 'h\xC3\xA4 there')",
		"assert(message.from == 'a@example.org' and message.to == nil)",
		"assert(message.message_id == '<1@example.org>')",
		"assert(message.date == 1705311000)",
		"assert(message:header('subject') == 'h\xC3\xA4 there')",
		"assert(message:header('X-Twice') == 'one' and message:header('X-None') == nil)",
		"assert(message:raw_header('SUBJECT') == ' =?utf-8?q?h=C3=A4?=\\r\\n there')",
		"assert(message:raw_header('X-None') == nil)",
		"local all = message:headers()\n"
		"assert(#all == 6 and all[1].name == 'From' and all[2].value == 'h\xC3\xA4 there')\n"
		"assert(all[6].name == 'x-twice' and all[6].value == 'two')",
		"assert(not pcall(message.header, message) and not pcall(message.header, 1, 'x'))",
		"assert(not pcall(function() message.subject = 'x' end))",
		"for i = 1, 1000 do assert(message:header('from') == 'a@example.org') end",
	};
	struct ph_str bytes =
		PH_STR("From: a@example.org\r\nSubject: =?utf-8?q?h=C3=A4?=\r\n there\r\n"
		       "Date: Mon, 15 Jan 2024 10:30:00 +0100\r\nMessage-ID: <1@example.org>\r\n"
		       "X-Twice: one\r\nx-twice: two\r\n\r\nbody\r\n");
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	const struct ph_mime_message *message = parser_finish(parser);
	struct ph_mime_object object = { .message = message, .header = message->header };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_handler(&object, rows[i]);
	parser_free(&parser);
}
END_TEST

/* --- parts and changes --- */

static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	const struct ph_str *bytes = arg;
	*bytes_r = ph_str_slice(*bytes, offset, offset + 7);
	return 0;
}

static int gather(void *arg, struct ph_str bytes)
{
	return ph_buf_add_str(arg, bytes) ? 0 : PH_E_LIMIT;
}

/* A message with everything at hand. */
struct whole {
	struct ph_str bytes;
	struct ph_mime_source source;
	struct ph_mime_parser *parser;
	struct ph_pool *pool;
	struct ph_mime_object object;
};

static void whole_begin(struct whole *whole, const char *text)
{
	*whole = (struct whole){ .bytes = ph_str(text), .parser = parser_new(NULL), .pool = ph_pool_new(0) };
	whole->source = (struct ph_mime_source){ view, &whole->bytes };
	parser_feed(whole->parser, whole->bytes);
	whole->object.message = parser_finish(whole->parser);
	whole->object.header = whole->object.message->header;
	whole->object.source = &whole->source;
	whole->object.pool = whole->pool;
	whole->object.may_change = true;
}

static void whole_end(struct whole *whole)
{
	parser_free(&whole->parser);
	ph_pool_free(&whole->pool);
}

static const char parts_message[] =
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
	"--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
	"quoted-printable\r\n\r\n"
	"Gr=FC=DFe\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>a<p>b\r\n--a--\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\ninner\r\n"
	"--b\r\nContent-Type: image/png; name=p.png\r\nContent-Disposition: attachment\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
	"--b--\r\n";

START_TEST(test_parts)
{
	static const char *const rows[] = {
		"assert(#message:parts() == 5)",
		"local n = {} for i, p in ipairs(message:parts()) do n[i] = p.number .. ' ' .. p.type end\n"
		"assert(table.concat(n, ', ') == '1.1 text/plain, 1.2 text/html, 2 message/rfc822, '\n"
		"  .. '2.1 text/plain, 3 image/png')",
		"local p = message:parts()[1] assert(p:text() == 'Gr\xC3\xBC\xC3\x9F"
		"e' and p:decoded() == 'Gr\\xFC\\xDFe')",
		"local p = message:parts()[1] assert(p.charset == 'iso-8859-1' and p.size == 9 and not "
		"p.filename)",
		"local t, more = message:parts()[1]:text(3) assert(t == 'Gr' and more)",
		"local t, more = message:parts()[1]:text(7) assert(#t == 7 and not more)",
		"local t, more = message:parts()[1]:decoded(3) assert(t == 'Gr\\xFC' and more)",
		"assert(message:parts()[2]:text() == 'a\\nb' and message:parts()[2]:decoded() == '<p>a<p>b')",
		"assert(message:parts()[3]:decoded() == 'Subject: s\\r\\n\\r\\ninner')",
		"assert(message:parts()[4]:text() == 'inner')",
		"local p = message:parts()[5]\n"
		"assert(p.filename == 'p.png' and p.disposition == 'attachment' and p:decoded() == "
		"'\\0\\0\\0')",
		"assert(message.preview == 'Gr\xC3\xBC\xC3\x9F"
		"e')",
		"for i = 1, 1000 do message:parts()[1]:text() end",
		"assert(not pcall(function() return message:parts()[1]:text(-1) end))",
	};
	struct whole whole;
	whole_begin(&whole, parts_message);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_handler(&whole.object, rows[i]);
	whole_end(&whole);
}
END_TEST

/* All fields and the body, put together again, are the message that came: what DKIM's hashes are made of. */
START_TEST(test_raw)
{
	static const char *const messages[] = {
		"From:  a@b \r\nsubject : one\r\n\ttwo  \r\nX:\r\n folded\r\n \r\nX: again\r\n\r\n body "
		"\r\n\r\n\r\n",
		"no colon\nA: 1\nstray\nB: \xE4\xFF\n\nbody\rof\n\nlines",
		"A: 1\r\n",
		"A: 1",
		"\r\nbody",
		"",
		parts_message,
	};
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		struct whole whole;
		char script[2000];
		whole_begin(&whole, messages[i]);
		snprintf(script, sizeof script,
			"local all, text = table.concat(message:raw_headers()), ''\n"
			"local body, more = message:raw_body()\n"
			"assert(not more and message:raw_body(%zu) == body)\n"
			"repeat local piece piece, more = message:raw_body(3, #text) text = text .. piece "
			"until not more\n"
			"assert(text == body and message:raw_body(9, 1 << 40) == '')\n"
			"message:add_header('All', #all .. ' ' .. #body)",
			whole.bytes.len);
		check_handler(&whole.object, script);
		const struct ph_mime_part *root = whole.object.message->root;
		struct ph_str header = whole.object.header, expected;
		struct ph_mime_field field;
		size_t fields = 0;
		while (header_next(&header, &field))
			fields += field.raw.len;
		/* The blank line is in neither. */
		ck_assert_uint_le(root->header_size - fields, 2);
		expected = ph_pool_printf(whole.pool, "%zu %" PRIu64, fields, root->body_size);
		check_handler(
			&whole.object, ph_pool_printf(whole.pool, "assert(message:header('All') == '%.*s')",
					       PH_STR_ARGS(expected))
					       .data);
		whole_end(&whole);
	}
	struct whole whole;
	whole_begin(&whole, messages[0]);
	check_handler(&whole.object,
		"local fields = message:raw_headers()\n"
		"assert(#fields == 4 and fields[1] == 'From:  a@b \\r\\n')\n"
		"assert(fields[2] == 'subject : one\\r\\n\\ttwo  \\r\\n')\n"
		"assert(fields[3] == 'X:\\r\\n folded\\r\\n \\r\\n' and fields[4] == 'X: again\\r\\n')\n"
		"assert(message:raw_body() == ' body \\r\\n\\r\\n\\r\\n')\n"
		"local piece, more = message:raw_body(3, 1) assert(piece == 'bod' and more)\n"
		"assert(not pcall(message.raw_body, message, -1) and not pcall(message.raw_body, message, 1, "
		"-1))");
	whole.object.source = NULL;
	check_handler(&whole.object, "assert(not pcall(message.raw_body, message))");
	whole_end(&whole);
}
END_TEST

START_TEST(test_lists)
{
	struct whole whole;
	whole_begin(&whole, "List-Id: \"A <list>\" <a.lists.\r\n example>\r\nList-Post: NO\r\n"
			    "List-Unsubscribe: <mailto:a-off@example>,\r\n <https://example/off>\r\n\r\n");
	check_handler(&whole.object,
		"assert(message:list_id() == 'a.lists.example')\n"
		"assert(table.concat(message:list_urls('list-unsubscribe'), ' ') ==\n"
		"  'mailto:a-off@example https://example/off')\n"
		"assert(#message:list_urls('List-Post') == 0 and #message:list_urls('List-Help') == 0)\n"
		"message:remove_header('List-Id') assert(message:list_id() == nil)\n"
		"message:add_header('List-Id', '<b.example>') assert(message:list_id() == 'b.example')");
	whole_end(&whole);
}
END_TEST

/* A part of 48 MB: what a policy may not have is not read first. */
enum { LARGE = 48 << 20 };

static int view_large(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	static const char zeros[1 << 16] = { 0 };
	uint64_t left = LARGE - (offset < LARGE ? offset : LARGE);
	uint64_t *furthest = arg;
	*furthest = offset > *furthest ? offset : *furthest;
	*bytes_r = ph_str_of(zeros, left < sizeof zeros ? (size_t)left : sizeof zeros);
	return 0;
}

START_TEST(test_large_part)
{
	uint64_t furthest = 0;
	struct whole whole;
	struct ph_mime_part root = { .type = PH_STR("text"), .subtype = PH_STR("html"), .body_size = LARGE };
	struct ph_mime_message message = { .size = LARGE, .root = &root };
	struct ph_mime_source source = { view_large, &furthest };
	whole_begin(&whole, "");
	whole.object.message = &message;
	whole.object.source = &source;
	check_handler(&whole.object,
		"local part = message:parts()[1]\n"
		"for i = 1, 3 do\n"
		"  local ok, why = pcall(({ part.decoded, part.text, message.raw_body })[i],\n"
		"    ({ part, part, message })[i], 24 << 20)\n"
		"  assert(not ok and tostring(why):find('memory'), why)\n"
		"end");
	ck_assert_uint_eq(furthest, 0);
	check_handler(&whole.object, "local some, more = message:parts()[1]:decoded(2 << 20)\n"
				     "assert(#some == 2 << 20 and more)");
	ck_assert_uint_le(furthest, 3 << 20);
	whole_end(&whole);
}
END_TEST

/* Without its bytes a message has no texts; where it may not be changed it says so. */
START_TEST(test_not_at_hand)
{
	struct whole whole;
	whole_begin(&whole, parts_message);
	whole.object.may_change = false;
	check_handler(&whole.object, "assert(not pcall(message.add_header, message, 'X', 'y'))");
	whole.object.source = NULL;
	check_handler(&whole.object, "assert(#message:parts() == 5)\n"
				     "assert(not pcall(function() return message:parts()[1]:text() end))");
	whole.object.pool = NULL;
	check_handler(&whole.object, "assert(not pcall(message.parts, message))");
	ck_assert_ptr_null(whole.object.edits);
	whole_end(&whole);
}
END_TEST

/* The message after a handler; random boundaries become "***". */
static void check_change(const char *message, const char *handler, const char *expected)
{
	struct whole whole;
	struct ph_buf buf;
	whole_begin(&whole, message);
	ph_buf_init(&buf, 100000);
	check_handler(&whole.object, handler);
	ck_assert_int_eq(object_write(&whole.object, &(struct ph_mime_sink){ gather, &buf }), 0);
	for (size_t i = 0; i + 26 <= buf.len; i++) {
		if (memcmp(buf.data + i, "=_", 2) != 0)
			continue;
		memcpy(buf.data + i, "***", 3);
		memmove(buf.data + i + 3, buf.data + i + 26, buf.len - i - 26);
		buf.len -= 23;
	}
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(expected)), "%s:\n%.*s", handler, PH_STR_ARGS(buf));
	ph_buf_free(&buf);
	whole_end(&whole);
}

START_TEST(test_change_header)
{
	static const char message[] = "A: 1\r\nB: 2\r\na: 3\r\n\r\nbody";
	static const char *const rows[][2] = {
		{ "", "A: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "message:add_header('C', 'gr\xC3\xBCn')",
			"A: 1\r\nB: 2\r\na: 3\r\nC: =?utf-8?b?Z3LDvG4=?=\r\n\r\nbody" },
		{ "message:insert_header(1, 'C', 'x')", "C: x\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "message:insert_header(3, 'C', 'x')", "A: 1\r\nB: 2\r\nC: x\r\na: 3\r\n\r\nbody" },
		{ "message:insert_header(99, 'C', 'x\\nD: y')",
			"A: 1\r\nB: 2\r\na: 3\r\nC: x D: y\r\n\r\nbody" },
		{ "assert(message:change_header('a', 'x'))", "a: x\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "assert(message:change_header('a', 'x', 2))", "A: 1\r\nB: 2\r\na: x\r\n\r\nbody" },
		{ "assert(not message:change_header('a', 'x', 3))", "A: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "assert(message:remove_header('a'))", "B: 2\r\n\r\nbody" },
		{ "assert(message:remove_header('a', 2))", "A: 1\r\nB: 2\r\n\r\nbody" },
		{ "assert(not message:remove_header('x') and not message:remove_header('a', 3))",
			"A: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "message:add_header('C', 'x') assert(message:header('c') == 'x' and #message:headers() == "
		  "4)\n"
		  "message:remove_header('a') assert(not message:raw_header('A'))",
			"B: 2\r\nC: x\r\n\r\nbody" },
		{ "assert(not pcall(message.add_header, message, 'C D', 'x'))",
			"A: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
		{ "assert(not pcall(message.insert_header, message, 0, 'C', 'x'))",
			"A: 1\r\nB: 2\r\na: 3\r\n\r\nbody" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_change(message, rows[i][0], rows[i][1]);
	check_change("A: 1", "message:add_header('B', '2')", "A: 1\r\nB: 2\r\n\r\n");
	check_change("", "message:add_header('B', '2')", "B: 2\r\n\r\n");
	check_change("\nbody", "message:add_header('B', '2')", "B: 2\r\n\r\nbody");
	struct whole whole;
	whole_begin(&whole, message);
	check_handler(&whole.object, "local n = 0\n"
				     "while pcall(message.add_header, message, 'C', 'x') do n = n + 1 end\n"
				     "assert(n == 200)");
	whole_end(&whole);
}
END_TEST

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ADD "message:add_part { body = 'new' }"
#define NEW "Content-Type: text/plain; charset=us-ascii\r\n\r\nnew"
#define REPLACE(n) "message:replace_part(message:parts()[" n "], { type = 'text/html', body = '<!-- -->' })"
#define COMMENT                                                                    \
	"Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: " \
	"base64\r\n\r\nPCEtLSAtLT4=\r\n"

START_TEST(test_change_parts)
{
	static const char *const rows[][3] = {
		{ MIXED "--b\r\n\r\none\r\n--b--\r\nend", ADD,
			MIXED "--b\r\n\r\none\r\n--b\r\n" NEW "\r\n--b--\r\nend" },
		{ MIXED "--b\r\n\r\n--b--\r\n", ADD, MIXED "--b\r\n\r\n--b\r\n" NEW "\r\n--b--\r\n" },
		{ MIXED "--b\r\n\r\none\r\n", ADD, MIXED "--b\r\n\r\none\r\n\r\n--b\r\n" NEW },
		{ MIXED "--b\r\nA: b", ADD, MIXED "--b\r\nA: b\r\n--b\r\n" NEW },
		{ MIXED "--b\r\nA: b\r\n", ADD, MIXED "--b\r\nA: b\r\n\r\n--b\r\n" NEW },
		{ MIXED "--b\r\nA: b\r\n", "message:replace_part(message:parts()[1], { body = 'new' })",
			MIXED "--b\r\n" NEW },
		{ MIXED "--b\r\n\r\none\r\n--b--\r\n", ADD "\n" ADD,
			MIXED "--b\r\n\r\none\r\n--b\r\n" NEW "\r\n--b\r\n" NEW "\r\n--b--\r\n" },
		{ "Subject: s\r\nContent-Type: text/html\r\nX: y\r\n\r\nold", ADD,
			"Subject: s\r\nX: y\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
			"boundary=\"***\"\r\n\r\n"
			"--***\r\nContent-Type: text/html\r\n\r\nold\r\n--***\r\n" NEW "\r\n--***--\r\n" },
		{ MIXED "no parts", ADD,
			"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"***\"\r\n\r\n"
			"--***\r\n" MIXED "no parts\r\n--***\r\n" NEW "\r\n--***--\r\n" },
		{ "Subject: s\r\nContent-ID: <1>\r\n\r\nold", REPLACE("1"),
			"Subject: s\r\nMIME-Version: 1.0\r\n" COMMENT },
		{ MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", REPLACE("1"),
			MIXED "--b\r\n" COMMENT "\r\n--b\r\n\r\ntwo\r\n--b--\r\n" },
		{ MIXED "--b\r\n\r\none\r\n--b\r\n\r\n--b--\r\n", REPLACE("2") ADD REPLACE("1"),
			MIXED "--b\r\n" COMMENT "\r\n--b\r\n" COMMENT "\r\n--b\r\n" NEW "\r\n--b--\r\n" },
		{ MIXED "--b\r\n\r\none\r\n--b--\r\n",
			REPLACE("1") "assert(not pcall(function() " REPLACE("1") " end))",
			MIXED "--b\r\n" COMMENT "\r\n--b--\r\n" },
		{ "\r\nold", REPLACE("1") ADD,
			"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
			"boundary=\"***\"\r\n\r\n--***\r\n" COMMENT "\r\n--***\r\n" NEW "\r\n--***--\r\n" },
		{ "\r\nold",
			"assert(not pcall(message.add_part, message, { type = 'multipart/mixed' }))\n"
			"assert(not pcall(message.add_part, message, { type = 1 }))\n"
			"assert(not pcall(message.add_part, message, 'x'))",
			"\r\nold" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_change(rows[i][0], rows[i][1], rows[i][2]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_object");
	TCase *tests = tcase_create("object");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_message);
	tcase_add_test(tests, test_parts);
	tcase_add_test(tests, test_raw);
	tcase_add_test(tests, test_lists);
	tcase_add_test(tests, test_large_part);
	tcase_add_test(tests, test_not_at_hand);
	tcase_add_test(tests, test_change_header);
	tcase_add_test(tests, test_change_parts);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
