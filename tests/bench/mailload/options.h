/* What the command line asks for. */
#ifndef MAILLOAD_OPTIONS_H
#define MAILLOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_MAX 64
#define RECIPIENTS_MAX 100

struct options {
	const char *host, *port;
	bool tls, lmtp, pipelining, remove;
	long connections;
	long count; /* messages, sessions or rounds */
	long per_connection;
	long size;
	long recipients;
	long first_user, users;
	long commands; /* of a session of the mix */
	long batch;    /* messages in one APPEND */
	long pushes;
	double timeout; /* seconds for all of it */
	uint64_t seed;
	const char *user; /* login name or recipient; %d stands for the user's number */
	const char *password;
	const char *sender;
	const char *mailbox;
	const char *hook;      /* shell command to run when all connections are idle */
	const char *deliver;   /* host:port where the command `idle` delivers */
	const char *recipient; /* to whom, with %d */
	const char *script[SCRIPT_MAX];
	size_t script_count;
};

extern struct options options;

/* Reads everything behind the command's name; false, with a message, when it makes no sense. */
bool options_read(int argc, char **argv);
/* `pattern` with the number in the place of %d, in a buffer that the next call uses again. */
const char *options_expand(const char *pattern, long number);

#endif
