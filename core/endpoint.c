/* Addresses of sockets, to and from text. */
#include <config.h>

#include "endpoint.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* The address' bytes and family, an IPv4-mapped one as IPv4. NULL for others than IP. */
static const unsigned char *ip_bytes(const struct sockaddr *address, int *family_r)
{
	*family_r = address->sa_family;
	if (address->sa_family == AF_INET)
		return (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
	if (address->sa_family != AF_INET6)
		return NULL;
	const struct in6_addr *ip = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(ip))
		return ip->s6_addr;
	*family_r = AF_INET;
	return ip->s6_addr + 12;
}

void endpoint_from_bytes(int family, const void *address, uint16_t port, struct endpoint *endpoint_r)
{
	if (!inet_ntop(family, address, endpoint_r->ip, sizeof(endpoint_r->ip)))
		endpoint_r->ip[0] = '\0';
	endpoint_r->port = port;
}

void endpoint_from_sockaddr(const struct sockaddr *address, struct endpoint *endpoint_r)
{
	int family;
	const unsigned char *bytes = ip_bytes(address, &family);
	*endpoint_r = (struct endpoint){ .port = 0 };
	if (!bytes)
		return;
	in_port_t port = address->sa_family == AF_INET
				 ? ((const struct sockaddr_in *)(const void *)address)->sin_port
				 : ((const struct sockaddr_in6 *)(const void *)address)->sin6_port;
	endpoint_from_bytes(family, bytes, ntohs(port), endpoint_r);
}

/* inet_pton() wants a NUL. */
static bool parse_ip(int family, struct ph_str text, void *bytes_r)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, bytes_r) == 1;
}

static int parse_unix(struct ph_str path, struct listen_address *address_r, struct ph_error *error)
{
	struct sockaddr_un *name = (struct sockaddr_un *)(void *)&address_r->storage;
	if (path.len == 0 || path.data[0] != '/')
		return ph_error_set(error, PH_E_INVALID, "a Unix socket's path must begin with /", NULL);
	if (path.len >= sizeof(name->sun_path))
		return ph_error_set(
			error, PH_E_INVALID, "a Unix socket's path is at most 107 bytes long", NULL);
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, path.data, path.len);
	address_r->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
	return PH_OK;
}

static void set_ipv6(struct listen_address *address, const struct in6_addr *ip, uint16_t port)
{
	struct sockaddr_in6 *name = (struct sockaddr_in6 *)(void *)&address->storage;
	name->sin6_family = AF_INET6;
	name->sin6_addr = *ip;
	name->sin6_port = htons(port);
	address->len = sizeof(*name);
}

static void set_ipv4(struct listen_address *address, const struct in_addr *ip, uint16_t port)
{
	struct sockaddr_in *name = (struct sockaddr_in *)(void *)&address->storage;
	name->sin_family = AF_INET;
	name->sin_addr = *ip;
	name->sin_port = htons(port);
	address->len = sizeof(*name);
}

static bool parse_host(struct ph_str host, uint16_t port, struct listen_address *address_r)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;
	bool bracketed = ph_str_starts(host, PH_STR("[")) && ph_str_ends(host, PH_STR("]"));
	if (bracketed && parse_ip(AF_INET6, ph_str_slice(host, 1, host.len - 1), &ipv6)) {
		set_ipv6(address_r, &ipv6, port);
		return true;
	}
	if (!parse_ip(AF_INET, host, &ipv4))
		return false;
	set_ipv4(address_r, &ipv4, port);
	return true;
}

int listen_address_parse(struct ph_str text, struct listen_address *address_r, struct ph_error *error)
{
	*address_r = (struct listen_address){ .len = 0 };
	if (ph_str_starts(text, PH_STR("unix:")))
		return parse_unix(ph_str_slice(text, 5, text.len), address_r, error);
	ptrdiff_t colon = ph_str_rfind(text, ':');
	struct ph_str port_text = ph_str_slice(text, colon < 0 ? 0 : (size_t)colon + 1, text.len);
	uint64_t port;
	if (!ph_str_number(port_text, 65535, &port))
		return ph_error_set(error, PH_E_INVALID,
			"an address is written IP:PORT, [IPv6]:PORT, PORT or unix:/PATH", NULL);
	if (colon < 0) {
		address_r->every = true;
		set_ipv6(address_r, &in6addr_any, (uint16_t)port);
		return PH_OK;
	}
	if (!parse_host(ph_str_slice(text, 0, (size_t)colon), (uint16_t)port, address_r))
		return ph_error_set(error, PH_E_INVALID, "not a numeric IP address",
			"not a numeric IP address: %.*s", PH_STR_ARGS(text));
	return PH_OK;
}

int network_parse(struct ph_str text, struct network *network_r, struct ph_error *error)
{
	*network_r = (struct network){ .family = AF_INET };
	ptrdiff_t slash = ph_str_find(text, '/');
	struct ph_str ip = ph_str_slice(text, 0, slash < 0 ? text.len : (size_t)slash);
	bool good = parse_ip(AF_INET, ip, network_r->bytes);
	if (!good) {
		network_r->family = AF_INET6;
		good = parse_ip(AF_INET6, ip, network_r->bytes);
	}
	uint64_t bits = network_r->family == AF_INET ? 32 : 128;
	if (slash >= 0)
		good = good && ph_str_number(ph_str_slice(text, (size_t)slash + 1, text.len), bits, &bits);
	network_r->bits = (unsigned)bits;
	if (!good)
		return ph_error_set(error, PH_E_INVALID, "not an IP network",
			"not an IP network such as 192.0.2.0/24: %.*s", PH_STR_ARGS(text));
	return PH_OK;
}

bool network_has(const struct network *network, const struct sockaddr *address)
{
	int family;
	const unsigned char *bytes = ip_bytes(address, &family);
	if (!bytes || family != network->family)
		return false;
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	if (memcmp(bytes, network->bytes, whole) != 0)
		return false;
	unsigned char mask = (unsigned char)(0xff00u >> rest);
	return rest == 0 || ((bytes[whole] ^ network->bytes[whole]) & mask) == 0;
}
