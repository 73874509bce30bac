/* The patterns of LIST and LSUB (RFC 3501, 6.3.8). Pure. */
#ifndef IMAP_PATTERN_H
#define IMAP_PATTERN_H

#include <stdbool.h>

#include <posthorn/store.h>
#include <posthorn/str.h>

/* "*" matches anything, "%" anything but "/". The time is bounded by the product of the lengths. A pattern
 * longer than any name can be matches nothing. Names that are INBOX, or below it, match it in any case of its
 * letters. */
bool pattern_matches(struct ph_str pattern, struct ph_str name);

#endif
