/* STATUS (RFC 3501, 6.3.10; MAILBOXID of RFC 8474). */
#include "print.h"
#include "session.h"

/* The items in the order they are answered in; their bits in call->status_items are 1 << index. */
static const char *const items[] = { "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "MAILBOXID" };

#define ITEMS (sizeof(items) / sizeof(*items))
/* All but the last are numbers. */
#define NUMBERS (ITEMS - 1)

static bool parse_status_att(struct parser *parser, unsigned *bits)
{
	for (size_t i = 0; i < ITEMS; i++) {
		if (parse_word(parser, items[i])) {
			*bits |= 1u << i;
			return true;
		}
	}
	return parse_failed(parser, "Unknown STATUS item");
}

/* status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
static bool parse_status(struct parser *parser, struct call *call)
{
	if (!parse_space(parser) || !parse_mailbox(parser, &call->mailbox) || !parse_space(parser) ||
		!parse_char(parser, '('))
		return false;
	do {
		if (!parse_status_att(parser, &call->status_items))
			return false;
	} while (parse_skip(parser, ' '));
	return parse_char(parser, ')') && parse_end(parser);
}

bool check_status(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	return parse_status(&call->parser, call) || reply_parse_error(call);
}

static void print_status(struct call *call, const struct ph_mailbox_status *status)
{
	const uint32_t values[NUMBERS] = { status->messages, status->recent, status->uid_next,
		status->uid_validity, status->unseen };
	const char *separator = "";
	struct ph_buf buf;

	ph_buf_init(&buf, 8192);
	ph_buf_add_text(&buf, "* STATUS ");
	print_mailbox(&buf, call->mailbox);
	ph_buf_add_text(&buf, " (");
	for (size_t i = 0; i < NUMBERS; i++) {
		if (!(call->status_items & 1u << i))
			continue;
		ph_buf_printf(&buf, "%s%s %u", separator, items[i], (unsigned)values[i]);
		separator = " ";
	}
	if (call->status_items & 1u << NUMBERS)
		ph_buf_printf(&buf, "%s%s (%s)", separator, items[NUMBERS], status->id);
	ph_buf_add_text(&buf, ")\r\n");
	ph_conn_write(call->conn, ph_buf_str(&buf));
	ph_buf_free(&buf);
}

void cmd_status(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_mailbox_status status;
	struct ph_error error = { 0 };
	int code =
		store->mailbox_status(session->actor, session->actor.account, call->mailbox, &status, &error);

	if (code != 0) {
		reply_error(call, code, &error);
		return;
	}
	print_status(call, &status);
	reply_ok(call, "STATUS completed");
}
