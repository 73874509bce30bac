/* How far a command is, on a terminal and elsewhere. */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/tool.h>

#include "progress_private.h"

/* --- the line --- */

static const struct {
	struct progress progress;
	struct ph_str where;
	const char *line;
	size_t columns;
} lines[] = {
	{ { "messages", 200, 50, 0 }, PH_STR_INIT("alice"),
		"[#####---------------]  25 %  50 of 200 messages: alice", 79 },
	{ { "messages", 200, 0, 5000 }, PH_STR_INIT(""), "[--------------------]   0 %  0 of 200 messages",
		79 },
	{ { "messages", 200, 200, 5000 }, PH_STR_INIT(""),
		"[####################] 100 %  200 of 200 messages, 0:00 left", 79 },
	{ { "messages", 200, 50, 5000 }, PH_STR_INIT("alice"),
		"[#####---------------]  25 %  50 of 200 messages, 0:15 left: alice", 79 },
	{ { "messages", 100000, 1, 100 * 1000 }, PH_STR_INIT(""),
		"[--------------------]   0 %  1 of 100000 messages", 50 },
	{ { "messages", 100, 1, 100 * 1000 }, PH_STR_INIT(""),
		"[--------------------]   1 %  1 of 100 messages, 2:45:00 left", 79 },
	/* More than there should be, or nobody knows how much. */
	{ { "messages", 200, 201, 5000 }, PH_STR_INIT("alice"), "201 messages: alice", 79 },
	{ { "messages", 0, 7, 5000 }, PH_STR_INIT("alice"), "7 messages: alice", 79 },
	{ { NULL, UINT64_C(3) << 30, UINT64_C(3) << 29, 0 }, PH_STR_INIT("backup"),
		"[##########----------]  50 %  1.5 GB of 3.0 GB: backup", 79 },
	{ { NULL, 0, 1023, 0 }, PH_STR_INIT(""), "1023 bytes", 79 },
	{ { NULL, UINT64_MAX, UINT64_MAX - 1, 3600 * 1000 }, PH_STR_INIT(""),
		"[####################] 100 %  16777216.0 TB of 16777216.0 TB, 0:00 left", 79 },
	/* What has no room is left out, whole characters only; what would steer the terminal is not shown. */
	{ { "messages", 0, 7, 0 }, PH_STR_INIT("0123456789"), "7 messages: 0123", 16 },
	{ { "messages", 0, 7, 0 }, PH_STR_INIT("M\xc3\xbcller"), "7 messages: M\xc3\xbc", 14 },
	{ { "messages", 0, 7, 0 }, PH_STR_INIT("\xe9\x83\xb5\xe4\xbb\xb6"), "7 messages: \xe9\x83\xb5", 15 },
	{ { "messages", 0, 7, 0 }, PH_STR_INIT("\x1b[2J\r\n\xff"), "7 messages: ?[2J???", 79 },
	{ { "messages", 0, 7, 0 }, PH_STR_INIT("alice"), "7 me", 4 },
};

START_TEST(a_line_fits_and_is_harmless)
{
	struct ph_buf line;

	ph_buf_init(&line, 4096);
	progress_format(&line, &lines[_i].progress, lines[_i].where, lines[_i].columns);
	ph_buf_add_char(&line, '\0');
	ck_assert_str_eq(line.data, lines[_i].line);
	ph_buf_free(&line);
}
END_TEST

/* --- where it is shown --- */

/* What is written to stderr meanwhile; a terminal of 30 columns, or a pipe. */
static const char *show(bool is_terminal, void (*work)(void))
{
	static char shown[4096];
	struct winsize size = { .ws_row = 24, .ws_col = 30 };
	int ends[2], before = dup(STDERR_FILENO);
	size_t len = 0;

	if (is_terminal) {
		ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		ck_assert_int_ge(ends[0], 0);
		ck_assert_int_eq(grantpt(ends[0]), 0);
		ck_assert_int_eq(unlockpt(ends[0]), 0);
		ck_assert_int_eq(ioctl(ends[0], TIOCSWINSZ, &size), 0);
		ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
	} else {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	}
	dup2(ends[1], STDERR_FILENO);
	work();
	dup2(before, STDERR_FILENO);
	/* A terminal hands on in the background what was written: it is all there when this is. */
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	do {
		ssize_t count = read(ends[0], shown + len, sizeof(shown) - len);

		ck_assert_int_gt(count, 0);
		len += (size_t)count;
	} while (shown[len - 1] != '\0');
	close(ends[0]);
	close(ends[1]);
	close(before);
	return shown;
}

/* Of what comes at once only the first is shown. */
static void count_to_hundred(void)
{
	ph_progress_begin("things");
	for (unsigned i = 0; i < 100; i++)
		ph_progress(PH_STR("here"), 0, 100);
	ph_progress_hide();
	ph_progress_hide();
}

static void log_between(void)
{
	ph_progress_begin("things");
	ph_progress(PH_STR(""), 1, 0);
	ph_log_event(PH_LOG_INFO, "something happened");
	ph_progress(PH_STR(""), 2, 0);
	ph_progress_hide();
}

static void not_begun(void)
{
	ph_progress(PH_STR("here"), 1, 2);
	ph_progress_hide();
}

START_TEST(a_terminal_shows_it)
{
	const char *shown, *first, *event;

	setenv("TERM", "xterm", 1);
	ck_assert_str_eq(show(true, not_begun), "");
	shown = show(true, count_to_hundred);
	ck_assert(strncmp(shown, "\r\033[K[--------------------]   0 %  ", 33) == 0);
	ck_assert_str_eq(shown + strlen(shown) - 4, "\r\033[K");
	shown = show(true, log_between);
	first = strstr(shown, "\r\033[K1 things\r\033[K");
	event = strstr(shown, "something happened");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(event);
	ck_assert(first < event && strstr(event, "\r\033[K2 things\r\033[K"));
}
END_TEST

START_TEST(nothing_else_does)
{
	setenv("TERM", "xterm", 1);
	ck_assert_str_eq(show(false, count_to_hundred), "");
	setenv("TERM", "dumb", 1);
	ck_assert_str_eq(show(true, count_to_hundred), "");
	unsetenv("TERM");
	ck_assert_str_eq(show(true, count_to_hundred), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tcase = tcase_create("progress");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_line_fits_and_is_harmless, 0, sizeof(lines) / sizeof(*lines));
	tcase_add_test(tcase, a_terminal_shows_it);
	tcase_add_test(tcase, nothing_else_does);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
