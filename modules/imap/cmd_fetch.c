/* FETCH (RFC 3501, 6.4.5 and 7.4.2; object ids of RFC 8474; BINARY of RFC 3516; PREVIEW of RFC 8970;
 * SAVEDATE of RFC 8514).
 *
 * What the store has ready in a message's record and summary is printed without opening the message; sections
 * are sent from the store's memory, piece by piece. \Seen is set beforehand, for all messages in one
 * transaction; the responses of those it changed carry FLAGS as well. */
#include <posthorn/fiber.h>
#include <posthorn/log.h>

#include "body.h"
#include "dates.h"
#include "print.h"
#include "session.h"

#define PIECE 8192
/* A response without its sections: the texts of one summary. */
#define RESPONSE_MAX (64 * 1024 * 1024)
/* So many responses are made before others get their turn; with sections, so many. */
#define YIELD_EVERY 256
#define YIELD_EVERY_BODY 8
#define SUMMARY_ITEMS (FETCH_ENVELOPE | FETCH_BODY | FETCH_BODYSTRUCTURE | FETCH_PREVIEW)

/* fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att)
 * ")") */
bool check_fetch(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	if (!check_messages(call))
		return false;
	if (!parse_space(parser) || !parse_fetch(parser, &call->fetch) || !parse_end(parser))
		return reply_parse_error(call);
	if (call->uid)
		call->fetch.items |= FETCH_UID;
	return true;
}

struct fetching {
	struct call *call;
	const struct fetch *fetch;
	struct body_reader body;
	struct ph_buf out;
	bool first;                /* the next item is the response's first */
	struct ph_uid_set changed; /* messages whose flags the client does not know yet */
	uint64_t count;
	int code; /* the first failure */
	struct ph_error error;
};

static void write_out(struct fetching *fetching, size_t limit)
{
	if (fetching->out.len <= limit)
		return;
	ph_conn_write(fetching->call->conn, ph_buf_str(&fetching->out));
	ph_buf_reset(&fetching->out);
}

static struct ph_buf *begin_item(struct fetching *fetching, struct ph_str name)
{
	if (!fetching->first)
		ph_buf_add_char(&fetching->out, ' ');
	fetching->first = false;
	ph_buf_add_str(&fetching->out, name);
	ph_buf_add_char(&fetching->out, ' ');
	return &fetching->out;
}

static void print_date(struct ph_buf *out, int64_t seconds, int zone)
{
	char text[DATE_TIME_SIZE];
	size_t len = date_time_print(seconds, zone, text);

	ph_buf_add_char(out, '"');
	ph_buf_add(out, text, len);
	ph_buf_add_char(out, '"');
}

static void print_email_id(struct ph_buf *out, const struct ph_message *message)
{
	char id[PH_EMAIL_ID_SIZE];

	store->message_email_id(message, id);
	ph_buf_printf(out, "(%s)", id);
}

/* NIL when it was stored before there were threads (RFC 8474, 5.2). */
static void print_thread_id(struct ph_buf *out, const struct ph_message *message)
{
	char id[PH_THREAD_ID_SIZE];

	if (store->message_thread_id(message, id))
		ph_buf_printf(out, "(%s)", id);
	else
		ph_buf_add_text(out, "NIL");
}

static void print_record(struct fetching *fetching, const struct ph_message *message)
{
	unsigned items = fetching->fetch->items;

	if (store->uid_set_has(&fetching->changed, message->uid))
		items |= FETCH_FLAGS;
	if (items & FETCH_UID)
		print_number(begin_item(fetching, PH_STR("UID")), message->uid);
	if (items & FETCH_FLAGS)
		print_flags(begin_item(fetching, PH_STR("FLAGS")), message->flags, message->recent,
			message->keywords, message->keyword_count);
	if (items & FETCH_INTERNALDATE)
		print_date(begin_item(fetching, PH_STR("INTERNALDATE")), message->internal_date,
			message->internal_zone);
	if (items & FETCH_SAVEDATE)
		print_date(begin_item(fetching, PH_STR("SAVEDATE")), message->save_date, 0);
	if (items & FETCH_SIZE)
		print_number(begin_item(fetching, PH_STR("RFC822.SIZE")), message->size);
	if (items & FETCH_EMAILID)
		print_email_id(begin_item(fetching, PH_STR("EMAILID")), message);
	if (items & FETCH_THREADID)
		print_thread_id(begin_item(fetching, PH_STR("THREADID")), message);
}

