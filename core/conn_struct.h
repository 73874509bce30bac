/* The inside of a connection, for the files that make it up: conn.c (its life), conn_read.c, conn_write.c,
 * session.c (what is known of it) and listen.c (where it came in).
 *
 * There may be a hundred thousand of these at rest: a struct stays small, and blocks (the input and the
 * output buffer) are borrowed for turns only. */
#ifndef CORE_CONN_STRUCT_H
#define CORE_CONN_STRUCT_H

#include <netinet/in.h>
#include <stdalign.h>
#include <stddef.h>

#include <posthorn/conn.h>
#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/map.h>
#include <posthorn/metric.h>

#include "conn_private.h"
#include "endpoint.h"
#include "layer.h"

enum { CONN_BLOCK = 64 * 1024 };

struct listener_metrics {
	struct ph_metric *open;
	struct ph_metric *accepted;
	struct ph_metric *refused;
	struct ph_metric *handshakes;
	struct ph_metric *failed_handshakes;
};

/* A listener as one worker runs it. */
struct listener {
	struct ph_list link;
	const struct listener_config *config;
	int fd; /* -1: no longer */
	struct ph_io io;
	struct ph_timer pause;
	bool paused_before; /* the log has it already */
	int64_t open;
	int descriptors_end;       /* connections have those below it: the others are for files */
	struct ph_map *open_by_ip; /* struct ip_count * */
	struct network *proxies;
	const struct listener_metrics *metrics;
};

struct attribute;

struct ph_conn {
	struct ph_list link; /* all of this worker */
	struct listener *listener;
	struct layer *layer; /* the top one */
	struct layer_tcp tcp;
	struct ph_io io;

	/* At rest. The alarm may ring early, and is then set anew: cheaper than moving it at every turn. */
	struct ph_timer idle_timer;
	ph_msec idle_alarm;
	ph_msec idle_since;
	ph_msec idle_timeout;

	/* During turns. */
	ph_msec turn_deadline;
	char *in;
	size_t in_start, in_end;
	size_t in_touched; /* the block held input up to there */
	char *out;
	size_t out_len;
	struct ph_log_context *log;
	unsigned reads_at_a_stretch;
	size_t sent_at_a_stretch;

	int read_error;
	int write_error;
	const char *end_reason;
	uint64_t bytes_in, bytes_out;

	struct endpoint remote, local;
	char id[16];
	char *user;
	struct attribute *attributes;
	void *lua;

	enum ph_goodbye goodbye;
	bool goodbye_due;
	bool event_due;
	bool busy;        /* a fiber runs its turns */
	bool opened;      /* there is a session */
	bool input_ended; /* the peer sends no more */
	bool read_timed_out;
	bool encrypted;
	bool counted_for_ip;
	bool hurried; /* close without waiting for the peer */

	alignas(max_align_t) char session[];
};

/* --- listen.c --- */

/* Counts the connection for its remote address; false when that has too many. */
bool listener_count_ip(struct listener *listener, struct ph_conn *conn);
void listener_forget(struct listener *listener, struct ph_conn *conn);
/* May this peer send a PROXY header? */
bool listener_trusts(const struct listener *listener, const struct sockaddr *peer);

/* --- conn.c --- */

/* Takes over an accepted socket. */
void conn_open(struct listener *listener, int fd);
/* May park: until the socket is ready for what the layer wants (LAYER_WANTS_*), or the deadline. 0 or
 * PH_E_TIMEOUT. */
int conn_wait(struct ph_conn *conn, int wanted, ph_msec deadline);

/* --- conn_read.c --- */

static inline size_t conn_buffered(const struct ph_conn *conn)
{
	return conn->in_end - conn->in_start;
}

/* Reads what is there without waiting: 1, 0 at the end of input, LAYER_WANTS_*, PH_E_LIMIT when the buffer is
 * full, or another code. */
int conn_fill(struct ph_conn *conn);
/* Blocks of CONN_BLOCK bytes; a few are kept for the next turns. */
char *conn_block_take(void);
void conn_block_give(char **block);
/* Gives the input buffer back, with nothing left in it. */
void conn_input_give(struct ph_conn *conn);
void conn_blocks_free(void);

/* --- session.c --- */

void conn_make_id(struct ph_conn *conn);
/* Everything the running fiber logs names this connection; the context must live as long as its turns. */
void conn_log_begin(struct ph_conn *conn, struct ph_log_context *context);
void conn_free_attributes(struct ph_conn *conn);

#endif
