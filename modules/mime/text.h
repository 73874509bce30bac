#ifndef MIME_TEXT_H
#define MIME_TEXT_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
struct ph_mime_text *text_new(const struct ph_mime_part *part);
bool text_feed(struct ph_mime_text *text, struct ph_str piece, struct ph_buf *buf);
bool text_finish(struct ph_mime_text *text, struct ph_buf *buf);
void text_free(struct ph_mime_text **text);

#endif
