/* What a message says, made readable: HTML, flowed text, previews; parts decoded for BINARY; attachments. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/attachments.h"
#include "../../modules/mime/binary.h"
#include "../../modules/mime/encode_nul.h"
#include "../../modules/mime/flowed.h"
#include "../../modules/mime/html.h"
#include "../../modules/mime/parse.h"
#include "../../modules/mime/search.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	const struct ph_str *bytes = arg;
	*bytes_r = ph_str_slice(*bytes, offset, offset + 10);
	return 0;
}

static int failing_view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	(void)arg;
	(void)offset;
	(void)bytes_r;
	return PH_E_IO;
}

static struct ph_mime_parser *parse(const char *text, const struct ph_mime_message **message_r)
{
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, ph_str(text));
	*message_r = parser_finish(parser);
	return parser;
}

/* --- HTML --- */

static void check_html(const char *input, const char *expected, size_t piece)
{
	struct ph_buf buf;
	struct html html = { 0 };
	struct ph_str text = ph_str(input);
	ph_buf_init(&buf, text.len);
	for (size_t at = 0; at < text.len; at += piece)
		html_feed(&html, ph_str_slice(text, at, at + piece), &buf);
	html_finish(&html, &buf);
	ck_assert_msg(!buf.failed && ph_str_eq(ph_buf_str(&buf), ph_str(expected)),
		"'%s' by %zu says '%.*s', not '%s'", input, piece, PH_STR_ARGS(buf), expected);
	ph_buf_free(&buf);
}

START_TEST(test_html)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		{ " a \r\n\t b ", "a b" },
		{ "<p>one</p><p>two</p>", "one\ntwo" },
		{ "a<br>b<BR/>c", "a\nb\nc" },
		{ "f<b>oo</b> <i>bar</i>", "foo bar" },
		{ "<table><tr><td>1<td>2</tr><tr><td>3</table>", "1 2\n3" },
		{ "<style>p { x: 'a' }</style>t", "t" },
		{ "<script>if (a</b && \"</x\") '</script>t", "t" },
		{ "<SCRIPT type=\"a>b\">x</Script >t", "t" },
		{ "<title>no</title>t<style>", "t" },
		{ "<script>a<<</script>t", "t" },
		{ "a<!-- <b> -- > -->b", "ab" },
		{ "a<!---->b<!-->c<!--x--y-->d", "abcd" },
		{ "a<!DOCTYPE html>b<?xml x?>c<![if x]>d<!>e", "abcde" },
		{ "<a href=\"x>y\" title='>'>z</a>", "z" },
		{ "1 < 2 <3 << 4 <", "1 < 2 <3 << 4 <" },
		{ "&lt;&amp;&GT;&gt;&quot;&apos;", "<&&GT;>\"'" },
		{ "&auml;&Uuml;&euro;&alpha;&Omega;&nbsp;x",
			"\xC3\xA4\xC3\x9C\xE2\x82\xAC\xCE\xB1\xCE\xA9 x" },
		{ "&#65;&#x42;&#X43;&#8364;&#128;", "ABC\xE2\x82\xAC\xE2\x82\xAC" },
		{ "&#0;&#55296;&#x110000;", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "&#; &#x; &; & &nothing; &amp", "&#; &#x; &; & &nothing; &" },
		{ "&copy2024 &copy 2024 &&amp;", "&copy2024 \xC2\xA9 2024 &&" },
		{ "&verylongnamethatisnone;", "&verylongnamethatisnone;" },
		{ "a&zwnj;&#8203;\xC2\xAD\xCD\x8F"
		  "b",
			"ab" },
		{ "a\xE2\x80\x83\xE3\x80\x80\xC2\xA0"
		  "b",
			"a b" },
		{ "Gr\xC3\xBC\xC3\x9F"
		  "e \xF0\x9F\x98\x80",
			"Gr\xC3\xBC\xC3\x9F"
			"e \xF0\x9F\x98\x80" },
		{ "a<b", "a" },
		{ "a</b", "a" },
		{ "x<averyveryverylongname y>z</averyveryverylongname>", "xz" },
		{ "<ul><li>a<li>b</ul>c", "a\nb\nc" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 20; piece++)
			check_html(rows[i][0], rows[i][1], piece);
}
END_TEST

