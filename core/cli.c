/* Finding out what is wanted. Everything the program can be told is in the one table here, besides the
 * commands that modules bring along. */
#include <config.h>

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command commands[] = {
	{ "serve", "", 0, "Runs the server in the foreground, until it is stopped.",
		"TERM or INT (Ctrl-C) stops it, HUP reloads it.", { { 0 } }, cli_serve },
	{ "check", "", 0, "Checks the configuration, certificates and scripts without starting anything.",
		NULL, { { 0 } }, cli_check },
	{ "config", "", 0, "Prints the configuration in use with all defaults, as Lua.", NULL, { { 0 } },
		cli_config },
	{ "hooks", "", 0, "Prints the reference of all hook points.",
		"Those of the modules in use when a configuration is given, else those of all modules.",
		{ { "--markdown", NULL, "as Markdown" } }, cli_hooks },
	{ "modules", "[NAME]", 1, "Lists the modules that can be used, with their options.", NULL, { { 0 } },
		cli_modules },
	{ "demo", "", 0, "Runs a server to try things out, without any preparation.",
		"Everything it needs is made on the first start. Nothing outside of its folder is touched.",
		{ { "--data", "DIR", "where it keeps everything (default: $DATA, or ./demo-data)" },
			{ "--port-base", "N",
				"is added to each standard port (default: $PORT_BASE, or 2000)" } },
		cli_demo },
	{ "reload", "", 0,
		"Makes the running server use its changed configuration, scripts and certificates.",
		"Waits until it does. When something is wrong, says what; the server goes on as before.",
		{ { 0 } }, cli_reload },
	{ "stop", "", 0, "Stops the running server and waits for its end.", NULL, { { 0 } }, cli_stop },
	{ "status", "", 0, "Shows the running server's workers.", NULL,
		{ { "--metrics", NULL, "all metrics, in the Prometheus text format" } }, cli_status },
	{ "version", "", 0, "Prints the version.", NULL, { { 0 } }, cli_version },
	{ .name = NULL },
};

static const struct cli_option global_options[] = {
	{ "-c", "FILE", "the configuration (default: " PH_CONFIG_FILE ")" },
	{ "--help", NULL, "explains a command" },
	{ .name = NULL },
};

/* --- Help --- */

static void print_options(const struct cli_option *options, size_t count)
{
	for (size_t i = 0; i < count && options[i].name; i++)
		printf("  %s %-*s  %s\n", options[i].name, (int)(17 - strlen(options[i].name)),
			options[i].argument ? options[i].argument : "", options[i].help);
}

static void print_help(const struct cli *cli)
{
	printf("Usage: posthorn [-c FILE] COMMAND [ARGUMENT ...]\n\nPosthorn is a mail "
	       "server.\n\nCommands:\n");
	for (const struct cli_command *command = commands; command->name; command++)
		printf("  %-18s  %s\n", command->name, command->summary);
	cli_tool_list(cli);
	printf("\nOptions:\n");
	print_options(global_options, 2);
	printf("\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong configuration, 4 no server "
	       "runs,\n"
	       "5 no such thing, 6 there is one already.\n");
}

static void print_command_help(const struct cli_command *command)
{
	printf("Usage: posthorn [-c FILE] %s%s%s%s\n\n%s\n", command->name,
		command->options[0].name ? " [OPTIONS]" : "", command->arguments[0] ? " " : "",
		command->arguments, command->summary);
	if (command->details)
		printf("%s\n", command->details);
	printf("\nOptions:\n");
	print_options(command->options, CLI_OPTIONS_MAX);
	print_options(global_options, 2);
}

static int refuse_word(const struct cli *cli, const char *word)
{
	struct ph_pool *pool = ph_pool_new(0);
	const char *words[sizeof(commands) / sizeof(commands[0])] = { NULL };
	const char *near;

	for (size_t i = 0; commands[i].name; i++)
		words[i] = commands[i].name;
	near = conf_near(word, words);
	if (!near)
		near = conf_near(word, cli_tool_words(cli, pool));
	if (near)
		fprintf(stderr, "posthorn: unknown command '%s', did you mean '%s'?\n", word, near);
	else
		fprintf(stderr, "posthorn: unknown command '%s'; see posthorn --help\n", word);
	ph_pool_free(&pool);
	return PH_EXIT_USAGE;
}

