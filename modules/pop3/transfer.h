/* Messages on their way to a client: where dots must be doubled (RFC 1939, section 3) and where the part ends
 * that TOP sends. Pure; both are fed a message in pieces of any size. */
#ifndef POP3_TRANSFER_H
#define POP3_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/str.h>

/* Doubles dots at the beginnings of lines. Every LF ends a line here, also one without its CR: a client that
 * takes a bare LF for a line end must not find the end of the message behind it. */
struct stuffing {
	char last[2]; /* the last two bytes that went */
	bool dotted;  /* a dot was just put before what comes next */
};

void stuffing_init(struct stuffing *stuffing);
/* How many of the bytes can be sent as they are. *dot_r: a dot must be sent behind them, before the next.
 * Call again with what is left until nothing is. */
size_t stuffing_next(struct stuffing *stuffing, struct ph_str bytes, bool *dot_r);
/* Does the message sent so far end with CRLF, so that the closing dot can follow? An empty one does. */
bool stuffing_ends_line(const struct stuffing *stuffing);

/* The header, the empty line behind it, and so many lines of the body. */
struct top {
	uint64_t body_lines;
	bool in_body;
	bool done;
	bool empty_line; /* nothing but perhaps a CR was on this line yet */
	bool begun;      /* a byte of this line was seen */
};

void top_init(struct top *top, uint64_t body_lines);
/* How many of the bytes belong to it; `done` is set when nothing behind them does. */
size_t top_take(struct top *top, struct ph_str bytes);

#endif
