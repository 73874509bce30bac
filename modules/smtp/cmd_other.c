/* The small commands: RSET, NOOP, QUIT, HELP, VRFY, EXPN (RFC 5321, 4.1.1.5 to 4.1.1.10). */
#include <config.h>

#include "commands.h"

#include "reply.h"

bool no_arguments_check(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;

	if (call->arguments.len == 0)
		return true;
	reply(session, 501, "5.5.4", "No argument is allowed here");
	return false;
}

void rset_proceed(void *arg, void *call)
{
	(void)call;
	transaction_end(arg);
	reply(arg, 250, "2.0.0", "Done");
}

void noop_proceed(void *arg, void *call)
{
	(void)call;
	reply(arg, 250, "2.0.0", "Done");
}

void quit_proceed(void *arg, void *call)
{
	struct session *session = arg;

	(void)call;
	reply(session, 221, "2.0.0", "%s Goodbye", ph_core_config()->hostname);
	session->ending = true;
}

/* The names of all commands of this profile. */
void help_proceed(void *arg, void *call)
{
	struct session *session = arg;

	(void)call;
	ph_conn_text(session->conn, "214-2.0.0 Commands:\r\n214 2.0.0");
	for (const struct ph_command *command = smtp_commands; command->name; command++)
		if (command->flags & session->profile->bit)
			ph_conn_printf(session->conn, " %s", command->name);
	ph_conn_text(session->conn, "\r\n");
}

bool vrfy_check(void *arg, void *call_arg)
{
	struct call *call = call_arg;

	if (call->arguments.len > 0)
		return true;
	reply(arg, 501, "5.5.4", "Syntax: VRFY address");
	return false;
}

/* Who has an account is told to nobody (RFC 5321, 7.3). */
void vrfy_proceed(void *arg, void *call)
{
	(void)call;
	reply(arg, 252, "2.5.0", "Cannot verify, but will take mail for it and try to deliver");
}

void expn_proceed(void *arg, void *call)
{
	(void)call;
	reply(arg, 502, "5.5.1", "Lists are not expanded here");
}
