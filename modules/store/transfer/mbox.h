/* Mailboxes as one file each: "From " lines part the messages, lines that look like them carry one ">" more
 * (mboxrd); what a mailbox knows of a message stands in fields of its header. */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/mem.h>
#include <posthorn/str.h>

/* A line "From SENDER Thu Jan  1 00:00:01 2015"; its date in UTC. */
bool mbox_from_line(struct ph_str line, int64_t *date_r);
/* Does the line begin with any number of ">", and "From " behind them? */
bool mbox_is_from(struct ph_str line);

#define MBOX_KEYWORDS 100

/* What the fields of a header say of a message, and, in the first one, of the whole file. */
struct mbox_fields {
	unsigned flags; /* ph_flag bits */
	bool recent;    /* nobody was told of it */
	uint32_t uid;   /* 0: none, as below */
	uint32_t uid_validity, uid_next;
	struct ph_str keywords[MBOX_KEYWORDS];
	size_t keyword_count;
	bool keywords_lost; /* there are more than that */
	bool is_pseudo; /* this is no message: c-client (UW IMAP, Pine) keeps its notes of the file here */
};

void mbox_fields_init(struct mbox_fields *fields);
/* Is the line, the first of its field, one of those? Then what it says is taken; keywords lie in the pool. */
bool mbox_take_field(struct ph_str line, struct ph_pool *pool, struct mbox_fields *fields);

#endif
