/* The module imap: the grammar's small rules. Every text is also cut at each byte, in memory of just that
 * size, so that a parser which looks too far is found out. */
#include <config.h>

#include "../../modules/imap/dates.h"
#include "../../modules/imap/parse.h"
#include "../../modules/imap/print.h"
#include "../../modules/imap/sequence_set.h"

#include <check.h>
#include <stdlib.h>

static struct ph_pool *pool;

static void setup(void)
{
	pool = ph_pool_new(0);
}

static void teardown(void)
{
	ph_pool_free(&pool);
}

/* Runs `parse` over all beginnings of the text. */
static void cut(struct ph_str text, void (*parse)(struct parser *parser))
{
	for (size_t len = 0; len <= text.len; len++) {
		char *exact = malloc(len ? len : 1);
		struct parser parser;
		memcpy(exact, text.data, len);
		parser_init(&parser, ph_str_of(exact, len), pool);
		parse(&parser);
		ck_assert(parser.at >= exact && parser.at <= exact + len);
		free(exact);
	}
}

/* --- strings --- */

static const struct {
	const char *text;
	bool good;
	const char *value;
	const char *rest;
} astring_cases[] = {
	{ "atom", true, "atom", "" },
	{ "atom rest", true, "atom", " rest" },
	{ "a]b", true, "a]b", "" },
	{ "a+b/c=", true, "a+b/c=", "" },
	{ "\"\"", true, "", "" },
	{ "\"two words\" x", true, "two words", " x" },
	{ "\"q\\\"\\\\b\"", true, "q\"\\b", "" },
	{ "\"8bit \xc3\xa4\"", true, "8bit \xc3\xa4", "" },
	{ "{3}\r\nabc", true, "abc", "" },
	{ "{3+}\r\nabc x", true, "abc", " x" },
	{ "{0}\r\n", true, "", "" },
	{ "{2}\r\n\r\n)", true, "\r\n", ")" },
	{ "", false, "", "" },
	{ " x", false, "", "" },
	{ "(x", false, "", "" },
	{ "*", false, "", "" },
	{ "\xc3\xa4", false, "", "" },
	{ "\"open", false, "", "" },
	{ "\"bad\\x\"", false, "", "" },
	{ "\"end\\", false, "", "" },
	{ "\"two\r\nlines\"", false, "", "" },
	{ "{3}\r\nab", false, "", "" },
	{ "{3}\nabc", false, "", "" },
	{ "{}\r\n", false, "", "" },
	{ "{+}\r\n", false, "", "" },
	{ "{-1}\r\n", false, "", "" },
	{ "{99999999999999999999}\r\nabc", false, "", "" },
	{ "{4294967295}\r\nabc", false, "", "" },
};

static void parse_any_astring(struct parser *parser)
{
	struct ph_str s;

	parse_astring(parser, &s);
}

START_TEST(test_astring)
{
	struct parser parser;
	struct ph_str s;
	bool good;

	parser_init(&parser, ph_str(astring_cases[_i].text), pool);
	good = parse_astring(&parser, &s);
	ck_assert_int_eq(good, astring_cases[_i].good);
	ck_assert(good || parser.error);
	cut(ph_str(astring_cases[_i].text), parse_any_astring);
	if (!good)
		return;
	ck_assert(ph_str_eq(s, ph_str(astring_cases[_i].value)));
	ck_assert(ph_str_eq(parser_rest(&parser), ph_str(astring_cases[_i].rest)));
}
END_TEST

START_TEST(test_nul_in_literal)
{
	struct parser parser;
	struct ph_str s;

	parser_init(&parser, PH_STR("{3}\r\na\0b"), pool);
	ck_assert(!parse_astring(&parser, &s));
}
END_TEST

START_TEST(test_nstring)
{
	struct parser parser;
	struct ph_str s;

	parser_init(&parser, PH_STR("nil \"NIL\""), pool);
	ck_assert(parse_nstring(&parser, &s) && !s.data);
	ck_assert(parse_space(&parser) && parse_nstring(&parser, &s) && ph_str_eq(s, PH_STR("NIL")));
	parser_init(&parser, PH_STR("NILS"), pool);
	ck_assert(!parse_nstring(&parser, &s));
}
END_TEST