static void print_summary(struct fetching *fetching)
{
	unsigned items = fetching->fetch->items;
	const struct ph_mime_message *message = &fetching->body.mime;

	if (items & FETCH_ENVELOPE)
		ph_buf_add_str(begin_item(fetching, PH_STR("ENVELOPE")), message->envelope);
	if (items & FETCH_BODY)
		ph_buf_add_str(begin_item(fetching, PH_STR("BODY")), message->body);
	if (items & FETCH_BODYSTRUCTURE)
		ph_buf_add_str(begin_item(fetching, PH_STR("BODYSTRUCTURE")), message->bodystructure);
	if (items & FETCH_PREVIEW)
		print_string(begin_item(fetching, PH_STR("PREVIEW")), message->preview);
}

static void begin_literal(struct fetching *fetching, const char *open, uint64_t size)
{
	ph_buf_add_text(&fetching->out, open);
	print_number(&fetching->out, size);
	ph_buf_add_text(&fetching->out, "}\r\n");
	write_out(fetching, 0);
}

/* A section that the message does not have is NIL. Another failure is one of reading, when bytes may be
 * promised already: then the connection cannot go on. */
static int send_body(struct fetching *fetching, const struct fetch_section *section)
{
	struct ph_buf *out = begin_item(fetching, section->label);
	struct body_piece piece;
	int code = body_find(&fetching->body, section, &piece);

	if (code == PH_E_ABSENT || code == PH_E_INVALID) {
		ph_buf_add_text(out, "NIL");
		return 0;
	}
	if (code != 0)
		return code;
	begin_literal(fetching, "{", piece.size);
	return body_send(&fetching->body, fetching->call->conn, &piece);
}

/* A part that is not there is as long as nothing (RFC 3516 leaves no NIL for a size). */
static int send_binary(struct fetching *fetching, const struct fetch_section *section)
{
	struct ph_buf *out = begin_item(fetching, section->label);
	struct body_binary binary = { 0 };
	int code = body_find_binary(&fetching->body, section, &binary);

	if (code != 0 && code != PH_E_ABSENT)
		return code;
	if (section->kind == SECTION_BINARY_SIZE) {
		print_number(out, binary.size);
		return 0;
	}
	if (code == PH_E_ABSENT) {
		ph_buf_add_text(out, "NIL");
		return 0;
	}
	begin_literal(fetching, binary.has_nul ? "~{" : "{", binary.size);
	return body_send_binary(&fetching->body, fetching->call->conn, &binary);
}

static int send_section(struct fetching *fetching, const struct fetch_section *section)
{
	return section->kind == SECTION_BODY ? send_body(fetching, section) : send_binary(fetching, section);
}

static bool needs_tree(const struct fetch *fetch)
{
	for (const struct fetch_section *section = fetch->sections; section; section = section->next) {
		if (section->name.len || section->kind != SECTION_BODY)
			return true;
	}
	return false;
}

/* Makes all ready that may fail before the response begins. */
static int prepare(struct fetching *fetching, const struct ph_message *message)
{
	bool tree = needs_tree(fetching->fetch);
	int code = 0;

	body_begin(&fetching->body, message);
	if (fetching->fetch->sections)
		code = body_open(&fetching->body, &fetching->error);
	if (code == 0 && (tree || fetching->fetch->items & SUMMARY_ITEMS))
		code = body_load(&fetching->body, tree, &fetching->error);
	for (const struct fetch_section *s = fetching->fetch->sections; s && code == 0; s = s->next)
		code = body_check(&fetching->body, s, &fetching->error);
	return code;
}

static int send_response(struct fetching *fetching, const struct ph_message *message)
{
	struct ph_buf *out = &fetching->out;
	int code = 0;

	ph_buf_add_text(out, "* ");
	print_number(out, store->view_sequence(fetching->call->session->mailbox, message->uid));
	ph_buf_add_text(out, " FETCH (");
	fetching->first = true;
	print_record(fetching, message);
	print_summary(fetching);
	for (const struct fetch_section *s = fetching->fetch->sections; s && code == 0; s = s->next)
		code = send_section(fetching, s);
	ph_buf_add_text(out, ")\r\n");
	return code;
}

