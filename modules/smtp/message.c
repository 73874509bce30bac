/* From the end of the text to the answer: the message is parsed, completed, shown to policy, delivered,
 * answered. Each step may refuse it; then nothing of it is stored. */
#include <config.h>

#include "message.h"

#include <stdio.h>

#include <posthorn/log.h>

#include "complete.h"
#include "hooks.h"
#include "smtp.h"

/* What the server may add to one message. */
#define ADDED_MAX 65536

struct finish {
	struct session *session;
	struct transaction *transaction;
	struct incoming *incoming;
	struct ph_pool *pool;
	const struct ph_mime_message *message;
	struct ph_delivery_recipient *recipients;
	bool discard;
	struct answer refused; /* code 0: go on */
	enum refusal why;
};

static void refuse(struct finish *f, enum refusal why, int code, const char *enhanced, const char *text)
{
	f->why = why;
	answer_set(&f->refused, code, enhanced, "%s", text);
}

static void refuse_failure(struct finish *f, const struct ph_error *error)
{
	ph_log(PH_LOG_ERROR, "message cannot be taken", PH_LOG_TEXT("id", f->transaction->id),
		PH_LOG_ERROR_DETAIL(error));
	refuse(f, REFUSED_TEMPORARY, 451, "4.3.0", "The message cannot be taken now");
}

/* --- the steps; each does nothing once the message is refused --- */

static void check_incoming(struct finish *f)
{
	const struct answer *refused = &f->incoming->refused;

	f->refused = *refused;
	f->why = refused->code == 552  ? REFUSED_LIMIT
		 : refused->code < 500 ? REFUSED_TEMPORARY
				       : REFUSED_CONTENT;
}

static void parse(struct finish *f)
{
	struct ph_error error;

	if (smtp_services.store->draft_finish(f->incoming->draft, &f->message, &error) != 0)
		refuse_failure(f, &error);
}

static void check_loop(struct finish *f)
{
	if (f->refused.code == 0 && count_received(f->message) > (unsigned)smtp_config.max_received)
		refuse(f, REFUSED_CONTENT, 554, "5.4.6", "Too many Received fields: the message goes round");
}

/* Puts lines below the trace lines and parses again. */
static void insert(struct finish *f, struct ph_buf *lines)
{
	struct ph_error error;

	if (lines->len == 0)
		return;
	if (receive_insert(f->incoming, ph_buf_str(lines), &error) != 0)
		refuse_failure(f, &error);
	else
		parse(f);
}

static void complete(struct finish *f)
{
	struct ph_buf lines;

	if (f->refused.code != 0 || !f->session->profile->complete_message)
		return;
	ph_buf_init(&lines, ADDED_MAX);
	add_missing_fields(f->message, &lines);
	insert(f, &lines);
	ph_buf_free(&lines);
}

static void policy_fault(struct finish *f, const char *what)
{
	ph_log(PH_LOG_ERROR, "smtp.message: the policy has a fault", PH_LOG_TEXT("why", what));
	refuse(f, REFUSED_TEMPORARY, 451, "4.3.0", "The server's policy has a fault");
}

static void add_header(struct finish *f, const struct ph_verdict *verdict)
{
	struct ph_buf lines;

	ph_buf_init(&lines, ADDED_MAX);
	if (add_policy_fields(verdict, &lines))
		insert(f, &lines);
	else
		policy_fault(f, "add_header holds what is no header field");
	ph_buf_free(&lines);
}

static void route(struct finish *f, const struct ph_verdict *verdict)
{
	for (size_t i = 0; i < f->transaction->count && f->refused.code == 0; i++) {
		struct ph_route *one = &f->recipients[i].route;
		struct ph_error error;

		if (i > 0 && ph_verdict_field(verdict, "to"))
			*one = f->recipients[0].route;
		else if (verdict_route(smtp_message_hook.name, verdict, f->pool, one, &error) != 0)
			refuse(f, REFUSED_TEMPORARY, 451, "4.3.0",
				"The server's policy cannot be followed now");
	}
}

