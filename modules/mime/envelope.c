/* ENVELOPE (RFC 3501, 7.4.2 and 9; RFC 9051, 7.5.2):
 *
 *   envelope = "(" date SP subject SP from SP sender SP reply-to SP to SP cc SP bcc SP in-reply-to SP
 * message-id ")" address  = "(" name SP adl SP mailbox SP host ")"
 *
 * A NIL host marks a group's beginning and a NIL mailbox its end, so an address that lacks either gets a word
 * there that says so. Texts are unfolded and otherwise as the writer has them; encoded words are decoded by
 * clients. */
#include "envelope.h"

#include "addresses.h"
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

/* Returns how many there were. */
static size_t add_addresses(struct ph_buf *buf, struct ph_str value, size_t max, struct ph_pool *scratch)
{
	const struct ph_mime_address *addresses;
	size_t count = value.len ? addresses_parse(value, max, scratch, &addresses) : 0;
	if (count == 0) {
		ph_buf_add_text(buf, "NIL");
		return 0;
	}
	ph_buf_add_char(buf, '(');
	for (size_t i = 0; i < count; i++)
		add_address(buf, &addresses[i]);
	ph_buf_add_char(buf, ')');
	return count;
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
static void add_address_fields(
	struct ph_buf *buf, const struct ph_str values[FIELD_COUNT], size_t max, struct ph_pool *scratch)
{
	size_t left = max;
	size_t from_begin = 0, from_length = 0;
	for (int field = FIELD_FROM; field <= FIELD_BCC; field++) {
		size_t begin = buf->len;
		size_t count = add_addresses(buf, values[field], left, scratch);
		left -= count;
		if (field == FIELD_FROM) {
			from_begin = begin;
			from_length = buf->len - begin;
		} else if (count == 0 && (field == FIELD_SENDER || field == FIELD_REPLY_TO)) {
			buf->len = begin;
			if (ph_buf_reserve(buf, from_length))
				ph_buf_add(buf, buf->data + from_begin, from_length);
		}
		ph_buf_add_char(buf, ' ');
	}
}

struct ph_str envelope_make(
	const struct ph_str values[FIELD_COUNT], size_t max, struct ph_pool *pool, struct ph_pool *scratch)
{
	struct ph_buf buf;
	ph_buf_init(&buf, SIZE_MAX);
	ph_buf_reserve(&buf, ENVELOPE_USUAL);
	ph_buf_add_char(&buf, '(');
	add_text(&buf, values[FIELD_DATE], scratch);
	ph_buf_add_char(&buf, ' ');
	add_text(&buf, values[FIELD_SUBJECT], scratch);
	ph_buf_add_char(&buf, ' ');
	add_address_fields(&buf, values, max, scratch);
	add_text(&buf, values[FIELD_IN_REPLY_TO], scratch);
	ph_buf_add_char(&buf, ' ');
	add_text(&buf, values[FIELD_MESSAGE_ID], scratch);
	ph_buf_add_char(&buf, ')');
	struct ph_str envelope = ph_pool_str(pool, ph_buf_str(&buf));
	ph_buf_free(&buf);
	return envelope;
}
