/* Bodies: transfer encodings, charsets, searching. Everything is fed whole and in pieces. */
#include <check.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/charset.h"
#include "../../modules/mime/decode.h"
#include "../../modules/mime/parse.h"
#include "../../modules/mime/search.h"
#include "../../modules/mime/text.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

/* What the input decodes to when it comes in pieces of that size. */
static void decode_pieces(
	enum ph_mime_encoding encoding, struct ph_str text, size_t piece, struct ph_buf *buf_r)
{
	struct ph_mime_decoder decoder;
	bool decoded = true;
	ph_buf_init(buf_r, 10000);
	decoder_init(&decoder, encoding);
	for (size_t at = 0; at < text.len; at += piece)
		decoded = decoder_feed(&decoder, ph_str_slice(text, at, at + piece), buf_r) && decoded;
	ck_assert(decoder_finish(&decoder, buf_r) && decoded);
}

static void check_decoding(
	enum ph_mime_encoding encoding, const char *input, const char *expected, size_t piece)
{
	struct ph_buf buf;
	decode_pieces(encoding, ph_str(input), piece, &buf);
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(expected)), "'%s' by %zu gives '%.*s'", input, piece,
		PH_STR_ARGS(buf));
	ph_buf_free(&buf);
}

START_TEST(test_base64)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "Zg==", "f" },
		{ "Zm8=", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" },
		{ "Zm9vYmFy", "foobar" },
		{ "Zm9v\r\nYmFy\r\n", "foobar" },
		{ " Z m 9 v*Y_m-F.y", "foobar" },
		{ "Zm8", "fo" },
		{ "Zg", "f" },
		{ "Z", "" },
		{ "Zg==Zg==", "ff" },
		{ "Zm8=\r\nYmFy", "fobar" },
		{ "=", "" },
		{ "====", "" },
		{ "+/+/", "\xFB\xFF\xBF" },
		{ "Zm9vYmFyZm9vYmFyZm9vYmFy\nZm9v", "foobarfoobarfoobarfoo" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 12; piece++)
			check_decoding(PH_MIME_BASE64, rows[i][0], rows[i][1], piece);
}
END_TEST

START_TEST(test_quoted_printable)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain text\r\n", "plain text\r\n" },
		{ "=41=6a=6A=3D", "Ajj=" },
		{ "soft=\r\nbreak=\nhere= \t\r\n!", "softbreakhere!" },
		{ "trailing  \t \r\nspace \nend", "trailing\r\nspace\nend" },
		{ "inner  \t space", "inner  \t space" },
		{ "kept=20\r\n", "kept \r\n" },
		{ "space at the very end  ", "space at the very end" },
		{ "=4", "=4" },
		{ "=", "" },
		{ "=zz", "=zz" },
		{ "=4z", "=4z" },
		{ "==41", "=A" },
		{ "=4=41", "=4A" },
		{ "= x", "x" },
		{ "=\rx", "x" },
		{ "a\rb", "a\rb" },
		{ "=C3=BC", "\xC3\xBC" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 12; piece++)
			check_decoding(PH_MIME_QUOTED_PRINTABLE, rows[i][0], rows[i][1], piece);
}
END_TEST

/* More white space than a line may have comes through whole. */
START_TEST(test_long_white_space)
{
	char input[300], expected[300];
	memset(input, ' ', sizeof input);
	input[200] = 'x';
	input[201] = 0;
	memcpy(expected, input, sizeof input);
	check_decoding(PH_MIME_QUOTED_PRINTABLE, input, expected, 7);
	check_decoding(PH_MIME_QUOTED_PRINTABLE, input, expected, 300);
	check_decoding(PH_MIME_IDENTITY, input, expected, 11);
}
END_TEST

/* Much is decoded many bytes at once: as it is byte by byte. */
START_TEST(test_decoding_at_once)
{
	static const char *const words[] = { "Zm9vYmFy", "Zm9vYmFyZm9vYmFyZm9v", "\r\n", "\n", "\r", " ",
		"\t", "=", "=41", "=C3=BC", "=\r\n", "=\n", "=4", "= \t\r\n", "!", "\xFC",
		"text of some length",
		"                                                                                " };
	static const enum ph_mime_encoding encodings[] = { PH_MIME_BASE64, PH_MIME_QUOTED_PRINTABLE };
	static const size_t pieces[] = { 7, 33, 1000 };
	struct ph_buf input, expected, buf;
	uint32_t seed = 1;
	for (size_t round = 0; round < 1000; round++) {
		ph_buf_init(&input, 10000);
		while (input.len < 250)
			ph_buf_add_text(
				&input, words[((seed = seed * 1664525 + 1013904223) >> 16) % ROWS(words)]);
		for (size_t i = 0; i < ROWS(encodings); i++) {
			decode_pieces(encodings[i], ph_buf_str(&input), 1, &expected);
			decode_pieces(encodings[i], ph_buf_str(&input), pieces[round % ROWS(pieces)], &buf);
			ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_buf_str(&expected)), "round %zu: '%.*s'",
				round, PH_STR_ARGS(input));
			ph_buf_free(&expected);
			ph_buf_free(&buf);
		}
		ph_buf_free(&input);
	}
}
END_TEST