static const struct {
	const char *text;
	bool good;
} tag_cases[] = {
	{ "a1", true },
	{ "A.1", true },
	{ "]", true },
	{ "[x]", true },
	{ "", false },
	{ "+", false },
	{ "a+b", false },
	{ "*", false },
	{ "%", false },
	{ "(", false },
	{ "\"a\"", false },
	{ "\\", false },
	{ "{1}", false },
	{ "\x7f", false },
	{ "\x01", false },
	{ "\xc3\xa4", false },
};

START_TEST(test_tag)
{
	struct parser parser;
	struct ph_str tag;

	parser_init(&parser, ph_str(tag_cases[_i].text), pool);
	ck_assert_int_eq(parse_tag(&parser, &tag) && parse_at_end(&parser), tag_cases[_i].good);
}
END_TEST

START_TEST(test_long_tag)
{
	char text[TAG_MAX + 1];
	struct parser parser;
	struct ph_str tag;

	memset(text, 'a', sizeof(text));
	parser_init(&parser, ph_str_of(text, TAG_MAX), pool);
	ck_assert(parse_tag(&parser, &tag));
	parser_init(&parser, ph_str_of(text, TAG_MAX + 1), pool);
	ck_assert(!parse_tag(&parser, &tag));
}
END_TEST

static const struct {
	const char *text;
	bool good;
	uint64_t size;
	bool synchronising;
} header_cases[] = {
	{ "a LOGIN {3}", true, 3, true },
	{ "a LOGIN {3+}", true, 3, false },
	{ "{0}", true, 0, true },
	{ "x{1}y{2}", true, 2, true },
	{ "{18446744073709551615}", true, UINT64_MAX, true },
	{ "{18446744073709551616}", true, UINT64_MAX, true },
	{ "{99999999999999999999999+}", true, UINT64_MAX, false },
	{ "{3} ", false, 0, false },
	{ "{}", false, 0, false },
	{ "{+}", false, 0, false },
	{ "{++}", false, 0, false },
	{ "{a}", false, 0, false },
	{ "{-3}", false, 0, false },
	{ "}", false, 0, false },
	{ "", false, 0, false },
};

START_TEST(test_literal_header)
{
	struct literal_header header;
	bool good = parse_literal_header(ph_str(header_cases[_i].text), &header);

	ck_assert_int_eq(good, header_cases[_i].good);
	if (!good)
		return;
	ck_assert_uint_eq(header.size, header_cases[_i].size);
	ck_assert_int_eq(header.synchronising, header_cases[_i].synchronising);
}
END_TEST

/* --- numbers --- */

static const struct {
	const char *text;
	bool number, nz_number;
	uint32_t value;
} number_cases[] = {
	{ "0", true, false, 0 },
	{ "1", true, true, 1 },
	{ "007", true, false, 7 },
	{ "4294967295", true, true, UINT32_MAX },
	{ "4294967296", false, false, 0 },
	{ "99999999999999999999999", false, false, 0 },
	{ "", false, false, 0 },
	{ "-1", false, false, 0 },
	{ "x", false, false, 0 },
};

START_TEST(test_number)
{
	struct parser parser;
	uint32_t value = 0;

	parser_init(&parser, ph_str(number_cases[_i].text), pool);
	ck_assert_int_eq(parse_number(&parser, &value), number_cases[_i].number);
	if (number_cases[_i].number)
		ck_assert_uint_eq(value, number_cases[_i].value);
	parser_init(&parser, ph_str(number_cases[_i].text), pool);
	ck_assert_int_eq(parse_nz_number(&parser, &value), number_cases[_i].nz_number);
}
END_TEST

/* --- sequence sets; `resolved` with a largest number of 15 --- */

static const struct {
	const char *text;
	const char *resolved; /* NULL: no set */
} set_cases[] = {
	{ "1", "1" },
	{ "*", "15" },
	{ "1:*", "1:15" },
	{ "*:1", "1:15" },
	{ "4:2", "2:4" },
	{ "2,4:7,9,12:*", "2,4:7,9,12:15" },
	{ "*:4,5:7", "4:15" },
	{ "5,4,3", "3:5" },
	{ "1,1,1", "1" },
	{ "20:*", "15:20" },
	{ "4294967295,1", "1,4294967295" },
	{ "1:4294967295,5", "1:4294967295" },
	{ "", NULL },
	{ "0", NULL },
	{ "1:", NULL },
	{ ":1", NULL },
	{ "1,", NULL },
	{ ",1", NULL },
	{ "1,,2", NULL },
	{ "1:0", NULL },
	{ "a", NULL },
	{ "**", "15" }, /* the second is what follows */
	{ "4294967296", NULL },
};

