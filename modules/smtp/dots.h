/* The text of a message as it crosses the wire (RFC 5321, 4.5.2): ends at <CRLF>.<CRLF> and nowhere else, a
 * dot that begins a line is doubled. Pure; fed in pieces of any size. */
#ifndef SMTP_DOTS_H
#define SMTP_DOTS_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

struct dots {
	enum {
		DOTS_LINE_START = 0,
		DOTS_DOT,    /* a dot at the start of a line */
		DOTS_DOT_CR, /* and a CR behind it */
		DOTS_TEXT,
		DOTS_CR,
	} state;
	bool repair; /* a bare LF becomes CRLF, a bare CR a space; else they stay */
	bool bare;   /* there was a bare CR or LF */
};

/* How many bytes at the beginning of `piece` are whole lines that mean what they say, which is nearly all of
 * nearly every text. They may be taken as they are instead of being fed. */
size_t dots_plain(const struct dots *dots, struct ph_str piece);

/* Appends what `piece` says to `out`, at most twice its length and one byte, and counts the bytes it took.
 * True at the end of the text; behind it the client's next command begins. */
bool dots_feed(struct dots *dots, struct ph_str piece, struct ph_buf *out, size_t *taken_r);

#endif
