/* A message's bytes are looked at where they lie in the store, and sent from there. NUL cannot stand in a
 * literal of RFC 3501 (CHAR8 is %x01-ff): 0x80 is sent for it, which keeps all sizes and offsets as they are.
 */
#include "body.h"

#include <posthorn/fiber.h>

#include "session.h"

#define MESSAGE_MEMORY (64 * 1024 * 1024)
#define HEADER_MAX (2 * 1024 * 1024)
/* What is searched at a stretch. */
#define PIECE (128 * 1024)
/* One command may ask for a header a thousand times: before a longer one than this others get their turn. */
#define SHORT_HEADER (16 * 1024)

void body_init(struct body_reader *reader, struct ph_mailbox *mailbox)
{
	*reader = (struct body_reader){ .mailbox = mailbox };
	ph_buf_init(&reader->header, HEADER_MAX);
	ph_buf_init(&reader->fields, HEADER_MAX + 2);
}

static void forget(struct body_reader *reader)
{
	if (reader->bytes)
		store->message_close(&reader->bytes);
	mime->parser_free(&reader->parser);
	if (reader->pool)
		ph_pool_clear(reader->pool);
	reader->loaded = false;
}

void body_free(struct body_reader *reader)
{
	forget(reader);
	ph_pool_free(&reader->pool);
	ph_buf_free(&reader->header);
	ph_buf_free(&reader->fields);
}

void body_begin(struct body_reader *reader, const struct ph_message *message)
{
	forget(reader);
	reader->message = message;
}

int body_open(struct body_reader *reader, struct ph_error *error)
{
	return reader->bytes ? 0
			     : store->message_open(reader->mailbox, reader->message, &reader->bytes, error);
}

static int parse_again(struct body_reader *reader, struct ph_error *error)
{
	struct ph_str bytes;
	uint64_t offset = 0;
	int code = body_open(reader, error);

	if (code != 0)
		return code;
	reader->parser = mime->parser_new(NULL);
	while ((code = store->message_view(reader->bytes, offset, &bytes, error)) == 0 && bytes.len > 0) {
		mime->parser_feed(reader->parser, bytes);
		offset += bytes.len;
	}
	if (code == 0)
		reader->mime = *mime->parser_finish(reader->parser);
	return code;
}

int body_load(struct body_reader *reader, bool with_tree, struct ph_error *error)
{
	int code;

	if (reader->loaded && (reader->mime.root || !with_tree))
		return 0;
	if (with_tree && !reader->pool)
		reader->pool = ph_pool_new(MESSAGE_MEMORY);
	code = with_tree ? mime->summary_decode(reader->message->summary, reader->pool, &reader->mime)
			 : mime->summary_view(reader->message->summary, &reader->mime);
	if (code != 0)
		code = parse_again(reader, error);
	reader->loaded = code == 0;
	return code;
}

int body_header(struct body_reader *reader, uint64_t offset, uint64_t size, struct ph_str *header_r)
{
	struct ph_buf *buf = &reader->header;
	struct ph_error error;

	if (size > HEADER_MAX)
		size = HEADER_MAX;
	if (size > SHORT_HEADER)
		ph_fiber_yield();
	ph_buf_reset(buf);
	while (buf->len < size) {
		struct ph_str bytes;
		int code = store->message_view(reader->bytes, offset + buf->len, &bytes, &error);
		if (code != 0)
			return code;
		if (bytes.len == 0)
			break;
		if (buf->len == 0 && bytes.len >= size) {
			*header_r = ph_str_slice(bytes, 0, (size_t)size);
			return 0;
		}
		ph_buf_add_str(buf, ph_str_slice(bytes, 0, (size_t)size - buf->len));
	}
	*header_r = ph_buf_str(buf);
	return 0;
}

static int find_fields(struct body_reader *reader, const struct fetch_section *section,
	const struct ph_mime_section *found, struct body_piece *piece_r)
{
	struct ph_str header;
	int code = body_header(reader, found->offset, found->size, &header);

	if (code != 0)
		return code;
	ph_buf_reset(&reader->fields);
	mime->header_filter(header, section->names, section->name_count, section->except, &reader->fields);
	piece_r->text = reader->fields.len ? ph_buf_str(&reader->fields) : PH_STR("");
	piece_r->size = piece_r->text.len;
	return 0;
}

static void cut_to_partial(const struct fetch_section *section, uint64_t *offset, uint64_t *size)
{
	uint64_t skip = section->partial_offset < *size ? section->partial_offset : *size;

	*offset += skip;
	*size -= skip;
	if (*size > section->partial_size)
		*size = section->partial_size;
}

