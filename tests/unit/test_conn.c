/* Connections, with a tiny protocol and clients on fibers: turns, lines, buffers, time, and the end. */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <posthorn/conn.h>
#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "../../core/conn_struct.h"
#include "../../core/hook_private.h"
#include "../../core/listen.h"
#include "conn_client.h"

/* --- The protocol --- */

struct talk {
	struct ph_conn *conn;
	unsigned events;
};

static struct ph_conn *last_conn;
static unsigned sessions_closed;
static int last_result;

static enum ph_turn talk_open(struct ph_conn *conn, void *session)
{
	struct talk *talk = session;
	talk->conn = last_conn = conn;
	ph_conn_text(conn, "hello\r\n");
	return PH_TURN_KEEP;
}

static enum ph_turn read_literal(struct ph_conn *conn, size_t wanted)
{
	size_t got = 0, sum = 0;
	while (got < wanted) {
		struct ph_str bytes;
		last_result = ph_conn_peek(conn, &bytes);
		if (last_result <= 0)
			return PH_TURN_CLOSE;
		bytes = ph_str_slice(bytes, 0, wanted - got);
		for (size_t i = 0; i < bytes.len; i++)
			sum += (unsigned char)bytes.data[i];
		got += bytes.len;
		ph_conn_consume(conn, bytes.len);
	}
	ph_conn_printf(conn, "literal %zu sum %zu\r\n", got, sum);
	return PH_TURN_KEEP;
}

static void write_big(struct ph_conn *conn, size_t size)
{
	char *big = ph_alloc(size);
	memset(big, 'b', size);
	ph_conn_text(conn, "big\r\n");
	last_result = ph_conn_write_long(conn, (struct ph_str){ big, size });
	free(big);
	ph_conn_printf(conn, "done\r\n");
}

static void peek_all(struct ph_conn *conn)
{
	struct ph_str bytes = { NULL, 0 };
	int result;
	do
		result = ph_conn_peek_more(conn, &bytes);
	while (result == 1);
	last_result = result;
	ph_conn_printf(conn, "peeked %zu\r\n", bytes.len);
	ph_conn_consume(conn, bytes.len);
}

static void answer(struct ph_conn *conn, const struct ph_line *line)
{
	ph_conn_printf(conn, "<%zu%s%s%s>\r\n", line->text.len, line->bare_lf ? " lf" : "",
		line->bare_cr ? " cr" : "", line->nul ? " nul" : "");
}

static enum ph_turn talk_input(struct ph_conn *conn, void *session)
{
	struct ph_line line;
	uint64_t number;
	struct talk *talk = session;
	last_result = ph_conn_read_line(conn, 20, &line);
	if (last_result == PH_E_LIMIT) {
		ph_conn_text(conn, "too long\r\n");
		return PH_TURN_KEEP;
	}
	if (last_result <= 0)
		return PH_TURN_CLOSE;
	if (ph_str_eq(line.text, PH_STR("QUIT"))) {
		ph_conn_text(conn, "bye\r\n");
		return PH_TURN_CLOSE;
	}
	if (ph_str_starts(line.text, PH_STR("LIT ")) &&
		ph_str_number(ph_str_slice(line.text, 4, 20), 1000000, &number))
		return read_literal(conn, number);
	if (ph_str_starts(line.text, PH_STR("BIG ")) &&
		ph_str_number(ph_str_slice(line.text, 4, 20), 100000000, &number)) {
		write_big(conn, number);
		return PH_TURN_KEEP;
	}
	if (ph_str_eq(line.text, PH_STR("SLEEP"))) {
		ph_fiber_sleep(30);
		ph_conn_printf(conn, "slept %u\r\n", talk->events);
		return PH_TURN_KEEP;
	}
	if (ph_str_eq(line.text, PH_STR("PEEK"))) {
		peek_all(conn);
		return PH_TURN_KEEP;
	}
	if (ph_str_eq(line.text, PH_STR("TURN"))) {
		ph_conn_set_turn_timeout(conn, 30);
		return read_literal(conn, 10);
	}
	if (ph_str_eq(line.text, PH_STR("STARTTLS"))) {
		ph_conn_text(conn, "go ahead\r\n");
		last_result = ph_conn_starttls(conn);
		return PH_TURN_CLOSE;
	}
	answer(conn, &line);
	return PH_TURN_KEEP;
}

