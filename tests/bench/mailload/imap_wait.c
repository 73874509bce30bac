/* mailload wait: asks for STATUS until all mailboxes have got their share of so many messages. Prints READY
 * once all connections are logged in; the time counts from there. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "imap.h"
#include "options.h"
#include "tools.h"

#define PAUSE_USEC 20000 /* before the same mailbox is asked again */

static struct imap_client *clients;
static long ready_count, complete; /* mailboxes; those before `complete` have all */
static bool asks;
static uint64_t began, next_at;

/* Messages are dealt in turn, so each user's share is known. */
static long share_of(long user)
{
	return options.count / options.users + (user < options.count % options.users);
}

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	if (!good)
		give_up("wait: %.*s", PH_STR_ARGS(answer));
	if (client->command == IMAP_STATUS) {
		asks = false;
		while (complete < options.users && clients[complete].status >= share_of(complete)) {
			complete++;
			next_at = 0;
		}
		return;
	}
	if (++ready_count < options.users)
		return;
	printf("READY\n");
	fflush(stdout);
	began = now_usec();
}

static void closed(struct imap_client *client)
{
	(void)client;
	give_up("wait: the server closed a connection");
}

static const struct imap_task task = { .done = done, .closed = closed };

static void finish(void)
{
	long messages = 0;

	for (long i = 0; i < options.users; i++)
		messages += clients[i].status;
	printf("RESULT wait msgs=%ld secs=%.3f\n", messages, seconds_since(began));
	connections_stop();
}

static void tick(void)
{
	if (ready_count < options.users || asks)
		return;
	if (complete == options.users) {
		finish();
	} else if (now_usec() >= next_at) {
		asks = true;
		next_at = now_usec() + PAUSE_USEC;
		imap_send(&clients[complete], IMAP_STATUS, "STATUS %s (MESSAGES)", options.mailbox);
	}
}

int command_wait(void)
{
	bool in_time;

	imap_find_server();
	clients = ph_alloc_array((size_t)options.users, sizeof(*clients));
	for (long i = 0; i < options.users; i++)
		imap_open(&clients[i], &task, options.first_user + i);
	in_time = connections_run(tick);
	free(clients);
	return in_time ? EXIT_SUCCESS : EXIT_FAILURE;
}
