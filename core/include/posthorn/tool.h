/* Commands of the `posthorn` program that modules bring along, such as `posthorn account add`. They run in a
 * process of their own, beside a running server or without one: the configuration is read, the modules that
 * the owner needs are started, and the command runs on a fiber, with the rights of the server's user. */
#ifndef POSTHORN_TOOL_H
#define POSTHORN_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

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

/* Reads a secret: from the terminal without echo, a new one (`twice`) two times, else one line of stdin.
 * False, with a message on stderr, when there is none, the two differ, or it is longer than `size`. Blocks:
 * for tools only. */
bool ph_tool_read_secret(const char *prompt, bool twice, char *secret_r, size_t size);

/* Says on stderr what failed ("alice@example.org") and why, and gives the ph_exit for it. */
int ph_tool_failed(const char *what, const struct ph_error *error);

enum { PH_TOOL_BYTES = 24 };
/* Writes a number of bytes for people ("12.5 MB") into the text, and returns it. */
const char *ph_tool_bytes(uint64_t bytes, char text_r[PH_TOOL_BYTES]);

/* --- progress --- */

/* What a long command shows on a terminal while it works: one line on stderr, written over and over, such as
 *
 *     [########------------]  41 %  8234 of 20000 messages, 1:20 left: alice@example.org
 *
 * Where stderr is not a terminal, or one that cannot write over a line (TERM=dumb), nothing is shown, so that
 * a command need not ask. A process has one such line. Any thread may show it, one at a time. */

/* Begins a stretch of work, from which the time that is left is guessed; shows nothing yet. `unit` is what is
 * counted, in the plural ("messages"), or NULL for bytes; it is not copied. */
void ph_progress_begin(const char *unit);
/* Shows how much is done, and of how much; total 0: that is not known, and there is neither bar nor time.
 * `where` ("alice@example.org", or empty) may hold anything. Shown ten times a second at most: call it for
 * each message. Before ph_progress_begin() nothing is shown. */
void ph_progress(struct ph_str where, uint64_t done, uint64_t total);
/* Takes the line away: at the end, and before anything else is printed; the next ph_progress() shows it
 * again. The log does so by itself. */
void ph_progress_hide(void);

#endif
