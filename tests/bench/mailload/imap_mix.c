/* mailload imap: sessions of a client that reads, flags, searches and stores. */
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
	long left; /* commands */
	bool done;
};

/* In hundredths. */
static const struct {
	enum imap_command command;
	unsigned share;
} mix[] = {
	{ IMAP_BODY, 40 },
	{ IMAP_STORE, 20 },
	{ IMAP_NOOP, 15 },
	{ IMAP_APPEND, 10 },
	{ IMAP_SEARCH_FROM, 6 },
	{ IMAP_SEARCH_SUBJECT, 6 },
	{ IMAP_SEARCH_TEXT, 3 },
};

static long begun, done_count, failed_count;

static enum imap_command pick_command(void)
{
	uint64_t place = random_below(100);
	size_t i = 0;

	for (; place >= mix[i].share; i++)
		place -= mix[i].share;
	return mix[i].command;
}

static void send_command(struct imap_client *client, enum imap_command command)
{
	uint32_t uid = client->uid_count ? client->uids[random_below(client->uid_count)] : 1;
	char word[MESSAGE_WORD_SIZE];

	switch (command) {
	case IMAP_BODY:
		imap_send(client, command, "UID FETCH %u (BODY.PEEK[])", (unsigned)uid);
		break;
	case IMAP_STORE:
		imap_send(client, command, "UID STORE %u %sFLAGS (\\Seen)", (unsigned)uid,
			random_below(2) ? "+" : "-");
		break;
	case IMAP_NOOP:
		imap_send(client, command, "NOOP");
		break;
	case IMAP_APPEND:
		imap_append(client, 1);
		break;
	case IMAP_SEARCH_FROM:
		imap_send(client, command, "UID SEARCH FROM \"%s\"", message_word(random_below(512), word));
		break;
	case IMAP_SEARCH_SUBJECT:
		imap_send(client, command, "UID SEARCH SUBJECT \"%s\"", message_word(message_pick(), word));
		break;
	default:
		imap_send(client, command, "UID SEARCH TEXT \"%s\"", message_word(message_pick(), word));
		break;
	}
}

static void done(struct imap_client *client, bool good, struct ph_str answer)
{
	struct session *session = (struct session *)client;

	(void)answer;
	if (!good && (client->command == IMAP_LOGIN || client->command == IMAP_SELECT)) {
		connection_fail(&client->connection, "cannot log in or select");
	} else if (client->command == IMAP_LOGIN) {
		imap_send(client, IMAP_SELECT, "SELECT %s", options.mailbox);
	} else if (client->command == IMAP_SELECT) {
		client->collect = true;
		session->left = options.commands;
		imap_send(client, IMAP_LIST, "UID FETCH 1:* (FLAGS UID ENVELOPE BODYSTRUCTURE RFC822.SIZE)");
	} else if (client->command == IMAP_LOGOUT) {
		session->done = true;
		done_count++;
		connection_close(&client->connection);
	} else {
		client->collect = false;
		if (session->left-- > 0)
			send_command(client, pick_command());
		else
			imap_send(client, IMAP_LOGOUT, "LOGOUT");
	}
}

static void closed(struct imap_client *client);

static const struct imap_task task = { .done = done, .closed = closed };

static void open_next(struct session *session)
{
	session->done = false;
	imap_open(&session->client, &task, options.first_user + begun++ % options.users);
}

static void closed(struct imap_client *client)
{
	struct session *session = (struct session *)client;

	failed_count += !session->done;
	if (begun < options.count)
		open_next(session);
}

static void print(double seconds, long count)
{
	struct latencies all = { 0 };

	for (int i = 0; i < IMAP_COMMANDS; i++) {
		if (imap_latencies[i].count == 0)
			continue;
		latencies_add_all(&all, &imap_latencies[i]);
		printf("RESULT imap op=%s n=%zu", imap_command_name((enum imap_command)i),
			imap_latencies[i].count);
		latencies_print(&imap_latencies[i]);
		printf("\n");
	}
	printf("RESULT imap op=total n=%zu sessions=%ld fail=%ld no=%ld conns=%ld secs=%.3f cmds_s=%.1f "
	       "sessions_s=%.1f MB_s=%.2f",
		all.count, done_count, failed_count, imap_refused, count, seconds,
		(double)all.count / seconds, (double)done_count / seconds,
		(double)connections_received() / seconds / 1e6);
	latencies_print(&all);
	printf(" gen_cpu=%.2f\n", own_cpu());
	free(all.usec);
}

int command_imap(void)
{
	long count = options.connections < options.count ? options.connections : options.count;
	struct session *sessions = ph_alloc_array((size_t)count, sizeof(*sessions));
	uint64_t began;
	bool in_time;

	message_prepare((size_t)options.size);
	imap_find_server();
	began = now_usec();
	for (long i = 0; i < count; i++)
		open_next(&sessions[i]);
	in_time = connections_run(NULL);
	print(seconds_since(began), count);
	free(sessions);
	return in_time && failed_count == 0 && imap_refused == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
