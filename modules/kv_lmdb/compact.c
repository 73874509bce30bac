/* A segment that lies before both checkpoints matters only for the blobs it holds. They are appended to the
 * journal again, some at a time, as updates like others, and when none is left the file is removed: nothing
 * is ever only in a place that is not yet durable. Who has a blob of it open reads on from the removed file.
 *
 * What is needed is counted, and besides looked up for each blob that the segment's records tell of. Only
 * when both say that nothing is needed the file goes: a record that does not read back any more keeps its
 * segment. */
#include <config.h>

#include "compact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <posthorn/error.h>
#include <posthorn/mem.h>

#include "checkpoint.h"
#include "commit.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "segment.h"
#include "transaction.h"

/* What moves in one update. */
#define BATCH_BYTES (1024 * 1024)
/* Behind each batch, so that the disk has time for others. */
#define PAUSE_NANOSECONDS 10000000

struct moving {
	struct ph_kv_blob_id id;
	struct stored from;
	char *bytes;
};

struct batch {
	struct moving *blobs;
	size_t count;
	uint64_t bytes;
};

struct job {
	uint64_t segment;
	uint64_t done, total; /* segments */
	struct segment_reader reader;
	struct batch batch;
	bool (*go_on)(uint64_t done, uint64_t total);
};

/* --- moving --- */

static bool same_place(const struct stored *a, const struct stored *b)
{
	return a->segment == b->segment && a->offset == b->offset;
}

static int move_blob(struct ph_kv_txn *txn, const struct moving *moving)
{
	struct stored old, new;
	int rc = index_get_blob(txn->mdb, &moving->id, &old);

	if (rc == MDB_NOTFOUND || (!rc && !same_place(&old, &moving->from)))
		return 0;
	if (rc)
		return rc;
	new = old;
	new.segment = txn->record->segment;
	new.offset = record_add_bytes(txn->record, moving->bytes, (size_t)stored_bytes(&old));
	record_blob(txn->record, OPERATION_MOVED, &moving->id, &new);
	txn->changed = true;
	return index_put_blob(txn->mdb, &moving->id, &old, &new);
}

static int move_all(struct ph_kv_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	int rc = 0;

	for (size_t i = 0; !rc && i < batch->count; i++)
		rc = move_blob(txn, &batch->blobs[i]);
	return rc ? transaction_failed(txn, rc) : 0;
}

static void empty_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->blobs[i].bytes);
	batch->count = 0;
	batch->bytes = 0;
}

static int move_batch(struct job *job)
{
	const struct timespec pause = { 0, PAUSE_NANOSECONDS };
	int rc = 0;

	if (job->batch.count > 0)
		rc = commit_from_thread(move_all, &job->batch, job->batch.bytes);
	empty_batch(&job->batch);
	nanosleep(&pause, NULL);
	return rc ? rc : job->go_on(job->done, job->total) ? 0 : PH_E_STALE;
}

/* --- what a segment holds --- */

static int look_up(const struct ph_kv_blob_id *id, struct stored *stored_r)
{
	MDB_txn *txn;
	int rc = commit_snapshot_begin(&txn);

	if (rc)
		return rc;
	rc = index_get_blob(txn, id, stored_r);
	environment_snapshot_end(txn);
	return rc;
}

/* Takes the blob's bytes as they are: if they are damaged their sums tell so in the new place as well. */
static int take_bytes(struct job *job, const struct ph_kv_blob_id *id, const struct stored *stored)
{
	struct batch *batch = &job->batch;
	size_t size = (size_t)stored_bytes(stored);
	char *bytes = ph_alloc(size + 1);
	int rc = file_read(job->reader.fd, bytes, size, stored->offset);

	if (rc) {
		free(bytes);
		return rc;
	}
	batch->blobs = ph_realloc_array(batch->blobs, batch->count + 1, sizeof(*batch->blobs));
	batch->blobs[batch->count++] = (struct moving){ *id, *stored, bytes };
	batch->bytes += size;
	return batch->bytes >= BATCH_BYTES ? move_batch(job) : 0;
}

