/* Connections and the protocols that speak on them.
 *
 *   listener    a bound address, the protocol spoken there, and whether TLS comes first
 *   connection  one accepted socket: layers (TCP, PROXY header, TLS), an input and an output buffer
 *   session     the protocol's own struct for one connection, made and freed with it
 *   turn        one call of the protocol: it runs on a fiber and may park anywhere
 *
 * A fiber exists only during a turn. Between turns a connection holds its structs and nothing else: no stack,
 * no buffers. Turns of one connection never overlap. What a turn wrote is sent when it ends (or earlier, when
 * much is waiting), but not while further complete input is buffered, so that pipelined commands are answered
 * together. */
#ifndef POSTHORN_CONN_H
#define POSTHORN_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/conf.h>
#include <posthorn/error.h>
#include <posthorn/fiber.h>
#include <posthorn/hook.h>
#include <posthorn/mem.h>

struct ph_conn;

enum ph_turn { PH_TURN_KEEP, PH_TURN_CLOSE };

enum ph_goodbye {
	PH_GOODBYE_IDLE,     /* the client said nothing for too long */
	PH_GOODBYE_SHUTDOWN, /* this worker ends */
	PH_GOODBYE_TOO_MANY, /* too many connections; there is no session */
	PH_GOODBYE_REFUSED,  /* a policy refused the connection; there is no session */
	PH_GOODBYE_DEFERRED, /* the same, but only for now: also when the policy failed */
	PH_GOODBYE_FAILED,   /* the server cannot go on with this connection */
};

struct ph_protocol {
	const char *name; /* as in listen { protocol = "..." } */
	const char *summary;
	const char *alpn;    /* offered in TLS (RFC 7301), or NULL */
	size_t session_size; /* zeroed memory for each connection */

	/* What a listener of this protocol may be told besides the core's own keys; or NULL. The struct they
	 * fill is found with ph_conn_listener(). */
	const struct ph_option *listener_options;
	size_t listener_size;

	/* A turn: greets. With TLS from the start, the handshake is done. */
	enum ph_turn (*open)(struct ph_conn *conn, void *session);
	/* A turn: there is input. Reads and answers one command. */
	enum ph_turn (*input)(struct ph_conn *conn, void *session);
	/* A turn: ph_conn_post() was called; or NULL. */
	enum ph_turn (*event)(struct ph_conn *conn, void *session);
	/* A turn: writes the protocol's words for the reason (`text` may be empty); the connection is closed
	 * behind it. `session` is NULL where there is none. */
	void (*goodbye)(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text);
	/* The connection is over: frees what the session holds. Runs on a fiber and may park (releasing a
	 * lock in the store, say), but the connection can no longer be read or written. */
	void (*close)(struct ph_conn *conn, void *session);
};

/* --- Who it is --- */

/* Short, unique while the server runs; in every log line of the connection. */
const char *ph_conn_id(const struct ph_conn *conn);
/* The struct described by the protocol's listener_options; NULL when it has none. */
const void *ph_conn_listener(const struct ph_conn *conn);
const struct ph_protocol *ph_conn_protocol(const struct ph_conn *conn);
/* Numeric addresses as text; behind a PROXY header, those it names. */
const char *ph_conn_remote_ip(const struct ph_conn *conn);
int ph_conn_remote_port(const struct ph_conn *conn);
const char *ph_conn_local_ip(const struct ph_conn *conn);
int ph_conn_local_port(const struct ph_conn *conn);
/* Is what goes over it encrypted (by TLS here)? */
bool ph_conn_is_encrypted(const struct ph_conn *conn);
/* "TLSv1.3" and "TLS_AES_256_GCM_SHA384", or empty. */
const char *ph_conn_tls_version(const struct ph_conn *conn);
const char *ph_conn_tls_cipher(const struct ph_conn *conn);
/* May a password be sent here: encrypted, or the listener says plaintext_login = true. */
bool ph_conn_may_login(const struct ph_conn *conn);
/* Can STARTTLS be done now: the listener has tls = "starttls", a key is there, and TLS is not on. */
bool ph_conn_can_starttls(const struct ph_conn *conn);
/* The account name that policies see as session.user; copied; empty for none. */
void ph_conn_set_user(struct ph_conn *conn, struct ph_str user);
struct ph_str ph_conn_user(const struct ph_conn *conn);
/* Named text that policies see as a field of the session (such as session.helo); copied. */
void ph_conn_set_attribute(struct ph_conn *conn, const char *name, struct ph_str value);
struct ph_str ph_conn_attribute(const struct ph_conn *conn, const char *name);
/* Ends one transaction: policies find session.transaction empty again. */
void ph_conn_end_transaction(struct ph_conn *conn);
/* The session as an argument of hooks. */
extern const struct ph_object_type ph_session_type;

