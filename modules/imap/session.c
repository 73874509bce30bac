/* The life of a session: greeting, commands one by one, goodbye (RFC 3501, 3). Between commands it holds its
 * struct and the view of the selected mailbox, and nothing else. */
#include "session.h"

#include <stdlib.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>

const struct ph_store_service *store;
const struct ph_auth_service *auth;
const struct ph_mime_service *mime;
struct imap_config imap_config;

/* --- memory of turns --- */

#define POOLS_KEPT 8

static struct ph_pool *kept_pools[POOLS_KEPT];
static unsigned kept_count;

struct ph_pool *turn_pool_take(void)
{
	return kept_count ? kept_pools[--kept_count] : ph_pool_new((size_t)imap_config.max_memory);
}

void turn_pool_give(struct ph_pool *pool)
{
	if (kept_count == POOLS_KEPT) {
		ph_pool_free(&pool);
		return;
	}
	ph_pool_clear(pool);
	kept_pools[kept_count++] = pool;
}

void turn_pools_free(void)
{
	while (kept_count)
		ph_pool_free(&kept_pools[--kept_count]);
}

/* --- the steps of a session --- */

void session_unselect(struct session *session)
{
	if (!session->mailbox)
		return;
	store->mailbox_watch(session->mailbox, NULL, NULL);
	store->mailbox_close(&session->mailbox);
	free(session->mailbox_name);
	session->mailbox_name = NULL;
	session->read_only = false;
	session->state = AUTHENTICATED;
}

void session_login(struct call *call, const struct ph_login *login)
{
	struct session *session = call->session;

	session->actor = login->actor;
	session->state = AUTHENTICATED;
	ph_conn_set_idle_timeout(call->conn, imap_config.idle_timeout);
}

int session_read_line(struct session *session, size_t max, struct ph_str *line_r)
{
	struct ph_line line;
	int result = ph_conn_read_line(session->conn, max, &line);

	if (result == PH_E_LIMIT)
		return result;
	if (result <= 0)
		return result < 0 ? result : PH_E_CLOSED;
	if (line.nul || line.bare_lf || line.bare_cr)
		return PH_E_INVALID;
	*line_r = line.text;
	return 0;
}

static enum ph_turn greet(struct ph_conn *conn, void *pointer)
{
	struct session *session = pointer;
	struct ph_buf capabilities;

	session->conn = conn;
	session->state = NOT_AUTHENTICATED;
	session->began = ph_now();
	ph_buf_init(&capabilities, 4096);
	print_capabilities(session, &capabilities);
	ph_conn_printf(conn, "* OK [%.*s] %s Posthorn ready\r\n", PH_STR_ARGS(ph_buf_str(&capabilities)),
		ph_core_config()->hostname);
	ph_buf_free(&capabilities);
	return PH_TURN_KEEP;
}

static void run_command(struct call *call)
{
	int result = command_read(call);

	/* What can still be said after a timeout, the core has goodbye() say. */
	if (result < 0)
		call->session->closing = true;
	if (result != 1)
		return;
	imap_count_command(call->command);
	call->session->commands++;
	ph_command_run(call->command, call->session, call);
	if (!call->message_waits || call->session->closing)
		return;
	result = command_skip_message(call);
	if (result < 0)
		call->session->closing = true;
}

/* A password must not lie about in memory that others get next. */
static void wipe_secrets(struct call *call)
{
	if (!call->command || !(call->command->flags & COMMAND_SECRET))
		return;
	ph_wipe((void *)(uintptr_t)call->text.data, call->text.len);
	if (ph_str_eq(ph_str(call->command->name), PH_STR("LOGIN")))
		ph_wipe((void *)(uintptr_t)call->login.password.data, call->login.password.len);
}

static enum ph_turn input(struct ph_conn *conn, void *pointer)
{
	struct session *session = pointer;
	struct call call;

	if (session->idle_tag)
		return idle_input(session);
	memset(&call, 0, sizeof(call));
	call.session = session;
	call.conn = conn;
	call.pool = turn_pool_take();
	ph_buf_init(&call.long_text, (size_t)imap_config.max_command);
	ph_conn_set_turn_timeout(conn, imap_config.command_timeout);
	run_command(&call);
	wipe_secrets(&call);
	store->uid_set_free(&call.uids);
	ph_buf_free(&call.long_text);
	turn_pool_give(call.pool);
	return session->closing || ph_conn_error(conn) ? PH_TURN_CLOSE : PH_TURN_KEEP;
}

static enum ph_turn event(struct ph_conn *conn, void *pointer)
{
	struct session *session = pointer;

	(void)conn;
	return session->idle_tag ? idle_event(session) : PH_TURN_KEEP;
}

static void goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	static const char *const words[] = {
		[PH_GOODBYE_IDLE] = "Disconnected for inactivity",
		[PH_GOODBYE_SHUTDOWN] = "Server is shutting down",
		[PH_GOODBYE_TOO_MANY] = "[UNAVAILABLE] Too many connections, try again later",
		[PH_GOODBYE_REFUSED] = "Connection refused by a policy of this server",
		[PH_GOODBYE_DEFERRED] = "[UNAVAILABLE] Not now, by a policy of this server",
		[PH_GOODBYE_FAILED] = "[UNAVAILABLE] Internal error, try again later",
	};

	(void)session;
	if (text.len)
		ph_conn_printf(conn, "* BYE %.*s\r\n", PH_STR_ARGS(text));
	else
		ph_conn_printf(conn, "* BYE %s\r\n", words[reason]);
}

static void close_session(struct ph_conn *conn, void *pointer)
{
	struct session *session = pointer;

	idle_end(session);
	session_unselect(session);
	if (session->state == NOT_AUTHENTICATED)
		return;
	ph_log(PH_LOG_INFO, "imap session ended", PH_LOG_STR("user", ph_conn_user(conn)),
		PH_LOG_NUMBER("commands", session->commands), PH_LOG_NUMBER("fetched", session->fetched),
		PH_LOG_NUMBER("appended", session->appended), PH_LOG_NUMBER("expunged", session->expunged),
		PH_LOG_NUMBER("msec", ph_now() - session->began));
}

const struct ph_protocol imap_protocol = {
	.name = "imap",
	.summary = "IMAP4rev1 (RFC 3501), for mail programs.",
	.alpn = "imap",
	.session_size = sizeof(struct session),
	.open = greet,
	.input = input,
	.event = event,
	.goodbye = goodbye,
	.close = close_session,
};
