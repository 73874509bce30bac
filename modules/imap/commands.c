/* The table of commands: what each is called, when it is legal, and the steps it is made of. */
#include <stdio.h>

#include <posthorn/metric.h>

#include "session.h"

const struct ph_command imap_commands[] = {
	/* --- in any state (RFC 3501, 6.1) --- */
	{ "CAPABILITY", ANY_STATE, 0, check_nothing, ask_command, cmd_capability },
	{ "NOOP", ANY_STATE, 0, check_nothing, ask_command, cmd_noop },
	{ "LOGOUT", ANY_STATE, COMMAND_NO_NEWS, check_nothing, ask_command, cmd_logout },
	{ "ID", ANY_STATE, 0, check_id, ask_command, cmd_id },
	/* --- before the login (6.2) --- */
	{ "STARTTLS", NOT_AUTHENTICATED, 0, check_starttls, ask_command, cmd_starttls },
	{ "AUTHENTICATE", NOT_AUTHENTICATED, COMMAND_SECRET, check_authenticate, ask_command,
		cmd_authenticate },
	{ "LOGIN", NOT_AUTHENTICATED, COMMAND_SECRET, check_login, ask_command, cmd_login },
	/* --- behind it (6.3) --- */
	{ "ENABLE", LOGGED_IN, 0, check_enable, ask_command, cmd_enable },
	{ "SELECT", LOGGED_IN, COMMAND_NO_NEWS, check_space_mailbox, ask_command, cmd_select },
	{ "EXAMINE", LOGGED_IN, COMMAND_NO_NEWS, check_space_mailbox, ask_command, cmd_examine },
	{ "CREATE", LOGGED_IN, 0, check_create, ask_command, cmd_create },
	{ "DELETE", LOGGED_IN, 0, check_space_mailbox, ask_command, cmd_delete },
	{ "RENAME", LOGGED_IN, 0, check_rename, ask_command, cmd_rename },
	{ "SUBSCRIBE", LOGGED_IN, 0, check_space_mailbox, ask_command, cmd_subscribe },
	{ "UNSUBSCRIBE", LOGGED_IN, 0, check_space_mailbox, ask_command, cmd_unsubscribe },
	{ "LIST", LOGGED_IN, 0, check_list, ask_command, cmd_list },
	{ "LSUB", LOGGED_IN, 0, check_list, ask_command, cmd_lsub },
	{ "STATUS", LOGGED_IN, 0, check_status, ask_command, cmd_status },
	{ "NAMESPACE", LOGGED_IN, 0, check_nothing, ask_command, cmd_namespace },
	{ "APPEND", LOGGED_IN, COMMAND_MESSAGE, check_append, ask_command, cmd_append },
	{ "IDLE", LOGGED_IN, 0, check_nothing, ask_command, cmd_idle },
	/* --- with a mailbox selected (6.4) --- */
	{ "CHECK", SELECTED, 0, check_nothing, ask_command, cmd_check },
	{ "CLOSE", SELECTED, COMMAND_NO_NEWS, check_nothing, ask_command, cmd_close },
	{ "UNSELECT", SELECTED, COMMAND_NO_NEWS, check_nothing, ask_command, cmd_unselect },
	{ "EXPUNGE", SELECTED, COMMAND_UID, check_expunge, ask_command, cmd_expunge },
	{ "SEARCH", SELECTED, COMMAND_UID | COMMAND_KEEPS_NUMBERS, check_search, ask_command, cmd_search },
	{ "FETCH", SELECTED, COMMAND_UID | COMMAND_KEEPS_NUMBERS, check_fetch, ask_command, cmd_fetch },
	{ "STORE", SELECTED, COMMAND_UID | COMMAND_KEEPS_NUMBERS, check_store, ask_command, cmd_store },
	{ "COPY", SELECTED, COMMAND_UID, check_copy, ask_command, cmd_copy },
	{ "MOVE", SELECTED, COMMAND_UID, check_move, ask_command, cmd_move },
	{ "UID", SELECTED, COMMAND_ONLY_UID, NULL, NULL, NULL },
	{ 0 },
};

#define COMMANDS (sizeof(imap_commands) / sizeof(*imap_commands) - 1)

static struct ph_metric *command_metrics[COMMANDS];
static struct ph_metric *bad_metric;

void imap_metrics_register(void)
{
	static char labels[COMMANDS][32];

	for (size_t i = 0; i < COMMANDS; i++) {
		snprintf(labels[i], sizeof(labels[i]), "command=\"%s\"", imap_commands[i].name);
		command_metrics[i] =
			ph_metric_counter("posthorn_imap_commands_total", labels[i], "Commands carried out.");
	}
	bad_metric =
		ph_metric_counter("posthorn_imap_bad_commands_total", NULL, "Commands answered with BAD.");
}

void imap_count_command(const struct ph_command *command)
{
	ph_metric_add(command_metrics[command - imap_commands], 1);
}

void imap_count_bad(void)
{
	ph_metric_add(bad_metric, 1);
}

bool check_nothing(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	return parse_end(&call->parser) || reply_parse_error(call);
}

/* SP mailbox: the whole of many commands' arguments. */
bool check_space_mailbox(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	return (parse_space(parser) && parse_mailbox(parser, &call->mailbox) && parse_end(parser)) ||
	       reply_parse_error(call);
}
