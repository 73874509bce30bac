/* Commands of the `posthorn` program that modules bring along, such as `posthorn account add`. They run in a
 * process of their own, beside a running server or without one: the configuration is read, the modules that
 * the owner needs are started, and the command runs on a fiber, with the rights of the server's user. */
#ifndef POSTHORN_TOOL_H
#define POSTHORN_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/error.h>

/* Exit codes that scripts can use. */
enum ph_exit {
	PH_EXIT_OK = 0,
	PH_EXIT_FAILED = 1,      /* it was tried and did not work */
	PH_EXIT_USAGE = 2,       /* the command line is wrong */
	PH_EXIT_CONFIG = 3,      /* the configuration is wrong */
	PH_EXIT_NOT_RUNNING = 4, /* there is no server to ask */
	PH_EXIT_ABSENT = 5,      /* what the command names does not exist */
	PH_EXIT_EXISTS = 6,      /* there is one already */
};

struct ph_tool {
	const char *name;      /* "account add"; NULL ends the table */
	const char *arguments; /* "ADDRESS" */
	const char *help;      /* one sentence; more lines may follow for --help */
	/* May park. argv[0] is the first argument; writes to stdout, and errors to stderr. Returns a ph_exit.
	 */
	int (*run)(int argc, char **argv);
};

/* Reads a secret: from the terminal twice without echo, else one line of stdin. False, with a message on
 * stderr, when there is none, the two differ, or it is longer than `size`. Blocks: for tools only. */
bool ph_tool_read_secret(const char *prompt, char *secret_r, size_t size);

/* Says on stderr what failed ("alice@example.org") and why, and gives the ph_exit for it. */
int ph_tool_failed(const char *what, const struct ph_error *error);

#endif
