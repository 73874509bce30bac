#ifndef MIME_IMAP_TEXT_H
#define MIME_IMAP_TEXT_H

#include <posthorn/buf.h>
#include <posthorn/str.h>

/* Appends an IMAP string (RFC 3501, 4.3): quoted, or a literal when it holds what quotes may not (8-bit
 * bytes, CR, LF). NULs, which may be nowhere, are left out. */
void imap_add_string(struct ph_buf *buf, struct ph_str text);
/* NIL for a string that is empty. */
void imap_add_nstring(struct ph_buf *buf, struct ph_str text);

#endif
