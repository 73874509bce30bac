/* Commands that start a server or talk to one. */
#include <config.h>

#include <stdio.h>
#include <time.h>

#include "cli.h"
#include "control.h"
#include "master.h"

int cli_serve(const struct cli *cli)
{
	const struct master_options options = { .config_file = cli->config_file };

	return master_run(&options);
}

int cli_version(const struct cli *cli)
{
	(void)cli;
	printf("posthorn %s\n", PACKAGE_VERSION);
	return PH_EXIT_OK;
}

/* What the running server answered goes to stdout, or to stderr when it is a failure. */
static int ask(const struct config *config, const char *request)
{
	struct ph_error error = { 0 };
	struct ph_buf text;
	int result;

	ph_buf_init(&text, 4 << 20);
	result = control_ask(config_control_path(config), ph_str(request), &text, &error);
	if (result < 0)
		fprintf(stderr, "posthorn: no server answers: %s\n", error.detail);
	else
		fwrite(text.data, 1, text.len, result ? stdout : stderr);
	ph_buf_free(&text);
	return result > 0 ? PH_EXIT_OK : result == 0 ? PH_EXIT_FAILED : PH_EXIT_NOT_RUNNING;
}

static int read_and_ask(const struct cli *cli, const char *request)
{
	struct config *config = cli_read_config(cli);
	int result;

	if (!config)
		return PH_EXIT_CONFIG;
	result = ask(config, request);
	config_free(&config);
	return result;
}

int cli_reload(const struct cli *cli)
{
	return read_and_ask(cli, "reload");
}

int cli_status(const struct cli *cli)
{
	return read_and_ask(cli, cli->values[0] ? "metrics" : "status");
}

static bool is_running(const struct config *config)
{
	struct ph_buf text;
	int result;

	ph_buf_init(&text, 4 << 20);
	result = control_ask(config_control_path(config), PH_STR("status"), &text, NULL);
	ph_buf_free(&text);
	return result >= 0;
}

int cli_stop(const struct cli *cli)
{
	const struct timespec moment = { .tv_nsec = 50000000 };
	struct config *config = cli_read_config(cli);
	int result;

	if (!config)
		return PH_EXIT_CONFIG;
	result = ask(config, "stop");
	for (int i = 0; result == PH_EXIT_OK && is_running(config); i++) {
		nanosleep(&moment, NULL);
		if (i == 600) {
			fprintf(stderr, "posthorn: the server still runs\n");
			result = PH_EXIT_FAILED;
		}
	}
	config_free(&config);
	return result;
}
