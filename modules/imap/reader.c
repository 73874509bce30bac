/* Reads one command with its literals. A line is looked at as soon as it is there: a command that is not
 * known, or not legal now, or whose literal is too large, is refused before the client sends more of it (RFC
 * 7888, 4).
 *
 * The message of an APPEND is left in the connection, to be read while the command runs. */
#include "session.h"

/* What we are willing to throw away to keep a connection whose command was refused. */
#define SKIP_MAX (1024 * 1024)
#define LITERALS_MAX 1000

/* Reads away `size` bytes. */
static int skip_bytes(struct ph_conn *conn, uint64_t size)
{
	while (size > 0) {
		struct ph_str bytes;
		int result = ph_conn_peek(conn, &bytes);
		if (result <= 0)
			return result < 0 ? result : PH_E_CLOSED;
		if (bytes.len > size)
			bytes.len = (size_t)size;
		ph_conn_consume(conn, bytes.len);
		size -= bytes.len;
	}
	return 0;
}

/* After a refusal that was answered: skips what follows a line unasked for, non-synchronising literals and
 * the lines behind them. 0 or a negative code. */
static int skip_rest(struct call *call, struct literal_header literal)
{
	uint64_t skipped = 0;

	while (!literal.synchronising) {
		struct ph_line line;
		int result;
		skipped += literal.size;
		if (literal.size > SKIP_MAX || skipped > SKIP_MAX) {
			say_bye(call->session, "[TOOBIG] Literal is too large");
			return PH_E_LIMIT;
		}
		result = skip_bytes(call->conn, literal.size);
		if (result < 0)
			return result;
		result = ph_conn_read_line(call->conn, (size_t)imap_config.max_line, &line);
		if (result == PH_E_LIMIT)
			return 0;
		if (result <= 0)
			return result < 0 ? result : PH_E_CLOSED;
		if (!parse_literal_header(line.text, &literal))
			return 0;
	}
	return 0;
}

/* Keeps the tag of a line that may turn out to be no command at all, for its BAD. */
static void keep_tag(struct call *call, struct ph_str line)
{
	struct parser parser;
	struct ph_str tag;

	parser_init(&parser, ph_str_slice(line, 0, TAG_MAX + 1), call->pool);
	if (parse_tag(&parser, &tag) && parse_look(&parser) == ' ')
		call->tag = ph_pool_str(call->pool, tag);
}

static const char *line_fault(const struct ph_line *line)
{
	if (line->nul)
		return "NUL in the command";
	if (line->bare_lf)
		return "Lines end in CRLF";
	if (line->bare_cr)
		return "CR inside a line";
	return NULL;
}

/* Answers BAD and skips what belongs to the line. 0 or a negative code. */
static int refuse_line(struct call *call, struct ph_str line, const char *text)
{
	struct literal_header literal;
	bool more = parse_literal_header(line, &literal);

	reply_bad(call, text);
	return more ? skip_rest(call, literal) : 0;
}

/* uid = "UID" SP (copy / fetch / search / store) */
static const struct ph_command *find_command(struct call *call)
{
	struct parser *parser = &call->parser;
	const struct ph_command *command;
	struct ph_str name;

	if (!parse_atom(parser, &name))
		return NULL;
	command = ph_command_find(imap_commands, name);
	if (!command || !(command->flags & COMMAND_ONLY_UID))
		return command;
	call->uid = true;
	if (!parse_space(parser) || !parse_atom(parser, &name))
		return NULL;
	command = ph_command_find(imap_commands, name);
	return command && command->flags & COMMAND_UID ? command : NULL;
}

static const char *state_fault(const struct call *call)
{
	if (call->command->states & call->session->state)
		return NULL;
	switch (call->session->state) {
	case NOT_AUTHENTICATED:
		return "Log in first";
	case AUTHENTICATED:
		return call->command->states & SELECTED ? "Select a mailbox first" : "Already logged in";
	default:
		return "Already logged in";
	}
}

/* command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
 * Reads the tag and the name. NULL, or what is wrong. */
static const char *identify(struct call *call)
{
	parser_init(&call->parser, call->text, call->pool);
	if (!parse_tag(&call->parser, &call->tag)) {
		call->tag = (struct ph_str){ NULL, 0 };
		return call->parser.error;
	}
	if (!parse_space(&call->parser))
		return "Missing command";
	call->command = find_command(call);
	if (!call->command)
		return call->parser.error ? "Missing command" : "Unknown command";
	return state_fault(call);
}

/* append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
 * Does the text so far end in the message's literal, and not in the mailbox's? */
