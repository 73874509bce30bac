/* Command tables. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include <posthorn/command.h>

struct trace {
	char steps[8];
	size_t count;
	bool check, hook;
};

static bool check_it(void *session, void *call)
{
	struct trace *trace = call;
	ck_assert_ptr_null(session);
	trace->steps[trace->count++] = 'c';
	return trace->check;
}

static bool hook_it(void *session, void *call)
{
	struct trace *trace = call;
	(void)session;
	trace->steps[trace->count++] = 'h';
	return trace->hook;
}

static void proceed_it(void *session, void *call)
{
	struct trace *trace = call;
	(void)session;
	trace->steps[trace->count++] = 'p';
}

static const struct ph_command table[] = {
	{ .name = "FULL", .check = check_it, .hook = hook_it, .proceed = proceed_it },
	{ .name = "BARE", .proceed = proceed_it },
	{ .name = NULL },
};

static const struct find_case {
	const char *name;
	int row; /* -1: none */
} finds[] = { { "FULL", 0 }, { "full", 0 }, { "Bare", 1 }, { "BAR", -1 }, { "BARES", -1 }, { "", -1 } };

START_TEST(find)
{
	const struct ph_command *found = ph_command_find(table, ph_str(finds[_i].name));
	ck_assert_ptr_eq(found, finds[_i].row < 0 ? NULL : &table[finds[_i].row]);
}
END_TEST

static const struct run_case {
	int row;
	bool check, hook;
	const char *steps;
} runs[] = { { 0, true, true, "chp" }, { 0, true, false, "ch" }, { 0, false, true, "c" },
	{ 1, false, false, "p" } };

START_TEST(run)
{
	struct trace trace = { .check = runs[_i].check, .hook = runs[_i].hook };
	ph_command_run(&table[runs[_i].row], NULL, &trace);
	ck_assert_str_eq(trace.steps, runs[_i].steps);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *tcase = tcase_create("command");
	tcase_add_loop_test(tcase, find, 0, sizeof(finds) / sizeof(*finds));
	tcase_add_loop_test(tcase, run, 0, sizeof(runs) / sizeof(*runs));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
