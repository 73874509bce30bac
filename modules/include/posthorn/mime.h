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
	struct ph_str name;  /* lower case; with "*" behind it the value is escaped (RFC 2231, 4) */
	struct ph_str value; /* without quotes */
	bool in_pieces;      /* "name*0=...; name*1=...", put together here (RFC 2231, 3) */
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

	/* The first words of its text (RFC 8970): one line of at most 200 characters; empty when there is no
	 * text in it. */
	struct ph_str preview;

	/* Of the first address in From, To and Cc, what SORT compares: the mailbox (RFC 5256, 3), and what
	 * stands for the person (RFC 5957, 3). Decoded, in the case they were written in. */
	struct ph_str sort_from;
	struct ph_str sort_to;
	struct ph_str sort_cc;
	struct ph_str display_from;
	struct ph_str display_to;

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

/* A part of the message, to be shown with its transfer encoding undone (RFC 3516). */
struct ph_mime_binary {
	uint64_t offset; /* of the encoded bytes in the message */
	uint64_t size;
	enum ph_mime_encoding encoding;
};

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

/* Where bytes go. */
struct ph_mime_sink {
	/* 0: go on; 1: enough, which is no failure; or a negative code, which ends the work and is its
	 * result. */
	int (*write)(void *arg, struct ph_str bytes);
	void *arg;
};

enum ph_mime_attachment_kind {
	PH_MIME_ATTACHED,  /* a part of its own */
	PH_MIME_TNEF,      /* a part that holds others in Microsoft's form: winmail.dat */
	PH_MIME_UUENCODED, /* stands in the text of a part */
	PH_MIME_YENC,      /* likewise */
};

struct ph_mime_attachment {
	enum ph_mime_attachment_kind kind;
	const struct ph_mime_part *part; /* that it is, or whose text it stands in */
	struct ph_str name;              /* UTF-8; or empty */
	struct ph_str type;              /* "image/png"; of what stands in text "application/octet-stream" */
	/* Decoded. Of a part in base64 it is reckoned from its size and lines: up to three bytes too much for
	 * padding. Of one in quoted-printable it is the encoded size. */
	uint64_t size;
	bool is_inline; /* shown within a text: an image in HTML */
};

/* --- Building --- */

enum ph_mime_new_kind {
	PH_MIME_NEW_TEXT,       /* unstructured: encoded words where needed */
	PH_MIME_NEW_STRUCTURED, /* as it stands, folded at white space */
	PH_MIME_NEW_ADDRESSES,  /* a list; names are encoded where needed */
};

/* Texts are UTF-8 (what is not becomes U+FFFD), without white space at their ends; control characters in them
 * become spaces. */
struct ph_mime_new_field {
	struct ph_str name;
	enum ph_mime_new_kind kind;
	struct ph_str text;
	const struct ph_mime_address *addresses; /* with their names decoded */
	size_t address_count;
};

/* A message to be built, or a part of one. All but the body may be left out. */
struct ph_mime_new_part {
	/* Besides MIME-Version, Content-Type, Content-Transfer-Encoding and Content-Disposition, which are
	 * written by what stands here. */
	const struct ph_mime_new_field *fields;
	size_t field_count;
	struct ph_str type;           /* "text/plain" when empty */
	struct ph_mime_params params; /* of the type, in UTF-8; besides boundary */
	struct ph_str disposition;    /* "attachment", "inline" */
	struct ph_str filename;
	/* Text gets CRLF as line ends, and is said to be US-ASCII or UTF-8 unless `params` has a charset.
	 * Everything else comes out of its encoding as it is. A message in a message stays as it is, even if
	 * it has 8-bit characters; all other output is ASCII in lines of at most 78 characters. */
	struct ph_str body;
	/* Of a multipart, instead of a body; at least one. */
	const struct ph_mime_new_part *parts;
	size_t part_count;
};

enum ph_mime_action {
	PH_MIME_FAILED,
	PH_MIME_DELAYED,
	PH_MIME_DELIVERED,
	PH_MIME_RELAYED,
	PH_MIME_EXPANDED,
};

/* What became of one recipient (RFC 3464, 2.3). What is empty or unknown is left out, but for the first three
 * members. */
struct ph_mime_report_recipient {
	struct ph_str final; /* the address that was tried */
	enum ph_mime_action action;
	struct ph_str status;      /* "5.1.1" */
	struct ph_str original;    /* of ORCPT, decoded: "rfc822;alice@example.org" */
	struct ph_str remote_mta;  /* the host that answered */
	struct ph_str diagnostic;  /* its answer: "550 5.1.1 No such user" */
	struct ph_mime_date tried; /* the last time */
	struct ph_mime_date retry_until;
};

/* A delivery status notification (RFC 3461 to 3464, 6522). */
struct ph_mime_report {
	struct ph_mime_address from;
	struct ph_mime_address to;
	struct ph_mime_date date;
	struct ph_str message_id; /* with its angle brackets */
	struct ph_str subject;
	struct ph_str text; /* for a human reader */
	struct ph_str reporting_mta;
	struct ph_str envelope_id; /* of ENVID, decoded; or empty */
	struct ph_str received_from;
	struct ph_mime_date arrival;
	const struct ph_mime_report_recipient *recipients;
	size_t recipient_count;
	struct ph_str original; /* the message, or its header; or empty */
	bool original_is_whole;
};

/* --- What policies see: `message` --- */

/* The pointer of a PH_VALUE_OBJECT(mime->message_type, &object). Must outlive the hook call. Set by name;
 * what is left out is not there for policies.
 *
 * To let policies change a message, set all of the first group. When the hook has run and `edits` is not
 * NULL, write the changed message with mime->object_write() to where messages are stored, and parse it again:
 * object and message still show what came, but for the header. */
