#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
bool header_next(struct ph_str *header, struct ph_mime_field *field_r);
bool header_find(struct ph_str *header, const char *name, struct ph_mime_field *field_r);
void header_filter(
	struct ph_str header, const struct ph_str *names, size_t count, bool except, struct ph_buf *buf);
struct ph_str header_unfold(struct ph_str value, struct ph_pool *pool);
struct ph_str header_decode(struct ph_str value, struct ph_pool *pool);
struct ph_str message_ids(struct ph_str value, struct ph_pool *pool);

#endif
