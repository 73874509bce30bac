/* Connections to other servers. The bytes move through the same layers as those of connections that come in
 * (layer.h); what waits is the fiber itself. */
#include <config.h>

#include <posthorn/stream.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <posthorn/loop.h>
#include <posthorn/mem.h>
#include <posthorn/offload.h>

#include "layer.h"
#include "layer_tls.h"
#include "line.h"

/* MOST_ADDRESSES: of one host that are tried. READS_AT_A_STRETCH: a peer that always has more must let others
 * run now and then. */
enum { BLOCK = 64 * 1024, MOST_ADDRESSES = 8, READS_AT_A_STRETCH = 16 };

struct ph_stream {
	struct layer *layer; /* the top one */
	struct layer_tcp tcp;
	ph_msec deadline;
	unsigned reads_at_a_stretch;
	size_t start, end; /* what is buffered */
	char in[BLOCK];
};

/* --- Finding the host --- */

struct lookup {
	const char *host;
	char port[8];
	int flags;
	int result; /* as of getaddrinfo(3) */
	struct addrinfo *addresses;
};

static void look_up(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = lookup->flags };
	lookup->result = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
}

/* A numeric address needs nobody to be asked, and no thread. */
static int find_host(struct lookup *lookup, struct ph_error *error)
{
	lookup->flags = AI_NUMERICHOST | AI_NUMERICSERV;
	look_up(lookup);
	if (lookup->result == EAI_NONAME) {
		lookup->flags = AI_ADDRCONFIG | AI_NUMERICSERV;
		int result = ph_offload(look_up, lookup);
		if (result < 0)
			return ph_error_set(error, result, "too much is waited for already", NULL);
	}
	if (lookup->result == 0)
		return PH_OK;
	return ph_error_set(error, lookup->result == EAI_NONAME ? PH_E_ABSENT : PH_E_UNAVAILABLE,
		"cannot find the host", "cannot find %s: %s", lookup->host, gai_strerror(lookup->result));
}

/* --- Reaching it --- */

/* An errno value, or 0; *fd_r is the connected socket. */
static int try_address(const struct addrinfo *address, ph_msec deadline, int *fd_r)
{
	const int on = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int problem = fd < 0 ? errno : 0;
	socklen_t len = sizeof(problem);
	if (fd < 0)
		return problem;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		problem = errno;
	if (problem == EINPROGRESS) {
		if (ph_io_wait(fd, PH_WRITABLE, deadline) < 0)
			problem = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0)
			problem = errno;
	}
	if (problem != 0)
		close(fd);
	else
		*fd_r = fd;
	return problem;
}

/* Each address gets its share of the time that is left. */
static int try_addresses(const struct lookup *lookup, ph_msec deadline, struct ph_error *error)
{
	int problem = ETIMEDOUT, fd = -1, left = 0;
	for (const struct addrinfo *address = lookup->addresses; address; address = address->ai_next)
		left++;
	if (left > MOST_ADDRESSES)
		left = MOST_ADDRESSES;
	for (const struct addrinfo *address = lookup->addresses; left > 0 && ph_now() < deadline;
		address = address->ai_next) {
		problem = try_address(address, ph_now() + (deadline - ph_now()) / left, &fd);
		if (problem == 0)
			return fd;
		left--;
	}
	return ph_error_set(error, problem == ETIMEDOUT ? PH_E_TIMEOUT : PH_E_CLOSED, "cannot reach the host",
		"cannot reach %s, port %s: %s", lookup->host, lookup->port, strerror(problem));
}

struct ph_stream *ph_stream_open(const char *host, uint16_t port, ph_msec deadline, struct ph_error *error)
{
	struct lookup lookup = { .host = host };
	struct ph_stream *stream = NULL;
	snprintf(lookup.port, sizeof(lookup.port), "%u", (unsigned)port);
	int fd = find_host(&lookup, error) < 0 ? -1 : try_addresses(&lookup, deadline, error);
	if (lookup.addresses)
		freeaddrinfo(lookup.addresses);
	if (fd < 0)
		return NULL;
	stream = ph_alloc(sizeof(*stream));
	layer_tcp_init(&stream->tcp, fd);
	stream->layer = &stream->tcp.layer;
	stream->deadline = deadline;
	return stream;
}

