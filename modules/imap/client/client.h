/* A client of another IMAP server: sends a command, and hands each response to whoever asked until the
 * command's own comes. All of it may park, and fills *error when it fails.
 *
 * The server is not trusted. Lines, literals, the memory for a response, what all responses to a command take
 * together, and time are bounded; a message alone may be of any size, and goes piece by piece to where it
 * belongs. */
#ifndef IMAP_CLIENT_H
#define IMAP_CLIENT_H

#include <posthorn/stream.h>

#include "client_response.h"

struct client {
	struct ph_stream *stream;
	struct ph_pool *pool; /* of the response that was read last */
	struct ph_buf text;   /* the same */
	struct ph_buf command;
	struct ph_buf capabilities;
	unsigned tag;
	/* Of the command that is under way. */
	int failed; /* sending it; 0: it did not */
	ph_msec began;
	uint64_t received; /* bytes; the message's own do not count in `heard` */
	uint64_t heard, most;
	/* Where the literals behind BODY[] go; NULL: there are none. A negative code ends everything. */
	int (*write_body)(void *arg, struct ph_str bytes, struct ph_error *error);
	void *arg;
	bool body_came; /* within this response */
};

/* Takes over the stream, which is closed with it. */
void client_init(struct client *client, struct ph_stream *stream);
void client_free(struct client *client);

/* What greets: its condition is OK or PREAUTH. */
int client_read_greeting(struct client *client, struct response *response_r, struct ph_error *error);

/* A command: its name, then arguments, each behind a space of its own in `text`; strings in whatever form
 * they need. What fails shows in client_run(). */
void client_begin(struct client *client, const char *name);
void client_add(struct client *client, const char *text);
void client_add_string(struct client *client, struct ph_str string);
/* Ends the command and waits for its result, calling take(arg, response) for each other response. `most`
 * bytes may come besides messages; 0: what suits most commands. PH_E_DENIED: NO, PH_E_INVALID: BAD, with the
 * server's words in *error; all other codes, those of take() too, end the connection. */
int client_run(struct client *client, uint64_t most,
	int (*take)(void *arg, const struct response *response, struct ph_error *error), void *arg,
	struct ph_error *error);
/* Sends a line as it is, where the server asked for one by "+"; before client_run(). */
void client_answer(struct client *client, struct ph_str line);

/* Asks for the capabilities. */
int client_ask_capabilities(struct client *client, struct ph_error *error);
bool client_has(const struct client *client, const char *capability);

enum client_tls { CLIENT_TLS_IMPLICIT, CLIENT_TLS_STARTTLS, CLIENT_TLS_NONE };

/* Who wants in, and where. */
struct client_login {
	const char *host;
	uint16_t port;
	enum client_tls tls;
	const char *authorities; /* NULL: as of the system */
	const char *user;
	const char *master; /* whose password it is, if he may be everybody; or NULL */
	const char *password;
};

/* Connects, begins TLS, and logs in. The client is to be freed also when that fails. */
int client_login(struct client *client, const struct client_login *login, struct ph_error *error);
void client_logout(struct client *client);

#endif
