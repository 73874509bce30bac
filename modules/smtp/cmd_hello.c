/* HELO, EHLO, LHLO: who is there, and what can be done here (RFC 5321, 4.1.1.1; RFC 2033, 4.1). */
#include <config.h>

#include "commands.h"

#include <stdlib.h>

#include "reply.h"
#include "smtp.h"

bool hello_check(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;

	if (parse_hello(call->arguments))
		return true;
	reply(session, 501, "5.5.4", "Syntax: %s hostname", session->profile->hello);
	return false;
}

/* A hello also ends the transaction, as RSET does. */
static void greet(struct session *session, struct ph_str name, bool extended)
{
	transaction_end(session);
	free(session->helo);
	session->helo = ph_str_dup(name);
	session->extended = extended;
	ph_conn_set_attribute(session->conn, "helo", name);
}

void helo_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;

	greet(session, call->arguments, false);
	reply(session, 250, NULL, "%s", ph_core_config()->hostname);
}

/* Only what works here and now. */
void ehlo_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct ph_conn *conn = session->conn;
	const char *mechanisms = "";

	greet(session, call->arguments, true);
	ph_conn_printf(conn, "250-%s\r\n", ph_core_config()->hostname);
	ph_conn_text(conn, "250-PIPELINING\r\n");
	ph_conn_printf(conn, "250-SIZE %lld\r\n", (long long)smtp_config.max_message_size);
	if (ph_conn_can_starttls(conn))
		ph_conn_text(conn, "250-STARTTLS\r\n");
	if (session->profile->login && !session->logged_in)
		mechanisms = smtp_services.auth->mechanisms(conn);
	if (mechanisms[0])
		ph_conn_printf(conn, "250-AUTH %s\r\n", mechanisms);
	ph_conn_text(conn, "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
}
