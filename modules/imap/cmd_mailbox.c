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

/* The selected mailbox may be the one that was renamed, or below it. The inbox stays; only its messages went.
 */
static void follow_rename(struct session *session, const struct call *call)
{
	struct ph_str name = ph_str(session->mailbox_name);
	struct ph_str rest;
	char *new_name;

	if (!session->mailbox || ph_str_eq(call->mailbox, PH_STR("INBOX")) ||
		!ph_str_starts(name, call->mailbox))
		return;
	rest = ph_str_slice(name, call->mailbox.len, name.len);
	if (rest.len > 0 && rest.data[0] != '/')
		return;
	new_name = ph_str_dup(
		ph_pool_printf(call->pool, "%.*s%.*s", PH_STR_ARGS(call->target), PH_STR_ARGS(rest)));
	free(session->mailbox_name);
	session->mailbox_name = new_name;
}

void cmd_rename(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct ph_error error = { 0 };
	int code = store->mailbox_rename(
		session->actor, session->actor.account, call->mailbox, call->target, &error);

	if (code == 0)
		follow_rename(session, call);
	reply_done(call, code, &error);
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
