/* POP3 command lines (RFC 1939, section 3, RFC 2449, section 3): a keyword, and arguments parted by single
 * spaces. Pure. */
#ifndef POP3_PARSE_H
#define POP3_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/str.h>

/* Splits a line at its first space. False when its first word cannot be a command. */
bool parse_command(struct ph_str line, struct ph_str *name_r, struct ph_str *argument_r);

struct parsed_numbers {
	uint64_t number[2];
	unsigned count;
};

/* The whole argument as at most two numbers. */
bool parse_numbers(struct ph_str argument, struct parsed_numbers *numbers_r);

/* AUTH's argument: a mechanism, and perhaps an initial response (else { NULL, 0 }; RFC 5034, section 4). */
bool parse_auth(struct ph_str argument, struct ph_str *mechanism_r, struct ph_str *initial_r);

#endif
