#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include <posthorn/mime.h>

/* Appends BODYSTRUCTURE, or, without `extended`, BODY (RFC 3501, 7.4.2). */
void structure_add(struct ph_buf *buf, const struct ph_mime_part *part, bool extended);

#endif
