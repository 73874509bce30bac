#include <config.h>

#include "connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <posthorn/mem.h>

#include "options.h"
#include "stream.h"
#include "tools.h"

#define READ_SIZE (256 * 1024)
#define EVENTS 512
#define TICK_MSEC 10
#define ERRORS_TOLD 5
#define ERRORS_MAX 100

static int epoll_fd = -1;
static long open_count;
static bool stopped;
static uint64_t deadline, received;
static unsigned errors;
static struct connection *closed_list; /* those whose protocol was not told yet */

void endpoint_find(struct endpoint *endpoint, const char *host, const char *port, bool tls)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int rc = getaddrinfo(host, port, &hints, &found);

	if (rc)
		give_up("%s port %s: %s", host, port, gai_strerror(rc));
	memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
	endpoint->size = found->ai_addrlen;
	endpoint->tls = tls;
	freeaddrinfo(found);
}

static void begin(void)
{
	if (epoll_fd >= 0)
		return;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		give_up("epoll: %s", strerror(errno));
	deadline = now_usec() + (uint64_t)(options.timeout * 1e6);
}

static void watch(struct connection *connection, int operation, bool for_writing)
{
	struct epoll_event event = { .events = EPOLLIN | (for_writing ? EPOLLOUT : 0u),
		.data.ptr = connection };

	connection->waits_to_write = for_writing;
	if (epoll_ctl(epoll_fd, operation, connection->fd, &event) < 0)
		give_up("epoll_ctl: %s", strerror(errno));
}

static void wait_to_write(struct connection *connection, bool wanted)
{
	if (connection->waits_to_write != wanted)
		watch(connection, EPOLL_CTL_MOD, wanted);
}

void connection_open(
	struct connection *connection, const struct protocol *protocol, const struct endpoint *endpoint)
{
	int on = 1;

	begin();
	*connection = (struct connection){ .protocol = protocol, .endpoint = endpoint };
	ph_buf_init(&connection->input, SIZE_MAX);
	connection->fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		give_up("socket: %s", strerror(errno));
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	open_count++;
	if (connect(connection->fd, (const struct sockaddr *)&endpoint->address, endpoint->size) < 0 &&
		errno != EINPROGRESS)
		give_up("connect: %s", strerror(errno));
	watch(connection, EPOLL_CTL_ADD, true);
	connection->opened_at = now_usec();
}

static void drop_piece(struct connection *connection)
{
	free(connection->pieces[0].copy);
	connection->piece_count--;
	memmove(connection->pieces, connection->pieces + 1,
		connection->piece_count * sizeof(*connection->pieces));
}

void connection_close(struct connection *connection)
{
	if (connection->closed)
		return;
	connection->closed = true;
	stream_close(connection);
	while (connection->piece_count > 0)
		drop_piece(connection);
	ph_buf_free(&connection->input);
	open_count--;
	connection->next_closed = closed_list;
	closed_list = connection;
}

void connection_fail(struct connection *connection, const char *why)
{
	if (errors++ < ERRORS_TOLD)
		fprintf(stderr, "mailload: %s\n", why);
	if (errors > ERRORS_MAX)
		give_up("too many errors");
	connection_close(connection);
}

void connection_refer(struct connection *connection, struct ph_str bytes)
{
	if (connection->piece_count == OUTPUT_PIECES)
		give_up("too many pieces wait to be sent");
	connection->pieces[connection->piece_count++] = (struct piece){ .bytes = bytes };
}

void connection_copy(struct connection *connection, struct ph_str bytes)
{
	char *copy = ph_str_dup(bytes);

	connection_refer(connection, ph_str_of(copy, bytes.len));
	connection->pieces[connection->piece_count - 1].copy = copy;
}

void connection_printf(struct connection *connection, const char *format, ...)
{
	char line[4096];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= sizeof(line))
		give_up("a command is too long");
	connection_copy(connection, ph_str_of(line, (size_t)size));
}

void connection_flush(struct connection *connection)
{
	if (!connection->connected || connection->closed)
		return;
	while (connection->piece_count > 0) {
		ssize_t sent = stream_write(connection);

		if (sent == STREAM_FAILED) {
			connection_fail(connection, "cannot send");
			return;
		}
		if (sent == STREAM_WAITS)
			break;
		connection->sent += (size_t)sent;
		while (connection->piece_count > 0 && connection->sent >= connection->pieces[0].bytes.len) {
			connection->sent -= connection->pieces[0].bytes.len;
			drop_piece(connection);
		}
	}
	wait_to_write(connection, connection->piece_count > 0);
}

/* Bytes that the protocol leaves are kept until more come. */
static void feed(struct connection *connection, struct ph_str bytes)
{
	struct ph_buf *input = &connection->input;
	size_t used;

	connection->received += bytes.len;
	received += bytes.len;
	if (input->len > 0) {
		ph_buf_add_str(input, bytes);
		bytes = ph_buf_str(input);
	}
	used = connection->protocol->feed(connection, bytes);
	if (connection->closed)
		return;
	if (input->len > 0)
		ph_buf_consume(input, used);
	else
		ph_buf_add_str(input, ph_str_slice(bytes, used, bytes.len));
	if (input->len == 0)
		ph_buf_free(input);
}

static void read_all(struct connection *connection)
{
	static char bytes[READ_SIZE];

	while (!connection->closed && now_usec() < deadline) {
		ssize_t size = stream_read(connection, bytes, sizeof(bytes));

		if (size == STREAM_WAITS)
			return;
		if (size == STREAM_FAILED || size == 0) {
			connection_close(connection);
			return;
		}
		feed(connection, ph_str_of(bytes, (size_t)size));
		/* A short read has emptied a plain socket; TLS may keep more inside. */
		if (!connection->tls && (size_t)size < sizeof(bytes))
			return;
	}
}

static void connected(struct connection *connection)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		connection_fail(connection, strerror(error));
		return;
	}
	connection->connected = true;
	stream_begin(connection);
	wait_to_write(connection, false);
}

static void serve(struct connection *connection, uint32_t events)
{
	if (connection->closed)
		return;
	if (!connection->connected)
		connected(connection);
	else if (events & EPOLLOUT)
		connection_flush(connection);
	/* TLS shakes hands while it reads. */
	if (!connection->closed && (events & ~(uint32_t)EPOLLOUT || connection->tls))
		read_all(connection);
}

static void tell_closed(void)
{
	while (closed_list) {
		struct connection *connection = closed_list;

		closed_list = connection->next_closed;
		connection->protocol->closed(connection);
	}
}

bool connections_run(void (*tick)(void))
{
	struct epoll_event events[EVENTS];

	while (!stopped && open_count > 0) {
		int count = epoll_wait(epoll_fd, events, EVENTS, tick ? TICK_MSEC : 1000);

		for (int i = 0; i < count; i++)
			serve(events[i].data.ptr, events[i].events);
		tell_closed();
		if (tick)
			tick();
		if (now_usec() >= deadline) {
			fputs("mailload: the time is up\n", stderr);
			return false;
		}
	}
	return true;
}

void connections_stop(void)
{
	stopped = true;
}

void connections_extend(uint64_t usec)
{
	deadline += usec;
}

uint64_t connections_received(void)
{
	return received;
}
