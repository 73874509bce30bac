/* The grammar of command lines (RFC 5321, 4.1). Pure; results are views of the line, or lie in the pool. */
#ifndef SMTP_PARSE_H
#define SMTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/address.h>
#include <posthorn/mem.h>
#include <posthorn/str.h>

#define PARAMETERS_MAX 16

struct parameter {
	struct ph_str keyword;
	struct ph_str value; /* { NULL, 0 }: none */
};

/* What follows MAIL or RCPT. */
struct path_arguments {
	struct ph_address address;
	struct parameter parameters[PARAMETERS_MAX];
	size_t count;
};

enum path_fault {
	PATH_GOOD,
	PATH_SYNTAX,     /* no FROM: or TO: */
	PATH_ADDRESS,    /* not a path */
	PATH_LENGTH,     /* a part of the address is too long */
	PATH_UTF8,       /* bytes beyond ASCII */
	PATH_PARAMETERS, /* malformed, repeated or too many */
};

/* Parts a line into the command's name and its arguments, without white space at the ends. False when the
 * line holds a control character. */
bool parse_line(struct ph_str line, struct ph_str *name_r, struct ph_str *arguments_r);
/* "FROM:<path> parameters", `keyword` being "FROM:"; `flags` as of address.h. White space before the path and
 * a path without angle brackets are tolerated: deployed clients send them. */
enum path_fault parse_path_arguments(const struct ph_address_service *service, struct ph_str arguments,
	struct ph_str keyword, unsigned flags, struct ph_pool *pool, struct path_arguments *arguments_r);
/* The name behind HELO: anything printable without spaces; clients have names of every kind. */
bool parse_hello(struct ph_str arguments);
/* RFC 4954, 5: "<>" or a mailbox, as xtext (RFC 3461, 4). */
bool parse_auth_parameter(struct ph_str value);

#endif