void ph_stream_close(struct ph_stream **stream)
{
	if (!*stream)
		return;
	(*stream)->layer->type->shutdown((*stream)->layer);
	layer_free((*stream)->layer);
	free(*stream);
	*stream = NULL;
}

void ph_stream_set_deadline(struct ph_stream *stream, ph_msec deadline)
{
	stream->deadline = deadline;
}

/* --- Bytes --- */

static bool is_wish(ssize_t result)
{
	return result == LAYER_WANTS_READ || result == LAYER_WANTS_WRITE;
}

/* May park: until the socket is ready for what a layer wants. */
static int wait_for(struct ph_stream *stream, ssize_t wanted)
{
	int events = wanted == LAYER_WANTS_READ ? PH_READABLE : PH_WRITABLE;
	int result = ph_io_wait(stream->tcp.fd, events, stream->deadline);
	stream->reads_at_a_stretch = 0;
	return result < 0 ? result : PH_OK;
}

int ph_stream_start_tls(
	struct ph_stream *stream, const struct ph_trust *trust, const char *host, struct ph_error *error)
{
	if (stream->start < stream->end)
		return ph_error_set(error, PH_E_INVALID, "the server spoke before TLS began", NULL);
	stream->layer = layer_tls_client_new(&stream->tcp, trust, host);
	for (;;) {
		int result = layer_tls_handshake(stream->layer, error);
		if (!is_wish(result))
			return result;
		if (wait_for(stream, result) < 0)
			return ph_error_set(error, PH_E_TIMEOUT, "the TLS handshake took too long", NULL);
	}
}

static struct ph_str buffered(const struct ph_stream *stream)
{
	return ph_str_of(stream->in + stream->start, stream->end - stream->start);
}

/* At least one byte more: 1, 0 at the end, or negative. */
static int read_more(struct ph_stream *stream)
{
	if (stream->start > 0) {
		memmove(stream->in, stream->in + stream->start, stream->end - stream->start);
		stream->end -= stream->start;
		stream->start = 0;
	}
	if (stream->end == BLOCK)
		return PH_E_LIMIT;
	if (++stream->reads_at_a_stretch > READS_AT_A_STRETCH) {
		stream->reads_at_a_stretch = 0;
		ph_fiber_yield();
	}
	for (;;) {
		ssize_t got = ph_now() < stream->deadline
				      ? stream->layer->type->read(
						stream->layer, stream->in + stream->end, BLOCK - stream->end)
				      : PH_E_TIMEOUT;
		if (got > 0) {
			stream->end += (size_t)got;
			return 1;
		}
		int result = is_wish(got) ? wait_for(stream, got) : (int)got;
		if (!is_wish(got) || result < 0)
			return result;
	}
}

int ph_stream_read_line(struct ph_stream *stream, size_t max, struct ph_line *line_r)
{
	const size_t most = max < BLOCK - 2 ? max : BLOCK - 2;
	size_t scanned = 0, used;
	for (;;) {
		switch (line_take(buffered(stream), scanned, most, line_r, &used)) {
		case LINE_WHOLE:
			stream->start += used;
			return 1;
		case LINE_TOO_LONG:
			return PH_E_LIMIT;
		case LINE_PART:
			break;
		}
		scanned = stream->end - stream->start;
		int result = read_more(stream);
		if (result <= 0)
			return result;
	}
}

int ph_stream_read(struct ph_stream *stream, size_t most, struct ph_str *bytes_r)
{
	int result = stream->start < stream->end ? 1 : read_more(stream);
	*bytes_r = ph_str_slice(buffered(stream), 0, most);
	stream->start += bytes_r->len;
	return result;
}

int ph_stream_write(struct ph_stream *stream, struct ph_str bytes)
{
	while (bytes.len > 0) {
		const struct iovec part = { (char *)bytes.data, bytes.len };
		ssize_t sent = stream->layer->type->write(stream->layer, &part, 1);
		if (sent >= 0) {
			bytes = ph_str_slice(bytes, (size_t)sent, bytes.len);
			continue;
		}
		int result = is_wish(sent) ? wait_for(stream, sent) : (int)sent;
		if (result < 0)
			return result;
	}
	return PH_OK;
}
