/* Entries of the index. See index.h. */
#include <config.h>

#include "index.h"

#include <string.h>

#include <posthorn/bytes.h>

#include "environment.h"

#define ID_SIZE sizeof(struct ph_kv_blob_id)
#define STORED_SIZE 36
#define POSITION_SIZE 32

static MDB_val val_of(const void *data, size_t size)
{
	return (MDB_val){ size, (void *)(uintptr_t)data };
}

/* --- how full segments are --- */

int index_live_bytes(MDB_txn *txn, uint64_t segment, uint64_t *bytes_r)
{
	unsigned char number[8];
	MDB_val key = val_of(number, sizeof(number)), value;
	int rc;

	ph_bytes_put64(number, segment);
	*bytes_r = 0;
	rc = mdb_get(txn, environment_segments, &key, &value);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (!rc && value.mv_size != 8)
		rc = MDB_CORRUPTED;
	if (!rc)
		*bytes_r = ph_bytes_get64(value.mv_data);
	return rc;
}

static int count_bytes(MDB_txn *txn, const struct stored *stored, bool more)
{
	unsigned char number[8], bytes[8];
	MDB_val key = val_of(number, sizeof(number)), value = val_of(bytes, sizeof(bytes));
	uint64_t live, size = stored_bytes(stored);
	int rc;

	if (stored->segment == 0)
		return 0;
	rc = index_live_bytes(txn, stored->segment, &live);
	if (rc)
		return rc;
	live = more ? live + size : live > size ? live - size : 0;
	ph_bytes_put64(number, stored->segment);
	ph_bytes_put64(bytes, live);
	if (live > 0)
		return mdb_put(txn, environment_segments, &key, &value, 0);
	rc = mdb_del(txn, environment_segments, &key, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* --- blobs --- */

int index_get_blob(MDB_txn *txn, const struct ph_kv_blob_id *id, struct stored *stored_r)
{
	MDB_val key = val_of(id->bytes, ID_SIZE), value;
	const unsigned char *bytes;
	int rc = mdb_get(txn, environment_blobs, &key, &value);

	if (rc)
		return rc;
	if (value.mv_size != STORED_SIZE)
		return MDB_CORRUPTED;
	bytes = value.mv_data;
	stored_r->segment = ph_bytes_get64(bytes);
	stored_r->offset = ph_bytes_get64(bytes + 8);
	stored_r->size = ph_bytes_get64(bytes + 16);
	stored_r->sum = ph_bytes_get64(bytes + 24);
	stored_r->references = ph_bytes_get32(bytes + 32);
	return 0;
}

static bool same_place(const struct stored *a, const struct stored *b)
{
	return a->segment == b->segment && a->offset == b->offset && a->size == b->size;
}

int index_put_blob(
	MDB_txn *txn, const struct ph_kv_blob_id *id, const struct stored *old, const struct stored *stored)
{
	unsigned char bytes[STORED_SIZE];
	MDB_val key = val_of(id->bytes, ID_SIZE), value = val_of(bytes, sizeof(bytes));
	int rc = 0;

	ph_bytes_put64(bytes, stored->segment);
	ph_bytes_put64(bytes + 8, stored->offset);
	ph_bytes_put64(bytes + 16, stored->size);
	ph_bytes_put64(bytes + 24, stored->sum);
	ph_bytes_put32(bytes + 32, stored->references);
	if (old && !same_place(old, stored))
		rc = count_bytes(txn, old, false);
	if (!rc && (!old || !same_place(old, stored)))
		rc = count_bytes(txn, stored, true);
	return rc ? rc : mdb_put(txn, environment_blobs, &key, &value, 0);
}

static int delete_blob(MDB_txn *txn, const struct ph_kv_blob_id *id, const struct stored *stored)
{
	MDB_val key = val_of(id->bytes, ID_SIZE);
	int rc = count_bytes(txn, stored, false);

	return rc ? rc : mdb_del(txn, environment_blobs, &key, NULL);
}

int index_sweep(MDB_txn *txn, struct ph_buf *ids)
{
	size_t kept = 0;

	for (size_t at = 0; at < ids->len; at += ID_SIZE) {
		struct ph_kv_blob_id id;
		struct stored stored;
		int rc;

		memcpy(id.bytes, ids->data + at, ID_SIZE);
		rc = index_get_blob(txn, &id, &stored);
		if (rc == MDB_NOTFOUND || (!rc && stored.references > 0))
			continue;
		if (!rc)
			rc = delete_blob(txn, &id, &stored);
		if (rc)
			return rc;
		if (stored.segment > 0)
			continue;
		memcpy(ids->data + kept, id.bytes, ID_SIZE);
		kept += ID_SIZE;
	}
	ids->len = kept;
	return 0;
}

/* --- making changes again --- */

static int apply_blob(MDB_txn *txn, const struct operation *operation)
{
	struct stored old, new = operation->stored;
	int rc = index_get_blob(txn, &operation->id, &old);

	if (rc == MDB_NOTFOUND)
		return operation->type == OPERATION_BLOB ? index_put_blob(txn, &operation->id, NULL, &new)
							 : 0;
	if (rc)
		return rc;
	if (operation->type == OPERATION_MOVED)
		new.references = old.references;
	return index_put_blob(txn, &operation->id, &old, &new);
}

static int apply_references(MDB_txn *txn, const struct operation *operation, struct ph_buf *dropped)
{
	struct stored old, new;
	int rc = index_get_blob(txn, &operation->id, &old);

	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	new = old;
	new.references = operation->stored.references;
	if (new.references == 0)
		ph_buf_add(dropped, operation->id.bytes, ID_SIZE);
	return index_put_blob(txn, &operation->id, &old, &new);
}

static int apply_key(MDB_txn *txn, const struct operation *operation)
{
	MDB_val key = val_of(operation->key.data, operation->key.len);
	MDB_val value = val_of(operation->value.data, operation->value.len);
	int rc;

	if (operation->type == OPERATION_PUT)
		return mdb_put(txn, environment_keys, &key, &value, 0);
	rc = mdb_del(txn, environment_keys, &key, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int index_apply(MDB_txn *txn, const struct operation *operation, struct ph_buf *dropped)
{
	switch (operation->type) {
	case OPERATION_PUT:
	case OPERATION_DELETE:
		return apply_key(txn, operation);
	case OPERATION_BLOB:
	case OPERATION_MOVED:
		return apply_blob(txn, operation);
	case OPERATION_REFERENCES:
		return apply_references(txn, operation, dropped);
	case OPERATION_POSITION:
		return index_put_end(txn, &operation->position);
	}
	return MDB_CORRUPTED;
}

/* --- the journal's end --- */

static int get_position(MDB_txn *txn, const char *name, struct position *position_r)
{
	MDB_val key = val_of(name, strlen(name)), value;
	const unsigned char *bytes;
	int rc = mdb_get(txn, environment_state, &key, &value);

	*position_r = (struct position){ .sequence = 1 };
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (value.mv_size != POSITION_SIZE)
		return MDB_CORRUPTED;
	bytes = value.mv_data;
	position_r->segment = ph_bytes_get64(bytes);
	position_r->offset = ph_bytes_get64(bytes + 8);
	position_r->sequence = ph_bytes_get64(bytes + 16);
	position_r->written = ph_bytes_get64(bytes + 24);
	return 0;
}

static int put_position(MDB_txn *txn, const char *name, const struct position *position)
{
	unsigned char bytes[POSITION_SIZE];
	MDB_val key = val_of(name, strlen(name)), value = val_of(bytes, sizeof(bytes));

	ph_bytes_put64(bytes, position->segment);
	ph_bytes_put64(bytes + 8, position->offset);
	ph_bytes_put64(bytes + 16, position->sequence);
	ph_bytes_put64(bytes + 24, position->written);
	return mdb_put(txn, environment_state, &key, &value, 0);
}

int index_get_end(MDB_txn *txn, struct position *end_r)
{
	return get_position(txn, "end", end_r);
}

int index_put_end(MDB_txn *txn, const struct position *end)
{
	return put_position(txn, "end", end);
}

int index_get_checkpoint(MDB_txn *txn, struct position *position_r)
{
	return get_position(txn, "checkpoint", position_r);
}

int index_put_checkpoint(MDB_txn *txn, const struct position *position)
{
	return put_position(txn, "checkpoint", position);
}
