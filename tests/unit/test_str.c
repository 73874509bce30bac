/* Text functions, as tables. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include <posthorn/str.h>

static void assert_str(struct ph_str s, const char *expected)
{
	ck_assert_uint_eq(s.len, strlen(expected));
	ck_assert(s.len == 0 || memcmp(s.data, expected, s.len) == 0);
}

static const struct {
	const char *text;
	uint64_t max;
	bool good;
	uint64_t number;
} numbers[] = {
	{ "0", 0, true, 0 },
	{ "1", 0, false, 0 },
	{ "9", 8, false, 0 },
	{ "007", 10, true, 7 },
	{ "4294967295", UINT32_MAX, true, UINT32_MAX },
	{ "4294967296", UINT32_MAX, false, 0 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999", UINT64_MAX, false, 0 },
	{ "", 10, false, 0 },
	{ "-1", 10, false, 0 },
	{ "+1", 10, false, 0 },
	{ " 1", 10, false, 0 },
	{ "1x", 10, false, 0 },
};

START_TEST(numbers_are_digits_within_bounds)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t number = 0;
		bool good = ph_str_number(ph_str(numbers[i].text), numbers[i].max, &number);
		ck_assert_msg(good == numbers[i].good, "\"%s\"", numbers[i].text);
		ck_assert_uint_eq(number, numbers[i].number);
	}
}
END_TEST

START_TEST(comparing)
{
	ck_assert(ph_str_eq(PH_STR("abc"), PH_STR("abc")));
	ck_assert(!ph_str_eq(PH_STR("abc"), PH_STR("abC")));
	ck_assert(ph_str_eq(ph_str(NULL), PH_STR("")));
	ck_assert(ph_str_case_eq(PH_STR("aBc"), PH_STR("AbC")));
	ck_assert(!ph_str_case_eq(PH_STR("abc"), PH_STR("abcd")));
	ck_assert(!ph_str_case_eq(PH_STR("\xc3\xa4"), PH_STR("\xc3\x84")));
	ck_assert_int_lt(ph_str_cmp(PH_STR("a"), PH_STR("ab")), 0);
	ck_assert_int_gt(ph_str_cmp(PH_STR("b"), PH_STR("ab")), 0);
	ck_assert_int_eq(ph_str_cmp(PH_STR(""), ph_str(NULL)), 0);
	ck_assert(ph_str_starts(PH_STR("abc"), PH_STR("ab")));
	ck_assert(!ph_str_starts(PH_STR("a"), PH_STR("ab")));
	ck_assert(ph_str_case_starts(PH_STR("ABC"), PH_STR("ab")));
	ck_assert(ph_str_ends(PH_STR("abc"), PH_STR("bc")));
	ck_assert(!ph_str_ends(PH_STR("c"), PH_STR("bc")));
	ck_assert(ph_str_eq_secret(PH_STR("key"), PH_STR("key")));
	ck_assert(!ph_str_eq_secret(PH_STR("key"), PH_STR("kez")));
	ck_assert(!ph_str_eq_secret(PH_STR("key"), PH_STR("ke")));
	ck_assert_uint_eq(ph_str_case_hash(PH_STR("HeLo")), ph_str_case_hash(PH_STR("helO")));
	ck_assert_uint_ne(ph_str_case_hash(PH_STR("a")), ph_str_case_hash(PH_STR("b")));
}
END_TEST

START_TEST(cutting)
{
	struct ph_str s = PH_STR("a:b:c");
	ck_assert_int_eq(ph_str_find(s, ':'), 1);
	ck_assert_int_eq(ph_str_rfind(s, ':'), 3);
	ck_assert_int_eq(ph_str_find(s, 'x'), -1);
	ck_assert_int_eq(ph_str_rfind(ph_str(NULL), 'x'), -1);
	assert_str(ph_str_slice(s, 2, 3), "b");
	assert_str(ph_str_slice(s, 4, 100), "c");
	assert_str(ph_str_slice(s, 50, 100), "");
	assert_str(ph_str_slice(s, 3, 1), "");
	assert_str(ph_str_trim(PH_STR(" \t a b\r\n")), "a b");
	assert_str(ph_str_trim(PH_STR(" \r\n")), "");
}
END_TEST

static const struct {
	const char *text;
	const char *pieces[5];
} splits[] = {
	{ "a,b", { "a", "b" } },
	{ "a", { "a" } },
	{ "", { "" } },
	{ ",", { "", "" } },
	{ ",a,,b", { "", "a", "", "b" } },
};

START_TEST(splitting)
{
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		struct ph_str rest = ph_str(splits[i].text), piece;
		size_t count = 0;
		for (; ph_str_split(&rest, ',', &piece); count++)
			assert_str(piece, splits[i].pieces[count]);
		ck_assert_ptr_null(splits[i].pieces[count]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("str");
	TCase *tests = tcase_create("str");
	tcase_add_test(tests, numbers_are_digits_within_bounds);
	tcase_add_test(tests, comparing);
	tcase_add_test(tests, cutting);
	tcase_add_test(tests, splitting);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
