/* Reads one message after the other: their summaries, and their bytes only when those are asked for. */
#ifndef IMAP_BODY_H
#define IMAP_BODY_H

#include <posthorn/conn.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

#include "fetch_items.h"

struct body_reader {
	struct ph_mailbox *mailbox;
	const struct ph_message *message;
	struct ph_pool *pool; /* what belongs to the message */
	struct ph_message_bytes *bytes;
	struct ph_mime_parser *parser;
	struct ph_mime_message mime; /* when loaded; with `root` when loaded with its tree */
	bool loaded;
	struct ph_buf header; /* a header that does not lie together in the store */
	struct ph_buf fields; /* the chosen fields of one */
};

/* Bytes to be sent: of the stored message, or, where `text` has data, of that. */
struct body_piece {
	uint64_t offset;
	uint64_t size;
	struct ph_str text;
};

/* Decoded bytes to be sent. */
struct body_binary {
	struct ph_mime_binary part;
	uint64_t offset;
	uint64_t size;
	bool has_nul; /* somewhere in the part */
};

void body_init(struct body_reader *reader, struct ph_mailbox *mailbox);
void body_free(struct body_reader *reader);
/* Turns to the next message, which must stay valid; forgets the former one. */
void body_begin(struct body_reader *reader, const struct ph_message *message);
/* These may park, and return 0 or a negative code. */
int body_open(struct body_reader *reader, struct ph_error *error);
/* Fills reader->mime from the summary; from the message itself where the summary cannot be read. */
int body_load(struct body_reader *reader, bool with_tree, struct ph_error *error);
/* Shows `size` bytes of the message at `offset` that are a header; cut where it is absurdly long. */
int body_header(struct body_reader *reader, uint64_t offset, uint64_t size, struct ph_str *header_r);
/* The bytes of a section; the message must be open, and loaded with its tree unless the section is all of it.
 * PH_E_ABSENT: the message has none such. */
int body_find(struct body_reader *reader, const struct fetch_section *section, struct body_piece *piece_r);
/* Reads what will be sent, so that it can be promised. */
int body_check(struct body_reader *reader, const struct fetch_section *section, struct ph_error *error);
int body_send(struct body_reader *reader, struct ph_conn *conn, const struct body_piece *piece);
/* The same for a section without its transfer encoding, with the message loaded with its tree. Reads all of
 * it. PH_E_ABSENT: there is none such; PH_E_UNSUPPORTED: its encoding is unknown. */
int body_find_binary(
	struct body_reader *reader, const struct fetch_section *section, struct body_binary *binary_r);
int body_send_binary(struct body_reader *reader, struct ph_conn *conn, const struct body_binary *binary);
/* For ph_mime_service.message_contains. */
struct ph_mime_source body_source(struct body_reader *reader);

#endif
