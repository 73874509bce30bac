/* One connection's session, and one command of it.
 *
 *   session   lives as long as the connection; small, since most sessions are idle
 *   call      one command while it runs: its tag, its arguments, its memory
 *   reply     the tagged response that ends a call; before it the client is told what changed in the mailbox
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include <posthorn/auth.h>
#include <posthorn/command.h>
#include <posthorn/conn.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

#include "fetch_items.h"
#include "parse.h"
#include "search_keys.h"
#include "sequence_set.h"

/* The services, set before anything starts. */
extern const struct ph_store_service *store;
extern const struct ph_auth_service *auth;
extern const struct ph_mime_service *mime;

struct imap_config {
	int64_t max_line;
	int64_t max_literal;
	int64_t max_command;
	int64_t max_message;
	int64_t max_memory;
	int64_t max_bad;
	ph_msec command_timeout;
	ph_msec idle_timeout;
};

extern struct imap_config imap_config;

/* States of RFC 3501, 3; bits, for the command table. Logout is `closing`. */
enum {
	NOT_AUTHENTICATED = 1,
	AUTHENTICATED = 2,
	SELECTED = 4,
	LOGGED_IN = AUTHENTICATED | SELECTED,
	ANY_STATE = 7
};

struct session {
	struct ph_conn *conn;
	unsigned state;
	bool closing;
	bool read_only;
	unsigned bad_in_row;
	struct ph_actor actor;
	struct ph_mailbox *mailbox; /* the selected one */
	char *mailbox_name;
	char *idle_tag; /* of the IDLE that goes on; or NULL */
	/* For the line that is logged at the end. */
	ph_msec began;
	uint32_t commands;
	uint32_t fetched;
	uint32_t appended;
	uint32_t expunged;
};

/* Flags of command rows. */
enum {
	COMMAND_UID = 1,      /* may stand behind UID */
	COMMAND_ONLY_UID = 2, /* UID itself: the name of the command follows */
	COMMAND_KEEPS_NUMBERS =
		4,            /* no EXPUNGE response before its reply, unless behind UID (RFC 3501, 7.4.1) */
	COMMAND_NO_NEWS = 8,  /* its reply is not preceded by what is new in the mailbox */
	COMMAND_SECRET = 16,  /* policies do not see its arguments */
	COMMAND_MESSAGE = 32, /* ends in a literal that is read while it runs */
	COMMAND_WRITES = 64,  /* not for a mailbox opened read-only */
};

struct call {
	struct session *session;
	struct ph_conn *conn;
	struct ph_pool *pool;
	struct ph_str tag;
	const struct ph_command *command;
	bool uid;
	struct ph_str text;            /* the whole command */
	struct ph_buf long_text;       /* holds it when there are literals */
	size_t last_line;              /* where in the text it begins; what is before it may be a literal */
	struct parser parser;          /* stands at the arguments */
	struct ph_str arguments;       /* as text */
	struct literal_header message; /* COMMAND_MESSAGE: what is still to be read */
	bool message_waits;
	/* The parsed arguments. */
	struct ph_str mailbox;
	struct ph_str target;
	struct sequence_set set;
	struct ph_uid_set uids; /* the messages of `set` in the selected mailbox */
	union {
		struct {
			struct ph_str user, password;
		} login;
		struct {
			struct ph_str mechanism, initial;
		} authenticate;
		struct {
			struct ph_str reference, pattern;
			bool only_special_use;
		} list;
		unsigned status_items;
		struct {
			struct ph_flag_list flags;
			struct date_time date;
			bool dated;
		} append;
		struct {
			struct ph_flag_list flags;
			enum ph_flag_operation operation;
			bool silent;
		} store;
		struct fetch fetch;
		struct search search;
	};
};

extern const struct ph_command imap_commands[];
extern const struct ph_protocol imap_protocol;
extern struct ph_hook_point *const imap_hooks[];
void imap_commands_register(void);
/* Registers the metrics. */
void imap_metrics_register(void);
void imap_count_command(const struct ph_command *command);
void imap_count_bad(void);

/* --- session.c --- */

