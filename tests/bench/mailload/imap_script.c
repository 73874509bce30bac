/* mailload script: the given commands in order on one connection, each timed. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "imap.h"
#include "options.h"
#include "tools.h"

static size_t sent;
static uint64_t received_before;

static void print(const struct imap_client *client, uint64_t since, bool good, const char *command)
{
	printf("RESULT script ms=%.2f bytes=%" PRIu64 " untagged=%ld ok=%d cmd=%s\n",
		(double)(now_usec() - since) / 1000, client->connection.received - received_before,
		client->untagged, good, command);
}

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	if (client->command == IMAP_SCRIPT)
		print(client, client->command_at, good, options.script[sent - 1]);
	else
		print(client, client->connection.opened_at, good, "LOGIN");
	if (!good && client->command == IMAP_LOGIN)
		give_up("script: %.*s", PH_STR_ARGS(answer));
	received_before = client->connection.received;
	if (sent < options.script_count)
		imap_send(client, IMAP_SCRIPT, "%s", options.script[sent++]);
	else
		connection_close(&client->connection);
}

static void closed(struct imap_client *client)
{
	(void)client;
	if (imap_latencies[IMAP_SCRIPT].count < options.script_count)
		give_up("script: the server closed the connection");
}

static const struct imap_task task = { .done = done, .closed = closed };

int command_script(void)
{
	static struct imap_client client;

	imap_find_server();
	imap_open(&client, &task, options.first_user);
	return connections_run(NULL) && imap_refused == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
