/* The module imap: commands as they come off a connection. A real connection speaks to the real session, over
 * a store and logins made for this; each dialogue is sent whole, then one byte at a time, and must be
 * answered the same. */
#include <config.h>

#include "../../modules/imap/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../core/conf_private.h"
#include "../../core/listen.h"
#include "../../core/metric_private.h"
#include "conn_client.h"

/* --- services --- */

static const char *fake_mechanisms(const struct ph_conn *conn)
{
	(void)conn;
	return "PLAIN";
}

static int fake_password(struct ph_conn *conn, struct ph_str user, struct ph_str password,
	struct ph_pool *pool, struct ph_login *login_r, struct ph_error *error)
{
	(void)conn;
	(void)pool;
	if (!ph_str_eq(user, PH_STR("al ice")) || !ph_str_eq(password, PH_STR("sec\"ret")))
		return ph_error_set(error, PH_E_DENIED, "wrong", NULL);
	*login_r = (struct ph_login){ .actor = { .account = 1 }, .user = user };
	return 0;
}

/* One challenge; the answer is told in the refusal. */
static int fake_authenticate(struct ph_conn *conn, struct ph_str mechanism, struct ph_str initial,
	const struct ph_sasl_carrier *carrier, struct ph_pool *pool, struct ph_login *login_r,
	struct ph_error *error)
{
	struct ph_str response = initial;
	int code = initial.data ? 0 : carrier->challenge(carrier->arg, PH_STR("Y2hhbGxlbmdl"), &response);

	(void)conn;
	(void)login_r;
	if (code != 0)
		return ph_error_set(error, code, "cancelled", NULL);
	return ph_error_set(error, PH_E_DENIED,
		ph_pool_printf(pool, "%.*s said %.*s", PH_STR_ARGS(mechanism), PH_STR_ARGS(response)).data,
		NULL);
}

static int fake_create(struct ph_actor actor, ph_account_id account, struct ph_str name, unsigned special_use,
	struct ph_error *error)
{
	char text[200];

	(void)actor;
	(void)account;
	(void)special_use;
	snprintf(text, sizeof(text), "<%.*s>", PH_STR_ARGS(name));
	return ph_error_set(error, PH_E_EXISTS, text, NULL);
}

static int fake_status(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct ph_mailbox_status *status_r, struct ph_error *error)
{
	(void)actor;
	(void)account;
	*status_r = (struct ph_mailbox_status){ 0 };
	return ph_str_eq(name, PH_STR("INBOX")) ? 0 : ph_error_set(error, PH_E_ABSENT, "none", NULL);
}

struct ph_draft {
	struct ph_buf bytes;
};

static struct ph_draft *fake_draft_new(void)
{
	struct ph_draft *draft = ph_alloc(sizeof(*draft));

	ph_buf_init(&draft->bytes, 1 << 20);
	return draft;
}

static int fake_draft_write(struct ph_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	ph_buf_add_str(&draft->bytes, bytes);
	if (memchr(bytes.data, '!', bytes.len))
		return ph_error_set(error, PH_E_FULL, "no space", NULL);
	return 0;
}

static int fake_draft_finish(
	struct ph_draft *draft, const struct ph_mime_message **message_r, struct ph_error *error)
{
	(void)draft;
	(void)error;
	*message_r = NULL;
	return 0;
}

static void fake_draft_free(struct ph_draft **draft)
{
	ph_buf_free(&(*draft)->bytes);
	free(*draft);
	*draft = NULL;
}

/* The UID tells what came: its length and the sum of its bytes. */
static int fake_deliver(struct ph_actor actor, struct ph_draft *draft, int64_t internal_date,
	int32_t internal_zone, struct ph_destination *destinations, size_t count, struct ph_error *error)
{
	(void)actor;
	(void)internal_date;
	(void)internal_zone;
	(void)count;
	(void)error;
	destinations[0].uid_validity = (uint32_t)draft->bytes.len;
	for (size_t i = 0; i < draft->bytes.len; i++)
		destinations[0].uid += (unsigned char)draft->bytes.data[i];
	return 0;
}

static void fake_uid_set_free(struct ph_uid_set *set)
{
	free(set->ranges);
}

static const struct ph_auth_service fake_auth = {
	.mechanisms = fake_mechanisms,
	.authenticate = fake_authenticate,
	.password = fake_password,
};

