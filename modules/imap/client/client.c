/* Commands to another server, and what it answers. See client.h. */
#include "client.h"

#include <posthorn/loop.h>

#include <stdio.h>

/* LINE: of a response, between its literals. LITERAL: one that is no message. RESPONSE: its text and all its
 * literals. MEMORY: what reading it may take besides. HEARD: all responses to a command. */
enum { LINE = 65000, LITERAL = 65536, RESPONSE = 1 << 20, MEMORY = 4 << 20, HEARD = 32 << 20 };
/* A command may take PATIENCE milliseconds, and one more for each byte that came. */
enum { PATIENCE = 300000 };

void client_init(struct client *client, struct ph_stream *stream)
{
	*client = (struct client){ .stream = stream, .pool = ph_pool_new(MEMORY) };
	ph_buf_init(&client->text, RESPONSE);
	ph_buf_init(&client->command, RESPONSE);
	ph_buf_init(&client->capabilities, LINE);
}

void client_free(struct client *client)
{
	ph_stream_close(&client->stream);
	if (client->command.data)
		ph_wipe(client->command.data, client->command.len);
	ph_buf_free(&client->text);
	ph_buf_free(&client->command);
	ph_buf_free(&client->capabilities);
	ph_pool_free(&client->pool);
}

/* --- reading a response --- */

static int nonsense(struct ph_error *error, const char *what)
{
	return ph_error_set(error, PH_E_CORRUPT, "the server does not speak IMAP as it should",
		"the server does not speak IMAP as it should: %s", what);
}

static int stream_failed(struct ph_error *error, int result)
{
	switch (result) {
	case 0:
	case PH_E_CLOSED:
		return ph_error_set(error, PH_E_CLOSED, "the server closed the connection", NULL);
	case PH_E_TIMEOUT:
		return ph_error_set(error, PH_E_TIMEOUT, "the server is too slow", NULL);
	case PH_E_LIMIT:
		return nonsense(error, "a line is too long");
	default:
		return ph_error_set(error, result, "the connection failed", NULL);
	}
}

static void move_deadline(struct client *client)
{
	ph_stream_set_deadline(client->stream, client->began + PATIENCE + (ph_msec)client->received);
}

static int read_line(struct client *client, struct ph_str *line_r, struct ph_error *error)
{
	struct ph_line line;
	int result;

	move_deadline(client);
	result = ph_stream_read_line(client->stream, LINE, &line);
	if (result <= 0)
		return stream_failed(error, result);
	client->received += line.text.len + 2;
	client->heard += line.text.len + 2;
	if (client->heard > client->most)
		return nonsense(error, "there is no end to its responses");
	*line_r = line.text;
	return 0;
}

static int read_literal(struct client *client, uint64_t size, bool is_body, struct ph_error *error)
{
	struct ph_str bytes;
	int result = 0;

	if (!is_body && size > LITERAL)
		return nonsense(error, "a literal is too long");
	for (; size > 0 && result == 0; size -= bytes.len) {
		move_deadline(client);
		result = ph_stream_read(client->stream, size < LINE ? (size_t)size : LINE, &bytes);
		if (result <= 0)
			return stream_failed(error, result);
		client->received += bytes.len;
		client->heard += is_body ? 0 : bytes.len;
		result = 0;
		if (is_body)
			result = client->write_body(client->arg, bytes, error);
		else
			ph_buf_add_str(&client->text, bytes);
	}
	return result;
}

/* Is the literal whose header ends this text a message that was asked for? */
static bool is_body(const struct client *client, struct ph_str text)
{
	static const struct ph_str name = PH_STR_INIT("BODY[] ");
	size_t start = text.len - name.len;

	return client->write_body && ph_str_starts(text, PH_STR("* ")) && text.len > name.len + 2 &&
	       ph_str_case_eq(ph_str_slice(text, start, text.len), name) &&
	       (text.data[start - 1] == ' ' || text.data[start - 1] == '(');
}

/* Behind a line that ends in a literal's header: the literal. In the text an empty one stands for a message.
 */
static int take_literal(struct client *client, const struct literal_header *header, struct ph_error *error)
{
	size_t before = (size_t)ph_str_rfind(ph_buf_str(&client->text), '{');
	bool body = is_body(client, ph_str_slice(ph_buf_str(&client->text), 0, before));

	if (body && (client->body_came || header->size > UINT32_MAX))
		return nonsense(error, "a message is too long, or comes twice");
	if (body) {
		client->text.len = before;
		ph_buf_add_text(&client->text, "{0}");
		client->body_came = true;
	}
	ph_buf_add_text(&client->text, "\r\n");
	return read_literal(client, header->size, body, error);
}

static int read_response(struct client *client, struct response *response_r, struct ph_error *error)
{
	struct literal_header header;
	struct ph_str line;
	int result;

	ph_buf_reset(&client->text);
	ph_pool_clear(client->pool);
	client->body_came = false;
	do {
		result = read_line(client, &line, error);
		if (result < 0)
			return result;
		ph_buf_add_str(&client->text, line);
		if (!parse_literal_header(line, &header))
			break;
		result = client->text.failed ? 0 : take_literal(client, &header, error);
	} while (result == 0 && !client->text.failed);
	if (result < 0)
		return result;
	if (client->text.failed)
		return nonsense(error, "a response is too long");
	if (!response_parse(ph_buf_str(&client->text), client->pool, response_r))
		return nonsense(error, "it is no response");
	return 0;
}

/* --- commands --- */

static int said(struct ph_error *error, int code, const struct response *response)
{
	struct ph_str text = ph_str_slice(response->text, 0, 190);
	char words[200];

	snprintf(words, sizeof(words), "%.*s", PH_STR_ARGS(text));
	return ph_error_set(error, code, words, "the server says: %s", words);
}

