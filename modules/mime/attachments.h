#ifndef MIME_ATTACHMENTS_H
#define MIME_ATTACHMENTS_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
int attachments_list(const struct ph_mime_message *message, const struct ph_mime_source *source, int max,
	struct ph_pool *pool, const struct ph_mime_attachment **attachments_r);

#endif
