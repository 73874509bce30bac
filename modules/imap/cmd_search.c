/* SEARCH (RFC 3501, 6.4.4). Results are written as they are found. A key is evaluated with what is cheapest:
 * the message's record, its summary, its header, at last all of it; other sessions get their turn in between.
 */
#include <posthorn/fiber.h>

#include "body.h"
#include "dates.h"
#include "print.h"
#include "session.h"

#define PIECE 4096
/* So many records are looked at before others get their turn; of messages, each. */
#define YIELD_EVERY 256
#define VALUE_MEMORY (8 * 1024 * 1024)
#define SHORT_TEXT (16 * 1024)

/* Finds the messages of the sets in the tree. False when a sequence number is not there. */
static bool resolve_keys(const struct ph_mailbox *mailbox, struct search_key *key)
{
	if (key->type == SEARCH_SEQUENCE || key->type == SEARCH_UID)
		return resolve_set(mailbox, &key->set, key->type == SEARCH_UID, &key->uids);
	for (struct search_key *child = key->children; child; child = child->next) {
		if (!resolve_keys(mailbox, child))
			return false;
	}
	return true;
}

static void free_keys(struct search_key *key)
{
	store->uid_set_free(&key->uids);
	for (struct search_key *child = key->children; child; child = child->next)
		free_keys(child);
}

