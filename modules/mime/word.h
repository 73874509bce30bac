#ifndef MIME_WORD_H
#define MIME_WORD_H

#include <posthorn/buf.h>
#include <posthorn/str.h>

/* Appends unfolded text with its encoded words decoded: valid UTF-8. */
void words_decode(struct ph_str text, struct ph_buf *buf);
/* The most that words_decode() can append. */
size_t words_decoded_max(struct ph_str text);

#endif
