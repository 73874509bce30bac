/* Hook points and handlers in C: order, owners, failures, and removal while a handler waits. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/fiber.h>
#include <posthorn/hook.h>

#include "../../core/hook_private.h"
#include "fiber_main.h"

#define ON_FAILURE                                                              \
	{                                                                       \
		.kind = PH_DEFER, .code = 451, .enhanced = PH_STR_INIT("4.3.0") \
	}

static struct ph_hook_point decide = {
	.name = "test.decide",
	.decides = true,
	.help = "Asked.",
	.arguments =
		(const struct ph_hook_argument[]){ { "word", PH_STRING, NULL, "a word" }, { .name = NULL } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) | PH_ALLOWS(PH_ROUTE),
	.on_failure = ON_FAILURE,
	.route_fields = "to: where to",
	.example = "posthorn.on(...)",
};
static struct ph_hook_point told = { .name = "test.told", .help = "Told." };

static char trace[64];
static struct ph_pool *pool;

struct step {
	const char *letter;
	enum ph_verdict_kind kind;
	int code;
	bool sleeps;
};

static int take_step(void *arg, struct ph_conn *session, const struct ph_value *arguments,
	struct ph_pool *text_pool, struct ph_verdict *verdict_r)
{
	const struct step *step = arg;
	(void)session;
	(void)arguments;
	(void)text_pool;
	ck_assert_int_eq(verdict_r->kind, PH_PASS);
	strncat(trace, step->letter, sizeof(trace) - strlen(trace) - 1);
	if (step->sleeps)
		ph_fiber_sleep(10);
	verdict_r->kind = step->kind;
	return step->code;
}

static void subscribe(struct ph_hook_point *point, const char *owner, int order, const struct step *step)
{
	hook_set_owner(owner);
	ck_assert_int_eq(ph_hook_subscribe(point->name, order, take_step, (void *)(uintptr_t)step), 0);
	hook_set_owner(NULL);
}

static struct ph_verdict ask(struct ph_hook_point *point)
{
	const struct ph_value word = PH_VALUE_STR(PH_STR("hello"));
	struct ph_verdict verdict;
	trace[0] = '\0';
	ph_hook_run(point, NULL, &word, pool, &verdict);
	return verdict;
}

static void setup(void)
{
	static struct ph_hook_point *const points[] = { &decide, &told, NULL };
	struct ph_error error;
	ck_assert_int_eq(hook_add_points(points, "test", &error), 0);
	pool = ph_pool_new(0);
}

static void teardown(void)
{
	hook_remove_owner("test");
	ck_assert(!ph_hook_wanted(&decide));
	ck_assert_ptr_null(hook_find("test.decide"));
	ph_pool_free(&pool);
}

static const struct step pass_a = { .letter = "a" }, pass_b = { .letter = "b" }, pass_c = { .letter = "c" },
			 slow = { .letter = "s", .sleeps = true },
			 accept_d = { .letter = "d", .kind = PH_ACCEPT },
			 nonsense = { .letter = "n", .kind = PH_DISCARD },
			 failing = { .letter = "f", .kind = PH_ACCEPT, .code = PH_E_IO };

START_TEST(nobody)
{
	ck_assert(!ph_hook_wanted(&decide));
	ck_assert_int_eq(ask(&decide).kind, PH_PASS);
	hook_set_owner("one");
	ck_assert_int_eq(ph_hook_subscribe("test.absent", 0, take_step, NULL), PH_E_ABSENT);
	hook_set_owner(NULL);
}
END_TEST

START_TEST(order)
{
	subscribe(&decide, "one", 5, &pass_c);
	subscribe(&decide, "one", 9, &accept_d);
	subscribe(&decide, "one", 10, &pass_a);
	subscribe(&decide, "two", -5, &pass_a);
	subscribe(&decide, "two", -5, &pass_b);
	ck_assert(ph_hook_wanted(&decide));
	ck_assert_int_eq(ask(&decide).kind, PH_ACCEPT);
	ck_assert_str_eq(trace, "abcd");
	hook_remove_owner("two");
	ck_assert_int_eq(ask(&decide).kind, PH_ACCEPT);
	ck_assert_str_eq(trace, "cd");
}
END_TEST

START_TEST(failures)
{
	subscribe(&decide, "one", 0, &nonsense);
	subscribe(&decide, "one", 1, &accept_d);
	ck_assert_int_eq(ask(&decide).code, 451);
	ck_assert_str_eq(trace, "n");
	hook_remove_owner("one");
	subscribe(&decide, "one", 0, &failing);
	ck_assert_int_eq(ask(&decide).kind, PH_DEFER);
}
END_TEST

START_TEST(all_are_told)
{
	subscribe(&told, "one", 0, &accept_d);
	subscribe(&told, "one", 1, &failing);
	subscribe(&told, "one", 2, &pass_c);
	ck_assert_int_eq(ask(&told).kind, PH_PASS);
	ck_assert_str_eq(trace, "dfc");
}
END_TEST

static void remove_two(void *unused)
{
	(void)unused;
	hook_remove_owner("two");
}

/* The one that waits, and the one behind it, are taken away meanwhile. */
START_TEST(removed_meanwhile)
{
	subscribe(&decide, "two", 0, &slow);
	subscribe(&decide, "two", 1, &pass_a);
	subscribe(&decide, "one", 2, &accept_d);
	ph_fiber_start("remove", remove_two, NULL);
	ck_assert_int_eq(ask(&decide).kind, PH_ACCEPT);
	ck_assert_str_eq(trace, "sd");
	ck_assert_int_eq(ask(&decide).kind, PH_ACCEPT);
	ck_assert_str_eq(trace, "d");
}
END_TEST