bool check_search(void *session, void *pointer)
{
	struct call *call = pointer;
	struct parser *parser = &call->parser;

	(void)session;
	if (!parse_space(parser) || !parse_search(parser, &call->search) || !parse_end(parser))
		return reply_parse_error(call);
	if (search_charset_is_known(call->search.charset))
		return true;
	reply_no(call, "[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
	return false;
}

struct searching {
	struct call *call;
	struct body_reader body;
	struct ph_pool *values; /* decoded header fields, cleared for each */
	struct ph_uid_set flagged;
	struct ph_buf out;
	uint64_t count;
	int code;
	struct ph_error error;
};

static bool has_keyword(const struct ph_message *message, struct ph_str keyword)
{
	for (size_t i = 0; i < message->keyword_count; i++) {
		if (ph_str_case_eq(message->keywords[i], keyword))
			return true;
	}
	return false;
}

static bool match_day(enum search_type type, int64_t day, int64_t wanted)
{
	switch (type) {
	case SEARCH_BEFORE:
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SENTBEFORE:
		return day < wanted;
	case SEARCH_ON:
	case SEARCH_SAVEDON:
	case SEARCH_SENTON:
		return day == wanted;
	default:
		return day >= wanted;
	}
}

/* A message without a Date that can be read counts as sent when it came. */
static int64_t sent_day(const struct ph_mime_message *mime_message, const struct ph_message *message)
{
	return mime_message->date.known ? day_of_moment(mime_message->date.time, mime_message->date.zone)
					: day_of_moment(message->internal_date, message->internal_zone);
}

static struct ph_str summary_text(const struct ph_mime_message *message, struct ph_str name)
{
	if (ph_str_case_eq(name, PH_STR("Subject")))
		return message->subject;
	if (ph_str_case_eq(name, PH_STR("From")))
		return message->from;
	if (ph_str_case_eq(name, PH_STR("To")))
		return message->to;
	if (ph_str_case_eq(name, PH_STR("Cc")))
		return message->cc;
	if (ph_str_case_eq(name, PH_STR("Bcc")))
		return message->bcc;
	return message->message_id;
}

/* 1 or 0. A thousand keys may look at one text: before a long one others get their turn. */
static int match_summary(struct searching *searching, const struct search_key *key)
{
	struct ph_str text = summary_text(&searching->body.mime, key->name);

	if (text.len > SHORT_TEXT)
		ph_fiber_yield();
	return mime->text_contains(text, key->text);
}

/* 1, 0, or a negative code. */
static int match_header(struct searching *searching, const struct search_key *key)
{
	const struct ph_mime_part *root = searching->body.mime.root;
	struct ph_mime_field field;
	struct ph_str header;
	char name[128];
	bool found = false;
	int code = body_open(&searching->body, &searching->error);

	if (code == 0)
		code = body_header(&searching->body, root->header_offset, root->header_size, &header);
	if (code != 0 || key->name.len >= sizeof(name))
		return code;
	memcpy(name, key->name.data, key->name.len);
	name[key->name.len] = '\0';
	while (!found && mime->header_find(&header, name, &field)) {
		if (!searching->values)
			searching->values = ph_pool_new(VALUE_MEMORY);
		found = mime->text_contains(mime->header_decode(field.value, searching->values), key->text);
		ph_pool_clear(searching->values);
	}
	return found;
}

/* 1, 0, or a negative code. */
static int match_message(struct searching *searching, const struct search_key *key)
{
	struct ph_mime_source source = body_source(&searching->body);
	int code = body_open(&searching->body, &searching->error);

	if (code != 0)
		return code;
	return mime->message_contains(&searching->body.mime, &source, key->text, key->type == SEARCH_TEXT);
}

/* Keys that need the summary or more. */
static int match_loaded(struct searching *searching, const struct search_key *key)
{
	int code = body_load(&searching->body, key->cost > COST_SUMMARY, &searching->error);

	if (code != 0)
		return code;
	switch (key->type) {
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return match_day(
			key->type, sent_day(&searching->body.mime, searching->body.message), key->day);
	case SEARCH_HEADER:
		if (key->cost == COST_SUMMARY)
			return match_summary(searching, key);
		return match_header(searching, key);
	default:
		return match_message(searching, key);
	}
}

static int match(struct searching *searching, const struct search_key *key);

/* All of the children, or any of them. */
static int match_children(struct searching *searching, const struct search_key *key)
{
	bool all = key->type == SEARCH_AND;

	for (const struct search_key *child = key->children; child; child = child->next) {
		int result = match(searching, child);
		if (result < 0 || result == !all)
			return result;
	}
	return all;
}

static bool has_email_id(const struct ph_message *message, struct ph_str id)
{
	char own[PH_EMAIL_ID_SIZE];

	store->message_email_id(message, own);
	return ph_str_eq(id, ph_str(own));
}

static bool has_thread_id(const struct ph_message *message, struct ph_str id)
{
	char own[PH_THREAD_ID_SIZE];

	return store->message_thread_id(message, own) && ph_str_eq(id, ph_str(own));
}

static int match_plain(struct searching *searching, const struct search_key *key)
{
	const struct ph_message *message = searching->body.message;

	switch (key->type) {
	case SEARCH_ALL:
		return 1;
	case SEARCH_FLAG:
		return (message->flags & key->flag) == key->flag;
	case SEARCH_RECENT:
		return message->recent;
	case SEARCH_KEYWORD:
		return has_keyword(message, key->text);
	case SEARCH_SEQUENCE:
	case SEARCH_UID:
		return store->uid_set_has(&key->uids, message->uid);
	case SEARCH_EMAILID:
		return has_email_id(message, key->text);
	case SEARCH_THREADID:
		return has_thread_id(message, key->text);
	case SEARCH_LARGER:
		return message->size > key->number;
	case SEARCH_SMALLER:
		return message->size < key->number;
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return match_day(
			key->type, day_of_moment(message->internal_date, message->internal_zone), key->day);
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return match_day(key->type, day_of_moment(message->save_date, 0), key->day);
	case SEARCH_AND:
	case SEARCH_OR:
		return match_children(searching, key);
	default:
		return match_loaded(searching, key);
	}
}

/* 1, 0, or a negative code. */
static int match(struct searching *searching, const struct search_key *key)
{
	int result = match_plain(searching, key);

	return result >= 0 && key->negated ? !result : result;
}

static void write_found(struct searching *searching, uint32_t uid)
{
	struct call *call = searching->call;

	ph_buf_add_char(&searching->out, ' ');
	print_number(&searching->out, call->uid ? uid : store->view_sequence(call->session->mailbox, uid));
	if (searching->out.len < PIECE)
		return;
	ph_conn_write(call->conn, ph_buf_str(&searching->out));
	ph_buf_reset(&searching->out);
}

/* The messages that one flag or one set of the outermost list leaves to look at; NULL for all. */
static const struct ph_uid_set *candidates(struct searching *searching)
{
	const struct search_key *root = searching->call->search.root;
	struct ph_mailbox *mailbox = searching->call->session->mailbox;

	for (const struct search_key *key = root->children; key; key = key->next) {
		if (key->type == SEARCH_FLAG && store->messages_flagged(mailbox, key->flag, !key->negated,
							&searching->flagged, NULL) == 0)
			return &searching->flagged;
	}
	for (const struct search_key *key = root->children; key; key = key->next) {
		if ((key->type == SEARCH_SEQUENCE || key->type == SEARCH_UID) && !key->negated)
			return &key->uids;
	}
	return NULL;
}

/* A message that is gone meanwhile matches nothing. */
static bool look_at(struct searching *searching, const struct ph_message *message)
{
	const struct search_key *root = searching->call->search.root;
	int result;

	body_begin(&searching->body, message);
	result = match(searching, root);
	if (result < 0 && result != PH_E_ABSENT) {
		searching->code = result;
		return false;
	}
	if (result == 1)
		write_found(searching, message->uid);
	if (++searching->count % YIELD_EVERY == 0 || searching->body.bytes)
		ph_fiber_yield();
	return ph_conn_error(searching->call->conn) == 0;
}

static void search(struct searching *searching)
{
	struct call *call = searching->call;
	const struct search_key *root = call->search.root;
	struct ph_message_iterator *iterator = store->messages_begin(call->session->mailbox,
		candidates(searching), root->cost > COST_RECORD ? PH_MESSAGE_SUMMARY : 0);
	const struct ph_message *message;
	int code;

	ph_buf_add_text(&searching->out, "* SEARCH");
	while (store->messages_next(iterator, &message) && look_at(searching, message))
		;
	body_begin(&searching->body, NULL);
	code = store->messages_end(&iterator, searching->code ? NULL : &searching->error);
	if (searching->code == 0)
		searching->code = code;
	ph_buf_add_text(&searching->out, "\r\n");
	ph_conn_write(call->conn, ph_buf_str(&searching->out));
}

void cmd_search(void *pointer, void *call_pointer)
{
	struct session *session = pointer;
	struct call *call = call_pointer;
	struct searching searching = { .call = call };

	if (!resolve_keys(session->mailbox, call->search.root)) {
		reply_bad(call, "The mailbox has fewer messages");
		free_keys(call->search.root);
		return;
	}
	ph_buf_init(&searching.out, 2 * PIECE);
	body_init(&searching.body, session->mailbox);
	search(&searching);
	body_free(&searching.body);
	ph_buf_free(&searching.out);
	ph_pool_free(&searching.values);
	store->uid_set_free(&searching.flagged);
	free_keys(call->search.root);
	if (searching.code != 0)
		reply_error(call, searching.code, &searching.error);
	else
		reply_ok(call, "SEARCH completed");
}
