/* The AUTHORIZATION state: USER and PASS, AUTH (RFC 5034), STLS (RFC 2595), and what follows a login: the
 * hook pop3.login and the opening of the maildrop. */
#include <config.h>

#include "session.h"

#include <stdlib.h>

#include <posthorn/log.h>

struct ph_hook_point pop3_login_hook = {
	.name = "pop3.login",
	.decides = true,
	.help = "After a successful login, before the maildrop is locked and opened. 'rewrite' serves "
		"another mailbox of "
		"the account as the maildrop.",
	.arguments =
		(const struct ph_hook_argument[]){
			{ "mailbox", PH_STRING, NULL, "the mailbox that will be served: \"INBOX\"" }, { 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_REWRITE) | PH_ALLOWS(PH_DISCONNECT),
	.on_failure = { .kind = PH_DEFER,
		.text = PH_STR_INIT("cannot open the maildrop now, try again later") },
	.example = "posthorn.on(\"pop3.login\", function(session, mailbox)\n"
		   "  if session.user == \"printer@example.org\" then\n"
		   "    return posthorn.rewrite(\"Faxes\")\n"
		   "  end\n"
		   "end)",
};

/* --- The maildrop --- */

static struct ph_str words(const struct ph_verdict *verdict, const char *otherwise)
{
	return verdict->text.len ? verdict->text : ph_str(otherwise);
}

/* May park: asks the policies which mailbox to serve. False when the login is refused, which is answered. */
static bool choose_mailbox(struct session *session, struct ph_pool *pool, struct ph_str *mailbox_r)
{
	struct ph_verdict verdict = { .kind = PH_PASS };
	*mailbox_r = PH_STR("INBOX");
	if (ph_hook_wanted(&pop3_login_hook))
		ph_hook_run(&pop3_login_hook, session->conn, &PH_VALUE_STR(*mailbox_r), pool, &verdict);
	switch (verdict.kind) {
	case PH_REJECT:
		reply_error(session, "[AUTH] %.*s", PH_STR_ARGS(words(&verdict, "login refused")));
		return false;
	case PH_DEFER:
		reply_error(session, "[SYS/TEMP] %.*s", PH_STR_ARGS(words(&verdict, "try again later")));
		return false;
	case PH_DISCONNECT:
		reply_error(session, "[SYS/PERM] %.*s", PH_STR_ARGS(words(&verdict, "login refused")));
		session->closing = true;
		return false;
	case PH_REWRITE:
		*mailbox_r = verdict.value;
		return true;
	default:
		return true;
	}
}

static bool open_maildrop(struct session *session, const struct ph_login *login, struct ph_str mailbox)
{
	struct ph_error error = { 0 };
	int code = maildrop_open(&session->maildrop, pop3_store, login->actor, mailbox, &error);
	if (code == PH_E_BUSY)
		reply_error(session, "[IN-USE] another session has the maildrop");
	else if (code < 0)
		reply_trouble(session, "maildrop not opened", &error);
	return code == 0;
}

static void logged_in(struct session *session, const struct ph_login *login, struct ph_pool *pool)
{
	struct ph_str mailbox;
	if (!choose_mailbox(session, pool, &mailbox) || !open_maildrop(session, login, mailbox)) {
		ph_conn_set_user(session->conn, PH_STR(""));
		return;
	}
	session->state = TRANSACTION;
	reply_ok(session, "%u messages", session->maildrop.count);
	ph_log(PH_LOG_INFO, "maildrop opened", PH_LOG_STR("user", login->user),
		PH_LOG_STR("mailbox", mailbox), PH_LOG_NUMBER("messages", session->maildrop.count));
}

/* --- Logging in --- */

/* Answers what became of a login, with the response codes of RFC 3206. */
static void login_ended(struct session *session, int code, const struct ph_login *login, struct ph_pool *pool,
	const struct ph_error *error)
{
	switch (code) {
	case 0:
		logged_in(session, login, pool);
		break;
	case PH_E_DENIED:
		reply_error(session, "[AUTH] %s", error->client);
		break;
	case PH_E_LIMIT:
		reply_error(session, "[AUTH] %s; too many failures", error->client);
		session->closing = true;
		break;
	case PH_E_UNAVAILABLE:
		reply_error(session, "[SYS/TEMP] %s", error->client);
		break;
	case PH_E_INVALID:
	case PH_E_UNSUPPORTED:
		reply_bad(session, error->client);
		break;
	default: /* the connection ended */
		session->closing = true;
	}
}

void command_user(void *arg, void *call_arg)
{
	struct session *session = arg;
	const struct call *call = call_arg;
	if (!ph_conn_may_login(session->conn)) {
		reply_bad(session, "encryption is required to log in");
		return;
	}
	free(session->user);
	session->user = ph_str_dup(call->argument);
	reply_ok(session, "now the password");
}

void command_pass(void *arg, void *call_arg)
{
	struct session *session = arg;
	const struct call *call = call_arg;
	struct ph_error error = { 0 };
	struct ph_login login;

	if (!session->user) {
		reply_bad(session, "USER comes first");
		return;
	}
	int code = pop3_auth->password(
		session->conn, ph_str(session->user), call->argument, call->pool, &login, &error);
	free(session->user);
	session->user = NULL;
	login_ended(session, code, &login, call->pool, &error);
}

/* A ph_sasl_carrier's challenge. */
static int exchange(void *arg, struct ph_str challenge, struct ph_str *response_r)
{
	struct ph_conn *conn = arg;
	struct ph_line line;
	int code = ph_conn_printf(conn, "+ %.*s\r\n", PH_STR_ARGS(challenge));
	if (code < 0 || (code = ph_conn_flush(conn)) < 0)
		return code;
	code = ph_conn_read_line(conn, LINE_MAX_LEN, &line);
	if (code <= 0)
		return code == 0 ? PH_E_CLOSED : code;
	if (line.bare_lf || line.bare_cr || line.nul || ph_str_eq(line.text, PH_STR("*")))
		return PH_E_INVALID;
	*response_r = line.text;
	return 0;
}

void command_auth(void *arg, void *call_arg)
{
	struct session *session = arg;
	const struct call *call = call_arg;
	const struct ph_sasl_carrier carrier = { exchange, session->conn };
	struct ph_error error = { 0 };
	struct ph_str mechanism, initial;
	struct ph_login login;

	if (!parse_auth(call->argument, &mechanism, &initial)) {
		reply_bad(session, "give a mechanism and perhaps an initial response");
		return;
	}
	int code = pop3_auth->authenticate(
		session->conn, mechanism, initial, &carrier, call->pool, &login, &error);
	login_ended(session, code, &login, call->pool, &error);
}

void command_apop(void *session, void *call)
{
	(void)call;
	reply_bad(session, "APOP is not offered");
}

void command_stls(void *arg, void *call)
{
	struct session *session = arg;
	(void)call;
	if (!ph_conn_can_starttls(session->conn)) {
		reply_bad(session,
			ph_conn_is_encrypted(session->conn) ? "TLS is on already" : "TLS is not available");
		return;
	}
	reply_ok(session, "begin TLS");
	free(session->user); /* RFC 2595, section 4: what was said before counts for nothing */
	session->user = NULL;
	if (ph_conn_starttls(session->conn) < 0)
		session->closing = true;
}
