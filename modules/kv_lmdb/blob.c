/* Blobs lie in a database of their own: a head { size, references } under the id, and the bytes in chunks
 * under the id and the chunk's number. A blob whose last reference went is noted as dropped, and deleted by a
 * later transaction (often the same) once it is open nowhere. */
#include <config.h>

#include "blob.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "commit.h"
#include "draft.h"
#include "environment.h"
#include "pin.h"
#include "transaction.h"

#define ID_SIZE sizeof(struct ph_kv_blob_id)
#define HEAD_SIZE 12
#define SUM_SIZE 8
/* So that a whole chunk, its sum and LMDB's page header fill 16 pages. */
#define CHUNK_SIZE (16 * 4096 - 16 - SUM_SIZE)
/* What one transaction collects, so that it does not hold up the others for long. */
#define COLLECT_BLOBS 64
#define COLLECT_CHUNKS 256

struct head {
	uint64_t size;
	uint32_t references;
};

struct ph_kv_blob {
	struct ph_kv_blob_id id;
	uint64_t size;
	uint64_t shown; /* number of the chunk in `bytes`, plus one */
	char *bytes;
};

/* --- what is stored --- */

static MDB_val id_val(const struct ph_kv_blob_id *id)
{
	return (MDB_val){ ID_SIZE, (void *)(uintptr_t)id->bytes };
}

struct chunk_key {
	MDB_val val;
	unsigned char bytes[ID_SIZE + 4];
};

static void make_chunk_key(struct chunk_key *key, const struct ph_kv_blob_id *id, uint64_t number)
{
	memcpy(key->bytes, id->bytes, ID_SIZE);
	ph_bytes_put32(key->bytes + ID_SIZE, (uint32_t)number);
	key->val = (MDB_val){ sizeof(key->bytes), key->bytes };
}

static uint64_t chunk_count(uint64_t size)
{
	return (size + CHUNK_SIZE - 1) / CHUNK_SIZE;
}

static size_t chunk_size(uint64_t size, uint64_t number)
{
	uint64_t left = size - number * CHUNK_SIZE;

	return left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
}

/* Eight bytes at a time; each step can be undone, so that two texts that differ in one word have different
 * sums. */
static uint64_t checksum(const char *data, size_t size)
{
	uint64_t sum = size, word;

	for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	word = 0;
	if (size > 0)
		memcpy(&word, data, size);
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

static int get_head(MDB_txn *txn, const struct ph_kv_blob_id *id, struct head *head)
{
	MDB_val key = id_val(id), value;
	int rc = mdb_get(txn, environment_blobs, &key, &value);

	if (rc)
		return rc;
	if (value.mv_size != HEAD_SIZE)
		return MDB_CORRUPTED;
	head->size = ph_bytes_get64(value.mv_data);
	head->references = ph_bytes_get32((const char *)value.mv_data + 8);
	return 0;
}

static int put_head(MDB_txn *txn, const struct ph_kv_blob_id *id, const struct head *head)
{
	unsigned char bytes[HEAD_SIZE];
	MDB_val key = id_val(id), value = { sizeof(bytes), bytes };

	ph_bytes_put64(bytes, head->size);
	ph_bytes_put32(bytes + 8, head->references);
	return mdb_put(txn, environment_blobs, &key, &value, 0);
}

/* --- references --- */

static int write_chunk(MDB_txn *txn, const struct ph_kv_draft *draft, const struct ph_kv_blob_id *id,
	uint64_t size, uint64_t number)
{
	size_t part = chunk_size(size, number);
	MDB_val value = { part + SUM_SIZE, NULL };
	struct chunk_key key;
	uint64_t sum;
	int rc;

	make_chunk_key(&key, id, number);
	rc = mdb_put(txn, environment_blobs, &key.val, &value, MDB_RESERVE);
	if (!rc)
		rc = kv_draft_copy(draft, number * CHUNK_SIZE, value.mv_data, part);
	if (rc)
		return rc;
	sum = checksum(value.mv_data, part);
	memcpy((char *)value.mv_data + part, &sum, SUM_SIZE);
	return 0;
}

static int store_draft(MDB_txn *txn, const struct ph_kv_draft *draft)
{
	struct head head = { kv_draft_size(draft), 1 };
	struct ph_kv_blob_id id = kv_draft_id(draft);
	uint64_t count = chunk_count(head.size);
	int rc = put_head(txn, &id, &head);

	for (uint64_t number = 0; !rc && number < count; number++)
		rc = write_chunk(txn, draft, &id, head.size, number);
	return rc;
}

static const struct ph_kv_draft *find_draft(const struct ph_kv_txn *txn, const struct ph_kv_blob_id *id)
{
	for (size_t i = 0; i < txn->draft_count; i++) {
		struct ph_kv_blob_id draft = kv_draft_id(txn->drafts[i]);

		if (memcmp(draft.bytes, id->bytes, ID_SIZE) == 0)
			return txn->drafts[i];
	}
	return NULL;
}

/* Counts one more on a blob that is there already; one that had been dropped comes back. */
static int count_up(MDB_txn *txn, const struct ph_kv_blob_id *id, struct head *head)
{
	MDB_val key = id_val(id);

	if (head->references++ == 0) {
		int rc = mdb_del(txn, environment_dropped, &key, NULL);

		if (rc)
			return rc;
	}
	return put_head(txn, id, head);
}

int blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	struct head head;
	const struct ph_kv_draft *draft;
	int rc = get_head(txn->mdb, &id, &head);

	PH_ASSERT(txn->writable);
	if (!rc) {
		txn->changed = true;
		rc = count_up(txn->mdb, &id, &head);
	} else if (rc == MDB_NOTFOUND) {
		draft = find_draft(txn, &id);
		if (!draft)
			return PH_E_ABSENT;
		txn->changed = true;
		rc = store_draft(txn->mdb, draft);
	}
	return rc ? transaction_failed(txn, rc) : 0;
}

int blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	MDB_val key = id_val(&id), nothing = { 0, NULL };
	struct head head;
	int rc = get_head(txn->mdb, &id, &head);

	PH_ASSERT(txn->writable);
	if (rc == MDB_NOTFOUND || (!rc && head.references == 0))
		return PH_E_ABSENT;
	txn->changed = true;
	if (!rc) {
		head.references--;
		rc = put_head(txn->mdb, &id, &head);
	}
	if (!rc && head.references == 0)
		rc = mdb_put(txn->mdb, environment_dropped, &key, &nothing, 0);
	return rc ? transaction_failed(txn, rc) : 0;
}

/* --- reading --- */

static int read_head(struct ph_kv_blob *blob)
{
	struct head head;
	MDB_txn *txn;
	int rc = commit_read_begin(&txn);

	if (rc)
		return rc;
	rc = get_head(txn, &blob->id, &head);
	environment_read_end();
	if (!rc && head.references == 0)
		rc = MDB_NOTFOUND;
	if (!rc)
		blob->size = head.size;
	return rc;
}

static int report(const struct ph_kv_blob *blob, int rc, struct ph_error *error)
{
	int code = rc == MDB_NOTFOUND ? PH_E_CORRUPT : environment_code(rc);

	return ph_error_set(error, code, "the message cannot be read now", "blob %016llx%016llx: %s",
		(unsigned long long)ph_bytes_get64(blob->id.bytes),
		(unsigned long long)ph_bytes_get64(blob->id.bytes + 8), mdb_strerror(rc));
}

int blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error)
{
	struct ph_kv_blob *blob;
	int rc;

	if (!pin_add(id))
		return ph_error_set(error, PH_E_ABSENT, "the message is gone", NULL);
	blob = ph_alloc(sizeof(*blob));
	blob->id = id;
	rc = read_head(blob);
	if (!rc) {
		*blob_r = blob;
		return 0;
	}
	rc = rc == MDB_NOTFOUND ? ph_error_set(error, PH_E_ABSENT, "the message is gone", NULL)
				: report(blob, rc, error);
	blob_close(&blob);
	return rc;
}

uint64_t blob_size(const struct ph_kv_blob *blob)
{
	return blob->size;
}

