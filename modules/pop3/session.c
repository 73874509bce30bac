/* The session: greeting, turns, the table of commands, and the words for its end. */
#include <config.h>

#include "session.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/log.h>

enum {
	LINE_TIMEOUT = 60 * 1000, /* for one command line, from its first byte */
	CALL_MEMORY = 256 * 1024,
};

/* --- Answers --- */

__attribute__((format(printf, 3, 0))) static void reply(
	struct session *session, const char *status, const char *format, va_list arguments)
{
	struct ph_buf line;
	ph_buf_init(&line, 510); /* RFC 2449, section 4: 512 with CRLF */
	ph_buf_add_text(&line, status);
	ph_buf_vprintf(&line, format, arguments);
	ph_conn_write(session->conn, ph_buf_str(&line));
	ph_conn_text(session->conn, "\r\n");
	ph_buf_free(&line);
}

void reply_ok(struct session *session, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	reply(session, "+OK ", format, arguments);
	va_end(arguments);
}

void reply_error(struct session *session, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	reply(session, "-ERR ", format, arguments);
	va_end(arguments);
}

void reply_trouble(struct session *session, const char *doing, const struct ph_error *error)
{
	bool is_damage = error->code == PH_E_CORRUPT && error->client[0] && !error->detail[0];

	/* Damage of a message was logged where it was met. */
	if (!is_damage)
		ph_log(PH_LOG_ERROR, doing, PH_LOG_TEXT("code", ph_code_name(error->code)),
			PH_LOG_ERROR_DETAIL(error));
	reply_error(session, "[SYS/%s] %s", is_damage ? "PERM" : "TEMP",
		error->client[0] ? error->client : "internal error, try again later");
}

void reply_bad(struct session *session, const char *text)
{
	if (++session->errors < (uint64_t)pop3_config.max_errors) {
		reply_error(session, "%s", text);
		return;
	}
	reply_error(session, "%s; too many errors", text);
	ph_log(PH_LOG_WARN, "too many errors", PH_LOG_TEXT("ip", ph_conn_remote_ip(session->conn)));
	session->closing = true;
}

/* --- Checks of arguments --- */

static bool refuse(struct session *session, const char *text)
{
	reply_bad(session, text);
	return false;
}

static bool takes_nothing(void *arg, void *call_arg)
{
	const struct call *call = call_arg;
	return call->argument.len == 0 || refuse(arg, "this command takes no arguments");
}

static bool takes_text(void *arg, void *call_arg)
{
	const struct call *call = call_arg;
	return call->argument.len > 0 || refuse(arg, "an argument is missing");
}

static bool takes_message(void *arg, void *call_arg)
{
	struct call *call = call_arg;
	return (parse_numbers(call->argument, &call->numbers) && call->numbers.count == 1) ||
	       refuse(arg, "give the number of a message");
}

static bool takes_message_or_nothing(void *arg, void *call_arg)
{
	struct call *call = call_arg;
	return (parse_numbers(call->argument, &call->numbers) && call->numbers.count <= 1) ||
	       refuse(arg, "give the number of a message, or nothing");
}

static bool takes_message_and_lines(void *arg, void *call_arg)
{
	struct call *call = call_arg;
	return (parse_numbers(call->argument, &call->numbers) && call->numbers.count == 2) ||
	       refuse(arg, "give the numbers of a message and of lines");
}

/* --- Commands of every state --- */

