#include <config.h>

#include "imap.h"

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "message.h"
#include "options.h"

#define HEADER_MAX 8192
#define REFUSALS_TOLD 5
#define APPENDED_FROM 1000000 /* numbers of appended messages, apart from those that were sent */

struct latencies imap_latencies[IMAP_COMMANDS];
long imap_refused;
uint64_t imap_appended;

static struct endpoint server;
static long next_number = APPENDED_FROM;

static const char *const names[IMAP_COMMANDS] = { "greeting", "login", "select", "fetch_list", "fetch_body",
	"store", "search_from", "search_subject", "search_text", "append", "noop", "logout", "idle", "fetch",
	"status", "script" };

const char *imap_command_name(enum imap_command command)
{
	return names[command];
}

void imap_find_server(void)
{
	endpoint_find(&server, options.host,
		options.port  ? options.port
		: options.tls ? "993"
			      : "143",
		options.tls);
}

static void begin_command(struct imap_client *client, enum imap_command command)
{
	client->command = command;
	client->tag++;
	client->untagged = 0;
	client->command_at = now_usec();
}

void imap_send(struct imap_client *client, enum imap_command command, const char *format, ...)
{
	char line[4096];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= sizeof(line))
		give_up("a command is too long");
	begin_command(client, command);
	connection_printf(&client->connection, "a%lu %s\r\n", client->tag, line);
	connection_flush(&client->connection);
}

/* --- APPEND --- */

static size_t prepare_message(struct imap_client *client)
{
	long number = next_number++;

	ph_buf_reset(&client->header);
	message_header(&client->header, number, options_expand(options.user, client->user));
	client->body = message_body(number);
	imap_appended += client->header.len + client->body.len;
	client->batch_left--;
	return client->header.len + client->body.len;
}

void imap_append(struct imap_client *client, long count)
{
	client->batch = client->batch_left = count;
	begin_command(client, IMAP_APPEND);
	connection_printf(&client->connection, "a%lu APPEND %s {%zu}\r\n", client->tag, options.mailbox,
		prepare_message(client));
	connection_flush(&client->connection);
}

static void continue_append(struct imap_client *client)
{
	connection_copy(&client->connection, ph_buf_str(&client->header));
	connection_refer(&client->connection, client->body);
	if (client->batch_left > 0)
		connection_printf(&client->connection, " {%zu}\r\n", prepare_message(client));
	else
		connection_refer(&client->connection, PH_STR("\r\n"));
	connection_flush(&client->connection);
}

/* --- answers --- */

static void collect_uid(struct imap_client *client, struct ph_str line)
{
	const char *place = memmem(line.data, line.len, "UID ", 4);

	if (!place)
		return;
	if (client->uid_count == client->uid_capacity) {
		client->uid_capacity = client->uid_capacity ? client->uid_capacity * 2 : 256;
		client->uids = ph_realloc_array(client->uids, client->uid_capacity, sizeof(*client->uids));
	}
	client->uids[client->uid_count++] = (uint32_t)strtoul(place + 4, NULL, 10);
}

/* "* NUMBER NAME ..." */
static void take_numbered(struct imap_client *client, struct ph_str line)
{
	struct ph_str rest = line, number, name;
	uint64_t value;

	ph_str_split(&rest, ' ', &name);
	if (!ph_str_split(&rest, ' ', &number) || !ph_str_number(number, INT32_MAX, &value) ||
		!ph_str_split(&rest, ' ', &name))
		return;
	if (ph_str_eq(name, PH_STR("EXISTS"))) {
		client->exists = (long)value;
		if (client->task->exists)
			client->task->exists(client);
	} else if (client->collect && ph_str_eq(name, PH_STR("FETCH"))) {
		collect_uid(client, line);
	}
}

