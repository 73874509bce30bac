/* Hook points. See hooks.h. */
#include <config.h>

#include "hooks.h"

#include <posthorn/log.h>

#include "smtp.h"

#define OPTIONAL_STR(s) ((s).len > 0 ? PH_VALUE_STR(s) : (struct ph_value){ .type = PH_NIL })

/* --- the sender --- */

static void sender_address(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct sender_object *)object)->address);
}

static void sender_user(void *object, struct ph_value *value_r)
{
	*value_r = OPTIONAL_STR(((struct sender_object *)object)->parts->local);
}

static void sender_domain(void *object, struct ph_value *value_r)
{
	*value_r = OPTIONAL_STR(((struct sender_object *)object)->parts->domain);
}

static void sender_size(void *object, struct ph_value *value_r)
{
	struct sender_object *sender = object;

	if (sender->size > 0)
		*value_r = PH_VALUE_INT(sender->size);
}

static void sender_body(void *object, struct ph_value *value_r)
{
	struct sender_object *sender = object;

	if (sender->body)
		*value_r = PH_VALUE_STR(ph_str(sender->body));
}

static const struct ph_object_type sender_type = {
	.name = "sender",
	.help = "The sender of a message, as MAIL FROM gives it.",
	.fields =
		(const struct ph_object_field[]){
			{ "address", PH_STRING, sender_address, "user@domain; empty for the null path <>" },
			{ "user", PH_STRING, sender_user, "what stands before the @; nil for the null path" },
			{ "domain", PH_STRING, sender_domain, "in lower case; nil for the null path" },
			{ "size", PH_INTEGER, sender_size, "SIZE= in bytes, when it was given" },
			{ "body", PH_STRING, sender_body,
				"BODY=, when it was given: \"7BIT\" or \"8BITMIME\"" },
			{ 0 },
		},
};

struct ph_hook_point smtp_mail_hook = {
	.name = "smtp.mail",
	.decides = true,
	.help = "At MAIL FROM, after its syntax, size and rights are checked and before the answer. rewrite: "
		"go on as if "
		"another sender had been given (empty: the null path). discard: say yes to all of the "
		"transaction, and "
		"forget it.",
	.arguments = (const struct ph_hook_argument[]){ { "sender", PH_OBJECT, &sender_type, "the sender" },
		{ 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCONNECT) | PH_ALLOWS(PH_DISCARD) | PH_ALLOWS(PH_REWRITE),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("The sender cannot be checked now") },
	.example = "posthorn.on(\"smtp.mail\", function(session, sender)\n"
		   "  if sender.domain == \"spam.example\" then\n"
		   "    return posthorn.reject(550, \"5.7.1\", \"not from there\")\n"
		   "  end\n"
		   "end)",
};

/* --- a recipient --- */

static void recipient_address(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct recipient_object *)object)->address);
}

static void recipient_user(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct recipient_object *)object)->parts->local);
}

static void recipient_domain(void *object, struct ph_value *value_r)
{
	*value_r = OPTIONAL_STR(((struct recipient_object *)object)->parts->domain);
}

static void recipient_detail(void *object, struct ph_value *value_r)
{
	struct ph_str detail =
		smtp_services.delivery->detail(((struct recipient_object *)object)->parts->local);

	*value_r = OPTIONAL_STR(detail);
}

static void recipient_from(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct recipient_object *)object)->from);
}

static void recipient_known(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(ph_str(((struct recipient_object *)object)->known));
}

static const struct ph_object_type recipient_type = {
	.name = "recipient",
	.help = "One recipient of a message, as RCPT TO gives it.",
	.fields =
		(const struct ph_object_field[]){
			{ "address", PH_STRING, recipient_address, "user@domain" },
			{ "user", PH_STRING, recipient_user, "what stands before the @" },
			{ "domain", PH_STRING, recipient_domain, "in lower case; nil for <postmaster>" },
			{ "detail", PH_STRING, recipient_detail,
				"the sub-address: \"tag\" of alice+tag; or nil" },
			{ "from", PH_STRING, recipient_from, "the sender; empty for the null path" },
			{ "known", PH_STRING, recipient_known,
				"\"yes\"; \"no\": no such user in a local domain; \"remote\": a domain of "
				"others" },
			{ 0 },
		},
};

