#ifndef MIME_CONTINUATION_H
#define MIME_CONTINUATION_H

#include <posthorn/mime.h>

/* Puts parameters in pieces together (RFC 2231, 3), each where the first of its pieces stands, with a value
 * in `pool`. A piece whose number is there already, or that a number is missing before, stands for itself.
 * Returns how many parameters are left. */
size_t continuation_join(struct ph_mime_param *items, size_t count, struct ph_pool *pool);

#endif
