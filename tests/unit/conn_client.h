/* A client for tests of connections: it runs on a fiber of the same process as the server. */
#ifndef TESTS_CONN_CLIENT_H
#define TESTS_CONN_CLIENT_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <posthorn/loop.h>

static inline int client_port_of(int listening)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static inline int client_connect(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	int result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	ck_assert(result == 0 || errno == EINPROGRESS);
	ck_assert_int_gt(ph_io_wait(fd, PH_WRITABLE, ph_now() + 5000), 0);
	return fd;
}

static inline void client_send_bytes(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			ck_assert_int_gt(ph_io_wait(fd, PH_WRITABLE, ph_now() + 5000), 0);
			continue;
		}
		data += sent;
		len -= (size_t)sent;
	}
}

static inline void client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

/* One byte at a time, each read by the server before the next comes. */
static inline void client_trickle(int fd, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		client_send_bytes(fd, data + i, 1);
		ph_fiber_sleep(1);
	}
}

/* Bytes received (0 at the end); fails the test after five seconds. */
static inline ssize_t client_receive(int fd, char *data, size_t len)
{
	for (;;) {
		ssize_t got = recv(fd, data, len, 0);
		if (got >= 0)
			return got;
		ck_assert_msg(errno == EAGAIN, "%s", strerror(errno));
		ck_assert_msg(ph_io_wait(fd, PH_READABLE, ph_now() + 5000) > 0, "the server says nothing");
	}
}

static inline void client_expect(int fd, const char *expected)
{
	char got[4096];
	size_t len = 0, wanted = strlen(expected);
	ck_assert_uint_lt(wanted, sizeof(got));
	while (len < wanted) {
		ssize_t more = client_receive(fd, got + len, wanted - len);
		if (more == 0)
			break;
		len += (size_t)more;
	}
	got[len] = '\0';
	ck_assert_str_eq(got, expected);
}

static inline void client_expect_end(int fd)
{
	char got[64];
	ssize_t len = client_receive(fd, got, sizeof(got) - 1);
	got[len] = '\0';
	ck_assert_str_eq(got, "");
	close(fd);
}

#endif
