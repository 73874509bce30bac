/* mailload smtp: so many messages over so many connections. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/mem.h>

#include "commands.h"
#include "message.h"
#include "options.h"
#include "smtp.h"
#include "tools.h"

static struct endpoint server;
static struct latencies latencies;
static long next_number, accepted_count, failed_count;
static uint64_t accepted_bytes;

static bool next(struct smtp_client *client)
{
	if (next_number == options.count)
		return false;
	client->number = next_number++;
	return true;
}

static void sent(struct smtp_client *client, bool accepted)
{
	if (!accepted) {
		failed_count++;
		return;
	}
	accepted_count++;
	accepted_bytes += client->message_size;
	latencies_add(&latencies, now_usec() - client->mail_at);
}

static void closed(struct smtp_client *client);

static struct smtp_task task = { .next = next, .sent = sent, .closed = closed };

static void closed(struct smtp_client *client)
{
	if (next_number < options.count)
		smtp_open(client, &task, &server, options.per_connection);
}

int command_smtp(void)
{
	long count = options.connections < options.count ? options.connections : options.count;
	struct smtp_client *clients = ph_alloc_array((size_t)count, sizeof(*clients));
	uint64_t began;
	bool in_time;
	double seconds;

	task.recipient = options.user;
	message_prepare((size_t)options.size);
	endpoint_find(&server, options.host,
		options.port   ? options.port
		: options.lmtp ? "24"
			       : "25",
		options.tls);
	began = now_usec();
	for (long i = 0; i < count; i++)
		smtp_open(&clients[i], &task, &server, options.per_connection);
	in_time = connections_run(NULL);
	seconds = seconds_since(began);
	printf("RESULT %s msgs=%ld fail=%ld conns=%ld size=%ld secs=%.3f msgs_s=%.1f MB_s=%.2f",
		options.lmtp ? "lmtp" : "smtp", accepted_count, failed_count, count, options.size, seconds,
		(double)accepted_count / seconds, (double)accepted_bytes / seconds / 1e6);
	latencies_print(&latencies);
	printf(" gen_cpu=%.2f\n", own_cpu());
	free(clients);
	return in_time && accepted_count == options.count ? EXIT_SUCCESS : EXIT_FAILURE;
}
