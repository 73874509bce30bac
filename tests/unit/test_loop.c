/* Timers, descriptors, children, Unix signals, posts, and work on other threads. */
#include <config.h>

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <posthorn/loop.h>
#include <posthorn/offload.h>

/* A text that functions with a void * argument take. */
#define TEXT(literal) ((char[]){ literal })

static char trace[64];

static void note(void *arg)
{
	strncat(trace, arg, sizeof(trace) - strlen(trace) - 1);
}

static void stop(void *arg)
{
	(void)arg;
	ph_loop_break();
}

static void setup(void)
{
	trace[0] = '\0';
	ph_loop_init();
}

static struct ph_timer again, last;
static int rounds;

static void restart(void *arg)
{
	ck_assert(!ph_timer_active(&again));
	if (++rounds < 3)
		ph_timer_start(&again, 1, restart, arg);
	else
		ph_timer_start(&last, 30, stop, NULL);
}

START_TEST(timers)
{
	struct ph_timer first = { 0 }, second = { 0 }, never = { 0 };
	rounds = 0;
	ph_timer_stop(&first);
	ck_assert(!ph_timer_active(&first));
	ph_timer_start(&second, 10, note, TEXT("b"));
	ph_timer_start(&first, 500, note, TEXT("a"));
	ph_timer_start(&first, 2, note, TEXT("a"));
	ph_timer_start(&never, 5, note, TEXT("x"));
	ck_assert(ph_timer_active(&never));
	ph_timer_stop(&never);
	ph_timer_start(&again, 0, restart, NULL);
	ph_msec before = ph_now();
	ph_loop_run();
	ck_assert_str_eq(trace, "ab");
	ck_assert_int_eq(rounds, 3);
	ck_assert_int_ge(ph_now() - before, 28);
}
END_TEST

static void read_one(void *arg, int events)
{
	char c;
	int *pipe_end = arg;
	ck_assert_int_eq(events, PH_READABLE);
	ck_assert_int_eq(read(*pipe_end, &c, 1), 1);
	char text[] = { c, '\0' };
	note(text);
	if (c == 'z')
		ph_loop_break();
}

START_TEST(descriptors)
{
	int ends[2];
	struct ph_io io = { 0 };
	ck_assert_int_eq(pipe(ends), 0);
	ph_io_stop(&io);
	ph_io_start(&io, ends[0], PH_READABLE, read_one, &ends[0]);
	ck_assert_int_eq(write(ends[1], "xyz", 3), 3);
	ph_loop_run();
	ck_assert_str_eq(trace, "xyz");
	ph_io_stop(&io);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void waits_for_pipe(void *arg)
{
	int *ends = arg;
	ck_assert_int_eq(ph_io_wait(ends[0], PH_READABLE, ph_now() + 5), PH_E_TIMEOUT);
	ck_assert_int_eq(ph_io_wait(ends[1], PH_WRITABLE, PH_FOREVER), PH_WRITABLE);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(ph_io_wait(ends[0], PH_READABLE, PH_FOREVER), PH_READABLE);
	ph_loop_break();
}

START_TEST(fibers_wait_for_descriptors)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	ph_fiber_start("pipe", waits_for_pipe, ends);
	ph_loop_run();
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static int child_status;

static void child_ended(void *arg, int status)
{
	(void)arg;
	child_status = status;
	ph_loop_break();
}

START_TEST(children)
{
	struct ph_child child = { 0 };
	int pid = fork();
	if (pid == 0)
		_exit(7);
	ph_child_start(&child, pid, child_ended, NULL);
	ph_loop_run();
	ck_assert(WIFEXITED(child_status));
	ck_assert_int_eq(WEXITSTATUS(child_status), 7);
	ph_child_stop(&child);
}
END_TEST

START_TEST(unix_signals)
{
	struct ph_on_signal handle = { 0 };
	ph_on_signal_stop(&handle);
	ph_on_signal_start(&handle, SIGUSR1, stop, NULL);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ph_loop_run();
	ph_on_signal_stop(&handle);
}
END_TEST

static void child_loop(void)
{
	struct ph_timer timer = { 0 };
	struct ph_on_signal handle = { 0 };
	ph_loop_init();
	ph_on_signal_start(&handle, SIGUSR1, stop, NULL);
	ph_timer_start(&timer, 1000, note, TEXT("never"));
	raise(SIGUSR1);
	ph_loop_run();
	ph_loop_free();
	_exit(trace[0] ? 1 : 0);
}

START_TEST(child_of_fork_has_a_loop_of_its_own)
{
	struct ph_child child = { 0 };
	struct ph_on_signal handle = { 0 };
	struct ph_timer timer = { 0 };
	ph_on_signal_start(&handle, SIGUSR1, note, TEXT("parent"));
	ph_timer_start(&timer, 5, note, TEXT("t"));
	int pid = fork();
	if (pid == 0)
		child_loop();
	ph_child_start(&child, pid, child_ended, NULL);
	ph_loop_run();
	ck_assert_int_eq(child_status, 0);
	ph_timer_stop(&timer);
	ph_on_signal_stop(&handle);
}
END_TEST

static void post_once_more(void *arg)
{
	static char third[] = "3";
	note(arg);
	ph_loop_post(note, third);
	ph_loop_post(stop, NULL);
}

START_TEST(posts_run_in_order)
{
	ph_loop_post(note, TEXT("1"));
	ph_loop_post(post_once_more, TEXT("2"));
	ph_loop_run();
	ck_assert_str_eq(trace, "123");
}
END_TEST

static int counted;

static void count(void *arg)
{
	(void)arg;
	if (++counted == 4000)
		ph_loop_break();
}

static void *posts_many(void *arg)
{
	for (int i = 0; i < 1000; i++)
		ph_loop_post_from_thread(count, arg);
	return NULL;
}

START_TEST(threads_post)
{
	pthread_t threads[4];
	counted = 0;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, posts_many, NULL), 0);
	ph_loop_run();
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(counted, 4000);
}
END_TEST

