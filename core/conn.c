/* The life of a connection.
 *
 *   accepted -> PROXY header -> conn.accept -> TLS -> open()      on one fiber, the first turns
 *   at rest:    no fiber, no blocks; the loop watches the socket and an alarm
 *   turns:      event() or input(), one after the other while something is due, then the output is sent
 *   finish:     last words, the output, close() of the session, the end of the socket
 *
 * Input that arrives at rest is read before a fiber is started, so that half a TLS record costs none. */
#include <config.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "conn_struct.h"
#include "layer_proxy.h"
#include "layer_tls.h"
#include "lua_hook.h"

/* Times in ms. LINGER: how long a peer may go on sending while our last words are on their way to it. */
enum { TURNS_AT_A_STRETCH = 16, PROXY_TIMEOUT = 10000, LINGER = 2000, LINGER_BYTES = 1024 * 1024 };

static struct ph_list connections = { &connections, &connections };
static unsigned connection_count;

struct ph_hook_point conn_accept_hook = {
	.name = "conn.accept",
	.decides = true,
	.help = "A client has connected; it was not greeted, and nothing it sent was read (but for a PROXY "
		"header). The "
		"text of a refusal is shown where the protocol has a way to say it; where TLS comes first, "
		"the connection "
		"is just closed.",
	.arguments = (const struct ph_hook_argument[]){ { 0 } },
	.verdicts =
		PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) | PH_ALLOWS(PH_DISCONNECT),
	.on_failure = { .kind = PH_DEFER, .text = PH_STR_INIT("try again later") },
	.example = "posthorn.on(\"conn.accept\", function(session)\n"
		   "  if session.ip == \"192.0.2.1\" then return posthorn.disconnect(\"go away\") end\n"
		   "end)",
};

static const struct ph_protocol *protocol_of(const struct ph_conn *conn)
{
	return conn->listener->config->speaks;
}

/* --- Waiting --- */

struct socket_wait {
	struct ph_conn *conn;
	struct ph_wait wait;
};

static void wake_socket_wait(void *arg, int events)
{
	struct socket_wait *waiting = arg;
	(void)events;
	ph_wake(waiting->wait, PH_OK);
}

int conn_wait(struct ph_conn *conn, int wanted, ph_msec deadline)
{
	struct socket_wait waiting = { conn, ph_wait_begin() };
	int events = wanted == LAYER_WANTS_READ ? PH_READABLE : PH_WRITABLE;
	ph_io_start(&conn->io, conn->tcp.fd, events, wake_socket_wait, &waiting);
	int result = ph_wait_park(waiting.wait, deadline);
	ph_io_stop(&conn->io);
	return result;
}

/* --- The end --- */

/* A socket that is closed with input unread resets the connection, and the peer may never see our last words.
 */
static void linger(struct ph_conn *conn)
{
	char scratch[4096];
	size_t dropped = 0;
	ph_msec deadline = ph_now() + LINGER;
	while (dropped < LINGER_BYTES) {
		ssize_t got = recv(conn->tcp.fd, scratch, sizeof(scratch), 0);
		if (got > 0)
			dropped += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return;
		else if (ph_io_wait(conn->tcp.fd, PH_READABLE, deadline) < 0)
			return;
	}
}

static void give_blocks_back(struct ph_conn *conn)
{
	conn_input_give(conn);
	conn_block_give(&conn->out);
	conn->out_len = 0;
}

static void log_end(const struct ph_conn *conn)
{
	bool notable = conn->write_error == PH_E_TIMEOUT || conn->write_error == PH_E_IO ||
		       conn->read_error == PH_E_IO;
	const char *reason = conn->end_reason;
	if (!reason && conn->write_error)
		reason =
			conn->write_error == PH_E_TIMEOUT ? "the client reads too slowly" : "connection lost";
	if (!reason)
		reason = conn->read_error    ? "connection lost"
			 : conn->input_ended ? "closed by the client"
					     : "closed";
	ph_log(notable ? PH_LOG_INFO : PH_LOG_DEBUG, "connection closed", PH_LOG_TEXT("reason", reason),
		PH_LOG_NUMBER("bytes_in", conn->bytes_in), PH_LOG_NUMBER("bytes_out", conn->bytes_out));
}

