/* Fibers: parking and waking, stale wakes, deadlines, signals, locks, many at once, deep stacks. */
#include <config.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>

/* A text that functions with a void * argument take. */
#define TEXT(literal) ((char[]){ literal })

static int running_tests;
static char trace[64];

static void note(char c)
{
	size_t len = strlen(trace);
	ck_assert_uint_lt(len, sizeof(trace) - 1);
	trace[len] = c;
	trace[len + 1] = '\0';
}

/* A fiber of a test: the loop ends with the last of them. */
static void done(void)
{
	if (--running_tests == 0)
		ph_loop_break();
}

static void start(void (*run)(void *arg), void *arg)
{
	running_tests++;
	ph_fiber_start("test", run, arg);
}

static void setup(void)
{
	trace[0] = '\0';
	running_tests = 0;
	ph_loop_init();
}

static void teardown(void)
{
	ck_assert_uint_eq(ph_fiber_count(), 0);
	ph_loop_free();
}

static struct ph_wait shared_wait;
static int shared_result;

static void waits_for_wake(void *arg)
{
	shared_wait = ph_wait_begin();
	note('a');
	shared_result = ph_wait_park(shared_wait, arg ? *(ph_msec *)arg + ph_now() : PH_FOREVER);
	note('c');
	done();
}

static void wakes(void *arg)
{
	note('b');
	ck_assert(ph_wake(shared_wait, *(int *)arg));
	ck_assert(!ph_wake(shared_wait, 1));
	note('B');
	done();
}

START_TEST(wake_gives_its_result_and_never_switches)
{
	int result = 42;
	start(waits_for_wake, NULL);
	start(wakes, &result);
	ph_loop_run();
	ck_assert_int_eq(shared_result, 42);
	ck_assert_str_eq(trace, "abBc");
}
END_TEST

static void wakes_itself_early(void *arg)
{
	(void)arg;
	struct ph_wait wait = ph_wait_begin();
	ck_assert(ph_wake(wait, 7));
	ck_assert(!ph_wake(wait, 8));
	ck_assert_int_eq(ph_wait_park(wait, PH_FOREVER), 7);
	ck_assert(!ph_wake(wait, 9));
	done();
}

START_TEST(early_wake_is_not_lost)
{
	start(wakes_itself_early, NULL);
	ph_loop_run();
}
END_TEST

static void makes_waits_stale(void *arg)
{
	(void)arg;
	struct ph_wait old = ph_wait_begin();
	struct ph_wait new = ph_wait_begin();
	ck_assert(!ph_wake(old, 1));
	ck_assert(ph_wake(new, 2));
	ck_assert_int_eq(ph_wait_park(new, PH_FOREVER), 2);
	ph_fiber_sleep(1);
	ck_assert(!ph_wake(new, 3));
	struct ph_wait timed_out = ph_wait_begin();
	ck_assert_int_eq(ph_wait_park(timed_out, ph_now() + 1), PH_E_TIMEOUT);
	ck_assert(!ph_wake(timed_out, 4));
	ck_assert_int_eq(ph_wait_park(ph_wait_begin(), ph_now() - 5), PH_E_TIMEOUT);
	ck_assert(!ph_wake((struct ph_wait){ 0 }, 5));
	shared_wait = ph_wait_begin();
	done();
}

START_TEST(stale_wakes_are_refused)
{
	start(makes_waits_stale, NULL);
	ph_loop_run();
	ck_assert(!ph_wake(shared_wait, 1));
}
END_TEST

START_TEST(deadline_ends_a_wait)
{
	ph_msec patience = 20;
	ph_msec before = ph_now();
	start(waits_for_wake, &patience);
	ph_loop_run();
	ck_assert_int_eq(shared_result, PH_E_TIMEOUT);
	ck_assert_int_ge(ph_now() - before, 15);
}
END_TEST

static void sleeps(void *arg)
{
	int *tenths = arg;
	ph_fiber_sleep(*tenths * 10);
	note((char)('0' + *tenths));
	done();
}

START_TEST(sleepers_wake_in_order)
{
	int times[] = { 3, 1, 2 };
	for (int i = 0; i < 3; i++)
		start(sleeps, &times[i]);
	ph_loop_run();
	ck_assert_str_eq(trace, "123");
}
END_TEST

static void yields(void *arg)
{
	for (int i = 0; i < 3; i++) {
		note(*(char *)arg);
		ph_fiber_yield();
	}
	done();
}

START_TEST(yield_takes_turns)
{
	start(yields, TEXT("x"));
	start(yields, TEXT("y"));
	ph_loop_run();
	ck_assert_str_eq(trace, "xyxyxy");
}
END_TEST

static struct ph_signal bell;

static void waits_for_bell(void *arg)
{
	ph_msec deadline = arg ? ph_now() + 10 : PH_FOREVER;
	note(ph_signal_wait(&bell, deadline) == 0 ? 's' : 't');
	done();
}

