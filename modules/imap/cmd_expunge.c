/* EXPUNGE (RFC 3501, 6.4.3) and UID EXPUNGE (RFC 4315). */
#include "session.h"

/* "EXPUNGE", and behind UID: SP sequence-set */
bool check_expunge(void *session, void *pointer)
{
	struct call *call = pointer;

	if (!call->uid)
		return check_nothing(session, call) && check_writable(call);
	return check_messages(call) && check_nothing(session, call) && check_writable(call);
}

/* The EXPUNGE responses come with the news before the reply. */
void cmd_expunge(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_uid_set expunged = { 0 };
	struct ph_error error = { 0 };
	int code = store->messages_expunge(
		session->actor, session->mailbox, call->uid ? &call->uids : NULL, false, &expunged, &error);

	session->expunged += (uint32_t)store->uid_set_count(&expunged);
	store->uid_set_free(&expunged);
	if (code != 0)
		reply_error(call, code, &error);
	else
		reply_ok(call, "EXPUNGE completed");
}