static enum ph_turn talk_event(struct ph_conn *conn, void *session)
{
	struct talk *talk = session;
	ph_conn_printf(conn, "event %u\r\n", ++talk->events);
	return PH_TURN_KEEP;
}

static void talk_goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	static const char *const names[] = { "idle", "shutdown", "too many", "refused", "failed" };
	ph_conn_printf(
		conn, "goodbye %s%s %.*s\r\n", names[reason], session ? "" : " nobody", PH_STR_ARGS(text));
}

static void talk_close(struct ph_conn *conn, void *session)
{
	struct talk *talk = session;
	ck_assert_ptr_eq(talk->conn, conn);
	sessions_closed++;
	ph_fiber_yield();
}

static const struct ph_protocol talk_protocol = {
	.name = "talk",
	.summary = "A protocol for tests.",
	.session_size = sizeof(struct talk),
	.open = talk_open,
	.input = talk_input,
	.event = talk_event,
	.goodbye = talk_goodbye,
	.close = talk_close,
};

/* --- Running a test: the server's loop, and the test on a fiber --- */

static struct listener_config config;
static int listening;
static int port;
static void (*current)(void);

static void run_current(void *arg)
{
	(void)arg;
	current();
	ph_msec deadline = ph_now() + 5000;
	while (conn_count() > 0 && ph_now() < deadline)
		ph_fiber_sleep(1);
	ck_assert_uint_eq(conn_count(), 0);
	ph_loop_break();
}

static void run(void (*test)(void))
{
	struct ph_error error;
	listening = listener_bind(&config, &error);
	ck_assert_msg(listening >= 0, "%s", error.detail);
	port = config.address[0] == 'u' ? 0 : client_port_of(listening);
	current = test;
	listener_start(&config, listening);
	ph_fiber_start("test", run_current, NULL);
	ph_loop_run();
	listener_free_all();
}

static void setup(void)
{
	config = (struct listener_config){
		.name = "talk",
		.protocol = "talk",
		.address = "127.0.0.1:0",
		.idle_timeout = 10000,
		.write_timeout = 10000,
		.speaks = &talk_protocol,
	};
	sessions_closed = 0;
	ph_loop_init();
}

static int greeted(void)
{
	int fd = client_connect(port);
	client_expect(fd, "hello\r\n");
	return fd;
}

static void quit(int fd)
{
	client_send(fd, "QUIT\r\n");
	client_expect(fd, "bye\r\n");
	client_expect_end(fd);
}

/* --- Turns --- */

static void talks(void)
{
	int fd = greeted();
	for (int i = 0; i < 3; i++) {
		client_send(fd, "abc\r\n");
		client_expect(fd, "<3>\r\n");
	}
	ck_assert_int_eq((int)strlen(ph_conn_id(last_conn)), 12);
	ck_assert_str_eq(ph_conn_remote_ip(last_conn), "127.0.0.1");
	ck_assert_int_eq(ph_conn_local_port(last_conn), port);
	quit(fd);
}

START_TEST(a_connection_from_greeting_to_end)
{
	run(talks);
	ck_assert_uint_eq(sessions_closed, 1);
}
END_TEST

static void pipelines(void)
{
	int fd = greeted();
	client_send(fd, "a\r\nbb\r\nccc\r\nLIT 4\r\nabcdddd\r\nQUIT\r\nignored\r\n");
	client_expect(fd, "<1>\r\n<2>\r\n<3>\r\nliteral 4 sum 394\r\n<3>\r\nbye\r\n");
	client_expect_end(fd);
}

START_TEST(pipelined_commands_are_answered_in_order)
{
	run(pipelines);
}
END_TEST

/* The answers to what came together go out together. */
static void counts_packets(void)
{
	int fd = greeted();
	char got[256];
	client_send(fd, "a\r\nb\r\nc\r\nd\r\n");
	ck_assert_int_eq(client_receive(fd, got, sizeof(got)), 20);
	quit(fd);
}

START_TEST(pipelined_answers_are_sent_together)
{
	run(counts_packets);
}
END_TEST

