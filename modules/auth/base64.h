/* Base64 as SASL exchanges need it (RFC 4648, section 4): strict, with padding, nothing else between. */
#ifndef AUTH_BASE64_H
#define AUTH_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/str.h>

/* Decodes the whole text into `out` of `size` bytes. False when it is not base64, has stray bits, or is too
 * long. */
bool base64_decode(struct ph_str text, char *out, size_t size, size_t *len_r);

#endif
