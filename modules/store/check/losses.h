/* Changes that are lost because the kv could not read them back, in words of accounts, mailboxes and UIDs. */
#ifndef STORE_LOSSES_H
#define STORE_LOSSES_H

#include "../store.h"

struct loss {
	bool is_new;                    /* this process found it */
	struct ph_str account, mailbox; /* empty: not known, or not of one */
	uint32_t uid;                   /* 0: not of one message */
	const char *text;
	struct ph_str place; /* where in the kv's files */
};

/* Tells of all that the kv remembers. May park. 0 or a negative code. */
int losses_each(void (*tell)(void *arg, const struct loss *loss), void *arg, struct ph_error *error);
/* Writes to the log what this process found. May park. */
void losses_log(void);

#endif
