/* TLS, with OpenSSL.
 *
 * One context for the default certificate, and one for each name in the certificate directory, chosen by the
 * name that the client asks for. A context makes its ticket keys when it is created, which is before the
 * workers are forked: so all of them can resume a session, and none keeps a cache. Buffers are given back
 * while a connection is idle. */
#include <config.h>

#include "layer_tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <posthorn/map.h>
#include <posthorn/mem.h>

enum { LONGEST_WRITE = 64 * 1024, MOST_NAMES = 100000 };

static const char *const versions[] = { "1.2", "1.3", NULL };

const struct ph_option tls_options[] = {
	PH_OPTION_PATH(struct tls_config, certificate, "",
		"The server's certificate with its chain (PEM); without it, TLS is not offered."),
	PH_OPTION_PATH(struct tls_config, key, "",
		"The certificate's private key (PEM), readable by the server's start-up user; when empty, it "
		"is in the "
		"certificate's file."),
	PH_OPTION_PATH(struct tls_config, directory, "",
		"A folder with further certificates, NAME.crt (or NAME.pem) and NAME.key, for clients that "
		"ask for the "
		"host NAME."),
	PH_OPTION_CHOICE(
		struct tls_config, minimum_version, "1.2", versions, "The oldest TLS version accepted."),
	PH_OPTION_TIME(struct tls_config, handshake_timeout, "30s", 1000, 600000,
		"How long a TLS handshake may take."),
	PH_OPTIONS_END
};

struct contexts {
	SSL_CTX *fallback;
	struct ph_map *by_name; /* SSL_CTX * */
};

static struct contexts current;
static ph_msec handshake_timeout = 30000;

struct layer_tls {
	struct layer layer;
	SSL *ssl;
	const char *alpn;
	bool broken; /* nothing may be sent any more, not even the closing alert */
};

static struct layer_tls *tls_of(struct layer *layer)
{
	return (struct layer_tls *)layer;
}

/* --- Contexts --- */

static const char *openssl_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	ERR_clear_error();
	return reason ? reason : "unknown error";
}

/* A key behind a passphrase cannot be used: nobody is there to type it. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
	(void)alert, (void)arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	char lower[256];
	size_t len = 0;
	if (!name || !current.by_name)
		return SSL_TLSEXT_ERR_NOACK;
	for (; name[len] && len < sizeof(lower); len++)
		lower[len] = ph_lower(name[len]);
	SSL_CTX *context = ph_map_get(current.by_name, (struct ph_str){ lower, len });
	if (context)
		SSL_set_SSL_CTX(ssl, context);
	return SSL_TLSEXT_ERR_OK;
}

/* A client that offers protocols and not ours means somebody else: such a connection may be an attack across
 * protocols, and is refused (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *offered, unsigned offered_len, void *arg)
{
	(void)arg;
	const struct layer_tls *tls = SSL_get_app_data(ssl);
	if (!tls->alpn)
		return SSL_TLSEXT_ERR_NOACK;
	struct ph_str wanted = ph_str(tls->alpn);
	for (unsigned i = 0; i < offered_len; i += 1u + offered[i]) {
		struct ph_str name =
			ph_str_slice(ph_str_of(offered, offered_len), i + 1u, i + 1u + offered[i]);
		if (!ph_str_eq(name, wanted))
			continue;
		*out = offered + i + 1;
		*out_len = offered[i];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *context_new(int minimum_version)
{
	static const unsigned char session_context[] = "posthorn";
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	PH_ASSERT(context);
	SSL_CTX_set_min_proto_version(
		context, minimum_version == TLS_MINIMUM_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(
		context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
	SSL_CTX_set_dh_auto(context, 1);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return context;
}

static SSL_CTX *context_load(
	const char *certificate, const char *key, int minimum_version, struct ph_error *error)
{
	SSL_CTX *context = context_new(minimum_version);
	const char *client = "cannot use a TLS certificate or key";
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
		ph_error_set(error, PH_E_INVALID, client, "cannot read the certificate %s: %s", certificate,
			openssl_reason());
		goto failed;
	}
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		ph_error_set(error, PH_E_INVALID, client, "cannot use the key %s with the certificate %s: %s",
			key, certificate, openssl_reason());
		goto failed;
	}
	return context;
failed:
	SSL_CTX_free(context);
	return NULL;
}

static void contexts_free(struct contexts *contexts)
{
	SSL_CTX_free(contexts->fallback);
	if (contexts->by_name) {
		struct ph_str name;
		void *context;
		for (size_t cursor = 0; ph_map_next(contexts->by_name, &cursor, &name, &context);)
			SSL_CTX_free(context);
		ph_map_free(&contexts->by_name);
	}
	contexts->fallback = NULL;
}

/* NAME.crt or NAME.pem: loads it with NAME.key. */
static int load_named(
	const struct tls_config *config, const char *file, struct ph_map *by_name, struct ph_error *error)
{
	struct ph_str name = ph_str(file);
	if (!ph_str_ends(name, PH_STR(".crt")) && !ph_str_ends(name, PH_STR(".pem")))
		return PH_OK;
	name.len -= 4;
	char certificate[4096], key[4096], lower[256];
	if (name.len >= sizeof(lower))
		return ph_error_set(error, PH_E_INVALID, "a certificate's file name is too long", NULL);
	int len = snprintf(certificate, sizeof(certificate), "%s/%s", config->directory, file);
	int key_len = snprintf(key, sizeof(key), "%s/%.*s.key", config->directory, PH_STR_ARGS(name));
	if (len >= (int)sizeof(certificate) || key_len >= (int)sizeof(key))
		return ph_error_set(error, PH_E_INVALID, "a certificate's path is too long", NULL);
	SSL_CTX *context = context_load(
		certificate, access(key, F_OK) == 0 ? key : certificate, config->minimum_version, error);
	if (!context)
		return PH_E_INVALID;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = ph_lower(name.data[i]);
	SSL_CTX_free(ph_map_put(by_name, (struct ph_str){ lower, name.len }, context));
	return PH_OK;
}