/* False when the session must end. A message that is gone meanwhile is left out. */
static bool fetch_message(struct fetching *fetching, const struct ph_message *message)
{
	int code = prepare(fetching, message);

	if (code != 0) {
		if (code != PH_E_ABSENT && fetching->code == 0)
			fetching->code = code;
		return true;
	}
	code = send_response(fetching, message);
	if (code != 0) {
		if (!ph_conn_error(fetching->call->conn))
			ph_log(PH_LOG_ERROR, "message became unreadable", PH_LOG_NUMBER("uid", message->uid),
				PH_LOG_TEXT("code", ph_code_name(code)));
		fetching->call->session->closing = true;
		return false;
	}
	write_out(fetching, PIECE);
	if (++fetching->count % (fetching->fetch->sections ? YIELD_EVERY_BODY : YIELD_EVERY) == 0)
		ph_fiber_yield();
	return ph_conn_error(fetching->call->conn) == 0;
}

static bool reads_summary(const struct fetch *fetch)
{
	return fetch->items & SUMMARY_ITEMS || needs_tree(fetch);
}

static void fetch_all(struct fetching *fetching)
{
	struct call *call = fetching->call;
	struct ph_message_iterator *iterator = store->messages_begin(
		call->session->mailbox, &call->uids, reads_summary(fetching->fetch) ? PH_MESSAGE_SUMMARY : 0);
	const struct ph_message *message;
	int code;

	while (store->messages_next(iterator, &message) && fetch_message(fetching, message))
		;
	body_begin(&fetching->body, NULL);
	code = store->messages_end(&iterator, fetching->code ? NULL : &fetching->error);
	if (fetching->code == 0)
		fetching->code = code;
	write_out(fetching, 0);
}

/* Those of the messages that are not \Seen yet. */
static int find_unseen(struct call *call, struct ph_uid_set *unseen, struct ph_error *error)
{
	struct ph_message_iterator *iterator = store->messages_begin(call->session->mailbox, &call->uids, 0);
	const struct ph_message *message;

	while (store->messages_next(iterator, &message)) {
		if (!(message->flags & PH_FLAG_SEEN))
			store->uid_set_add(unseen, message->uid, message->uid);
	}
	return store->messages_end(&iterator, error);
}

/* Sets \Seen where it is missing. The news that follow are told but for these messages' flags, which come
 * with their responses. A message can be read also when nothing can be written: then it stays unseen. False
 * when the session must end. */
static bool set_seen(struct fetching *fetching)
{
	struct call *call = fetching->call;
	struct session *session = call->session;
	const struct ph_flag_list seen = { .flags = PH_FLAG_SEEN };
	struct ph_error error = { 0 };
	int code = find_unseen(call, &fetching->changed, &error);

	if (code == 0 && fetching->changed.count == 0)
		return true;
	if (code == 0)
		code = store->messages_flag(session->actor, session->mailbox, &fetching->changed,
			PH_FLAGS_ADD, &seen, 0, NULL, &error);
	if (code != 0) {
		ph_log(PH_LOG_WARN, "messages could not be marked as seen", PH_LOG_ERROR_DETAIL(&error));
		return true;
	}
	return sync_mailbox(session, call->pool, call->uid, call->uid, &fetching->changed);
}

/* By sequence numbers only messages can be asked for that the client was told of; some may be gone meanwhile.
 */
static void reply_fetched(struct fetching *fetching)
{
	struct call *call = fetching->call;

	call->session->fetched += (uint32_t)fetching->count;
	if (call->session->closing)
		return;
	if (fetching->code == PH_E_UNSUPPORTED)
		reply_no(call, "[UNKNOWN-CTE] %s", fetching->error.client);
	else if (fetching->code != 0)
		reply_error(call, fetching->code, &fetching->error);
	else if (!call->uid && fetching->count < store->uid_set_count(&call->uids))
		reply_ok(call, "[EXPUNGEISSUED] Some messages are gone");
	else
		reply_ok(call, "FETCH completed");
}

void cmd_fetch(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct fetching fetching = { .call = call, .fetch = &call->fetch };

	ph_buf_init(&fetching.out, RESPONSE_MAX);
	body_init(&fetching.body, session->mailbox);
	if (!call->fetch.sets_seen || session->read_only || set_seen(&fetching))
		fetch_all(&fetching);
	reply_fetched(&fetching);
	body_free(&fetching.body);
	ph_buf_free(&fetching.out);
	store->uid_set_free(&fetching.changed);
}
