/* Addresses of sockets: as text in the configuration, as numbers for the kernel, and as text again in logs.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

/* One end of a connection. A Unix socket has neither: empty and 0. */
struct endpoint {
	char ip[INET6_ADDRSTRLEN];
	uint16_t port;
};

/* An IPv4 address that comes in IPv6 clothes is shown as what it is. */
void endpoint_from_sockaddr(const struct sockaddr *address, struct endpoint *endpoint_r);
void endpoint_from_bytes(int family, const void *address, uint16_t port, struct endpoint *endpoint_r);

struct listen_address {
	struct sockaddr_storage storage;
	socklen_t len;
	bool every; /* only a port was given: all addresses, of both families */
};

/* "127.0.0.1:25", "[::1]:25", "25", "unix:/path". */
int listen_address_parse(struct ph_str text, struct listen_address *address_r, struct ph_error *error);

/* A network such as 192.0.2.0/24 or 2001:db8::/32; a single address without the slash. */
struct network {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

int network_parse(struct ph_str text, struct network *network_r, struct ph_error *error);
bool network_has(const struct network *network, const struct sockaddr *address);

#endif
