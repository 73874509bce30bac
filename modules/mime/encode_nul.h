#ifndef MIME_ENCODE_NUL_H
#define MIME_ENCODE_NUL_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
int encode_nul(const struct ph_mime_message *message, const struct ph_mime_source *source,
	const struct ph_mime_sink *sink);

#endif
