/* The layers of a connection: each turns bytes into bytes, over the one that `next` points to.
 *
 *   TCP    the socket itself
 *   TLS    over a socket; speaks to it directly, so that the library reads whole records
 *
 * Nothing here waits. What cannot be done now says which readiness of the socket it wants. */
#ifndef CORE_LAYER_H
#define CORE_LAYER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Results beside a number of bytes and PH_E_ codes. */
enum { LAYER_WANTS_READ = -100, LAYER_WANTS_WRITE = -101 };

struct layer;

struct layer_type {
	const char *name;
	/* Bytes read; 0 at the end of input; or negative. */
	ssize_t (*read)(struct layer *layer, char *data, size_t len);
	/* Bytes written of all parts together (maybe fewer than there are), or negative. A write that was not
	 * done must be repeated with the same bytes first. */
	ssize_t (*write)(struct layer *layer, const struct iovec *parts, int count);
	/* Does the layer hold input that the socket would not tell of? */
	bool (*pending)(const struct layer *layer);
	/* Tells the peer that no more is coming, as far as that is possible now. */
	void (*shutdown)(struct layer *layer);
	void (*free)(struct layer *layer);
};

struct layer {
	const struct layer_type *type;
	struct layer *next;
};

struct layer_tcp {
	struct layer layer;
	int fd;
};

void layer_tcp_init(struct layer_tcp *tcp, int fd);
/* Frees the whole stack of layers, closing the socket. */
void layer_free(struct layer *layer);

#endif