static void conn_free(struct ph_conn *conn)
{
	ph_io_stop(&conn->io);
	ph_timer_stop(&conn->idle_timer);
	layer_free(conn->layer);
	ph_metric_add(conn->listener->metrics->open, -1);
	listener_forget(conn->listener, conn);
	ph_list_remove(&conn->link);
	connection_count--;
	conn_free_attributes(conn);
	free(conn->user);
	free(conn);
}

static void say_goodbye(struct ph_conn *conn, enum ph_goodbye reason, struct ph_str text)
{
	if (protocol_of(conn)->goodbye)
		protocol_of(conn)->goodbye(conn, conn->opened ? conn->session : NULL, reason, text);
}

static void finish(struct ph_conn *conn)
{
	if (conn->opened && conn->read_timed_out && !conn->goodbye_due) {
		conn->end_reason = "idle";
		say_goodbye(conn, PH_GOODBYE_IDLE, PH_STR(""));
	}
	ph_conn_flush(conn);
	give_blocks_back(conn);
	conn->layer->type->shutdown(conn->layer);
	if (conn->opened && protocol_of(conn)->close)
		protocol_of(conn)->close(conn, conn->session);
	lua_session_free(conn->lua);
	if (!conn->hurried && !conn->input_ended && !conn->read_error && !conn->write_error)
		linger(conn);
	log_end(conn);
	ph_log_set_context(NULL);
	conn_free(conn);
}

/* --- The beginning --- */

/* Always false: the connection is over. */
static bool refuse(struct ph_conn *conn, enum ph_goodbye reason, struct ph_str text, const char *why)
{
	conn->end_reason = "refused";
	ph_metric_add(conn->listener->metrics->refused, 1);
	ph_log(PH_LOG_INFO, "connection refused", PH_LOG_TEXT("reason", why), PH_LOG_STR("text", text));
	if (conn->listener->config->tls != LISTENER_TLS_IMPLICIT)
		say_goodbye(conn, reason, text);
	return false;
}

static bool read_proxy_header(struct ph_conn *conn)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t len = sizeof(peer);
	struct proxy_header header;
	const char *why = NULL;
	if (getpeername(conn->tcp.fd, (struct sockaddr *)&peer, &len) != 0 ||
		!listener_trusts(conn->listener, (const struct sockaddr *)&peer))
		why = "not one of proxy_from";
	else if (proxy_receive(conn->tcp.fd, ph_now() + PROXY_TIMEOUT, &header) < 0)
		why = "no proper PROXY header";
	if (why) {
		conn->end_reason = "refused";
		conn->hurried = true;
		ph_metric_add(conn->listener->metrics->refused, 1);
		ph_log(PH_LOG_WARN, "connection refused", PH_LOG_TEXT("reason", why));
		return false;
	}
	if (header.known) {
		conn->remote = header.remote;
		conn->local = header.local;
		conn_log_begin(conn, conn->log);
	}
	return true;
}

static bool ask_policy(struct ph_conn *conn)
{
	if (!ph_hook_wanted(&conn_accept_hook))
		return true;
	struct ph_pool *pool = ph_pool_new(64 * 1024);
	struct ph_verdict verdict = { .kind = PH_PASS };
	ph_hook_run(&conn_accept_hook, conn, NULL, pool, &verdict);
	bool accepted = verdict.kind == PH_PASS || verdict.kind == PH_ACCEPT;
	if (!accepted)
		refuse(conn, verdict.kind == PH_DEFER ? PH_GOODBYE_DEFERRED : PH_GOODBYE_REFUSED,
			verdict.text, "policy");
	ph_pool_free(&pool);
	return accepted;
}

static int handshake(struct ph_conn *conn, struct ph_error *error)
{
	ph_msec deadline = ph_now() + tls_handshake_timeout();
	for (;;) {
		int result = layer_tls_handshake(conn->layer, error);
		if (result != LAYER_WANTS_READ && result != LAYER_WANTS_WRITE)
			return result;
		if (conn_wait(conn, result, deadline) < 0)
			return ph_error_set(error, PH_E_TIMEOUT, "the TLS handshake took too long", NULL);
	}
}

