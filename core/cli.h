/* The command line: one table of commands, from which parsing, --help and suggestions come. */
#ifndef POSTHORN_CLI_H
#define POSTHORN_CLI_H

#include <stdbool.h>

#include <posthorn/tool.h>

#include "conf_private.h"

enum { CLI_OPTIONS_MAX = 4 };

struct cli_option {
	const char *name;     /* "--markdown"; NULL ends the table */
	const char *argument; /* "FILE", or NULL when it takes none */
	const char *help;
};

/* What was asked for. */
struct cli {
	const char *config_file;
	bool config_given;                   /* with -c */
	const char *values[CLI_OPTIONS_MAX]; /* of the command's options; "" for a given one without an
						argument */
	int argc;                            /* the command's arguments */
	char **argv;
};

struct cli_command {
	const char *name;
	const char *arguments; /* "[NAME]" */
	int arguments_max;
	const char *summary; /* one sentence */
	const char *details; /* more for --help; or NULL */
	struct cli_option options[CLI_OPTIONS_MAX];
	int (*run)(const struct cli *cli);
};

int cli_run(int argc, char **argv);

/* Reads the configuration; with problems on stderr, NULL. */
struct config *cli_read_config(const struct cli *cli);

int cli_serve(const struct cli *cli);
int cli_check(const struct cli *cli);
int cli_config(const struct cli *cli);
int cli_hooks(const struct cli *cli);
int cli_modules(const struct cli *cli);
int cli_demo(const struct cli *cli);
int cli_reload(const struct cli *cli);
int cli_stop(const struct cli *cli);
int cli_status(const struct cli *cli);
int cli_version(const struct cli *cli);

/* Commands of modules: `posthorn account add ADDRESS`. argv[0] is the first word; -1 when no module has such
 * a command. */
int cli_tool_run(const struct cli *cli, int argc, char **argv, bool help);
/* Prints all there are, for --help. */
void cli_tool_list(const struct cli *cli);
/* The first words of them all, ended by NULL. */
const char *const *cli_tool_words(const struct cli *cli, struct ph_pool *pool);

#endif