static bool ends_in_message(const struct call *call)
{
	struct parser parser = call->parser;
	struct ph_str name;

	if (!(call->command->flags & COMMAND_MESSAGE) || !parse_space(&parser) ||
		!parse_astring(&parser, &name))
		return false;
	return !parse_at_end(&parser);
}

/* Takes so many bytes into the text. 0 or a negative code. */
static int read_bytes(struct call *call, uint64_t size)
{
	while (size > 0) {
		struct ph_str bytes;
		int result = ph_conn_peek(call->conn, &bytes);
		if (result <= 0)
			return result < 0 ? result : PH_E_CLOSED;
		if (bytes.len > size)
			bytes.len = (size_t)size;
		ph_buf_add_str(&call->long_text, bytes);
		ph_conn_consume(call->conn, bytes.len);
		size -= bytes.len;
	}
	return 0;
}

/* Takes the line behind a literal into the text. 1, 0 (refused), or a negative code. */
static int read_next_line(struct call *call)
{
	struct ph_line line;
	const char *fault;
	int result = ph_conn_read_line(call->conn, (size_t)imap_config.max_line, &line);

	if (result == PH_E_LIMIT) {
		reply_bad(call, "Line is too long");
		return 0;
	}
	if (result <= 0)
		return result < 0 ? result : PH_E_CLOSED;
	fault = line_fault(&line);
	call->last_line = call->long_text.len;
	if (!fault && !ph_buf_add_str(&call->long_text, line.text))
		fault = "Command is too long";
	return fault ? refuse_line(call, line.text, fault) : 1;
}

/* Takes one literal and the line behind it into the text, which may move. 1, 0 (refused), or a negative code.
 */
static int read_literal(struct call *call, struct literal_header literal)
{
	size_t at = (size_t)(call->parser.at - call->text.data);
	int result;

	if (call->long_text.len == 0)
		ph_buf_add_str(&call->long_text, call->text);
	ph_buf_add_text(&call->long_text, "\r\n");
	if (literal.synchronising) {
		ph_conn_text(call->conn, "+ OK\r\n");
		ph_conn_flush(call->conn);
	}
	result = read_bytes(call, literal.size);
	if (result == 0)
		result = read_next_line(call);
	call->text = ph_buf_str(&call->long_text);
	call->parser.at = call->text.data + at;
	call->parser.end = call->text.data + call->text.len;
	return result;
}

static bool literal_fits(const struct call *call, struct literal_header literal)
{
	size_t used = call->long_text.len ? call->long_text.len : call->text.len;

	return literal.size <= (uint64_t)imap_config.max_literal &&
	       literal.size + used + 2 <= (uint64_t)imap_config.max_command;
}

/* Does the text so far end in the header of a literal? */
static bool literal_follows(const struct call *call, struct literal_header *header_r)
{
	return parse_literal_header(ph_str_slice(call->text, call->last_line, call->text.len), header_r);
}

/* Reads literals until the command is whole, or only its message is left. 1, 0 (refused) or a negative code.
 */
static int read_literals(struct call *call)
{
	struct literal_header literal;

	for (unsigned count = 0; literal_follows(call, &literal); count++) {
		int result;
		if (ends_in_message(call)) {
			call->message = literal;
			call->message_waits = true;
			return 1;
		}
		if (count == LITERALS_MAX || !literal_fits(call, literal)) {
			reply_bad(call, "[TOOBIG] Literal is too large");
			result = skip_rest(call, literal);
			return result < 0 ? result : 0;
		}
		result = read_literal(call, literal);
		if (result <= 0)
			return result;
	}
	return 1;
}

int command_read(struct call *call)
{
	struct ph_str start;
	struct ph_line line;
	const char *fault;
	int result;

	/* A line that is too long is not shown. */
	if (ph_conn_peek(call->conn, &start) > 0)
		keep_tag(call, start);
	result = ph_conn_read_line(call->conn, (size_t)imap_config.max_line, &line);
	if (result == PH_E_LIMIT) {
		reply_bad(call, "Line is too long");
		return 0;
	}
	if (result <= 0)
		return result < 0 ? result : PH_E_CLOSED;
	fault = line_fault(&line);
	if (fault) {
		keep_tag(call, line.text);
	} else {
		call->text = ph_pool_str(call->pool, line.text);
		fault = call->text.data ? identify(call) : "Command is too long";
	}
	if (fault)
		return refuse_line(call, line.text, fault);
	result = read_literals(call);
	if (result == 1)
		call->arguments = ph_str_trim(parser_rest(&call->parser));
	return result;
}

int command_skip_message(struct call *call)
{
	call->message_waits = false;
	return skip_rest(call, call->message);
}
