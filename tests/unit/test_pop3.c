/* The module pop3: command lines, doubled dots, and where TOP ends. Messages are fed whole and byte by byte.
 */
#include <config.h>

#include "../../modules/pop3/parse.h"
#include "../../modules/pop3/transfer.h"

#include <check.h>
#include <stdlib.h>

#include <posthorn/buf.h>

static const struct {
	const char *line;
	bool good;
	const char *name, *argument;
} command_cases[] = {
	{ "NOOP", true, "NOOP", "" },
	{ "noop ", true, "noop", "" },
	{ "RETR 1", true, "RETR", "1" },
	{ "PASS  two  spaces ", true, "PASS", " two  spaces " },
	{ "X", true, "X", "" },
	{ "", false, "", "" },
	{ " NOOP", false, "", "" },
	{ "NO\tOP", false, "", "" },
	{ "\x80\xff", false, "", "" },
	{ "L1ST", false, "", "" },
};

START_TEST(test_command)
{
	struct ph_str name, argument;
	bool good = parse_command(ph_str(command_cases[_i].line), &name, &argument);
	ck_assert_int_eq(good, command_cases[_i].good);
	if (!good)
		return;
	ck_assert(ph_str_eq(name, ph_str(command_cases[_i].name)));
	ck_assert(ph_str_eq(argument, ph_str(command_cases[_i].argument)));
}
END_TEST

static const struct {
	const char *argument;
	bool good;
	struct parsed_numbers numbers;
} number_cases[] = {
	{ "", true, { { 0, 0 }, 0 } },
	{ "7", true, { { 7, 0 }, 1 } },
	{ "0", true, { { 0, 0 }, 1 } },
	{ "1 10", true, { { 1, 10 }, 2 } },
	{ "9223372036854775807", true, { { INT64_MAX, 0 }, 1 } },
	{ "9223372036854775808", false, { { 0, 0 }, 0 } },
	{ "99999999999999999999999", false, { { 0, 0 }, 0 } },
	{ "1 2 3", false, { { 0, 0 }, 0 } },
	{ "1  2", false, { { 0, 0 }, 0 } },
	{ " 1", false, { { 0, 0 }, 0 } },
	{ "-1", false, { { 0, 0 }, 0 } },
	{ "+1", false, { { 0, 0 }, 0 } },
	{ "1x", false, { { 0, 0 }, 0 } },
	{ "0x1", false, { { 0, 0 }, 0 } },
};

START_TEST(test_numbers)
{
	struct parsed_numbers numbers;
	bool good = parse_numbers(ph_str(number_cases[_i].argument), &numbers);
	ck_assert_int_eq(good, number_cases[_i].good);
	if (!good)
		return;
	ck_assert_uint_eq(numbers.count, number_cases[_i].numbers.count);
	ck_assert_uint_eq(numbers.number[0], number_cases[_i].numbers.number[0]);
	ck_assert_uint_eq(numbers.number[1], number_cases[_i].numbers.number[1]);
}
END_TEST

static const struct {
	const char *argument;
	bool good;
	const char *mechanism, *initial;
} auth_cases[] = {
	{ "PLAIN", true, "PLAIN", NULL },
	{ "PLAIN =", true, "PLAIN", "=" },
	{ "scram-sha-256 biws", true, "scram-sha-256", "biws" },
	{ "PLAIN ", false, NULL, NULL },
	{ "PLAIN a b", false, NULL, NULL },
	{ " PLAIN", false, NULL, NULL },
	{ "PL*AIN", false, NULL, NULL },
	{ "ABCDEFGHIJKLMNOPQRSTU", false, NULL, NULL },
};

START_TEST(test_auth)
{
	struct ph_str mechanism, initial;
	bool good = parse_auth(ph_str(auth_cases[_i].argument), &mechanism, &initial);
	ck_assert_int_eq(good, auth_cases[_i].good);
	if (!good)
		return;
	ck_assert(ph_str_eq(mechanism, ph_str(auth_cases[_i].mechanism)));
	ck_assert_int_eq(initial.data != NULL, auth_cases[_i].initial != NULL);
	ck_assert(ph_str_eq(initial, ph_str(auth_cases[_i].initial)));
}
END_TEST