static void apply_verdict(struct finish *f, const struct ph_verdict *verdict)
{
	if (verdict_refuses(verdict)) {
		f->why = verdict->kind == PH_DEFER ? REFUSED_TEMPORARY : REFUSED_POLICY;
		answer_verdict(&f->refused, verdict);
		f->session->ending = verdict->kind == PH_DISCONNECT;
		return;
	}
	f->discard |= verdict->kind == PH_DISCARD;
	if (verdict->kind == PH_ROUTE)
		route(f, verdict);
	if (f->refused.code == 0 && (verdict->kind == PH_ROUTE || verdict->kind == PH_ACCEPT))
		add_header(f, verdict);
}

/* Before the verdict's own additions, which go on top. */
static void apply_changes(struct finish *f, const struct ph_mime_object *object)
{
	struct ph_error error = { .detail = "the changed message cannot be written" };

	if (receive_change(f->incoming, object, &error) != 0)
		refuse_failure(f, &error);
	else
		parse(f);
}

static void ask_policy(struct finish *f)
{
	const struct ph_mime_source source = smtp_services.store->draft_source(f->incoming->draft);
	struct ph_mime_object object = {
		.source = &source,
		.pool = f->pool,
		.may_change = true,
	};
	struct envelope_object envelope = { f->transaction->id, f->transaction->reverse_path, NULL,
		f->transaction->count };
	struct ph_str *addresses;
	struct ph_verdict verdict;

	if (f->refused.code != 0 || !ph_hook_wanted(&smtp_message_hook))
		return;
	addresses = ph_pool_array(f->pool, envelope.count, sizeof(*addresses));
	for (size_t i = 0; i < envelope.count; i++)
		addresses[i] = f->recipients[i].address;
	envelope.recipients = addresses;
	object.message = f->message;
	object.header = f->message->header;
	hook_message(f->session, f->pool, &object, &envelope, &verdict);
	if (object.edits && !verdict_refuses(&verdict))
		apply_changes(f, &object);
	if (f->refused.code == 0)
		apply_verdict(f, &verdict);
}

static void deliver(struct finish *f)
{
	if (f->refused.code != 0 || f->discard)
		return;
	smtp_services.delivery->deliver(f->session->conn, f->transaction->reverse_path, f->incoming->draft,
		f->message, f->recipients, f->transaction->count, !f->session->profile->answer_each, f->pool);
}

/* --- the answer --- */

/* What became of one recipient, in SMTP's words. */
static void explain(const struct ph_delivery_recipient *recipient, struct answer *answer)
{
	int code = 451;
	const char *enhanced = "4.3.0", *text = "The message cannot be delivered now";
	char own[sizeof(answer->enhanced)];

	if (recipient->result == PH_E_FULL)
		code = 452, enhanced = "4.3.1", text = "There is no space for the message now";
	else if (recipient->result == PH_E_QUOTA)
		code = 452, enhanced = "4.2.2", text = "The mailbox is full";
	else if (recipient->result == PH_E_DENIED)
		code = 550, enhanced = "5.7.1", text = recipient->error.client;
	else if (recipient->result == PH_E_UNAVAILABLE && recipient->error.client[0])
		text = recipient->error.client;
	if (recipient->code != 0) {
		code = recipient->code;
		snprintf(own, sizeof(own), "%d.7.1", code / 100);
		if (recipient->enhanced.len > 0)
			snprintf(own, sizeof(own), "%.*s", PH_STR_ARGS(recipient->enhanced));
		enhanced = own;
	}
	answer_set(answer, code, enhanced, "%s", text);
}

/* The failure that stands for all. One that may pass is preferred: after it the client tries again. Mailboxes
 * that have the message then get it a second time; better than not at all. */
