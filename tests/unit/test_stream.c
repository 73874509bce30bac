/* Connections that the program opens itself, to an echo server on another fiber: lines and bytes, deadlines,
 * TLS, and certificates that must not be believed. */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <posthorn/conn.h>
#include <posthorn/mem.h>
#include <posthorn/stream.h>

#include "../../core/conn_struct.h"
#include "../../core/layer_tls.h"
#include "conn_client.h"
#include "temporary.h"

/* --- The server: echoes lines; STARTTLS, with more behind its answer when it was EARLY; BIG; MUTE --- */

enum { BIG = 300000 };

static enum ph_turn echo_open(struct ph_conn *conn, void *session)
{
	(void)session;
	ph_conn_text(conn, "hello\r\n");
	return PH_TURN_KEEP;
}

static enum ph_turn echo_input(struct ph_conn *conn, void *session)
{
	struct ph_line line;
	(void)session;
	if (ph_conn_read_line(conn, 10000, &line) <= 0 || ph_str_eq(line.text, PH_STR("QUIT")))
		return PH_TURN_CLOSE;
	if (ph_str_eq(line.text, PH_STR("EARLY"))) {
		ph_conn_text(conn, "go\r\ninjected\r\n");
	} else if (ph_str_eq(line.text, PH_STR("STARTTLS"))) {
		ph_conn_text(conn, "go\r\n");
		return ph_conn_starttls(conn) < 0 ? PH_TURN_CLOSE : PH_TURN_KEEP;
	} else if (ph_str_eq(line.text, PH_STR("BIG"))) {
		char *big = ph_alloc(BIG);
		memset(big, 'b', BIG);
		ph_conn_write_long(conn, ph_str_of(big, BIG));
		ph_conn_text(conn, "\r\n");
		free(big);
	} else if (!ph_str_eq(line.text, PH_STR("MUTE"))) {
		ph_conn_printf(conn, "<%.*s>\r\n", PH_STR_ARGS(line.text));
	}
	return PH_TURN_KEEP;
}

static const struct ph_protocol echo_protocol = {
	.name = "echo",
	.summary = "A protocol for tests.",
	.open = echo_open,
	.input = echo_input,
};

/* --- Server and files --- */

static char folder[TEMPORARY_MAX], certificate[TEMPORARY_MAX + 8], key[TEMPORARY_MAX + 8];
static struct listener_config config;
static uint16_t port;
static void (*current)(void);

static void setup(void)
{
	struct tls_config tls = { certificate, key, "", TLS_MINIMUM_1_2, 500 };
	make_temporary(folder);
	snprintf(certificate, sizeof(certificate), "%s/crt", folder);
	snprintf(key, sizeof(key), "%s/key", folder);
	ck_assert_int_eq(tls_make_self_signed(certificate, key, "mail.example", NULL), 0);
	ck_assert_int_eq(tls_load(&tls, NULL), 0);
	config = (struct listener_config){ .name = "echo",
		.protocol = "echo",
		.address = "127.0.0.1:0",
		.tls = LISTENER_TLS_STARTTLS,
		.idle_timeout = 10000,
		.write_timeout = 10000,
		.speaks = &echo_protocol };
	ph_loop_init();
}

static void teardown(void)
{
	ph_loop_free();
	tls_unload();
	remove_temporary(folder);
}

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
	int listening = listener_bind(&config, &error);
	ck_assert_msg(listening >= 0, "%s", error.detail);
	port = (uint16_t)client_port_of(listening);
	current = test;
	listener_start(&config, listening);
	ph_fiber_start("test", run_current, NULL);
	ph_loop_run();
	listener_free_all();
}

static struct ph_stream *open_stream(const char *host)
{
	struct ph_error error = { 0 };
	struct ph_stream *stream = ph_stream_open(host, port, ph_now() + 5000, &error);
	ck_assert_msg(stream != NULL, "%s", error.detail);
	return stream;
}

static void expect_line(struct ph_stream *stream, const char *text)
{
	struct ph_line line;
	ck_assert_int_eq(ph_stream_read_line(stream, 1000, &line), 1);
	ck_assert_msg(ph_str_eq(line.text, ph_str(text)), "%.*s", PH_STR_ARGS(line.text));
}

static void ask(struct ph_stream *stream, const char *line)
{
	ck_assert_int_eq(ph_stream_write(stream, ph_str(line)), 0);
	ck_assert_int_eq(ph_stream_write(stream, PH_STR("\r\n")), 0);
}

/* --- Tests --- */

static void reads_and_writes(void)
{
	struct ph_stream *stream = open_stream("localhost");
	struct ph_str bytes;
	size_t got = 0;
	expect_line(stream, "hello");
	ask(stream, "abc");
	expect_line(stream, "<abc>");
	ask(stream, "BIG\r\nafter");
	while (got < BIG) {
		ck_assert_int_eq(ph_stream_read(stream, BIG - got, &bytes), 1);
		ck_assert_uint_gt(bytes.len, 0);
		ck_assert(bytes.data[0] == 'b' && bytes.data[bytes.len - 1] == 'b');
		got += bytes.len;
	}
	expect_line(stream, "");
	expect_line(stream, "<after>");
	ask(stream, "QUIT");
	ck_assert_int_eq(ph_stream_read(stream, 1, &bytes), 0);
	ph_stream_close(&stream);
	ck_assert_ptr_null(stream);
}

