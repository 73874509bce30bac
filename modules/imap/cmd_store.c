/* STORE (RFC 3501, 6.4.6).
 *
 * The FETCH responses of a STORE are the news of the mailbox behind it, and those messages it did not change.
 * A silent one hears the news that others made before it, and then only of messages that it did not name. */
#include "session.h"

/* store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag))) */
static bool parse_store(struct parser *parser, struct call *call)
{
	call->store.operation = PH_FLAGS_REPLACE;
	if (!parse_space(parser))
		return false;
	if (parse_skip(parser, '+'))
		call->store.operation = PH_FLAGS_ADD;
	else if (parse_skip(parser, '-'))
		call->store.operation = PH_FLAGS_REMOVE;
	call->store.silent = parse_word(parser, "FLAGS.SILENT");
	if (!call->store.silent && !parse_word(parser, "FLAGS"))
		return parse_failed(parser, "Unknown STORE item");
	return parse_space(parser) && parse_flag_list(parser, true, &call->store.flags) && parse_end(parser);
}

bool check_store(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	if (!check_messages(call))
		return false;
	return (parse_store(&call->parser, call) || reply_parse_error(call)) && check_writable(call);
}

/* Tells the flags of all messages that were named, besides those that changed. */
static bool tell_all(struct call *call)
{
	struct session *session = call->session;
	struct ph_mailbox_news news;
	struct ph_error error = { 0 };

	if (store->mailbox_refresh(session->mailbox, call->uid, call->pool, &news, &error) != 0)
		return true;
	for (size_t i = 0; i < news.changed.count; i++)
		store->uid_set_add(&call->uids, news.changed.ranges[i].first, news.changed.ranges[i].last);
	news.changed = call->uids;
	return sync_tell(session, &news, call->uid, NULL);
}

void cmd_store(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_error error = { 0 };
	int code;

	if (call->store.silent && !sync_mailbox(session, call->pool, call->uid, call->uid, NULL))
		return;
	code = store->messages_flag(session->actor, session->mailbox, &call->uids, call->store.operation,
		&call->store.flags, 0, NULL, &error);
	if (code != 0) {
		reply_error(call, code, &error);
		return;
	}
	if (call->store.silent ? sync_mailbox(session, call->pool, call->uid, call->uid, &call->uids)
			       : tell_all(call))
		reply_ok(call, "STORE completed");
}
