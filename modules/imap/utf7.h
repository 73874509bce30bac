/* Modified UTF-7 of mailbox names (RFC 3501, 5.1.3) to and from UTF-8. Pure. */
#ifndef IMAP_UTF7_H
#define IMAP_UTF7_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

/* Room that decoding so many bytes may need. */
size_t utf7_decoded_max(size_t len);
/* Writes UTF-8 to `utf8`. False for what is not in the one valid form: bytes above 0x7e or below 0x20,
 * printable characters in base64, superfluous shifts, unpaired surrogates, bits left over, NUL and other
 * controls. */
bool utf7_decode(struct ph_str encoded, char *utf8, size_t *len_r);
/* Appends the encoded form of valid UTF-8; bytes that are none become U+FFFD. */
void utf7_encode(struct ph_str utf8, struct ph_buf *buf);
/* Does it encode as it is? */
bool utf7_is_plain(struct ph_str utf8);

#endif
