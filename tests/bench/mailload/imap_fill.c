/* mailload fill: appends so many messages to each of so many mailboxes. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "imap.h"
#include "message.h"
#include "options.h"
#include "tools.h"

struct session {
	struct imap_client client;
	long left; /* messages */
};

static long begun, appended;

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	struct session *session = (struct session *)client;

	if (!good)
		give_up("fill: %.*s", PH_STR_ARGS(answer));
	if (client->command == IMAP_LOGOUT) {
		connection_close(&client->connection);
		return;
	}
	if (client->command == IMAP_APPEND) {
		session->left -= client->batch;
		appended += client->batch;
	}
	if (session->left > 0)
		imap_append(client, session->left < options.batch ? session->left : options.batch);
	else
		imap_send(client, IMAP_LOGOUT, "LOGOUT");
}

static void closed(struct imap_client *client);

static const struct imap_task task = { .done = done, .closed = closed };

static void open_next(struct session *session)
{
	session->left = options.count;
	imap_open(&session->client, &task, options.first_user + begun++);
}

static void closed(struct imap_client *client)
{
	if (begun < options.users)
		open_next((struct session *)client);
}

int command_fill(void)
{
	long count = options.connections < options.users ? options.connections : options.users;
	struct session *sessions = ph_alloc_array((size_t)count, sizeof(*sessions));
	uint64_t began;
	bool in_time;
	double seconds;

	message_prepare((size_t)options.size);
	imap_find_server();
	began = now_usec();
	for (long i = 0; i < count; i++)
		open_next(&sessions[i]);
	in_time = connections_run(NULL);
	seconds = seconds_since(began);
	printf("RESULT fill msgs=%ld users=%ld batch=%ld size=%ld secs=%.3f msgs_s=%.1f MB_s=%.2f "
	       "gen_cpu=%.2f\n",
		appended, options.users, options.batch, options.size, seconds, (double)appended / seconds,
		(double)imap_appended / seconds / 1e6, own_cpu());
	free(sessions);
	return in_time && appended == options.count * options.users ? EXIT_SUCCESS : EXIT_FAILURE;
}
