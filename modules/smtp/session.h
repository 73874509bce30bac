/* One session and its transaction (RFC 5321, 3.3). A session is small and lasts as long as the connection; a
 * transaction begins with MAIL and ends with its message, RSET, a new hello or the session. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/address.h>
#include <posthorn/command.h>
#include <posthorn/conn.h>
#include <posthorn/delivery.h>
#include <posthorn/mem.h>

#include "parse.h"
#include "profile.h"

/* Where a session stands: bits, for the states of the command table. */
enum {
	AT_START = 1,  /* no hello yet */
	AT_HELLO = 2,  /* between transactions */
	AT_SENDER = 4, /* there is a sender, and no recipient */
	AT_RECIPIENT = 8,
	AT_ANY = 15,
	AT_TRANSACTION = AT_SENDER | AT_RECIPIENT,
	AFTER_HELLO = AT_HELLO | AT_TRANSACTION,
};

struct recipient {
	struct ph_str address;
	struct ph_route route;
};

struct transaction {
	struct ph_pool *pool;
	char id[64]; /* in trace lines, answers and the log */
	struct ph_str reverse_path;
	bool discard; /* policy: say yes to all, and forget it */
	struct recipient *recipients;
	size_t count, capacity;
};

struct session {
	struct ph_conn *conn;
	const struct profile *profile;
	char *helo;    /* the client's name; NULL before */
	bool extended; /* EHLO or LHLO, not HELO */
	bool logged_in;
	ph_account_id account; /* of the login */
	struct transaction *transaction;
	int64_t errors;
	uint64_t transactions;
	bool ending; /* the session closes when this turn ends */
};

/* One command while it runs. */
struct call {
	struct ph_str arguments;
	struct ph_pool *pool;       /* of the command */
	struct path_arguments path; /* MAIL, RCPT */
	struct ph_str address;      /* MAIL, RCPT: the path as text */
	uint64_t declared_size;     /* MAIL */
	const char *body;           /* MAIL: "7BIT", "8BITMIME", or NULL */
	bool discard;               /* MAIL */
	int resolved;               /* RCPT: what resolve() said */
	struct ph_error error;
	struct ph_route route;
};

unsigned session_state(const struct session *session);
/* Forgets all that the client said (RFC 3207, 4.2), but not how many errors it made. */
void session_forget(struct session *session);

/* There must be none under way. */
struct transaction *transaction_begin(struct session *session, struct ph_str reverse_path);
/* Copies the address and its route. */
void transaction_add(struct transaction *transaction, struct ph_str address, const struct ph_route *route);
/* Nothing happens when there is none. */
void transaction_end(struct session *session);

/* The functions of the protocols (profile.c). */
enum ph_turn session_open(struct ph_conn *conn, void *session);
enum ph_turn session_input(struct ph_conn *conn, void *session);
void session_goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text);
void session_close(struct ph_conn *conn, void *session);

#endif
