/* MAIL (RFC 5321, 4.1.1.2), with the parameters SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954). */
#include <config.h>

#include "commands.h"

#include <posthorn/log.h>

#include "hooks.h"
#include "reply.h"
#include "smtp.h"

static void answer_fault(struct session *session, enum path_fault fault)
{
	if (fault == PATH_SYNTAX)
		reply(session, 501, "5.5.4", "Syntax: MAIL FROM:<address>");
	else if (fault == PATH_PARAMETERS)
		reply(session, 501, "5.5.4", "The parameters are malformed");
	else if (fault == PATH_UTF8)
		reply(session, 553, "5.6.7", "Addresses are ASCII here");
	else
		reply(session, 501, "5.1.7", "%s",
			fault == PATH_LENGTH ? "The address is too long" : "This is not an address");
}

static bool take_size(struct session *session, struct call *call, struct ph_str value)
{
	/* RFC 1870, 3: 1*20DIGIT; beyond 64 bits it is merely far too large. */
	bool digits = value.len > 0 && value.len <= 20;

	for (size_t i = 0; i < value.len; i++)
		digits &= ph_is_digit(value.data[i]);
	if (!digits) {
		reply(session, 501, "5.5.4", "SIZE wants a number of bytes");
		return false;
	}
	if (!ph_str_number(value, (uint64_t)smtp_config.max_message_size, &call->declared_size)) {
		count_refused_message(REFUSED_LIMIT);
		reply(session, 552, "5.3.4", "A message may have %lld bytes here",
			(long long)smtp_config.max_message_size);
		return false;
	}
	return true;
}

static bool take_body(struct session *session, struct call *call, struct ph_str value)
{
	call->body = ph_str_case_eq(value, PH_STR("7BIT"))       ? "7BIT"
		     : ph_str_case_eq(value, PH_STR("8BITMIME")) ? "8BITMIME"
								 : NULL;
	if (!call->body)
		reply(session, 501, "5.5.4", "BODY is 7BIT or 8BITMIME");
	return call->body != NULL;
}

/* RFC 4954, 5: who submitted it elsewhere is of no use here, but has to be understood. */
static bool take_auth(struct session *session, struct call *call, struct ph_str value)
{
	(void)call;
	if (!parse_auth_parameter(value))
		reply(session, 501, "5.5.4", "AUTH is malformed");
	return parse_auth_parameter(value);
}

static bool take_parameter(struct session *session, struct call *call, const struct parameter *parameter)
{
	if (session->extended && ph_str_case_eq(parameter->keyword, PH_STR("SIZE")))
		return take_size(session, call, parameter->value);
	if (session->extended && ph_str_case_eq(parameter->keyword, PH_STR("BODY")))
		return take_body(session, call, parameter->value);
	if (session->extended && session->profile->login &&
		ph_str_case_eq(parameter->keyword, PH_STR("AUTH")))
		return take_auth(session, call, parameter->value);
	reply(session, 555, "5.5.4", "The parameter %.*s is not known here", PH_STR_ARGS(parameter->keyword));
	return false;
}

/* May a user send with this address? Those that lead to the user's own account are the user's, and the null
 * path, which reports about delivered messages need. */
static bool check_sender(struct session *session, struct call *call)
{
	struct ph_route route;
	int code;

	if (!session->profile->login || smtp_config.submission_sender == SENDER_ANY ||
		ph_address_is_null(&call->path.address))
		return true;
	code = smtp_services.delivery->resolve(&call->path.address, call->pool, &route, &call->error);
	for (size_t i = 0; code == 0 && i < route.count; i++)
		if (route.targets[i].account == session->account)
			return true;
	if (code == 0 || code == PH_E_ABSENT || code == PH_E_UNSUPPORTED || code == PH_E_LIMIT) {
		count_refused_message(REFUSED_POLICY);
		ph_log(PH_LOG_INFO, "sender refused", PH_LOG_STR("from", call->address),
			PH_LOG_TEXT("why", "not the user's own"));
		reply(session, 550, "5.7.1", "This sender address is not yours");
	} else {
		count_refused_message(REFUSED_TEMPORARY);
		ph_log(PH_LOG_WARN, "sender cannot be checked", PH_LOG_ERROR_DETAIL(&call->error));
		reply(session, 451, "4.3.0", "The sender cannot be checked now");
	}
	return false;
}

bool mail_check(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	enum path_fault fault;

	if (session->profile->login && !session->logged_in) {
		reply(session, 530, "5.7.0", "Log in first");
		return false;
	}
	fault = parse_path_arguments(smtp_services.address, call->arguments, PH_STR("FROM:"), PH_ADDRESS_NULL,
		call->pool, &call->path);
	if (fault != PATH_GOOD) {
		answer_fault(session, fault);
		return false;
	}
	for (size_t i = 0; i < call->path.count; i++)
		if (!take_parameter(session, call, &call->path.parameters[i]))
			return false;
	call->address = smtp_services.address->format(&call->path.address, call->pool);
	return check_sender(session, call);
}

/* What a policy wants instead: an address, or nothing for the null path. */
static bool rewrite(struct session *session, struct call *call, struct ph_str value)
{
	struct ph_address address = { 0 };

	if (ph_str_eq(value, PH_STR("<>")))
		value = PH_STR("");
	if (value.len > 0 && smtp_services.address->parse(value, 0, call->pool, &address) != 0) {
		ph_log(PH_LOG_ERROR, "smtp.mail: rewrite to what is no address", PH_LOG_STR("value", value));
		reply(session, 451, "4.3.0", "The server's policy has a fault");
		return false;
	}
	call->path.address = address;
	call->address = smtp_services.address->format(&address, call->pool);
	return true;
}

bool mail_hook(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct sender_object sender = { call->address, &call->path.address, call->declared_size, call->body };
	struct ph_verdict verdict;
	struct answer answer;

	hook_mail(session, call->pool, &sender, &verdict);
	if (verdict_refuses(&verdict)) {
		answer_verdict(&answer, &verdict);
		count_refused_message(verdict.kind == PH_DEFER ? REFUSED_TEMPORARY : REFUSED_POLICY);
		ph_log(PH_LOG_INFO, "sender refused", PH_LOG_STR("from", call->address),
			PH_LOG_TEXT("why", "policy"), PH_LOG_NUMBER("code", answer.code));
		reply_answer(session, &answer);
		session->ending = verdict.kind == PH_DISCONNECT;
		return false;
	}
	call->discard = verdict.kind == PH_DISCARD;
	return verdict.kind != PH_REWRITE || rewrite(session, call, verdict.value);
}

void mail_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;

	transaction_begin(session, call->address)->discard = call->discard;
	reply(session, 250, "2.1.0", "Sender taken");
}
