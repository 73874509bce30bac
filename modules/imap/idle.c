/* IDLE (RFC 2177) without a waiting fiber: the command's turn ends at once; the mailbox's watch asks for an
 * event turn, which tells the news; the client's DONE comes as an input turn. */
#include <stdlib.h>

#include "session.h"

#define DONE_MAX 1000

static void changed(void *arg)
{
	struct session *session = arg;

	ph_conn_post(session->conn);
}

static bool tell_news(struct session *session)
{
	struct ph_pool *pool;
	bool goes_on;

	if (session->state != SELECTED)
		return true;
	pool = turn_pool_take();
	goes_on = sync_mailbox(session, pool, true, false, NULL);
	turn_pool_give(pool);
	return goes_on;
}

/* idle = "IDLE" CRLF "DONE" */
void cmd_idle(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;

	session->idle_tag = ph_str_dup(call->tag);
	session->bad_in_row = 0;
	if (session->state == SELECTED)
		store->mailbox_watch(session->mailbox, changed, session);
	ph_conn_text(session->conn, "+ idling\r\n");
	tell_news(session);
}

void idle_end(struct session *session)
{
	if (!session->idle_tag)
		return;
	if (session->mailbox)
		store->mailbox_watch(session->mailbox, NULL, NULL);
	free(session->idle_tag);
	session->idle_tag = NULL;
}

static void answer(struct session *session, int read, struct ph_str line)
{
	if (read == 0 && ph_str_case_eq(line, PH_STR("DONE"))) {
		if (tell_news(session))
			ph_conn_printf(session->conn, "%s OK IDLE ended\r\n", session->idle_tag);
	} else {
		imap_count_bad();
		ph_conn_printf(session->conn, "%s BAD Expected DONE\r\n", session->idle_tag);
	}
}

enum ph_turn idle_input(struct session *session)
{
	struct ph_str line = PH_STR("");
	int result;

	ph_conn_set_turn_timeout(session->conn, imap_config.command_timeout);
	result = session_read_line(session, DONE_MAX, &line);
	if (result < 0 && result != PH_E_LIMIT && result != PH_E_INVALID)
		return PH_TURN_CLOSE;
	answer(session, result, line);
	idle_end(session);
	return session->closing ? PH_TURN_CLOSE : PH_TURN_KEEP;
}

enum ph_turn idle_event(struct session *session)
{
	return tell_news(session) ? PH_TURN_KEEP : PH_TURN_CLOSE;
}
