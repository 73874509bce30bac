#ifndef MIME_BASE64_H
#define MIME_BASE64_H

#include <posthorn/mime.h>

/* Decodes a piece of base64 to `out`, where piece.len + decoder->held_count + 4 bytes have room. Returns the
 * end of what it wrote; behind that, the room may hold anything. */
unsigned char *base64_decode(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out);
/* Writes what an unfinished group holds: at most 2 bytes. */
unsigned char *base64_finish(struct ph_mime_decoder *decoder, unsigned char *out);

#endif