struct sum {
	int from;
	int result;
	pthread_t thread;
};

static void add_up(void *arg)
{
	struct sum *sum = arg;
	for (int i = 0; i < 1000; i++)
		sum->result += sum->from;
	sum->thread = pthread_self();
	usleep(100);
}

static int jobs_left;

static void offloads(void *arg)
{
	struct sum sum = { .from = *(int *)arg };
	ck_assert_int_eq(ph_offload(add_up, &sum), 0);
	ck_assert_int_eq(sum.result, sum.from * 1000);
	ck_assert(!pthread_equal(sum.thread, pthread_self()));
	if (--jobs_left == 0)
		ph_loop_break();
}

START_TEST(offload_runs_elsewhere)
{
	int numbers[200];
	jobs_left = 200;
	for (int i = 0; i < 200; i++) {
		numbers[i] = i;
		ph_fiber_start("offload", offloads, &numbers[i]);
	}
	ph_loop_run();
	ck_assert_int_eq(jobs_left, 0);
}
END_TEST

/* Held by the loop's thread until enough jobs were refused: until then none of those taken can end. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int refused, served;

static void wait_at_gate(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
}

static void offloads_too_much(void *arg)
{
	int result = ph_offload(wait_at_gate, arg);
	ck_assert(result == 0 || result == PH_E_LIMIT);
	served += result == 0;
	refused += result == PH_E_LIMIT;
	if (result == PH_E_LIMIT && refused == 400)
		pthread_mutex_unlock(&gate);
	if (served + refused == 1500)
		ph_loop_break();
}

START_TEST(offload_queue_is_bounded)
{
	refused = served = 0;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 1500; i++)
		ph_fiber_start("offload", offloads_too_much, NULL);
	ph_loop_run();
	ck_assert_int_ge(refused, 400);
	ck_assert_int_ge(served, 1024);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tests = tcase_create("loop");
	tcase_add_checked_fixture(tests, setup, ph_loop_free);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, timers);
	tcase_add_test(tests, descriptors);
	tcase_add_test(tests, fibers_wait_for_descriptors);
	tcase_add_test(tests, children);
	tcase_add_test(tests, unix_signals);
	tcase_add_test(tests, child_of_fork_has_a_loop_of_its_own);
	tcase_add_test(tests, posts_run_in_order);
	tcase_add_test(tests, threads_post);
	tcase_add_test(tests, offload_runs_elsewhere);
	tcase_add_test(tests, offload_queue_is_bounded);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