START_TEST(test_flowed)
{
	static const struct {
		const char *text, *expected;
		bool del_sp;
	} rows[] = {
		{ "", "", false },
		{ "one \r\ntwo\r\nthree\r\n", "one two\nthree\n", false },
		{ "one \r\ntwo", "onetwo", true },
		{ "fixed\n stuffed\n  two\n", "fixed\nstuffed\n two\n", false },
		{ "> a \n> b\n>> c \nd\n", "> a b\n>> c \nd\n", false },
		{ ">a \n>b\n>\n", "> a b\n>\n", false },
		{ " >not quoted\n", ">not quoted\n", false },
		{ "text \n-- \nname \nplace\n", "text \n-- \nname place\n", false },
		{ "open ", "open ", false },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_buf buf;
		ph_buf_init(&buf, 2 * strlen(rows[i].text));
		ck_assert(flowed_text(ph_str(rows[i].text), rows[i].del_sp, &buf));
		ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(rows[i].expected)), "'%s': '%.*s'",
			rows[i].text, PH_STR_ARGS(buf));
		ph_buf_free(&buf);
	}
}
END_TEST

/* --- previews --- */

#define FIFTY "012345678 012345678 012345678 012345678 012345678 "
#define UMLAUTS "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
#define HUNDRED UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS

START_TEST(test_preview)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\n", "" },
		{ "\nhello\n  there\n\n", "hello there" },
		{ "\n" FIFTY FIFTY FIFTY FIFTY FIFTY,
			FIFTY FIFTY FIFTY "012345678 012345678 012345678 012345678 012345678" },
		{ "Content-Type: text/plain; charset=utf-8\n\n" HUNDRED HUNDRED HUNDRED, HUNDRED HUNDRED },
		{ "\n> quoted\nanswer\n> more\n-- \nsignature", "answer" },
		{ "\n> only\n> quotes\n", "> only > quotes" },
		{ "Content-Type: text/html\n\n<style>x{}</style><p>a</p>&amp;<p>b", "a & b" },
		{ "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: "
		  "quoted-printable\n\n"
		  "<title>t</title>Gr=FC=DFe&nbsp;=\n!",
			"Gr\xC3\xBC\xC3\x9F"
			"e !" },
		{ "Content-Transfer-Encoding: base64\n\naGVsbG8gdGhlcmU=\n", "hello there" },
		{ "Content-Type: image/png\n\npixels", "" },
		{ "Content-Disposition: attachment\n\ntext", "" },
		{ "Content-Type: multipart/alternative; boundary=b\n\npre\n--b\n\n \n--b\nContent-Type: "
		  "text/html\n\n"
		  "<b>x</b>\n--b\n\nlater\n--b--\n",
			"x" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/gif\n\nGIF\n--b\n\n"
		  "--c\n--bc\n--b--\nafter",
			"--c" },
		{ "Content-Type: message/rfc822\n\nSubject: x\n\ninner", "inner" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t piece = 1; piece < 40; piece += 3) {
			struct ph_str text = ph_str(rows[i][0]);
			struct ph_mime_parser *parser = parser_new(NULL);
			for (size_t at = 0; at < text.len; at += piece)
				parser_feed(parser, ph_str_slice(text, at, at + piece));
			const struct ph_mime_message *message = parser_finish(parser);
			ck_assert_msg(ph_str_eq(message->preview, ph_str(rows[i][1])), "'%s' by %zu: '%.*s'",
				rows[i][0], piece, PH_STR_ARGS(message->preview));
			parser_free(&parser);
		}
	}
}
END_TEST

/* HTML is searched for what it says. */
START_TEST(test_search_html)
{
	const char *text =
		"Content-Type: text/html\n\n<p class=x>f<b>o</b>o <i>&auml;</i></p><style>hid</style>";
	static const struct {
		const char *needle;
		int found;
	} rows[] = { { "foo \xC3\x84", 1 }, { "class", 0 }, { "hid", 0 } };
	const struct ph_mime_message *message;
	struct ph_str bytes = ph_str(text);
	struct ph_mime_source source = { view, &bytes };
	struct ph_mime_parser *parser = parse(text, &message);
	for (size_t i = 0; i < ROWS(rows); i++)
		ck_assert_int_eq(
			message_contains(message, &source, ph_str(rows[i].needle), false), rows[i].found);
	parser_free(&parser);
}
END_TEST

/* --- BINARY --- */

static int gather(void *arg, struct ph_str bytes)
{
	return ph_buf_add_str(arg, bytes) ? 0 : PH_E_LIMIT;
}

static int take_one(void *arg, struct ph_str bytes)
{
	ph_buf_add_str(arg, bytes);
	return 1;
}

