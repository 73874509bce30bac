#ifndef MIME_SUMMARY_H
#define MIME_SUMMARY_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
void summary_encode(const struct ph_mime_message *message, struct ph_buf *buf);
int summary_view(struct ph_str bytes, struct ph_mime_message *message_r);
int summary_decode(struct ph_str bytes, struct ph_pool *pool, struct ph_mime_message *message_r);

#endif
