/* What an update or a read sees of the store: the functions of kv.h that are called inside it. */
#ifndef KV_LMDB_TRANSACTION_H
#define KV_LMDB_TRANSACTION_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include <posthorn/kv.h>
#include <posthorn/list.h>

#include "record.h"

struct ph_kv_txn {
	MDB_txn *mdb;
	const struct ph_kv_partition *partitions;
	size_t count;
	struct ph_kv_draft *const *drafts;
	size_t draft_count;
	struct record *record; /* what an update changes */
	bool writable;
	bool changed; /* something was written */
	int failure;  /* LMDB's first code that makes the whole transaction void */
	struct ph_list cursors;
};

/* Runs the function and closes what it left open. A failure of LMDB overrules what it returned. */
int transaction_run(struct ph_kv_txn *txn, ph_kv_run *run, void *arg);
/* Remembers LMDB's failure; gives the ph_code for it. */
int transaction_failed(struct ph_kv_txn *txn, int rc);

int transaction_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r);
int transaction_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value);
int transaction_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key);
struct ph_kv_cursor *transaction_cursor(struct ph_kv_txn *txn, size_t partition);
int transaction_seek(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
int transaction_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
int transaction_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r);

#endif