START_TEST(bytes_go_both_ways)
{
	run(reads_and_writes);
}
END_TEST

static void waits_in_vain(void)
{
	struct ph_stream *stream = open_stream("127.0.0.1");
	struct ph_line line;
	ph_msec before = ph_now();
	expect_line(stream, "hello");
	ask(stream, "MUTE");
	ph_stream_set_deadline(stream, ph_now() + 20);
	ck_assert_int_eq(ph_stream_read_line(stream, 1000, &line), PH_E_TIMEOUT);
	ck_assert_int_ge(ph_now() - before, 20);
	ph_stream_close(&stream);
	/* More than it may be. */
	stream = open_stream("127.0.0.1");
	expect_line(stream, "hello");
	ask(stream, "BIG");
	ck_assert_int_eq(ph_stream_read_line(stream, 1000000, &line), PH_E_LIMIT);
	ph_stream_close(&stream);
}

START_TEST(deadlines_and_limits_hold)
{
	run(waits_in_vain);
}
END_TEST

/* Who sends without end is not read beyond the deadline either. */
static void listens_to_a_flood(void)
{
	struct ph_stream *stream = open_stream("127.0.0.1");
	struct ph_str bytes;
	int result;
	expect_line(stream, "hello");
	ph_stream_set_deadline(stream, ph_now() + 50);
	do {
		ask(stream, "BIG");
		result = ph_stream_read(stream, BIG, &bytes);
	} while (result == 1);
	ck_assert_int_eq(result, PH_E_TIMEOUT);
	ph_stream_close(&stream);
}

START_TEST(a_flood_ends)
{
	run(listens_to_a_flood);
}
END_TEST

static void finds_nobody(void)
{
	struct ph_error error = { 0 };
	int unused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(unused, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_ptr_null(
		ph_stream_open("127.0.0.1", (uint16_t)client_port_of(unused), ph_now() + 5000, &error));
	ck_assert_int_eq(error.code, PH_E_CLOSED);
	ck_assert_ptr_nonnull(strstr(error.detail, "refused"));
	ck_assert_ptr_null(ph_stream_open("127.0.0.1", port, ph_now() - 1, &error));
	ck_assert_int_eq(error.code, PH_E_TIMEOUT);
	close(unused);
}

START_TEST(nobody_there)
{
	run(finds_nobody);
}
END_TEST

static int start_tls(const char *command, const char *authorities, const char *host, struct ph_error *error)
{
	struct ph_trust *trust = ph_trust_new(authorities, error);
	struct ph_stream *stream = open_stream("127.0.0.1");
	int result;
	ck_assert_ptr_nonnull(trust);
	expect_line(stream, "hello");
	ask(stream, command);
	expect_line(stream, "go");
	result = ph_stream_start_tls(stream, trust, host, error);
	if (result == 0) {
		ask(stream, "secret");
		expect_line(stream, "<secret>");
	}
	ph_stream_close(&stream);
	ph_trust_free(&trust);
	return result;
}

static void speaks_tls(void)
{
	struct ph_error error = { 0 };
	char other[TEMPORARY_MAX + 8];
	ck_assert_msg(start_tls("STARTTLS", certificate, "mail.example", &error) == 0, "%s", error.detail);
	ck_assert_msg(start_tls("STARTTLS", certificate, "MAIL.example", &error) == 0, "%s", error.detail);
	/* Another's certificate. */
	ck_assert_int_eq(start_tls("STARTTLS", certificate, "other.example", &error), PH_E_DENIED);
	ck_assert_ptr_nonnull(strstr(error.detail, "mismatch"));
	ck_assert_int_eq(start_tls("STARTTLS", certificate, "10.0.0.1", &error), PH_E_DENIED);
	ck_assert_int_lt(start_tls("STARTTLS", certificate, "", &error), 0);
	/* One that nobody vouches for. */
	ck_assert_int_eq(start_tls("STARTTLS", NULL, "mail.example", &error), PH_E_DENIED);
	snprintf(other, sizeof(other), "%s/other", folder);
	ck_assert_int_eq(tls_make_self_signed(other, key, "mail.example", NULL), 0);
	ck_assert_int_eq(start_tls("STARTTLS", other, "mail.example", &error), PH_E_DENIED);
	/* No TLS, and words that were not encrypted. */
	ck_assert_int_eq(start_tls("EARLY", certificate, "mail.example", &error), PH_E_INVALID);
	ck_assert_ptr_null(ph_trust_new(key, &error));
	ck_assert_int_eq(error.code, PH_E_INVALID);
}

START_TEST(certificates_are_verified)
{
	run(speaks_tls);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tests = tcase_create("stream");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, bytes_go_both_ways);
	tcase_add_test(tests, deadlines_and_limits_hold);
	tcase_add_test(tests, a_flood_ends);
	tcase_add_test(tests, nobody_there);
	tcase_add_test(tests, certificates_are_verified);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
