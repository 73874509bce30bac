/* mailload pop3: sessions that log in, list, fetch everything, delete it if told so, and quit. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "connection.h"
#include "options.h"
#include "tools.h"

enum state { GREETING, USER, PASS, STAT, UIDL, RETR, DELE, QUIT };

struct client {
	struct connection connection;
	long user, messages, current;
	uint64_t command_at;
	enum state state;
	bool in_lines; /* of an answer with many */
	bool done;
};

static struct endpoint server;
static struct latencies logins, retrievals, sessions;
static long begun, done_count, failed_count;
static const struct protocol pop3_protocol;

static void open_next(struct client *client)
{
	connection_open(&client->connection, &pop3_protocol, &server);
	client->user = options.first_user + begun++ % options.users;
	client->state = GREETING;
	client->in_lines = false;
	client->done = false;
}

static void command(struct client *client, enum state state, const char *name, const char *argument)
{
	client->state = state;
	client->command_at = now_usec();
	connection_printf(&client->connection, argument ? "%s %s\r\n" : "%s\r\n", name, argument);
	connection_flush(&client->connection);
}

static void command_on_current(struct client *client, enum state state, const char *name)
{
	char number[24];

	snprintf(number, sizeof(number), "%ld", client->current);
	command(client, state, name, number);
}

static void next_message(struct client *client)
{
	client->current++;
	if (client->current <= client->messages)
		command_on_current(client, RETR, "RETR");
	else
		command(client, QUIT, "QUIT", NULL);
}

static void lines_ended(struct client *client)
{
	client->in_lines = false;
	if (client->state == RETR) {
		latencies_add(&retrievals, now_usec() - client->command_at);
		if (options.remove) {
			command_on_current(client, DELE, "DELE");
			return;
		}
	}
	next_message(client);
}

static void answered(struct client *client, struct ph_str line)
{
	switch (client->state) {
	case GREETING:
		command(client, USER, "USER", options_expand(options.user, client->user));
		break;
	case USER:
		command(client, PASS, "PASS", options.password);
		break;
	case PASS:
		latencies_add(&logins, now_usec() - client->connection.opened_at);
		command(client, STAT, "STAT", NULL);
		break;
	case STAT:
		client->messages = strtol(line.data + 3, NULL, 10);
		client->current = 0;
		command(client, UIDL, "UIDL", NULL);
		break;
	case UIDL:
	case RETR:
		client->in_lines = true;
		break;
	case DELE:
		next_message(client);
		break;
	case QUIT:
		client->done = true;
		done_count++;
		latencies_add(&sessions, now_usec() - client->connection.opened_at);
		connection_close(&client->connection);
		break;
	}
}

static void take_line(struct client *client, struct ph_str line)
{
	if (client->in_lines && ph_str_eq(line, PH_STR(".")))
		lines_ended(client);
	else if (!client->in_lines && !ph_str_starts(line, PH_STR("+OK")))
		connection_fail(&client->connection, "the server said -ERR");
	else if (!client->in_lines)
		answered(client, line);
}

static size_t pop3_feed(struct connection *connection, struct ph_str bytes)
{
	struct ph_str rest = bytes;
	ptrdiff_t end;

	while (!connection->closed && (end = ph_str_find(rest, '\n')) >= 0) {
		struct ph_str line = ph_str_slice(rest, 0, (size_t)end);

		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		rest = ph_str_slice(rest, (size_t)end + 1, rest.len);
		take_line((struct client *)connection, line);
	}
	return bytes.len - rest.len;
}

static void pop3_closed(struct connection *connection)
{
	struct client *client = (struct client *)connection;

	failed_count += !client->done;
	if (begun < options.count)
		open_next(client);
}

static const struct protocol pop3_protocol = { pop3_feed, pop3_closed };

static void print(double seconds, long count)
{
	printf("RESULT pop3 sessions=%ld fail=%ld conns=%ld secs=%.3f sessions_s=%.1f msgs_s=%.1f MB_s=%.2f",
		done_count, failed_count, count, seconds, (double)done_count / seconds,
		(double)retrievals.count / seconds, (double)connections_received() / seconds / 1e6);
	latencies_print(&sessions);
	printf(" gen_cpu=%.2f\nRESULT pop3_login n=%zu", own_cpu(), logins.count);
	latencies_print(&logins);
	printf("\nRESULT pop3_retr n=%zu", retrievals.count);
	latencies_print(&retrievals);
	printf("\n");
}

int command_pop3(void)
{
	long count = options.connections < options.count ? options.connections : options.count;
	struct client *clients = ph_alloc_array((size_t)count, sizeof(*clients));
	uint64_t began;
	bool in_time;

	endpoint_find(&server, options.host,
		options.port  ? options.port
		: options.tls ? "995"
			      : "110",
		options.tls);
	began = now_usec();
	for (long i = 0; i < count; i++)
		open_next(&clients[i]);
	in_time = connections_run(NULL);
	print(seconds_since(began), count);
	free(clients);
	return in_time && failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
