/* What the index keeps beside the keys: where blobs are, how much of each segment they fill, and where the
 * journal ends. Inside LMDB's transactions; functions return LMDB's codes, or errno values. */
#ifndef KV_LMDB_INDEX_H
#define KV_LMDB_INDEX_H

#include <lmdb.h>
#include <stdint.h>

#include "record.h"

/* MDB_NOTFOUND: none. */
int index_get_blob(MDB_txn *txn, const struct ph_kv_blob_id *id, struct stored *stored_r);
/* Sets it; `old` is what was there, or NULL. */
int index_put_blob(
	MDB_txn *txn, const struct ph_kv_blob_id *id, const struct stored *old, const struct stored *stored);
/* Deletes those of the ids whose blobs have no references. What stays in the list are the ones in files of
 * their own, which can go when this is durable. */
int index_sweep(MDB_txn *txn, struct ph_buf *ids);
/* Makes the change again that a record tells of. Ids of blobs without references are added to `dropped`. */
int index_apply(MDB_txn *txn, const struct operation *operation, struct ph_buf *dropped);

/* Bytes of blobs that a segment holds and somebody needs. */
int index_live_bytes(MDB_txn *txn, uint64_t segment, uint64_t *bytes_r);

/* In an empty store: before the first segment. */
int index_get_end(MDB_txn *txn, struct position *end_r);
int index_put_end(MDB_txn *txn, const struct position *end);
/* What the last checkpoint contains. */
int index_get_checkpoint(MDB_txn *txn, struct position *position_r);
int index_put_checkpoint(MDB_txn *txn, const struct position *position);

#endif
