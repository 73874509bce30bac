/* SELECT, EXAMINE (RFC 3501, 6.3.1 and 6.3.2), CHECK, CLOSE (6.4), UNSELECT (RFC 3691); MAILBOXID of RFC
 * 8474. */
#include "session.h"

#include "print.h"

/* The sequence number of the first unseen message. 0: there is none, or it is not known. */
static uint32_t first_unseen(const struct session *session)
{
	struct ph_uid_set unseen = { 0 };
	uint32_t first = 0;

	if (store->messages_flagged(session->mailbox, PH_FLAG_SEEN, false, &unseen, NULL) == 0 &&
		unseen.count > 0)
		first = store->view_sequence(session->mailbox, unseen.ranges[0].first);
	store->uid_set_free(&unseen);
	return first;
}

static void tell_mailbox(struct call *call)
{
	struct session *session = call->session;
	struct ph_mailbox_status status;
	struct ph_buf buf;
	uint32_t unseen;

	store->mailbox_view_status(session->mailbox, &status);
	unseen = status.unseen ? first_unseen(session) : 0;
	ph_buf_init(&buf, 1024 * 1024);
	print_mailbox_flags(session, &buf);
	ph_buf_printf(
		&buf, "* %u EXISTS\r\n* %u RECENT\r\n", (unsigned)status.messages, (unsigned)status.recent);
	if (unseen)
		ph_buf_printf(&buf, "* OK [UNSEEN %u] First unseen message\r\n", (unsigned)unseen);
	ph_buf_printf(&buf,
		"* OK [UIDVALIDITY %u] UIDs are valid\r\n* OK [UIDNEXT %u] Predicted next UID\r\n",
		(unsigned)status.uid_validity, (unsigned)status.uid_next);
	ph_buf_printf(&buf, "* OK [MAILBOXID (%s)] Mailbox id\r\n", status.id);
	ph_conn_write(call->conn, ph_buf_str(&buf));
	ph_buf_free(&buf);
}

/* A mailbox that was selected is left first, also when the new one cannot be opened (RFC 3501, 6.3.1). */
static void select_mailbox(struct call *call, bool read_only)
{
	struct session *session = call->session;
	struct ph_str name = call->mailbox;
	struct ph_error error = { 0 };
	int code;

	session_unselect(session);
	if (!ask_select(call, &name, &read_only))
		return;
	code = store->mailbox_open(
		session->actor, session->actor.account, name, read_only, &session->mailbox, &error);
	if (code != 0) {
		reply_error(call, code, &error);
		return;
	}
	session->mailbox_name = ph_str_dup(name);
	session->read_only = read_only;
	session->state = SELECTED;
	tell_mailbox(call);
	reply_ok(call, "[%s] %s completed", read_only ? "READ-ONLY" : "READ-WRITE", call->command->name);
}

void cmd_select(void *session, void *call)
{
	(void)session;
	select_mailbox(call, false);
}

void cmd_examine(void *session, void *call)
{
	(void)session;
	select_mailbox(call, true);
}

/* Everything that was acknowledged is durable already. */
void cmd_check(void *session, void *call)
{
	(void)session;
	reply_ok(call, "CHECK completed");
}

/* Removes what is \Deleted, without telling of it. */
void cmd_close(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_uid_set expunged = { 0 };
	struct ph_error error = { 0 };
	int code = 0;

	if (!session->read_only)
		code = store->messages_expunge(
			session->actor, session->mailbox, NULL, false, &expunged, &error);
	session->expunged += (uint32_t)store->uid_set_count(&expunged);
	store->uid_set_free(&expunged);
	session_unselect(session);
	if (code != 0)
		reply_error(call, code, &error);
	else
		reply_ok(call, "CLOSE completed");
}

void cmd_unselect(void *session, void *call)
{
	session_unselect(session);
	reply_ok(call, "UNSELECT completed");
}
