/* The service "address/1": mail addresses as they stand in an SMTP envelope, and names of hosts (RFC
 * 5321, 4.1.2). Pure: no input or output, nothing parks. */
#ifndef POSTHORN_ADDRESS_H
#define POSTHORN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/mem.h>
#include <posthorn/str.h>

#define PH_ADDRESS_LOCAL_MAX 64
#define PH_ADDRESS_DOMAIN_MAX 255

struct ph_address {
	struct ph_str local; /* unquoted, its case kept; empty only in the null path */
	struct ph_str
		domain; /* lower case; "[192.0.2.1]", "[IPv6:2001:db8::1]"; empty in <> and <postmaster> */
};

enum {
	PH_ADDRESS_UTF8 = 1 << 0,       /* beyond ASCII is allowed (RFC 6531) */
	PH_ADDRESS_NULL = 1 << 1,       /* the null path <> is allowed */
	PH_ADDRESS_POSTMASTER = 1 << 2, /* <postmaster> without a domain is allowed */
};

static inline bool ph_address_is_null(const struct ph_address *address)
{
	return address->local.len == 0;
}

struct ph_address_service {
	/* Takes a path, "<" [route ":"] mailbox ">", off the front of *rest; a source route is checked and
	 * ignored. Text is copied to `pool`. PH_E_INVALID: not a path; PH_E_LIMIT: a part is too long, or the
	 * pool full. *rest stays as it was on errors. */
	int (*parse_path)(
		struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_address *address_r);
	/* The whole of `text` as a mailbox: local-part@domain. Errors as above. */
	int (*parse)(struct ph_str text, unsigned flags, struct ph_pool *pool, struct ph_address *address_r);
	/* local@domain, the local part in quotes when it needs them; no angle brackets; empty for the null
	 * path. */
	struct ph_str (*format)(const struct ph_address *address, struct ph_pool *pool);
	/* What accounts are found by: local@domain in lower case (ASCII), unquoted. */
	struct ph_str (*key)(const struct ph_address *address, struct ph_pool *pool);
	/* The same mailbox? Letters A to Z compare without case in both parts. */
	bool (*equal)(const struct ph_address *a, const struct ph_address *b);
	/* Splits a local part at the first of the `separators` behind its first character: "user+detail".
	 * Without one, `detail_r` is { NULL, 0 }. Both are views into `local`. */
	void (*split)(struct ph_str local, struct ph_str separators, struct ph_str *user_r,
		struct ph_str *detail_r);
	/* A domain: labels of letters, digits and inner hyphens (RFC 5321), with PH_ADDRESS_UTF8 also UTF-8.
	 */
	bool (*is_domain)(struct ph_str text, unsigned flags);
	/* An address literal in brackets: IPv4, or "IPv6:" and an IPv6 address. */
	bool (*is_literal)(struct ph_str text);
};

#endif
