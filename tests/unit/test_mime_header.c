/* Header fields: walking, filtering, decoding, dates, addresses, parameters. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../modules/mime/addresses.h"
#include "../../modules/mime/date.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/params.h"
#include "../../modules/mime/utf8.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

static struct ph_pool *pool;

static void setup(void)
{
	pool = ph_pool_new(0);
}

static void teardown(void)
{
	ph_pool_free(&pool);
}

static void check_text(const char *input, struct ph_str got, const char *expected)
{
	ck_assert_msg(ph_str_eq(got, ph_str(expected)), "'%s' gives '%.*s', not '%s'", input,
		PH_STR_ARGS(got), expected);
}

START_TEST(test_fields)
{
	struct ph_str header =
		PH_STR("A: one\r\nB :two\r\n three\r\nbroken\r\nC:\nA: again\r\n\r\nbody: x\r\n");
	static const struct {
		const char *name, *value, *raw;
	} rows[] = {
		{ "A", " one", "A: one\r\n" },
		{ "B", "two\r\n three\r\nbroken", "B :two\r\n three\r\nbroken\r\n" },
		{ "C", "", "C:\n" },
		{ "A", " again", "A: again\r\n" },
	};
	struct ph_mime_field field;
	struct ph_str rest = header;
	for (size_t i = 0; i < ROWS(rows); i++) {
		ck_assert(header_next(&rest, &field));
		check_text("name", field.name, rows[i].name);
		check_text("value", field.value, rows[i].value);
		check_text("raw", field.raw, rows[i].raw);
	}
	ck_assert(!header_next(&rest, &field));
	rest = header;
	ck_assert(header_find(&rest, "a", &field));
	check_text("first", field.value, " one");
	ck_assert(header_find(&rest, "a", &field));
	check_text("second", field.value, " again");
	ck_assert(!header_find(&rest, "a", &field));
	rest = PH_STR(" starts folded\r\nA: b");
	ck_assert(header_next(&rest, &field));
	ck_assert_uint_eq(field.name.len, 0);
	ck_assert(header_next(&rest, &field));
	check_text("last", field.raw, "A: b");
	rest = (struct ph_str){ NULL, 0 };
	ck_assert(!header_next(&rest, &field));
}
END_TEST

START_TEST(test_filter)
{
	struct ph_str header = PH_STR("From: a\r\nTo: b\r\n c\r\nX: d\r\nTO: e\r\n\r\n");
	const struct ph_str names[] = { PH_STR_INIT("to"), PH_STR_INIT("From") };
	struct ph_buf buf;
	ph_buf_init(&buf, 1000);
	header_filter(header, names, 1, false, &buf);
	check_text("to", ph_buf_str(&buf), "To: b\r\n c\r\nTO: e\r\n\r\n");
	ph_buf_reset(&buf);
	header_filter(header, names, 2, true, &buf);
	check_text("not from, to", ph_buf_str(&buf), "X: d\r\n\r\n");
	ph_buf_reset(&buf);
	header_filter(PH_STR("From: a\r\n"), names, 1, false, &buf);
	check_text("no blank line", ph_buf_str(&buf), "");
	ph_buf_free(&buf);
}
END_TEST

/* A client may ask for thousands of fields, and a message may have a hundred thousand: the one must not be
 * looked for in the other one by one. */
START_TEST(test_filter_many)
{
	enum { NAMES = 20000, FIELDS = 200000 };
	struct ph_str *names = ph_alloc_array(NAMES, sizeof(*names));
	char *texts = ph_alloc(NAMES * 8);
	struct ph_buf header, buf;
	for (size_t i = 0; i < NAMES; i++) {
		int len = snprintf(texts + i * 8, 8, "%c%zu", i % 2 ? 'K' : 'k', NAMES - i);
		names[i] = ph_str_of(texts + i * 8, (size_t)len);
	}
	ph_buf_init(&header, FIELDS * 16);
	ph_buf_init(&buf, FIELDS * 16);
	for (size_t i = 0; i < FIELDS; i++)
		ph_buf_add_text(&header, "l:\r\n");
	ph_buf_add_text(&header, "K19999: yes\r\nk0: no\r\nk1: yes\r\n\r\n");
	header_filter(ph_buf_str(&header), names, NAMES, false, &buf);
	check_text("many", ph_buf_str(&buf), "K19999: yes\r\nk1: yes\r\n\r\n");
	ph_buf_free(&header);
	ph_buf_free(&buf);
	free(names);
	free(texts);
}
END_TEST