static void floods(void)
{
	enum { LINES = 20000 };
	int fd = greeted(), other = greeted();
	char *lines = malloc(LINES * 4);
	for (int i = 0; i < LINES; i++)
		memcpy(lines + 4L * i, "ab\r\n", 4);
	size_t received = 0, sent = 0;
	while (received < LINES * 5) {
		char got[65536];
		if (sent < LINES * 4) {
			ssize_t len = send(fd, lines + sent, LINES * 4 - sent, MSG_NOSIGNAL);
			if (len > 0)
				sent += (size_t)len;
		}
		client_send(other, "x\r\n");
		client_expect(other, "<1>\r\n");
		ssize_t len = recv(fd, got, sizeof(got), 0);
		if (len > 0)
			received += (size_t)len;
	}
	free(lines);
	quit(fd);
	quit(other);
}

START_TEST(a_flood_does_not_starve_others)
{
	run(floods);
}
END_TEST

static void gets_events(void)
{
	int fd = greeted();
	ph_conn_post(last_conn);
	client_expect(fd, "event 1\r\n");
	client_send(fd, "SLEEP\r\n");
	ph_fiber_sleep(10);
	ph_conn_post(last_conn);
	ph_conn_post(last_conn);
	client_expect(fd, "slept 1\r\nevent 2\r\n");
	quit(fd);
}

START_TEST(events_run_between_turns)
{
	run(gets_events);
}
END_TEST

static void looks_at_rest(void)
{
	int fd = greeted();
	ph_fiber_sleep(5);
	ck_assert_ptr_null(last_conn->in);
	ck_assert_ptr_null(last_conn->out);
	ck_assert_uint_eq(ph_fiber_count(), 1);
	ck_assert_uint_lt(sizeof(*last_conn), 1024);
	client_send(fd, "half a li");
	ph_fiber_sleep(5);
	ck_assert_uint_eq(ph_fiber_count(), 2);
	client_send(fd, "ne\r\n");
	client_expect(fd, "<11>\r\n");
	ph_fiber_sleep(5);
	ck_assert_uint_eq(ph_fiber_count(), 1);
	quit(fd);
}

START_TEST(rest_holds_no_fiber_and_no_buffers)
{
	run(looks_at_rest);
}
END_TEST

/* --- Lines --- */

static const struct {
	const char *sent;
	size_t len;
	const char *expected;
} lines[] = {
	{ "abc\r\n", 5, "<3>\r\n" },
	{ "\r\n", 2, "<0>\r\n" },
	{ "\n", 1, "<0 lf>\r\n" },
	{ "abc\n", 4, "<3 lf>\r\n" },
	{ "a\rb\r\n", 5, "<3 cr>\r\n" },
	{ "abc\r\r\n", 6, "<4 cr>\r\n" },
	{ "a\0b\r\n", 5, "<3 nul>\r\n" },
	{ "\r\0\n", 3, "<2 lf cr nul>\r\n" },
	{ "12345678901234567890\r\n", 22, "<20>\r\n" },
	{ "12345678901234567890\n", 21, "<20 lf>\r\n" },
	{ "123456789012345678901\r\n", 23, "too long\r\n" },
	{ "1234567890123456789\r\r\n", 22, "<20 cr>\r\n" },
	{ "12345678901234567890\r\r\n", 23, "too long\r\n" },
	{ "this is a very long line with a lot of text in it\r\nnext\r\n", 57, "too long\r\n<4>\r\n" },
};

static void sends_lines_whole(void)
{
	int fd = greeted();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		client_send_bytes(fd, lines[i].sent, lines[i].len);
		client_expect(fd, lines[i].expected);
	}
	quit(fd);
}

static void sends_lines_in_bytes(void)
{
	int fd = greeted();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		client_trickle(fd, lines[i].sent, lines[i].len);
		client_expect(fd, lines[i].expected);
	}
	quit(fd);
}

START_TEST(lines_whole_and_byte_by_byte)
{
	run(sends_lines_whole);
	run(sends_lines_in_bytes);
}
END_TEST

static void sends_endless_line(void)
{
	int fd = greeted();
	char junk[10000];
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 300; i++)
		client_send_bytes(fd, junk, sizeof(junk));
	client_send(fd, "\r\nabc\r\n");
	client_expect(fd, "too long\r\n<3>\r\n");
	quit(fd);
}

