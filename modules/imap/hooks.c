/* The hook points of this module, and asking them. */
#include "session.h"

#include <stdio.h>

#include <posthorn/hook.h>

#include "print.h"

/* --- imap.command --- */

static struct ph_hook_point command_hook = {
	.name = "imap.command",
	.decides = true,
	.help = "Before each command is carried out, when its syntax is right and it is legal in the "
		"session's state.",
	.arguments =
		(const struct ph_hook_argument[]){
			{ "name", PH_STRING, NULL,
				"the command in upper case, such as 'SELECT' or 'UID FETCH'" },
			{ "arguments", PH_STRING, NULL,
				"its arguments as the client wrote them; empty for LOGIN and AUTHENTICATE" },
			{ 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DISCONNECT),
	.on_failure = { .kind = PH_REJECT,
		.text = PH_STR_INIT("[SERVERBUG] A policy of this server failed") },
	.example = "posthorn.on('imap.command', function(session, name, arguments)\n"
		   "  if name == 'DELETE' then return posthorn.reject('ask the postmaster') end\n"
		   "end)",
};

/* NO with the policy's words; [NOPERM] unless they begin with a response code of their own. */
static void reply_refusal(struct call *call, const struct ph_verdict *verdict)
{
	struct ph_str text = verdict->text.len ? verdict->text : PH_STR("Refused by a policy of this server");

	reply_no(call, "%s%.*s", text.data[0] == '[' ? "" : "[NOPERM] ", PH_STR_ARGS(text));
}

static void disconnect(struct call *call, const struct ph_verdict *verdict)
{
	char text[256];

	snprintf(text, sizeof(text), "%.*s", PH_STR_ARGS(verdict->text));
	say_bye(call->session, text[0] ? text : "Refused by a policy of this server");
}

bool ask_command(void *session, void *pointer)
{
	struct call *call = pointer;
	struct ph_verdict verdict;
	struct ph_str arguments;
	struct ph_str name;

	(void)session;
	if (!ph_hook_wanted(&command_hook))
		return true;
	name = call->uid ? ph_pool_printf(call->pool, "UID %s", call->command->name)
			 : ph_str(call->command->name);
	arguments = call->command->flags & COMMAND_SECRET ? PH_STR("") : call->arguments;
	ph_hook_run(&command_hook, call->conn,
		(const struct ph_value[]){ PH_VALUE_STR(name), PH_VALUE_STR(arguments) }, call->pool,
		&verdict);
	if (verdict.kind == PH_REJECT)
		reply_refusal(call, &verdict);
	else if (verdict.kind == PH_DISCONNECT)
		disconnect(call, &verdict);
	return verdict.kind == PH_PASS || verdict.kind == PH_ACCEPT;
}

/* --- imap.select --- */

struct selected_mailbox {
	struct ph_str name;
	bool read_only;
	bool exists;
	struct ph_str special_use[8];
	size_t special_use_count;
};

static void get_name(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct selected_mailbox *)object)->name);
}

static void get_read_only(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_BOOL(((struct selected_mailbox *)object)->read_only);
}

static void get_exists(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_BOOL(((struct selected_mailbox *)object)->exists);
}

static void get_special_use(void *object, struct ph_value *value_r)
{
	struct selected_mailbox *mailbox = object;

	value_r->type = PH_STRINGS;
	value_r->strings.items = mailbox->special_use;
	value_r->strings.count = mailbox->special_use_count;
}

static const struct ph_object_type mailbox_type = {
	.name = "mailbox",
	.help = "A mailbox that a client is about to open.",
	.fields = (const struct ph_object_field[]){ { "name", PH_STRING, get_name,
							    "its name in UTF-8; levels are parted by '/'" },
		{ "read_only", PH_BOOLEAN, get_read_only, "asked for by EXAMINE, not SELECT" },
		{ "exists", PH_BOOLEAN, get_exists, "is there such a mailbox?" },
		{ "special_use", PH_STRINGS, get_special_use, "its uses of RFC 6154, such as '\\Sent'" },
		{ 0 } },
};

static struct ph_hook_point select_hook = {
	.name = "imap.select",
	.decides = true,
	.help = "Before SELECT or EXAMINE opens a mailbox. A rewrite opens the mailbox of that name instead.",
	.arguments =
		(const struct ph_hook_argument[]){
			{ "mailbox", PH_OBJECT, &mailbox_type, "the mailbox" }, { 0 } },
	.verdicts =
		PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_REWRITE) | PH_ALLOWS(PH_READ_ONLY),
	.on_failure = { .kind = PH_REJECT,
		.text = PH_STR_INIT("[SERVERBUG] A policy of this server failed") },
	.example = "posthorn.on('imap.select', function(session, mailbox)\n"
		   "  if mailbox.name:match '^Archive/' then return posthorn.read_only() end\n"
		   "end)",
};

/* Fills what the directory of mailboxes knows about it. */
static void describe(struct call *call, struct selected_mailbox *mailbox)
{
	struct ph_mailbox_entry *entries;
	struct ph_error error;
	size_t count;
	const char *use;

	if (store->mailbox_list(call->session->actor, call->session->actor.account, call->pool, &entries,
		    &count, &error) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		unsigned special_use = entries[i].special_use;
		if (!ph_str_eq(entries[i].name, mailbox->name))
			continue;
		mailbox->exists = entries[i].exists;
		while ((use = next_special_use(&special_use)))
			mailbox->special_use[mailbox->special_use_count++] = ph_str(use);
	}
}

bool ask_select(struct call *call, struct ph_str *name, bool *read_only)
{
	struct selected_mailbox mailbox = { .name = *name, .read_only = *read_only };
	struct ph_verdict verdict;

	if (!ph_hook_wanted(&select_hook))
		return true;
	describe(call, &mailbox);
	ph_hook_run(
		&select_hook, call->conn, &PH_VALUE_OBJECT(&mailbox_type, &mailbox), call->pool, &verdict);
	switch (verdict.kind) {
	case PH_REJECT:
		reply_refusal(call, &verdict);
		return false;
	case PH_REWRITE:
		*name = verdict.value;
		return true;
	case PH_READ_ONLY:
		*read_only = true;
		return true;
	default:
		return true;
	}
}

struct ph_hook_point *const imap_hooks[] = { &command_hook, &select_hook, NULL };
