#ifndef MIME_SOURCE_H
#define MIME_SOURCE_H

#include <posthorn/mime.h>

/* Copies a range of a message to a sink, in pieces of bounded size. 0 at its end, or when the sink has
 * enough; or what either failed with. */
int source_copy(
	const struct ph_mime_source *source, uint64_t offset, uint64_t size, const struct ph_mime_sink *sink);

#endif
