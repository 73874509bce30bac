/* Commands of any state, and those that only tell what the server is: CAPABILITY, NOOP, LOGOUT, ID (RFC
 * 2971), ENABLE (RFC 5161), NAMESPACE (RFC 2342). */
#include "session.h"

#define ID_PAIRS_MAX 30

void cmd_capability(void *session, void *pointer)
{
	struct call *call = pointer;
	struct ph_buf buf;

	ph_buf_init(&buf, 4096);
	print_capabilities(session, &buf);
	ph_conn_printf(call->conn, "* %.*s\r\n", PH_STR_ARGS(ph_buf_str(&buf)));
	ph_buf_free(&buf);
	reply_ok(call, "CAPABILITY completed");
}

void cmd_noop(void *session, void *call)
{
	(void)session;
	reply_ok(call, "NOOP completed");
}

void cmd_logout(void *session, void *call)
{
	say_bye(session, "Logging out");
	reply_ok(call, "LOGOUT completed");
}

/* id_params_list = "(" *(string SP nstring SP) ")" / nil */
static bool parse_id(struct parser *parser)
{
	struct ph_str field, value;

	if (!parse_space(parser))
		return false;
	if (parse_word(parser, "NIL"))
		return parse_end(parser);
	if (!parse_char(parser, '('))
		return false;
	for (unsigned pairs = 0; !parse_skip(parser, ')'); pairs++) {
		if (pairs == ID_PAIRS_MAX)
			return parse_failed(parser, "Too many fields");
		if ((pairs > 0 && !parse_space(parser)) || !parse_string(parser, &field) ||
			!parse_space(parser) || !parse_nstring(parser, &value))
			return false;
	}
	return parse_end(parser);
}

bool check_id(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	return parse_id(&call->parser) || reply_parse_error(call);
}

void cmd_id(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	ph_conn_text(call->conn, "* ID (\"name\" \"Posthorn\")\r\n");
	reply_ok(call, "ID completed");
}

/* enable = "ENABLE" 1*(SP capability) */
bool check_enable(void *session, void *pointer)
{
	struct call *call = pointer;
	struct ph_str name;

	(void)session;
	do {
		if (!parse_space(&call->parser) || !parse_atom(&call->parser, &name))
			return reply_parse_error(call);
	} while (!parse_at_end(&call->parser));
	return true;
}

/* No extension of this server waits to be enabled. */
void cmd_enable(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	ph_conn_text(call->conn, "* ENABLED\r\n");
	reply_ok(call, "ENABLE completed");
}

void cmd_namespace(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	ph_conn_text(call->conn, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	reply_ok(call, "NAMESPACE completed");
}
