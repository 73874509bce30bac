#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
void decoder_init(struct ph_mime_decoder *decoder, enum ph_mime_encoding encoding);
bool decoder_feed(struct ph_mime_decoder *decoder, struct ph_str piece, struct ph_buf *buf);
bool decoder_finish(struct ph_mime_decoder *decoder, struct ph_buf *buf);

#endif
