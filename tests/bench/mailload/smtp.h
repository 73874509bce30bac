/* A client that sends messages by SMTP or LMTP, one after the other. */
#ifndef MAILLOAD_SMTP_H
#define MAILLOAD_SMTP_H

#include "connection.h"

struct smtp_client;

/* Who wants messages to be sent. */
struct smtp_task {
	/* Is there another message for this connection? Then sets client->number. */
	bool (*next)(struct smtp_client *client);
	/* Before the message's bytes are sent; may be NULL. */
	void (*sending)(struct smtp_client *client);
	/* What became of it. */
	void (*sent)(struct smtp_client *client, bool accepted);
	void (*closed)(struct smtp_client *client);
	const char *recipient; /* with %d */
};

enum smtp_state { SMTP_GREETING, SMTP_HELLO, SMTP_MAIL, SMTP_RCPT, SMTP_DATA, SMTP_BODY, SMTP_QUIT };

struct smtp_client {
	struct connection connection;
	const struct smtp_task *task;
	long left;   /* messages until QUIT */
	long number; /* of the message */
	uint64_t message_size, mail_at;
	enum smtp_state state;
	long answers; /* in this state */
	bool pipelining, refused;
};

void smtp_open(struct smtp_client *client, const struct smtp_task *task, const struct endpoint *endpoint,
	long messages);

#endif
