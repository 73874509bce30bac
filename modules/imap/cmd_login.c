/* Who is it: STARTTLS, LOGIN, AUTHENTICATE (RFC 3501, 6.2; SASL-IR, RFC 4959). */
#include "session.h"

bool check_starttls(void *session, void *pointer)
{
	struct call *call = pointer;

	if (!check_nothing(session, pointer))
		return false;
	if (ph_conn_can_starttls(call->conn))
		return true;
	if (ph_conn_is_encrypted(call->conn))
		reply_bad(call, "TLS is on already");
	else
		reply_no(call, "[UNAVAILABLE] TLS is not available here");
	return false;
}

void cmd_starttls(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;

	reply_ok(call, "Begin TLS now");
	if (ph_conn_starttls(call->conn) != 0)
		session->closing = true;
}

/* login = "LOGIN" SP userid SP password */
bool check_login(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	if (!parse_space(parser) || !parse_astring(parser, &call->login.user) || !parse_space(parser) ||
		!parse_astring(parser, &call->login.password) || !parse_end(parser))
		return reply_parse_error(call);
	if (ph_conn_may_login(call->conn))
		return true;
	reply_no(call, "[PRIVACYREQUIRED] Passwords are taken over TLS only");
	return false;
}

static void reply_welcome(struct call *call)
{
	struct ph_buf buf;

	ph_buf_init(&buf, 4096);
	print_capabilities(call->session, &buf);
	reply_ok(call, "[%.*s] Logged in", PH_STR_ARGS(ph_buf_str(&buf)));
	ph_buf_free(&buf);
}

static void reply_failure(struct call *call, int code, const struct ph_error *error)
{
	const char *text = error->client[0] ? error->client : "Login failed";

	switch (code) {
	case PH_E_DENIED:
		reply_no(call, "[AUTHENTICATIONFAILED] %s", text);
		break;
	case PH_E_INVALID:
		reply_bad(call, text);
		break;
	case PH_E_LIMIT:
		reply_no(call, "[AUTHENTICATIONFAILED] %s", text);
		say_bye(call->session, "Too many failed logins");
		break;
	case PH_E_UNSUPPORTED:
		if (ph_conn_may_login(call->conn))
			reply_no(call, "[CANNOT] No such mechanism");
		else
			reply_no(call, "[PRIVACYREQUIRED] Passwords are taken over TLS only");
		break;
	case PH_E_CLOSED:
	case PH_E_TIMEOUT:
		call->session->closing = true;
		break;
	default:
		reply_no(call, "[UNAVAILABLE] Logins cannot be checked now, try again later");
		break;
	}
}

static void finish_login(
	struct call *call, int code, const struct ph_login *login, const struct ph_error *error)
{
	if (code != 0) {
		reply_failure(call, code, error);
		return;
	}
	session_login(call, login);
	reply_welcome(call);
}

void cmd_login(void *session, void *pointer)
{
	struct call *call = pointer;
	struct ph_login login;
	struct ph_error error = { 0 };
	int code;

	(void)session;
	code = auth->password(call->conn, call->login.user, call->login.password, call->pool, &login, &error);
	finish_login(call, code, &login, &error);
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] *(CRLF base64) */
bool check_authenticate(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	if (!parse_space(parser) || !parse_atom(parser, &call->authenticate.mechanism))
		return reply_parse_error(call);
	if (parse_at_end(parser))
		return true;
	return (parse_space(parser) && parse_astring(parser, &call->authenticate.initial) &&
		       parse_end(parser)) ||
	       reply_parse_error(call);
}

/* The ph_sasl_carrier of IMAP. */
static int challenge(void *arg, struct ph_str text, struct ph_str *response_r)
{
	struct call *call = arg;
	int result;

	ph_conn_printf(call->conn, "+ %.*s\r\n", PH_STR_ARGS(text));
	ph_conn_flush(call->conn);
	result = session_read_line(call->session, (size_t)imap_config.max_line, response_r);
	if (result == 0 && ph_str_eq(*response_r, PH_STR("*")))
		return PH_E_INVALID;
	return result;
}

void cmd_authenticate(void *session, void *pointer)
{
	struct call *call = pointer;
	const struct ph_sasl_carrier carrier = { challenge, call };
	struct ph_login login;
	struct ph_error error = { 0 };
	int code;

	(void)session;
	code = auth->authenticate(call->conn, call->authenticate.mechanism, call->authenticate.initial,
		&carrier, call->pool, &login, &error);
	finish_login(call, code, &login, &error);
}
