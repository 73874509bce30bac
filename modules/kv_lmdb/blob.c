/* A blob's entry in the index tells where its bytes are and counts the references; with the last reference
 * the entry goes, at the end of the group of updates. Who has it open reads on from the open file, which
 * stays until it is closed, whatever becomes of its name. A chunk is checked against its sum whenever it is
 * read. */
#include <config.h>

#include "blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "checksum.h"
#include "commit.h"
#include "draft.h"
#include "environment.h"
#include "index.h"
#include "source.h"
#include "transaction.h"

#define ID_SIZE sizeof(struct ph_kv_blob_id)

struct ph_kv_blob {
	struct ph_kv_blob_id id;
	struct stored stored;
	struct source_file *file;
	char *chunk;    /* the one that is shown */
	uint64_t shown; /* its number plus one, 0: none */
};

/* --- references --- */

static struct ph_kv_draft *find_draft(const struct ph_kv_txn *txn, const struct ph_kv_blob_id *id)
{
	for (size_t i = 0; i < txn->draft_count; i++) {
		struct ph_kv_blob_id draft = kv_draft_id(txn->drafts[i]);

		if (memcmp(draft.bytes, id->bytes, ID_SIZE) == 0)
			return txn->drafts[i];
	}
	return NULL;
}

static int store_draft(struct ph_kv_txn *txn, const struct ph_kv_blob_id *id, struct ph_kv_draft *draft)
{
	struct stored stored = { .references = 1 };

	kv_draft_store(draft, txn->record, &stored);
	txn->record->references++;
	record_blob(txn->record, OPERATION_BLOB, id, &stored);
	return index_put_blob(txn->mdb, id, NULL, &stored);
}

static int set_references(
	struct ph_kv_txn *txn, const struct ph_kv_blob_id *id, const struct stored *old, uint32_t references)
{
	struct stored new = *old;

	new.references = references;
	txn->record->references += (int64_t)references - old->references;
	record_references(txn->record, id, references);
	if (references == 0)
		ph_buf_add(&txn->record->dropped, id->bytes, ID_SIZE);
	return index_put_blob(txn->mdb, id, old, &new);
}

int blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	struct stored stored;
	struct ph_kv_draft *draft;
	int rc = index_get_blob(txn->mdb, &id, &stored);

	PH_ASSERT(txn->writable);
	if (!rc) {
		txn->changed = true;
		rc = set_references(txn, &id, &stored, stored.references + 1);
	} else if (rc == MDB_NOTFOUND) {
		draft = find_draft(txn, &id);
		if (!draft)
			return PH_E_ABSENT;
		txn->changed = true;
		rc = store_draft(txn, &id, draft);
	}
	return rc ? transaction_failed(txn, rc) : 0;
}

int blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	struct stored stored;
	int rc = index_get_blob(txn->mdb, &id, &stored);

	PH_ASSERT(txn->writable);
	if (rc == MDB_NOTFOUND || (!rc && stored.references == 0))
		return PH_E_ABSENT;
	txn->changed = true;
	if (!rc)
		rc = set_references(txn, &id, &stored, stored.references - 1);
	return rc ? transaction_failed(txn, rc) : 0;
}

/* --- reading --- */

static int look_up(struct ph_kv_blob *blob)
{
	MDB_txn *txn;
	int rc = commit_read_begin(&txn);

	if (rc)
		return rc;
	rc = index_get_blob(txn, &blob->id, &blob->stored);
	environment_read_end();
	return rc;
}

/* Between looking up and opening the bytes may move on, or go. */
static int find_bytes(struct ph_kv_blob *blob)
{
	struct stored before = { 0 };
	int rc;

	for (;;) {
		rc = look_up(blob);
		if (rc)
			return rc;
		rc = source_take(&blob->id, &blob->stored, &blob->file);
		if (rc != ENOENT)
			return rc;
		if (memcmp(&before, &blob->stored, sizeof(before)) == 0)
			return MDB_CORRUPTED;
		before = blob->stored;
	}
}

