/* The service "mime/1": what is inside a message. Pure: no input or output, nothing parks.
 *
 * A message is parsed once, in one pass, in whatever pieces it arrives. The parser never fails: every
 * sequence of bytes has a reading (modules/mime/README.md tells which). What it finds is a tree of parts with
 * offsets into the message exactly as it is stored, and the texts that are asked for most, made ready. The
 * summary is the same as bytes, to be stored beside the message, so that a message is not opened again to be
 * listed, sorted or searched by its headers, and any section of it is found without parsing. */
#ifndef POSTHORN_MIME_H
#define POSTHORN_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/mem.h>
#include <posthorn/str.h>
#include <posthorn/value.h>

#define PH_MIME_SERVICE "mime/1"

/* --- What the parser yields --- */

struct ph_mime_param {
	struct ph_str name;  /* lower case, as written otherwise: "filename*0*" stays */
	struct ph_str value; /* without quotes */
};

struct ph_mime_params {
	const struct ph_mime_param *items;
	size_t count;
};

enum ph_mime_encoding {
	PH_MIME_IDENTITY, /* 7bit, 8bit, binary, or none given */
	PH_MIME_QUOTED_PRINTABLE,
	PH_MIME_BASE64,
	PH_MIME_UNKNOWN, /* a name nobody knows: the bytes as they are */
};

/* One entity: the message itself, a body part of a multipart, or the message in a message/rfc822 part. */
struct ph_mime_part {
	struct ph_mime_part *parent;
	struct ph_mime_part *children; /* of a multipart its parts; of a message/rfc822 the message in it */
	struct ph_mime_part *next;

	/* Lower case; the default type where the header has none or a broken one. A part that is called
	 * "multipart" has at least one child, and one called "message/rfc822" exactly one. */
	struct ph_str type;
	struct ph_str subtype;
	struct ph_str charset;     /* of text; empty: US-ASCII */
	struct ph_str filename;    /* decoded to UTF-8; or empty */
	struct ph_str disposition; /* lower case; or empty */
	enum ph_mime_encoding encoding;

	/* The body begins where the header ends. The blank line between belongs to the header, the line end
	 * before a boundary to neither. */
	uint64_t header_offset;
	uint64_t header_size;
	uint64_t body_size;
	uint32_t header_lines; /* line feeds in them */
	uint32_t body_lines;

	/* Known to the parser only: a summary holds them in `bodystructure` alone. */
	struct ph_str encoding_name; /* lower case; or empty */
	struct ph_str id;
	struct ph_str description;
	struct ph_str md5;
	struct ph_str location;
	struct ph_mime_params params;
	struct ph_mime_params disposition_params;
	const struct ph_str *languages;
	size_t language_count;
	struct ph_str envelope; /* of a message: its ENVELOPE */
};

static inline uint64_t ph_mime_body_offset(const struct ph_mime_part *part)
{
	return part->header_offset + part->header_size;
}

static inline bool ph_mime_is(const struct ph_mime_part *part, const char *type, const char *subtype)
{
	return ph_str_eq(part->type, ph_str(type)) && (!subtype || ph_str_eq(part->subtype, ph_str(subtype)));
}

struct ph_mime_date {
	bool known;
	int64_t time; /* seconds since 1970, UTC */
	int zone;     /* the writer's offset from UTC in minutes */
};

struct ph_mime_message {
	uint64_t size;
	struct ph_mime_date date; /* of the Date field */

	/* Ready to be sent behind the item's name in an IMAP FETCH response (RFC 3501, 7.4.2). */
	struct ph_str envelope;
	struct ph_str body;
	struct ph_str bodystructure;

	/* Decoded to UTF-8, unfolded, without control characters; fields that occur several times joined by
	 * ", ". Empty when absent. */
	struct ph_str subject;
	struct ph_str from;
	struct ph_str to;
	struct ph_str cc;
	struct ph_str bcc;

	struct ph_str message_id;  /* "<...>" */
	struct ph_str in_reply_to; /* "<...> <...>" */
	struct ph_str references;  /* "<...> <...>" */

	const struct ph_mime_part *root; /* NULL in a mere view of a summary */
	struct ph_str
		header; /* the message's own header as it came, cut at the limit; from the parser only */
};

/* Beyond a limit the message is still read to its end, with less said about it: deeper or further parts
 * appear as part of those around them, further header bytes and addresses do not count. */
