/* What becomes of a message that has come in whole. */
#ifndef SMTP_MESSAGE_H
#define SMTP_MESSAGE_H

#include "receive.h"
#include "session.h"

/* May park: checks it, asks policy, delivers it, and answers. A yes means it is durable wherever it had to
 * go. */
void message_finish(struct session *session, struct incoming *incoming, struct ph_pool *pool);

#endif
