#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include <iconv.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

/* Converts text that comes in pieces to UTF-8. */
struct charset {
	iconv_t converter;
	bool converts; /* false: the text is taken as UTF-8 already */
	char held[16]; /* the beginning of a character */
	size_t held_count;
};

/* Never fails: a charset nobody knows, and US-ASCII, are read as UTF-8. */
void charset_open(struct charset *charset, struct ph_str name);
/* Output is at most 4 times the input, as held bytes come out as one replacement each. */
void charset_feed(struct charset *charset, struct ph_str piece, struct ph_buf *buf);
/* The text ends; the charset can be used for another. */
void charset_finish(struct charset *charset, struct ph_buf *buf);
void charset_close(struct charset *charset);

#endif
