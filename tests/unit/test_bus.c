/* Messages between processes: to all others, to nobody twice, and a hint when there were too many. */
#include <config.h>

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <posthorn/loop.h>

#include "bus_private.h"

enum { SLOTS = 4 };

static int messages, overflows;
static char last[PH_BUS_MESSAGE_MAX + 1];
static bool wrong;

static void receive(void *arg, struct ph_str message, bool overflow)
{
	messages += !overflow;
	overflows += overflow;
	memcpy(last, message.data ? message.data : "", message.len);
	last[message.len] = '\0';
	wrong = wrong || arg != &messages;
	if (overflow || ph_str_eq(message, PH_STR("last")))
		ph_loop_break();
}

static void receive_other(void *arg, struct ph_str message, bool overflow)
{
	(void)arg, (void)message;
	wrong = wrong || !overflow;
}

static void too_late(void *arg)
{
	wrong = true;
	(void)arg;
	ph_loop_break();
}

/* Joins, says on `fd` that it has, waits for the answer, receives until "last" or an overflow. */
static int receiver(unsigned slot, int fd, int wanted, int wanted_overflows)
{
	struct ph_timer timer = { 0 };
	char byte = 'j';

	ph_loop_init();
	bus_join(slot);
	ph_bus_subscribe("topic", receive, &messages);
	ph_bus_subscribe("other", receive_other, NULL);
	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		return 1;
	ph_timer_start(&timer, 20000, too_late, NULL);
	ph_loop_run();
	ph_timer_stop(&timer);
	bus_close();
	ph_loop_free();
	return wrong || (wanted >= 0 && messages != wanted) || overflows != wanted_overflows;
}

static pid_t start(unsigned slot, int *fd_r, int wanted, int wanted_overflows)
{
	int fds[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (pid == 0)
		_exit(receiver(slot, fds[1], wanted, wanted_overflows));
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	*fd_r = fds[0];
	return pid;
}

static void let_go_and_wait(pid_t pid, int fd)
{
	int status;

	ck_assert_int_eq(write(fd, "g", 1), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(fd);
}

START_TEST(messages_and_overflow)
{
	int first_fd, second_fd;
	pid_t first, second;
	char large[PH_BUS_MESSAGE_MAX];

	ck_assert_int_eq(bus_open(SLOTS, NULL), 0);
	ck_assert_uint_eq(bus_slots(), SLOTS);
	/* Nobody listens: nothing is kept for whoever comes later. */
	ph_bus_publish("topic", PH_STR("too early"));
	first = start(0, &first_fd, 3, 0);
	second = start(1, &second_fd, 3, 0);
	memset(large, 'x', sizeof(large));
	ph_bus_publish("topic", PH_STR(""));
	ph_bus_publish("topic", ph_str_of(large, sizeof(large)));
	ph_bus_publish("nobody's", PH_STR("unheard"));
	ph_bus_publish("topic", PH_STR("last"));
	let_go_and_wait(first, first_fd);
	let_go_and_wait(second, second_fd);
	bus_leave(0);
	bus_leave(1);

	first = start(2, &first_fd, -1, 1);
	for (int i = 0; i < 100000; i++)
		ph_bus_publish("topic", ph_str_of(large, sizeof(large)));
	let_go_and_wait(first, first_fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus");
	TCase *cases = tcase_create("bus");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, messages_and_overflow);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