static const struct ph_delivery_recipient *worst(const struct finish *f)
{
	const struct ph_delivery_recipient *found = NULL;

	for (size_t i = 0; i < f->transaction->count; i++)
		if (f->recipients[i].result != 0 && (!found || found->result == PH_E_DENIED))
			found = &f->recipients[i];
	return found;
}

static void count_failure(const struct finish *f, const struct answer *answer, enum refusal why)
{
	count_refused_message(why);
	ph_log(PH_LOG_INFO, "message refused", PH_LOG_TEXT("id", f->transaction->id),
		PH_LOG_STR("from", f->transaction->reverse_path), PH_LOG_NUMBER("size", f->incoming->size),
		PH_LOG_NUMBER("code", answer->code), PH_LOG_TEXT("why", answer->text));
}

static void log_accepted(const struct finish *f)
{
	count_message(f->incoming->size);
	ph_log(PH_LOG_INFO, f->discard ? "message discarded by policy" : "message accepted",
		PH_LOG_TEXT("id", f->transaction->id), PH_LOG_STR("from", f->transaction->reverse_path),
		PH_LOG_NUMBER("recipients", f->transaction->count), PH_LOG_NUMBER("size", f->incoming->size),
		PH_LOG_STR("message_id", f->message ? f->message->message_id : PH_STR("")));
}

static enum refusal failure_kind(const struct ph_delivery_recipient *failed)
{
	return failed->result == PH_E_DENIED ? REFUSED_POLICY : REFUSED_TEMPORARY;
}

static void answer_all(struct finish *f)
{
	const struct ph_delivery_recipient *failed = worst(f);
	struct answer answer;

	if (failed) {
		explain(failed, &answer);
		count_failure(f, &answer, failure_kind(failed));
	} else {
		log_accepted(f);
		answer_set(&answer, 250, "2.0.0", "Message taken as %s", f->transaction->id);
	}
	reply_answer(f->session, &answer);
}

/* RFC 2033, 4.2: in the order of the RCPT commands. */
static void answer_each(struct finish *f)
{
	bool stored = false;

	for (size_t i = 0; i < f->transaction->count; i++) {
		const struct ph_delivery_recipient *recipient = &f->recipients[i];
		struct answer answer;

		if (recipient->result == 0) {
			answer_set(&answer, 250, "2.0.0", "<%.*s> Message taken as %s",
				PH_STR_ARGS(recipient->address), f->transaction->id);
		} else {
			explain(recipient, &answer);
			count_failure(f, &answer, failure_kind(recipient));
		}
		stored |= recipient->result == 0;
		reply_answer(f->session, &answer);
	}
	if (stored)
		log_accepted(f);
}

static void answer_refused(struct finish *f)
{
	size_t times = f->session->profile->answer_each ? f->transaction->count : 1;

	count_failure(f, &f->refused, f->why);
	for (size_t i = 0; i < times; i++)
		reply_answer(f->session, &f->refused);
}

static struct ph_delivery_recipient *recipients_of(
	const struct transaction *transaction, struct ph_pool *pool)
{
	struct ph_delivery_recipient *recipients =
		ph_pool_array(pool, transaction->count, sizeof(*recipients));

	for (size_t i = 0; i < transaction->count; i++) {
		recipients[i].address = transaction->recipients[i].address;
		recipients[i].route = transaction->recipients[i].route;
	}
	return recipients;
}

void message_finish(struct session *session, struct incoming *incoming, struct ph_pool *pool)
{
	struct finish f = {
		.session = session,
		.transaction = session->transaction,
		.incoming = incoming,
		.pool = pool,
		.recipients = recipients_of(session->transaction, pool),
		.discard = session->transaction->discard,
	};

	check_incoming(&f);
	if (f.refused.code == 0 && !f.discard) {
		parse(&f);
		check_loop(&f);
		complete(&f);
		ask_policy(&f);
		deliver(&f);
	}
	if (f.refused.code != 0)
		answer_refused(&f);
	else if (session->profile->answer_each)
		answer_each(&f);
	else
		answer_all(&f);
}
