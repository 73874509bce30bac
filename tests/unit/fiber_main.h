/* Runs a Check suite on a fiber over the loop, all in one process, so that its tests may call what parks. */
#ifndef FIBER_MAIN_H
#define FIBER_MAIN_H

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>

/* Check notes each assertion that holds, with a system call, to tell where the process of a test died. These
 * tests have no process of their own, and some make millions of assertions. */
#define _mark_point(file, line) ((void)0)

/* What a failed test left open may keep the next one from ever ending. */
#define LONGEST_SECONDS 300

static void run_suite(void *arg)
{
	alarm(LONGEST_SECONDS);
	srunner_run_all(arg, CK_ENV);
	ph_loop_break();
}

/* The body of main(): returns its exit code, and frees the suite. */
static inline int fiber_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_set_fork_status(runner, CK_NOFORK);
	ph_loop_init();
	ph_fiber_start("tests", run_suite, runner);
	ph_loop_run();
	ph_loop_free();
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