static const char binary_message[] = "Content-Type: multipart/mixed; boundary=b\n\n"
				     "--b\n\nplain\n"
				     "--b\nContent-Transfer-Encoding: base64\n\naGVs\nbG8gdGhlcmUA\n"
				     "--b\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n"
				     "--b\nContent-Transfer-Encoding: x-own\n\nx\n"
				     "--b\nContent-Type: message/rfc822\n\nSubject: s\n\nbody\n"
				     "--b--\n";

START_TEST(test_binary)
{
	static const struct {
		const char *name;
		int result;
		struct ph_str decoded;
	} rows[] = {
		{ "1", 0, PH_STR_INIT("plain") },
		{ "2", 0, PH_STR_INIT("hello there\0") },
		{ "3", 0, PH_STR_INIT("a=bc") },
		{ "4", PH_E_UNSUPPORTED, { NULL, 0 } },
		{ "5", 0, PH_STR_INIT("Subject: s\n\nbody") },
		{ "5.1", 0, PH_STR_INIT("body") },
		{ "", 0, { binary_message, sizeof binary_message - 1 } },
		{ "6", PH_E_ABSENT, { NULL, 0 } },
		{ "1.MIME", PH_E_INVALID, { NULL, 0 } },
		{ "HEADER", PH_E_INVALID, { NULL, 0 } },
		{ "5.TEXT", PH_E_INVALID, { NULL, 0 } },
		{ "1.", PH_E_INVALID, { NULL, 0 } },
	};
	const struct ph_mime_message *message;
	struct ph_str bytes = ph_str(binary_message);
	struct ph_mime_source source = { view, &bytes };
	struct ph_mime_parser *parser = parse(binary_message, &message);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_mime_binary binary;
		uint64_t size;
		bool has_nul;
		int result = binary_find(message, ph_str(rows[i].name), &binary);
		ck_assert_msg(result == rows[i].result, "'%s': %d", rows[i].name, result);
		if (result < 0)
			continue;
		struct ph_str decoded = rows[i].decoded;
		ck_assert_int_eq(binary_size(&binary, &source, &size, &has_nul), 0);
		ck_assert_uint_eq(size, decoded.len);
		ck_assert_int_eq(has_nul, decoded.data[decoded.len - 1] == 0);
		for (size_t from = 0; from <= decoded.len + 1; from++)
			for (size_t count = 0; count < 14; count++) {
				struct ph_buf got;
				ph_buf_init(&got, 100);
				const struct ph_mime_sink sink = { gather, &got };
				ck_assert_int_eq(binary_write(&binary, &source, from, count, &sink), 0);
				ck_assert(ph_str_eq(
					ph_buf_str(&got), ph_str_slice(decoded, from, from + count)));
				ph_buf_free(&got);
			}
	}
	parser_free(&parser);
}
END_TEST

/* Only what is declared binary and holds a NUL is written anew, in lines of 76. */
START_TEST(test_encode_nul)
{
	static const char nuls[] =
		"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: binary\n\n"
		"--b\nA: 1\nContent-Transfer-Encoding:\n binary\nB: 2\n\n"
		"\0"
		"12345678901234567890123456789012345678901234567890123456789\n"
		"--b\nContent-Transfer-Encoding: binary\n\nno NUL\n"
		"--b\nContent-Transfer-Encoding: 8bit\n\n\0\n"
		"--b--\n";
	static const char wanted[] =
		"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: binary\n\n"
		"--b\nA: 1\nContent-Transfer-Encoding: base64\r\nB: 2\n\n"
		"ADEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\nNzg5\r\n\n"
		"--b\nContent-Transfer-Encoding: binary\n\nno NUL\n"
		"--b\nContent-Transfer-Encoding: 8bit\n\n\0\n"
		"--b--\n";
	struct ph_str bytes = ph_str_of(nuls, sizeof nuls - 1);
	struct ph_mime_source source = { view, &bytes };
	struct ph_mime_parser *parser = parser_new(NULL);
	struct ph_buf got;
	ph_buf_init(&got, 10000);
	const struct ph_mime_sink sink = { gather, &got };
	parser_feed(parser, bytes);
	ck_assert_int_eq(encode_nul(parser_finish(parser), &source, &sink), 0);
	ck_assert_uint_eq(got.len, sizeof wanted - 1);
	ck_assert_int_eq(memcmp(got.data, wanted, got.len), 0);
	ph_buf_free(&got);
	parser_free(&parser);
}
END_TEST

