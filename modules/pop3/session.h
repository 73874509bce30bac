/* One POP3 session: what the files of this module share. */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include <posthorn/auth.h>
#include <posthorn/command.h>
#include <posthorn/conn.h>
#include <posthorn/store.h>

#include "maildrop.h"
#include "parse.h"

enum {
	/* Command lines; RFC 2449 asks for at least 255 bytes, long initial responses of AUTH for more. */
	LINE_MAX_LEN = 2048,
};

/* RFC 1939's states, as bits for the command table. UPDATE is the time QUIT takes. */
enum { AUTHORIZATION = 1, TRANSACTION = 2 };

/* Flags of the command table. */
enum {
	KEEPS_SPACES = 1, /* spaces at the end of the line belong to the argument */
};

struct pop3_config {
	int64_t max_errors;
	bool mark_seen;
};

extern struct pop3_config pop3_config;
extern const struct ph_protocol pop3_protocol;
extern struct ph_hook_point pop3_login_hook;
extern const struct ph_command pop3_commands[];
extern const struct ph_store_service *pop3_store;
extern const struct ph_auth_service *pop3_auth;

struct session {
	struct ph_conn *conn;
	unsigned state;
	bool closing; /* the connection is closed when the turn ends */
	unsigned errors;
	char *user; /* what USER said, until PASS */
	struct maildrop maildrop;
	uint32_t retrieved; /* messages; for the log */
};

/* One command being run. */
struct call {
	struct ph_str argument; /* all behind the command's name */
	struct parsed_numbers numbers;
	struct ph_pool *pool;
};

/* "+OK text" and "-ERR text"; the first two parts of a failure may be a response code (RFC 2449, 8). */
void reply_ok(struct session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_error(struct session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "-ERR [SYS/TEMP] ..." with the error's words, and a line in the log. */
void reply_trouble(struct session *session, const char *doing, const struct ph_error *error);
/* As reply_error(), for a client that broke the protocol: too many of these end the session. */
void reply_bad(struct session *session, const char *text);

/* commands_login.c */
void command_user(void *session, void *call);
void command_pass(void *session, void *call);
void command_auth(void *session, void *call);
void command_stls(void *session, void *call);
void command_apop(void *session, void *call);

/* commands_mail.c */
void command_stat(void *session, void *call);
void command_list(void *session, void *call);
void command_uidl(void *session, void *call);
void command_retr(void *session, void *call);
void command_top(void *session, void *call);
void command_dele(void *session, void *call);
void command_rset(void *session, void *call);

#endif