static int take_blob(struct job *job, const struct operation *operation)
{
	struct stored now;
	int rc;

	if ((operation->type != OPERATION_BLOB && operation->type != OPERATION_MOVED) ||
		operation->stored.segment != job->segment)
		return 0;
	rc = look_up(&operation->id, &now);
	if (rc == MDB_NOTFOUND || (!rc && !same_place(&now, &operation->stored)))
		return 0;
	return rc ? rc : take_bytes(job, &operation->id, &now);
}

static int take_record(struct job *job, const struct segment_record *record)
{
	struct ph_str rest = record->operations;
	struct operation operation;
	int rc = 0;

	while (!rc && operation_next(&rest, &operation) > 0)
		rc = take_blob(job, &operation);
	return rc;
}

/* Moves all that is needed of the segment. */
static int empty_segment(struct job *job, const char *path)
{
	struct segment_record record;
	int rc = segment_open(&job->reader, path, 0);

	while (!rc && segment_next(&job->reader, &record))
		rc = take_record(job, &record);
	if (!rc)
		rc = move_batch(job);
	segment_close(&job->reader);
	empty_batch(&job->batch);
	free(job->batch.blobs);
	return rc;
}

static int live_bytes(uint64_t segment, uint64_t *bytes_r)
{
	MDB_txn *txn;
	int rc = commit_snapshot_begin(&txn);

	if (rc)
		return rc;
	rc = index_live_bytes(txn, segment, bytes_r);
	environment_snapshot_end(txn);
	return rc;
}

static int size_of(const char *path, uint64_t *size_r)
{
	struct segment_reader reader;
	int rc = segment_open(&reader, path, 0);

	*size_r = reader.limit;
	segment_close(&reader);
	return rc;
}

static int compact_segment(struct job *job, unsigned percent)
{
	char *path = file_number_path(journal_directory(), job->segment);
	uint64_t live, size;
	int rc = live_bytes(job->segment, &live);

	if (!rc)
		rc = size_of(path, &size);
	if (!rc && (live == 0 || live * 100 < size * percent)) {
		rc = empty_segment(job, path);
		if (!rc)
			rc = live_bytes(job->segment, &live);
		if (!rc && live == 0 && file_operations.unlink(path) < 0)
			rc = errno;
	}
	free(path);
	return rc;
}

/* What lies before the segment `first`. */
static int compact_before(uint64_t first, unsigned percent, bool (*go_on)(uint64_t done, uint64_t total))
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(journal_directory(), &numbers, &count);

	for (size_t i = 0; !rc && i < count && numbers[i] < first; i++) {
		struct job job = { numbers[i], .done = i, .total = count, .go_on = go_on };

		rc = compact_segment(&job, percent);
		/* One that cannot be read, or that there is no space for, stays, and does not keep the
		 * others. */
		if (rc == PH_E_CORRUPT || rc == EIO || rc == PH_E_FULL)
			rc = 0;
	}
	free(numbers);
	return rc;
}

int compact_journal(unsigned percent, bool (*go_on)(uint64_t done, uint64_t total))
{
	uint64_t first;
	int rc = checkpoint_first_segment(&first);

	return rc ? rc : compact_before(first, percent, go_on);
}

/* Does a segment before this one hold nothing that is needed? */
static bool would_free(uint64_t first)
{
	uint64_t *numbers, live;
	size_t count;
	int rc = file_numbers(journal_directory(), &numbers, &count);
	bool found = false;

	for (size_t i = 0; !rc && !found && i < count && numbers[i] < first; i++) {
		rc = live_bytes(numbers[i], &live);
		found = !rc && live == 0;
	}
	free(numbers);
	return found;
}

int compact_full_store(bool (*go_on)(uint64_t done, uint64_t total))
{
	uint64_t first;
	int rc = compact_journal(0, go_on);

	if (!rc)
		rc = checkpoint_write(go_on);
	if (!rc)
		rc = compact_journal(0, go_on);
	if (!rc && checkpoint_newest_segment(&first) == 0 && would_free(first)) {
		rc = checkpoint_give_up_older();
		if (!rc)
			rc = compact_before(first, 0, go_on);
	}
	checkpoint_keep_space();
	return rc;
}
