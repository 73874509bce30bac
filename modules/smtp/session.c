/* A session: one command per turn, read, looked up in the table, run, answered. */
#include <config.h>

#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/log.h>

#include "commands.h"
#include "reply.h"
#include "smtp.h"

/* --- state --- */

unsigned session_state(const struct session *session)
{
	if (!session->helo)
		return AT_START;
	if (!session->transaction)
		return AT_HELLO;
	return session->transaction->count > 0 ? AT_RECIPIENT : AT_SENDER;
}

void session_forget(struct session *session)
{
	transaction_end(session);
	free(session->helo);
	session->helo = NULL;
	session->extended = false;
	session->logged_in = false;
	session->account = 0;
	ph_conn_set_user(session->conn, PH_STR(""));
	ph_conn_set_attribute(session->conn, "helo", PH_STR(""));
}

/* --- transactions --- */

struct transaction *transaction_begin(struct session *session, struct ph_str reverse_path)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct transaction *transaction = ph_pool_alloc(pool, sizeof(*transaction));

	transaction->pool = pool;
	transaction->reverse_path = ph_pool_str(pool, reverse_path);
	snprintf(transaction->id, sizeof(transaction->id), "%s.%llu", ph_conn_id(session->conn),
		(unsigned long long)++session->transactions);
	session->transaction = transaction;
	return transaction;
}

static struct ph_route route_copy(const struct ph_route *route, struct ph_pool *pool)
{
	struct ph_route_target *targets = ph_pool_array(pool, route->count, sizeof(*targets));

	for (size_t i = 0; i < route->count; i++)
		targets[i] = (struct ph_route_target){
			.account = route->targets[i].account,
			.address = ph_pool_str(pool, route->targets[i].address),
			.mailbox = ph_pool_str(pool, route->targets[i].mailbox),
		};
	return (struct ph_route){ targets, route->count, route->discard };
}

static void make_room(struct transaction *transaction)
{
	struct recipient *old = transaction->recipients;

	if (transaction->count < transaction->capacity)
		return;
	transaction->capacity = transaction->capacity ? 2 * transaction->capacity : 4;
	transaction->recipients = ph_pool_array(transaction->pool, transaction->capacity, sizeof(*old));
	if (old)
		memcpy(transaction->recipients, old, transaction->count * sizeof(*old));
}

void transaction_add(struct transaction *transaction, struct ph_str address, const struct ph_route *route)
{
	make_room(transaction);
	transaction->recipients[transaction->count++] = (struct recipient){
		.address = ph_pool_str(transaction->pool, address),
		.route = route_copy(route, transaction->pool),
	};
}

void transaction_end(struct session *session)
{
	struct ph_pool *pool;

	if (!session->transaction)
		return;
	pool = session->transaction->pool;
	session->transaction = NULL;
	ph_pool_free(&pool);
	ph_conn_end_transaction(session->conn);
}

/* --- the commands --- */

static void bad_sequence(struct session *session, unsigned states)
{
	unsigned state = session_state(session);
	const char *text = "Not now";

	if (state == AT_START)
		text = "Say hello first";
	else if (states & AT_TRANSACTION && state == AT_HELLO)
		text = "MAIL first";
	else if (states & AT_RECIPIENT)
		text = "No recipient was accepted";
	else if (state & AT_TRANSACTION)
		text = "A transaction is under way";
	reply(session, 503, "5.5.1", "%s", text);
}

static void run_command(struct session *session, struct ph_str name, struct ph_str arguments)
{
	const struct ph_command *command = ph_command_find(smtp_commands, name);
	struct call call = { .pool = ph_pool_new(0) };

	/* The line is gone as soon as something else is read. */
	call.arguments = ph_pool_str(call.pool, arguments);
	if (!command || !(command->flags & session->profile->bit))
		reply(session, 500, "5.5.1", "Unknown command");
	else if (!(command->states & session_state(session)))
		bad_sequence(session, command->states);
	else
		ph_command_run(command, session, &call);
	ph_pool_free(&call.pool);
}

static void take_line(struct session *session, const struct ph_line *line)
{
	struct ph_str name, arguments;

	if (line->bare_lf || line->bare_cr)
		reply(session, 500, "5.5.2", "Lines end with CR LF");
	else if (!parse_line(line->text, &name, &arguments))
		reply(session, 500, "5.5.2", "Control characters in a command");
	else
		run_command(session, name, arguments);
}

/* A client that makes nothing but errors is not worth a connection. */
static void check_errors(struct session *session)
{
	if (session->ending || session->errors < smtp_config.max_errors)
		return;
	ph_log(PH_LOG_INFO, "too many errors", PH_LOG_NUMBER("errors", session->errors));
	reply(session, 421, "4.7.0", "%s Too many errors, closing", ph_core_config()->hostname);
	session->ending = true;
}

enum ph_turn session_input(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;
	struct ph_line line;
	int code = ph_conn_read_line(conn, (size_t)smtp_config.max_line, &line);

	if (code == PH_E_LIMIT)
		reply(session, 500, "5.5.2", "Line too long");
	else if (code == 1)
		take_line(session, &line);
	if (code != 1 && code != PH_E_LIMIT)
		return PH_TURN_CLOSE;
	check_errors(session);
	return session->ending ? PH_TURN_CLOSE : PH_TURN_KEEP;
}

/* --- begin and end --- */

enum ph_turn session_open(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;

	session->conn = conn;
	session->profile = profile_of(conn);
	ph_conn_printf(conn, "220 %s %s Posthorn\r\n", ph_core_config()->hostname, session->profile->service);
	return PH_TURN_KEEP;
}

void session_goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	static const struct {
		int code;
		const char *enhanced;
		const char *text;
	} words[] = {
		[PH_GOODBYE_IDLE] = { 421, "4.4.2", "Nothing was said for too long" },
		[PH_GOODBYE_SHUTDOWN] = { 421, "4.3.2", "The server is shutting down" },
		[PH_GOODBYE_TOO_MANY] = { 421, "4.3.2", "Too many connections" },
		[PH_GOODBYE_REFUSED] = { 554, "5.7.1", "No mail from here" },
		[PH_GOODBYE_DEFERRED] = { 421, "4.7.1", "No mail from here now" },
		[PH_GOODBYE_FAILED] = { 421, "4.3.0", "The server has a problem" },
	};
	struct answer answer;

	(void)session;
	if (text.len > 0)
		answer_set(&answer, words[reason].code, NULL, "%.*s", PH_STR_ARGS(text));
	else
		answer_set(&answer, words[reason].code, NULL, "%s", words[reason].text);
	ph_conn_printf(conn, "%d %s %s %s\r\n", answer.code, words[reason].enhanced,
		ph_core_config()->hostname, answer.text);
}

void session_close(struct ph_conn *conn, void *arg)
{
	struct session *session = arg;

	(void)conn;
	if (session->conn)
		transaction_end(session);
	free(session->helo);
}