struct ph_mime_object {
	const struct ph_mime_message *message; /* with its `root` for parts and changes */
	struct ph_str header;                  /* the message's own header, as it came */
	const struct ph_mime_source *source;   /* the message's bytes: for bodies */
	struct ph_pool *pool;                  /* for parts and changes; lives as long as the object */
	bool may_change;

	/* The service's own. */
	struct ph_mime_edits *edits; /* not NULL: a policy has set about changing it */
	struct ph_mime_part_list *parts;
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
	/* What a List-Id value identifies the list by (RFC 2919), without brackets; empty if nothing does. */
	struct ph_str (*list_id)(struct ph_str value, struct ph_pool *pool);
	/* The URLs of a List-Unsubscribe, List-Post, List-Archive ... value (RFC 2369), in the order the list
	 * prefers them in; at most `max`. Returns their number: 0 also for "NO". */
	size_t (*list_urls)(
		struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_str **urls_r);
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

	/* --- BINARY (RFC 3516) --- */

	/* Finds a part by its number, "1.2"; "" is the whole message, which has no encoding, as have parts
	 * that consist of others. PH_E_INVALID: not a part number; PH_E_ABSENT: the message has none such;
	 * PH_E_UNSUPPORTED: its encoding is unknown (UNKNOWN-CTE). Needs `root`. */
	int (*binary_find)(
		const struct ph_mime_message *message, struct ph_str name, struct ph_mime_binary *binary_r);
	/* How long it is decoded, and whether there is a NUL in it, which only a literal8 may hold. Reads all
	 * of it. 0 or what source->view failed with. Parks as that does. */
	int (*binary_size)(const struct ph_mime_binary *binary, const struct ph_mime_source *source,
		uint64_t *size_r, bool *has_nul_r);
	/* Writes at most `count` decoded bytes from `offset` on. 0 or what source or sink failed with. */
	int (*binary_write)(const struct ph_mime_binary *binary, const struct ph_mime_source *source,
		uint64_t offset, uint64_t count, const struct ph_mime_sink *sink);
	/* Writes the message with base64 in each leaf that is declared "binary" and holds a NUL, so that
	 * IMAP's literals can show it (RFC 3516, 6); all else stays as it is. 0; PH_E_LIMIT: the header of
	 * such a part has more than a megabyte; or what source or sink failed with. Parks as they do. Needs
	 * the `root` of a parser. */
	int (*encode_nul)(const struct ph_mime_message *message, const struct ph_mime_source *source,
		const struct ph_mime_sink *sink);

	/* --- readable text --- */

	/* What HTML says, as lines of text: UTF-8 in, UTF-8 out, never longer than the input. Without
	 * scripts, styles and the title; white space is one space, blocks begin a line, characters that
	 * nobody sees are gone. */
	bool (*html_text)(struct ph_str html, struct ph_buf *buf);
	/* Unfolds text/plain; format=flowed (RFC 3676): lines that were broken for transport come together,
	 * stuffed spaces go. `del_sp`: the parameter DelSp is "yes". At most twice as long as the input. */
	bool (*flowed_text)(struct ph_str text, bool del_sp, struct ph_buf *buf);

	/* --- sorting and threading --- */

	/* The base subject (RFC 5256, 2.1) of a decoded subject. Returns whether anything was taken off that
	 * marks a reply or a forwarded message. */
	bool (*base_subject)(struct ph_str subject, struct ph_pool *pool, struct ph_str *base_r);
	/* The ids that thread a message (RFC 5256, 3): its own (empty when it has none that is valid), and
	 * those it refers to, the eldest first: of References, or else the first of In-Reply-To. At most
	 * `max`, of more the last. Without angle brackets and needless quotes, so that equal ids are equal
	 * bytes. Returns how many references there are. */
	size_t (*thread_ids)(const struct ph_mime_message *message, size_t max, struct ph_pool *pool,
		struct ph_str *own_r, const struct ph_str **references_r);

	/* --- attachments --- */

	/* Lists what hangs on a message, at most `max`. With a source, also what stands uuencoded or in yEnc
	 * in its text parts, which are read for that. The number, or what source->view failed with. Needs
	 * `root`. */
	int (*attachments)(const struct ph_mime_message *message, const struct ph_mime_source *source,
		int max, struct ph_pool *pool, const struct ph_mime_attachment **attachments_r);

	/* --- building --- */

	/* Appends a date as RFC 5322 has it: "Mon, 15 Jan 2024 10:30:00 +0100". */
	void (*date_print)(struct ph_mime_date date, struct ph_buf *buf);
	/* Appends one field, folded. PH_E_INVALID: its name, a domain, or a word of more than 900 characters
	 * that may not be broken cannot be written; PH_E_LIMIT: `buf` is full. Then the buffer's content is
	 * of no use. */
	int (*build_field)(const struct ph_mime_new_field *field, struct ph_buf *buf);
	/* Appends a message that reads back as what it was built from. Fails as build_field does, for broken
	 * types and parameters with PH_E_INVALID, and for parts more than 50 deep with PH_E_LIMIT. */
	int (*build)(const struct ph_mime_new_part *message, struct ph_buf *buf);
	/* The same for a delivery status notification. */
	int (*build_report)(const struct ph_mime_report *report, struct ph_buf *buf);

	/* --- changes by policies --- */

	/* Writes the message as policies changed it (see struct ph_mime_object). 0 or what source or sink
	 * failed with. Parks as they do. */
	int (*object_write)(const struct ph_mime_object *object, const struct ph_mime_sink *sink);
};

#endif
