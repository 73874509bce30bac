/* Tagged responses and their response codes (RFC 3501, 7.1; RFC 5530). */
#include "session.h"

#include <posthorn/log.h>

static bool may_tell_expunges(const struct call *call)
{
	return call->uid || !(call->command->flags & COMMAND_KEEPS_NUMBERS);
}

static void __attribute__((format(printf, 3, 0)))
reply(struct call *call, const char *status, const char *format, va_list arguments)
{
	struct session *session = call->session;
	struct ph_str text = ph_pool_vprintf(call->pool, format, arguments);

	session->bad_in_row = 0;
	if (session->state == SELECTED && !(call->command->flags & COMMAND_NO_NEWS) &&
		!sync_mailbox(session, call->pool, may_tell_expunges(call), call->uid, NULL))
		return;
	ph_conn_printf(call->conn, "%.*s %s %.*s\r\n", PH_STR_ARGS(call->tag), status, PH_STR_ARGS(text));
}

void reply_ok(struct call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	reply(call, "OK", format, arguments);
	va_end(arguments);
}

void reply_no(struct call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	reply(call, "NO", format, arguments);
	va_end(arguments);
}

void reply_bad(struct call *call, const char *text)
{
	struct session *session = call->session;

	imap_count_bad();
	if (call->tag.len)
		ph_conn_printf(call->conn, "%.*s BAD %s\r\n", PH_STR_ARGS(call->tag), text);
	else
		ph_conn_printf(call->conn, "* BAD %s\r\n", text);
	if (++session->bad_in_row >= imap_config.max_bad)
		say_bye(session, "Too many invalid commands");
}

static const char *code_of_error(int code)
{
	switch (code) {
	case PH_E_INVALID:
		return "CANNOT";
	case PH_E_ABSENT:
		return "NONEXISTENT";
	case PH_E_EXISTS:
		return "ALREADYEXISTS";
	case PH_E_DENIED:
		return "NOPERM";
	case PH_E_LIMIT:
		return "LIMIT";
	case PH_E_QUOTA:
		return "OVERQUOTA";
	case PH_E_BUSY:
		return "INUSE";
	case PH_E_CORRUPT:
		return "CORRUPTION";
	case PH_E_TIMEOUT:
	case PH_E_IO:
	case PH_E_FULL:
	case PH_E_UNAVAILABLE:
	case PH_E_STALE:
		return "UNAVAILABLE";
	default:
		return "SERVERBUG";
	}
}

static bool is_our_fault(int code)
{
	switch (code) {
	case PH_E_IO:
	case PH_E_FULL:
	case PH_E_CORRUPT:
	case PH_E_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

void reply_error(struct call *call, int code, const struct ph_error *error)
{
	/* Damage of a message was logged where it was met. */
	if (is_our_fault(code) && !(code == PH_E_CORRUPT && error->client[0] && !error->detail[0]))
		ph_log(PH_LOG_ERROR, "imap command failed", PH_LOG_TEXT("command", call->command->name),
			PH_LOG_TEXT("code", ph_code_name(code)), PH_LOG_ERROR_DETAIL(error));
	reply_no(call, "[%s] %s", code_of_error(code), error->client[0] ? error->client : "Failed");
}

bool reply_parse_error(struct call *call)
{
	const struct parser *parser = &call->parser;

	if (parser->cannot)
		reply_no(call, "[CANNOT] %s", parser->error);
	else if (parser->exhausted)
		reply_no(call, "[LIMIT] %s", parser->error);
	else
		reply_bad(call, parser->error ? parser->error : "Invalid arguments");
	return false;
}

void say_bye(struct session *session, const char *text)
{
	if (!session->closing)
		ph_conn_printf(session->conn, "* BYE %s\r\n", text);
	session->closing = true;
}
