/* What this server can do for this client now (RFC 3501, 6.1.1 and 7.2.1). */
#include "session.h"

static void print_mechanisms(const struct session *session, struct ph_buf *buf)
{
	struct ph_str rest = ph_str(auth->mechanisms(session->conn));
	struct ph_str name;

	while (ph_str_split(&rest, ' ', &name)) {
		if (name.len)
			ph_buf_printf(buf, " AUTH=%.*s", PH_STR_ARGS(name));
	}
}

void print_capabilities(const struct session *session, struct ph_buf *buf)
{
	ph_buf_add_text(buf, "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE");
	if (session->state != NOT_AUTHENTICATED) {
		ph_buf_add_text(buf,
			" IDLE NAMESPACE CHILDREN SPECIAL-USE UIDPLUS UNSELECT MOVE OBJECTID BINARY PREVIEW "
			"SAVEDATE");
		return;
	}
	if (ph_conn_can_starttls(session->conn))
		ph_buf_add_text(buf, " STARTTLS");
	if (ph_conn_may_login(session->conn))
		print_mechanisms(session, buf);
	else
		ph_buf_add_text(buf, " LOGINDISABLED");
}
