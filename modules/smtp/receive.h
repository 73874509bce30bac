/* Taking in the text of a message behind DATA. */
#ifndef SMTP_RECEIVE_H
#define SMTP_RECEIVE_H

#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

#include "reply.h"
#include "session.h"

struct incoming {
	struct ph_draft *draft;
	uint64_t trace_size;   /* bytes of trace lines at its front */
	uint64_t size;         /* bytes the client sent, without them */
	struct answer refused; /* code 0: not refused */
};

/* May park: reads to the end of the text, writing it into a new draft behind the trace lines. 0: the text has
 * ended, and *incoming tells whether it was taken. Otherwise the connection ended or failed before the text
 * did: a message is never taken in part. The caller frees the draft. */
int receive_text(struct session *session, struct incoming *incoming);

/* May park. Puts more lines behind the trace lines, by copying into a new draft. */
int receive_insert(struct incoming *incoming, struct ph_str lines, struct ph_error *error);
/* May park. Puts the message as policies changed it in the place of what came. */
int receive_change(struct incoming *incoming, const struct ph_mime_object *object, struct ph_error *error);

#endif
