/* A module with a bit of everything: it provides a service, has options, a hook point, a command, and speaks
 * a protocol of a few words with which tests make a worker do what they need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <posthorn/bus.h>
#include <posthorn/log.h>
#include <posthorn/metric.h>
#include <posthorn/module.h>

static struct {
	const char *greeting;
	ph_msec patience;
	int64_t room;
	bool fail_init, fail_start;
} config;

static const struct ph_option options[] = {
	{ .key = "greeting",
		.type = PH_OPT_TEXT,
		.offset = 0,
		.fallback = "hello",
		.minimum = 1,
		.maximum = 20,
		.help = "The first word." },
	PH_OPTION_TIME(__typeof__(config), patience, "5m", 1000, 3600000, "How long it waits."),
	PH_OPTION_SIZE(__typeof__(config), room, "10K", 1, 1 << 20, "How much it takes."),
	PH_OPTION_BOOL(__typeof__(config), fail_init, "false", "Refuse to initialise."),
	PH_OPTION_BOOL(__typeof__(config), fail_start, "false", "Refuse to start."),
	PH_OPTIONS_END,
};

static struct ph_metric *words;
static char heard[PH_BUS_MESSAGE_MAX + 1] = "nothing";

static void hear(void *arg, struct ph_str message, bool overflow)
{
	(void)arg;
	snprintf(heard, sizeof(heard), "%.*s%s", PH_STR_ARGS(message), overflow ? "overflow" : "");
}

static int init(struct ph_error *error)
{
	words = ph_metric_counter("fine_words_total", NULL, "Words heard.");
	return config.fail_init ? ph_error_set(error, PH_E_INVALID, "no", "told to fail in init") : 0;
}

static int start(struct ph_error *error)
{
	ph_bus_subscribe("fine", hear, NULL);
	return config.fail_start ? ph_error_set(error, PH_E_INVALID, "no", "told to fail in start") : 0;
}

/* --- The protocol --- */

struct listener {
	const char *motto;
};

static const struct ph_option listener_options[] = {
	PH_OPTION_TEXT(struct listener, motto, "", 100, "Said after the greeting."),
	PH_OPTIONS_END,
};

static enum ph_turn open_session(struct ph_conn *conn, void *session)
{
	const struct listener *listener = ph_conn_listener(conn);

	(void)session;
	ph_conn_printf(conn, "%s %s\r\n", config.greeting, listener->motto);
	return PH_TURN_KEEP;
}

static void hang(void)
{
	for (;;)
		sleep(1);
}

static enum ph_turn input(struct ph_conn *conn, void *session)
{
	struct ph_line line;

	(void)session;
	if (ph_conn_read_line(conn, 200, &line) <= 0)
		return PH_TURN_CLOSE;
	ph_metric_add(words, 1);
	if (ph_str_eq(line.text, PH_STR("pid")))
		ph_conn_printf(conn, "%d\r\n", (int)getpid());
	else if (ph_str_eq(line.text, PH_STR("uid")))
		ph_conn_printf(conn, "%d\r\n", (int)getuid());
	else if (ph_str_eq(line.text, PH_STR("heard")))
		ph_conn_printf(conn, "%s\r\n", heard);
	else if (ph_str_eq(line.text, PH_STR("tell")))
		ph_bus_publish("fine", PH_STR("told"));
	else if (ph_str_eq(line.text, PH_STR("hang")))
		hang();
	else if (ph_str_eq(line.text, PH_STR("abort")))
		abort();
	else if (ph_str_eq(line.text, PH_STR("bye")))
		return PH_TURN_CLOSE;
	else
		ph_conn_printf(conn, "%.*s?\r\n", PH_STR_ARGS(line.text));
	return PH_TURN_KEEP;
}

static void goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	(void)session, (void)text;
	ph_conn_printf(conn, "goodbye %d\r\n", (int)reason);
}

static void close_session(struct ph_conn *conn, void *session)
{
	(void)conn, (void)session;
}

static const struct ph_protocol fine = {
	.name = "fine",
	.summary = "a few words",
	.session_size = 1,
	.listener_options = listener_options,
	.listener_size = sizeof(struct listener),
	.open = open_session,
	.input = input,
	.goodbye = goodbye,
	.close = close_session,
};

/* --- The command --- */

static int say(int argc, char **argv)
{
	char secret[100];

	if (argc != 1)
		return PH_EXIT_USAGE;
	if (strcmp(argv[0], "secret") == 0) {
		if (!ph_tool_read_secret("Secret", true, secret, sizeof(secret)))
			return PH_EXIT_FAILED;
		printf("%zu\n", strlen(secret));
		return PH_EXIT_OK;
	}
	if (strcmp(argv[0], "missing") == 0)
		return PH_EXIT_ABSENT;
	ph_bus_publish("fine", ph_str(argv[0]));
	printf("%s, %s\n", config.greeting, argv[0]);
	return PH_EXIT_OK;
}

static const struct ph_tool tools[] = {
	{ "fine say", "WORD", "Says a word, here and to the server.", say },
	{ .name = NULL },
};

static const int service = 42;

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "fine",
	.summary = "Does a bit of everything.",
	.provides = (const char *const[]){ "fine/1", NULL },
	.services = (const void *const[]){ &service, NULL },
	.options = options,
	.config = &config,
	.protocols = (const struct ph_protocol *const[]){ &fine, NULL },
	.tools = tools,
	.init = init,
	.start = start,
};
