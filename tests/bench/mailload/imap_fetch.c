/* mailload fetch: each connection downloads its whole mailbox so many times. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "imap.h"
#include "options.h"
#include "tools.h"

struct session {
	struct imap_client client;
	long left; /* rounds */
};

static long fetched;

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	struct session *session = (struct session *)client;

	if (!good)
		give_up("fetch: %.*s", PH_STR_ARGS(answer));
	if (client->command == IMAP_FETCH)
		fetched += client->untagged;
	if (client->command == IMAP_LOGIN)
		imap_send(client, IMAP_SELECT, "SELECT %s", options.mailbox);
	else if (client->command == IMAP_LOGOUT)
		connection_close(&client->connection);
	else if (session->left-- > 0)
		imap_send(client, IMAP_FETCH, "UID FETCH 1:* (BODY.PEEK[])");
	else
		imap_send(client, IMAP_LOGOUT, "LOGOUT");
}

static void closed(struct imap_client *client)
{
	if (client->command != IMAP_LOGOUT)
		give_up("fetch: the server closed a connection");
}

static const struct imap_task task = { .done = done, .closed = closed };

int command_fetch(void)
{
	struct session *sessions = ph_alloc_array((size_t)options.connections, sizeof(*sessions));
	uint64_t began;
	double seconds, megabytes;
	bool in_time;

	imap_find_server();
	began = now_usec();
	for (long i = 0; i < options.connections; i++) {
		sessions[i].left = options.count;
		imap_open(&sessions[i].client, &task, options.first_user + i % options.users);
	}
	in_time = connections_run(NULL);
	seconds = seconds_since(began);
	megabytes = (double)connections_received() / 1e6;
	printf("RESULT fetch conns=%ld tls=%d msgs=%ld MB=%.1f secs=%.3f MB_s=%.1f msgs_s=%.1f "
	       "gen_cpu=%.2f\n",
		options.connections, options.tls, fetched, megabytes, seconds, megabytes / seconds,
		(double)fetched / seconds, own_cpu());
	free(sessions);
	return in_time ? EXIT_SUCCESS : EXIT_FAILURE;
}
