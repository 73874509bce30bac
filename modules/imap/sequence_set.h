/* Sequence sets as clients write them (RFC 3501, 9: sequence-set), before it is known what "*" is. Pure. */
#ifndef IMAP_SEQUENCE_SET_H
#define IMAP_SEQUENCE_SET_H

#include "parse.h"

#define SEQUENCE_STAR 0 /* stands for "*"; no message has this number */

struct sequence_range {
	uint32_t first, last; /* in the order they were written; SEQUENCE_STAR in either */
};

struct sequence_set {
	struct sequence_range *ranges;
	size_t count;
};

bool parse_sequence_set(struct parser *parser, struct sequence_set *set_r);
/* Makes "*" the number `largest`, and the ranges ascending, neither touching nor overlapping. */
void sequence_set_resolve(struct sequence_set *set, uint32_t largest);
bool sequence_set_has_star(const struct sequence_set *set);

#endif
