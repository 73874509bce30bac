#ifndef MIME_ENCODE_H
#define MIME_ENCODE_H

#include <posthorn/buf.h>
#include <posthorn/mime.h>

/* The encoding in which a body is safe on every way: identity when it is so already. `among_others`: it will
 * stand between boundaries that are not known here, and must have no line like one. */
enum ph_mime_encoding encoding_choose(struct ph_str body, bool is_text, bool among_others);
/* Appends the body in that encoding, in lines of at most 76 characters. Line ends of quoted-printable are
 * CRLF in the body. */
void encode_body(struct ph_str body, enum ph_mime_encoding encoding, struct ph_buf *buf);
/* Appends base64 without line ends. */
void encode_base64(struct ph_str bytes, struct ph_buf *buf);

bool is_ascii(struct ph_str text);

#endif
