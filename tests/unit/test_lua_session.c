/* The session object of policies, on real connections: its fields, session.state and session.transaction, and
 * that it is over with the connection. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/conn.h>

#include "../../core/listen.h"
#include "conn_client.h"
#include "fiber_main.h"
#include "lua_host_run.h"

/* --- A protocol that asks test.decide about each line, and answers with the verdict's text --- */

static enum ph_turn ask_open(struct ph_conn *conn, void *session)
{
	(void)session;
	ph_conn_set_attribute(conn, "greeting", PH_STR("hello"));
	ph_conn_text(conn, "hello\r\n");
	return PH_TURN_KEEP;
}

static enum ph_turn ask_input(struct ph_conn *conn, void *session)
{
	struct ph_line line;
	(void)session;
	if (ph_conn_read_line(conn, 100, &line) <= 0 || ph_str_eq(line.text, PH_STR("QUIT")))
		return PH_TURN_CLOSE;
	if (ph_str_eq(line.text, PH_STR("END")))
		ph_conn_end_transaction(conn);
	struct ph_pool *pool = ph_pool_new(0);
	const struct ph_value arguments[] = { PH_VALUE_STR(line.text), { .type = PH_NIL } };
	struct ph_verdict verdict;
	ph_hook_run(&decide_hook, conn, arguments, pool, &verdict);
	ph_conn_printf(conn, "%.*s\r\n", PH_STR_ARGS(verdict.text));
	ph_pool_free(&pool);
	return PH_TURN_KEEP;
}

static const struct ph_protocol ask_protocol = { .name = "ask", .open = ask_open, .input = ask_input };

static struct listener_config listener;
static int port;

static void setup(void)
{
	struct ph_error error;
	listener = (struct listener_config){
		.name = "door",
		.protocol = "ask",
		.address = "127.0.0.1:0",
		.idle_timeout = 10000,
		.write_timeout = 10000,
		.speaks = &ask_protocol,
	};
	host_setup();
	int fd = listener_bind(&listener, &error);
	ck_assert_msg(fd >= 0, "%s", error.detail);
	port = client_port_of(fd);
	listener_start(&listener, fd);
}

static void wait_until_closed(void)
{
	for (int i = 0; i < 500 && conn_count() > 0; i++)
		ph_fiber_sleep(10);
	ck_assert_uint_eq(conn_count(), 0);
}

static void teardown(void)
{
	listener_stop_all();
	wait_until_closed();
	listener_free_all();
	host_teardown();
}

static int greeted(void)
{
	int fd = client_connect(port);
	client_expect(fd, "hello\r\n");
	return fd;
}

static void ask(int fd, const char *line, const char *answer)
{
	client_send(fd, line);
	client_send(fd, "\r\n");
	client_expect(fd, answer);
	client_expect(fd, "\r\n");
}

START_TEST(fields)
{
	host_open_handler(
		"local s = session\n"
		"assert(s == session and s.protocol == 'ask' and s.listener == 'door' and s.ip == "
		"'127.0.0.1')\n"
		"assert(s.port ~= s.local_port and s.tls == nil and s.user == nil and s.absent == nil)\n"
		"assert(not pcall(function() s.user = 'me' end) and thing == nil)\n"
		"return posthorn.reject(s.greeting .. ' ' .. word)");
	int fd = greeted();
	ask(fd, "you", "hello you");
	close(fd);
}
END_TEST

START_TEST(state_and_transaction)
{
	host_open_handler("local state, transaction = session.state, session.transaction\n"
			  "state.count = (state.count or 0) + 1\n"
			  "transaction.count = (transaction.count or 0) + 1\n"
			  "posthorn.sleep(0.001)\n"
			  "return posthorn.reject(session.state.count .. ' ' .. session.transaction.count)");
	int one = greeted(), two = greeted();
	ask(one, "x", "1 1");
	ask(one, "x", "2 2");
	ask(two, "x", "1 1");
	ask(one, "END", "3 1");
	ask(one, "x", "4 2");
	ask(two, "x", "2 2");
	close(one);
	close(two);
}
END_TEST

START_TEST(over_with_the_connection)
{
	host_open_handler(
		"if kept and kept ~= session then\n"
		"  local ok, problem = pcall(function() return kept.ip end)\n"
		"  return posthorn.reject(tostring(kept) .. ' ' .. tostring(ok) .. problem:match ': (.*)')\n"
		"end\n"
		"kept = session\n"
		"session.state.self = session\n"
		"return posthorn.reject(session.ip)");
	int fd = greeted();
	ask(fd, "x", "127.0.0.1");
	ask(fd, "x", "127.0.0.1");
	client_send(fd, "QUIT\r\n");
	client_expect_end(fd);
	wait_until_closed();
	fd = greeted();
	ask(fd, "x", "session (over) falsesession is over");
	close(fd);
}
END_TEST

/* The state may be closed while connections are open: they meet the next one with a new object. */
START_TEST(state_closed_before_the_connection)
{
	static const char handler[] = "session.state.count = (session.state.count or 0) + 1\n"
				      "return posthorn.reject(tostring(session.state.count))";
	host_open_handler(handler);
	int fd = greeted();
	ask(fd, "x", "1");
	ask(fd, "x", "2");
	host_open_handler(handler);
	ask(fd, "x", "1");
	lua_host_close();
	ask(fd, "x", "");
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lua_session");
	TCase *tcase = tcase_create("lua_session");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, fields);
	tcase_add_test(tcase, state_and_transaction);
	tcase_add_test(tcase, over_with_the_connection);
	tcase_add_test(tcase, state_closed_before_the_connection);
	suite_add_tcase(suite, tcase);
	return fiber_main(suite);
}