static void take_untagged(struct imap_client *client, struct ph_str line)
{
	const char *place;

	client->untagged++;
	if (ph_str_starts(line, PH_STR("* STATUS"))) {
		place = memmem(line.data, line.len, "MESSAGES ", 9);
		client->status = place ? strtol(place + 9, NULL, 10) : client->status;
	} else if (ph_str_starts(line, PH_STR("* BYE")) && client->command != IMAP_LOGOUT) {
		fprintf(stderr, "mailload: %.*s\n", PH_STR_ARGS(line));
	} else {
		take_numbered(client, line);
	}
}

static void take_tagged(struct imap_client *client, struct ph_str line)
{
	struct ph_str answer = line, tag;
	char expected[32];
	bool good;

	snprintf(expected, sizeof(expected), "a%lu", client->tag);
	if (!ph_str_split(&answer, ' ', &tag) || !ph_str_eq(tag, ph_str(expected))) {
		connection_fail(&client->connection, "an answer to nothing");
		return;
	}
	good = ph_str_case_starts(answer, PH_STR("OK"));
	latencies_add(&imap_latencies[client->command], now_usec() - client->command_at);
	if (!good && imap_refused++ < REFUSALS_TOLD)
		fprintf(stderr, "mailload: %s: %.*s\n", names[client->command], PH_STR_ARGS(answer));
	client->task->done(client, good, answer);
}

static void take_line(struct imap_client *client, struct ph_str line)
{
	if (client->command == IMAP_GREETING)
		imap_send(client, IMAP_LOGIN, "LOGIN %s %s", options_expand(options.user, client->user),
			options.password);
	else if (ph_str_starts(line, PH_STR("*")))
		take_untagged(client, line);
	else if (!ph_str_starts(line, PH_STR("+")))
		take_tagged(client, line);
	else if (client->command == IMAP_APPEND)
		continue_append(client);
	else
		client->task->done(client, true, line);
}

/* The literal that a line announces at its end, or 0. */
static uint64_t announced_literal(struct ph_str line)
{
	ptrdiff_t brace = ph_str_rfind(line, '{');
	uint64_t size;

	if (brace < 0 || line.data[line.len - 1] != '}' ||
		!ph_str_number(ph_str_slice(line, (size_t)brace + 1, line.len - 1), UINT32_MAX, &size))
		return 0;
	return size;
}

/* Only the first line of an answer is looked at; what comes behind literals is passed over. */
static size_t imap_feed(struct connection *connection, struct ph_str bytes)
{
	struct imap_client *client = (struct imap_client *)connection;
	struct ph_str rest = bytes;

	while (!connection->closed && rest.len > 0) {
		size_t skip = client->literal < rest.len ? (size_t)client->literal : rest.len;
		const char *end;
		struct ph_str line;
		bool was_in_line = client->in_line;

		client->literal -= skip;
		rest = ph_str_slice(rest, skip, rest.len);
		end = rest.len > 0 ? memchr(rest.data + client->scanned, '\n', rest.len - client->scanned)
				   : NULL;
		if (!end) {
			client->scanned = rest.len;
			break;
		}
		client->scanned = 0;
		line = ph_str_trim(ph_str_slice(rest, 0, (size_t)(end - rest.data)));
		rest = ph_str_slice(rest, (size_t)(end - rest.data) + 1, rest.len);
		client->literal = line.len > 0 ? announced_literal(line) : 0;
		client->in_line = client->literal > 0;
		if (!was_in_line)
			take_line(client, line);
	}
	return bytes.len - rest.len;
}

static void imap_closed(struct connection *connection)
{
	struct imap_client *client = (struct imap_client *)connection;

	ph_buf_free(&client->header);
	free(client->uids);
	client->uids = NULL;
	client->task->closed(client);
}

static const struct protocol imap_protocol = { imap_feed, imap_closed };

void imap_open(struct imap_client *client, const struct imap_task *task, long user)
{
	*client = (struct imap_client){ .task = task, .user = user, .command = IMAP_GREETING };
	ph_buf_init(&client->header, HEADER_MAX);
	connection_open(&client->connection, &imap_protocol, &server);
}
