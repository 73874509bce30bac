/* TLS connections: from the start and by STARTTLS, certificates by name, resumption, ALPN, and clients that
 * talk nonsense. The client is OpenSSL's own, on a fiber. */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <posthorn/conn.h>
#include <posthorn/mem.h>

#include "../../core/conn_struct.h"
#include "../../core/layer_tls.h"
#include "conn_client.h"

/* --- The protocol: echoes lines; STARTTLS; BIG --- */

enum { BIG = 2000000 };

static int starttls_result;
static struct ph_conn *last_conn;

static enum ph_turn echo_open(struct ph_conn *conn, void *session)
{
	(void)session;
	last_conn = conn;
	ph_conn_text(conn, "hello\r\n");
	return PH_TURN_KEEP;
}

static enum ph_turn switch_to_tls(struct ph_conn *conn)
{
	ph_conn_text(conn, ph_conn_can_starttls(conn) ? "go\r\n" : "no\r\n");
	starttls_result = ph_conn_starttls(conn);
	return starttls_result < 0 ? PH_TURN_CLOSE : PH_TURN_KEEP;
}

static enum ph_turn echo_input(struct ph_conn *conn, void *session)
{
	struct ph_line line;
	(void)session;
	if (ph_conn_read_line(conn, 10000, &line) <= 0)
		return PH_TURN_CLOSE;
	if (ph_str_eq(line.text, PH_STR("STARTTLS")))
		return switch_to_tls(conn);
	if (ph_str_eq(line.text, PH_STR("BIG"))) {
		char *big = ph_alloc(BIG);
		memset(big, 'b', BIG);
		ph_conn_text(conn, "big\r\n");
		ph_conn_write_long(conn, (struct ph_str){ big, BIG });
		free(big);
		return PH_TURN_KEEP;
	}
	ph_conn_printf(conn, "<%.*s>\r\n", PH_STR_ARGS(line.text));
	return PH_TURN_KEEP;
}

static const struct ph_protocol echo_protocol = {
	.name = "echo",
	.summary = "A protocol for tests.",
	.alpn = "echo",
	.open = echo_open,
	.input = echo_input,
};

/* --- Server and files --- */

static char folder[32], certificate[64], key[64], names[64];
static struct listener_config config;
static int port;
static void (*current)(void);

static void make_pair(const char *directory, const char *name)
{
	char certificate_path[128], key_path[128];
	struct ph_error error;
	snprintf(certificate_path, sizeof(certificate_path), "%s/%s.crt", directory, name);
	snprintf(key_path, sizeof(key_path), "%s/%s.key", directory, name);
	int result = tls_make_self_signed(certificate_path, key_path, name, &error);
	ck_assert_msg(result == 0, "%s", error.detail);
}

static void load(void)
{
	struct ph_error error;
	struct tls_config tls = { certificate, key, names, TLS_MINIMUM_1_2, 500 };
	int result = tls_load(&tls, &error);
	ck_assert_msg(result == 0, "%s", error.detail);
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/posthorn-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(names, sizeof(names), "%s/names", folder);
	ck_assert_int_eq(mkdir(names, 0700), 0);
	make_pair(folder, "mail.example");
	make_pair(names, "other.example");
	snprintf(certificate, sizeof(certificate), "%s/mail.example.crt", folder);
	snprintf(key, sizeof(key), "%s/mail.example.key", folder);
	load();
	config = (struct listener_config){ .name = "echo",
		.protocol = "echo",
		.address = "127.0.0.1:0",
		.tls = LISTENER_TLS_IMPLICIT,
		.idle_timeout = 10000,
		.write_timeout = 10000,
		.speaks = &echo_protocol };
	ph_loop_init();
}

static void remove_file(const char *directory, const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
}

static void teardown(void)
{
	ph_loop_free();
	tls_unload();
	remove_file(folder, "mail.example.crt");
	remove_file(folder, "mail.example.key");
	remove_file(names, "other.example.crt");
	remove_file(names, "other.example.key");
	rmdir(names);
	rmdir(folder);
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
	port = client_port_of(listening);
	current = test;
	listener_start(&config, listening);
	ph_fiber_start("test", run_current, NULL);
	ph_loop_run();
	listener_free_all();
}

/* --- The client --- */

