/* An IMAP client: logs in, and then sends what its task wants, one command after the other. */
#ifndef MAILLOAD_IMAP_H
#define MAILLOAD_IMAP_H

#include "connection.h"
#include "tools.h"

struct imap_client;

enum imap_command {
	IMAP_GREETING,
	IMAP_LOGIN,
	IMAP_SELECT,
	IMAP_LIST,
	IMAP_BODY,
	IMAP_STORE,
	IMAP_SEARCH_FROM,
	IMAP_SEARCH_SUBJECT,
	IMAP_SEARCH_TEXT,
	IMAP_APPEND,
	IMAP_NOOP,
	IMAP_LOGOUT,
	IMAP_IDLE,
	IMAP_FETCH,
	IMAP_STATUS,
	IMAP_SCRIPT,
	IMAP_COMMANDS
};

struct imap_task {
	/* A command ended: `answer` begins with OK, NO or BAD, or with + where the server idles now. */
	void (*done)(struct imap_client *client, bool good, struct ph_str answer);
	/* EXISTS came; may be NULL. */
	void (*exists)(struct imap_client *client);
	void (*closed)(struct imap_client *client);
};

struct imap_client {
	struct connection connection;
	const struct imap_task *task;
	long user;
	enum imap_command command;
	unsigned long tag;
	uint64_t command_at;
	/* what the answer told */
	long untagged, exists, status;
	bool collect; /* the UIDs of FETCH */
	uint32_t *uids;
	size_t uid_count, uid_capacity;
	/* reading */
	uint64_t literal; /* bytes of it that are to come */
	bool in_line;     /* behind a literal */
	size_t scanned;   /* bytes of input without a line's end */
	/* APPEND */
	struct ph_buf header;
	struct ph_str body;
	long batch, batch_left;
};

/* Latencies of each command, and how many the server refused. */
extern struct latencies imap_latencies[IMAP_COMMANDS];
extern long imap_refused;
/* Bytes of messages sent by APPEND. */
extern uint64_t imap_appended;

const char *imap_command_name(enum imap_command command);
/* Looks up the server that the options name. */
void imap_find_server(void);
/* Connects and logs in as user number `user`; the first done() is that of IMAP_LOGIN. */
void imap_open(struct imap_client *client, const struct imap_task *task, long user);
void imap_send(struct imap_client *client, enum imap_command command, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends so many messages by one command (more than one: MULTIAPPEND, RFC 3502). */
void imap_append(struct imap_client *client, long count);

#endif
