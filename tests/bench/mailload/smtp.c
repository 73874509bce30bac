#include <config.h>

#include "smtp.h"

#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "options.h"
#include "tools.h"

#define HEADER_MAX 8192

static long recipient_of(const struct smtp_client *client, long which)
{
	return options.first_user + (client->number * options.recipients + which) % options.users;
}

static void add_rcpt(struct smtp_client *client, long which)
{
	connection_printf(&client->connection, "RCPT TO:<%s>\r\n",
		options_expand(client->task->recipient, recipient_of(client, which)));
}

/* All commands of the envelope in one piece. */
static void send_envelope(struct smtp_client *client)
{
	struct ph_buf commands;

	ph_buf_init(&commands, SIZE_MAX);
	ph_buf_printf(&commands, "MAIL FROM:<%s>\r\n", options.sender);
	for (long i = 0; i < options.recipients; i++)
		ph_buf_printf(&commands, "RCPT TO:<%s>\r\n",
			options_expand(client->task->recipient, recipient_of(client, i)));
	ph_buf_add_text(&commands, "DATA\r\n");
	connection_copy(&client->connection, ph_buf_str(&commands));
	ph_buf_free(&commands);
}

static void send_body(struct smtp_client *client)
{
	struct ph_str body = message_body(client->number);
	struct ph_buf header;

	ph_buf_init(&header, HEADER_MAX);
	message_header(
		&header, client->number, options_expand(client->task->recipient, recipient_of(client, 0)));
	if (client->task->sending)
		client->task->sending(client);
	client->message_size = header.len + body.len;
	connection_copy(&client->connection, ph_buf_str(&header));
	connection_refer(&client->connection, body);
	connection_refer(&client->connection, PH_STR(".\r\n"));
	ph_buf_free(&header);
}

static void go_to(struct smtp_client *client, enum smtp_state state)
{
	client->state = state;
	client->answers = 0;
	switch (state) {
	case SMTP_HELLO:
		connection_printf(
			&client->connection, "%s gen.client.test\r\n", options.lmtp ? "LHLO" : "EHLO");
		break;
	case SMTP_MAIL:
		client->mail_at = now_usec();
		if (client->pipelining)
			send_envelope(client);
		else
			connection_printf(&client->connection, "MAIL FROM:<%s>\r\n", options.sender);
		break;
	case SMTP_RCPT:
		if (!client->pipelining)
			add_rcpt(client, 0);
		break;
	case SMTP_DATA:
		if (!client->pipelining)
			connection_refer(&client->connection, PH_STR("DATA\r\n"));
		break;
	case SMTP_BODY:
		send_body(client);
		break;
	case SMTP_QUIT:
		connection_refer(&client->connection, PH_STR("QUIT\r\n"));
		break;
	default:
		break;
	}
	connection_flush(&client->connection);
}

static void next_message(struct smtp_client *client)
{
	client->refused = false;
	if (client->left-- > 0 && client->task->next(client))
		go_to(client, SMTP_MAIL);
	else
		go_to(client, SMTP_QUIT);
}

static void after_rcpt(struct smtp_client *client)
{
	client->answers++;
	if (client->answers == options.recipients) {
		go_to(client, SMTP_DATA);
	} else if (!client->pipelining) {
		add_rcpt(client, client->answers);
		connection_flush(&client->connection);
	}
}

/* LMTP answers for each recipient. */
static void after_body(struct smtp_client *client)
{
	client->answers++;
	if (client->answers < (options.lmtp ? options.recipients : 1))
		return;
	client->task->sent(client, !client->refused);
	next_message(client);
}

static bool is_wanted(enum smtp_state state, long code)
{
	switch (state) {
	case SMTP_GREETING:
		return code == 220;
	case SMTP_DATA:
		return code == 354;
	case SMTP_QUIT:
		return true;
	default:
		return code == 250;
	}
}

static void answered(struct smtp_client *client, long code, struct ph_str line)
{
	char text[512];

	if (!is_wanted(client->state, code)) {
		snprintf(text, sizeof(text), "%.*s", PH_STR_ARGS(line));
		if (client->state != SMTP_BODY) {
			connection_fail(&client->connection, text);
			return;
		}
		fprintf(stderr, "mailload: %s\n", text);
		client->refused = true;
	}
	switch (client->state) {
	case SMTP_GREETING:
		go_to(client, SMTP_HELLO);
		break;
	case SMTP_HELLO:
		next_message(client);
		break;
	case SMTP_MAIL:
		go_to(client, SMTP_RCPT);
		break;
	case SMTP_RCPT:
		after_rcpt(client);
		break;
	case SMTP_DATA:
		go_to(client, SMTP_BODY);
		break;
	case SMTP_BODY:
		after_body(client);
		break;
	case SMTP_QUIT:
		connection_close(&client->connection); /* as clients do: some servers linger */
		break;
	}
}

static size_t smtp_feed(struct connection *connection, struct ph_str bytes)
{
	struct smtp_client *client = (struct smtp_client *)connection;
	struct ph_str rest = bytes;
	ptrdiff_t end;

	while (!connection->closed && (end = ph_str_find(rest, '\n')) >= 0) {
		struct ph_str line = ph_str_trim(ph_str_slice(rest, 0, (size_t)end));

		rest = ph_str_slice(rest, (size_t)end + 1, rest.len);
		if (line.len < 3)
			connection_fail(connection, "not a reply");
		else if (line.len > 4 &&
			 ph_str_case_eq(ph_str_slice(line, 4, line.len), PH_STR("PIPELINING")))
			client->pipelining = options.pipelining;
		if (!connection->closed && (line.len == 3 || line.data[3] != '-'))
			answered(client, strtol(line.data, NULL, 10), line);
	}
	return bytes.len - rest.len;
}

static void smtp_closed(struct connection *connection)
{
	struct smtp_client *client = (struct smtp_client *)connection;

	if (client->state >= SMTP_MAIL && client->state <= SMTP_BODY)
		client->task->sent(client, false);
	client->task->closed(client);
}

static const struct protocol smtp_protocol = { smtp_feed, smtp_closed };

void smtp_open(struct smtp_client *client, const struct smtp_task *task, const struct endpoint *endpoint,
	long messages)
{
	connection_open(&client->connection, &smtp_protocol, endpoint);
	client->task = task;
	client->left = messages;
	client->number = 0;
	client->state = SMTP_GREETING;
	client->answers = 0;
	client->pipelining = false;
	client->refused = false;
}