START_TEST(test_full_buffer)
{
	struct ph_buf buf;
	struct ph_mime_decoder decoder;
	ph_buf_init(&buf, 20);
	decoder_init(&decoder, PH_MIME_BASE64);
	ck_assert(!decoder_feed(&decoder, PH_STR("Zm9vYmFyZm9vYmFyZm9vYmFy"), &buf));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(test_text)
{
	static const struct {
		const char *charset;
		enum ph_mime_encoding encoding;
		const char *body, *text;
	} rows[] = {
		{ "", PH_MIME_IDENTITY, "plain", "plain" },
		{ "utf-8", PH_MIME_QUOTED_PRINTABLE, "Gr=C3=BC=C3=9Fe",
			"Gr\xC3\xBC\xC3\x9F"
			"e" },
		{ "iso-8859-1", PH_MIME_QUOTED_PRINTABLE, "Gr=FC=DFe",
			"Gr\xC3\xBC\xC3\x9F"
			"e" },
		{ "UTF-16LE", PH_MIME_BASE64, "YQDkAKwg", "a\xC3\xA4\xE2\x82\xAC" },
		{ "shift_jis", PH_MIME_IDENTITY, "\x93\xFA\x96\x7B", "\xE6\x97\xA5\xE6\x9C\xAC" },
		{ "iso-2022-jp", PH_MIME_IDENTITY, "\x1B$BF|K\\\x1B(B!", "\xE6\x97\xA5\xE6\x9C\xAC!" },
		{ "us-ascii", PH_MIME_IDENTITY,
			"a\xFF"
			"b\xC3",
			"a\xEF\xBF\xBD"
			"b\xEF\xBF\xBD" },
		{ "gb18030", PH_MIME_IDENTITY, "\xC4\xE3\xFF\xBA", "\xE4\xBD\xA0\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "no such charset", PH_MIME_IDENTITY, "\xC3\xA4", "\xC3\xA4" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 9; piece++) {
			struct ph_mime_part part = { .charset = ph_str(rows[i].charset),
				.encoding = rows[i].encoding };
			struct ph_mime_text *text = text_new(&part);
			struct ph_str body = ph_str(rows[i].body);
			struct ph_buf buf;
			ph_buf_init(&buf, 1000);
			for (size_t at = 0; at < body.len; at += piece)
				ck_assert(text_feed(text, ph_str_slice(body, at, at + piece), &buf));
			ck_assert(text_finish(text, &buf));
			ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(rows[i].text)),
				"row %zu by %zu gives '%.*s'", i, piece, PH_STR_ARGS(buf));
			text_free(&text);
			ph_buf_free(&buf);
		}
}
END_TEST

/* The names of real mail: each with bytes that say which charset it was taken for. */
START_TEST(test_charset_names)
{
	static const struct {
		const char *names, *bytes, *text;
	} rows[] = {
		{ "us-ascii US-ASCII ansi_x3.4-1968 utf8 UTF-8 x-utf-8 utf_8 unicode-1-1-utf-8 'utf-8' "
		  "x-unknown "
		  "unknown-8bit default 8bit x-user-defined utf-8//IGNORE",
			"\xC3\xA4", "\xC3\xA4" },
		{ "iso-8859-1 ISO8859-1 iso8859_1 ISO_8859-1 ISO_8859-1:1987 latin1 l1 x-latin1 windows-1252 "
		  "windows1252 cp1252 cp-1252 win-1252 win1252 x-ansi \"iso-8859-1\"",
			"\x80", "\xE2\x82\xAC" },
		{ "windows-1251 cp1251 win-1251 x-cp1251", "\xC0", "\xD0\x90" },
		{ "koi8-r KOI8_R cskoi8r", "\xC1", "\xD0\xB0" },
		{ "iso-8859-8-i ISO_8859-8-I iso-8859-8 iso-8859-8-e", "\xE0", "\xD7\x90" },
		{ "windows-874 tis-620 iso-8859-11", "\xA1", "\xE0\xB8\x81" },
		/* Characters that only the larger charset has. */
		{ "gb2312 GB_2312-80 x-gbk gbk gb18030 euc-cn cp936 windows-936", "\x81\x40",
			"\xE4\xB8\x82" },
		{ "shift_jis shift-jis x-sjis ms_kanji windows-31j cp932 x-ms-cp932", "\x87\x40",
			"\xE2\x91\xA0" },
		{ "ks_c_5601-1987 KS_C_5601-1989 ksc5601 euc-kr EUC_KR korean windows-949 x-windows-949",
			"\x81\x41", "\xEA\xB0\x82" },
		{ "big5 x-big5 cn-big5 csBig5 big5-hkscs", "\xA4\x40", "\xE4\xB8\x80" },
		{ "iso-2022-jp csISO2022JP iso-2022-jp-ms cp50221", "\x1B$BF|\x1B(B", "\xE6\x97\xA5" },
		{ "utf-7 unicode-1-1-utf-7", "+AOQ-", "\xC3\xA4" },
		{ "macintosh x-mac-roman macroman", "\x8A", "\xC3\xA4" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str names = ph_str(rows[i].names), name;
		while (ph_str_split(&names, ' ', &name)) {
			struct charset charset;
			struct ph_buf buf;
			ph_buf_init(&buf, 100);
			charset_open(&charset, name);
			charset_feed(&charset, ph_str(rows[i].bytes), &buf);
			charset_finish(&charset, &buf);
			charset_close(&charset);
			ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(rows[i].text)),
				"%.*s gives '%.*s', not '%s'", PH_STR_ARGS(name), PH_STR_ARGS(buf),
				rows[i].text);
			ph_buf_free(&buf);
		}
	}
}
END_TEST

