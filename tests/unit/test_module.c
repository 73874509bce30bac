/* The loader: what it takes, what it refuses and with which words, and the order of things. */
#include <config.h>

#include <check.h>
#include <string.h>

#include <posthorn/loop.h>
#include <posthorn/service.h>

#include "conf_private.h"
#include "hook_private.h"

static const struct ph_text_list folders = { (const char *const[]){ TEST_MODULES }, 1 };

static const struct {
	const char *name;
	int code;
	const char *says;
} loads[] = {
	{ "fine", 0, "" },
	{ "absent", PH_E_ABSENT, "there is no module 'absent' in " },
	{ "../modules/fine", PH_E_ABSENT, "there is no module" },
	{ "", PH_E_ABSENT, "there is no module" },
	{ "foreign", PH_E_UNSUPPORTED, "is no module descriptor" },
	{ "foreign_name", PH_E_UNSUPPORTED, "calls itself 'another'" },
	{ "foreign_number", PH_E_UNSUPPORTED, "made for module interface 99, this Posthorn has 1" },
	{ "foreign_size", PH_E_UNSUPPORTED, "its descriptor has 8 bytes" },
	{ "foreign_signature", PH_E_UNSUPPORTED, "built with other options" },
};

START_TEST(loading)
{
	struct module module = { 0 };
	struct ph_error error = { 0 };

	ck_assert_int_eq(module_load(loads[_i].name, &folders, &module, &error), loads[_i].code);
	ck_assert_msg(strstr(error.detail, loads[_i].says) != NULL, "%s", error.detail);
	ck_assert_int_eq(module.descriptor != NULL, loads[_i].code == 0);
	module_unload(&module);
}
END_TEST

enum { SET_MAX = 3 };

static const struct {
	const char *names[SET_MAX];
	const char *order; /* or the refusal */
} sets[] = {
	{ { "fine" }, "fine " },
	{ { "needy", "fine" }, "fine needy " },
	{ { "fine", "needy" }, "fine needy " },
	{ { "needy" }, "module 'needy' needs fine/1, which no module in use provides" },
	{ { "fine", "twin" }, "modules 'fine' and 'twin' both provide fine/1: use only one of them" },
	{ { "circle_too", "fine", "circle" }, "module 'circle_too' needs, through others, itself" },
};

static void load_set(struct module_set *set, const char *const *names)
{
	for (size_t i = 0; i < SET_MAX && names[i]; i++)
		ck_assert_int_eq(module_load(names[i], &folders, &set->items[set->count++], NULL), 0);
}

static void unload_set(struct module_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		module_unload(&set->items[i]);
}

START_TEST(sorting)
{
	struct module items[SET_MAX] = { 0 };
	struct module_set set = { .items = items };
	struct ph_error error = { 0 };
	char order[256] = "";

	load_set(&set, sets[_i].names);
	if (module_sort(&set, &error) == 0) {
		for (size_t i = 0; i < set.count; i++) {
			strncat(order, items[i].descriptor->name, 60);
			strncat(order, " ", 2);
		}
	}
	ck_assert_str_eq(order[0] ? order : error.detail, sets[_i].order);
	unload_set(&set);
}
END_TEST

/* Twice, since a module must leave nothing behind. */
START_TEST(life)
{
	const char *const names[SET_MAX] = { "needy", "fine" };
	struct ph_error error = { 0 };
	size_t points = hook_count();

	ph_loop_init();
	for (int round = 0; round < 2; round++) {
		struct module items[SET_MAX] = { 0 };
		struct module_set set = { .items = items };
		bool keep[SET_MAX] = { false };

		load_set(&set, names);
		ck_assert_int_eq(module_sort(&set, &error), 0);
		ck_assert_ptr_nonnull(module_protocol(&set, "fine"));
		ck_assert_ptr_null(module_protocol(&set, "needy"));
		module_mark_needed(&set, 0, keep);
		ck_assert(keep[0] && !keep[1]);
		module_mark_needed(&set, 1, keep);
		ck_assert(keep[0] && keep[1]);
		ck_assert_int_eq(module_init_all(&set, keep, &error), 0);
		ck_assert_int_eq(*(const int *)ph_service("fine/1"), 42);
		ck_assert_ptr_null(ph_service("fine/2"));
		ck_assert_int_eq(module_start_all(&set, &error), 0);
		module_stop_all(&set);
		ck_assert_ptr_null(ph_service("fine/1"));
		ck_assert_uint_eq(hook_count(), points);
		unload_set(&set);
	}
	ph_loop_free();
}
END_TEST

START_TEST(listing)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_text_list names = module_list(&folders, pool);

	ck_assert_uint_eq(names.count, 11);
	ck_assert_str_eq(names.items[0], "accounts");
	ck_assert_str_eq(names.items[10], "twin");
	ck_assert(module_exists("fine", &folders));
	ck_assert(!module_exists("fin", &folders));
	ph_pool_free(&pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("module");
	TCase *cases = tcase_create("module");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, loading, 0, sizeof(loads) / sizeof(loads[0]));
	tcase_add_loop_test(cases, sorting, 0, sizeof(sets) / sizeof(sets[0]));
	tcase_add_test(cases, life);
	tcase_add_test(cases, listing);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
