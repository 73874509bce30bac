/* ENVELOPE (RFC 3501, 7.4.2 and 9; RFC 9051, 7.5.2):
 *
 *   envelope = "(" date SP subject SP from SP sender SP reply-to SP to SP cc SP bcc SP in-reply-to SP
 * message-id ")" address  = "(" name SP adl SP mailbox SP host ")"
 *
 * A NIL host marks a group's beginning and a NIL mailbox its end, so an address that lacks either gets a word
 * there that says so. Texts are unfolded and otherwise as the writer has them; encoded words are decoded by
 * clients. */
#include "envelope.h"

#include "header.h"
#include "imap_text.h"

enum { ENVELOPE_USUAL = 1024 };

static void add_part(struct ph_buf *buf, struct ph_str text, const char *missing)
{
	imap_add_string(buf, text.len ? text : ph_str(missing));
}

static void add_address(struct ph_buf *buf, const struct ph_mime_address *address)
{
	ph_buf_add_char(buf, '(');
	if (address->kind == PH_MIME_MAILBOX) {
		imap_add_nstring(buf, address->name);
		ph_buf_add_char(buf, ' ');
		imap_add_nstring(buf, address->route);
		ph_buf_add_char(buf, ' ');
		add_part(buf, address->local, "MISSING_MAILBOX");
		ph_buf_add_char(buf, ' ');
		add_part(buf, address->domain, "MISSING_DOMAIN");
	} else {
		ph_buf_add_text(buf, "NIL NIL ");
		if (address->kind == PH_MIME_GROUP_BEGIN)
			imap_add_string(buf, address->name);
		else
			ph_buf_add_text(buf, "NIL");
		ph_buf_add_text(buf, " NIL");
	}
	ph_buf_add_char(buf, ')');
}

static void add_addresses(struct ph_buf *buf, const struct address_list *list)
{
	ph_buf_add_char(buf, '(');
	for (size_t i = 0; i < list->count; i++)
		add_address(buf, &list->items[i]);
	ph_buf_add_char(buf, ')');
}

/* NIL when the field is absent, but "" when it is empty. */
static void add_text(struct ph_buf *buf, struct ph_str value, struct ph_pool *scratch)
{
	if (value.data)
		imap_add_string(buf, header_unfold(value, scratch));
	else
		ph_buf_add_text(buf, "NIL");
}

/* Sender and Reply-To are the From field where they are missing. */
static void add_address_fields(struct ph_buf *buf, const struct address_list lists[FIELD_COUNT])
{
	for (int field = FIELD_FROM; field <= FIELD_BCC; field++) {
		bool is_from = lists[field].count == 0 && (field == FIELD_SENDER || field == FIELD_REPLY_TO);
		const struct address_list *list = &lists[is_from ? FIELD_FROM : field];
		if (list->count > 0)
			add_addresses(buf, list);
		else
			ph_buf_add_text(buf, "NIL");
		ph_buf_add_char(buf, ' ');
	}
}

struct ph_str envelope_make(const struct ph_str values[FIELD_COUNT],
	const struct address_list lists[FIELD_COUNT], struct ph_pool *pool, struct ph_pool *scratch)
{
	struct ph_buf buf;
	ph_buf_init(&buf, SIZE_MAX);
	ph_buf_reserve(&buf, ENVELOPE_USUAL);
	ph_buf_add_char(&buf, '(');
	add_text(&buf, values[FIELD_DATE], scratch);
	ph_buf_add_char(&buf, ' ');
	add_text(&buf, values[FIELD_SUBJECT], scratch);
	ph_buf_add_char(&buf, ' ');
	add_address_fields(&buf, lists);
	add_text(&buf, values[FIELD_IN_REPLY_TO], scratch);
	ph_buf_add_char(&buf, ' ');
	add_text(&buf, values[FIELD_MESSAGE_ID], scratch);
	ph_buf_add_char(&buf, ')');
	struct ph_str envelope = ph_pool_str(pool, ph_buf_str(&buf));
	ph_buf_free(&buf);
	return envelope;
}