START_TEST(long_lines_are_skipped_in_bounded_memory)
{
	run(sends_endless_line);
}
END_TEST

static void peeks(void)
{
	int fd = greeted();
	char junk[CONN_BLOCK];
	memset(junk, 'x', sizeof(junk));
	client_send(fd, "PEEK\r\n");
	client_send_bytes(fd, junk, sizeof(junk));
	client_expect(fd, "peeked 65536\r\n");
	ck_assert_int_eq(last_result, PH_E_LIMIT);
	client_send(fd, "LIT 100000\r\n");
	client_send_bytes(fd, junk, sizeof(junk));
	client_send_bytes(fd, junk, 100000 - sizeof(junk));
	client_expect(fd, "literal 100000 sum 12000000\r\n");
	quit(fd);
}

START_TEST(peek_and_consume)
{
	run(peeks);
}
END_TEST

/* --- Writing --- */

static void reads_slowly(void)
{
	enum { SIZE = 3000000 };
	int fd = greeted();
	client_send(fd, "BIG 3000000\r\n");
	client_expect(fd, "big\r\n");
	size_t received = 0;
	while (received < SIZE) {
		char got[50000];
		ssize_t len = client_receive(
			fd, got, SIZE - received < sizeof(got) ? SIZE - received : sizeof(got));
		ck_assert_int_gt(len, 0);
		ck_assert(got[0] == 'b' && memcmp(got, got + 1, (size_t)len - 1) == 0);
		received += (size_t)len;
		ph_fiber_sleep(1);
	}
	client_expect(fd, "done\r\n");
	ck_assert_int_eq(last_result, 0);
	quit(fd);
}

START_TEST(slow_readers_get_everything)
{
	run(reads_slowly);
}
END_TEST

static void reads_never(void)
{
	int fd = greeted();
	client_send(fd, "BIG 90000000\r\n");
	for (int i = 0; conn_count() > 0 && i < 1000; i++)
		ph_fiber_sleep(5);
	ck_assert_int_eq(last_result, PH_E_TIMEOUT);
	close(fd);
}

START_TEST(readers_that_stop_are_dropped)
{
	config.write_timeout = 30;
	run(reads_never);
	ck_assert_uint_eq(sessions_closed, 1);
}
END_TEST

/* --- The end --- */

static void half_closes(void)
{
	int fd = greeted();
	client_send(fd, "abc\r\nabcd\r\nunfinished");
	shutdown(fd, SHUT_WR);
	client_expect(fd, "<3>\r\n<4>\r\n");
	client_expect_end(fd);
	ck_assert_int_eq(last_result, 0);
}

START_TEST(half_closed_clients_get_their_answers)
{
	run(half_closes);
}
END_TEST

static void vanishes(void)
{
	const struct linger at_once = { .l_onoff = 1 };
	int fd = greeted();
	close(fd);
	fd = greeted();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	fd = greeted();
	client_send(fd, "BIG 1000000\r\n");
	client_expect(fd, "big\r\n");
	close(fd);
	close(client_connect(port));
}

START_TEST(clients_that_vanish_end_their_session)
{
	run(vanishes);
	ck_assert_uint_ge(sessions_closed, 3);
}
END_TEST

static void is_idle(void)
{
	int fd = greeted();
	for (int i = 0; i < 4; i++) {
		ph_fiber_sleep(25);
		client_send(fd, "abc\r\n");
		client_expect(fd, "<3>\r\n");
	}
	client_expect(fd, "goodbye idle \r\n");
	client_expect_end(fd);
	fd = greeted();
	client_send(fd, "unfinished");
	client_expect(fd, "goodbye idle \r\n");
	client_expect_end(fd);
	ck_assert_int_eq(last_result, PH_E_TIMEOUT);
}

START_TEST(idle_clients_are_told_and_closed)
{
	config.idle_timeout = 50;
	run(is_idle);
	ck_assert_uint_eq(sessions_closed, 2);
}
END_TEST