START_TEST(test_binary_ends)
{
	struct ph_buf got;
	uint64_t size;
	bool has_nul;
	struct ph_str bytes = PH_STR("aGVsbG8gdGhlcmUg");
	const struct ph_mime_binary binary = { 0, bytes.len, PH_MIME_BASE64 };
	struct ph_mime_source source = { view, &bytes };
	ph_buf_init(&got, 4);
	ck_assert_int_eq(
		binary_write(&binary, &source, 0, 100, &(struct ph_mime_sink){ gather, &got }), PH_E_LIMIT);
	ph_buf_free(&got);
	ph_buf_init(&got, 100);
	ck_assert_int_eq(binary_write(&binary, &source, 0, 100, &(struct ph_mime_sink){ take_one, &got }), 0);
	ck_assert(ph_str_eq(ph_buf_str(&got), PH_STR("hello ")));
	ph_buf_free(&got);
	source.view = failing_view;
	ck_assert_int_eq(binary_size(&binary, &source, &size, &has_nul), PH_E_IO);
}
END_TEST

/* --- attachments --- */

static const char attachments_message[] =
	"Content-Type: multipart/mixed; boundary=b\n\n"
	"--b\nContent-Type: multipart/related; boundary=r\n\n"
	"--r\nContent-Type: text/html\n\nhtml\n"
	"--r\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\r\nAAAA\n"
	"--r--\n"
	"--b\nContent-Disposition: attachment; filename=\"=?utf-8?q?=C3=A4?=.txt\"\n\ntext\n"
	"--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\nTNEF\n"
	"--b\nContent-Type: message/rfc822\n\nSubject: s\n\nbody\n"
	"--b\n\nlook:\nbegin 644 a b.txt\n#0V%T\n`\nend\nbegin 100 boys, they were\nnot uuencoded\n"
	"=ybegin part=1 line=128 size=123456 name=long name=.bin\nxxx\n=yend size=123456\n"
	"begin 0755 empty\n`\nend\nbegin 644 cut\n#0V%T\n"
	"--b--\n";

static void print_attachments(int max, bool with_text, struct ph_buf *out)
{
	const struct ph_mime_attachment *list;
	const struct ph_mime_message *message;
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_str bytes = ph_str(attachments_message);
	struct ph_mime_source source = { view, &bytes };
	struct ph_mime_parser *parser = parse(attachments_message, &message);
	int count = attachments_list(message, with_text ? &source : NULL, max, pool, &list);
	for (int i = 0; i < count; i++)
		ph_buf_printf(out, "%d %.*s '%.*s' %" PRIu64 "%s\n", list[i].kind, PH_STR_ARGS(list[i].type),
			PH_STR_ARGS(list[i].name), list[i].size, list[i].is_inline ? " inline" : "");
	parser_free(&parser);
	ph_pool_free(&pool);
}

START_TEST(test_attachments)
{
	static const char parts[] = "0 image/png '' 6 inline\n"
				    "0 text/plain '\xC3\xA4.txt' 4\n"
				    "1 application/ms-tnef 'winmail.dat' 4\n"
				    "0 message/rfc822 '' 16\n";
	static const char in_text[] = "2 application/octet-stream 'a b.txt' 3\n"
				      "3 application/octet-stream 'long name=.bin' 123456\n"
				      "2 application/octet-stream 'empty' 0\n"
				      "2 application/octet-stream 'cut' 3\n";
	struct ph_buf got, expected;
	ph_buf_init(&got, 10000);
	ph_buf_init(&expected, 10000);
	print_attachments(100, false, &got);
	ck_assert_msg(ph_str_eq(ph_buf_str(&got), ph_str(parts)), "%.*s", PH_STR_ARGS(got));
	got.len = 0;
	print_attachments(100, true, &got);
	ph_buf_printf(&expected, "%s%s", parts, in_text);
	ck_assert_msg(ph_str_eq(ph_buf_str(&got), ph_buf_str(&expected)), "%.*s", PH_STR_ARGS(got));
	for (int max = 0; max < 8; max++) {
		struct ph_str text;
		int lines = 0;
		got.len = 0;
		print_attachments(max, true, &got);
		struct ph_str rest = ph_buf_str(&got);
		while (ph_str_split(&rest, '\n', &text))
			lines++;
		ck_assert(ph_str_starts(ph_buf_str(&expected), ph_buf_str(&got)));
		ck_assert_int_ge(max + 1, lines);
	}
	ph_buf_free(&got);
	ph_buf_free(&expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_text");
	TCase *tests = tcase_create("text");
	tcase_add_test(tests, test_html);
	tcase_add_test(tests, test_flowed);
	tcase_add_test(tests, test_preview);
	tcase_add_test(tests, test_search_html);
	tcase_add_test(tests, test_binary);
	tcase_add_test(tests, test_encode_nul);
	tcase_add_test(tests, test_binary_ends);
	tcase_add_test(tests, test_attachments);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
