/* TLS: the server's keys and certificates, whom its clients trust, and the layer that speaks it.
 *
 * Keys are loaded in the master before it forks (and gives up its rights), so that all workers also share the
 * keys of session tickets: a client resumes with whichever worker it meets. */
#ifndef CORE_LAYER_TLS_H
#define CORE_LAYER_TLS_H

#include <stdbool.h>

#include <posthorn/conf.h>
#include <posthorn/error.h>
#include <posthorn/stream.h>

#include "layer.h"

enum { TLS_MINIMUM_1_2, TLS_MINIMUM_1_3 };

struct tls_config {
	const char *certificate; /* PEM, with the chain; "" for none */
	const char *key;         /* PEM; "" when it is in the certificate's file */
	const char *directory; /* NAME.crt or NAME.pem, and NAME.key, for clients that ask for NAME; or "" */
	int minimum_version;
	ph_msec handshake_timeout;
};

extern const struct ph_option tls_options[];

/* Loads keys and certificates, replacing the former ones only when all is well. Without a certificate TLS is
 * not offered. */
int tls_load(const struct tls_config *config, struct ph_error *error);
void tls_unload(void);
/* Are there keys? */
bool tls_available(void);
/* How long a handshake may take. */
ph_msec tls_handshake_timeout(void);

/* Puts TLS over a TCP layer. `alpn` is the one protocol accepted if the client offers any, or NULL. NULL when
 * there are no keys. Owns the TCP layer from then on. */
struct layer *layer_tls_new(struct layer_tcp *tcp, const char *alpn);
/* The client's side of it: the server must show a certificate for `host`. */
struct layer *layer_tls_client_new(struct layer_tcp *tcp, const struct ph_trust *trust, const char *host);
/* One step of the handshake: 0 done, LAYER_WANTS_*, or PH_E_INVALID, PH_E_CLOSED, and for clients
 * PH_E_DENIED (the certificate), with the reason in *error. */
int layer_tls_handshake(struct layer *layer, struct ph_error *error);
const char *layer_tls_version(const struct layer *layer);
const char *layer_tls_cipher(const struct layer *layer);
/* The server name the client asked for, or empty. */
const char *layer_tls_server_name(const struct layer *layer);

/* Writes a new key (readable by its owner only) and a certificate for `hostname` and localhost, signed by
 * itself: for trying things out. */
int tls_make_self_signed(
	const char *certificate_path, const char *key_path, const char *hostname, struct ph_error *error);

#endif