static void rings(void *arg)
{
	(void)arg;
	ph_signal_one(&bell);
	ph_fiber_yield();
	note('1');
	ph_fiber_sleep(20);
	ph_signal_all(&bell);
	ph_signal_all(&bell);
	done();
}

START_TEST(signals_wake_one_or_all)
{
	ph_signal_init(&bell);
	start(waits_for_bell, NULL);
	start(waits_for_bell, TEXT("impatient"));
	start(waits_for_bell, NULL);
	start(waits_for_bell, NULL);
	start(rings, NULL);
	ph_loop_run();
	ck_assert_str_eq(trace, "s1tss");
	ck_assert(ph_list_empty(&bell.waiting));
}
END_TEST

static struct ph_lock lock;

static void works_alone(void *arg)
{
	ck_assert_int_eq(ph_lock_take(&lock, PH_FOREVER), 0);
	note(*(char *)arg);
	ph_fiber_sleep(5);
	note(*(char *)arg);
	ph_lock_release(&lock);
	done();
}

static void gives_up(void *arg)
{
	(void)arg;
	ck_assert_int_eq(ph_lock_take(&lock, ph_now() + 1), PH_E_TIMEOUT);
	done();
}

START_TEST(lock_keeps_others_out)
{
	ph_lock_init(&lock);
	start(works_alone, TEXT("p"));
	start(gives_up, NULL);
	start(works_alone, TEXT("q"));
	start(works_alone, TEXT("r"));
	ph_loop_run();
	ck_assert_str_eq(trace, "ppqqrr");
	ck_assert_ptr_null(lock.owner);
}
END_TEST

static int recurse(int depth)
{
	volatile char frame[1024];
	frame[0] = frame[1023] = (char)depth;
	if (depth % 50 == 0)
		ph_fiber_yield();
	int below = depth > 0 ? recurse(depth - 1) : 0;
	ck_assert_int_eq(frame[0], (char)depth);
	return below + 1;
}

static void goes_deep(void *arg)
{
	(void)arg;
	ck_assert_int_eq(recurse(200), 201);
	done();
}

START_TEST(deep_stacks_survive_parking)
{
	for (int i = 0; i < 20; i++)
		start(goes_deep, NULL);
	ph_loop_run();
}
END_TEST

static unsigned finished;

static void parks_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++)
		ph_fiber_sleep(1 + i);
	finished++;
	done();
}

/* More than there may be stacks, so that some begin when others end. */
START_TEST(thousands_at_once)
{
#ifdef PH_SANITIZE
	enum { MANY = 2000 };
#else
	enum { MANY = 30000 };
#endif
	finished = 0;
	for (int i = 0; i < MANY; i++)
		start(parks_often, NULL);
	ck_assert_uint_eq(ph_fiber_count(), MANY);
	ph_loop_run();
	ck_assert_uint_eq(finished, MANY);
}
END_TEST

static void uses_slots(void *arg)
{
	ck_assert_ptr_null(ph_fiber_slot_get(PH_FIBER_LOG));
	ck_assert_ptr_null(ph_fiber_slot_get(PH_FIBER_LUA));
	ph_fiber_slot_set(PH_FIBER_LUA, arg);
	ph_fiber_yield();
	ck_assert_ptr_eq(ph_fiber_slot_get(PH_FIBER_LUA), arg);
	done();
}

START_TEST(slots_belong_to_the_fiber)
{
	ck_assert_ptr_null(ph_fiber_self());
	for (int round = 0; round < 2; round++) {
		start(uses_slots, TEXT("one"));
		start(uses_slots, TEXT("two"));
		ph_loop_run();
	}
}
END_TEST

static void parks_forever(void *arg)
{
	(void)arg;
	ph_wait_park(ph_wait_begin(), PH_FOREVER);
}

/* The loop frees the stacks of fibers that never end; what lies on them is lost with the process. */
START_TEST(loop_ends_with_parked_fibers)
{
	ph_fiber_start("parked", parks_forever, NULL);
	start(yields, TEXT("z"));
	ph_loop_run();
	ck_assert_uint_eq(ph_fiber_count(), 1);
	ph_loop_free();
	ph_loop_init();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fiber");
	TCase *tests = tcase_create("fiber");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, wake_gives_its_result_and_never_switches);
	tcase_add_test(tests, early_wake_is_not_lost);
	tcase_add_test(tests, stale_wakes_are_refused);
	tcase_add_test(tests, deadline_ends_a_wait);
	tcase_add_test(tests, sleepers_wake_in_order);
	tcase_add_test(tests, yield_takes_turns);
	tcase_add_test(tests, signals_wake_one_or_all);
	tcase_add_test(tests, lock_keeps_others_out);
	tcase_add_test(tests, deep_stacks_survive_parking);
	tcase_add_test(tests, thousands_at_once);
	tcase_add_test(tests, slots_belong_to_the_fiber);
	tcase_add_test(tests, loop_ends_with_parked_fibers);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
