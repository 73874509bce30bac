/* Listeners: binding in the master, accepting in the workers, and the bounds on how many may come in. */
#include <config.h>

#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "conn_struct.h"

/* PAUSE (ms): how long nothing is accepted when descriptors or memory run out. MOST_KEPT: the most
 * descriptors that are kept from connections, for the files of those that are there. */
enum { ACCEPTS_AT_A_STRETCH = 64, PAUSE = 250, MOST_KEPT = 512 };

static const char *const tls_choices[] = { "none", "starttls", "implicit", NULL };

const struct ph_option listener_options[] = { PH_OPTION_TEXT(struct listener_config, name, "", 64,
						      "What logs and policies call this listener."),
	PH_OPTION_TEXT(struct listener_config, protocol, NULL, 64, "The protocol spoken here."),
	PH_OPTION_TEXT(struct listener_config, address, NULL, 128,
		"Where to listen: \"IP:PORT\", \"[IPv6]:PORT\", \"PORT\" (all addresses) or \"unix:/PATH\"."),
	PH_OPTION_CHOICE(struct listener_config, tls, "none", tls_choices,
		"Whether TLS can be switched on (starttls) or comes first (implicit)."),
	PH_OPTION_BOOL(struct listener_config, proxy, "false",
		"Every connection begins with a PROXY header (version 1 or 2) from a balancer."),
	PH_OPTION_LIST(struct listener_config, proxy_from, "{}", 64,
		"Addresses and networks of the balancers; others are refused. Unix sockets need none."),
	PH_OPTION_BOOL(struct listener_config, plaintext_login, "false",
		"Passwords may be sent without encryption. Only for networks that nobody else hears."),
	PH_OPTION_BOOL(struct listener_config, optional, "false",
		"Serve without this listener when another program has its address."),
	PH_OPTION_TIME(struct listener_config, idle_timeout, "10m", 1000, 86400000,
		"How long a client may say nothing; a protocol may allow more once it knows who it is."),
	PH_OPTION_TIME(struct listener_config, write_timeout, "5m", 1000, 86400000,
		"How long a client may take to read the next 16 KB."),
	PH_OPTION_NUMBER(struct listener_config, max_connections, "20000", 0, 10000000,
		"Connections at a time, in each worker; 0 for no bound."),
	PH_OPTION_NUMBER(struct listener_config, max_connections_per_ip, "250", 0, 10000000,
		"Connections at a time from one IPv4 address or one IPv6 /64 network, in each worker; 0 for "
		"no bound."),
	PH_OPTIONS_END };

static struct ph_list listeners = { &listeners, &listeners };

/* --- Metrics, one set for each protocol --- */

struct protocol_metrics {
	struct protocol_metrics *next;
	struct listener_metrics metrics;
	char labels[96];
};

/* Names are given once and stay as long as the process. */
static const struct listener_metrics *metrics_of(const char *protocol)
{
	static struct protocol_metrics *all;
	char labels[sizeof(all->labels)];
	snprintf(labels, sizeof(labels), "protocol=\"%s\"", protocol);
	for (struct protocol_metrics *known = all; known; known = known->next)
		if (strcmp(known->labels, labels) == 0)
			return &known->metrics;
	struct protocol_metrics *fresh = ph_alloc(sizeof(*fresh));
	memcpy(fresh->labels, labels, sizeof(labels));
	fresh->metrics = (struct listener_metrics){
		.open = ph_metric_gauge("posthorn_connections", fresh->labels, "Connections that are open."),
		.accepted = ph_metric_counter(
			"posthorn_connections_accepted_total", fresh->labels, "Connections that came in."),
		.refused = ph_metric_counter("posthorn_connections_refused_total", fresh->labels,
			"Connections that were refused: too many, by policy, or without a proper PROXY "
			"header."),
		.handshakes = ph_metric_counter(
			"posthorn_tls_handshakes_total", fresh->labels, "TLS handshakes that succeeded."),
		.failed_handshakes = ph_metric_counter(
			"posthorn_tls_handshakes_failed_total", fresh->labels, "TLS handshakes that failed."),
	};
	fresh->next = all;
	all = fresh;
	return &fresh->metrics;
}

/* --- Binding --- */

int listener_validate(const struct listener_config *config, struct ph_error *error)
{
	struct listen_address address;
	struct network network;
	int result = listen_address_parse(ph_str(config->address), &address, error);
	for (size_t i = 0; i < config->proxy_from.count && result == PH_OK; i++)
		result = network_parse(ph_str(config->proxy_from.items[i]), &network, error);
	if (result == PH_OK && config->proxy && config->proxy_from.count == 0 &&
		address.storage.ss_family != AF_UNIX)
		result = ph_error_set(
			error, PH_E_INVALID, "proxy = true needs proxy_from: who may send the header", NULL);
	return result;
}

/* A socket that a former process left behind is in the way; one that answers is in use. */
static void remove_stale_socket(const struct listen_address *address)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)(const void *)&address->storage;
	struct stat status;
	if (lstat(name->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address->storage, address->len) != 0 &&
		errno == ECONNREFUSED)
		unlink(name->sun_path);
	close(fd);
}

static int open_socket(const struct listen_address *address)
{
	const int on = 1, off = 0;
	int family = address->storage.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, address->every ? &off : &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->storage, address->len) == 0 &&
		listen(fd, SOMAXCONN) == 0)
		return fd;
	int reason = errno;
	close(fd);
	errno = reason;
	return -1;
}

