/* The three protocols of this module are one session with three profiles. */
#ifndef SMTP_PROFILE_H
#define SMTP_PROFILE_H

#include <stdbool.h>

#include <posthorn/conn.h>

/* Bits of the profiles, for the flags of the command table. */
enum {
	FOR_SMTP = 1,
	FOR_SUBMISSION = 2,
	FOR_LMTP = 4,
	FOR_BOTH_SMTP = FOR_SMTP | FOR_SUBMISSION,
	FOR_ALL = 7
};

struct profile {
	unsigned bit;
	const char *service;   /* "ESMTP", as in the greeting */
	const char *hello;     /* the command that must come first */
	bool login;            /* AUTH is offered, and needed before MAIL */
	bool complete_message; /* add Date and Message-ID where they are missing (RFC 6409, 8) */
	bool answer_each;      /* after DATA, one answer for each recipient (RFC 2033, 4.2) */
	bool repair_line_ends; /* a bare LF becomes CRLF, a bare CR a space; else the message is refused */
	const char *with;      /* keyword of trace lines without extensions (RFC 3848) */
	const char *with_extended;
};

extern const struct ph_protocol smtp_protocol, submission_protocol, lmtp_protocol;
const struct profile *profile_of(const struct ph_conn *conn);

#endif
