/* Answers (RFC 5321, 4.2), with enhanced status codes (RFC 2034) in all that may have them. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <posthorn/verdict.h>

#include "session.h"

/* One answer: what DATA says once or for each recipient. */
struct answer {
	int code;
	char enhanced[16]; /* "5.1.1", or empty */
	char text[400];
};

/* One line. `enhanced` is NULL where there is none. 5yz answers count as the client's errors. */
void reply(struct session *session, int code, const char *enhanced, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void reply_answer(struct session *session, const struct answer *answer);
void answer_set(struct answer *answer, int code, const char *enhanced, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What a policy that refuses wants to be said: its own codes and text, else the usual ones. */
void answer_verdict(struct answer *answer, const struct ph_verdict *verdict);

#endif
