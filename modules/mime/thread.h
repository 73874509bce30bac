#ifndef MIME_THREAD_H
#define MIME_THREAD_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
size_t thread_ids(const struct ph_mime_message *message, size_t max, struct ph_pool *pool,
	struct ph_str *own_r, const struct ph_str **references_r);

#endif