/* Whatever happens, nothing is sent in plaintext from here on. */
static int start_tls(struct ph_conn *conn)
{
	struct ph_error error;
	struct layer *tls = layer_tls_new(&conn->tcp, protocol_of(conn)->alpn);
	int result;
	if (tls) {
		conn->layer = tls;
		result = handshake(conn, &error);
	} else {
		result = ph_error_set(&error, PH_E_UNSUPPORTED, "there is no TLS key", NULL);
	}
	conn->encrypted = result == PH_OK;
	if (conn->encrypted) {
		ph_metric_add(conn->listener->metrics->handshakes, 1);
		return PH_OK;
	}
	ph_metric_add(conn->listener->metrics->failed_handshakes, 1);
	ph_log(PH_LOG_INFO, "tls handshake failed", PH_LOG_ERROR_DETAIL(&error));
	conn->end_reason = "TLS handshake failed";
	conn->read_error = conn->write_error = PH_E_CLOSED;
	return result;
}

/* Why there are too many, or NULL. */
static const char *too_many(const struct ph_conn *conn)
{
	const struct listener *listener = conn->listener;
	if (listener->config->max_connections && listener->open > listener->config->max_connections)
		return "max_connections";
	return conn->tcp.fd >= listener->descriptors_end ? "descriptors" : NULL;
}

/* Everything up to the greeting; false when the connection is over. */
static bool begin(struct ph_conn *conn)
{
	const struct listener_config *config = conn->listener->config;
	ph_log(PH_LOG_DEBUG, "connection opened", PH_LOG_TEXT("listener", config->name));
	const char *excess = too_many(conn);
	if (excess) {
		conn->hurried = true;
		return refuse(conn, PH_GOODBYE_TOO_MANY, PH_STR(""), excess);
	}
	if (config->proxy && !read_proxy_header(conn))
		return false;
	if (!listener_count_ip(conn->listener, conn)) {
		conn->hurried = true;
		return refuse(conn, PH_GOODBYE_TOO_MANY, PH_STR(""), "max_connections_per_ip");
	}
	if (!ask_policy(conn))
		return false;
	if (config->tls == LISTENER_TLS_IMPLICIT && start_tls(conn) < 0)
		return false;
	conn->opened = true;
	return protocol_of(conn)->open(conn, conn->session) == PH_TURN_KEEP;
}

int ph_conn_starttls(struct ph_conn *conn)
{
	if (conn_buffered(conn) > 0) {
		conn->in_start = conn->in_end = 0;
		ph_log_event(PH_LOG_WARN, "plaintext behind STARTTLS");
		return PH_E_INVALID;
	}
	int result = ph_conn_flush(conn);
	return result < 0 ? result : start_tls(conn);
}

/* --- Turns --- */

static bool turn_of_goodbye(struct ph_conn *conn)
{
	conn->end_reason = conn->goodbye == PH_GOODBYE_IDLE ? "idle" : "shutdown";
	/* A client that said nothing has nothing on its way either. */
	conn->hurried = conn_buffered(conn) == 0;
	say_goodbye(conn, conn->goodbye, PH_STR(""));
	return false;
}

static bool turn_of_event(struct ph_conn *conn)
{
	conn->event_due = false;
	return protocol_of(conn)->event(conn, conn->session) == PH_TURN_KEEP;
}

static bool turn_of_input(struct ph_conn *conn)
{
	return protocol_of(conn)->input(conn, conn->session) == PH_TURN_KEEP;
}

/* The turn to run next, or NULL. */
static bool (*due_turn(const struct ph_conn *conn))(struct ph_conn *conn)
{
	if (conn->goodbye_due)
		return turn_of_goodbye;
	if (conn->event_due)
		return turn_of_event;
	if (conn_buffered(conn) > 0 || conn->layer->type->pending(conn->layer))
		return turn_of_input;
	return NULL;
}

/* Runs what is due, then sends the output; false when the connection is over. */
static bool run_turns(struct ph_conn *conn)
{
	for (unsigned count = 1; !conn->write_error; count++) {
		bool (*turn)(struct ph_conn *) = due_turn(conn);
		if (turn) {
			if (!turn(conn))
				return false;
			conn->turn_deadline = 0;
		} else if (conn->input_ended || conn->read_error) {
			return false;
		} else if (conn->out_len > 0) {
			ph_conn_flush(conn);
		} else {
			return true;
		}
		if (count % TURNS_AT_A_STRETCH == 0)
			ph_fiber_yield();
	}
	return false;
}

