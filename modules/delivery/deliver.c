/* Putting a message where its recipients' routes lead. First policy is asked about every target; only then is
 * anything stored, in one call, so that the store can make all of it durable together. */
#include <config.h>

#include "delivery.h"

#include <stdio.h>

#include <posthorn/log.h>
#include <posthorn/map.h>

/* --- the hook deliver.begin --- */

/* What policy sees of one target. */
struct target_object {
	struct ph_str recipient, account, mailbox, from;
};

static void get_recipient(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct target_object *)object)->recipient);
}

static void get_account(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct target_object *)object)->account);
}

static void get_mailbox(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct target_object *)object)->mailbox);
}

static void get_from(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((struct target_object *)object)->from);
}

static const struct ph_object_type target_type = {
	.name = "delivery",
	.help = "One message on its way into one mailbox.",
	.fields =
		(const struct ph_object_field[]){
			{ "recipient", PH_STRING, get_recipient, "the envelope's address that leads here" },
			{ "account", PH_STRING, get_account, "the address of the account" },
			{ "mailbox", PH_STRING, get_mailbox, "the mailbox it is to go to" },
			{ "from", PH_STRING, get_from, "the envelope's sender; empty for the null path" },
			{ 0 },
		},
};

static const struct ph_hook_argument begin_arguments[] = {
	{ "delivery", PH_OBJECT, &target_type, "where the message is to go" },
	{ "message", PH_OBJECT, NULL, "the message" },
	{ 0 },
};

struct ph_hook_point delivery_begin_hook = {
	.name = "deliver.begin",
	.decides = true,
	.help = "Before a message is stored, once for each mailbox it is to go to. accept: store it there. "
		"reject and "
		"defer: refuse it to the sender; a protocol that has one answer for all recipients (SMTP) "
		"then refuses "
		"the message for all of them, and nothing is stored. discard: do not store it there.",
	.arguments = begin_arguments,
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCARD) | PH_ALLOWS(PH_ROUTE),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("Delivery is not possible now") },
	.route_fields = "mailbox: another mailbox of the same account; made if it does not exist",
	.example = "posthorn.on(\"deliver.begin\", function(session, delivery, message)\n"
		   "  if message:header(\"X-Spam-Flag\") == \"YES\" then\n"
		   "    return posthorn.route { mailbox = \"Junk\" }\n"
		   "  end\n"
		   "end)",
};

/* --- a delivery --- */

struct job {
	struct ph_conn *session;
	struct ph_str reverse_path;
	struct ph_mime_object message;
	struct ph_pool *pool;
	struct ph_destination *destinations;
	size_t count;
	struct ph_map *known; /* "account mailbox" -> its place in `destinations`, counted from 1 */
	/* For each recipient where its destinations are listed in `places`. */
	size_t *places;
	size_t place_count;
};

static size_t count_targets(const struct ph_delivery_recipient *recipients, size_t count)
{
	size_t targets = 0;

	for (size_t i = 0; i < count; i++)
		targets += recipients[i].route.count;
	return targets;
}

/* The destination of that mailbox, made if there is none yet. */
static size_t destination_of(struct job *job, ph_account_id account, struct ph_str mailbox)
{
	bool inbox = ph_str_case_eq(mailbox, PH_STR("INBOX"));
	struct ph_str name = inbox ? PH_STR("INBOX") : mailbox;
	struct ph_str key =
		ph_pool_printf(job->pool, "%llu %.*s", (unsigned long long)account, PH_STR_ARGS(name));
	uintptr_t place = (uintptr_t)ph_map_get(job->known, key);

	if (place > 0)
		return place - 1;
	job->destinations[job->count++] =
		(struct ph_destination){ .account = account, .mailbox = name, .create = !inbox };
	ph_map_put(job->known, key, (void *)(uintptr_t)job->count);
	return job->count - 1;
}

static void refuse(struct ph_delivery_recipient *recipient, const struct ph_verdict *verdict)
{
	int code = verdict->kind == PH_REJECT ? PH_E_DENIED : PH_E_UNAVAILABLE;
	char text[sizeof(recipient->error.client)];

	snprintf(text, sizeof(text), "%.*s", PH_STR_ARGS(verdict->text));
	if (verdict->text.len == 0)
		snprintf(text, sizeof(text), "%s",
			code == PH_E_DENIED ? "The message is not wanted here"
					    : "Delivery is not possible now");
	recipient->result = ph_error_set(&recipient->error, code, text, NULL);
	recipient->code = verdict->code;
	recipient->enhanced = verdict->enhanced;
}

static void ask(struct job *job, const struct ph_delivery_recipient *recipient,
	const struct ph_route_target *target, struct ph_verdict *verdict_r)
{
	struct target_object object = { recipient->address, target->address, target->mailbox,
		job->reverse_path };
	struct ph_value arguments[2];

	*verdict_r = (struct ph_verdict){ .kind = PH_PASS };
	if (!ph_hook_wanted(&delivery_begin_hook))
		return;
	arguments[0] = PH_VALUE_OBJECT(&target_type, &object);
	arguments[1] = PH_VALUE_OBJECT(delivery_services.mime->message_type, &job->message);
	ph_hook_run(&delivery_begin_hook, job->session, arguments, job->pool, verdict_r);
}

/* The one field a route has here; an unusable one is the policy's failure. */
static bool routed_mailbox(const struct ph_verdict *verdict, struct ph_str *mailbox_r)
{
	const struct ph_verdict_field *field = ph_verdict_field(verdict, "mailbox");

	if (!field || field->count != 1 || verdict->field_count != 1 || field->values[0].len == 0 ||
		field->values[0].len > PH_MAILBOX_NAME_MAX)
		return false;
	*mailbox_r = field->values[0];
	return true;
}