int body_find(struct body_reader *reader, const struct fetch_section *section, struct body_piece *piece_r)
{
	struct ph_mime_section found;
	int code;

	*piece_r = (struct body_piece){ .size = store->message_size(reader->bytes) };
	if (section->name.len) {
		code = mime->section(&reader->mime, section->name, &found);
		if (code != 0)
			return code;
		piece_r->offset = found.offset;
		piece_r->size = found.size;
		if (section->fields) {
			piece_r->offset = 0;
			code = find_fields(reader, section, &found, piece_r);
			if (code != 0)
				return code;
		}
	}
	if (section->partial)
		cut_to_partial(section, &piece_r->offset, &piece_r->size);
	return 0;
}

/* A part whose encoding is unknown fails the request (RFC 3516, 4.3). */
static int check_binary(
	struct body_reader *reader, const struct fetch_section *section, struct ph_error *error)
{
	struct ph_mime_binary part;
	int code = mime->binary_find(&reader->mime, section->name, &part);

	if (code == PH_E_UNSUPPORTED)
		return ph_error_set(error, code, "The transfer encoding of a part is unknown", NULL);
	return code < 0 ? 0 : store->message_check(reader->bytes, part.offset, part.size, error);
}

/* Of header fields, the beginning of the message: a header is hardly ever longer than what lies together
 * there. */
int body_check(struct body_reader *reader, const struct fetch_section *section, struct ph_error *error)
{
	struct body_piece piece;
	int code;

	if (section->kind != SECTION_BODY)
		return check_binary(reader, section, error);
	if (section->fields)
		return store->message_check(reader->bytes, 0, 1, error);
	code = body_find(reader, section, &piece);
	if (code == PH_E_ABSENT || code == PH_E_INVALID)
		return 0;
	return code < 0 ? code : store->message_check(reader->bytes, piece.offset, piece.size, error);
}

static void send_text(struct ph_conn *conn, struct ph_str text)
{
	while (text.len > 0) {
		const char *nul = memchr(text.data, '\0', text.len);
		size_t len = nul ? (size_t)(nul - text.data) : text.len;
		ph_conn_write_long(conn, ph_str_slice(text, 0, len));
		if (!nul)
			return;
		ph_conn_write(conn, PH_STR("\x80"));
		text = ph_str_slice(text, len + 1, text.len);
	}
}

int body_send(struct body_reader *reader, struct ph_conn *conn, const struct body_piece *piece)
{
	struct ph_error error;
	uint64_t sent = 0;

	if (piece->text.data) {
		send_text(conn, ph_str_slice(piece->text, (size_t)piece->offset,
					(size_t)(piece->offset + piece->size)));
		return ph_conn_error(conn);
	}
	while (sent < piece->size) {
		struct ph_str bytes;
		int code = store->message_view(reader->bytes, piece->offset + sent, &bytes, &error);
		if (code != 0)
			return code;
		if (bytes.len == 0)
			return PH_E_CORRUPT;
		if (bytes.len > piece->size - sent)
			bytes.len = (size_t)(piece->size - sent);
		send_text(conn, bytes);
		if (ph_conn_error(conn))
			return ph_conn_error(conn);
		sent += bytes.len;
	}
	return 0;
}

/* Shows the message in pieces, between which others get their turn. */
static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	struct body_reader *reader = arg;
	struct ph_error error;
	int code;

	if (offset > 0)
		ph_fiber_yield();
	code = store->message_view(reader->bytes, offset, bytes_r, &error);
	if (code == 0 && bytes_r->len > PIECE)
		bytes_r->len = PIECE;
	return code;
}

struct ph_mime_source body_source(struct body_reader *reader)
{
	return (struct ph_mime_source){ view, reader };
}

int body_find_binary(
	struct body_reader *reader, const struct fetch_section *section, struct body_binary *binary_r)
{
	const struct ph_mime_source source = body_source(reader);
	int code = mime->binary_find(&reader->mime, section->name, &binary_r->part);

	binary_r->offset = 0;
	if (code == 0)
		code = mime->binary_size(&binary_r->part, &source, &binary_r->size, &binary_r->has_nul);
	if (code == 0 && section->partial)
		cut_to_partial(section, &binary_r->offset, &binary_r->size);
	return code;
}

static int send_decoded(void *arg, struct ph_str bytes)
{
	struct ph_conn *conn = arg;

	ph_conn_write_long(conn, bytes);
	return ph_conn_error(conn);
}

int body_send_binary(struct body_reader *reader, struct ph_conn *conn, const struct body_binary *binary)
{
	const struct ph_mime_source source = body_source(reader);
	const struct ph_mime_sink sink = { send_decoded, conn };

	return mime->binary_write(&binary->part, &source, binary->offset, binary->size, &sink);
}
