#ifndef MIME_HTML_H
#define MIME_HTML_H

#include <posthorn/buf.h>
#include <posthorn/str.h>

enum { HTML_NAME_MAX = 12, HTML_ENTITY_MAX = 12 };

/* Reads HTML that comes in pieces as text. */
struct html {
	unsigned char state;
	bool is_end;              /* of the tag: "</" */
	char quote;               /* around the attribute's value, or 0 */
	unsigned char dashes;     /* at the end of the comment so far */
	const char *hidden;       /* the element whose content is not text */
	char name[HTML_NAME_MAX]; /* of the tag, lower case */
	unsigned char name_length;
	char entity[HTML_ENTITY_MAX];
	unsigned char entity_length;
	bool space;            /* owed before the next character */
	bool line;             /* a line end is owed */
	bool begun;            /* there was text */
	unsigned char held[4]; /* of a character of several bytes */
	unsigned char held_count;
};

/* Zeroed it is ready: struct html html = { 0 }; */

/* Appends the text of a piece of valid UTF-8. All output together is never longer than the input. */
void html_feed(struct html *html, struct ph_str piece, struct ph_buf *buf);
void html_finish(struct html *html, struct ph_buf *buf);
/* Both at once. */
bool html_text(struct ph_str text, struct ph_buf *buf);

#endif