/* Sends a message in pieces of `step` bytes, with or without a top, as commands_mail.c does. */
static void transfer(struct ph_str message, size_t step, struct top *top, struct ph_buf *out)
{
	struct stuffing stuffing;
	stuffing_init(&stuffing);
	for (size_t offset = 0; offset < message.len && !(top && top->done); offset += step) {
		struct ph_str piece = ph_str_slice(message, offset, offset + step);
		if (top)
			piece.len = top_take(top, piece);
		while (piece.len) {
			bool dot;
			size_t len = stuffing_next(&stuffing, piece, &dot);
			ck_assert(len > 0 || dot);
			ph_buf_add_str(out, ph_str_slice(piece, 0, len));
			if (dot)
				ph_buf_add_char(out, '.');
			piece = ph_str_slice(piece, len, piece.len);
		}
	}
	ph_buf_add_text(out, stuffing_ends_line(&stuffing) ? ".\r\n" : "\r\n.\r\n");
}

static void check_transfer(struct ph_str message, int lines, struct ph_str expected)
{
	for (size_t step = message.len ? message.len : 1; step >= 1; step--) {
		struct ph_buf out;
		struct top top;
		ph_buf_init(&out, 1 << 20);
		top_init(&top, lines < 0 ? 0 : (uint64_t)lines);
		transfer(message, step, lines < 0 ? NULL : &top, &out);
		ck_assert_msg(ph_str_eq(ph_buf_str(&out), expected), "in steps of %zu came: %.*s", step,
			PH_STR_ARGS(ph_buf_str(&out)));
		ph_buf_free(&out);
	}
}

static const struct {
	const char *message, *sent;
} stuffing_cases[] = {
	{ "", ".\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ "..\r\n", "...\r\n.\r\n" },
	{ "a.b\r\n.c\r\n\r\n..\r\n", "a.b\r\n..c\r\n\r\n...\r\n.\r\n" },
	{ "a\n.\r\nb\r\n", "a\n..\r\nb\r\n.\r\n" },
	{ "a\n", "a\n\r\n.\r\n" },
	{ "a\r", "a\r\r\n.\r\n" },
	{ "a\r.\r\n", "a\r.\r\n.\r\n" },
	{ "\r\n", "\r\n.\r\n" },
	{ "\n", "\n\r\n.\r\n" },
};

START_TEST(test_stuffing)
{
	check_transfer(ph_str(stuffing_cases[_i].message), -1, ph_str(stuffing_cases[_i].sent));
}
END_TEST

#define HEADER "A: b\r\nC: d\r\n"

static const struct {
	const char *message;
	int lines;
	const char *sent;
} top_cases[] = {
	{ HEADER "\r\none\r\n.two\r\nthree\r\n", 0, HEADER "\r\n.\r\n" },
	{ HEADER "\r\none\r\n.two\r\nthree\r\n", 1, HEADER "\r\none\r\n.\r\n" },
	{ HEADER "\r\none\r\n.two\r\nthree\r\n", 2, HEADER "\r\none\r\n..two\r\n.\r\n" },
	{ HEADER "\r\none\r\n.two\r\nthree\r\n", 9, HEADER "\r\none\r\n..two\r\nthree\r\n.\r\n" },
	{ HEADER "\r\none\r\n\r\nthree", 3, HEADER "\r\none\r\n\r\nthree\r\n.\r\n" },
	{ HEADER, 5, HEADER ".\r\n" },
	{ "\r\nbody\r\nmore\r\n", 1, "\r\nbody\r\n.\r\n" },
	{ "A: b\n\nbody\nmore\n", 1, "A: b\n\nbody\n\r\n.\r\n" },
	{ "A: b\r\n\r\r\nbody\r\n", 0, "A: b\r\n\r\r\nbody\r\n.\r\n" },
	{ "", 1, ".\r\n" },
};

START_TEST(test_top)
{
	check_transfer(ph_str(top_cases[_i].message), top_cases[_i].lines, ph_str(top_cases[_i].sent));
}
END_TEST

#define CASES(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("pop3");
	TCase *tests = tcase_create("pop3");
	tcase_add_loop_test(tests, test_command, 0, CASES(command_cases));
	tcase_add_loop_test(tests, test_numbers, 0, CASES(number_cases));
	tcase_add_loop_test(tests, test_auth, 0, CASES(auth_cases));
	tcase_add_loop_test(tests, test_stuffing, 0, CASES(stuffing_cases));
	tcase_add_loop_test(tests, test_top, 0, CASES(top_cases));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