struct ph_hook_point smtp_rcpt_hook = {
	.name = "smtp.rcpt",
	.decides = true,
	.help = "At RCPT TO, after the address was looked up and before the answer; also for addresses that "
		"will be "
		"refused because nobody has them here, so that a policy can lead them elsewhere. accept: ask "
		"no further "
		"policy; an address that nobody has here stays refused. rewrite: look up this address "
		"instead. route: "
		"deliver to others, or into another mailbox. discard: say yes, and do not deliver to this "
		"one.",
	.arguments =
		(const struct ph_hook_argument[]){
			{ "rcpt", PH_OBJECT, &recipient_type, "the recipient" }, { 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCONNECT) | PH_ALLOWS(PH_DISCARD) | PH_ALLOWS(PH_REWRITE) |
		    PH_ALLOWS(PH_ROUTE),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("The recipient cannot be checked now") },
	.route_fields = "to: one local address or a list of them, instead of this recipient; mailbox: where "
			"it is put "
			"there, made if it does not exist",
	.example = "posthorn.on(\"smtp.rcpt\", function(session, rcpt)\n"
		   "  if rcpt.user == \"sales\" then\n"
		   "    return posthorn.route { to = { \"alice@demo.test\", \"bob@demo.test\" }, mailbox = "
		   "\"Sales\" }\n"
		   "  end\n"
		   "end)",
};

/* --- the message --- */

static void envelope_id(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(ph_str(((struct envelope_object *)object)->id));
}

static void envelope_from(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct envelope_object *)object)->from);
}

static void envelope_recipients(void *object, struct ph_value *value_r)
{
	struct envelope_object *envelope = object;

	*value_r =
		(struct ph_value){ .type = PH_STRINGS, .strings = { envelope->recipients, envelope->count } };
}

static const struct ph_object_type envelope_type = {
	.name = "envelope",
	.help = "Sender and recipients of a message, as the client gave them.",
	.fields =
		(const struct ph_object_field[]){
			{ "id", PH_STRING, envelope_id,
				"the transaction's id, as in the log and in trace lines" },
			{ "from", PH_STRING, envelope_from, "the sender; empty for the null path" },
			{ "recipients", PH_STRINGS, envelope_recipients, "the accepted recipients" },
			{ 0 },
		},
};

static const struct ph_hook_argument message_arguments[] = {
	{ "message", PH_OBJECT, NULL, "the message, with the trace lines of this server" },
	{ "envelope", PH_OBJECT, &envelope_type, "its sender and recipients" },
	{ 0 },
};

struct ph_hook_point smtp_message_hook = {
	.name = "smtp.message",
	.decides = true,
	.help = "When a message has come in whole, before it is delivered and answered. What the policy "
		"changes with the message's methods is what is stored. accept: deliver it; the field "
		"add_header (one \"Name: value\" or a list of them) is put below the trace lines, or on top "
		"of a changed message. route: the same, and for all recipients deliver to others or into "
		"another mailbox. discard: say yes, and forget it.",
	.arguments = message_arguments,
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCONNECT) | PH_ALLOWS(PH_DISCARD) | PH_ALLOWS(PH_ROUTE),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("The message cannot be checked now") },
	.route_fields = "to: one local address or a list of them, instead of all recipients; mailbox: where "
			"it is put "
			"there, made if it does not exist; add_header: as with accept",
	.example = "posthorn.on(\"smtp.message\", function(session, message, envelope)\n"
		   "  if (message.subject or \"\"):match(\"viagra\") then\n"
		   "    return posthorn.route { mailbox = \"Junk\", add_header = \"X-Spam: yes\" }\n"
		   "  end\n"
		   "end)",
};

/* --- asking --- */

/* A field that is not known where it stands is a mistake, and not one to overlook. */
static bool is_known(const struct ph_hook_point *point, enum ph_verdict_kind kind, struct ph_str key)
{
	if (ph_str_eq(key, PH_STR("add_header")))
		return point == &smtp_message_hook && (kind == PH_ACCEPT || kind == PH_ROUTE);
	return kind == PH_ROUTE && (ph_str_eq(key, PH_STR("to")) || ph_str_eq(key, PH_STR("mailbox")));
}

static void check_fields(const struct ph_hook_point *point, struct ph_verdict *verdict)
{
	for (size_t i = 0; i < verdict->field_count; i++) {
		struct ph_str key = verdict->fields[i].key;

		if (is_known(point, verdict->kind, key))
			continue;
		ph_log(PH_LOG_ERROR, "policy gives an unknown field", PH_LOG_TEXT("hook", point->name),
			PH_LOG_TEXT("verdict", ph_verdict_name(verdict->kind)), PH_LOG_STR("field", key));
		*verdict = point->on_failure;
		return;
	}
}

