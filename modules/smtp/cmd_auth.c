/* AUTH (RFC 4954). */
#include <config.h>

#include "commands.h"

#include <posthorn/mem.h>

#include "reply.h"
#include "smtp.h"

/* RFC 4954, 4: the longest line of an exchange. */
#define RESPONSE_MAX 12288

struct exchange {
	struct session *session;
	int code; /* why reading ended, when it did */
};

bool auth_check(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;

	if (session->logged_in)
		reply(session, 503, "5.5.1", "Logged in already");
	else if (!session->extended)
		reply(session, 503, "5.5.1", "EHLO first");
	else if (call->arguments.len == 0)
		reply(session, 501, "5.5.4", "Syntax: AUTH mechanism [initial-response]");
	else if (!ph_conn_may_login(session->conn))
		reply(session, 538, "5.7.11", "Encryption is needed to log in");
	else
		return true;
	return false;
}

/* Sends "334 challenge" and reads the answer. */
static int challenge(void *arg, struct ph_str text, struct ph_str *response_r)
{
	struct exchange *exchange = arg;
	struct ph_conn *conn = exchange->session->conn;
	struct ph_line line;
	int code;

	ph_conn_printf(conn, "334 %.*s\r\n", PH_STR_ARGS(text));
	ph_conn_flush(conn);
	code = ph_conn_read_line(conn, RESPONSE_MAX, &line);
	if (code == 0)
		code = PH_E_CLOSED;
	if (code < 0) {
		exchange->code = code;
		return code;
	}
	*response_r = line.text;
	if (line.bare_lf || line.bare_cr || line.nul || ph_str_eq(line.text, PH_STR("*")))
		return PH_E_INVALID;
	return 0;
}

static void answer_failure(struct session *session, int code, const struct ph_error *error)
{
	switch (code) {
	case PH_E_UNSUPPORTED:
		reply(session, 504, "5.5.4", "This mechanism is not offered");
		break;
	case PH_E_DENIED:
		reply(session, 535, "5.7.8", "%s",
			error->client[0] ? error->client : "Authentication failed");
		break;
	case PH_E_INVALID:
		reply(session, 501, "5.5.2", "The exchange is malformed or was cancelled");
		break;
	case PH_E_LIMIT:
		reply(session, 421, "4.7.0", "%s Too many failures, closing", ph_core_config()->hostname);
		session->ending = true;
		break;
	default:
		reply(session, 454, "4.7.0", "Cannot authenticate now");
		break;
	}
}

/* The exchange broke off in the reading of a line. */
static void answer_broken(struct session *session, int code)
{
	if (code == PH_E_LIMIT) {
		reply(session, 500, "5.5.6", "The line is too long");
		return;
	}
	session->ending = true;
}

void auth_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct exchange exchange = { .session = session };
	struct ph_sasl_carrier carrier = { challenge, &exchange };
	struct ph_str mechanism, initial = call->arguments;
	struct ph_login login;
	int code;

	ph_str_split(&initial, ' ', &mechanism);
	initial = ph_str_trim(initial);
	if (initial.len == 0)
		initial.data = NULL;
	code = smtp_services.auth->authenticate(
		session->conn, mechanism, initial, &carrier, call->pool, &login, &call->error);
	ph_wipe((char *)initial.data, initial.len);
	if (exchange.code != 0) {
		answer_broken(session, exchange.code);
	} else if (code != 0) {
		answer_failure(session, code, &call->error);
	} else {
		session->logged_in = true;
		session->account = login.actor.account;
		reply(session, 235, "2.7.0", "Welcome");
	}
}