static int report(const struct ph_kv_blob *blob, int rc, struct ph_error *error)
{
	return ph_error_set(error, environment_code(rc), "the message cannot be read now",
		"blob %016llx%016llx, segment %llx, offset %llu: %s",
		(unsigned long long)ph_bytes_get64(blob->id.bytes),
		(unsigned long long)ph_bytes_get64(blob->id.bytes + 8),
		(unsigned long long)blob->stored.segment, (unsigned long long)blob->stored.offset,
		mdb_strerror(rc));
}

static uint64_t sums_size(const struct ph_kv_blob *blob)
{
	return stored_bytes(&blob->stored) - blob->stored.size;
}

static int check_sums(struct ph_kv_blob *blob)
{
	size_t size = (size_t)sums_size(blob);
	char *sums;
	int rc;

	if (size == 0)
		return 0;
	sums = ph_alloc(size);
	rc = source_read(blob->file, blob->stored.offset + blob->stored.size, size, sums);
	if (!rc && checksum(0, sums, size) != blob->stored.sum)
		rc = MDB_CORRUPTED;
	free(sums);
	return rc;
}

int blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error)
{
	struct ph_kv_blob *blob = ph_alloc(sizeof(*blob));
	int rc;

	blob->id = id;
	rc = find_bytes(blob);
	if (!rc)
		rc = check_sums(blob);
	if (!rc) {
		*blob_r = blob;
		return 0;
	}
	rc = rc == MDB_NOTFOUND ? ph_error_set(error, PH_E_ABSENT, "the message is gone", NULL)
				: report(blob, rc, error);
	blob_close(&blob);
	return rc;
}

int blob_open_at(const struct ph_kv_blob_id *id, const struct stored *stored, int fd,
	struct ph_kv_blob **blob_r, struct ph_error *error)
{
	struct ph_kv_blob *blob = ph_alloc(sizeof(*blob));
	int rc;

	blob->id = *id;
	blob->stored = *stored;
	blob->file = source_of(fd);
	rc = check_sums(blob);
	if (!rc) {
		*blob_r = blob;
		return 0;
	}
	rc = report(blob, rc, error);
	blob_close(&blob);
	return rc;
}

uint64_t blob_size(const struct ph_kv_blob *blob)
{
	return blob->stored.size;
}

static size_t chunk_size(const struct ph_kv_blob *blob, uint64_t number)
{
	uint64_t left = blob->stored.size - number * BLOB_CHUNK;

	return left < BLOB_CHUNK ? (size_t)left : BLOB_CHUNK;
}

/* Reads a chunk and checks it. */
static int load_chunk(struct ph_kv_blob *blob, uint64_t number)
{
	const struct stored *stored = &blob->stored;
	size_t size = chunk_size(blob, number);
	char sum[BLOB_SUM];
	int rc;

	if (!blob->chunk)
		blob->chunk = ph_alloc(chunk_size(blob, 0));
	blob->shown = 0;
	rc = source_read(blob->file, stored->offset + number * BLOB_CHUNK, size, blob->chunk);
	if (!rc)
		rc = source_read(
			blob->file, stored->offset + stored->size + number * BLOB_SUM, BLOB_SUM, sum);
	if (!rc && checksum(0, blob->chunk, size) != ph_bytes_get64(sum))
		rc = MDB_CORRUPTED;
	if (!rc)
		blob->shown = number + 1;
	return rc;
}

int blob_view(struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	const uint64_t number = offset / BLOB_CHUNK;
	int rc = 0;

	*bytes_r = (struct ph_str){ NULL, 0 };
	if (offset >= blob->stored.size)
		return 0;
	if (blob->shown != number + 1)
		rc = load_chunk(blob, number);
	if (rc)
		return report(blob, rc, error);
	*bytes_r = ph_str_slice(
		ph_str_of(blob->chunk, chunk_size(blob, number)), (size_t)(offset % BLOB_CHUNK), BLOB_CHUNK);
	return 0;
}

void blob_close(struct ph_kv_blob **blob)
{
	if (!*blob)
		return;
	source_drop(&(*blob)->file);
	free((*blob)->chunk);
	free(*blob);
	*blob = NULL;
}
