/* A connection's bytes, plain or through TLS. */
#ifndef MAILLOAD_STREAM_H
#define MAILLOAD_STREAM_H

#include <sys/types.h>

#include "connection.h"

/* Results beside numbers of bytes. */
enum { STREAM_FAILED = -1, STREAM_WAITS = -2 };

/* Once connected: puts TLS in where the endpoint wants it. */
void stream_begin(struct connection *connection);
/* 0 at the end. */
ssize_t stream_read(struct connection *connection, char *bytes, size_t size);
/* Writes from the connection's pieces. */
ssize_t stream_write(struct connection *connection);
void stream_close(struct connection *connection);

#endif
