/* Buffers: growth, the ceiling, consuming; and error texts. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include <posthorn/buf.h>
#include <posthorn/error.h>

START_TEST(adding_and_consuming)
{
	struct ph_buf buf;
	ph_buf_init(&buf, 100000);
	ck_assert_ptr_null(buf.data);
	for (int i = 0; i < 1000; i++)
		ck_assert(ph_buf_printf(&buf, "%04d,", i));
	ck_assert_uint_eq(buf.len, 5000);
	ph_buf_consume(&buf, 4990);
	ck_assert(ph_str_eq(ph_buf_str(&buf), PH_STR("0998,0999,")));
	ph_buf_consume(&buf, 10);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert(ph_buf_add_text(&buf, "a") && ph_buf_add_char(&buf, 'b') &&
		  ph_buf_add_str(&buf, PH_STR("c")));
	char *room = ph_buf_reserve(&buf, 2);
	memcpy(room, "de", 2);
	ph_buf_added(&buf, 2);
	ck_assert(ph_str_eq(ph_buf_str(&buf), PH_STR("abcde")));
	ck_assert(ph_buf_printf(&buf, "%500s", "x"));
	ck_assert_uint_eq(buf.len, 505);
	ph_buf_free(&buf);
	ck_assert(ph_buf_add_text(&buf, "again"));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(ceiling_adds_nothing_and_is_remembered)
{
	struct ph_buf buf;
	ph_buf_init(&buf, 10);
	ck_assert(ph_buf_add_text(&buf, "1234567"));
	ck_assert(!ph_buf_add_text(&buf, "8901"));
	ck_assert(buf.failed);
	ck_assert(!ph_buf_add_text(&buf, "8"));
	ck_assert_uint_eq(buf.len, 7);
	ph_buf_reset(&buf);
	ck_assert(ph_buf_add_text(&buf, "1234567890"));
	ck_assert_uint_le(buf.capacity, 10);
	ck_assert_ptr_null(ph_buf_reserve(&buf, SIZE_MAX));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(error_texts)
{
	struct ph_error error;
	ck_assert_int_eq(ph_error_set(&error, PH_E_QUOTA, "full", "limit %d", 5), PH_E_QUOTA);
	ck_assert_str_eq(error.client, "full");
	ck_assert_str_eq(error.detail, "limit 5");
	ph_error_set(&error, PH_E_IO, "oops", NULL);
	ck_assert_str_eq(error.detail, "oops");
	ck_assert_int_eq(ph_error_set(NULL, PH_E_IO, "oops", NULL), PH_E_IO);
	ck_assert_str_eq(ph_code_name(PH_OK), "ok");
	ck_assert_str_eq(ph_code_name(PH_E_STALE), "stale");
	ck_assert_str_eq(ph_code_name(PH_E_TIMEOUT), "timeout");
	ck_assert_str_eq(ph_code_name(-99), "unknown");
	ck_assert_str_eq(ph_code_name(1), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");
	tcase_add_test(tests, adding_and_consuming);
	tcase_add_test(tests, ceiling_adds_nothing_and_is_remembered);
	tcase_add_test(tests, error_texts);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
