#ifndef MIME_FLOWED_H
#define MIME_FLOWED_H

#include <posthorn/buf.h>
#include <posthorn/str.h>

/* As in struct ph_mime_service. */
bool flowed_text(struct ph_str text, bool del_sp, struct ph_buf *buf);

#endif