/* --- Time. A read or write that runs out returns PH_E_TIMEOUT. --- */

/* How long a turnless connection may wait for input before goodbye(IDLE), and how long one read inside a turn
 * may take (a line: the whole line). Starts as the listener's idle_timeout. */
void ph_conn_set_idle_timeout(struct ph_conn *conn, ph_msec timeout);
/* An end for all reads of the running turn together, from now; 0 lifts it. It stops those who send a byte a
 * minute. Lifted by itself when the turn ends. */
void ph_conn_set_turn_timeout(struct ph_conn *conn, ph_msec timeout);

/* --- Reading. All may park, and return 1, 0 at the end of input, or a negative code. After PH_E_TIMEOUT,
 * PH_E_CLOSED or PH_E_IO, end the session: return PH_TURN_CLOSE, without words; after a timeout the core
 * calls goodbye(IDLE) itself. What was written is sent before a read waits. --- */

struct ph_line {
	struct ph_str text; /* without its line end; valid until the next read */
	bool bare_lf;       /* ended by LF without CR */
	bool bare_cr;       /* holds a CR that is not part of the line end */
	bool nul;           /* holds a NUL */
};

/* A line of at most `max` bytes. A longer one is skipped to its end: PH_E_LIMIT, and the connection can go
 * on. */
int ph_conn_read_line(struct ph_conn *conn, size_t max, struct ph_line *line_r);
/* Waits until something is buffered and shows all that is (at least one byte, at most 64 KB), until the next
 * read or consume. */
int ph_conn_peek(struct ph_conn *conn, struct ph_str *bytes_r);
/* Waits until more is buffered than now, or the buffer (64 KB) is full: then PH_E_LIMIT. */
int ph_conn_peek_more(struct ph_conn *conn, struct ph_str *bytes_r);
/* Takes so many of the bytes shown. */
void ph_conn_consume(struct ph_conn *conn, size_t len);
/* Is input buffered already: would a read return without waiting? */
bool ph_conn_has_input(const struct ph_conn *conn);

/* --- Writing. Bytes are collected, and sent when the turn ends. All may park when the peer reads slowly, for
 * at most the listener's write_timeout at a stretch. 0, or a negative code that later writes repeat: a
 * protocol may write on and look at the end. --- */

int ph_conn_write(struct ph_conn *conn, struct ph_str bytes);
int ph_conn_text(struct ph_conn *conn, const char *text);
int ph_conn_printf(struct ph_conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As ph_conn_write(), sending from the caller's memory without a copy where that is cheaper: for long
 * stretches of stored bytes. They must stay valid until it returns. */
int ph_conn_write_long(struct ph_conn *conn, struct ph_str bytes);
/* Sends all that was written. */
int ph_conn_flush(struct ph_conn *conn);
/* The output's lasting error, or 0. */
int ph_conn_error(const struct ph_conn *conn);

/* --- Changing it --- */

/* After the positive answer to STARTTLS was written: flushes it and does the handshake. Input that was
 * already buffered behind the command was not encrypted: it is discarded and PH_E_INVALID returned; the
 * session must close. May park. */
int ph_conn_starttls(struct ph_conn *conn);
/* Asks for a turn of `event`, soon, also while another turn runs. From the loop or any fiber of this worker.
 */
void ph_conn_post(struct ph_conn *conn);

#endif
