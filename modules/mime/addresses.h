#ifndef MIME_ADDRESSES_H
#define MIME_ADDRESSES_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
size_t addresses_parse(
	struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_mime_address **addresses_r);

#endif