static void ask(struct ph_hook_point *point, struct session *session, const struct ph_value *arguments,
	struct ph_pool *pool, struct ph_verdict *verdict_r)
{
	*verdict_r = (struct ph_verdict){ .kind = PH_PASS };
	if (!ph_hook_wanted(point))
		return;
	ph_hook_run(point, session->conn, arguments, pool, verdict_r);
	check_fields(point, verdict_r);
}

void hook_mail(struct session *session, struct ph_pool *pool, struct sender_object *sender,
	struct ph_verdict *verdict_r)
{
	ask(&smtp_mail_hook, session, &PH_VALUE_OBJECT(&sender_type, sender), pool, verdict_r);
}

void hook_rcpt(struct session *session, struct ph_pool *pool, struct recipient_object *recipient,
	struct ph_verdict *verdict_r)
{
	ask(&smtp_rcpt_hook, session, &PH_VALUE_OBJECT(&recipient_type, recipient), pool, verdict_r);
}

void hook_message(struct session *session, struct ph_pool *pool, struct ph_mime_object *message,
	struct envelope_object *envelope, struct ph_verdict *verdict_r)
{
	struct ph_value arguments[] = {
		PH_VALUE_OBJECT(smtp_services.mime->message_type, message),
		PH_VALUE_OBJECT(&envelope_type, envelope),
	};

	ask(&smtp_message_hook, session, arguments, pool, verdict_r);
}

/* --- verdicts --- */

bool verdict_refuses(const struct ph_verdict *verdict)
{
	return verdict->kind == PH_REJECT || verdict->kind == PH_DEFER || verdict->kind == PH_DISCONNECT;
}

/* The most recipients a policy may name. */
#define ROUTE_TO_MAX 100

static int bad_route(const char *point, struct ph_str value, const char *why, struct ph_error *error)
{
	ph_log(PH_LOG_ERROR, "policy gives an unusable route", PH_LOG_TEXT("hook", point),
		PH_LOG_STR("value", value), PH_LOG_TEXT("why", why));
	return ph_error_set(error, PH_E_INVALID, "The server's policy has a fault", "%s", why);
}

static void join_routes(struct ph_route *all, const struct ph_route *more, struct ph_pool *pool)
{
	struct ph_route_target *targets = ph_pool_array(pool, all->count + more->count, sizeof(*targets));

	for (size_t i = 0; i < all->count; i++)
		targets[i] = all->targets[i];
	for (size_t i = 0; i < more->count; i++)
		targets[all->count + i] = more->targets[i];
	*all = (struct ph_route){ .targets = targets, .count = all->count + more->count };
}

static int route_to(const char *point, const struct ph_verdict_field *to, struct ph_pool *pool,
	struct ph_route *route, struct ph_error *error)
{
	*route = (struct ph_route){ 0 };
	if (to->count == 0 || to->count > ROUTE_TO_MAX)
		return bad_route(point, to->key, "no recipient, or too many", error);
	for (size_t i = 0; i < to->count; i++) {
		struct ph_address address;
		struct ph_route one;
		int code = smtp_services.address->parse(to->values[i], 0, pool, &address);

		if (code != 0)
			return bad_route(point, to->values[i], "not an address", error);
		code = smtp_services.delivery->resolve(&address, pool, &one, error);
		if (code == PH_E_ABSENT || code == PH_E_UNSUPPORTED || code == PH_E_LIMIT)
			return bad_route(point, to->values[i], "nobody here has this address", error);
		if (code != 0)
			return code;
		join_routes(route, &one, pool);
	}
	return 0;
}

static int route_mailbox(const char *point, const struct ph_verdict_field *mailbox, struct ph_pool *pool,
	struct ph_route *route, struct ph_error *error)
{
	struct ph_route_target *targets;

	if (mailbox->count != 1 || mailbox->values[0].len == 0 ||
		mailbox->values[0].len > PH_MAILBOX_NAME_MAX)
		return bad_route(point, mailbox->key, "not one mailbox", error);
	targets = ph_pool_array(pool, route->count, sizeof(*targets));
	for (size_t i = 0; i < route->count; i++) {
		targets[i] = route->targets[i];
		targets[i].mailbox = mailbox->values[0];
	}
	route->targets = targets;
	return 0;
}

int verdict_route(const char *point, const struct ph_verdict *verdict, struct ph_pool *pool,
	struct ph_route *route, struct ph_error *error)
{
	const struct ph_verdict_field *to = ph_verdict_field(verdict, "to");
	const struct ph_verdict_field *mailbox = ph_verdict_field(verdict, "mailbox");
	int code = 0;

	if (to)
		code = route_to(point, to, pool, route, error);
	if (code == 0 && mailbox)
		code = route_mailbox(point, mailbox, pool, route, error);
	return code;
}
