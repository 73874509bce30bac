/* COPY (RFC 3501, 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315). */
#include "print.h"
#include "session.h"

/* copy = "COPY" SP sequence-set SP mailbox */
bool check_copy(void *session, void *pointer)
{
	return check_messages(pointer) && check_space_mailbox(session, pointer);
}

/* move = "MOVE" SP sequence-set SP mailbox */
bool check_move(void *session, void *pointer)
{
	return check_copy(session, pointer) && check_writable(pointer);
}

/* "[COPYUID validity source target] ", or nothing when nothing was copied. */
static struct ph_str copy_code(struct call *call, const struct ph_copied *copied)
{
	struct ph_buf buf;
	struct ph_str code;

	if (copied->source.count == 0)
		return PH_STR("");
	ph_buf_init(&buf, 4 * 1024 * 1024);
	ph_buf_printf(&buf, "[COPYUID %u ", (unsigned)copied->uid_validity);
	print_uid_set(&buf, &copied->source);
	ph_buf_add_char(&buf, ' ');
	print_uid_set(&buf, &copied->target);
	ph_buf_add_text(&buf, "] ");
	code = buf.failed ? PH_STR("") : ph_pool_str(call->pool, ph_buf_str(&buf));
	ph_buf_free(&buf);
	return code;
}

static void copy(struct call *call, bool move)
{
	struct session *session = call->session;
	struct ph_copied copied = { 0 };
	struct ph_error error = { 0 };
	struct ph_str code_text;
	int code = store->messages_copy(session->actor, session->mailbox, &call->uids, session->actor.account,
		call->mailbox, move, &copied, &error);

	code_text = copy_code(call, &copied);
	if (code == PH_E_ABSENT)
		reply_no(call, "[TRYCREATE] No such mailbox");
	else if (code != 0)
		reply_error(call, code, &error);
	else if (!move)
		reply_ok(call, "%.*sCOPY completed", PH_STR_ARGS(code_text));
	if (code == 0 && move) {
		/* Before the EXPUNGE responses, which come with the reply (RFC 6851, 4.3). */
		if (code_text.len)
			ph_conn_printf(call->conn, "* OK %.*sMoved\r\n", PH_STR_ARGS(code_text));
		session->expunged += (uint32_t)store->uid_set_count(&copied.source);
		reply_ok(call, "MOVE completed");
	}
	store->uid_set_free(&copied.source);
	store->uid_set_free(&copied.target);
}

void cmd_copy(void *session, void *call)
{
	(void)session;
	copy(call, false);
}

void cmd_move(void *session, void *call)
{
	(void)session;
	copy(call, true);
}