static struct ph_hook_point no_dot = { .name = "test", .help = "x" }, no_help = { .name = "test.x" },
			    no_verdicts = { .name = "test.x", .help = "x", .decides = true },
			    verdicts_of_observer = { .name = "test.x",
				    .help = "x",
				    .verdicts = PH_ALLOWS(PH_ACCEPT) },
			    wrong_failure = { .name = "test.x",
				    .help = "x",
				    .decides = true,
				    .verdicts = PH_ALLOWS(PH_ACCEPT),
				    .on_failure = ON_FAILURE },
			    no_route_fields = { .name = "test.x",
				    .help = "x",
				    .decides = true,
				    .verdicts = PH_ALLOWS(PH_ROUTE) };
static struct ph_hook_point *const bad_points[] = { &no_dot, &no_help, &no_verdicts, &verdicts_of_observer,
	&wrong_failure, &no_route_fields, &decide };

START_TEST(bad_point)
{
	static struct ph_hook_point fine = { .name = "test.fine", .help = "x" };
	struct ph_hook_point *const points[] = { &fine, bad_points[_i], NULL };
	struct ph_error error = { 0 };
	ck_assert_int_lt(hook_add_points(points, "other", &error), 0);
	ck_assert_str_ne(error.detail, "");
	ck_assert_ptr_null(hook_find("test.fine"));
}
END_TEST

START_TEST(nearest)
{
	ck_assert_str_eq(hook_nearest("test.decied"), "test.decide");
	ck_assert_ptr_null(hook_nearest("something.else"));
}
END_TEST

static const char *const in_reference[] = { "test.decide", "session", "word", "a word", "pass", "accept",
	"reject", "to: where to", "defer 451 4.3.0", "posthorn.on(...)", "test.told", "only told" };

START_TEST(reference)
{
	for (int markdown = 0; markdown < 2; markdown++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		hook_print_all(out, markdown);
		fclose(out);
		for (size_t i = 0; i < sizeof(in_reference) / sizeof(*in_reference); i++)
			ck_assert_msg(
				strstr(text, in_reference[i]) != NULL, "%s in: %s", in_reference[i], text);
		free(text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hook");
	TCase *tcase = tcase_create("hook");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nobody);
	tcase_add_test(tcase, order);
	tcase_add_test(tcase, failures);
	tcase_add_test(tcase, all_are_told);
	tcase_add_test(tcase, removed_meanwhile);
	tcase_add_loop_test(tcase, bad_point, 0, sizeof(bad_points) / sizeof(*bad_points));
	tcase_add_test(tcase, nearest);
	tcase_add_test(tcase, reference);
	suite_add_tcase(suite, tcase);
	return fiber_main(suite);
}
