/* Hook points: places where policies, in Lua or in C, are asked or told.
 *
 * A module defines each of its points as a static struct ph_hook_point and lists them in its descriptor:
 *
 *   static struct ph_hook_point line_hook = {
 *       .name = "example.line",
 *       .decides = true,
 *       .help = "For each line that a client says, before it is said back.",
 *       .arguments = (const struct ph_hook_argument[]){ { "line", PH_STRING, NULL, "what the client said" },
 * { 0 } }, .verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | ..., .on_failure = { .kind = PH_DEFER,
 * .code = 451, .enhanced = PH_STR_INIT("4.3.0"), .text = ... }, .example = "posthorn.on('example.line',
 * function(session, line) ... end)",
 *   };
 *
 * A Lua handler gets the session first, then the arguments. Handlers run in the order of their `order`
 * (default 0), then of their registration; the first verdict that is not PASS decides. A handler that throws,
 * runs out of its budget, or answers with what the point does not allow is logged with its traceback, and the
 * point's on_failure verdict decides. Where a point does not decide, its handlers are only told: all are
 * called and their answers ignored. */
#ifndef POSTHORN_HOOK_H
#define POSTHORN_HOOK_H

#include <posthorn/value.h>
#include <posthorn/verdict.h>

struct ph_conn;
struct ph_hook_subscriber;

struct ph_hook_argument {
	const char *name; /* NULL ends the table */
	enum ph_value_type type;
	/* PH_OBJECT: its type; NULL for the type of the argument's name, which another module brings along.
	 */
	const struct ph_object_type *object;
	const char *help;
};

struct ph_hook_point {
	const char *name;
	bool decides;
	const char *help;
	const struct ph_hook_argument *arguments; /* after the session */
	unsigned verdicts;                        /* PH_ALLOWS() bits */
	struct ph_verdict on_failure;
	const char *route_fields; /* the fields PH_ROUTE takes here, for the reference; or NULL */
	const char *example;
	struct ph_hook_subscriber *subscribers; /* the core's; starts as NULL */
};

/* One branch, for points without subscribers. */
static inline bool ph_hook_wanted(const struct ph_hook_point *point)
{
	return point->subscribers != NULL;
}

/* May park. Asks the subscribers in turn and fills *verdict_r (PH_PASS when none decided). `session` is the
 * connection this happens on, or NULL. `arguments` are as many as the point declares. Texts of the verdict
 * lie in `pool`. */
void ph_hook_run(struct ph_hook_point *point, struct ph_conn *session, const struct ph_value *arguments,
	struct ph_pool *pool, struct ph_verdict *verdict_r);

/* A handler in C: fills *verdict_r, which is PH_PASS before, and returns 0, or a negative code when it failed
 * (the point's failure verdict then decides). May park. */
typedef int ph_hook_handler(void *arg, struct ph_conn *session, const struct ph_value *arguments,
	struct ph_pool *pool, struct ph_verdict *verdict_r);
/* Subscribes the module whose init is running; taken back by itself when the module stops. PH_E_ABSENT when
 * no module declares such a point. */
int ph_hook_subscribe(const char *name, int order, ph_hook_handler *handler, void *arg);

#endif