/* Decides about one target; false when the recipient is refused. */
static bool place_target(
	struct job *job, struct ph_delivery_recipient *recipient, const struct ph_route_target *target)
{
	struct ph_str mailbox = target->mailbox;
	struct ph_verdict verdict;

	ask(job, recipient, target, &verdict);
	if (verdict.kind == PH_ROUTE && !routed_mailbox(&verdict, &mailbox)) {
		ph_log(PH_LOG_ERROR, "deliver.begin: route needs one mailbox, and nothing else",
			PH_LOG_STR("account", target->address));
		verdict = delivery_begin_hook.on_failure;
	}
	if (verdict.kind == PH_REJECT || verdict.kind == PH_DEFER) {
		refuse(recipient, &verdict);
		return false;
	}
	if (verdict.kind == PH_DISCARD) {
		ph_log(PH_LOG_INFO, "message discarded by policy", PH_LOG_STR("to", recipient->address),
			PH_LOG_STR("account", target->address));
		return true;
	}
	job->places[job->place_count++] = destination_of(job, target->account, mailbox);
	return true;
}

/* Where the recipient's destinations end in `places`. A refused recipient has none. */
static size_t place_recipient(struct job *job, struct ph_delivery_recipient *recipient)
{
	size_t before = job->place_count;

	recipient->result = 0;
	for (size_t i = 0; i < recipient->route.count && !recipient->route.discard; i++)
		if (!place_target(job, recipient, &recipient->route.targets[i])) {
			job->place_count = before;
			break;
		}
	return job->place_count;
}

static const struct ph_delivery_recipient *first_refused(
	const struct ph_delivery_recipient *recipients, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (recipients[i].result != 0)
			return &recipients[i];
	return NULL;
}

static void refuse_all(
	struct ph_delivery_recipient *recipients, size_t count, const struct ph_delivery_recipient *refused)
{
	for (size_t i = 0; i < count; i++) {
		recipients[i].result = refused->result;
		recipients[i].error = refused->error;
		recipients[i].code = refused->code;
		recipients[i].enhanced = refused->enhanced;
	}
}

/* Destinations that only refused recipients led to are not stored. */
static void drop_unused(struct job *job)
{
	size_t *moved = ph_pool_array(job->pool, job->count, sizeof(*moved));
	size_t kept = 0;

	for (size_t i = 0; i < job->place_count; i++)
		moved[job->places[i]] = 1;
	for (size_t i = 0; i < job->count; i++)
		if (moved[i]) {
			job->destinations[kept] = job->destinations[i];
			moved[i] = kept++;
		}
	for (size_t i = 0; i < job->place_count; i++)
		job->places[i] = moved[job->places[i]];
	job->count = kept;
}

static void store(struct job *job, struct ph_draft *draft, struct ph_error *error)
{
	*error = (struct ph_error){ 0 };
	if (job->count > 0)
		delivery_services.store->deliver(
			PH_ACTOR_SYSTEM, draft, 0, 0, job->destinations, job->count, error);
}

static void log_result(const struct ph_delivery_recipient *recipient,
	const struct ph_destination *destination, const struct ph_error *error)
{
	if (destination->result == 0)
		ph_log(PH_LOG_INFO, "message stored", PH_LOG_STR("to", recipient->address),
			PH_LOG_NUMBER("account", destination->account),
			PH_LOG_STR("mailbox", destination->mailbox), PH_LOG_NUMBER("uid", destination->uid));
	else
		ph_log(PH_LOG_WARN, "message not stored", PH_LOG_STR("to", recipient->address),
			PH_LOG_NUMBER("account", destination->account),
			PH_LOG_STR("mailbox", destination->mailbox),
			PH_LOG_TEXT("why", ph_code_name(destination->result)), PH_LOG_ERROR_DETAIL(error));
}

/* A recipient's result is the first failure among its destinations. */
static void take_results(struct job *job, struct ph_delivery_recipient *recipient, size_t first, size_t end,
	const struct ph_error *error)
{
	for (size_t i = first; i < end; i++) {
		const struct ph_destination *destination = &job->destinations[job->places[i]];

		log_result(recipient, destination, error);
		if (destination->result != 0 && recipient->result == 0)
			recipient->result = ph_error_set(&recipient->error, destination->result,
				error->code == destination->result ? error->client : "", "%s", error->detail);
	}
}

void delivery_deliver(struct ph_conn *session, struct ph_str reverse_path, struct ph_draft *draft,
	const struct ph_mime_message *message, struct ph_delivery_recipient *recipients, size_t count,
	bool together, struct ph_pool *pool)
{
	size_t targets = count_targets(recipients, count);
	size_t *ends = ph_pool_array(pool, count, sizeof(*ends));
	const struct ph_mime_source source = delivery_services.store->draft_source(draft);
	struct job job = {
		.session = session,
		.reverse_path = reverse_path,
		.message = { .message = message, .header = message->header, .source = &source, .pool = pool },
		.pool = pool,
		.destinations = ph_pool_array(pool, targets, sizeof(*job.destinations)),
		.known = ph_map_new(),
		.places = ph_pool_array(pool, targets, sizeof(*job.places)),
	};
	const struct ph_delivery_recipient *refused;
	struct ph_error error;

	for (size_t i = 0; i < count; i++)
		ends[i] = place_recipient(&job, &recipients[i]);
	ph_map_free(&job.known);
	refused = first_refused(recipients, count);
	if (refused && together) {
		refuse_all(recipients, count, refused);
		return;
	}
	drop_unused(&job);
	store(&job, draft, &error);
	for (size_t i = 0; i < count; i++)
		take_results(&job, &recipients[i], i == 0 ? 0 : ends[i - 1], ends[i], &error);
}