static int load_directory(const struct tls_config *config, struct ph_map *by_name, struct ph_error *error)
{
	DIR *directory = opendir(config->directory);
	if (!directory)
		return ph_error_set(error, PH_E_INVALID, "cannot read the certificate directory",
			"cannot read %s: %s", config->directory, strerror(errno));
	int result = PH_OK;
	struct dirent *entry;
	while (result == PH_OK && (entry = readdir(directory)) != NULL) {
		if (ph_map_count(by_name) >= MOST_NAMES)
			result = ph_error_set(error, PH_E_LIMIT, "too many certificates", NULL);
		else
			result = load_named(config, entry->d_name, by_name, error);
	}
	closedir(directory);
	return result;
}

static int load_contexts(const struct tls_config *config, struct contexts *contexts, struct ph_error *error)
{
	const char *key = config->key[0] ? config->key : config->certificate;
	contexts->fallback = context_load(config->certificate, key, config->minimum_version, error);
	if (!contexts->fallback)
		return PH_E_INVALID;
	if (!config->directory[0])
		return PH_OK;
	contexts->by_name = ph_map_new();
	return load_directory(config, contexts->by_name, error);
}

int tls_load(const struct tls_config *config, struct ph_error *error)
{
	struct contexts fresh = { 0 };
	if (!config->certificate[0] && (config->key[0] || config->directory[0]))
		return ph_error_set(error, PH_E_INVALID,
			"tls.certificate is missing: it is the one for all other names", NULL);
	if (config->certificate[0]) {
		int result = load_contexts(config, &fresh, error);
		if (result < 0) {
			contexts_free(&fresh);
			return result;
		}
	}
	contexts_free(&current);
	current = fresh;
	handshake_timeout = config->handshake_timeout;
	return PH_OK;
}

void tls_unload(void)
{
	contexts_free(&current);
}

bool tls_available(void)
{
	return current.fallback != NULL;
}

ph_msec tls_handshake_timeout(void)
{
	return handshake_timeout;
}

/* --- Whom clients trust --- */

struct ph_trust {
	SSL_CTX *context;
};

