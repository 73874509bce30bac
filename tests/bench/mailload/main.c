/* mailload: a load generator for mail servers. One thread, one epoll loop; SMTP, LMTP, POP3 and IMAP, so that
 * every server is measured with the same client. ../README.md describes the commands. */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "commands.h"
#include "options.h"
#include "tools.h"

static const struct {
	const char *name;
	int (*run)(void);
	const char *help;
} commands[] = {
	{ "smtp", command_smtp,
		"-n MESSAGES -c CONNECTIONS -m PER-CONNECTION -S SIZE [-P] [-L] [-r RECIPIENTS] -u "
		"RCPT%d@DOMAIN "
		"-U USERS" },
	{ "pop3", command_pop3, "-n SESSIONS -c CONNECTIONS [-D] -u USER%d -U USERS" },
	{ "imap", command_imap, "-n SESSIONS -c CONNECTIONS -k COMMANDS -S APPEND-SIZE -u USER%d -U USERS" },
	{ "fill", command_fill, "-n PER-USER -c CONNECTIONS -B BATCH -S SIZE -u USER%d -U USERS" },
	{ "fetch", command_fetch, "-n ROUNDS -c CONNECTIONS -u USER%d -U USERS" },
	{ "script", command_script, "-e COMMAND -e COMMAND ... -u USER" },
	{ "idle", command_idle,
		"-c CONNECTIONS -x HOOK -J PUSHES -d HOST:PORT [-L] -R RCPT%d@DOMAIN -u USER%d -U USERS" },
	{ "wait", command_wait, "-n MESSAGES -u USER%d -U USERS" },
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands), EXIT_USAGE = 2 };

static int usage(void)
{
	fputs("usage: mailload COMMAND -p PORT [-h HOST] [-s: TLS] [-w PASSWORD] [-T SECONDS] ...\n", stderr);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "  %-7s %s\n", commands[i].name, commands[i].help);
	return EXIT_USAGE;
}

static void allow_many_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!options_read(argc - 1, argv + 1))
			return usage();
		random_seed(options.seed);
		signal(SIGPIPE, SIG_IGN);
		allow_many_connections();
		return commands[i].run();
	}
	return usage();
}