/* Leaves the selected mailbox, if any. */
void session_unselect(struct session *session);
/* A pool for one turn, from those kept for the next, and giving it back. */
struct ph_pool *turn_pool_take(void);
void turn_pool_give(struct ph_pool *pool);
void turn_pools_free(void);
/* After a successful login. */
void session_login(struct call *call, const struct ph_login *login);
/* A line from the client that is no command: the answer to a challenge, DONE. 0 or a negative code. */
int session_read_line(struct session *session, size_t max, struct ph_str *line_r);

/* --- reader.c --- */

/* May park. Reads a command and finds its row. 1; 0 when it was refused, answered and skipped; or a negative
 * code when the connection cannot go on. */
int command_read(struct call *call);
/* May park. Skips what is left of a command whose message was not read. */
int command_skip_message(struct call *call);

/* --- reply.c --- */

void reply_ok(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_no(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The client broke a rule; too many of these in a row end the session. */
void reply_bad(struct call *call, const char *text);
/* NO with the response code that says best what went wrong. */
void reply_error(struct call *call, int code, const struct ph_error *error);
/* What the parser says about it: BAD, or NO [CANNOT] for what is well formed. Returns false. */
bool reply_parse_error(struct call *call);
/* BYE, and the session ends with this turn. */
void say_bye(struct session *session, const char *text);

/* --- hooks.c --- */

/* The hook of every row: asks "imap.command". */
bool ask_command(void *session, void *call);
/* Asks "imap.select"; may change the name and make it read-only. False when refused and answered. */
bool ask_select(struct call *call, struct ph_str *name, bool *read_only);

/* --- capability.c --- */

void print_capabilities(const struct session *session, struct ph_buf *buf);

/* --- sync.c --- */

/* May park. Tells what is new in the selected mailbox; `expunges`: also which messages went; `with_uid`:
 * FETCH responses carry UIDs. `skip`, which may be NULL, are messages whose flags are not told. False when
 * the session must end. */
bool sync_mailbox(struct session *session, struct ph_pool *pool, bool expunges, bool with_uid,
	const struct ph_uid_set *skip);
/* Tells news that were asked for by the caller. */
bool sync_tell(struct session *session, const struct ph_mailbox_news *news, bool with_uid,
	const struct ph_uid_set *skip);
/* "* FLAGS" and "* OK [PERMANENTFLAGS". */
void print_mailbox_flags(const struct session *session, struct ph_buf *buf);

/* --- idle.c --- */

/* Input while IDLE goes on. */
enum ph_turn idle_input(struct session *session);
/* The mailbox changed while IDLE goes on. */
enum ph_turn idle_event(struct session *session);
void idle_end(struct session *session);

/* --- commands.c and cmd_*.c: the steps of the rows --- */

typedef bool command_check(void *session, void *call);
typedef void command_proceed(void *session, void *call);

command_check check_nothing, check_space_mailbox, check_id, check_enable, check_login, check_authenticate,
	check_starttls, check_create, check_rename, check_list, check_status, check_append, check_fetch,
	check_store, check_search, check_copy, check_move, check_expunge;
command_proceed cmd_capability, cmd_noop, cmd_logout, cmd_id, cmd_enable, cmd_namespace, cmd_login,
	cmd_authenticate, cmd_starttls, cmd_select, cmd_examine, cmd_create, cmd_delete, cmd_rename,
	cmd_subscribe, cmd_unsubscribe, cmd_list, cmd_lsub, cmd_status, cmd_append, cmd_check, cmd_close,
	cmd_unselect, cmd_expunge, cmd_fetch, cmd_store, cmd_search, cmd_copy, cmd_move, cmd_idle;

/* --- selection.c --- */

/* Was the selected mailbox opened for writing? Answers when not. */
bool check_writable(struct call *call);
/* Parses the sequence set of a command and finds its messages: fills call->set, call->uids. */
bool check_messages(struct call *call);
/* The messages of a set; false when it names a sequence number that is not there. The caller frees *uids_r.
 */
bool resolve_set(
	const struct ph_mailbox *mailbox, struct sequence_set *set, bool uid, struct ph_uid_set *uids_r);

#endif
