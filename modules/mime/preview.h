#ifndef MIME_PREVIEW_H
#define MIME_PREVIEW_H

#include <posthorn/mime.h>

/* The preview of a message while it is parsed: the beginning of the part it may be made from. */
struct preview {
	const struct ph_mime_part *part; /* being gathered, or NULL */
	bool is_taking;
	struct ph_buf bytes;
	struct ph_str text; /* made */
};

void preview_init(struct preview *preview);
void preview_free(struct preview *preview);
/* The body of a leaf begins. */
void preview_begin(struct preview *preview, const struct ph_mime_part *part);
void preview_gather(struct preview *preview, const char *bytes, size_t length);
/* A part has ended, and its size is known. */
void preview_end(struct preview *preview, const struct ph_mime_part *part, struct ph_pool *pool);

static inline void preview_take(struct preview *preview, const char *bytes, size_t length)
{
	if (preview->is_taking)
		preview_gather(preview, bytes, length);
}

#endif
