/* Taking apart what was removed, in bounded steps, and going on where a crash interrupted it. */
#ifndef STORE_REMOVE_H
#define STORE_REMOVE_H

#include "store.h"

/* The mailbox is noted in the directory as going, and has lost its name. */
int remove_mailbox(uint64_t mailbox, struct ph_error *error);
/* The account has left the directory. */
int remove_account(ph_account_id account, struct ph_error *error);

/* Begins to finish what was left half removed, on a fiber of its own, if there is anything. May park. */
int remove_resume(struct ph_error *error);
/* Something that was removed could not be taken apart now, for the reason in *error, or may have been
 * removed: the same fiber does it, now and until it succeeds. Does not park. */
void remove_later(const struct ph_error *error);
/* Waits until that fiber has ended, which then is soon. May park. */
void remove_stop(void);

#endif
