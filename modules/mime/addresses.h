#ifndef MIME_ADDRESSES_H
#define MIME_ADDRESSES_H

#include <posthorn/mime.h>

/* A longer domain literal is none; no domain name may have more (RFC 5321, 4.5.3.1.2). */
enum { ADDRESS_LITERAL_MAX = 255 };

struct address_list {
	const struct ph_mime_address *items;
	size_t count;
};

/* As in struct ph_mime_service. */
size_t addresses_parse(
	struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_mime_address **addresses_r);

#endif