static int load_chunk(struct ph_kv_blob *blob, uint64_t number)
{
	size_t part = chunk_size(blob->size, number);
	struct chunk_key key;
	MDB_val value;
	MDB_txn *txn;
	uint64_t sum = 0;
	int rc;

	if (!blob->bytes)
		blob->bytes = ph_alloc(blob->size < CHUNK_SIZE ? (size_t)blob->size : CHUNK_SIZE);
	make_chunk_key(&key, &blob->id, number);
	rc = commit_read_begin(&txn);
	if (rc)
		return rc;
	blob->shown = 0;
	rc = mdb_get(txn, environment_blobs, &key.val, &value);
	if (!rc && value.mv_size != part + SUM_SIZE)
		rc = MDB_CORRUPTED;
	if (!rc) {
		memcpy(blob->bytes, value.mv_data, part);
		memcpy(&sum, (const char *)value.mv_data + part, SUM_SIZE);
	}
	environment_read_end();
	if (rc)
		return rc;
	if (sum != checksum(blob->bytes, part))
		return MDB_CORRUPTED;
	blob->shown = number + 1;
	return 0;
}

int blob_view(struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	uint64_t number = offset / CHUNK_SIZE;

	if (offset >= blob->size) {
		*bytes_r = (struct ph_str){ NULL, 0 };
		return 0;
	}
	if (blob->shown != number + 1) {
		int rc = load_chunk(blob, number);

		if (rc)
			return report(blob, rc, error);
	}
	*bytes_r = ph_str_slice(ph_str_of(blob->bytes, chunk_size(blob->size, number)),
		(size_t)(offset - number * CHUNK_SIZE), CHUNK_SIZE);
	return 0;
}

void blob_close(struct ph_kv_blob **blob)
{
	if (!*blob)
		return;
	pin_drop((*blob)->id);
	free((*blob)->bytes);
	free(*blob);
	*blob = NULL;
}

/* --- deleting what nobody needs --- */

/* Where the next collection goes on, so that blobs that stay open long do not keep it from the others. */
static struct ph_kv_blob_id collected_to;

static int delete_key(MDB_txn *txn, MDB_dbi dbi, MDB_val *key)
{
	int rc = mdb_del(txn, dbi, key, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of a blob whose head is damaged only the note goes, so that it does not stop the others. */
static int delete_blob(MDB_txn *txn, const struct ph_kv_blob_id *id, uint64_t *chunks_r)
{
	MDB_val key = id_val(id);
	struct head head;
	int rc = get_head(txn, id, &head);

	*chunks_r = 0;
	if (!rc && head.references == 0) {
		*chunks_r = chunk_count(head.size);
		rc = delete_key(txn, environment_blobs, &key);
	} else if (rc == MDB_NOTFOUND || rc == MDB_CORRUPTED) {
		rc = 0;
	}
	for (uint64_t number = 0; !rc && number < *chunks_r; number++) {
		struct chunk_key chunk;

		make_chunk_key(&chunk, id, number);
		rc = delete_key(txn, environment_blobs, &chunk.val);
	}
	return rc ? rc : delete_key(txn, environment_dropped, &key);
}

/* The ids of dropped blobs behind the place where the last collection ended, at most COLLECT_BLOBS. */
static int list_dropped(MDB_txn *txn, struct ph_kv_blob_id *ids, size_t *count_r)
{
	MDB_val key = id_val(&collected_to), value;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, environment_dropped, &cursor);

	*count_r = 0;
	if (rc)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (!rc && *count_r < COLLECT_BLOBS) {
		if (key.mv_size == ID_SIZE)
			memcpy(ids[(*count_r)++].bytes, key.mv_data, ID_SIZE);
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int blob_collect(MDB_txn *txn, bool *more_r)
{
	struct ph_kv_blob_id ids[COLLECT_BLOBS];
	uint64_t chunks = 0, of_blob;
	size_t count, next = 0;
	int rc = list_dropped(txn, ids, &count);

	for (; !rc && next < count && chunks < COLLECT_CHUNKS; next++) {
		if (!pin_exclude(ids[next]))
			continue;
		rc = delete_blob(txn, &ids[next], &of_blob);
		chunks += of_blob;
	}
	*more_r = next < count || count == COLLECT_BLOBS;
	if (*more_r)
		collected_to = ids[next < count ? next : count - 1];
	else
		memset(&collected_to, 0, sizeof(collected_to));
	return rc;
}

void blob_collected(void)
{
	pin_exclude_none();
}
