/* Connections of one thread, and the loop that serves them. A protocol puts struct connection first in its
 * own struct. */
#ifndef MAILLOAD_CONNECTION_H
#define MAILLOAD_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <openssl/types.h>
#include <posthorn/buf.h>

#define OUTPUT_PIECES 8

struct connection;

struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
	bool tls;
};

struct protocol {
	/* Takes what it can of the bytes and returns how many; the rest comes again with more behind. */
	size_t (*feed)(struct connection *connection, struct ph_str bytes);
	/* After the connection ended, whoever ended it; may open it again. */
	void (*closed)(struct connection *connection);
};

/* What waits to be sent: bytes of somebody else, or a copy to be freed. */
struct piece {
	struct ph_str bytes;
	char *copy;
};

struct connection {
	const struct protocol *protocol;
	const struct endpoint *endpoint;
	int fd;
	SSL *tls;
	bool connected, closed;
	bool waits_to_write;
	struct ph_buf input;
	struct piece pieces[OUTPUT_PIECES];
	unsigned piece_count;
	size_t sent; /* of the first piece */
	uint64_t opened_at, received;
	struct connection *next_closed;
};

/* Looks up a host and port; gives up where that fails. */
void endpoint_find(struct endpoint *endpoint, const char *host, const char *port, bool tls);

/* Clears the connection and begins to connect. */
void connection_open(
	struct connection *connection, const struct protocol *protocol, const struct endpoint *endpoint);
/* Queues bytes that stay valid until they are sent. */
void connection_refer(struct connection *connection, struct ph_str bytes);
void connection_copy(struct connection *connection, struct ph_str bytes);
void connection_printf(struct connection *connection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Sends what is queued, now or when the peer takes it. */
void connection_flush(struct connection *connection);
void connection_close(struct connection *connection);
/* Closes, and complains. Gives up after many of these. */
void connection_fail(struct connection *connection, const char *why);

/* Serves until all connections are closed or connections_stop() was called. False when the time was up.
 * `tick`, when not NULL, is called every 10 ms or sooner. */
bool connections_run(void (*tick)(void));
void connections_stop(void);
/* Time that does not count against the timeout. */
void connections_extend(uint64_t usec);
/* Bytes received by all connections. */
uint64_t connections_received(void);

#endif