struct ph_trust *ph_trust_new(const char *file, struct ph_error *error)
{
	struct ph_trust *trust = ph_alloc(sizeof(*trust));
	trust->context = SSL_CTX_new(TLS_client_method());
	PH_ASSERT(trust->context);
	SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION);
	SSL_CTX_set_options(trust->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(trust->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
						 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(trust->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
	/* So that the file may hold the server's own certificate. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(trust->context), X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
	int result = file ? SSL_CTX_load_verify_file(trust->context, file)
			  : SSL_CTX_set_default_verify_paths(trust->context);
	if (result == 1)
		return trust;
	ph_error_set(error, PH_E_INVALID, "cannot read the trusted certificates",
		"cannot read the trusted certificates%s%s: %s", file ? " in " : "", file ? file : "",
		openssl_reason());
	ph_trust_free(&trust);
	return NULL;
}

void ph_trust_free(struct ph_trust **trust)
{
	if (!*trust)
		return;
	SSL_CTX_free((*trust)->context);
	free(*trust);
	*trust = NULL;
}

/* --- The layer --- */

/* What a failed call means: a wish, or the end. */
static int failure(struct layer_tls *tls, int returned)
{
	switch (SSL_get_error(tls->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		return LAYER_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return LAYER_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		tls->broken = true;
		return PH_E_CLOSED;
	default:
		tls->broken = true;
		return PH_E_INVALID;
	}
}

static ssize_t tls_read(struct layer *layer, char *data, size_t len)
{
	struct layer_tls *tls = tls_of(layer);
	size_t got;
	ERR_clear_error();
	int returned = SSL_read_ex(tls->ssl, data, len, &got);
	if (returned == 1)
		return (ssize_t)got;
	int result = failure(tls, returned);
	return result == PH_E_INVALID ? PH_E_CLOSED : result;
}

/* The library takes one stretch at a time. */
static ssize_t tls_write(struct layer *layer, const struct iovec *parts, int count)
{
	struct layer_tls *tls = tls_of(layer);
	while (count > 1 && parts->iov_len == 0) {
		parts++;
		count--;
	}
	size_t len = parts->iov_len < LONGEST_WRITE ? parts->iov_len : LONGEST_WRITE, sent;
	if (tls->broken)
		return PH_E_CLOSED;
	ERR_clear_error();
	int returned = SSL_write_ex(tls->ssl, parts->iov_base, len, &sent);
	if (returned == 1)
		return (ssize_t)sent;
	int result = failure(tls, returned);
	return result == LAYER_WANTS_READ || result == LAYER_WANTS_WRITE ? result : PH_E_CLOSED;
}

static bool tls_pending(const struct layer *layer)
{
	return SSL_pending(((const struct layer_tls *)layer)->ssl) > 0;
}

static void tls_shutdown(struct layer *layer)
{
	struct layer_tls *tls = tls_of(layer);
	ERR_clear_error();
	if (!tls->broken && SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
	ERR_clear_error();
	layer->next->type->shutdown(layer->next);
}

static void tls_free(struct layer *layer)
{
	SSL_free(tls_of(layer)->ssl);
	free(layer);
}

static const struct layer_type tls_type = {
	.name = "tls",
	.read = tls_read,
	.write = tls_write,
	.pending = tls_pending,
	.shutdown = tls_shutdown,
	.free = tls_free,
};

struct layer *layer_tls_new(struct layer_tcp *tcp, const char *alpn)
{
	if (!current.fallback)
		return NULL;
	struct layer_tls *tls = ph_alloc(sizeof(*tls));
	tls->layer = (struct layer){ .type = &tls_type, .next = &tcp->layer };
	tls->alpn = alpn;
	tls->ssl = SSL_new(current.fallback);
	PH_ASSERT(tls->ssl);
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_fd(tls->ssl, tcp->fd);
	SSL_set_accept_state(tls->ssl);
	return &tls->layer;
}

static bool is_numeric(const char *host)
{
	unsigned char address[16];
	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

struct layer *layer_tls_client_new(struct layer_tcp *tcp, const struct ph_trust *trust, const char *host)
{
	struct layer_tls *tls = ph_alloc(sizeof(*tls));
	X509_VERIFY_PARAM *expected;
	int result;
	tls->layer = (struct layer){ .type = &tls_type, .next = &tcp->layer };
	tls->ssl = SSL_new(trust->context);
	PH_ASSERT(tls->ssl);
	expected = SSL_get0_param(tls->ssl);
	if (is_numeric(host)) {
		result = X509_VERIFY_PARAM_set1_ip_asc(expected, host);
	} else {
		X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		result = host[0] && X509_VERIFY_PARAM_set1_host(expected, host, strlen(host)) &&
			 SSL_set_tlsext_host_name(tls->ssl, host);
	}
	/* A name that cannot be expected must not end in expecting none. */
	tls->broken = result != 1;
	SSL_set_fd(tls->ssl, tcp->fd);
	SSL_set_connect_state(tls->ssl);
	return &tls->layer;
}

int layer_tls_handshake(struct layer *layer, struct ph_error *error)
{
	struct layer_tls *tls = tls_of(layer);
	if (tls->broken)
		return ph_error_set(error, PH_E_INVALID, "no certificate can be for such a host", NULL);
	ERR_clear_error();
	int returned = SSL_do_handshake(tls->ssl);
	if (returned == 1)
		return PH_OK;
	int result = failure(tls, returned);
	if (result == LAYER_WANTS_READ || result == LAYER_WANTS_WRITE)
		return result;
	tls->broken = true;
	if (result != PH_E_INVALID)
		return ph_error_set(error, PH_E_CLOSED, "the peer closed the connection", NULL);
	if (!SSL_is_server(tls->ssl) && SSL_get_verify_result(tls->ssl) != X509_V_OK)
		return ph_error_set(error, PH_E_DENIED, "the server's certificate is not trusted",
			"the server's certificate is not trusted: %s",
			X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl)));
	return ph_error_set(error, PH_E_INVALID, "TLS handshake failed", "%s", openssl_reason());
}

const char *layer_tls_version(const struct layer *layer)
{
	return SSL_get_version(((const struct layer_tls *)layer)->ssl);
}

const char *layer_tls_cipher(const struct layer *layer)
{
	const char *name = SSL_get_cipher_name(((const struct layer_tls *)layer)->ssl);
	return name ? name : "";
}

const char *layer_tls_server_name(const struct layer *layer)
{
	const char *name =
		SSL_get_servername(((const struct layer_tls *)layer)->ssl, TLSEXT_NAMETYPE_host_name);
	return name ? name : "";
}