static void parse_any_set(struct parser *parser)
{
	struct sequence_set set;

	parse_sequence_set(parser, &set);
}

START_TEST(test_sequence_set)
{
	struct ph_uid_range ranges[16];
	struct ph_uid_set printed = { .ranges = ranges };
	struct sequence_set set;
	struct parser parser;
	struct ph_buf buf;
	bool good;

	cut(ph_str(set_cases[_i].text), parse_any_set);
	parser_init(&parser, ph_str(set_cases[_i].text), pool);
	good = parse_sequence_set(&parser, &set);
	ck_assert_int_eq(good, set_cases[_i].resolved != NULL);
	if (!good)
		return;
	ck_assert_int_eq(sequence_set_has_star(&set), strchr(set_cases[_i].text, '*') != NULL);
	sequence_set_resolve(&set, 15);
	for (; printed.count < set.count; printed.count++)
		ranges[printed.count] = (struct ph_uid_range){ set.ranges[printed.count].first,
			set.ranges[printed.count].last };
	ph_buf_init(&buf, 1000);
	print_uid_set(&buf, &printed);
	ck_assert(ph_str_eq(ph_buf_str(&buf), ph_str(set_cases[_i].resolved)));
	ph_buf_free(&buf);
}
END_TEST

/* --- flags --- */

static const struct {
	const char *text;
	bool bare;
	bool good;
	const char *printed;
} flag_cases[] = {
	{ "()", false, true, "()" },
	{ "(\\Seen)", false, true, "(\\Seen)" },
	{ "(\\sEEN \\answered \\Flagged \\Deleted \\Draft)", false, true,
		"(\\Answered \\Flagged \\Deleted \\Seen \\Draft)" },
	{ "(\\Seen \\Recent $Forwarded x)", false, true, "(\\Seen $Forwarded x)" },
	{ "\\Seen", true, true, "(\\Seen)" },
	{ "\\Seen kw", true, true, "(\\Seen kw)" },
	{ "\\Seen", false, false, NULL },
	{ "(\\Seen", false, false, NULL },
	{ "(\\Seen  \\Draft)", false, false, NULL },
	{ "(\\Unknown)", false, false, NULL },
	{ "(\\)", false, false, NULL },
	{ "(\"x\")", false, false, NULL },
	{ "( )", false, false, NULL },
	{ "", true, false, NULL },
};

static void parse_any_flags(struct parser *parser)
{
	struct ph_flag_list flags;

	parse_flag_list(parser, true, &flags);
}

START_TEST(test_flags)
{
	struct ph_flag_list flags;
	struct parser parser;
	struct ph_buf buf;
	bool good;

	cut(ph_str(flag_cases[_i].text), parse_any_flags);
	parser_init(&parser, ph_str(flag_cases[_i].text), pool);
	good = parse_flag_list(&parser, flag_cases[_i].bare, &flags) && parse_at_end(&parser);
	ck_assert_int_eq(good, flag_cases[_i].good);
	if (!good)
		return;
	ph_buf_init(&buf, 1000);
	print_flags(&buf, flags.flags, false, flags.keywords, flags.keyword_count);
	ck_assert(ph_str_eq(ph_buf_str(&buf), ph_str(flag_cases[_i].printed)));
	ph_buf_free(&buf);
}
END_TEST

/* --- dates --- */

static const struct {
	const char *text;
	bool good;
	int64_t day;
} date_cases[] = {
	{ "1-Jan-1970", true, 0 },
	{ "01-jan-1970", true, 0 },
	{ "\"2-JAN-1970\"", true, 1 },
	{ "31-Dec-1969", true, -1 },
	{ "1-Feb-1994", true, 8797 },
	{ "29-Feb-2024", true, 19782 },
	{ "29-Feb-2023", false, 0 },
	{ "29-Feb-1900", false, 0 },
	{ "29-Feb-2000", true, 11016 },
	{ "0-Jan-2000", false, 0 },
	{ "32-Jan-2000", false, 0 },
	{ "1-Foo-2000", false, 0 },
	{ "1-Jan-99", false, 0 },
	{ "1-Jan-", false, 0 },
	{ "1-J", false, 0 },
	{ "\"1-Jan-2000", false, 0 },
	{ "", false, 0 },
};

