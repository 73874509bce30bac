/* The protocols smtp (between servers), submission (from users) and lmtp (from a server to its store). */
#include <config.h>

#include "profile.h"

#include "session.h"

/* Between servers a bare CR or LF is how messages are smuggled past each other's idea of where one ends:
 * refused. Users' programs send such line ends in good faith, and an LMTP client has accepted the message
 * already. */
static const struct profile smtp = {
	.bit = FOR_SMTP,
	.service = "ESMTP",
	.hello = "EHLO",
	.with = "SMTP",
	.with_extended = "ESMTP",
};

static const struct profile submission = {
	.bit = FOR_SUBMISSION,
	.service = "ESMTP",
	.hello = "EHLO",
	.login = true,
	.complete_message = true,
	.repair_line_ends = true,
	.with = "SMTP",
	.with_extended = "ESMTP",
};

static const struct profile lmtp = {
	.bit = FOR_LMTP,
	.service = "LMTP",
	.hello = "LHLO",
	.answer_each = true,
	.repair_line_ends = true,
	.with = "LMTP",
	.with_extended = "LMTP",
};

#define SESSION_FUNCTIONS                                                                     \
	.session_size = sizeof(struct session), .open = session_open, .input = session_input, \
	.goodbye = session_goodbye, .close = session_close

const struct ph_protocol smtp_protocol = {
	.name = "smtp", .summary = "Takes mail from other servers (RFC 5321).", SESSION_FUNCTIONS
};
const struct ph_protocol submission_protocol = {
	.name = "submission", .summary = "Takes mail from users who log in (RFC 6409).", SESSION_FUNCTIONS
};
const struct ph_protocol lmtp_protocol = {
	.name = "lmtp", .summary = "Takes mail for local delivery (RFC 2033).", SESSION_FUNCTIONS
};

const struct profile *profile_of(const struct ph_conn *conn)
{
	const struct ph_protocol *protocol = ph_conn_protocol(conn);

	return protocol == &lmtp_protocol ? &lmtp : protocol == &submission_protocol ? &submission : &smtp;
}
