#ifndef MIME_LIST_FIELD_H
#define MIME_LIST_FIELD_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
struct ph_str list_id(struct ph_str value, struct ph_pool *pool);
size_t list_urls(struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_str **urls_r);

#endif