static void parse_any_date(struct parser *parser)
{
	int64_t day;

	parse_date(parser, &day);
}

START_TEST(test_date)
{
	struct parser parser;
	int64_t day;
	bool good;

	cut(ph_str(date_cases[_i].text), parse_any_date);
	parser_init(&parser, ph_str(date_cases[_i].text), pool);
	good = parse_date(&parser, &day);
	ck_assert_int_eq(good, date_cases[_i].good);
	if (good)
		ck_assert_int_eq(day, date_cases[_i].day);
}
END_TEST

static const struct {
	const char *text;
	bool good;
	int64_t seconds;
	int zone;
} date_time_cases[] = {
	{ "\"17-Jul-1996 02:44:25 -0700\"", true, 837596665, -420 },
	{ "\" 1-Jan-1970 00:00:00 +0000\"", true, 0, 0 },
	{ "\"01-Jan-1970 05:30:00 +0530\"", true, 0, 330 },
	{ "\"1-Jan-1970 00:00:00 +0000\"", true, 0, 0 },
	{ "\"17-Jul-1996 24:00:00 +0000\"", false, 0, 0 },
	{ "\"17-Jul-1996 02:60:25 +0000\"", false, 0, 0 },
	{ "\"17-Jul-1996 02:44:25 +2500\"", false, 0, 0 },
	{ "\"17-Jul-1996 02:44:25 +0060\"", false, 0, 0 },
	{ "\"17-Jul-1996 02:44:25 0000\"", false, 0, 0 },
	{ "\"17-Jul-1996 02:44:25 +0000", false, 0, 0 },
	{ "17-Jul-1996 02:44:25 +0000", false, 0, 0 },
	{ "\"\"", false, 0, 0 },
};

static void parse_any_date_time(struct parser *parser)
{
	struct date_time date;

	parse_date_time(parser, &date);
}

START_TEST(test_date_time)
{
	struct parser parser;
	struct date_time date;
	bool good;

	cut(ph_str(date_time_cases[_i].text), parse_any_date_time);
	parser_init(&parser, ph_str(date_time_cases[_i].text), pool);
	good = parse_date_time(&parser, &date);
	ck_assert_int_eq(good, date_time_cases[_i].good);
	if (!good)
		return;
	ck_assert_int_eq(date.seconds, date_time_cases[_i].seconds);
	ck_assert_int_eq(date.zone, date_time_cases[_i].zone);
}
END_TEST

/* What is printed is read back as the same moment. */
START_TEST(test_date_time_print)
{
	static const int zones[] = { 0, 60, -420, 330, 845, -1, 1439, -1439 };

	for (int64_t seconds = -2000000000; seconds < 5000000000; seconds += 86399 * 97) {
		int zone = zones[(uint64_t)seconds % 8];
		char text[DATE_TIME_SIZE + 2] = "\"";
		size_t len = date_time_print(seconds, zone, text + 1);
		struct date_time date;
		struct parser parser;
		text[len + 1] = '"';
		parser_init(&parser, ph_str_of(text, len + 2), pool);
		ck_assert(parse_date_time(&parser, &date));
		ck_assert_int_eq(date.seconds, seconds);
		ck_assert_int_eq(date.zone, zone);
	}
}
END_TEST

START_TEST(test_date_time_print_absurd)
{
	char text[DATE_TIME_SIZE];

	ck_assert_uint_eq(date_time_print(INT64_MAX / 2, 0, text), 26);
	ck_assert_uint_eq(date_time_print(INT64_MIN / 2, 0, text), 26);
	ck_assert_uint_eq(date_time_print(837596665, -420, text), 26);
	ck_assert_str_eq(text, "17-Jul-1996 02:44:25 -0700");
}
END_TEST

/* --- mailboxes --- */

