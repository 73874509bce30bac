/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501, 6.3.3 to 6.3.7). */
#include <stdlib.h>

#include "session.h"

static void reply_done(struct call *call, int code, const struct ph_error *error)
{
	if (code != 0)
		reply_error(call, code, error);
	else
		reply_ok(call, "%s completed", call->command->name);
}

/* A "/" at the end only declares that names below it are to come (6.3.3); it is not part of the name. */
static void drop_last_slash(struct ph_str *name)
{
	if (name->len > 1 && ph_str_ends(*name, PH_STR("/")))
		name->len--;
}

/* create = "CREATE" SP mailbox */
bool check_create(void *session, void *pointer)
{
	struct call *call = pointer;

	if (!check_space_mailbox(session, pointer))
		return false;
	drop_last_slash(&call->mailbox);
	return true;
}

void cmd_create(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_error error = { 0 };

	reply_done(call,
		store->mailbox_create(session->actor, session->actor.account, call->mailbox, 0, &error),
		&error);
}

void cmd_delete(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_error error = { 0 };
	int code = store->mailbox_delete(session->actor, session->actor.account, call->mailbox, &error);

	/* Who deletes the mailbox he is in leaves it; others are told by sync.c. */
	if (code == 0 && session->mailbox && ph_str_eq(call->mailbox, ph_str(session->mailbox_name)))
		session_unselect(session);
	reply_done(call, code, &error);
}

/* rename = "RENAME" SP mailbox SP mailbox */
bool check_rename(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	if (!parse_space(parser) || !parse_mailbox(parser, &call->mailbox) || !parse_space(parser) ||
		!parse_mailbox(parser, &call->target) || !parse_end(parser))
		return reply_parse_error(call);
	drop_last_slash(&call->target);
	return true;
}

void cmd_rename(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_error error = { 0 };

	reply_done(call,
		store->mailbox_rename(
			session->actor, session->actor.account, call->mailbox, call->target, &error),
		&error);
}

static void subscribe(struct session *session, struct call *call, bool subscribed)
{
	struct ph_error error = { 0 };

	reply_done(call,
		store->mailbox_subscribe(
			session->actor, session->actor.account, call->mailbox, subscribed, &error),
		&error);
}

void cmd_subscribe(void *session, void *call)
{
	subscribe(session, call, true);
}

void cmd_unsubscribe(void *session, void *call)
{
	subscribe(session, call, false);
}
