/* Connecting to another server, and logging in there. */
#include "client.h"

#include <posthorn/loop.h>

/* Milliseconds until a connection must be there. */
enum { CONNECT_TIMEOUT = 30000 };

static int begin_tls(struct client *client, const struct client_login *login, struct ph_error *error)
{
	struct ph_trust *trust = ph_trust_new(login->authorities, error);
	int result = trust ? 0 : PH_E_INVALID;

	if (trust) {
		ph_stream_set_deadline(client->stream, ph_now() + CONNECT_TIMEOUT);
		result = ph_stream_start_tls(client->stream, trust, login->host, error);
	}
	ph_trust_free(&trust);
	return result;
}

static int start_tls(struct client *client, const struct client_login *login, struct ph_error *error)
{
	int result = client_ask_capabilities(client, error);

	if (result == 0 && !client_has(client, "STARTTLS"))
		return ph_error_set(error, PH_E_UNSUPPORTED, "the server has no STARTTLS", NULL);
	if (result == 0) {
		client_begin(client, "STARTTLS");
		result = client_run(client, 0, NULL, NULL, error);
	}
	return result < 0 ? result : begin_tls(client, login, error);
}

/* Base64 with padding (RFC 4648, 4). */
static void add_base64(struct ph_buf *buf, struct ph_str bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t at = 0; at < bytes.len; at += 3) {
		uint32_t group = 0;
		size_t count = bytes.len - at < 3 ? bytes.len - at : 3;

		for (size_t i = 0; i < 3; i++)
			group = group << 8 | (i < count ? (unsigned char)bytes.data[at + i] : 0);
		for (size_t i = 0; i < 4; i++)
			ph_buf_add_char(buf, i <= count ? digits[group >> (18 - 6 * i) & 63] : '=');
	}
}

static void wipe(struct ph_buf *buf)
{
	if (buf->data)
		ph_wipe(buf->data, buf->len);
	ph_buf_free(buf);
}

/* RFC 4616: whom to be, who says so, and his password. */
static int authenticate_plain(struct client *client, const struct client_login *login, struct ph_error *error)
{
	const char *who = login->master ? login->master : login->user;
	struct ph_buf plain, encoded;
	int result;

	ph_buf_init(&plain, 8192);
	ph_buf_init(&encoded, 16384);
	if (login->master)
		ph_buf_add_text(&plain, login->user);
	ph_buf_add(&plain, "", 1);
	ph_buf_add_text(&plain, who);
	ph_buf_add(&plain, "", 1);
	ph_buf_add_text(&plain, login->password);
	add_base64(&encoded, ph_buf_str(&plain));
	client_begin(client, "AUTHENTICATE PLAIN");
	client_answer(client, ph_buf_str(&encoded));
	result = plain.failed || encoded.failed
			 ? ph_error_set(error, PH_E_LIMIT, "the name or the password is too long", NULL)
			 : client_run(client, 0, NULL, NULL, error);
	wipe(&plain);
	wipe(&encoded);
	return result;
}

static int log_in(struct client *client, const struct client_login *login, struct ph_error *error)
{
	int result = client_ask_capabilities(client, error);

	if (result < 0)
		return result;
	if (client_has(client, "AUTH=PLAIN"))
		return authenticate_plain(client, login, error);
	if (login->master || client_has(client, "LOGINDISABLED"))
		return ph_error_set(error, PH_E_UNSUPPORTED, "the server offers no login that can be used",
			"the server offers no login that can be used: %s",
			login->master ? "no AUTH=PLAIN" : "LOGINDISABLED");
	client_begin(client, "LOGIN ");
	client_add_string(client, ph_str(login->user));
	client_add(client, " ");
	client_add_string(client, ph_str(login->password));
	return client_run(client, 0, NULL, NULL, error);
}

int client_login(struct client *client, const struct client_login *login, struct ph_error *error)
{
	struct ph_stream *stream =
		ph_stream_open(login->host, login->port, ph_now() + CONNECT_TIMEOUT, error);
	struct response greeting = { 0 };
	int result = 0;

	client_init(client, stream);
	if (!stream)
		return error->code;
	if (login->tls == CLIENT_TLS_IMPLICIT)
		result = begin_tls(client, login, error);
	if (result == 0)
		result = client_read_greeting(client, &greeting, error);
	/* Whoever it is that is logged in: it was not asked for (RFC 9051, 7.1.4). */
	if (result == 0 && greeting.condition == CONDITION_PREAUTH)
		result = ph_error_set(error, PH_E_DENIED, "the server asks for no login", NULL);
	if (result == 0 && login->tls == CLIENT_TLS_STARTTLS)
		result = start_tls(client, login, error);
	if (result == 0)
		result = log_in(client, login, error);
	return result < 0 ? result : client_ask_capabilities(client, error);
}

void client_logout(struct client *client)
{
	client_begin(client, "LOGOUT");
	client_run(client, 0, NULL, NULL, NULL);
}
