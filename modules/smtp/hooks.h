/* The hook points smtp.mail, smtp.rcpt and smtp.message: their declarations, what policies see, and what the
 * verdicts that the three have in common come to. */
#ifndef SMTP_HOOKS_H
#define SMTP_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/hook.h>
#include <posthorn/mime.h>

#include "session.h"

extern struct ph_hook_point smtp_mail_hook, smtp_rcpt_hook, smtp_message_hook;

/* What policies see; the members are the objects' fields. */
struct sender_object {
	struct ph_str address;
	const struct ph_address *parts;
	uint64_t size; /* declared; 0: not */
	const char *body;
};

struct recipient_object {
	struct ph_str address;
	const struct ph_address *parts;
	struct ph_str from;
	const char *known; /* "yes", "no", "remote" */
};

struct envelope_object {
	const char *id;
	struct ph_str from;
	const struct ph_str *recipients;
	size_t count;
};

/* May park. Each fills *verdict_r; PH_PASS when nobody listens. */
void hook_mail(struct session *session, struct ph_pool *pool, struct sender_object *sender,
	struct ph_verdict *verdict_r);
void hook_rcpt(struct session *session, struct ph_pool *pool, struct recipient_object *recipient,
	struct ph_verdict *verdict_r);
void hook_message(struct session *session, struct ph_pool *pool, struct ph_mime_object *message,
	struct envelope_object *envelope, struct ph_verdict *verdict_r);

/* Is it a verdict that refuses: reject, defer or disconnect? */
bool verdict_refuses(const struct ph_verdict *verdict);
/* May park. Carries out a verdict `route`: other recipients and another mailbox for *route. 0; PH_E_INVALID
 * when the policy names what is no address or no user here, and says so in the log; or a
 * failure of the services. */
int verdict_route(const char *point, const struct ph_verdict *verdict, struct ph_pool *pool,
	struct ph_route *route, struct ph_error *error);

#endif
