/* Which commands there are, in which profiles, and where in a session they may be given (RFC 5321, 4.1.4). */
#include <config.h>

#include "commands.h"

#include "session.h"

const struct ph_command smtp_commands[] = {
	{ "HELO", AT_ANY, FOR_BOTH_SMTP, hello_check, NULL, helo_proceed },
	{ "EHLO", AT_ANY, FOR_BOTH_SMTP, hello_check, NULL, ehlo_proceed },
	{ "LHLO", AT_ANY, FOR_LMTP, hello_check, NULL, ehlo_proceed },
	{ "MAIL", AT_HELLO, FOR_ALL, mail_check, mail_hook, mail_proceed },
	{ "RCPT", AT_TRANSACTION, FOR_ALL, rcpt_check, rcpt_hook, rcpt_proceed },
	{ "DATA", AT_RECIPIENT, FOR_ALL, data_check, NULL, data_proceed },
	{ "RSET", AT_ANY, FOR_ALL, no_arguments_check, NULL, rset_proceed },
	{ "NOOP", AT_ANY, FOR_ALL, NULL, NULL, noop_proceed },
	{ "QUIT", AT_ANY, FOR_ALL, no_arguments_check, NULL, quit_proceed },
	{ "HELP", AT_ANY, FOR_ALL, NULL, NULL, help_proceed },
	{ "VRFY", AT_ANY, FOR_ALL, vrfy_check, NULL, vrfy_proceed },
	{ "EXPN", AT_ANY, FOR_ALL, NULL, NULL, expn_proceed },
	{ "STARTTLS", AFTER_HELLO, FOR_ALL, starttls_check, NULL, starttls_proceed },
	{ "AUTH", AT_HELLO, FOR_SUBMISSION, auth_check, NULL, auth_proceed },
	{ 0 },
};
