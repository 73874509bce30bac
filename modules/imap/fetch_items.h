/* What a FETCH asks for (RFC 3501, 6.4.5; BINARY of RFC 3516; PREVIEW of RFC 8970;
 * SAVEDATE of RFC 8514). Pure. */
#ifndef IMAP_FETCH_ITEMS_H
#define IMAP_FETCH_ITEMS_H

#include "parse.h"

enum fetch_item {
	FETCH_UID = 1,
	FETCH_FLAGS = 2,
	FETCH_INTERNALDATE = 4,
	FETCH_SIZE = 8,
	FETCH_ENVELOPE = 16,
	FETCH_BODY = 32,
	FETCH_BODYSTRUCTURE = 64,
	FETCH_EMAILID = 128,
	FETCH_THREADID = 256,
	FETCH_PREVIEW = 512,
	FETCH_SAVEDATE = 1024,
};

enum fetch_section_kind {
	SECTION_BODY,        /* as it is in the message */
	SECTION_BINARY,      /* a part without its transfer encoding */
	SECTION_BINARY_SIZE, /* only how long that is */
};

/* A part of the message's bytes. */
struct fetch_section {
	struct fetch_section *next;
	enum fetch_section_kind kind;
	struct ph_str label; /* as the response names it: "BODY[1.HEADER.FIELDS (Subject)]<0>" */
	struct ph_str name;  /* for ph_mime_service.section: "1.HEADER"; or binary_find: "1" */
	bool fields;         /* only fields of the header: those of these names, or all others */
	bool except;
	const struct ph_str *names;
	size_t name_count;
	bool partial;
	uint32_t partial_offset;
	uint32_t partial_size;
};

struct fetch {
	unsigned items;
	struct fetch_section *sections; /* in the order they were asked for */
	bool sets_seen;
};

bool parse_fetch(struct parser *parser, struct fetch *fetch_r);

#endif