static int check_bye(const struct response *response, struct ph_error *error)
{
	if (response->kind != RESPONSE_CONDITION || response->condition != CONDITION_BYE)
		return 0;
	return said(error, PH_E_CLOSED, response);
}

static void start(struct client *client, uint64_t most)
{
	client->began = ph_now();
	client->received = client->heard = 0;
	client->most = most > 0 ? most : HEARD;
}

int client_read_greeting(struct client *client, struct response *response_r, struct ph_error *error)
{
	int result;

	start(client, 0);
	result = read_response(client, response_r, error);
	if (result == 0)
		result = check_bye(response_r, error);
	if (result == 0 && (response_r->kind != RESPONSE_CONDITION ||
				   (response_r->condition != CONDITION_OK &&
					   response_r->condition != CONDITION_PREAUTH)))
		result = nonsense(error, "it does not greet");
	return result;
}

static void send_command(struct client *client)
{
	if (client->failed == 0 && client->command.failed)
		client->failed = PH_E_LIMIT;
	if (client->failed == 0) {
		move_deadline(client);
		client->failed = ph_stream_write(client->stream, ph_buf_str(&client->command));
	}
	if (client->command.data)
		ph_wipe(client->command.data, client->command.len);
	ph_buf_reset(&client->command);
}

void client_begin(struct client *client, const char *name)
{
	start(client, 0);
	client->failed = 0;
	ph_buf_reset(&client->command);
	ph_buf_printf(&client->command, "P%u %s", ++client->tag, name);
}

void client_add(struct client *client, const char *text)
{
	ph_buf_add_text(&client->command, text);
}

/* The server must ask for it. Responses that come before are passed over; a tagged one is a refusal. */
static void wait_for_plus(struct client *client)
{
	struct response response = { .kind = RESPONSE_OTHER };
	struct ph_error error;

	send_command(client);
	while (client->failed == 0 && response.kind != RESPONSE_CONTINUE) {
		client->failed = read_response(client, &response, &error);
		if (client->failed == 0)
			client->failed = check_bye(&response, &error);
		if (client->failed == 0 && response.kind == RESPONSE_TAGGED)
			client->failed = PH_E_DENIED;
	}
}

static bool can_be_quoted(struct ph_str string)
{
	for (size_t i = 0; i < string.len; i++) {
		if ((unsigned char)string.data[i] < ' ' || (unsigned char)string.data[i] >= 0x7f)
			return false;
	}
	return string.len < 1000;
}

void client_add_string(struct client *client, struct ph_str string)
{
	if (!can_be_quoted(string)) {
		ph_buf_printf(&client->command, "{%zu}\r\n", string.len);
		wait_for_plus(client);
		ph_buf_add_str(&client->command, string);
		return;
	}
	ph_buf_add_char(&client->command, '"');
	for (size_t i = 0; i < string.len; i++) {
		if (string.data[i] == '"' || string.data[i] == '\\')
			ph_buf_add_char(&client->command, '\\');
		ph_buf_add_char(&client->command, string.data[i]);
	}
	ph_buf_add_char(&client->command, '"');
}

void client_answer(struct client *client, struct ph_str line)
{
	ph_buf_add_text(&client->command, "\r\n");
	wait_for_plus(client);
	ph_buf_add_str(&client->command, line);
}

static bool is_ours(const struct client *client, struct ph_str tag)
{
	char ours[16];

	snprintf(ours, sizeof(ours), "P%u", client->tag);
	return ph_str_eq(tag, ph_str(ours));
}

static int take_result(struct client *client, const struct response *response, struct ph_error *error)
{
	if (!is_ours(client, response->tag))
		return nonsense(error, "it answers what was not asked");
	if (response->condition == CONDITION_OK)
		return 0;
	return said(error, response->condition == CONDITION_NO ? PH_E_DENIED : PH_E_INVALID, response);
}

int client_run(struct client *client, uint64_t most,
	int (*take)(void *arg, const struct response *response, struct ph_error *error), void *arg,
	struct ph_error *error)
{
	struct response response;
	int result;

	client->most = most > 0 ? most : client->most;
	ph_buf_add_text(&client->command, "\r\n");
	send_command(client);
	if (client->failed == PH_E_DENIED)
		return ph_error_set(error, PH_E_DENIED, "the server does not take it", NULL);
	if (client->failed < 0)
		return stream_failed(error, client->failed);
	for (;;) {
		result = read_response(client, &response, error);
		if (result == 0)
			result = check_bye(&response, error);
		if (result < 0)
			return result;
		if (response.kind == RESPONSE_TAGGED)
			return take_result(client, &response, error);
		if (take)
			result = take(arg, &response, error);
		if (result < 0)
			return result;
	}
}

/* --- capabilities --- */

static int take_capabilities(void *arg, const struct response *response, struct ph_error *error)
{
	struct client *client = arg;

	(void)error;
	if (response->kind == RESPONSE_CAPABILITY) {
		ph_buf_reset(&client->capabilities);
		ph_buf_add_str(&client->capabilities, response->text);
	}
	return 0;
}

int client_ask_capabilities(struct client *client, struct ph_error *error)
{
	ph_buf_reset(&client->capabilities);
	client_begin(client, "CAPABILITY");
	return client_run(client, 0, take_capabilities, client, error);
}

bool client_has(const struct client *client, const char *capability)
{
	struct ph_str rest = ph_buf_str(&client->capabilities), word;

	while (ph_str_split(&rest, ' ', &word)) {
		if (ph_str_case_eq(word, ph_str(capability)))
			return true;
	}
	return false;
}
