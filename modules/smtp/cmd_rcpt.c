/* RCPT (RFC 5321, 4.1.1.3): looks the recipient up, asks policy, and takes it when it is local. Nothing is
 * relayed. */
#include <config.h>

#include "commands.h"

#include <posthorn/log.h>

#include "hooks.h"
#include "reply.h"
#include "smtp.h"

static void answer_fault(struct session *session, enum path_fault fault)
{
	if (fault == PATH_SYNTAX)
		reply(session, 501, "5.5.4", "Syntax: RCPT TO:<address>");
	else if (fault == PATH_PARAMETERS)
		reply(session, 501, "5.5.4", "The parameters are malformed");
	else if (fault == PATH_UTF8)
		reply(session, 553, "5.6.7", "Addresses are ASCII here");
	else
		reply(session, 501, "5.1.3", "%s",
			fault == PATH_LENGTH ? "The address is too long" : "This is not an address");
}

bool rcpt_check(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	enum path_fault fault = parse_path_arguments(smtp_services.address, call->arguments, PH_STR("TO:"),
		PH_ADDRESS_POSTMASTER, call->pool, &call->path);

	if (fault != PATH_GOOD) {
		answer_fault(session, fault);
	} else if (call->path.count > 0) {
		reply(session, 555, "5.5.4", "The parameter %.*s is not known here",
			PH_STR_ARGS(call->path.parameters[0].keyword));
	} else if (session->transaction->count >= (size_t)smtp_config.max_recipients) {
		count_refused_recipient(REFUSED_LIMIT);
		reply(session, 452, "4.5.3", "Too many recipients");
	} else {
		return true;
	}
	return false;
}

static void look_up(struct call *call)
{
	call->address = smtp_services.address->format(&call->path.address, call->pool);
	call->resolved =
		smtp_services.delivery->resolve(&call->path.address, call->pool, &call->route, &call->error);
}

/* The words for a recipient that cannot be taken. */
static enum refusal explain(const struct session *session, const struct call *call, struct answer *answer)
{
	switch (call->resolved) {
	case PH_E_ABSENT:
		answer_set(answer, 550, "5.1.1", "No such user here");
		return REFUSED_UNKNOWN;
	case PH_E_UNSUPPORTED:
		if (session->profile->login)
			answer_set(answer, 550, "5.1.2",
				"Mail to other domains is not delivered by this server: %.*s is not one of "
				"its own",
				PH_STR_ARGS(call->path.address.domain));
		else
			answer_set(answer, 550, "5.7.1", "Relaying is denied");
		return REFUSED_RELAY;
	case PH_E_LIMIT:
		answer_set(answer, 550, "5.4.6", "The aliases of this address go round or lead to too many");
		return REFUSED_LIMIT;
	default:
		answer_set(answer, 451, "4.3.0", "The recipient cannot be looked up now");
		return REFUSED_TEMPORARY;
	}
}

static void refuse(struct session *session, struct call *call, const struct answer *answer, enum refusal why)
{
	count_refused_recipient(why);
	ph_log(why == REFUSED_TEMPORARY ? PH_LOG_WARN : PH_LOG_INFO, "recipient refused",
		PH_LOG_STR("from", session->transaction->reverse_path), PH_LOG_STR("to", call->address),
		PH_LOG_NUMBER("code", answer->code), PH_LOG_TEXT("why", answer->text),
		PH_LOG_TEXT("error", call->error.detail));
	reply_answer(session, answer);
}

/* Carries out what policy said in the place of the address' own route. */
static void apply_verdict(struct call *call, const struct ph_verdict *verdict)
{
	const char *point = smtp_rcpt_hook.name;

	if (verdict->kind == PH_DISCARD) {
		call->route = (struct ph_route){ .discard = true };
		call->resolved = 0;
	} else if (verdict->kind == PH_REWRITE) {
		int code = smtp_services.address->parse(
			verdict->value, PH_ADDRESS_POSTMASTER, call->pool, &call->path.address);

		if (code == 0) {
			look_up(call);
			return;
		}
		ph_log(PH_LOG_ERROR, "smtp.rcpt: rewrite to what is no address",
			PH_LOG_STR("value", verdict->value));
		call->resolved = PH_E_INVALID;
	} else if (verdict->kind == PH_ROUTE && (call->resolved == 0 || ph_verdict_field(verdict, "to"))) {
		call->resolved = verdict_route(point, verdict, call->pool, &call->route, &call->error);
	}
}

bool rcpt_hook(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct recipient_object recipient;
	struct ph_verdict verdict;
	struct answer answer;

	look_up(call);
	if (call->resolved != 0 && call->resolved != PH_E_ABSENT && call->resolved != PH_E_UNSUPPORTED)
		return true;
	recipient = (struct recipient_object){
		.address = call->address,
		.parts = &call->path.address,
		.from = session->transaction->reverse_path,
		.known = call->resolved == 0             ? "yes"
			 : call->resolved == PH_E_ABSENT ? "no"
							 : "remote",
	};
	hook_rcpt(session, call->pool, &recipient, &verdict);
	if (verdict_refuses(&verdict)) {
		answer_verdict(&answer, &verdict);
		refuse(session, call, &answer, verdict.kind == PH_DEFER ? REFUSED_TEMPORARY : REFUSED_POLICY);
		session->ending = verdict.kind == PH_DISCONNECT;
		return false;
	}
	apply_verdict(call, &verdict);
	return true;
}

void rcpt_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct answer answer;

	if (call->resolved != 0) {
		enum refusal why = explain(session, call, &answer);

		refuse(session, call, &answer, why);
		return;
	}
	transaction_add(session->transaction, call->address, &call->route);
	reply(session, 250, "2.1.5", "Recipient taken");
}