static void trickles_a_turn(void)
{
	int fd = greeted();
	client_send(fd, "TURN\r\n");
	client_trickle(fd, "12345", 5);
	client_expect(fd, "goodbye idle \r\n");
	client_expect_end(fd);
	fd = greeted();
	client_send(fd, "TURN\r\n1234567890");
	client_expect(fd, "literal 10 sum 525\r\n");
	ph_fiber_sleep(50);
	client_send(fd, "SLEEP\r\nabc\r\n");
	client_expect(fd, "slept 0\r\n<3>\r\n");
	quit(fd);
}

START_TEST(a_turn_has_an_end)
{
	run(trickles_a_turn);
}
END_TEST

static void is_shut_down(void)
{
	int resting = greeted(), busy = greeted();
	client_send(busy, "SLEEP\r\n");
	ph_fiber_sleep(5);
	listener_stop_all();
	conn_goodbye_all();
	client_expect(resting, "goodbye shutdown \r\n");
	client_expect_end(resting);
	client_expect(busy, "slept 0\r\ngoodbye shutdown \r\n");
	client_expect_end(busy);
}

START_TEST(shutdown_lets_turns_finish)
{
	run(is_shut_down);
}
END_TEST

/* The block that input came in goes to another connection next. */
static void says_a_secret(void)
{
	char *blocks[2];
	int fd = greeted();
	client_send(fd, "s3cr3t\r\n");
	client_expect(fd, "<6>\r\n");
	ph_fiber_sleep(5);
	for (int i = 0; i < 2; i++) {
		blocks[i] = conn_block_take();
		ck_assert_ptr_null(memmem(blocks[i], 64, "s3cr3t", 6));
	}
	conn_block_give(&blocks[0]);
	conn_block_give(&blocks[1]);
	quit(fd);
}

START_TEST(input_is_wiped)
{
	run(says_a_secret);
}
END_TEST

/* --- Bounds and policy --- */

static void comes_too_often(void)
{
	int first = greeted(), second = greeted();
	int third = client_connect(port);
	client_expect(third, "goodbye too many nobody \r\n");
	client_expect_end(third);
	quit(second);
	ph_fiber_sleep(5);
	second = greeted();
	quit(second);
	quit(first);
}

START_TEST(connections_are_bounded)
{
	config.max_connections = 2;
	run(comes_too_often);
	config.max_connections = 0;
	config.max_connections_per_ip = 2;
	run(comes_too_often);
}
END_TEST

/* Fills the table of descriptors up to 50, of which the last eight of 64 are kept for files: clients get 51,
 * 53 and 55, the server's ends 52, 54 and 56. */
static void comes_to_a_full_house(void)
{
	int fds[64], count = 0;
	while (count == 0 || fds[count - 1] < 50)
		fds[count++] = dup(0);
	comes_too_often();
	while (count > 0)
		close(fds[--count]);
}

START_TEST(descriptors_are_kept_for_files)
{
	struct rlimit before, few;
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	run(comes_to_a_full_house);
	setrlimit(RLIMIT_NOFILE, &before);
}
END_TEST

static enum ph_verdict_kind policy_says;

static int decide(void *arg, struct ph_conn *session, const struct ph_value *arguments, struct ph_pool *pool,
	struct ph_verdict *verdict_r)
{
	(void)arg, (void)arguments, (void)pool;
	ck_assert_ptr_nonnull(session);
	ph_fiber_sleep(1);
	verdict_r->kind = policy_says;
	verdict_r->text = PH_STR("not you");
	return 0;
}

static void is_judged(void)
{
	policy_says = PH_PASS;
	quit(greeted());
	policy_says = PH_ACCEPT;
	quit(greeted());
	policy_says = PH_REJECT;
	int fd = client_connect(port);
	client_send(fd, "abc\r\n");
	client_expect(fd, "goodbye refused nobody not you\r\n");
	client_expect_end(fd);
}

START_TEST(policy_decides_about_connections)
{
	struct ph_hook_point *points[] = { &conn_accept_hook, NULL };
	struct ph_error error;
	ck_assert_int_eq(hook_add_points(points, "core", &error), 0);
	hook_set_owner("test");
	ck_assert_int_eq(ph_hook_subscribe("conn.accept", 0, decide, NULL), 0);
	run(is_judged);
	hook_remove_owner("test");
	hook_remove_owner("core");
}
END_TEST

/* --- PROXY headers --- */