struct ph_mime_limits {
	unsigned nesting; /* multiparts and messages in each other */
	unsigned parts;
	size_t header_bytes; /* kept of all headers of the message together */
	unsigned parameters; /* of one field */
	unsigned addresses;  /* of one message header */
};

#define PH_MIME_LIMITS                                                                              \
	{                                                                                           \
		.nesting = 100, .parts = 10000, .header_bytes = 2 * 1024 * 1024, .parameters = 100, \
		.addresses = 10000                                                                  \
	}

struct ph_mime_parser;

/* --- Sections (RFC 3501, 6.4.5) --- */

struct ph_mime_section {
	const struct ph_mime_part *part; /* the part the section is, or belongs to */
	uint64_t offset;                 /* into the message */
	uint64_t size;
};

/* --- Headers --- */

/* One field of a header. A line that is no field (no colon, an impossible name) has an empty name, and its
 * whole text is the value. */
struct ph_mime_field {
	struct ph_str name;
	struct ph_str value; /* behind the colon, folds and all, without the line end */
	struct ph_str raw;   /* all of it, with the line end */
};

enum ph_mime_address_kind { PH_MIME_MAILBOX, PH_MIME_GROUP_BEGIN, PH_MIME_GROUP_END };

struct ph_mime_address {
	enum ph_mime_address_kind kind;
	struct ph_str name;   /* display name, or name of the group, unquoted; encoded words as they are */
	struct ph_str route;  /* obsolete source route "@a,@b"; or empty */
	struct ph_str local;  /* unquoted; empty when the writer left it out */
	struct ph_str domain; /* or empty */
};

/* --- Bodies --- */

/* Decodes a transfer encoding in pieces. The members are the service's. */
struct ph_mime_decoder {
	enum ph_mime_encoding encoding;
	unsigned char state;
	unsigned char held_count;
	unsigned char
		held[80]; /* sextets of an unfinished group; white space that may turn out to end its line */
};

struct ph_mime_text;   /* reads a part's text as UTF-8 */
struct ph_mime_search; /* looks for a string in UTF-8 text that comes in pieces */

/* Where the bytes of a message are. */
struct ph_mime_source {
	/* Shows the bytes from `offset` on, as many as lie together (at least one; none only at the end),
	 * valid until the next call. 0 or a negative code. */
	int (*view)(void *arg, uint64_t offset, struct ph_str *bytes_r);
	void *arg;
};

/* --- What policies see: `message` --- */

/* The pointer of a PH_VALUE_OBJECT(mime->message_type, &object). Must outlive the hook call. */
struct ph_mime_object {
	const struct ph_mime_message *message;
	struct ph_str header; /* the message's own header, as it came */
};

struct ph_mime_service {
	/* The object type of a struct ph_mime_object. A hook point that takes one declares an argument
	 * "message" that is a PH_OBJECT without a type. */
	const struct ph_object_type *message_type;

	/* --- parser --- */

	/* NULL for the limits PH_MIME_LIMITS. */
	struct ph_mime_parser *(*parser_new)(const struct ph_mime_limits *limits);
	void (*parser_feed)(struct ph_mime_parser *parser, struct ph_str piece);
	/* The message has ended. The result is valid until the parser is freed; called once, no feeding after
	 * it. */
	const struct ph_mime_message *(*parser_finish)(struct ph_mime_parser *parser);
	/* Frees the parser and its message, finished or not, and clears the pointer; NULL is allowed. */
	void (*parser_free)(struct ph_mime_parser **parser);

	/* --- summary --- */

	/* Appends the summary of a parsed message. */
	void (*summary_encode)(const struct ph_mime_message *message, struct ph_buf *buf);
	/* Reads a summary without allocating: all but `root`, `header`. The texts are views into `bytes`.
	 * PH_E_CORRUPT for what is no summary, or one of another version: parse the message again. */
	int (*summary_view)(struct ph_str bytes, struct ph_mime_message *message_r);
	/* The same with the tree of parts, built in `pool`. PH_E_LIMIT when the pool is too small for it. */
	int (*summary_decode)(struct ph_str bytes, struct ph_pool *pool, struct ph_mime_message *message_r);

	/* --- sections --- */

	/* Finds "", "1.2", "HEADER", "TEXT", "1.HEADER", "1.2.MIME", "1.TEXT", whatever their case. For
	 * HEADER.FIELDS find HEADER and use header_filter. PH_E_INVALID: not a section at all; PH_E_ABSENT:
	 * the message has none such. Needs `root`. */
	int (*section)(
		const struct ph_mime_message *message, struct ph_str name, struct ph_mime_section *section_r);
	/* Appends the fields with one of these names (with `except`: all others), as they are, and the blank
	 * line at the end if the header has one. */
	void (*header_filter)(struct ph_str header, const struct ph_str *names, size_t count, bool except,
		struct ph_buf *buf);

