/* DATA (RFC 5321, 4.1.1.4). */
#include <config.h>

#include "commands.h"

#include <posthorn/log.h>

#include "message.h"
#include "receive.h"
#include "reply.h"
#include "smtp.h"

bool data_check(void *arg, void *call)
{
	return no_arguments_check(arg, call);
}

/* The text broke off: nothing is delivered. */
static void broken_off(struct session *session, int code)
{
	ph_log(PH_LOG_INFO, "message broke off", PH_LOG_TEXT("id", session->transaction->id),
		PH_LOG_STR("from", session->transaction->reverse_path),
		PH_LOG_TEXT("why", ph_code_name(code)));
	session->ending = true;
}

void data_proceed(void *arg, void *call_arg)
{
	struct session *session = arg;
	struct call *call = call_arg;
	struct incoming incoming;
	int code;

	reply(session, 354, NULL, "Go on, ended by a line of one dot");
	ph_conn_flush(session->conn);
	code = receive_text(session, &incoming);
	if (code == 0)
		message_finish(session, &incoming, call->pool);
	else
		broken_off(session, code);
	smtp_services.store->draft_free(&incoming.draft);
	transaction_end(session);
}