static void comes_through_a_balancer(void)
{
	int fd = client_connect(port);
	client_trickle(fd, "PROXY TCP4 192.0.2.7 198.51.100.1 1234 25\r\nabc\r\n", 48);
	client_expect(fd, "hello\r\n<3>\r\n");
	ck_assert_str_eq(ph_conn_remote_ip(last_conn), "192.0.2.7");
	ck_assert_int_eq(ph_conn_remote_port(last_conn), 1234);
	ck_assert_str_eq(ph_conn_local_ip(last_conn), "198.51.100.1");
	quit(fd);
	fd = client_connect(port);
	client_send(fd, "PROXY UNKNOWN\r\n");
	client_expect(fd, "hello\r\n");
	ck_assert_str_eq(ph_conn_remote_ip(last_conn), "127.0.0.1");
	quit(fd);
	fd = client_connect(port);
	client_send(fd, "abc\r\n");
	client_expect_end(fd);
}

START_TEST(proxy_headers_tell_the_client)
{
	const char *const networks[] = { "10.0.0.0/8", "127.0.0.0/8" };
	config.proxy = true;
	config.proxy_from = (struct ph_text_list){ networks, 2 };
	run(comes_through_a_balancer);
}
END_TEST

static void is_no_balancer(void)
{
	int fd = client_connect(port);
	client_expect_end(fd);
}

START_TEST(proxy_headers_from_others_are_refused)
{
	const char *const networks[] = { "10.0.0.0/8" };
	config.proxy = true;
	config.proxy_from = (struct ph_text_list){ networks, 1 };
	run(is_no_balancer);
	ck_assert_uint_eq(sessions_closed, 0);
}
END_TEST

/* --- STARTTLS without keys, and with injected commands --- */

static void injects(void)
{
	int fd = greeted();
	client_send(fd, "STARTTLS\r\nabc\r\n");
	client_expect(fd, "go ahead\r\n");
	client_expect_end(fd);
	ck_assert_int_eq(last_result, PH_E_INVALID);
}

START_TEST(plaintext_behind_starttls_ends_the_session)
{
	config.tls = LISTENER_TLS_STARTTLS;
	run(injects);
}
END_TEST

/* --- Attributes --- */

static void sets_attributes(void)
{
	int fd = greeted();
	struct ph_value value = { .type = PH_NIL };
	ph_conn_set_attribute(last_conn, "helo", PH_STR("one"));
	ph_conn_set_attribute(last_conn, "other", PH_STR("two"));
	ph_conn_set_attribute(last_conn, "helo", PH_STR("three"));
	ck_assert(ph_str_eq(ph_conn_attribute(last_conn, "helo"), PH_STR("three")));
	ck_assert(ph_str_eq(ph_conn_attribute(last_conn, "none"), PH_STR("")));
	ph_session_type.get_other(last_conn, PH_STR("other"), &value);
	ck_assert(value.type == PH_STRING && ph_str_eq(value.string, PH_STR("two")));
	ph_conn_set_user(last_conn, PH_STR("alice"));
	ck_assert(ph_str_eq(ph_conn_user(last_conn), PH_STR("alice")));
	for (const struct ph_object_field *field = ph_session_type.fields; field->name; field++) {
		value = (struct ph_value){ .type = PH_NIL };
		field->get(last_conn, &value);
		ck_assert(value.type == field->type ||
			  (strcmp(field->name, "tls") == 0 && value.type == PH_NIL));
	}
	quit(fd);
}

START_TEST(sessions_have_fields_and_attributes)
{
	run(sets_attributes);
}
END_TEST

/* --- Unix sockets --- */

static void connects_locally(void)
{
	struct listen_address address;
	ck_assert_int_eq(listen_address_parse(ph_str(config.address), &address, NULL), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address.storage, address.len), 0);
	client_expect(fd, "hello\r\n");
	ck_assert_str_eq(ph_conn_remote_ip(last_conn), "");
	quit(fd);
}

START_TEST(unix_sockets)
{
	char folder[] = "/tmp/posthorn-test-XXXXXX", address[64];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s/socket", folder);
	config.address = address;
	run(connects_locally);
	run(connects_locally);
	unlink(address + 5);
	rmdir(folder);
}
END_TEST

