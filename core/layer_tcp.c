/* The socket at the bottom of a connection. */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <posthorn/error.h>

#include "layer.h"

static struct layer_tcp *tcp_of(struct layer *layer)
{
	return (struct layer_tcp *)layer;
}

static ssize_t failure(int wanted)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return wanted;
	case EPIPE:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
		return PH_E_CLOSED;
	default:
		return PH_E_IO;
	}
}

static ssize_t tcp_read(struct layer *layer, char *data, size_t len)
{
	ssize_t got = recv(tcp_of(layer)->fd, data, len, 0);
	return got < 0 ? failure(LAYER_WANTS_READ) : got;
}

static ssize_t tcp_write(struct layer *layer, const struct iovec *parts, int count)
{
	struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };
	ssize_t sent = sendmsg(tcp_of(layer)->fd, &message, MSG_NOSIGNAL);
	return sent < 0 ? failure(LAYER_WANTS_WRITE) : sent;
}

static bool tcp_pending(const struct layer *layer)
{
	(void)layer;
	return false;
}

static void tcp_shutdown(struct layer *layer)
{
	shutdown(tcp_of(layer)->fd, SHUT_WR);
}

/* The struct itself is part of the connection. */
static void tcp_free(struct layer *layer)
{
	close(tcp_of(layer)->fd);
}

static const struct layer_type tcp_type = {
	.name = "tcp",
	.read = tcp_read,
	.write = tcp_write,
	.pending = tcp_pending,
	.shutdown = tcp_shutdown,
	.free = tcp_free,
};

void layer_tcp_init(struct layer_tcp *tcp, int fd)
{
	*tcp = (struct layer_tcp){ .layer = { .type = &tcp_type }, .fd = fd };
}

void layer_free(struct layer *layer)
{
	while (layer) {
		struct layer *next = layer->next;
		layer->type->free(layer);
		layer = next;
	}
}
