#ifndef MIME_SCAN_H
#define MIME_SCAN_H

#include <posthorn/str.h>

static inline unsigned char scan_is_special(char c, char one, char other)
{
	enum { DELETE = 127 };
	return (unsigned char)(((unsigned char)(c - ' ') >= DELETE - ' ') | (c == one) | (c == other));
}

/* Nothing but printable ASCII, and neither of these two characters? True of most that stands in headers,
 * which then needs no further look. Without a branch, over a fixed number of bytes: compilers make vector
 * instructions of it. */
static inline bool scan_is_plain(struct ph_str text, char one, char other)
{
	enum { BLOCK = 16 };
	unsigned char special = 0;
	size_t at = 0;
	while (at + BLOCK <= text.len) {
		for (size_t i = 0; i < BLOCK; i++)
			special |= scan_is_special(text.data[at + i], one, other);
		/* The last block may overlap the one before it. */
		at = at + BLOCK < text.len && at + 2 * BLOCK > text.len ? text.len - BLOCK : at + BLOCK;
	}
	for (; at < text.len; at++)
		special |= scan_is_special(text.data[at], one, other);
	return !special;
}

#endif
