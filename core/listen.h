/* Listeners: where connections come in, and what is true of all connections that came in there.
 *
 * The master binds, so that low ports need no rights in the workers; each worker accepts for itself. */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/conf.h>
#include <posthorn/conn.h>
#include <posthorn/error.h>

enum listener_tls { LISTENER_TLS_NONE, LISTENER_TLS_STARTTLS, LISTENER_TLS_IMPLICIT };

struct listener_config {
	const char *name;
	const char *protocol;
	const char *address; /* "127.0.0.1:2025", "[::1]:25", "25" (all addresses), "unix:/path" */
	int tls;             /* enum listener_tls */
	bool proxy;
	struct ph_text_list proxy_from;
	bool plaintext_login;
	bool optional;
	bool left_out; /* no option: another program has the address */
	ph_msec idle_timeout;
	ph_msec write_timeout;
	int64_t max_connections;
	int64_t max_connections_per_ip;
	/* Not read from the file: found by `protocol` when the modules are loaded. */
	const struct ph_protocol *speaks;
	void *protocol_options; /* what speaks->listener_options fill */
};

/* The core's own keys of one listener. */
extern const struct ph_option listener_options[];

/* What the option tables cannot say: is the address well formed, and the PROXY networks? For `check` too. */
int listener_validate(const struct listener_config *config, struct ph_error *error);
/* In the master: a descriptor that listens, or a negative code: PH_E_BUSY when the address is in use. */
int listener_bind(const struct listener_config *config, struct ph_error *error);
/* In a worker: accepts from now on. The config must stay valid until all its connections are closed. */
void listener_start(const struct listener_config *config, int fd);
/* Accepts no more; connections go on. Closes the descriptors. */
void listener_stop_all(void);
/* In a worker, when no connection is left: frees what the listeners held. */
void listener_free_all(void);

/* Connections of this worker that are open. */
unsigned conn_count(void);
/* Ends them all politely: those without a turn now, others after their turn. */
void conn_goodbye_all(void);
/* The number of this worker, for session ids; before listener_start(). */
void conn_set_worker(unsigned number);

#endif