static const struct {
	const char *text;
	bool good;
} addresses[] = {
	{ "127.0.0.1:25", true },
	{ "[::1]:25", true },
	{ "25", true },
	{ "unix:/run/socket", true },
	{ "unix:socket", false },
	{ "unix:", false },
	{ "", false },
	{ ":25", false },
	{ "::1:25", false },
	{ "[127.0.0.1]:25", false },
	{ "localhost:25", false },
	{ "127.0.0.1:65536", false },
	{ "127.0.0.1:", false },
	{ "127.0.0.1", false },
};

START_TEST(listen_addresses)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct listen_address address;
		int result = listen_address_parse(ph_str(addresses[i].text), &address, NULL);
		ck_assert_msg((result == 0) == addresses[i].good, "%s", addresses[i].text);
	}
	config.proxy = true;
	struct ph_error error;
	ck_assert_int_eq(listener_validate(&config, &error), PH_E_INVALID);
	const char *const networks[] = { "10.0.0.0/33" };
	config.proxy_from = (struct ph_text_list){ networks, 1 };
	ck_assert_int_eq(listener_validate(&config, &error), PH_E_INVALID);
}
END_TEST

static const struct {
	const char *network;
	const char *address;
	bool inside;
} memberships[] = {
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.1.2.128/25", "10.1.2.129", true },
	{ "10.1.2.128/25", "10.1.2.127", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "0.0.0.0/0", "8.8.8.8", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
};

START_TEST(networks)
{
	for (size_t i = 0; i < sizeof(memberships) / sizeof(memberships[0]); i++) {
		struct network network;
		struct sockaddr_storage address = { .ss_family = AF_INET };
		struct sockaddr_in *ipv4 = (void *)&address;
		struct sockaddr_in6 *ipv6 = (void *)&address;
		ck_assert_int_eq(network_parse(ph_str(memberships[i].network), &network, NULL), 0);
		if (inet_pton(AF_INET, memberships[i].address, &ipv4->sin_addr) != 1) {
			address.ss_family = AF_INET6;
			ck_assert_int_eq(inet_pton(AF_INET6, memberships[i].address, &ipv6->sin6_addr), 1);
		}
		ck_assert_msg(network_has(&network, (struct sockaddr *)&address) == memberships[i].inside,
			"%s in %s", memberships[i].address, memberships[i].network);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conn");
	TCase *tests = tcase_create("conn");
	tcase_add_checked_fixture(tests, setup, ph_loop_free);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_connection_from_greeting_to_end);
	tcase_add_test(tests, pipelined_commands_are_answered_in_order);
	tcase_add_test(tests, pipelined_answers_are_sent_together);
	tcase_add_test(tests, a_flood_does_not_starve_others);
	tcase_add_test(tests, events_run_between_turns);
	tcase_add_test(tests, rest_holds_no_fiber_and_no_buffers);
	tcase_add_test(tests, lines_whole_and_byte_by_byte);
	tcase_add_test(tests, long_lines_are_skipped_in_bounded_memory);
	tcase_add_test(tests, peek_and_consume);
	tcase_add_test(tests, slow_readers_get_everything);
	tcase_add_test(tests, readers_that_stop_are_dropped);
	tcase_add_test(tests, half_closed_clients_get_their_answers);
	tcase_add_test(tests, clients_that_vanish_end_their_session);
	tcase_add_test(tests, idle_clients_are_told_and_closed);
	tcase_add_test(tests, a_turn_has_an_end);
	tcase_add_test(tests, shutdown_lets_turns_finish);
	tcase_add_test(tests, input_is_wiped);
	tcase_add_test(tests, connections_are_bounded);
	tcase_add_test(tests, descriptors_are_kept_for_files);
	tcase_add_test(tests, policy_decides_about_connections);
	tcase_add_test(tests, proxy_headers_tell_the_client);
	tcase_add_test(tests, proxy_headers_from_others_are_refused);
	tcase_add_test(tests, plaintext_behind_starttls_ends_the_session);
	tcase_add_test(tests, sessions_have_fields_and_attributes);
	tcase_add_test(tests, unix_sockets);
	tcase_add_test(tests, listen_addresses);
	tcase_add_test(tests, networks);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
