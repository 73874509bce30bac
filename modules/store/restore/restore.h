/* Bringing mail back from a backup of the store. */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "../record.h"
#include "../store.h"
#include "restore_copies.h"

/* --- one account --- */

struct restore {
	struct ph_kv_backup *backup;
	ph_account_id source, target; /* in the backup, in the store */
	bool is_new;                  /* the target was made now */
	bool same_account;            /* mailboxes have the numbers they had */
	struct copies saved, live;    /* what both have */
	/* What was found. */
	uint64_t taken, there, refused;
};

/* Brings back what the account `from` of the backup had and the account `to` of the store has not; makes the
 * account if there is none. What cannot be taken is listed on stdout. 0, or a negative code when it had to be
 * broken off; then, or later, it may be called again. PH_E_ABSENT: the backup has no such account. */
int restore_account(struct restore *restore, struct ph_str from, struct ph_str to, struct ph_error *error);

/* A mailbox that is brought back. */
struct restore_mailbox {
	struct restore *restore;
	struct ph_str name;
	uint64_t source, target;
};
int restore_messages(struct restore_mailbox *mailbox, struct ph_error *error);
/* Says on stdout what is not taken, and counts it. uid 0: the whole mailbox. */
void restore_refuse(struct restore *restore, struct ph_str mailbox, uint32_t uid, const char *why);
int restore_read(struct restore *restore, struct ph_kv_partition partition, ph_kv_run *run, void *arg,
	struct ph_error *error);

/* --- the whole store --- */

/* In a copy that is being restored: gives all mailboxes new UIDVALIDITYs, and leaves out the next numbers of
 * accounts and mailboxes, so that clients do not take what is new for what they saw after the backup. */
int restore_renew(struct ph_error *error);

#endif
