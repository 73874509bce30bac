/* Verdicts: their names and the rules they must keep. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include "../../core/verdict_private.h"

static const struct ph_hook_point point = {
	.name = "test.decide",
	.decides = true,
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCONNECT) | PH_ALLOWS(PH_REWRITE) | PH_ALLOWS(PH_ROUTE),
};

static const struct ph_str good_value = PH_STR_INIT("a"), bad_value = PH_STR_INIT("a\nb");
static const struct ph_verdict_field good_fields[] = { { PH_STR_INIT("to"), &good_value, 1 } },
				     bad_fields[] = { { PH_STR_INIT("to"), &bad_value, 1 } };

static const struct check_case {
	struct ph_verdict verdict;
	bool good;
} checks[] = {
	{ { .kind = PH_PASS }, true },
	{ { .kind = PH_ACCEPT }, true },
	{ { .kind = PH_ACCEPT, .code = 250, .enhanced = PH_STR_INIT("2.1.5") }, true },
	{ { .kind = PH_ACCEPT, .code = 550 }, false },
	{ { .kind = PH_PASS, .code = 250 }, false },
	{ { .kind = PH_REJECT, .code = 550, .enhanced = PH_STR_INIT("5.7.1"), .text = PH_STR_INIT("no") },
		true },
	{ { .kind = PH_REJECT, .code = 599 }, true },
	{ { .kind = PH_REJECT, .code = 450 }, false },
	{ { .kind = PH_REJECT, .code = 600 }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("4.7.1") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.123.456") }, true },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.1234.1") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.7") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.7.") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5..7") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.7.1.") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("55.7.1") }, false },
	{ { .kind = PH_REJECT, .enhanced = PH_STR_INIT("5.7.1\r") }, false },
	{ { .kind = PH_DEFER, .code = 451, .enhanced = PH_STR_INIT("4.3.0") }, true },
	{ { .kind = PH_DEFER, .code = 550 }, false },
	{ { .kind = PH_DISCONNECT, .code = 421, .enhanced = PH_STR_INIT("4.7.0") }, true },
	{ { .kind = PH_DISCONNECT, .code = 554, .enhanced = PH_STR_INIT("5.7.0") }, true },
	{ { .kind = PH_REJECT, .text = PH_STR_INIT("two\r\nlines") }, false },
	{ { .kind = PH_REJECT, .text = PH_STR_INIT("gr\xc3\xbc\xc3\x9f") }, false },
	{ { .kind = PH_REWRITE, .value = PH_STR_INIT("gr\xc3\xbc\xc3\x9f@example.org") }, true },
	{ { .kind = PH_REWRITE, .value = PH_STR_INIT("a\rb") }, false },
	{ { .kind = PH_REWRITE, .value = PH_STR_INIT("a\0b") }, false },
	{ { .kind = PH_ROUTE, .fields = good_fields, .field_count = 1 }, true },
	{ { .kind = PH_ROUTE, .fields = bad_fields, .field_count = 1 }, false },
	{ { .kind = PH_DISCARD }, false },
	{ { .kind = (enum ph_verdict_kind)77 }, false },
};

START_TEST(rules)
{
	struct ph_error error = { 0 };
	int code = verdict_check(&point, &checks[_i].verdict, &error);
	ck_assert_msg((code == 0) == checks[_i].good, "case %d: %s", _i, error.detail);
}
END_TEST

START_TEST(names)
{
	for (unsigned kind = 0; kind < PH_VERDICT_KINDS; kind++) {
		enum ph_verdict_kind found;
		ck_assert(verdict_kind(ph_str(ph_verdict_name((enum ph_verdict_kind)kind)), &found));
		ck_assert_uint_eq(found, kind);
	}
	enum ph_verdict_kind unused;
	ck_assert(!verdict_kind(PH_STR("maybe"), &unused));
	ck_assert_str_eq(ph_verdict_name((enum ph_verdict_kind)77), "unknown");
}
END_TEST

START_TEST(field)
{
	struct ph_verdict verdict = { .kind = PH_ROUTE, .fields = good_fields, .field_count = 1 };
	ck_assert_ptr_eq(ph_verdict_field(&verdict, "to"), &good_fields[0]);
	ck_assert_ptr_null(ph_verdict_field(&verdict, "t"));
}
END_TEST

static const struct line_case {
	const char *text, *line;
} lines[] = {
	{ "plain", "plain" },
	{ "  a\r\nb\t ", "a  b" },
	{ "gr\xc3\xbc\xc3\x9f", "gr??" },
	{ "\x7f\x01", "" },
	{ "", "" },
};

START_TEST(line)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_str made = verdict_line(pool, ph_str(lines[_i].text));
	ck_assert_msg(ph_str_eq(made, ph_str(lines[_i].line)), "%.*s", PH_STR_ARGS(made));
	char *longest = ph_alloc(10000);
	memset(longest, 'x', 10000);
	ck_assert_uint_eq(verdict_line(pool, ph_str_of(longest, 10000)).len, 400);
	free(longest);
	ph_pool_free(&pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = tcase_create("verdict");
	tcase_add_loop_test(tcase, rules, 0, sizeof(checks) / sizeof(*checks));
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, field);
	tcase_add_loop_test(tcase, line, 0, sizeof(lines) / sizeof(*lines));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
