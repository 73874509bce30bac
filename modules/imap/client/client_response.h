/* What servers answer (RFC 3501, 7), read out of a buffer as commands are (parse.h). Pure.
 *
 * Servers differ, and some are broken or hostile: what is not known is passed over, what is known must be
 * well formed. */
#ifndef IMAP_CLIENT_RESPONSE_H
#define IMAP_CLIENT_RESPONSE_H

#include "../parse.h"

enum response_kind {
	RESPONSE_CONTINUE,   /* "+" */
	RESPONSE_TAGGED,     /* ends a command: tag, condition, code, text */
	RESPONSE_CONDITION,  /* untagged: condition, code, text */
	RESPONSE_CAPABILITY, /* text */
	RESPONSE_LIST,       /* also LSUB */
	RESPONSE_NAMESPACE,
	RESPONSE_EXISTS, /* number */
	RESPONSE_FETCH,  /* number: the sequence number */
	RESPONSE_BROKEN, /* of a known kind, and not understood: text is all of it */
	RESPONSE_OTHER
};

enum response_condition { CONDITION_OK, CONDITION_NO, CONDITION_BAD, CONDITION_BYE, CONDITION_PREAUTH };

enum response_attribute {
	ATTRIBUTE_NO_SELECT = 1, /* also \NonExistent */
	ATTRIBUTE_SUBSCRIBED = 2,
};

struct response_list {
	unsigned attributes;
	unsigned special_use; /* ph_special_use bits */
	char delimiter;       /* '\0': there are no levels */
	struct ph_str name;   /* as it was sent */
};

struct response_namespace {
	struct ph_str prefix;
	char delimiter;
	bool personal;
	struct response_namespace *next;
};

struct response_fetch {
	uint32_t uid; /* 0: not said */
	bool has_flags, has_date, has_body;
	struct ph_flag_list flags;
	bool recent;
	struct ph_str lost; /* a flag that cannot be kept; or empty */
	struct date_time date;
	uint64_t size;
	struct ph_str body; /* no data: NIL */
};

struct response {
	enum response_kind kind;
	enum response_condition condition;
	struct ph_str tag;
	struct ph_str code;          /* "UIDVALIDITY" of "[UIDVALIDITY 5]"; or empty */
	struct ph_str code_argument; /* "5" */
	struct ph_str text;
	uint32_t number;
	struct response_list list;
	struct response_namespace *namespaces;
	struct response_fetch fetch;
};

/* `text` is a response with its literals and without the last line's end; what is read points into it or lies
 * in the pool. False: it is none at all. */
bool response_parse(struct ph_str text, struct ph_pool *pool, struct response *response_r);

#endif
