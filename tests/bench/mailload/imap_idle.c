/* mailload idle: many connections wait in IDLE while the hook looks at the server; then messages are
 * delivered, and what counts is the time from sending their bytes to the EXISTS at those who wait. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "imap.h"
#include "message.h"
#include "options.h"
#include "smtp.h"
#include "tools.h"

#define LOGINS_AT_ONCE 64
#define PUSHED_FROM 5000000 /* numbers of these messages, apart from others */

struct session {
	struct imap_client client;
	long exists_before;
	bool told;
};

static struct session *sessions;
static long opened_count, idle_count;
static long told_count, to_tell, delivered;
static uint64_t began, *sent_at; /* of each user */
static struct latencies pushes;
static struct endpoint delivery;
static struct smtp_client sender;

/* --- delivering --- */

static bool next_delivery(struct smtp_client *client)
{
	if (delivered == options.pushes)
		return false;
	/* The recipient is found from the number. */
	client->number = PUSHED_FROM - PUSHED_FROM % options.users + delivered++;
	return true;
}

static void delivery_begins(struct smtp_client *client)
{
	sent_at[client->number % options.users] = now_usec();
}

static void delivery_ended(struct smtp_client *client, bool accepted)
{
	(void)client;
	if (!accepted)
		give_up("idle: a message was refused");
}

static void delivery_closed(struct smtp_client *client)
{
	(void)client;
}

static struct smtp_task delivery_task = { next_delivery, delivery_begins, delivery_ended, delivery_closed,
	NULL };

static void find_delivery(void)
{
	char *host = ph_strdup(options.deliver), *colon = strrchr(host, ':');

	if (!colon)
		give_up("-d needs HOST:PORT");
	*colon = '\0';
	endpoint_find(&delivery, host, colon + 1, false);
	free(host);
	delivery_task.recipient = options.recipient ? options.recipient : options.user;
}

static void deliver(void)
{
	for (long i = 0; i < options.connections; i++)
		to_tell += i % options.users < options.pushes;
	smtp_open(&sender, &delivery_task, &delivery, options.pushes);
}

/* --- waiting --- */

static void run_hook(void)
{
	uint64_t hook_at = now_usec();

	if (options.hook && system(options.hook) != 0)
		give_up("idle: the hook failed");
	connections_extend(now_usec() - hook_at);
}

static void all_idle(void)
{
	double seconds = seconds_since(began);

	printf("RESULT idle conns=%ld tls=%d ramp_secs=%.3f logins_s=%.1f\n", idle_count, options.tls,
		seconds, (double)idle_count / seconds);
	fflush(stdout);
	run_hook();
	if (options.pushes > 0 && options.deliver)
		deliver();
	else
		connections_stop();
}

static const struct imap_task task;

static void open_next(void)
{
	imap_open(&sessions[opened_count].client, &task, options.first_user + opened_count % options.users);
	opened_count++;
}

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	struct session *session = (struct session *)client;

	if (!good)
		give_up("idle: %.*s", PH_STR_ARGS(answer));
	if (client->command == IMAP_LOGIN) {
		imap_send(client, IMAP_SELECT, "SELECT %s", options.mailbox);
		return;
	}
	if (client->command == IMAP_SELECT) {
		imap_send(client, IMAP_IDLE, "IDLE");
		return;
	}
	session->exists_before = client->exists;
	idle_count++;
	if (opened_count < options.connections)
		open_next();
	else if (idle_count == options.connections)
		all_idle();
}

static void exists(struct imap_client *client)
{
	struct session *session = (struct session *)client;

	if (client->command != IMAP_IDLE || session->told || to_tell == 0 ||
		client->exists <= session->exists_before)
		return;
	session->told = true;
	latencies_add(&pushes, now_usec() - sent_at[client->user - options.first_user]);
	if (++told_count == to_tell)
		connections_stop();
}

static void closed(struct imap_client *client)
{
	(void)client;
	give_up("idle: the server closed a connection");
}

static const struct imap_task task = { done, exists, closed };

int command_idle(void)
{
	bool in_time;

	message_prepare((size_t)options.size);
	imap_find_server();
	if (options.pushes > options.users)
		options.pushes = options.users;
	if (options.deliver)
		find_delivery();
	sessions = ph_alloc_array((size_t)options.connections, sizeof(*sessions));
	sent_at = ph_alloc_array((size_t)options.users, sizeof(*sent_at));
	began = now_usec();
	while (opened_count < LOGINS_AT_ONCE && opened_count < options.connections)
		open_next();
	in_time = connections_run(NULL);
	if (to_tell > 0) {
		printf("RESULT push n=%zu want=%ld", pushes.count, to_tell);
		latencies_print(&pushes);
		printf("\n");
	}
	free(sessions);
	free(sent_at);
	return in_time ? EXIT_SUCCESS : EXIT_FAILURE;
}
