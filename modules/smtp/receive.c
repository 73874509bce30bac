/* Reading the text. It goes piece by piece from the connection into the draft; nothing of it is kept here. A
 * text that is refused is read to its end all the same, since only there the client listens. */
#include <config.h>

#include "receive.h"

#include <posthorn/log.h>
#include <posthorn/loop.h>

#include "dots.h"
#include "smtp.h"
#include "trace.h"

/* A piece, all of it bare line feeds that become two bytes. */
#define OUT_MAX (2 * 65536 + 16)
#define TRACE_MAX 8192

static void refuse_write(struct incoming *incoming, int code)
{
	if (code == PH_E_FULL)
		answer_set(&incoming->refused, 452, "4.3.1", "There is no space for the message now");
	else
		answer_set(&incoming->refused, 451, "4.3.0", "The message cannot be taken now");
}

static void write_draft(struct incoming *incoming, struct ph_str bytes)
{
	struct ph_error error;
	int code = 0;

	if (incoming->refused.code == 0 && bytes.len > 0)
		code = smtp_services.store->draft_write(incoming->draft, bytes, &error);
	if (code != 0) {
		ph_log(PH_LOG_ERROR, "message cannot be written", PH_LOG_ERROR_DETAIL(&error));
		refuse_write(incoming, code);
	}
}

static void write_trace(struct session *session, struct incoming *incoming)
{
	const struct transaction *transaction = session->transaction;
	const struct profile *profile = session->profile;
	struct trace trace = {
		.reverse_path = transaction->reverse_path,
		.helo = ph_str(session->helo),
		.remote_ip = ph_conn_remote_ip(session->conn),
		.hostname = ph_core_config()->hostname,
		.protocol = session->extended ? profile->with_extended : profile->with,
		.encrypted = session->extended && ph_conn_is_encrypted(session->conn),
		.logged_in = session->logged_in,
		.tls_version = ph_conn_tls_version(session->conn),
		.tls_cipher = ph_conn_tls_cipher(session->conn),
		.id = transaction->id,
		.time = ph_clock(),
	};
	struct ph_buf out;

	if (transaction->count == 1)
		trace.recipient = transaction->recipients[0].address;
	ph_buf_init(&out, TRACE_MAX);
	trace_add(&trace, &out);
	incoming->trace_size = out.len;
	write_draft(incoming, ph_buf_str(&out));
	ph_buf_free(&out);
}

static void take_piece(struct incoming *incoming, struct ph_str bytes)
{
	incoming->size += bytes.len;
	if (incoming->size > (uint64_t)smtp_config.max_message_size && incoming->refused.code == 0)
		answer_set(&incoming->refused, 552, "5.3.4", "A message may have %lld bytes here",
			(long long)smtp_config.max_message_size);
	write_draft(incoming, bytes);
}

/* The plain part of a piece goes to the draft from where it lies, the rest without its dots. The draft may
 * park, but nothing else reads from the connection meanwhile. True at the end of the text. */
static bool take_stuffed(struct incoming *incoming, struct dots *dots, struct ph_str piece, size_t *taken_r)
{
	size_t plain = dots_plain(dots, piece);
	struct ph_buf out;
	bool ended;

	take_piece(incoming, ph_str_slice(piece, 0, plain));
	/* The memory is held while there is something in it, not while the client is waited for. */
	ph_buf_init(&out, OUT_MAX);
	ended = dots_feed(dots, ph_str_slice(piece, plain, piece.len), &out, taken_r);
	*taken_r += plain;
	take_piece(incoming, ph_buf_str(&out));
	ph_buf_free(&out);
	return ended;
}

int receive_text(struct session *session, struct incoming *incoming)
{
	struct dots dots = { .repair = session->profile->repair_line_ends };
	struct ph_conn *conn = session->conn;
	bool ended = false;
	int code = 1;

	*incoming = (struct incoming){ .draft = smtp_services.store->draft_new() };
	write_trace(session, incoming);
	ph_conn_set_turn_timeout(conn, smtp_config.data_timeout);
	while (!ended && code == 1) {
		struct ph_str piece;
		size_t taken;

		code = ph_conn_peek(conn, &piece);
		if (code != 1)
			break;
		ended = take_stuffed(incoming, &dots, piece, &taken);
		ph_conn_consume(conn, taken);
	}
	ph_conn_set_turn_timeout(conn, 0);
	if (dots.bare && !dots.repair && incoming->refused.code == 0)
		answer_set(&incoming->refused, 550, "5.6.0", "A CR or LF stands alone; lines end with CR LF");
	return ended ? 0 : code == 0 ? PH_E_CLOSED : code;
}

/* --- inserting --- */

static int copy_range(
	struct ph_draft *from, uint64_t offset, uint64_t end, struct ph_draft *to, struct ph_error *error)
{
	const struct ph_store_service *store = smtp_services.store;

	while (offset < end) {
		struct ph_str bytes;
		int code = store->draft_view(from, offset, &bytes, error);

		if (code != 0)
			return code;
		bytes = ph_str_slice(bytes, 0, (size_t)(end - offset < bytes.len ? end - offset : bytes.len));
		code = store->draft_write(to, bytes, error);
		if (code != 0)
			return code;
		offset += bytes.len;
	}
	return 0;
}

int receive_insert(struct incoming *incoming, struct ph_str lines, struct ph_error *error)
{
	const struct ph_store_service *store = smtp_services.store;
	uint64_t size = store->draft_size(incoming->draft);
	struct ph_draft *draft = store->draft_new();
	int code = copy_range(incoming->draft, 0, incoming->trace_size, draft, error);

	if (code == 0)
		code = store->draft_write(draft, lines, error);
	if (code == 0)
		code = copy_range(incoming->draft, incoming->trace_size, size, draft, error);
	if (code != 0) {
		store->draft_free(&draft);
		return code;
	}
	store->draft_free(&incoming->draft);
	incoming->draft = draft;
	return 0;
}

struct changed_draft {
	struct ph_draft *draft;
	struct ph_error *error;
};

static int write_changed(void *arg, struct ph_str bytes)
{
	const struct changed_draft *changed = arg;

	return smtp_services.store->draft_write(changed->draft, bytes, changed->error);
}

int receive_change(struct incoming *incoming, const struct ph_mime_object *object, struct ph_error *error)
{
	struct changed_draft changed = { smtp_services.store->draft_new(), error };
	int code =
		smtp_services.mime->object_write(object, &(struct ph_mime_sink){ write_changed, &changed });

	if (code == 0) {
		smtp_services.store->draft_free(&incoming->draft);
		incoming->draft = changed.draft;
		/* A policy may have changed the trace lines, too: what comes now goes on top. */
		incoming->trace_size = 0;
		return 0;
	}
	smtp_services.store->draft_free(&changed.draft);
	return code;
}