/* All addresses, on a host without IPv6. */
static int open_ipv4_socket(const struct listen_address *every)
{
	const struct sockaddr_in6 *name = (const struct sockaddr_in6 *)(const void *)&every->storage;
	struct listen_address address = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&address.storage;
	ipv4->sin_family = AF_INET;
	ipv4->sin_port = name->sin6_port;
	return open_socket(&address);
}

int listener_bind(const struct listener_config *config, struct ph_error *error)
{
	struct listen_address address;
	int result = listen_address_parse(ph_str(config->address), &address, error);
	if (result < 0)
		return result;
	if (address.storage.ss_family == AF_UNIX)
		remove_stale_socket(&address);
	int fd = open_socket(&address);
	if (fd < 0 && address.every && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = open_ipv4_socket(&address);
	if (fd < 0)
		return ph_error_set(error, errno == EADDRINUSE ? PH_E_BUSY : PH_E_IO, "cannot listen",
			"cannot listen on %s: %s", config->address, strerror(errno));
	/* Who may connect is decided by the folder it lies in. */
	if (address.storage.ss_family == AF_UNIX)
		chmod(((const struct sockaddr_un *)(const void *)&address.storage)->sun_path, 0666);
	metrics_of(config->protocol);
	return fd;
}

/* --- Accepting --- */

static void accept_some(void *arg, int events);

static void watch(void *arg)
{
	struct listener *listener = arg;
	ph_io_start(&listener->io, listener->fd, PH_READABLE, accept_some, listener);
}

static void pause_accepting(struct listener *listener)
{
	if (!listener->paused_before)
		ph_log(PH_LOG_ERROR, "cannot accept connections, trying again",
			PH_LOG_TEXT("error", strerror(errno)),
			PH_LOG_TEXT("listener", listener->config->name));
	listener->paused_before = true;
	ph_io_stop(&listener->io);
	ph_timer_start(&listener->pause, PAUSE, watch, listener);
}

static void accept_some(void *arg, int events)
{
	struct listener *listener = arg;
	(void)events;
	for (int i = 0; i < ACCEPTS_AT_A_STRETCH; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			listener->paused_before = false;
			conn_open(listener, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(listener);
		return;
	}
}

static struct network *parse_networks(const struct ph_text_list *list)
{
	struct network *networks = ph_alloc_array(list->count, sizeof(*networks));
	for (size_t i = 0; i < list->count; i++)
		network_parse(ph_str(list->items[i]), &networks[i], NULL);
	return networks;
}

/* Whoever is connected already must still be able to store and read mail when others take all there is. */
static int descriptors_for_connections(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	rlim_t kept = limit.rlim_cur / 8 < MOST_KEPT ? limit.rlim_cur / 8 : MOST_KEPT;
	return (int)(limit.rlim_cur - kept);
}

void listener_start(const struct listener_config *config, int fd)
{
	struct listener *listener = ph_alloc(sizeof(*listener));
	listener->config = config;
	listener->fd = fd;
	listener->metrics = metrics_of(config->protocol);
	listener->descriptors_end = descriptors_for_connections();
	listener->open_by_ip = ph_map_new();
	listener->proxies = parse_networks(&config->proxy_from);
	ph_list_append(&listeners, &listener->link);
	watch(listener);
}

void listener_stop_all(void)
{
	PH_LIST_EACH (&listeners, link) {
		struct listener *listener = ph_container_of(link, struct listener, link);
		ph_io_stop(&listener->io);
		ph_timer_stop(&listener->pause);
		if (listener->fd >= 0)
			close(listener->fd);
		listener->fd = -1;
	}
}

void listener_free_all(void)
{
	PH_ASSERT(conn_count() == 0);
	listener_stop_all();
	PH_LIST_EACH (&listeners, link) {
		struct listener *listener = ph_container_of(link, struct listener, link);
		ph_list_remove(link);
		ph_map_free(&listener->open_by_ip);
		free(listener->proxies);
		free(listener);
	}
	conn_blocks_free();
}

bool listener_trusts(const struct listener *listener, const struct sockaddr *peer)
{
	if (peer->sa_family == AF_UNIX)
		return true;
	for (size_t i = 0; i < listener->config->proxy_from.count; i++)
		if (network_has(&listener->proxies[i], peer))
			return true;
	return false;
}

/* --- Counting by address --- */

/* Of an IPv6 address the first half: the rest is the client's own to choose. */
static struct ph_str counted_part(const char *ip, char half[8])
{
	unsigned char bytes[16];
	if (inet_pton(AF_INET6, ip, bytes) != 1)
		return ph_str(ip);
	memcpy(half, bytes, 8);
	return (struct ph_str){ half, 8 };
}

bool listener_count_ip(struct listener *listener, struct ph_conn *conn)
{
	char half[8];
	struct ph_str key = counted_part(conn->remote.ip, half);
	if (key.len == 0 || !listener->config->max_connections_per_ip)
		return true;
	int64_t *count = ph_map_get(listener->open_by_ip, key);
	if (!count) {
		count = ph_alloc(sizeof(*count));
		ph_map_put(listener->open_by_ip, key, count);
	}
	if (*count >= listener->config->max_connections_per_ip)
		return false;
	conn->counted_for_ip = true;
	++*count;
	return true;
}

void listener_forget(struct listener *listener, struct ph_conn *conn)
{
	char half[8];
	listener->open--;
	if (!conn->counted_for_ip)
		return;
	struct ph_str key = counted_part(conn->remote.ip, half);
	int64_t *count = ph_map_get(listener->open_by_ip, key);
	if (--*count == 0)
		free(ph_map_remove(listener->open_by_ip, key));
}
