/* A mailbox inside a transaction: its meta record is read once, everything that changes goes through here,
 * and so the counters and the log of changes are exact. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "store.h"
#include "thread.h"
#include "uid_index.h"

/* What the log tells of. */
enum { LOG_FLAGGED = 'f', LOG_EXPUNGED = 'x' };

/* What becomes of the threads of messages that come: they are found among those of the account, or known
 * already; or all that comes here leaves another mailbox of the account in the same transaction. */
enum change_threads { THREADS_FOUND, THREADS_KNOWN, THREADS_MOVED };

struct change {
	struct ph_kv_txn *txn;
	size_t partition;
	struct meta meta;
	struct ph_kv_cursor *cursor;
	bool new_modseq; /* this transaction has taken its modseq */
	bool meta_changed;
	size_t account; /* the partition of the account, whose usage and threads change too; 0: none */
	enum change_threads threads;
	struct thread_list *left; /* where there is no account: the threads of what went; or NULL */
	struct usage usage;       /* what came less what went */
	struct uid_index_change seen, deleted;
	struct ph_uid_set flagged;
	struct ph_uid_set expunged;
};

/* PH_E_ABSENT: there is no such mailbox (any more). */
int change_begin(struct change *change, struct ph_kv_txn *txn, size_t partition);
/* Writes what is to be written. `result` is what was reached so far; gives it back, or the code of a failure.
 * Must follow each begin that gave 0. */
int change_end(struct change *change, int result);

/* The next message in the set (NULL: of all) from this UID on. PH_E_ABSENT: there is none. */
int change_next(struct change *change, const struct ph_uid_set *set, uint32_t from, uint32_t *uid_r,
	struct message_record *record_r);
/* The modseq of all that this transaction changes. */
uint64_t change_modseq(struct change *change);

/* The record's modseq, thread and save date are set here (the latter is now for copies too: RFC 8514, 3), its
 * blob gets a reference. PH_E_LIMIT: no UIDs are left. */
int change_append(
	struct change *change, struct message_record *record, struct ph_str summary, uint32_t *uid_r);
/* The next UID will not be below this one. Those that are left out count as expunged, since all others
 * between two UIDNEXTs are taken for new messages. */
void change_skip(struct change *change, uint32_t uid_next);
/* From `before` (as it is stored) to `after`. */
int change_flags(struct change *change, uint32_t uid, const struct message_record *before,
	struct message_record *after);
int change_expunge(struct change *change, uint32_t uid, const struct message_record *record);

/* --- also for those who only read --- */

int meta_get(struct ph_kv_txn *txn, size_t partition, struct meta *meta_r);
/* As change_next(), with any cursor of the mailbox's partition. */
int next_message(struct ph_kv_cursor *cursor, const struct ph_uid_set *set, uint32_t from, uint32_t *uid_r,
	struct message_record *record_r);
/* Adds what the log tells of changes after `modseq`. */
int read_log(struct ph_kv_txn *txn, size_t partition, uint64_t modseq, struct ph_uid_set *flagged,
	struct ph_uid_set *expunged);

#endif