struct tls_client {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

/* Waits for what the last call wanted; false when it failed for good. */
static bool client_wait(struct tls_client *client, int returned)
{
	int wanted = SSL_get_error(client->ssl, returned);
	if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
		return false;
	int events = wanted == SSL_ERROR_WANT_READ ? PH_READABLE : PH_WRITABLE;
	ck_assert_int_gt(ph_io_wait(client->fd, events, ph_now() + 5000), 0);
	return true;
}

static bool tls_client_start(
	struct tls_client *client, int fd, const char *name, const char *alpn, SSL_SESSION *session)
{
	int returned;
	client->fd = fd;
	client->context = SSL_CTX_new(TLS_client_method());
	client->ssl = SSL_new(client->context);
	SSL_set_fd(client->ssl, fd);
	if (name)
		SSL_set_tlsext_host_name(client->ssl, name);
	if (alpn)
		SSL_set_alpn_protos(client->ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
	if (session)
		SSL_set_session(client->ssl, session);
	while ((returned = SSL_connect(client->ssl)) != 1)
		if (!client_wait(client, returned))
			return false;
	return true;
}

static void tls_client_send(struct tls_client *client, const char *text)
{
	size_t sent;
	int returned;
	while ((returned = SSL_write_ex(client->ssl, text, strlen(text), &sent)) != 1)
		ck_assert(client_wait(client, returned));
}

static size_t tls_client_receive(struct tls_client *client, char *data, size_t len)
{
	size_t got;
	int returned;
	while ((returned = SSL_read_ex(client->ssl, data, len, &got)) != 1)
		if (!client_wait(client, returned))
			return 0;
	return got;
}

static void tls_client_expect(struct tls_client *client, const char *expected)
{
	char got[256];
	size_t len = 0;
	while (len < strlen(expected)) {
		size_t more = tls_client_receive(client, got + len, strlen(expected) - len);
		if (!more)
			break;
		len += more;
	}
	got[len] = '\0';
	ck_assert_str_eq(got, expected);
}

static void tls_client_end(struct tls_client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	close(client->fd);
	ERR_clear_error();
}

static void expect_certificate(struct tls_client *client, const char *name)
{
	char subject[128];
	X509 *peer = SSL_get1_peer_certificate(client->ssl);
	ck_assert_ptr_nonnull(peer);
	X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, subject, sizeof(subject));
	X509_free(peer);
	ck_assert_str_eq(subject, name);
}

/* --- Tests --- */

static void talks(void)
{
	struct tls_client client;
	ck_assert(tls_client_start(&client, client_connect(port), "mail.example", NULL, NULL));
	expect_certificate(&client, "mail.example");
	tls_client_expect(&client, "hello\r\n");
	ck_assert(ph_conn_is_encrypted(last_conn));
	ck_assert(!ph_conn_can_starttls(last_conn));
	ck_assert_str_eq(ph_conn_tls_version(last_conn), "TLSv1.3");
	ck_assert_ptr_nonnull(strstr(ph_conn_tls_cipher(last_conn), "TLS_"));
	ck_assert_str_eq(conn_tls_server_name(last_conn), "mail.example");
	tls_client_send(&client, "abc\r\ndef\r\n");
	tls_client_expect(&client, "<abc>\r\n<def>\r\n");
	ph_fiber_sleep(5);
	ck_assert_ptr_null(last_conn->in);
	tls_client_send(&client, "again\r\n");
	tls_client_expect(&client, "<again>\r\n");
	SSL_shutdown(client.ssl);
	char rest[8];
	ck_assert_uint_eq(tls_client_receive(&client, rest, sizeof(rest)), 0);
	tls_client_end(&client);
}

START_TEST(tls_from_the_start)
{
	run(talks);
}
END_TEST

static void asks_for_names(void)
{
	static const char *const asked[][2] = {
		{ "other.example", "other.example" },
		{ "OTHER.Example", "other.example" },
		{ "unknown.example", "mail.example" },
		{ NULL, "mail.example" },
	};
	for (size_t i = 0; i < 4; i++) {
		struct tls_client client;
		ck_assert(tls_client_start(&client, client_connect(port), asked[i][0], NULL, NULL));
		expect_certificate(&client, asked[i][1]);
		tls_client_expect(&client, "hello\r\n");
		tls_client_end(&client);
	}
}

START_TEST(certificates_by_name)
{
	run(asks_for_names);
}
END_TEST

static void resumes(void)
{
	struct tls_client client;
	ck_assert(tls_client_start(&client, client_connect(port), NULL, NULL, NULL));
	ck_assert(!SSL_session_reused(client.ssl));
	tls_client_expect(&client, "hello\r\n");
	SSL_SESSION *session = SSL_get1_session(client.ssl);
	SSL_shutdown(client.ssl);
	tls_client_end(&client);
	ck_assert(tls_client_start(&client, client_connect(port), NULL, NULL, session));
	ck_assert(SSL_session_reused(client.ssl));
	tls_client_expect(&client, "hello\r\n");
	tls_client_end(&client);
	SSL_SESSION_free(session);
}

START_TEST(sessions_resume)
{
	run(resumes);
}
END_TEST

static void offers_protocols(void)
{
	struct tls_client client;
	ck_assert(tls_client_start(&client, client_connect(port), NULL, "\4http\4echo", NULL));
	tls_client_expect(&client, "hello\r\n");
	tls_client_end(&client);
	ck_assert(!tls_client_start(&client, client_connect(port), NULL, "\4http\2h2", NULL));
	tls_client_end(&client);
}

START_TEST(other_protocols_are_refused)
{
	run(offers_protocols);
}
END_TEST

static void reads_much(void)
{
	struct tls_client client;
	char *big = malloc(BIG);
	ck_assert(tls_client_start(&client, client_connect(port), NULL, NULL, NULL));
	tls_client_expect(&client, "hello\r\n");
	tls_client_send(&client, "BIG\r\n");
	tls_client_expect(&client, "big\r\n");
	for (size_t got = 0; got < BIG;) {
		size_t more = tls_client_receive(&client, big + got, BIG - got);
		ck_assert_uint_gt(more, 0);
		got += more;
		if (got % 7 == 0)
			ph_fiber_sleep(1);
	}
	ck_assert(big[0] == 'b' && memcmp(big, big + 1, BIG - 1) == 0);
	free(big);
	tls_client_end(&client);
}

START_TEST(long_output)
{
	run(reads_much);
}
END_TEST

/* More than fits into one record, and more than fits into the buffer. */
static void sends_much(void)
{
	enum { LINES = 40, LENGTH = 9000 };
	struct tls_client client;
	char line[LENGTH + 3];
	memset(line, 'x', LENGTH);
	memcpy(line + LENGTH, "\r\n", 3);
	ck_assert(tls_client_start(&client, client_connect(port), NULL, NULL, NULL));
	tls_client_expect(&client, "hello\r\n");
	for (int i = 0; i < LINES; i++)
		tls_client_send(&client, line);
	char *answers = malloc(LINES * (LENGTH + 4));
	for (size_t got = 0; got < LINES * (LENGTH + 4);) {
		size_t more = tls_client_receive(&client, answers + got, LINES * (LENGTH + 4) - got);
		ck_assert_uint_gt(more, 0);
		got += more;
	}
	free(answers);
	tls_client_end(&client);
}

START_TEST(long_input)
{
	run(sends_much);
}
END_TEST

static void starts_tls(void)
{
	struct tls_client client;
	int fd = client_connect(port);
	client_expect(fd, "hello\r\n");
	ck_assert(!ph_conn_is_encrypted(last_conn));
	ck_assert(!ph_conn_may_login(last_conn));
	client_send(fd, "STARTTLS\r\n");
	client_expect(fd, "go\r\n");
	ck_assert(tls_client_start(&client, fd, NULL, NULL, NULL));
	tls_client_send(&client, "abc\r\n");
	tls_client_expect(&client, "<abc>\r\n");
	ck_assert_int_eq(starttls_result, 0);
	ck_assert(ph_conn_may_login(last_conn));
	tls_client_end(&client);
}

START_TEST(starttls)
{
	config.tls = LISTENER_TLS_STARTTLS;
	run(starts_tls);
}
END_TEST

static void injects(void)
{
	int fd = client_connect(port);
	client_expect(fd, "hello\r\n");
	client_send(fd, "STARTTLS\r\nabc\r\n");
	client_expect(fd, "go\r\n");
	client_expect_end(fd);
	ck_assert_int_eq(starttls_result, PH_E_INVALID);
	fd = client_connect(port);
	client_expect(fd, "hello\r\n");
	client_send(fd, "STARTTLS\r\n");
	client_expect(fd, "go\r\n");
	client_send(fd, "abc\r\ndef\r\nghi\r\n");
	char alert[64];
	while (client_receive(fd, alert, sizeof(alert)) > 0)
		ck_assert_int_eq(alert[0], 21);
	close(fd);
	ck_assert_int_lt(starttls_result, 0);
}

START_TEST(plaintext_behind_starttls_ends_the_session)
{
	config.tls = LISTENER_TLS_STARTTLS;
	run(injects);
}
END_TEST

static void talks_nonsense(void)
{
	char answer[64];
	int fd = client_connect(port);
	client_send(fd, "GET / HTTP/1.0\r\n\r\n");
	while (client_receive(fd, answer, sizeof(answer)) > 0)
		ck_assert_int_eq(answer[0], 21);
	close(fd);
	fd = client_connect(port);
	client_expect_end(fd);
	fd = client_connect(port);
	close(fd);
}

START_TEST(bad_handshakes_end)
{
	run(talks_nonsense);
}
END_TEST

START_TEST(loading_keeps_the_old_on_errors)
{
	struct ph_error error;
	struct tls_config bad[] = {
		{ "/nonexistent", key, "", TLS_MINIMUM_1_2, 500 },
		{ certificate, certificate, "", TLS_MINIMUM_1_2, 500 },
		{ certificate, key, "/nonexistent", TLS_MINIMUM_1_2, 500 },
		{ "", key, "", TLS_MINIMUM_1_2, 500 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_lt(tls_load(&bad[i], &error), 0);
		ck_assert_uint_gt(strlen(error.detail), 10);
		ck_assert(tls_available());
	}
	struct tls_config none = { "", "", "", TLS_MINIMUM_1_2, 500 };
	ck_assert_int_eq(tls_load(&none, &error), 0);
	ck_assert(!tls_available());
	struct stat status;
	ck_assert_int_eq(stat(key, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tests = tcase_create("tls");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, tls_from_the_start);
	tcase_add_test(tests, certificates_by_name);
	tcase_add_test(tests, sessions_resume);
	tcase_add_test(tests, other_protocols_are_refused);
	tcase_add_test(tests, long_output);
	tcase_add_test(tests, long_input);
	tcase_add_test(tests, starttls);
	tcase_add_test(tests, plaintext_behind_starttls_ends_the_session);
	tcase_add_test(tests, bad_handshakes_end);
	tcase_add_test(tests, loading_keeps_the_old_on_errors);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
