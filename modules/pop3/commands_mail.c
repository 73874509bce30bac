/* The TRANSACTION state: listings, and the messages themselves. */
#include <config.h>

#include "session.h"
#include "transfer.h"

#include <inttypes.h>

#include <posthorn/buf.h>

/* The message that the command names; NULL, and answered, when there is none. */
static struct maildrop_message *named_message(struct session *session, const struct call *call)
{
	struct maildrop_message *message = maildrop_message(&session->maildrop, call->numbers.number[0]);
	if (!message)
		reply_error(session, "no such message");
	return message;
}

static unsigned number_of(const struct session *session, const struct maildrop_message *message)
{
	return (unsigned)(message - session->maildrop.messages) + 1;
}

/* --- Listings --- */

void command_stat(void *arg, void *call)
{
	struct session *session = arg;
	(void)call;
	reply_ok(session, "%" PRIu32 " %" PRIu64, session->maildrop.kept, session->maildrop.kept_size);
}

/* RFC 1939, section 7: unique for ever in a maildrop, of 1 to 70 printable characters. */
static void print_uid(
	const struct session *session, const struct maildrop_message *message, struct ph_buf *line)
{
	ph_buf_printf(line, "%08" PRIx32 "%08" PRIx32, session->maildrop.uid_validity, message->uid);
}

static void print_size(
	const struct session *session, const struct maildrop_message *message, struct ph_buf *line)
{
	(void)session;
	ph_buf_printf(line, "%" PRIu64, message->size);
}

/* Prints "NUMBER THING" for the named message, or for all in a multi-line answer. */
static void list(struct session *session, const struct call *call,
	void (*print)(const struct session *, const struct maildrop_message *, struct ph_buf *))
{
	const struct maildrop *maildrop = &session->maildrop;
	const struct maildrop_message *one = NULL;
	struct ph_buf line;

	if (call->numbers.count && !(one = named_message(session, call)))
		return;
	ph_buf_init(&line, 128);
	if (one) {
		print(session, one, &line);
		reply_ok(session, "%u %.*s", number_of(session, one), PH_STR_ARGS(ph_buf_str(&line)));
		ph_buf_free(&line);
		return;
	}
	reply_ok(session, "%" PRIu32 " messages (%" PRIu64 " octets)", maildrop->kept, maildrop->kept_size);
	for (uint32_t number = 1; number <= maildrop->count && ph_conn_error(session->conn) == 0; number++) {
		const struct maildrop_message *message = maildrop_message(maildrop, number);
		if (!message)
			continue;
		ph_buf_printf(&line, "%" PRIu32 " ", number);
		print(session, message, &line);
		ph_buf_add_text(&line, "\r\n");
		ph_conn_write(session->conn, ph_buf_str(&line));
		ph_buf_reset(&line);
	}
	ph_conn_text(session->conn, ".\r\n");
	ph_buf_free(&line);
}

void command_list(void *session, void *call)
{
	list(session, call, print_size);
}

void command_uidl(void *session, void *call)
{
	list(session, call, print_uid);
}

/* --- Messages --- */

/* May park. Sends a stretch of a message, its dots doubled. */
static void send_stuffed(struct ph_conn *conn, struct stuffing *stuffing, struct ph_str bytes)
{
	while (bytes.len && ph_conn_error(conn) == 0) {
		bool dot;
		size_t len = stuffing_next(stuffing, bytes, &dot);
		ph_conn_write_long(conn, ph_str_slice(bytes, 0, len));
		if (dot)
			ph_conn_text(conn, ".");
		bytes = ph_str_slice(bytes, len, bytes.len);
	}
}

/* May park. Sends a message, or the part of it that `top` (unless NULL) takes, with the line that ends the
 * answer. A message that cannot be read to its end is not ended either: the connection is closed instead, so
 * that no client takes a part for the whole. */
static int send_message(
	struct session *session, struct ph_message_bytes *message, struct top *top, struct ph_error *error)
{
	struct ph_conn *conn = session->conn;
	struct stuffing stuffing;
	struct ph_str bytes;
	uint64_t offset = 0;

	stuffing_init(&stuffing);
	while (!(top && top->done)) {
		int code = pop3_store->message_view(message, offset, &bytes, error);
		if (code < 0)
			return code;
		if (bytes.len == 0)
			break;
		offset += bytes.len;
		if (top)
			bytes.len = top_take(top, bytes);
		send_stuffed(conn, &stuffing, bytes);
		if (ph_conn_error(conn) < 0)
			break;
	}
	ph_conn_text(conn, stuffing_ends_line(&stuffing) ? ".\r\n" : "\r\n.\r\n");
	return ph_conn_error(conn);
}

static bool retrieve(struct session *session, const struct maildrop_message *message, struct top *top)
{
	struct ph_message_bytes *bytes = NULL;
	struct ph_error error = { 0 };
	int code = maildrop_read(&session->maildrop, message, &bytes, &error);
	if (code == 0)
		code = pop3_store->message_check(bytes, 0, top ? 1 : UINT64_MAX, &error);
	if (code == PH_E_ABSENT) {
		reply_error(session, "the message was removed by another client");
		return false;
	}
	if (code < 0) {
		reply_trouble(session, "message not opened", &error);
		pop3_store->message_close(&bytes);
		return false;
	}
	if (top)
		reply_ok(session, "top of message follows");
	else
		reply_ok(session, "%" PRIu64 " octets", message->size);
	code = send_message(session, bytes, top, &error);
	pop3_store->message_close(&bytes);
	if (code < 0)
		session->closing = true;
	return code == 0;
}

void command_retr(void *arg, void *call)
{
	struct session *session = arg;
	struct maildrop_message *message = named_message(session, call);
	if (message && retrieve(session, message, NULL)) {
		message->retrieved = true;
		session->retrieved++;
	}
}

void command_top(void *arg, void *call_arg)
{
	struct session *session = arg;
	const struct call *call = call_arg;
	const struct maildrop_message *message = named_message(session, call);
	struct top top;
	if (!message)
		return;
	top_init(&top, call->numbers.number[1]);
	retrieve(session, message, &top);
}

void command_dele(void *arg, void *call)
{
	struct session *session = arg;
	struct maildrop_message *message = named_message(session, call);
	if (!message)
		return;
	maildrop_delete(&session->maildrop, message);
	reply_ok(session, "marked as deleted");
}

void command_rset(void *arg, void *call)
{
	struct session *session = arg;
	(void)call;
	maildrop_undelete_all(&session->maildrop);
	reply_ok(session, "%" PRIu32 " messages (%" PRIu64 " octets)", session->maildrop.kept,
		session->maildrop.kept_size);
}