static const struct ph_store_service fake_store = {
	.mailbox_create = fake_create,
	.mailbox_status = fake_status,
	.draft_new = fake_draft_new,
	.draft_write = fake_draft_write,
	.draft_finish = fake_draft_finish,
	.draft_free = fake_draft_free,
	.deliver = fake_deliver,
	.uid_set_free = fake_uid_set_free,
};

/* --- running --- */

static const struct {
	struct ph_str said;
	struct ph_str answered;
} dialogues[] = {
	/* Literals of both kinds in one command, quoted strings, a password with a quote. */
	{ PH_STR_INIT("a LOGIN {6}\r\nal ice {7+}\r\nsec\"ret\r\n"
		      "b CREATE {5+}\r\na b/c\r\n"
		      "c CREATE \"q\\\\d\"\r\n"
		      "d CREATE {0+}\r\n x\r\n"
		      "e STATUS {5}\r\ninbox {3+}\r\n(ME\r\n"
		      "f LOGOUT\r\n"),
		PH_STR_INIT("+ OK\r\n"
			    "a OK [CAPABILITY *] Logged in\r\n"
			    "b NO [ALREADYEXISTS] <a b/c>\r\n"
			    "c NO [ALREADYEXISTS] <q\\d>\r\n"
			    "d BAD Unexpected text behind the arguments\r\n"
			    "+ OK\r\n"
			    "e BAD Expected \"(\"\r\n"
			    "* BYE Logging out\r\n"
			    "f OK LOGOUT completed\r\n") },
	/* Refused at the first line; what follows unasked for is skipped. */
	{ PH_STR_INIT("a CREATE {3+}\r\nabc {4+}\r\ndefg\r\n"
		      "b FROB {3+}\r\nabc\r\n"
		      "c SELECT {3}\r\n"
		      "d NOOP\r\n"
		      "{3+}\r\nabc\r\n"
		      "e LOGOUT\r\n"),
		PH_STR_INIT("a BAD Log in first\r\n"
			    "b BAD Unknown command\r\n"
			    "c BAD Log in first\r\n"
			    "d OK NOOP completed\r\n"
			    "* BAD Invalid tag\r\n"
			    "* BYE Logging out\r\n"
			    "e OK LOGOUT completed\r\n") },
	/* Messages. */
	{ PH_STR_INIT("a LOGIN \"al ice\" \"sec\\\"ret\"\r\n"
		      "b APPEND INBOX {5}\r\na\r\nb\n\r\n"
		      "c APPEND {5+}\r\nINBOX (\\Seen x) {3+}\r\n{1}\r\n"
		      "d APPEND Gone {3+}\r\nabc\r\n"
		      "e APPEND INBOX {3+}\r\n!bc\r\n"
		      "f APPEND INBOX {3+}\r\nabc {2+}\r\nde\r\n"
		      "g APPEND INBOX {200000+}\r\n"),
		PH_STR_INIT("a OK [CAPABILITY *] Logged in\r\n"
			    "+ OK\r\n"
			    "b OK [APPENDUID 5 228] APPEND completed\r\n"
			    "c OK [APPENDUID 3 297] APPEND completed\r\n"
			    "d NO [TRYCREATE] No such mailbox\r\n"
			    "e NO [UNAVAILABLE] no space\r\n"
			    "f BAD Unexpected text behind the message\r\n"
			    "g NO [TOOBIG] The message is larger than 100000 bytes\r\n") },
	/* Challenges, and what is no answer to one. */
	{ PH_STR_INIT("a AUTHENTICATE PLAIN\r\nYW5zd2Vy\r\n"
		      "b AUTHENTICATE PLAIN AGFiYw==\r\n"
		      "c AUTHENTICATE PLAIN\r\n*\r\n"
		      "d IDLE\r\n"
		      "e LOGOUT\r\n"),
		PH_STR_INIT("+ Y2hhbGxlbmdl\r\n"
			    "a NO [AUTHENTICATIONFAILED] PLAIN said YW5zd2Vy\r\n"
			    "b NO [AUTHENTICATIONFAILED] PLAIN said AGFiYw==\r\n"
			    "+ Y2hhbGxlbmdl\r\n"
			    "c BAD cancelled\r\n"
			    "d BAD Log in first\r\n"
			    "* BYE Logging out\r\n"
			    "e OK LOGOUT completed\r\n") },
	/* IDLE without a mailbox; lines with faults. */
	{ PH_STR_INIT("a LOGIN \"al ice\" \"sec\\\"ret\"\r\n"
		      "b IDLE\r\nDONE\r\n"
		      "c IDLE\r\nc2 NOOP\r\n"
		      "d NO\0OP\r\n"
		      "e NOOP\n"
		      "f NO\rOP\r\n"
		      "g\r\n"
		      "h UID FETCH 1 UID\r\n"
		      "i LOGOUT\r\n"),
		PH_STR_INIT("a OK [CAPABILITY *] Logged in\r\n"
			    "+ idling\r\n"
			    "b OK IDLE ended\r\n"
			    "+ idling\r\n"
			    "c BAD Expected DONE\r\n"
			    "d BAD NUL in the command\r\n"
			    "e BAD Lines end in CRLF\r\n"
			    "f BAD CR inside a line\r\n"
			    "g BAD Missing command\r\n"
			    "h BAD Select a mailbox first\r\n"
			    "* BYE Logging out\r\n"
			    "i OK LOGOUT completed\r\n") },
};