/* --- Parsing --- */

static const struct cli_command *find_command(const char *name)
{
	for (const struct cli_command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Takes `-c FILE` and `--help` out of the words, wherever they stand; false when FILE is missing. */
static bool take_global(int *argc, char **argv, struct cli *cli, bool *help_r)
{
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		bool is_config = strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0;

		if (is_config && i + 1 >= *argc) {
			fprintf(stderr, "posthorn: %s needs a file\n", argv[i]);
			return false;
		}
		if (is_config) {
			cli->config_file = argv[++i];
			cli->config_given = true;
		} else if (is_help(argv[i])) {
			*help_r = true;
		} else {
			argv[kept++] = argv[i];
		}
	}
	*argc = kept;
	return true;
}

/* The index of the option that the word names, `--name` or `--name=VALUE`; or -1. */
static int find_option(const struct cli_command *command, const char *word, const char **value_r)
{
	size_t len = strcspn(word, "=");

	*value_r = word[len] == '=' ? word + len + 1 : NULL;
	for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name; i++) {
		if (strlen(command->options[i].name) == len &&
			strncmp(command->options[i].name, word, len) == 0)
			return i;
	}
	return -1;
}

static bool refuse_option(const struct cli_command *command, const char *word)
{
	const char *words[CLI_OPTIONS_MAX + 1] = { NULL };
	const char *near;

	for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name; i++)
		words[i] = command->options[i].name;
	near = conf_near(word, words);
	fprintf(stderr, "posthorn %s: unknown option '%s'%s%s%s\n", command->name, word,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return false;
}

static bool take_option(const struct cli_command *command, int argc, char **argv, int *at, struct cli *cli)
{
	const char *value;
	int index = find_option(command, argv[*at], &value);

	if (index < 0)
		return refuse_option(command, argv[*at]);
	if (!command->options[index].argument) {
		cli->values[index] = "";
		return true;
	}
	if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (!value)
		fprintf(stderr, "posthorn %s: %s needs %s\n", command->name, command->options[index].name,
			command->options[index].argument);
	cli->values[index] = value;
	return value != NULL;
}

static int run_command(const struct cli_command *command, int argc, char **argv, struct cli *cli)
{
	cli->argv = argv;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (!take_option(command, argc, argv, &i, cli))
				return PH_EXIT_USAGE;
		} else if (cli->argc < command->arguments_max) {
			argv[cli->argc++] = argv[i];
		} else {
			fprintf(stderr, "posthorn %s: '%s' is too much; see posthorn %s --help\n",
				command->name, argv[i], command->name);
			return PH_EXIT_USAGE;
		}
	}
	return command->run(cli);
}

int cli_run(int argc, char **argv)
{
	struct cli cli = { .config_file = PH_CONFIG_FILE };
	const struct cli_command *command;
	bool help = false;
	int result;

	argc--;
	argv++;
	if (!take_global(&argc, argv, &cli, &help))
		return PH_EXIT_USAGE;
	if (argc == 1 && strcmp(argv[0], "--version") == 0)
		return cli_version(&cli);
	if (argc == 0) {
		print_help(&cli);
		return help ? PH_EXIT_OK : PH_EXIT_USAGE;
	}
	command = find_command(argv[0]);
	if (command && help) {
		print_command_help(command);
		return PH_EXIT_OK;
	}
	if (command)
		return run_command(command, argc, argv, &cli);
	result = cli_tool_run(&cli, argc, argv, help);
	return result >= 0 ? result : refuse_word(&cli, argv[0]);
}

struct config *cli_read_config(const struct cli *cli)
{
	struct ph_buf problems;
	struct config *config = config_read(cli->config_file, &problems);

	if (!config)
		fwrite(problems.data, 1, problems.len, stderr);
	ph_buf_free(&problems);
	return config;
}