	/* --- headers --- */

	/* Takes the next field off the front of *header; false at its end (blank line, or no more bytes). */
	bool (*header_next)(struct ph_str *header, struct ph_mime_field *field_r);
	/* Takes the next field of that name off the front of *header, with all before it. */
	bool (*header_find)(struct ph_str *header, const char *name, struct ph_mime_field *field_r);
	/* A field's value in one line, without white space at its ends. An exhausted pool gives { NULL, 0 },
	 * here and in what follows. */
	struct ph_str (*header_unfold)(struct ph_str value, struct ph_pool *pool);
	/* The same with encoded words (RFC 2047) decoded, always valid UTF-8 without control characters; what
	 * cannot be decoded becomes U+FFFD. */
	struct ph_str (*header_decode)(struct ph_str value, struct ph_pool *pool);
	/* Date and time (RFC 5322, 3.3, its obsolete forms, and what else is seen). `known` is false when it
	 * is none. */
	struct ph_mime_date (*date_parse)(struct ph_str value);
	/* An address list with groups; at most `max` entries. Returns their number. */
	size_t (*addresses_parse)(struct ph_str value, size_t max, struct ph_pool *pool,
		const struct ph_mime_address **addresses_r);
	/* The message ids in a Message-ID, In-Reply-To or References value, as "<...> <...>"; empty if none.
	 */
	struct ph_str (*message_ids)(struct ph_str value, struct ph_pool *pool);
	/* Splits "value; name=value; ..." (RFC 2045, 5.1); value_r is lower-cased. */
	void (*params_parse)(struct ph_str field_value, size_t max, struct ph_pool *pool,
		struct ph_str *value_r, struct ph_mime_params *params_r);
	/* A parameter decoded to UTF-8: RFC 2231 charsets and continuations, or encoded words. False when
	 * absent. */
	bool (*param)(const struct ph_mime_params *params, const char *name, struct ph_pool *pool,
		struct ph_str *value_r);

	/* --- bodies --- */

	void (*decoder_init)(struct ph_mime_decoder *decoder, enum ph_mime_encoding encoding);
	/* Appends what `piece` decodes to; characters that do not belong are skipped (base64) or stand for
	 * themselves (RFC 2045, 6.7 and 6.8). Needs room for piece.len + 84 bytes; all output together is
	 * never longer than the input. False when `buf` has not. */
	bool (*decoder_feed)(struct ph_mime_decoder *decoder, struct ph_str piece, struct ph_buf *buf);
	bool (*decoder_finish)(struct ph_mime_decoder *decoder, struct ph_buf *buf);

	/* Reads the body of a part as text: undoes its encoding, converts its charset to UTF-8. Output is
	 * valid UTF-8 and at most 4 times the input. */
	struct ph_mime_text *(*text_new)(const struct ph_mime_part *part);
	bool (*text_feed)(struct ph_mime_text *text, struct ph_str piece, struct ph_buf *buf);
	bool (*text_finish)(struct ph_mime_text *text, struct ph_buf *buf);
	void (*text_free)(struct ph_mime_text **text);

	/* Looks for a UTF-8 string whatever the case of its letters (ASCII, Latin, Greek, Cyrillic, Armenian;
	 * runs of white space equal one space). An empty needle is found at once. */
	struct ph_mime_search *(*search_new)(struct ph_str needle);
	/* True as soon as it was found, in this or an earlier piece. */
	bool (*search_feed)(struct ph_mime_search *search, struct ph_str piece);
	/* Forgets the text before, not the needle. */
	void (*search_reset)(struct ph_mime_search *search);
	void (*search_free)(struct ph_mime_search **search);
	/* All in one step for text that lies in memory. */
	bool (*text_contains)(struct ph_str text, struct ph_str needle);
	/* Does a text part of the message contain the needle, or (with `headers`) any header in it? For
	 * SEARCH BODY and TEXT. 1, 0, or what source->view failed with. Parks as source->view does. Needs
	 * `root`. */
	int (*message_contains)(const struct ph_mime_message *message, const struct ph_mime_source *source,
		struct ph_str needle, bool headers);
};

#endif
