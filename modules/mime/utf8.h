#ifndef MIME_UTF8_H
#define MIME_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

#define UTF8_REPLACEMENT PH_STR("\xEF\xBF\xBD") /* U+FFFD */

/* Reads the character at the front of `len` > 0 bytes. Returns its length; 0 when more bytes are needed to
 * tell; -1 when there is none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
int utf8_next(const char *bytes, size_t len, uint32_t *character_r);
enum { UTF8_MAX = 4 };

/* Writes a character; returns its length. */
size_t utf8_put(uint32_t character, char bytes_r[UTF8_MAX]);
/* Appends text with each byte that is not part of a character replaced by U+FFFD. Returns how many bytes were
 * used: all but the beginning of a character that is cut off at the end. */
size_t utf8_add_clean(struct ph_buf *buf, struct ph_str text);
/* The same for text that ends here. */
void utf8_add_all(struct ph_buf *buf, struct ph_str text);
/* The lower-case form, for those letters where it is one character. */
uint32_t utf8_fold(uint32_t character);

#endif