START_TEST(test_search)
{
	static const struct {
		const char *text, *needle;
		bool found;
	} rows[] = {
		{ "", "", true },
		{ "abc", "", true },
		{ "", "a", false },
		{ "Hello World", "hello w", true },
		{ "Hello World", "WORLD", true },
		{ "Hello World", "worlds", false },
		{ "Hello\r\n\t World", "hello world", true },
		{ "helloworld", "hello world", false },
		{ "ababac ababab", "ababab", true },
		{ "aabaabaaa", "aabaaa", true },
		{ "aaaaab", "aaab", true },
		{ "GR\xC3\x9CSSE", "gr\xC3\xBCsse", true },
		{ "\xD0\x9F\xD0\xA0\xD0\x98", "\xD0\xBF\xD1\x80\xD0\xB8", true },
		{ "\xCE\xA3\xCE\x91\xCE\xA3", "\xCF\x83\xCE\xB1\xCF\x82", true },
		{ "x\xFFy", "xy", false },
		{ "x\xFFy", "x\xEF\xBF\xBDy", true },
		{ "\xC3\xA4", "a", false },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str text = ph_str(rows[i].text);
		ck_assert_msg(text_contains(text, ph_str(rows[i].needle)) == rows[i].found, "row %zu", i);
		for (size_t piece = 1; piece < 5; piece++) {
			struct ph_mime_search *search = search_new(ph_str(rows[i].needle));
			bool found = search_feed(search, PH_STR(""));
			for (size_t at = 0; at < text.len; at += piece)
				found = search_feed(search, ph_str_slice(text, at, at + piece));
			ck_assert_msg(found == rows[i].found, "row %zu by %zu", i, piece);
			search_free(&search);
		}
	}
}
END_TEST

struct memory {
	struct ph_str bytes;
	size_t piece;
	int result;
};

static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	const struct memory *memory = arg;
	*bytes_r = ph_str_slice(memory->bytes, offset, offset + memory->piece);
	return memory->result;
}

START_TEST(test_message_contains)
{
	static const struct {
		const char *needle;
		int in_body, in_text;
	} rows[] = {
		{ "first words", 1, 1 },
		{ "SECOND W\xC3\xB6RDS", 1, 1 },
		{ "inner subject", 1, 1 },
		{ "attached", 0, 0 },
		{ "outer s\xC3\xBC"
		  "bject",
			0, 1 },
		{ "subject: outer", 0, 1 },
		{ "text/html", 0, 1 },
		{ "preamble", 0, 0 },
		{ "", 1, 1 },
	};
	struct memory memory = {
		.bytes = PH_STR_INIT(
			"Subject: =?utf-8?q?outer_s=C3=BCbject?=\r\n"
			"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\n"
			"first\r\nwords\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\nsecond w=\r\n=F6rds\r\n"
			"--b\r\nContent-Type: image/png\r\n\r\nattached\r\n--b\r\n"
			"Content-Type: message/rfc822\r\n\r\nSubject: inner subject\r\n\r\n\r\n--b--\r\n")
	};
	struct ph_mime_source source = { view, &memory };
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, memory.bytes);
	const struct ph_mime_message *message = parser_finish(parser);
	for (memory.piece = 1; memory.piece < 1000; memory.piece = memory.piece * 3 + 1)
		for (size_t i = 0; i < ROWS(rows); i++) {
			struct ph_str needle = ph_str(rows[i].needle);
			ck_assert_msg(message_contains(message, &source, needle, false) == rows[i].in_body,
				"body %zu", i);
			ck_assert_msg(message_contains(message, &source, needle, true) == rows[i].in_text,
				"text %zu", i);
		}
	memory.result = PH_E_IO;
	ck_assert_int_eq(message_contains(message, &source, PH_STR("x"), true), PH_E_IO);
	parser_free(&parser);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_body");
	TCase *tests = tcase_create("body");
	tcase_add_test(tests, test_base64);
	tcase_add_test(tests, test_quoted_printable);
	tcase_add_test(tests, test_long_white_space);
	tcase_add_test(tests, test_decoding_at_once);
	tcase_add_test(tests, test_full_buffer);
	tcase_add_test(tests, test_text);
	tcase_add_test(tests, test_charset_names);
	tcase_add_test(tests, test_search);
	tcase_add_test(tests, test_message_contains);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
