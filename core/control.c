/* Each request is answered on a fiber of its own: a reload that takes its time does not hold up a status. */
#include <config.h>

#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

enum { REQUEST_MAX = 4096, ANSWER_MAX = 4 << 20, REQUEST_TIMEOUT = 10000, PEERS_MAX = 32 };

static struct {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct ph_io input;
	control_answer *answer;
	int peers[PEERS_MAX]; /* connections being answered; 0: none */
} control = { .fd = -1 };

static int make_address(const char *path, struct sockaddr_un *address_r, struct ph_error *error)
{
	*address_r = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address_r->sun_path))
		return ph_error_set(error, PH_E_LIMIT, "path too long",
			"%s: longer than a socket's path may be (%zu bytes): set run_directory", path,
			sizeof(address_r->sun_path) - 1);
	memcpy(address_r->sun_path, path, strlen(path) + 1);
	return 0;
}

/* --- The server's side --- */

static bool read_request(int fd, char *request, size_t *len_r)
{
	ph_msec deadline = ph_now() + REQUEST_TIMEOUT;
	size_t len = 0;

	while (len < REQUEST_MAX) {
		ssize_t got = recv(fd, request + len, REQUEST_MAX - len, 0);

		if (got < 0 && errno == EAGAIN && ph_io_wait(fd, PH_READABLE, deadline) >= 0)
			continue;
		if (got <= 0)
			return false;
		len += (size_t)got;
		if (request[len - 1] == '\n') {
			*len_r = len - 1;
			return true;
		}
	}
	return false;
}

static void write_all(int fd, struct ph_str text)
{
	ph_msec deadline = ph_now() + REQUEST_TIMEOUT;

	while (text.len > 0) {
		ssize_t sent = send(fd, text.data, text.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN && ph_io_wait(fd, PH_WRITABLE, deadline) >= 0)
			continue;
		if (sent < 0)
			return;
		text = ph_str_slice(text, (size_t)sent, text.len);
	}
}

static void serve(void *arg)
{
	int *peer = arg, fd = *peer;
	char request[REQUEST_MAX];
	size_t len;
	struct ph_buf text;

	ph_buf_init(&text, ANSWER_MAX);
	if (read_request(fd, request, &len)) {
		bool good = control.answer(ph_str_of(request, len), &text);

		write_all(fd, good ? PH_STR("ok\n") : PH_STR("failed\n"));
		write_all(fd, ph_buf_str(&text));
	}
	ph_buf_free(&text);
	close(fd);
	*peer = 0;
}

static int *free_peer(void)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (control.peers[i] == 0)
			return &control.peers[i];
	}
	return NULL;
}

static void accept_one(void *arg, int events)
{
	int fd = accept4(control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int *peer = free_peer();

	(void)arg, (void)events;
	if (fd < 0)
		return;
	if (!peer) {
		close(fd);
		return;
	}
	*peer = fd;
	ph_fiber_start("control", serve, peer);
}

/* Does somebody answer on that socket, so that it must not be taken away? */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return alive;
}

/* Nobody but the owner may connect, from the first moment on. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0177);
	int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(before);
	return result;
}

int control_open(const char *path, control_answer *answer, struct ph_error *error)
{
	struct sockaddr_un address;
	int fd, result = make_address(path, &address, error);

	if (result != 0)
		return result;
	if (is_alive(&address))
		return ph_error_set(
			error, PH_E_BUSY, "a server runs already", "%s: a server runs already", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_private(fd, &address) != 0 || listen(fd, 16) != 0) {
		result = ph_error_set(
			error, PH_E_IO, "cannot make the control socket", "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return result;
	}
	control.fd = fd;
	control.answer = answer;
	snprintf(control.path, sizeof(control.path), "%s", path);
	ph_io_start(&control.input, fd, PH_READABLE, accept_one, NULL);
	return 0;
}

int control_chown(const char *path, int uid, int gid)
{
	return chown(path, (uid_t)uid, (gid_t)gid) == 0 ? 0 : PH_E_IO;
}

void control_forget(void)
{
	if (control.fd < 0)
		return;
	close(control.fd);
	control.fd = -1;
	/* A worker that kept these would keep clients waiting for their end. */
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (control.peers[i] != 0)
			close(control.peers[i]);
	}
}

void control_close(void)
{
	if (control.fd < 0)
		return;
	ph_io_stop(&control.input);
	unlink(control.path);
	control_forget();
}

/* --- The other side --- */

static bool send_request(int fd, struct ph_str request)
{
	return send(fd, request.data, request.len, MSG_NOSIGNAL) == (ssize_t)request.len &&
	       send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

static void read_answer(int fd, struct ph_buf *text)
{
	char *room;

	while ((room = ph_buf_reserve(text, 4096))) {
		ssize_t len = recv(fd, room, 4096, 0);

		if (len <= 0)
			return;
		ph_buf_added(text, (size_t)len);
	}
}

/* Takes the first line off the answer. */
static int take_result(struct ph_buf *text)
{
	struct ph_str answer = ph_buf_str(text);
	int result = ph_str_starts(answer, PH_STR("ok\n"))       ? 1
		     : ph_str_starts(answer, PH_STR("failed\n")) ? 0
								 : -1;
	ptrdiff_t end = ph_str_find(answer, '\n');

	if (result < 0)
		return PH_E_UNAVAILABLE;
	ph_buf_consume(text, (size_t)end + 1);
	return result;
}

int control_ask(const char *path, struct ph_str request, struct ph_buf *text, struct ph_error *error)
{
	struct sockaddr_un address;
	int fd, result = make_address(path, &address, error);

	if (result != 0)
		return result;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		result = ph_error_set(error, errno == EACCES ? PH_E_DENIED : PH_E_UNAVAILABLE,
			"no server answers", "%s: %s", path, strerror(errno));
	} else {
		if (send_request(fd, request))
			read_answer(fd, text);
		result = take_result(text);
		if (result < 0)
			ph_error_set(error, result, "the server ended", "the server ended without an answer");
	}
	if (fd >= 0)
		close(fd);
	return result;
}