static void command_capa(void *arg, void *call)
{
	struct session *session = arg;
	struct ph_conn *conn = session->conn;
	const char *mechanisms = pop3_auth->mechanisms(conn);

	(void)call;
	reply_ok(session, "capabilities follow");
	ph_conn_text(conn, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
	if (ph_conn_may_login(conn))
		ph_conn_text(conn, "USER\r\n");
	if (mechanisms[0])
		ph_conn_printf(conn, "SASL %s\r\n", mechanisms);
	if (session->state == AUTHORIZATION && ph_conn_can_starttls(conn))
		ph_conn_text(conn, "STLS\r\n");
	ph_conn_text(conn, "IMPLEMENTATION Posthorn\r\n.\r\n");
}

static void command_noop(void *arg, void *call)
{
	(void)call;
	reply_ok(arg, "nothing done");
}

/* RFC 1939, section 6: the changes are made, the lock is let go, and only then the client hears of it. */
static void command_quit(void *arg, void *call)
{
	struct session *session = arg;
	struct maildrop *maildrop = &session->maildrop;
	struct ph_error error = { 0 };
	uint32_t deleted = maildrop->count - maildrop->kept;
	int code = 0;

	(void)call;
	session->closing = true;
	if (session->state == TRANSACTION) {
		code = maildrop_commit(maildrop, pop3_config.mark_seen, &error);
		maildrop_close(maildrop);
		ph_log(PH_LOG_INFO, "maildrop closed", PH_LOG_NUMBER("retrieved", session->retrieved),
			PH_LOG_NUMBER("deleted", code < 0 ? 0 : deleted));
	}
	if (code < 0)
		reply_trouble(session, "deleted messages were not removed", &error);
	else
		reply_ok(session, "goodbye");
}

const struct ph_command pop3_commands[] = {
	{ "USER", AUTHORIZATION, KEEPS_SPACES, takes_text, NULL, command_user },
	{ "PASS", AUTHORIZATION, KEEPS_SPACES, takes_text, NULL, command_pass },
	{ "AUTH", AUTHORIZATION, 0, takes_text, NULL, command_auth },
	{ "APOP", AUTHORIZATION, 0, NULL, NULL, command_apop },
	{ "STLS", AUTHORIZATION, 0, takes_nothing, NULL, command_stls },
	{ "CAPA", AUTHORIZATION | TRANSACTION, 0, takes_nothing, NULL, command_capa },
	{ "QUIT", AUTHORIZATION | TRANSACTION, 0, takes_nothing, NULL, command_quit },
	{ "NOOP", TRANSACTION, 0, takes_nothing, NULL, command_noop },
	{ "STAT", TRANSACTION, 0, takes_nothing, NULL, command_stat },
	{ "LIST", TRANSACTION, 0, takes_message_or_nothing, NULL, command_list },
	{ "UIDL", TRANSACTION, 0, takes_message_or_nothing, NULL, command_uidl },
	{ "RETR", TRANSACTION, 0, takes_message, NULL, command_retr },
	{ "TOP", TRANSACTION, 0, takes_message_and_lines, NULL, command_top },
	{ "DELE", TRANSACTION, 0, takes_message, NULL, command_dele },
	{ "RSET", TRANSACTION, 0, takes_nothing, NULL, command_rset },
	{ 0 },
};

/* --- Turns --- */

static enum ph_turn open_session(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;
	session->conn = conn;
	session->state = AUTHORIZATION;
	reply_ok(session, "%s Posthorn POP3 ready", ph_core_config()->hostname);
	return PH_TURN_KEEP;
}

static struct ph_str without_spaces_behind(struct ph_str s)
{
	while (s.len && s.data[s.len - 1] == ' ')
		s.len--;
	return s;
}

static void run_line(struct session *session, struct ph_str line, struct ph_pool *pool)
{
	struct call call = { .pool = pool };
	struct ph_str name;

	if (!parse_command(line, &name, &call.argument)) {
		reply_bad(session, "not a command");
		return;
	}
	const struct ph_command *command = ph_command_find(pop3_commands, name);
	if (!command) {
		reply_bad(session, "unknown command");
		return;
	}
	if (!(command->states & session->state)) {
		reply_bad(session, session->state == AUTHORIZATION ? "log in first" : "already logged in");
		return;
	}
	if (!(command->flags & KEEPS_SPACES))
		call.argument = without_spaces_behind(call.argument);
	ph_command_run(command, session, &call);
}

/* Runs a copy of the line, since reading on (in AUTH) makes the line itself invalid; it may hold a password.
 */
static void run_copy(struct session *session, struct ph_str line)
{
	struct ph_pool *pool = ph_pool_new(CALL_MEMORY);
	char *copy = ph_str_dup(line);

	run_line(session, ph_str_of(copy, line.len), pool);
	ph_wipe(copy, line.len);
	free(copy);
	ph_pool_free(&pool);
}

static void run_input(struct session *session, int code, const struct ph_line *line)
{
	if (code == PH_E_LIMIT)
		reply_bad(session, "the line is too long");
	else if (line->bare_lf || line->bare_cr || line->nul)
		reply_bad(session, "lines must end with CRLF and hold no CR, LF or NUL");
	else
		run_copy(session, line->text);
}

static enum ph_turn take_input(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;
	struct ph_line line = { 0 };

	ph_conn_set_turn_timeout(conn, LINE_TIMEOUT);
	int code = ph_conn_read_line(conn, LINE_MAX_LEN, &line);
	if (code <= 0 && code != PH_E_LIMIT)
		return PH_TURN_CLOSE;
	run_input(session, code, &line);
	return session->closing || ph_conn_error(conn) ? PH_TURN_CLOSE : PH_TURN_KEEP;
}

/* RFC 1939, section 3: a session that was idle for too long ends without a word, and removes nothing. */
static void say_goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	static const struct {
		const char *code, *text;
	} words[] = {
		[PH_GOODBYE_SHUTDOWN] = { "SYS/TEMP", "the server shuts down" },
		[PH_GOODBYE_TOO_MANY] = { "SYS/TEMP", "too many connections" },
		[PH_GOODBYE_REFUSED] = { "SYS/PERM", "connection refused" },
		[PH_GOODBYE_DEFERRED] = { "SYS/TEMP", "try again later" },
		[PH_GOODBYE_FAILED] = { "SYS/TEMP", "internal error" },
	};

	(void)session;
	if (reason == PH_GOODBYE_IDLE)
		return;
	ph_conn_printf(conn, "-ERR [%s] %.*s\r\n", words[reason].code,
		PH_STR_ARGS(text.len ? text : ph_str(words[reason].text)));
}

static void close_session(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;
	(void)conn;
	maildrop_close(&session->maildrop);
	free(session->user);
}

const struct ph_protocol pop3_protocol = {
	.name = "pop3",
	.summary = "POP3 (RFC 1939): clients that fetch their mail and go.",
	.alpn = "pop3",
	.session_size = sizeof(struct session),
	.open = open_session,
	.input = take_input,
	.goodbye = say_goodbye,
	.close = close_session,
};