START_TEST(test_decode)
{
	static const struct {
		const char *value, *decoded;
	} rows[] = {
		{ "", "" },
		{ "  plain text\r\n\tfolded ", "plain text folded" },
		/* RFC 2047, 8. */
		{ "=?ISO-8859-1?Q?a?=", "a" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
		{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>" },
		{ "=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xC3\xA9 Pirard" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
		  "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
			"If you can read this you understand the example." },
		{ "=?ISO-8859-8?b?7eXs+SDv4SDp7Oj08A==?=",
			"\xD7\x9D\xD7\x95\xD7\x9C\xD7\xA9 \xD7\x9F\xD7\x91 "
			"\xD7\x99\xD7\x9C\xD7\x98\xD7\xA4\xD7\xA0" },
		/* RFC 2231, 5: a language. */
		{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
		/* A character broken across words, unpadded base64, spaces and question marks inside, no
		   space around. */
		{ "=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "\xC3\xA4" },
		{ "=?utf-8?B?w6Q?=", "\xC3\xA4" },
		{ "=?utf-8?Q?a b?=", "a b" },
		{ "=?utf-8?Q?really?\?=", "really?" },
		{ "x=?utf-8?q?=C3=A4?=y", "x\xC3\xA4y" },
		{ "(=?utf-8?q?=C3=A4?=)", "(\xC3\xA4)" },
		{ "\"=?utf-8?q?=C3=A4?=\"", "\"\xC3\xA4\"" },
		{ "=?utf-8?q?=c3=a4=2?=", "\xC3\xA4=2" },
		{ "=?utf-8?q?\?=", "" },
		/* None. */
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "=?utf-8?q?a", "=?utf-8?q?a" },
		{ "=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b" },
		{ "=?", "=?" },
		{ "= ?utf-8?q?a?=", "= ?utf-8?q?a?=" },
		{ "=?\?q?a?=", "=?\?q?a?=" },
		/* Bytes and charsets that cannot be. */
		{ "gr\xFC\xDF", "gr\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "gr\xC3\xBC\xC3", "gr\xC3\xBC\xEF\xBF\xBD" },
		{ "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "=?x-nonsense?q?a=C3=A4?=", "a\xC3\xA4" },
		{ "=?utf-8?q?=FF?=", "\xEF\xBF\xBD" },
		{ "=?utf-8?q?a=0D=0AInjected:_b?=", "a  Injected: b" },
		{ "=?gb2312?B?xOO6ww==?=", "\xE4\xBD\xA0\xE5\xA5\xBD" },
		{ "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xE6\x97\xA5\xE6\x9C\xAC" },
		{ "=?iso8859-15?q?=A4?=", "\xE2\x82\xAC" },
		{ "=?cp-1252?q?=80?=", "\xE2\x82\xAC" },
		{ "=?ISO-8859-1?q?=93x=94?=", "\xE2\x80\x9Cx\xE2\x80\x9D" },
		{ "=?../../x?q?a?=", "a" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		check_text(rows[i].value, header_decode(ph_str(rows[i].value), pool), rows[i].decoded);
	check_text("NUL", header_decode(ph_str_of("a\0b", 3), pool), "ab");
	check_text("bare CR", header_unfold(PH_STR("a\rb\r\n\tc"), pool), "a b\tc");
	struct ph_pool *small = ph_pool_new(8);
	ck_assert_ptr_null(header_decode(PH_STR("much too long for that pool"), small).data);
	ph_pool_free(&small);
}
END_TEST

START_TEST(test_dates)
{
	static const struct {
		const char *value;
		int64_t time;
		int zone;
	} rows[] = {
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120 },
		{ "Thu, 13 Feb 1969 23:32:54 -0330", -27723426, -210 },
		{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360 },
		{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
		  "(Newfoundland Time)",
			-27723480, -210 },
		{ "Mon, 15 Jan 2024 10:30:00 +0100", 1705311000, 60 },
		{ "15 Jan 2024 10:30 +0100", 1705311000, 60 },
		{ "Mon, 15 January 2024 10:30:00 +01:00", 1705311000, 60 },
		{ "Mon Jan 15 09:30:00 2024", 1705311000, 0 },
		{ "Mon Jan 15 09:30:00 GMT 2024", 1705311000, 0 },
		{ "2024-01-15T09:30:00Z", 1705311000, 0 },
		{ "2024-01-15 10:30:00.123+01:00", 1705311000, 60 },
		{ "15-Jan-2024 10:30:00 +0100", 1705311000, 60 },
		{ "15-Jan-24 10.30.00 +0100", 1705311000, 60 },
		{ "Mon, 15 Jan 2024 09:30:00 UT", 1705311000, 0 },
		{ "Mon, 15 Jan 2024 04:30:00 EST", 1705311000, -300 },
		{ "Mon, 15 Jan 2024 10:30:00 GMT+0100", 1705311000, 60 },
		{ "Mon, 15 Jan 2024 09:30:00 AM", 1705311000, 0 },
		{ "Mon, 15 Jan 2024 09:30:00 PM", 1705354200, 0 },
		{ "Mon, 15 Jan 124 10:30:00 +0100", 1705311000, 60 },
		{ "Mon, 15 Jan 2024 09:30:00 X", 1705311000, 0 },
		{ "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 0 },
		{ "29 Feb 2000 00:00:00 +0000", 951782400, 0 },
		{ "1 Mar 1900 00:00:00 +0000", -2203891200, 0 },
		{ "", 0, 0 },
		{ "yesterday", 0, 0 },
		{ "32 Jan 2024 10:30:00 +0100", 0, 0 },
		{ "15 Foo 2024 10:30:00 +0100", 0, 0 },
		{ "15 Jan 2024 25:30:00 +0100", 0, 0 },
		{ "15 Jan 99999 10:30:00 +0100", 0, 0 },
		{ "2024-13-15T09:30:00Z", 0, 0 },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_mime_date date = date_parse(ph_str(rows[i].value));
		ck_assert_msg(date.known == (rows[i].time != 0) && date.time == rows[i].time &&
				      date.zone == rows[i].zone,
			"'%s' gives %" PRId64 " %d", rows[i].value, date.time, date.zone);
	}
	ck_assert(!date_parse((struct ph_str){ NULL, 0 }).known);
}
END_TEST

static void add_address(struct ph_buf *buf, const struct ph_mime_address *address)
{
	if (address->kind == PH_MIME_GROUP_BEGIN)
		ph_buf_printf(buf, "{%.*s", PH_STR_ARGS(address->name));
	else if (address->kind == PH_MIME_GROUP_END)
		ph_buf_add_text(buf, "}");
	else
		ph_buf_printf(buf, "%.*s/%.*s/%.*s/%.*s", PH_STR_ARGS(address->name),
			PH_STR_ARGS(address->route), PH_STR_ARGS(address->local),
			PH_STR_ARGS(address->domain));
}

START_TEST(test_addresses)
{
	/* name/route/local/domain|... with groups in braces */
	static const struct {
		const char *value, *list;
	} rows[] = {
		{ "", "" },
		{ " , ;, ", "" },
		{ "a@b", "//a/b" },
		{ "a@b, c@d", "//a/b|//c/d" },
		/* RFC 5322, appendix A. */
		{ "John Doe <jdoe@machine.example>", "John Doe//jdoe/machine.example" },
		{ "\"Joe Q. Public\" <john.q.public@example.com>",
			"Joe Q. Public//john.q.public/example.com" },
		{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
			"Mary Smith//mary/x.test|//jdoe/example.org|Who?//one/y.test" },
		{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
			"//boss/nil.test|Giant; \"Big\" Box//sysservices/example.net" },
		{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
			"{A Group|Ed Jones//c/a.test|//joe/where.test|John//jdoe/one.test|}" },
		{ "Undisclosed recipients:;", "{Undisclosed recipients|}" },
		{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete//pete/silly.test" },
		{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         "
		  "joe@example.org,\r\n"
		  "  John <jdoe@one.test> (my dear friend); (the end of the group)",
			"{A Group|Chris Jones//c/public.example|//joe/example.org|John//jdoe/one.test|}" },
		{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "{Hidden recipients|}" },
		{ "Joe Q. Public <john.q.public@example.com>", "Joe Q. Public//john.q.public/example.com" },
		{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
			"Mary Smith/@node.test/mary/example.net|//jdoe/test.example" },
		{ "<@a,@b:c@d>", "/@a,@b/c/d" },
		{ "1 . 2 @ a . b", "//1.2/a.b" },
		/* Comments as names, quoted local parts, literals, encoded words. */
		{ "a@b (Name)", "Name//a/b" },
		{ "\"a b\"@c", "//a b/c" },
		{ "<\"a\\\"b\"@c>", "//a\"b/c" },
		{ "a@[192.0.2.1]", "//a/[192.0.2.1]" },
		{ "x <a@[IPv6:2001:db8::1]>", "x//a/[IPv6:2001:db8::1]" },
		{ "<a@[1\"b.2]>, <c@d>", "//a/[1\"b.2]|//c/d" },
		{ "<a@[ (1)>, <2 ]>, c@d", "//a/[(1)>,<2]|//c/d" },
		{ "<a@[1>, c@d", "//a/[1|//c/d" },
		{ "=?utf-8?q?a,_b?= <c@d>", "=?utf-8?q?a,_b?=//c/d" },
		{ "J\xC3\xBCrgen <j@x>", "J\xC3\xBCrgen//j/x" },
		/* As RFC 7103, 7.1 reads what is broken. */
		{ "<third@example.net, fourth@example.net>", "//third/example.net|//fourth/example.net" },
		{ "second@example.org>", "//second/example.org" },
		{ "<<a@b>>", "//a/b" },
		{ "Testing) <sam@example.com>", "Testing)//sam/example.com" },
		{ "\"Joe <joe@example.com>", "Joe//joe/example.com" },
		{ "(Testing <fran@example.com>", "(Testing//fran/example.com" },
		{ "Joe", "//Joe/" },
		{ "Joe Smith", "//Joe Smith/" },
		{ "<>", "///" },
		{ "@", "///" },
		{ "@b", "///b" },
		{ "a@", "//a/" },
		{ "a@b <c@d>", "a@b//c/d" },
		{ "<a@b> <c@d>", "//a/b|//c/d" },
		{ "<a@b> junk, c@d", "//a/b|//c/d" },
		{ "a@b c", "//a/b" },
		{ "<a@b", "//a/b" },
		{ "a; b", "//a/|//b/" },
		{ "g:a@b", "{g|//a/b|}" },
		{ "g:h:a@b;", "{g|}|{h|//a/b|}" },
		{ ":a@b", "//:a/b" },
		{ "<@a,@b>", "///a,@b" },
		{ "\"", "" },
		{ "(", "//(/" },
	};
	struct ph_buf list;
	ph_buf_init(&list, 1000);
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct ph_mime_address *addresses;
		size_t count = addresses_parse(ph_str(rows[i].value), 100, pool, &addresses);
		ph_buf_reset(&list);
		for (size_t j = 0; j < count; j++) {
			if (j > 0)
				ph_buf_add_char(&list, '|');
			add_address(&list, &addresses[j]);
		}
		check_text(rows[i].value, ph_buf_str(&list), rows[i].list);
	}
	ph_buf_free(&list);
}
END_TEST

/* However few may come, a group that began is ended. */
START_TEST(test_addresses_limited)
{
	for (size_t max = 0; max < 12; max++) {
		const struct ph_mime_address *addresses;
		int open = 0;
		size_t count = addresses_parse(PH_STR("g:a@b,c@d;,h:;,e@f,i:j@k"), max, pool, &addresses);
		ck_assert_uint_le(count, max ? max : 0);
		for (size_t i = 0; i < count; i++)
			open += (addresses[i].kind == PH_MIME_GROUP_BEGIN) -
				(addresses[i].kind == PH_MIME_GROUP_END);
		ck_assert_int_eq(open, 0);
	}
}
END_TEST

START_TEST(test_message_ids)
{
	static const struct {
		const char *value, *ids;
	} rows[] = {
		{ "", "" },
		{ "<a@b>", "<a@b>" },
		{ " <a@b>\r\n <c@d>(x)<e@f> ", "<a@b> <c@d> <e@f>" },
		{ "<a@\r\n b>", "<a@b>" },
		{ "Your message of <a@b> and <c@d", "<a@b>" },
		{ "<<a@b>>", "<a@b>" },
		{ "<><><>", "<> <> <>" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		check_text(rows[i].value, message_ids(ph_str(rows[i].value), pool), rows[i].ids);
}
END_TEST

START_TEST(test_params)
{
	/* value|name=value|... */
	static const struct {
		const char *field, *parsed;
	} rows[] = {
		{ "", "" },
		{ "Text/Plain", "text/plain" },
		{ " text / plain ; charset = UTF-8 ", "text/plain|charset=UTF-8" },
		{ "text/plain; charset=us-ascii (Plain text)", "text/plain|charset=us-ascii" },
		{ "text/plain (c); charset=\"us-ascii\" x; a=b", "text/plain|charset=us-ascii|a=b" },
		{ "attachment; filename=a b (1).pdf; size=3", "attachment|filename=a b .pdf|size=3" },
		{ "attachment; filename=a(1).pdf", "attachment|filename=a(1).pdf" },
		{ "attachment; filename=\"a;b\\\"c\"", "attachment|filename=a;b\"c" },
		{ "attachment; filename=\"open; size=1", "attachment|filename=open|size=1" },
		{ "a; ;;=x; y; z=; w=1", "a|z=|w=1" },
		{ "a;b=\"\"", "a|b=" },
		{ "multipart/mixed;\r\n\tboundary=\"x y\"", "multipart/mixed|boundary=x y" },
		/* RFC 2231, 3, 4.1 and 6: pieces, in whatever order. */
		{ "x; n*0=a; m=1; n*1=\"b c\"", "x|n=ab c|m=1" },
		{ "x; n*1=b; m*=1; n*0=a", "x|n=ab|m*=1" },
		{ "x; n*2=\"c%\"; n*0=\"a b\"; n*1*=%20b", "x|n*=''a%20b%20bc%25" },
		{ "x; n*0*=utf-8''a; n*1='", "x|n*=utf-8''a%27" },
		{ "x; n*1=b; n*0=a; m*0=d; n*3=d; n*0=e; n*1*=f", "x|n=ab|m=d|n*3=d|n*0=e|n*1*=f" },
		{ "x; n*1=b; n*2=c", "x|n*1=b|n*2=c" },
		{ "x; n*00=a; n*01=b; *0=c; n*=d; n**=e; n*0**=f",
			"x|n*00=a|n*01=b|*0=c|n*=d|n**=e|n*0**=f" },
	};
	struct ph_buf text;
	ph_buf_init(&text, 1000);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str value;
		struct ph_mime_params params;
		params_parse(ph_str(rows[i].field), 10, pool, &value, &params);
		ph_buf_reset(&text);
		ph_buf_add_str(&text, value);
		for (size_t j = 0; j < params.count; j++)
			ph_buf_printf(&text, "|%.*s=%.*s", PH_STR_ARGS(params.items[j].name),
				PH_STR_ARGS(params.items[j].value));
		check_text(rows[i].field, ph_buf_str(&text), rows[i].parsed);
	}
	ph_buf_free(&text);
}
END_TEST

/* Many pieces, the last first: they are put in order without looking for each. */
START_TEST(test_many_pieces)
{
	enum { PIECES = 9999 };
	struct ph_str value;
	struct ph_mime_params params;
	struct ph_buf field;
	ph_buf_init(&field, SIZE_MAX);
	ph_buf_add_text(&field, "x");
	for (int i = PIECES; i >= 0; i--)
		ph_buf_printf(&field, "; n*%d=%d", i, i % 10);
	params_parse(ph_buf_str(&field), PIECES + 1, pool, &value, &params);
	ck_assert_uint_eq(params.count, 1);
	ck_assert_uint_eq(params.items[0].value.len, PIECES + 1);
	for (size_t i = 0; i <= PIECES; i++)
		ck_assert_int_eq(params.items[0].value.data[i], (char)('0' + i % 10));
	ph_buf_free(&field);
}
END_TEST

START_TEST(test_param_values)
{
	static const struct {
		const char *field, *value; /* of parameter "n" */
	} rows[] = {
		{ "x; n=plain", "plain" },
		{ "x; m=1", NULL },
		{ "x; n*=utf-8'en'%e2%82%ac%20rates", "\xE2\x82\xAC rates" },
		{ "x; n*=iso-8859-1''%E4", "\xC3\xA4" },
		{ "x; n=old; n*=utf-8''new", "new" },
		{ "x; n*0=a; n*1=b; n*2=c", "abc" },
		{ "x; n*1=b; n*0=a; n*3=d", "ab" },
		{ "x; n=old; n*1=b; n*0=a", "ab" },
		{ "x; n*0=\"=?utf-8?q?=C3\"; n*1=\"=A4?=\"", "\xC3\xA4" },
		{ "x; n*0*=us-ascii'en'This%20is%20even%20more%20; n*1*=%2A%2A%2Afun%2A%2A%2A%20; "
		  "n*2=\"isn't it!\"",
			"This is even more ***fun*** isn't it!" },
		{ "x; n*0*=utf-8''%C3; n*1*=%A4", "\xC3\xA4" },
		{ "x; n=\"=?utf-8?q?=C3=A4?=\"", "\xC3\xA4" },
		{ "x; n*=broken%zz", "broken%zz" },
		{ "x; n*=utf-8''a%0Ab", "a b" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str value;
		struct ph_mime_params params;
		params_parse(ph_str(rows[i].field), 10, pool, &value, &params);
		ck_assert_int_eq(params_get(&params, "n", pool, &value), rows[i].value != NULL);
		if (rows[i].value)
			check_text(rows[i].field, value, rows[i].value);
	}
}
END_TEST

START_TEST(test_fold_case)
{
	static const uint32_t pairs[][2] = {
		{ 'A', 'a' },
		{ '1', '1' },
		{ 0xC4, 0xE4 },
		{ 0xD7, 0xD7 },
		{ 0xDF, 0xDF },
		{ 0x100, 0x101 },
		{ 0x101, 0x101 },
		{ 0x139, 0x13A },
		{ 0x13A, 0x13A },
		{ 0x178, 0xFF },
		{ 0x17D, 0x17E },
		{ 0x391, 0x3B1 },
		{ 0x3C2, 0x3C3 },
		{ 0x410, 0x430 },
		{ 0x401, 0x451 },
		{ 0x531, 0x561 },
		{ 0x1EA0, 0x1EA1 },
		{ 0x4E00, 0x4E00 },
	};
	for (size_t i = 0; i < ROWS(pairs); i++)
		ck_assert_uint_eq(utf8_fold(pairs[i][0]), pairs[i][1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_header");
	TCase *tests = tcase_create("header");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_fields);
	tcase_add_test(tests, test_filter);
	tcase_add_test(tests, test_filter_many);
	tcase_add_test(tests, test_decode);
	tcase_add_test(tests, test_dates);
	tcase_add_test(tests, test_addresses);
	tcase_add_test(tests, test_addresses_limited);
	tcase_add_test(tests, test_message_ids);
	tcase_add_test(tests, test_params);
	tcase_add_test(tests, test_many_pieces);
	tcase_add_test(tests, test_param_values);
	tcase_add_test(tests, test_fold_case);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
