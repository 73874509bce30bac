/* APPEND (RFC 3501, 6.3.11; APPENDUID of RFC 4315; literal8 of RFC 3516, 4.4). The message goes from the
 * connection straight into a draft of the store; it is never in memory as a whole. */
#include "session.h"

/* A message may take the time that this many bytes in a second need, on top of a command's own. */
#define SLOWEST_RATE 1024

/* append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP (literal / literal8)
 * literal8 = "~{" number ["+"] "}" CRLF *OCTET
 * The literal's header must be all that is left. */
static bool parse_append(struct parser *parser, struct call *call)
{
	struct literal_header header;
	struct ph_str rest;

	if (!parse_space(parser) || !parse_mailbox(parser, &call->mailbox) || !parse_space(parser))
		return false;
	if (parse_look(parser) == '(' &&
		(!parse_flag_list(parser, false, &call->append.flags) || !parse_space(parser)))
		return false;
	call->append.dated = parse_look(parser) == '"';
	if (call->append.dated && (!parse_date_time(parser, &call->append.date) || !parse_space(parser)))
		return false;
	(void)parse_skip(parser, '~');
	rest = parser_rest(parser);
	if (!call->message_waits || ph_str_rfind(rest, '{') != 0 || !parse_literal_header(rest, &header))
		return parse_failed(parser, "Expected the message as a literal");
	return true;
}

bool check_append(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	if (!parse_append(&call->parser, call))
		return reply_parse_error(call);
	if (call->message.size == 0) {
		reply_no(call, "[CANNOT] The message is empty");
		return false;
	}
	if (call->message.size > (uint64_t)imap_config.max_message) {
		reply_no(call, "[TOOBIG] The message is larger than %lld bytes",
			(long long)imap_config.max_message);
		return false;
	}
	return true;
}

/* Is the mailbox there? Asked before the client sends its message. */
static bool target_exists(struct call *call)
{
	struct session *session = call->session;
	struct ph_mailbox_status status;
	struct ph_error error = { 0 };
	int code =
		store->mailbox_status(session->actor, session->actor.account, call->mailbox, &status, &error);

	if (code == PH_E_ABSENT)
		reply_no(call, "[TRYCREATE] No such mailbox");
	else if (code != 0)
		reply_error(call, code, &error);
	return code == 0;
}

/* A message on its way in. */
struct arrival {
	struct ph_draft *draft;
	bool has_nul;
	int code; /* what the draft failed with */
	struct ph_error error;
};

/* Reads the message into the draft. When that fails, the rest is read and dropped. 0, or what the connection
 * failed with. */
static int receive(struct call *call, struct arrival *arrival)
{
	uint64_t left = call->message.size;

	while (left > 0) {
		struct ph_str bytes;
		int result = ph_conn_peek(call->conn, &bytes);
		if (result <= 0)
			return result < 0 ? result : PH_E_CLOSED;
		if (bytes.len > left)
			bytes.len = (size_t)left;
		arrival->has_nul = arrival->has_nul || memchr(bytes.data, '\0', bytes.len);
		if (arrival->code == 0)
			arrival->code = store->draft_write(arrival->draft, bytes, &arrival->error);
		ph_conn_consume(call->conn, bytes.len);
		left -= bytes.len;
	}
	return 0;
}

/* The line behind the message must be empty: one message for each APPEND. 1, 0 (answered), or a negative
 * code. */
static int read_end(struct call *call)
{
	struct literal_header more;
	struct ph_str line;
	int result = session_read_line(call->session, (size_t)imap_config.max_line, &line);

	if (result == PH_E_LIMIT || result == PH_E_INVALID || (result == 0 && line.len > 0)) {
		reply_bad(call, "Unexpected text behind the message");
		if (result != 0 || !parse_literal_header(line, &more))
			return 0;
		call->message = more;
		call->message_waits = true;
		return 0;
	}
	return result < 0 ? result : 1;
}

static int write_draft(void *arg, struct ph_str bytes)
{
	struct arrival *changed = arg;

	return store->draft_write(changed->draft, bytes, &changed->error);
}

/* Puts a draft without NULs in the place of one that has some in parts that are declared to be binary. */
static int encode_nul(struct arrival *arrival, const struct ph_mime_message **message)
{
	const struct ph_mime_source source = store->draft_source(arrival->draft);
	struct arrival changed = { .draft = store->draft_new() };
	const struct ph_mime_sink sink = { write_draft, &changed };
	int code = mime->encode_nul(*message, &source, &sink);

	if (code == 0)
		code = store->draft_finish(changed.draft, message, &changed.error);
	if (code == 0) {
		store->draft_free(&arrival->draft);
		arrival->draft = changed.draft;
		return 0;
	}
	arrival->error = changed.error;
	store->draft_free(&changed.draft);
	return code;
}

static void deliver(struct call *call, struct arrival *arrival)
{
	struct session *session = call->session;
	struct ph_destination destination = {
		.account = session->actor.account, .mailbox = call->mailbox, .flags = call->append.flags
	};
	const struct ph_mime_message *message;
	int code = store->draft_finish(arrival->draft, &message, &arrival->error);

	if (code == 0 && arrival->has_nul)
		code = encode_nul(arrival, &message);
	if (code == 0)
		code = store->deliver(session->actor, arrival->draft,
			call->append.dated ? call->append.date.seconds : 0,
			call->append.dated ? call->append.date.zone : 0, &destination, 1, &arrival->error);
	if (code == PH_E_ABSENT) {
		reply_no(call, "[TRYCREATE] No such mailbox");
	} else if (code != 0) {
		reply_error(call, code, &arrival->error);
	} else {
		session->appended++;
		reply_ok(call, "[APPENDUID %u %u] APPEND completed", (unsigned)destination.uid_validity,
			(unsigned)destination.uid);
	}
}

static void receive_and_deliver(struct call *call, struct arrival *arrival)
{
	int result = receive(call, arrival);

	call->message_waits = false;
	if (result == 0)
		result = read_end(call);
	if (result < 0)
		call->session->closing = true;
	else if (result == 1 && arrival->code != 0)
		reply_error(call, arrival->code, &arrival->error);
	else if (result == 1)
		deliver(call, arrival);
}

void cmd_append(void *session, void *pointer)
{
	struct call *call = pointer;
	struct arrival arrival = { 0 };

	(void)session;
	if (!target_exists(call))
		return;
	if (call->message.synchronising) {
		ph_conn_text(call->conn, "+ OK\r\n");
		ph_conn_flush(call->conn);
	}
	ph_conn_set_turn_timeout(call->conn,
		imap_config.command_timeout + (ph_msec)(call->message.size / SLOWEST_RATE * 1000));
	arrival.draft = store->draft_new();
	receive_and_deliver(call, &arrival);
	store->draft_free(&arrival.draft);
}