static const struct listener_config listener = {
	.name = "imap",
	.protocol = "imap",
	.address = "127.0.0.1:0",
	.plaintext_login = true,
	.idle_timeout = 10000,
	.write_timeout = 10000,
	.speaks = &imap_protocol,
};

static int port;
static int which;

/* All that is answered up to the end, without the greeting, and with capabilities as "*". */
static void receive_all(int fd, struct ph_buf *answer)
{
	char piece[4096];
	ssize_t got;
	char *capabilities;

	while ((got = client_receive(fd, piece, sizeof(piece))) > 0)
		ph_buf_add(answer, piece, (size_t)got);
	ph_buf_add_char(answer, '\0');
	answer->len--;
	ph_buf_consume(answer, (size_t)(strchr(answer->data, '\n') - answer->data) + 1);
	answer->data[answer->len] = '\0';
	capabilities = strstr(answer->data, "[CAPABILITY ");
	if (capabilities) {
		char *from = capabilities + strlen("[CAPABILITY ");
		char *to = strchr(from, ']');
		memmove(from + 1, to, strlen(to) + 1);
		*from = '*';
		answer->len -= (size_t)(to - from) - 1;
	}
}

static void talk(bool bytewise)
{
	struct ph_str said = dialogues[which].said;
	struct ph_buf answer;
	int fd = client_connect(port);

	ph_buf_init(&answer, 1 << 20);
	if (bytewise)
		client_trickle(fd, said.data, said.len);
	else
		client_send_bytes(fd, said.data, said.len);
	shutdown(fd, SHUT_WR);
	receive_all(fd, &answer);
	ck_assert_msg(ph_str_eq(ph_buf_str(&answer), dialogues[which].answered), "%s", answer.data);
	ph_buf_free(&answer);
	close(fd);
}

static void run(void *arg)
{
	ph_msec deadline = ph_now() + 5000;

	(void)arg;
	talk(false);
	talk(true);
	while (conn_count() > 0 && ph_now() < deadline)
		ph_fiber_sleep(1);
	ck_assert_uint_eq(conn_count(), 0);
	ph_loop_break();
}

START_TEST(test_dialogue)
{
	struct config config = { .pool = ph_pool_new(0), .file = "", .public = { .hostname = "test" } };
	struct ph_error error;
	int listening;

	config_apply(&config);
	which = _i;
	imap_config = (struct imap_config){ .max_line = 1000,
		.max_literal = 1000,
		.max_command = 5000,
		.max_message = 100000,
		.max_memory = 1 << 20,
		.max_bad = 10,
		.command_timeout = 10000,
		.idle_timeout = 10000 };
	store = &fake_store;
	auth = &fake_auth;
	ph_loop_init();
	listening = listener_bind(&listener, &error);
	ck_assert_msg(listening >= 0, "%s", error.detail);
	port = client_port_of(listening);
	listener_start(&listener, listening);
	ph_fiber_start("test", run, NULL);
	ph_loop_run();
	listener_free_all();
	turn_pools_free();
	ph_loop_free();
	ph_pool_free(&config.pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("imap: sessions");
	TCase *cases = tcase_create("sessions");
	SRunner *runner = srunner_create(suite);
	int failed;

	metric_open();
	imap_metrics_register();
	suite_add_tcase(suite, cases);
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, test_dialogue, 0, (int)(sizeof(dialogues) / sizeof(*dialogues)));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
