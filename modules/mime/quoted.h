#ifndef MIME_QUOTED_H
#define MIME_QUOTED_H

#include <posthorn/mime.h>

/* 0 to 15, or -1. */
int hex_digit(unsigned char c);

/* Decodes a piece of quoted-printable to `out`, where piece.len + decoder->held_count + 4 bytes have room.
 * Returns the end of what it wrote; behind that, the room may hold anything. */
unsigned char *quoted_decode(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out);
/* Writes what an unfinished escape holds: at most 2 bytes. */
unsigned char *quoted_finish(struct ph_mime_decoder *decoder, unsigned char *out);

#endif