/* --- At rest --- */

static void start_turns(struct ph_conn *conn);

static void set_idle_alarm(struct ph_conn *conn);

static void idle_alarm(void *arg)
{
	struct ph_conn *conn = arg;
	if (conn->busy)
		return;
	if (conn->idle_since + conn->idle_timeout > ph_now()) {
		set_idle_alarm(conn);
		return;
	}
	conn->goodbye = PH_GOODBYE_IDLE;
	conn->goodbye_due = true;
	start_turns(conn);
}

static void set_idle_alarm(struct ph_conn *conn)
{
	ph_msec due = conn->idle_since + conn->idle_timeout;
	if (ph_timer_active(&conn->idle_timer) && conn->idle_alarm <= due)
		return;
	conn->idle_alarm = due;
	ph_timer_start(&conn->idle_timer, due - ph_now(), idle_alarm, conn);
}

static void input_at_rest(void *arg, int events)
{
	struct ph_conn *conn = arg;
	(void)events;
	int result = conn_fill(conn);
	if (result == LAYER_WANTS_READ || result == LAYER_WANTS_WRITE)
		give_blocks_back(conn);
	else
		start_turns(conn);
}

static void rest(struct ph_conn *conn)
{
	give_blocks_back(conn);
	conn->log = NULL;
	ph_log_set_context(NULL);
	conn->busy = false;
	conn->reads_at_a_stretch = 0;
	conn->idle_since = ph_now();
	set_idle_alarm(conn);
	ph_io_start(&conn->io, conn->tcp.fd, PH_READABLE, input_at_rest, conn);
}

static void serve(void *arg)
{
	struct ph_conn *conn = arg;
	struct ph_log_context context;
	conn_log_begin(conn, &context);
	bool keep = conn->opened || begin(conn);
	if (keep && run_turns(conn))
		rest(conn);
	else
		finish(conn);
}

static void start_turns(struct ph_conn *conn)
{
	conn->busy = true;
	ph_io_stop(&conn->io);
	ph_fiber_start(protocol_of(conn)->name, serve, conn);
}

void ph_conn_post(struct ph_conn *conn)
{
	if (!protocol_of(conn)->event)
		return;
	conn->event_due = true;
	if (!conn->busy)
		start_turns(conn);
}

void ph_conn_set_idle_timeout(struct ph_conn *conn, ph_msec timeout)
{
	conn->idle_timeout = timeout;
	if (!conn->busy)
		set_idle_alarm(conn);
}

/* --- All of them --- */

static void set_addresses(struct ph_conn *conn)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	if (getpeername(conn->tcp.fd, (struct sockaddr *)&address, &len) == 0)
		endpoint_from_sockaddr((const struct sockaddr *)&address, &conn->remote);
	len = sizeof(address);
	if (getsockname(conn->tcp.fd, (struct sockaddr *)&address, &len) == 0)
		endpoint_from_sockaddr((const struct sockaddr *)&address, &conn->local);
}

/* On a Unix socket they fail, which does not matter. */
static void set_socket_options(int fd)
{
	const int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void conn_open(struct listener *listener, int fd)
{
	struct ph_conn *conn = ph_alloc(sizeof(*conn) + listener->config->speaks->session_size);
	set_socket_options(fd);
	layer_tcp_init(&conn->tcp, fd);
	conn->layer = &conn->tcp.layer;
	conn->listener = listener;
	conn->idle_timeout = listener->config->idle_timeout;
	set_addresses(conn);
	conn_make_id(conn);
	ph_list_append(&connections, &conn->link);
	connection_count++;
	listener->open++;
	ph_metric_add(listener->metrics->open, 1);
	ph_metric_add(listener->metrics->accepted, 1);
	start_turns(conn);
}

unsigned conn_count(void)
{
	return connection_count;
}

void conn_goodbye_all(void)
{
	PH_LIST_EACH (&connections, link) {
		struct ph_conn *conn = ph_container_of(link, struct ph_conn, link);
		conn->goodbye = PH_GOODBYE_SHUTDOWN;
		conn->goodbye_due = true;
		if (!conn->busy)
			start_turns(conn);
	}
}
