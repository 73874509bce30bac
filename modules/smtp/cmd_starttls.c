/* STARTTLS (RFC 3207). */
#include <config.h>

#include "commands.h"

#include "reply.h"

bool starttls_check(void *arg, void *call)
{
	struct session *session = arg;

	if (!no_arguments_check(session, call))
		return false;
	if (ph_conn_is_encrypted(session->conn)) {
		reply(session, 503, "5.5.1", "TLS is on already");
		return false;
	}
	if (!ph_conn_can_starttls(session->conn)) {
		reply(session, 454, "4.7.0", "TLS is not available here");
		return false;
	}
	return true;
}

/* Behind the handshake the session begins anew: nothing that was said in the clear counts. */
void starttls_proceed(void *arg, void *call)
{
	struct session *session = arg;

	(void)call;
	reply(session, 220, "2.0.0", "Ready for TLS");
	session->ending = ph_conn_starttls(session->conn) != 0;
	session_forget(session);
}
