/* The map, compared with a plain array through thousands of random steps. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/map.h>

enum { KEYS = 300, STEPS = 20000 };

START_TEST(behaves_like_an_array)
{
	struct ph_map *map = ph_map_new();
	void *expected[KEYS] = { NULL };
	static int values[KEYS];
	size_t count = 0;
	srandom(1);
	for (int step = 0; step < STEPS; step++) {
		int i = (int)(random() % KEYS);
		char name[32];
		snprintf(name, sizeof(name), "key-%d%s", i, i % 3 ? "" : "-rather-long");
		struct ph_str key = ph_str(name);
		ck_assert_ptr_eq(ph_map_get(map, key), expected[i]);
		void *value = random() % 2 ? &values[random() % KEYS] : NULL;
		void *former = value ? ph_map_put(map, key, value) : ph_map_remove(map, key);
		ck_assert_ptr_eq(former, expected[i]);
		if (!expected[i] && value)
			count++;
		if (expected[i] && !value)
			count--;
		expected[i] = value;
		ck_assert_uint_eq(ph_map_count(map), count);
	}
	size_t cursor = 0, seen = 0;
	struct ph_str key;
	for (void *value; ph_map_next(map, &cursor, &key, &value); seen++)
		ck_assert_ptr_eq(ph_map_get(map, key), value);
	ck_assert_uint_eq(seen, count);
	ph_map_free(&map);
	ck_assert_ptr_null(map);
}
END_TEST

START_TEST(keys_are_bytes)
{
	struct ph_map *map = ph_map_new();
	int a, b, c;
	ph_map_put(map, ph_str_of("x\0y", 3), &a);
	ph_map_put(map, ph_str_of("x\0z", 3), &b);
	ph_map_put(map, ph_str(NULL), &c);
	ck_assert_ptr_eq(ph_map_get(map, ph_str_of("x\0y", 3)), &a);
	ck_assert_ptr_eq(ph_map_get(map, ph_str_of("x\0z", 3)), &b);
	ck_assert_ptr_eq(ph_map_get(map, PH_STR("")), &c);
	ck_assert_ptr_null(ph_map_get(map, PH_STR("X")));
	ph_map_free(&map);
	ph_map_free(&map);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("map");
	TCase *tests = tcase_create("map");
	tcase_add_test(tests, behaves_like_an_array);
	tcase_add_test(tests, keys_are_bytes);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
