/* Which UIDs of a mailbox are gone: with it a view is made without looking at the messages. */
#ifndef STORE_GONE_H
#define STORE_GONE_H

#include "record.h"

/* Adds UIDs that went in this transaction. */
int gone_add(struct ph_kv_txn *txn, size_t partition, const struct ph_uid_set *uids);
/* Adds all that are gone to *uids. PH_E_CORRUPT: they cannot be read, or there are more or fewer of them than
 * the mailbox's counters say; so it is with one that was made before this was kept, until it is repaired. */
int gone_read(struct ph_kv_txn *txn, size_t partition, const struct meta *meta, struct ph_uid_set *uids);
/* Writes anew that these are gone, and no others. */
int gone_write(struct ph_kv_txn *txn, size_t partition, const struct ph_uid_set *uids);

#endif
