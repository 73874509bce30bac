/* Pools: zeroed, aligned, bounded, reusable. */
#include <config.h>

#include <check.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

static bool is_zero(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}

static const char long_text[1000];

static const size_t sizes[] = { 0, 1, 7, 16, 100, 900, 1024, 3000, 70000, 5, 200000, 64, 2048 };

START_TEST(pool_memory_is_zeroed_aligned_and_distinct)
{
	struct ph_pool *pool = ph_pool_new(0);
	for (int round = 0; round < 3; round++) {
		char *got[sizeof(sizes) / sizeof(sizes[0])];
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			got[i] = ph_pool_alloc(pool, sizes[i]);
			ck_assert_uint_eq((uintptr_t)got[i] % alignof(max_align_t), 0);
			ck_assert(is_zero(got[i], sizes[i]));
			memset(got[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (size_t j = 0; j < sizes[i]; j++)
				ck_assert_int_eq(got[i][j], (char)(i + 1));
		ck_assert_uint_ge(ph_pool_used(pool), 277000);
		ph_pool_clear(pool);
		ck_assert_uint_eq(ph_pool_used(pool), 0);
	}
	ph_pool_free(&pool);
	ck_assert_ptr_null(pool);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(pool_keeps_to_its_ceiling)
{
	struct ph_pool *pool = ph_pool_new(1000);
	ck_assert_ptr_nonnull(ph_pool_alloc(pool, 900));
	ck_assert_ptr_null(ph_pool_alloc(pool, 200));
	ck_assert_ptr_nonnull(ph_pool_alloc(pool, 50));
	ck_assert_ptr_null(ph_pool_alloc(pool, SIZE_MAX));
	ck_assert_ptr_null(ph_pool_array(pool, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(ph_pool_str(pool, (struct ph_str){ long_text, sizeof(long_text) }).data);
	ck_assert_ptr_null(ph_pool_printf(pool, "%2000d", 1).data);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(pool_texts_end_in_nul)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_str copy = ph_pool_str(pool, ph_str_of("abcdef", 3));
	ck_assert_uint_eq(copy.len, 3);
	ck_assert_str_eq(copy.data, "abc");
	ck_assert_str_eq(ph_pool_str(pool, ph_str(NULL)).data, "");
	struct ph_str text = ph_pool_printf(pool, "%d-%s", 5, "x");
	ck_assert_str_eq(text.data, "5-x");
	ck_assert_uint_eq(text.len, 3);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(copies_and_wiping)
{
	char *copy = ph_str_dup(PH_STR("secret"));
	ck_assert_str_eq(copy, "secret");
	ph_wipe(copy, 6);
	ck_assert(is_zero(copy, 7));
	free(copy);
	copy = ph_strdup("text");
	copy = ph_realloc_array(copy, 100, 3);
	ck_assert_str_eq(copy, "text");
	free(copy);
	ph_wipe(NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mem");
	TCase *tests = tcase_create("mem");
	tcase_add_test(tests, pool_memory_is_zeroed_aligned_and_distinct);
	tcase_add_test(tests, pool_keeps_to_its_ceiling);
	tcase_add_test(tests, pool_texts_end_in_nul);
	tcase_add_test(tests, copies_and_wiping);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
