#ifndef MIME_BINARY_H
#define MIME_BINARY_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
int binary_find(const struct ph_mime_message *message, struct ph_str name, struct ph_mime_binary *binary_r);
int binary_size(const struct ph_mime_binary *binary, const struct ph_mime_source *source, uint64_t *size_r,
	bool *has_nul_r);
int binary_write(const struct ph_mime_binary *binary, const struct ph_mime_source *source, uint64_t offset,
	uint64_t count, const struct ph_mime_sink *sink);

#endif
