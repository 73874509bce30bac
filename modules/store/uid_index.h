/* Which UIDs of a mailbox are gone, \Seen or \Deleted: told without looking at the messages. */
#ifndef STORE_UID_INDEX_H
#define STORE_UID_INDEX_H

#include "record.h"

/* The kinds of their keys. */
enum uid_index { INDEX_GONE = 'g', INDEX_SEEN = 'S', INDEX_DELETED = 'D' };

/* What one transaction changes; no UID is in both sets. Nothing is removed from INDEX_GONE. */
struct uid_index_change {
	struct ph_uid_set added;
	struct ph_uid_set removed;
};

int uid_index_change(
	struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct uid_index_change *change);
/* Adds all to *uids. PH_E_CORRUPT: they cannot be read, or there are more or fewer of them than the mailbox's
 * counters say; so it is with a mailbox that was made before this was kept, until it is repaired. */
int uid_index_read(struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct meta *meta,
	struct ph_uid_set *uids);
/* Makes it anew. */
int uid_index_write(
	struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct ph_uid_set *uids);

#endif
