/* What a SEARCH looks for (RFC 3501, 6.4.4; RFC 8514, 4.3), as a tree. Pure. */
#ifndef IMAP_SEARCH_KEYS_H
#define IMAP_SEARCH_KEYS_H

#include "parse.h"
#include "sequence_set.h"

#define SEARCH_DEPTH_MAX 50
#define SEARCH_KEYS_MAX 1000

enum search_type {
	SEARCH_ALL,
	SEARCH_FLAG, /* flag: are all of them set? */
	SEARCH_RECENT,
	SEARCH_KEYWORD,  /* text */
	SEARCH_SEQUENCE, /* set */
	SEARCH_UID,      /* set */
	SEARCH_EMAILID,  /* text */
	SEARCH_THREADID, /* text */
	SEARCH_LARGER,   /* number */
	SEARCH_SMALLER,  /* number */
	SEARCH_BEFORE,   /* day, of the internal date */
	SEARCH_ON,
	SEARCH_SINCE,
	SEARCH_SAVEDBEFORE, /* day, of the save date */
	SEARCH_SAVEDON,
	SEARCH_SAVEDSINCE,
	SEARCH_SENTBEFORE, /* day, of the Date field */
	SEARCH_SENTON,
	SEARCH_SENTSINCE,
	SEARCH_HEADER, /* name, text; FROM, SUBJECT and so on too */
	SEARCH_BODY,   /* text */
	SEARCH_TEXT,   /* text */
	SEARCH_AND,    /* children */
	SEARCH_OR,     /* children */
};

/* What it takes to evaluate a key: the message's record, its summary, its header, all of it. */
enum search_cost { COST_RECORD, COST_SUMMARY, COST_HEADER, COST_MESSAGE };

struct search_key {
	enum search_type type;
	enum search_cost cost; /* of the dearest below it */
	bool negated;
	struct search_key *next;     /* in the list this belongs to */
	struct search_key *children; /* cheapest first */
	unsigned flag;
	uint32_t number;
	int64_t day;
	struct ph_str name;
	struct ph_str text;
	struct sequence_set set;
	struct ph_uid_set uids; /* SEQUENCE and UID: filled when the search begins */
};

struct search {
	struct search_key *root; /* SEARCH_AND */
	struct ph_str charset;   /* empty: none given */
};

/* All arguments of SEARCH. */
bool parse_search(struct parser *parser, struct search *search_r);
/* Can strings of this charset be searched for? */
bool search_charset_is_known(struct ph_str charset);

#endif
