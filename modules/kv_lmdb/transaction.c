/* Keys and values inside a transaction. All partitions lie in one database, in order: the key is led by the
 * partition's kind and number. */
#include <config.h>

#include "transaction.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "environment.h"

#define PREFIX_SIZE 9

struct full_key {
	MDB_val val;
	unsigned char bytes[PREFIX_SIZE + PH_KV_KEY_MAX];
};

struct ph_kv_cursor {
	struct ph_list link;
	struct ph_kv_txn *txn;
	MDB_cursor *mdb;
	unsigned char prefix[PREFIX_SIZE];
};

int transaction_failed(struct ph_kv_txn *txn, int rc)
{
	if (!txn->failure)
		txn->failure = rc;
	return environment_code(rc);
}

int transaction_run(struct ph_kv_txn *txn, ph_kv_run *run, void *arg)
{
	int result;

	ph_list_init(&txn->cursors);
	result = run(txn, arg);
	PH_LIST_EACH (&txn->cursors, node) {
		struct ph_kv_cursor *cursor = ph_container_of(node, struct ph_kv_cursor, link);

		mdb_cursor_close(cursor->mdb);
		free(cursor);
	}
	return txn->failure ? environment_code(txn->failure) : result;
}

static void write_prefix(unsigned char *to, const struct ph_kv_partition *partition)
{
	to[0] = partition->kind;
	ph_bytes_put64(to + 1, partition->number);
}

static void make_key(struct full_key *full, const struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	PH_ASSERT(partition < txn->count && key.len <= PH_KV_KEY_MAX);
	write_prefix(full->bytes, &txn->partitions[partition]);
	if (key.len > 0)
		memcpy(full->bytes + PREFIX_SIZE, key.data, key.len);
	full->val = (MDB_val){ PREFIX_SIZE + key.len, full->bytes };
}

static struct ph_str full_key_str(const struct full_key *full)
{
	return ph_str_of(full->val.mv_data, full->val.mv_size);
}

int transaction_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r)
{
	struct full_key full;
	MDB_val value;
	int rc;

	make_key(&full, txn, partition, key);
	rc = mdb_get(txn->mdb, environment_keys, &full.val, &value);
	if (rc == MDB_NOTFOUND)
		return PH_E_ABSENT;
	if (rc)
		return transaction_failed(txn, rc);
	*value_r = ph_str_of(value.mv_data, value.mv_size);
	return 0;
}

int transaction_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value)
{
	struct full_key full;
	MDB_val val = { value.len, (void *)(uintptr_t)value.data };
	int rc;

	PH_ASSERT(txn->writable);
	make_key(&full, txn, partition, key);
	txn->changed = true;
	record_put(txn->record, full_key_str(&full), value);
	rc = mdb_put(txn->mdb, environment_keys, &full.val, &val, 0);
	return rc ? transaction_failed(txn, rc) : 0;
}

int transaction_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	struct full_key full;
	int rc;

	PH_ASSERT(txn->writable);
	make_key(&full, txn, partition, key);
	rc = mdb_del(txn->mdb, environment_keys, &full.val, NULL);
	if (rc == MDB_NOTFOUND)
		return 0;
	txn->changed = true;
	record_delete(txn->record, full_key_str(&full));
	return rc ? transaction_failed(txn, rc) : 0;
}

struct ph_kv_cursor *transaction_cursor(struct ph_kv_txn *txn, size_t partition)
{
	struct ph_kv_cursor *cursor = ph_alloc(sizeof(*cursor));
	int rc;

	PH_ASSERT(partition < txn->count);
	cursor->txn = txn;
	write_prefix(cursor->prefix, &txn->partitions[partition]);
	ph_list_append(&txn->cursors, &cursor->link);
	rc = mdb_cursor_open(txn->mdb, environment_keys, &cursor->mdb);
	if (rc)
		transaction_failed(txn, rc);
	return cursor;
}

/* Shows what LMDB's cursor stands on, if that still is in the partition. */
static int show(struct ph_kv_cursor *cursor, int rc, const MDB_val *key, const MDB_val *value,
	struct ph_str *key_r, struct ph_str *value_r)
{
	if (rc == MDB_NOTFOUND)
		return PH_E_ABSENT;
	if (rc)
		return transaction_failed(cursor->txn, rc);
	if (key->mv_size < PREFIX_SIZE || memcmp(key->mv_data, cursor->prefix, PREFIX_SIZE) != 0)
		return PH_E_ABSENT;
	*key_r = ph_str_of((const char *)key->mv_data + PREFIX_SIZE, key->mv_size - PREFIX_SIZE);
	*value_r = ph_str_of(value->mv_data, value->mv_size);
	return 0;
}

static void make_cursor_key(struct full_key *full, const struct ph_kv_cursor *cursor, struct ph_str key)
{
	PH_ASSERT(key.len <= PH_KV_KEY_MAX);
	memcpy(full->bytes, cursor->prefix, PREFIX_SIZE);
	if (key.len > 0)
		memcpy(full->bytes + PREFIX_SIZE, key.data, key.len);
	full->val = (MDB_val){ PREFIX_SIZE + key.len, full->bytes };
}

int transaction_seek(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	struct full_key full;
	MDB_val value;
	int rc;

	if (!cursor->mdb)
		return environment_code(cursor->txn->failure);
	make_cursor_key(&full, cursor, key);
	rc = mdb_cursor_get(cursor->mdb, &full.val, &value, MDB_SET_RANGE);
	return show(cursor, rc, &full.val, &value, key_r, value_r);
}

int transaction_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	struct full_key full;
	MDB_val found, value;
	int rc;

	if (!cursor->mdb)
		return environment_code(cursor->txn->failure);
	make_cursor_key(&full, cursor, key);
	found = full.val;
	rc = mdb_cursor_get(cursor->mdb, &found, &value, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(cursor->mdb, &found, &value, MDB_LAST);
	else if (!rc &&
		 (found.mv_size != full.val.mv_size || memcmp(found.mv_data, full.bytes, found.mv_size) != 0))
		rc = mdb_cursor_get(cursor->mdb, &found, &value, MDB_PREV);
	return show(cursor, rc, &found, &value, key_r, value_r);
}

int transaction_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r)
{
	MDB_val key, value;
	int rc;

	if (!cursor->mdb)
		return environment_code(cursor->txn->failure);
	rc = mdb_cursor_get(cursor->mdb, &key, &value, MDB_NEXT);
	return show(cursor, rc, &key, &value, key_r, value_r);
}
