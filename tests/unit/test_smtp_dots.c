/* The module smtp: the end of a text and its dots. Every text is fed whole, cut at every place, and byte by
 * byte. */
#include <config.h>

#include "../../modules/smtp/dots.h"

#include <check.h>
#include <stdlib.h>

/* `text` is what the client sends; `left` how many of its last bytes lie behind the end of the text (-1: it
 * does not end); `repaired` is NULL where it equals `kept`. */
static const struct {
	const char *text;
	int left;
	const char *kept, *repaired;
	bool bare;
} cases[] = {
	{ ".\r\n", 0, "", NULL, false },
	{ "a\r\n.\r\n", 0, "a\r\n", NULL, false },
	{ "a\r\n.\r\nQUIT\r\n", 6, "a\r\n", NULL, false },
	{ "..\r\n.\r\n", 0, ".\r\n", NULL, false },
	{ "...\r\n..a\r\n.b\r\n.\r\n", 0, "..\r\n.a\r\nb\r\n", NULL, false },
	{ "a.\r\n.\r\n", 0, "a.\r\n", NULL, false },
	{ "a\r\n", -1, "a\r\n", NULL, false },
	{ "\r\n\r\n.\r\n", 0, "\r\n\r\n", NULL, false },
	/* smuggling: none of these ends a text */
	{ "a\n.\n", -1, "a\n.\n", "a\r\n.\r\n", true },
	{ "a\n.\r\n", -1, "a\n.\r\n", "a\r\n.\r\n", true },
	{ "a\r\n.\n", -1, "a\r\n\n", "a\r\n\r\n", true },
	{ "a\r.\r", -1, "a\r.", "a .", true },
	{ "a\r\n.\r", -1, "a\r\n", NULL, false },
	{ "a\r\n.\rb\r\n.\r\n", 0, "a\r\n\rb\r\n", "a\r\n b\r\n", true },
	{ "a\r\n.\r\r\n.\r\n", 0, "a\r\n\r\r\n", "a\r\n \r\n", true },
	{ "a\r\r\n.\r\n", 0, "a\r\r\n", "a \r\n", true },
	{ "a\n\n.\r\n\r\n.\r\n", 0, "a\n\n.\r\n\r\n", "a\r\n\r\n.\r\n\r\n", true },
	{ "\n..\r\n.\r\n", 0, "\n..\r\n", "\r\n..\r\n", true },
	{ "\xff\x01 \t\x7f\r\n.\r\n", 0, "\xff\x01 \t\x7f\r\n", NULL, false },
};

struct result {
	struct ph_buf out;
	bool ended, bare;
	size_t left;
};

/* Feeds pieces that end at `cut` and then every `step` bytes; what is plain at their beginning only if told
 * so. */
static void feed(
	struct ph_str text, size_t cut, size_t step, bool repair, bool feed_plain, struct result *result_r)
{
	struct dots dots = { .repair = repair };
	size_t at = 0, end = cut;

	*result_r = (struct result){ 0 };
	ph_buf_init(&result_r->out, 65536);
	while (!result_r->ended && at < text.len) {
		struct ph_str piece = ph_str_slice(text, at, end);
		size_t plain = feed_plain ? 0 : dots_plain(&dots, piece), taken = 0;

		ph_buf_add(&result_r->out, piece.data, plain);
		result_r->ended =
			dots_feed(&dots, ph_str_slice(piece, plain, piece.len), &result_r->out, &taken);
		at += plain + taken;
		end = at + step;
	}
	result_r->bare = dots.bare;
	result_r->left = text.len - at;
}

static void expect_either(
	struct ph_str text, size_t cut, size_t step, bool repair, bool feed_plain, int number)
{
	const char *expected = repair && cases[number].repaired ? cases[number].repaired : cases[number].kept;
	struct result result;

	feed(text, cut, step, repair, feed_plain, &result);
	ck_assert_int_eq(result.ended, cases[number].left >= 0);
	ck_assert_int_eq(result.bare, cases[number].bare);
	ck_assert(ph_str_eq(ph_buf_str(&result.out), ph_str(expected)));
	if (result.ended)
		ck_assert_uint_eq(result.left, (size_t)cases[number].left);
	ph_buf_free(&result.out);
}

static void expect(struct ph_str text, size_t cut, size_t step, bool repair, int number)
{
	expect_either(text, cut, step, repair, true, number);
	expect_either(text, cut, step, repair, false, number);
}

START_TEST(test_plain)
{
	struct dots dots = { .state = DOTS_LINE_START };

	ck_assert_uint_eq(dots_plain(&dots, PH_STR("a\r\n\r\nb")), 5);
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("a\r\n.b\r\n")), 3);
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("a\r\nb\nc\r\n")), 3);
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("a\r\nb\rc\r\n")), 3);
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("\n")), 0);
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("")), 0);
	dots.state = DOTS_TEXT;
	ck_assert_uint_eq(dots_plain(&dots, PH_STR("a\r\n")), 0);
}
END_TEST

START_TEST(test_dots)
{
	struct ph_str text = ph_str(cases[_i].text);

	for (int repair = 0; repair < 2; repair++) {
		for (size_t cut = 0; cut <= text.len; cut++)
			expect(text, cut, text.len, repair, _i);
		expect(text, 1, 1, repair, _i);
	}
}
END_TEST

START_TEST(test_nul_is_text)
{
	struct result result;

	feed(PH_STR("a\0b\r\n\0\r\n.\r\n"), 100, 100, false, true, &result);
	ck_assert(result.ended && !result.bare);
	ck_assert(ph_str_eq(ph_buf_str(&result.out), PH_STR("a\0b\r\n\0\r\n")));
	ph_buf_free(&result.out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("smtp dots");
	TCase *tcase = tcase_create("dots");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, test_dots, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, test_plain);
	tcase_add_test(tcase, test_nul_is_text);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