static const struct {
	const char *text;
	bool good;
	bool cannot;
	const char *name;
} mailbox_cases[] = {
	{ "INBOX", true, false, "INBOX" },
	{ "inBox", true, false, "INBOX" },
	{ "{5}\r\ninbox", true, false, "INBOX" },
	{ "inbox/x", true, false, "inbox/x" },
	{ "\"Sent Mail\"", true, false, "Sent Mail" },
	{ "Entw&APw-rfe", true, false, "Entw\xc3\xbcrfe" },
	{ "R&-D", true, false, "R&D" },
	{ "R&D", false, true, "" },
	{ "\"\xc3\xbc\"", false, true, "" },
	{ "", false, false, "" },
};

START_TEST(test_mailbox)
{
	struct parser parser;
	struct ph_str name;
	bool good;

	parser_init(&parser, ph_str(mailbox_cases[_i].text), pool);
	good = parse_mailbox(&parser, &name);
	ck_assert_int_eq(good, mailbox_cases[_i].good);
	ck_assert_int_eq(parser.cannot, mailbox_cases[_i].cannot);
	if (good)
		ck_assert(ph_str_eq(name, ph_str(mailbox_cases[_i].name)));
}
END_TEST

/* --- printing --- */

static const struct {
	const char *text;
	const char *printed;
} print_cases[] = {
	{ "atom", "atom" },
	{ "", "\"\"" },
	{ "NIL", "\"NIL\"" },
	{ "two words", "\"two words\"" },
	{ "a]b", "a]b" },
	{ "q\"b\\", "\"q\\\"b\\\\\"" },
	{ "%", "\"%\"" },
	{ "line\r\n", "{6}\r\nline\r\n" },
	{ "\xc3\xa4", "{2}\r\n\xc3\xa4" },
};

START_TEST(test_print_astring)
{
	struct parser parser;
	struct ph_buf buf;
	struct ph_str s;

	ph_buf_init(&buf, 1000);
	print_astring(&buf, ph_str(print_cases[_i].text));
	ck_assert(ph_str_eq(ph_buf_str(&buf), ph_str(print_cases[_i].printed)));
	parser_init(&parser, ph_buf_str(&buf), pool);
	ck_assert(parse_astring(&parser, &s) && ph_str_eq(s, ph_str(print_cases[_i].text)));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(test_print_number)
{
	struct ph_buf buf;

	ph_buf_init(&buf, 1000);
	print_number(&buf, 0);
	ph_buf_add_char(&buf, ' ');
	print_number(&buf, UINT64_MAX);
	ck_assert(ph_str_eq(ph_buf_str(&buf), PH_STR("0 18446744073709551615")));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(test_exhausted)
{
	struct ph_pool *small = ph_pool_new(64);
	struct parser parser;
	struct sequence_set set;
	char text[4000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ',' : '7';
	parser_init(&parser, ph_str_of(text, sizeof(text) - 1), small);
	ck_assert(!parse_sequence_set(&parser, &set));
	ck_assert(parser.exhausted);
	ph_pool_free(&small);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("imap: parsing");
	TCase *cases = tcase_create("parse");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	suite_add_tcase(suite, cases);
	tcase_add_loop_test(cases, test_astring, 0, COUNT(astring_cases));
	tcase_add_test(cases, test_nul_in_literal);
	tcase_add_test(cases, test_nstring);
	tcase_add_loop_test(cases, test_tag, 0, COUNT(tag_cases));
	tcase_add_test(cases, test_long_tag);
	tcase_add_loop_test(cases, test_literal_header, 0, COUNT(header_cases));
	tcase_add_loop_test(cases, test_number, 0, COUNT(number_cases));
	tcase_add_loop_test(cases, test_sequence_set, 0, COUNT(set_cases));
	tcase_add_loop_test(cases, test_flags, 0, COUNT(flag_cases));
	tcase_add_loop_test(cases, test_date, 0, COUNT(date_cases));
	tcase_add_loop_test(cases, test_date_time, 0, COUNT(date_time_cases));
	tcase_add_test(cases, test_date_time_print);
	tcase_add_test(cases, test_date_time_print_absurd);
	tcase_add_loop_test(cases, test_mailbox, 0, COUNT(mailbox_cases));
	tcase_add_loop_test(cases, test_print_astring, 0, COUNT(print_cases));
	tcase_add_test(cases, test_print_number);
	tcase_add_test(cases, test_exhausted);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
