/* Several processes count; one reads. */
#include <config.h>

#include <check.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metric_private.h"

/* Runs in a process of its own, as a worker in that column. */
static void in_worker(unsigned column, void (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		metric_set_column(column);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static const int64_t bounds[] = { 10, 100, 0 };

static void work(void)
{
	ph_metric_add(ph_metric_counter("test_lines_total", NULL, "Lines."), 3);
	ph_metric_add(ph_metric_counter("test_kinds_total", "kind=\"a\"", "Kinds."), 1);
	ph_metric_add(ph_metric_counter("test_kinds_total", "kind=\"b\"", "Kinds."), 2);
	ph_metric_add(ph_metric_gauge("test_open", NULL, "Open now."), 5);
	ph_metric_add(ph_metric_gauge("test_open", NULL, "Open now."), -1);
	ph_metric_observe(ph_metric_histogram("test_size", NULL, "Sizes.", bounds), 10);
	ph_metric_observe(ph_metric_histogram("test_size", NULL, "Sizes.", bounds), 11);
	ph_metric_observe(ph_metric_histogram("test_size", NULL, "Sizes.", bounds), 1000);
}

START_TEST(counting)
{
	struct ph_buf out;

	metric_open();
	/* Registered by workers, each for itself; read here. */
	in_worker(1, work);
	in_worker(2, work);
	ck_assert_int_eq(ph_metric_read(ph_metric_counter("test_lines_total", NULL, "Lines.")), 6);
	ck_assert_int_eq(ph_metric_read(ph_metric_gauge("test_open", NULL, "Open now.")), 8);
	ck_assert_int_eq(ph_metric_read(ph_metric_histogram("test_size", NULL, "Sizes.", bounds)), 6);
	/* A worker that is gone has nothing open, but what it counted was counted. */
	metric_clear_gauges(1);
	ck_assert_int_eq(ph_metric_read(ph_metric_gauge("test_open", NULL, "Open now.")), 4);
	ck_assert_int_eq(ph_metric_read(ph_metric_counter("test_lines_total", NULL, "Lines.")), 6);

	ph_buf_init(&out, 1 << 16);
	metric_print(&out);
	ph_buf_add_char(&out, '\0');
	ck_assert_str_eq(out.data, "# HELP test_lines_total Lines.\n"
				   "# TYPE test_lines_total counter\n"
				   "test_lines_total 6\n"
				   "# HELP test_kinds_total Kinds.\n"
				   "# TYPE test_kinds_total counter\n"
				   "test_kinds_total{kind=\"a\"} 2\n"
				   "test_kinds_total{kind=\"b\"} 4\n"
				   "# HELP test_open Open now.\n"
				   "# TYPE test_open gauge\n"
				   "test_open 4\n"
				   "# HELP test_size Sizes.\n"
				   "# TYPE test_size histogram\n"
				   "test_size_bucket{le=\"10\"} 2\n"
				   "test_size_bucket{le=\"100\"} 4\n"
				   "test_size_bucket{le=\"+Inf\"} 6\n"
				   "test_size_sum 2042\n"
				   "test_size_count 6\n");
	ph_buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metric");
	TCase *cases = tcase_create("metric");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, counting);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
