/* Keeps the client's picture of the selected mailbox true: EXPUNGE, EXISTS, RECENT, FLAGS and FETCH responses
 * that nobody asked for (RFC 3501, 5.2 and 7).
 *
 * The store's view changes only in a refresh, and every refresh's news are told before anything else is said.
 * So the sequence numbers of the view are those of the client at all times. */
#include "session.h"

#include <posthorn/fiber.h>
#include <posthorn/log.h>

#include "print.h"

/* So many messages are told before others get their turn. */
#define YIELD_EVERY 256

/* Flushed to the connection whenever it has grown so far. */
#define PIECE 8192

static void write_out(struct session *session, struct ph_buf *buf)
{
	ph_conn_write(session->conn, ph_buf_str(buf));
	ph_buf_reset(buf);
}

void print_mailbox_flags(const struct session *session, struct ph_buf *buf)
{
	static const unsigned all =
		PH_FLAG_SEEN | PH_FLAG_ANSWERED | PH_FLAG_FLAGGED | PH_FLAG_DELETED | PH_FLAG_DRAFT;
	static const struct ph_str any = PH_STR_INIT("\\*");
	const struct ph_str *keywords;
	size_t count;

	store->mailbox_keywords(session->mailbox, &keywords, &count);
	ph_buf_add_text(buf, "* FLAGS ");
	print_flags(buf, all, false, keywords, count);
	ph_buf_add_text(buf, "\r\n* OK [PERMANENTFLAGS ");
	if (session->read_only) {
		print_flags(buf, 0, false, NULL, 0);
		ph_buf_add_text(buf, "] No flag can be changed\r\n");
		return;
	}
	print_flags(buf, all, false, keywords, count);
	buf->len--;
	ph_buf_add_char(buf, ' ');
	ph_buf_add_str(buf, any);
	ph_buf_add_text(buf, ")] Flags and new keywords can be set\r\n");
}

static void tell_expunged(struct session *session, const struct ph_mailbox_news *news, struct ph_buf *buf)
{
	for (size_t i = 0; i < news->expunged_count; i++) {
		ph_buf_add_text(buf, "* ");
		print_number(buf, news->expunged[i]);
		ph_buf_add_text(buf, " EXPUNGE\r\n");
		if (buf->len > PIECE)
			write_out(session, buf);
	}
}

static void tell_flags(
	struct session *session, const struct ph_message *message, bool with_uid, struct ph_buf *buf)
{
	ph_buf_add_text(buf, "* ");
	print_number(buf, store->view_sequence(session->mailbox, message->uid));
	ph_buf_add_text(buf, " FETCH (");
	if (with_uid) {
		ph_buf_add_text(buf, "UID ");
		print_number(buf, message->uid);
		ph_buf_add_char(buf, ' ');
	}
	ph_buf_add_text(buf, "FLAGS ");
	print_flags(buf, message->flags, message->recent, message->keywords, message->keyword_count);
	ph_buf_add_text(buf, ")\r\n");
}

static void tell_changed(
	struct session *session, const struct ph_uid_set *changed, bool with_uid, struct ph_buf *buf)
{
	struct ph_message_iterator *iterator = store->messages_begin(session->mailbox, changed, 0);
	const struct ph_message *message;
	struct ph_error error = { 0 };
	unsigned count = 0;

	while (store->messages_next(iterator, &message)) {
		tell_flags(session, message, with_uid, buf);
		if (buf->len > PIECE)
			write_out(session, buf);
		if (++count % YIELD_EVERY == 0)
			ph_fiber_yield();
	}
	if (store->messages_end(&iterator, &error) != 0)
		ph_log(PH_LOG_WARN, "imap flags not told", PH_LOG_ERROR_DETAIL(&error));
}

bool sync_tell(struct session *session, const struct ph_mailbox_news *news, bool with_uid,
	const struct ph_uid_set *skip)
{
	static const struct ph_uid_set none;
	struct ph_uid_set changed = { 0 };
	struct ph_buf buf;

	if (news->gone) {
		say_bye(session, "The selected mailbox was deleted");
		return false;
	}
	ph_buf_init(&buf, 1024 * 1024);
	tell_expunged(session, news, &buf);
	if (news->exists_changed)
		ph_buf_printf(&buf, "* %u EXISTS\r\n* %u RECENT\r\n", (unsigned)news->exists,
			(unsigned)news->recent);
	if (news->keywords_changed)
		print_mailbox_flags(session, &buf);
	store->uid_set_add_rest(&changed, &news->changed, skip ? skip : &none);
	if (changed.count)
		tell_changed(session, &changed, with_uid, &buf);
	store->uid_set_free(&changed);
	if (buf.len)
		write_out(session, &buf);
	ph_buf_free(&buf);
	return true;
}

bool sync_mailbox(struct session *session, struct ph_pool *pool, bool expunges, bool with_uid,
	const struct ph_uid_set *skip)
{
	struct ph_mailbox_news news;
	struct ph_error error = { 0 };
	int result = store->mailbox_refresh(session->mailbox, expunges, pool, &news, &error);

	/* What could not be read now is told later: the view stands as it was. */
	if (result != 0) {
		ph_log(PH_LOG_WARN, "imap mailbox not refreshed", PH_LOG_ERROR_DETAIL(&error));
		return true;
	}
	return sync_tell(session, &news, with_uid, skip);
}
