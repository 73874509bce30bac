/* A whole protocol in one file, to begin one's own with: the client says a line, the server says it back.
 * README.md walks through it. */
#include <posthorn/conn.h>
#include <posthorn/module.h>

struct example_config {
	const char *greeting;
};

static struct example_config config;

static const struct ph_option options[] = { PH_OPTION_TEXT(struct example_config, greeting, "Say something.",
						    200, "The first line a client reads."),
	PH_OPTIONS_END };

static struct ph_hook_point line_hook = {
	.name = "example.line",
	.decides = true,
	.help = "For each line that a client says, before it is said back.",
	.arguments = (const struct ph_hook_argument[]){ { "line", PH_STRING, NULL, "what the client said" },
		{ 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_REWRITE),
	.on_failure = { .kind = PH_REJECT, .text = PH_STR_INIT("the policy failed") },
	.example = "posthorn.on(\"example.line\", function(session, line)\n"
		   "  return posthorn.rewrite(line:upper())\n"
		   "end)",
};

static enum ph_turn greet(struct ph_conn *conn, void *session)
{
	(void)session;
	ph_conn_printf(conn, "%s\r\n", config.greeting);
	return PH_TURN_KEEP;
}

static void say_back(struct ph_conn *conn, struct ph_str line)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_verdict verdict = { .kind = PH_PASS };
	struct ph_str said = ph_pool_str(pool, line); /* the line itself lasts until the next read or wait */

	if (ph_hook_wanted(&line_hook))
		ph_hook_run(&line_hook, conn, &PH_VALUE_STR(said), pool, &verdict);
	if (verdict.kind == PH_REJECT)
		ph_conn_printf(conn, "no: %.*s\r\n", PH_STR_ARGS(verdict.text));
	else
		ph_conn_printf(
			conn, "%.*s\r\n", PH_STR_ARGS(verdict.kind == PH_REWRITE ? verdict.value : said));
	ph_pool_free(&pool);
}

static enum ph_turn take_line(struct ph_conn *conn, void *session)
{
	struct ph_line line;
	int code = ph_conn_read_line(conn, 1000, &line);

	(void)session;
	if (code == PH_E_LIMIT) {
		ph_conn_text(conn, "no: that was too long\r\n");
		return PH_TURN_KEEP;
	}
	if (code <= 0 || ph_str_case_eq(line.text, PH_STR("bye")))
		return PH_TURN_CLOSE;
	say_back(conn, line.text);
	return PH_TURN_KEEP;
}

static void say_goodbye(struct ph_conn *conn, void *session, enum ph_goodbye reason, struct ph_str text)
{
	(void)session, (void)reason;
	ph_conn_printf(conn, "no: %.*s\r\n", PH_STR_ARGS(text.len ? text : PH_STR("goodbye")));
}

static const struct ph_protocol protocol = {
	.name = "example",
	.summary = "Says back what a client says.",
	.open = greet,
	.input = take_line,
	.goodbye = say_goodbye,
};

PH_MODULE_EXPORT;
const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "example",
	.summary = "A complete tiny protocol, to begin one's own with.",
	.options = options,
	.config = &config,
	.hooks = (struct ph_hook_point *const[]){ &line_hook, NULL },
	.protocols = (const struct ph_protocol *const[]){ &protocol, NULL },
};
