/* Recovery. A checkpoint is a file of records that end with the position in the journal which it contains;
 * one that does not read back to its end is passed over for the one before. Then the journal's records from
 * there on are applied in order, many to a transaction.
 *
 * The last record of all counts only when its blobs read back too: else it is a torn tail. Damage elsewhere
 * is told, with the keys it would have set as far as they can be read, and the rest is served. What comes
 * after recovery goes to a new segment, so that nothing that was cut can ever be taken for part of the
 * journal. */
#include <config.h>

#include "recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/log.h>

#include "damage.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "segment.h"

/* What one transaction takes: records, and bytes of operations. */
#define BATCH_RECORDS 1000
#define BATCH_BYTES (8 * 1024 * 1024)

/* Rules for one file. */
struct source {
	struct recovery *recovery;
	const char *path;
	bool is_checkpoint;
	bool is_last; /* its last record may be torn */
	uint64_t offset, end;
	struct position *position; /* of the journal, moved along */
	bool complete;             /* out: the checkpoint's end was seen */
};

static int apply_record(MDB_txn *txn, const struct segment_record *record, struct source *source)
{
	struct ph_str rest = record->operations;
	struct operation operation;
	struct ph_buf dropped;
	int rc = 0, more = 0;

	ph_buf_init(&dropped, SIZE_MAX);
	while (!rc && (more = operation_next(&rest, &operation)) > 0) {
		rc = index_apply(txn, &operation, &dropped);
		if (operation.type != OPERATION_POSITION)
			continue;
		*source->position = operation.position;
		source->complete = true;
	}
	if (!rc && more < 0)
		rc = PH_E_CORRUPT;
	if (!rc)
		rc = index_sweep(txn, &dropped);
	ph_buf_free(&dropped);
	return rc;
}

static void log_damage(
	struct source *source, const struct segment_reader *reader, uint64_t from, uint64_t end)
{
	source->recovery->damages++;
	ph_log(PH_LOG_ERROR, "part of the journal does not read back and is passed over",
		PH_LOG_NUMBER("segment", reader->header.number), PH_LOG_NUMBER("offset", from),
		PH_LOG_NUMBER("bytes", end - from));
	if (!source->recovery->env)
		damage_found(reader->fd, reader->header.number, &reader->header, from, end);
}

/* The blobs that a record brought along. */
static bool blobs_read_back(const struct segment_reader *reader, const struct segment_record *record)
{
	struct ph_str rest = record->operations;
	struct operation operation;

	while (operation_next(&rest, &operation) > 0)
		if ((operation.type == OPERATION_BLOB || operation.type == OPERATION_MOVED) &&
			operation.stored.segment == reader->header.number &&
			!segment_check_blob(reader->fd, &operation.stored))
			return false;
	return true;
}

static bool is_torn(
	const struct source *source, struct segment_reader *reader, const struct segment_record *record)
{
	return source->is_last && segment_is_last(reader) && !blobs_read_back(reader, record);
}

static void pass_record(
	struct source *source, const struct segment_reader *reader, const struct segment_record *record)
{
	if (source->is_checkpoint)
		return;
	source->position->segment = reader->header.number;
	source->position->offset = reader->offset;
	source->position->sequence = record->header.sequence + 1;
	source->position->written += record_size(&record->header);
}

/* Applies some records in one transaction. 1: there may be more; 0: that was all; else LMDB's code. */
static int apply_batch(struct segment_reader *reader, struct source *source, MDB_txn *txn)
{
	struct segment_record record;
	size_t bytes = 0;
	int rc;

	for (unsigned i = 0; i < BATCH_RECORDS && bytes < BATCH_BYTES; i++) {
		int more = segment_next(reader, &record);

		if (source->is_checkpoint && reader->damaged_from)
			return PH_E_CORRUPT;
		if (reader->damaged_from && (more || !source->is_last))
			log_damage(source, reader, reader->damaged_from,
				more ? reader->damaged_to : reader->limit);
		if (!more)
			return source->is_last && reader->unreadable ? EIO : 0;
		if (is_torn(source, reader, &record))
			return 0;
		rc = apply_record(txn, &record, source);
		if (rc)
			return rc;
		pass_record(source, reader, &record);
		bytes += record.operations.len;
	}
	return 1;
}

/* --- transactions, in the environment of this process or another --- */

static int begin_write(const struct recovery *recovery, MDB_txn **txn_r)
{
	return recovery->env ? mdb_txn_begin(recovery->env, NULL, 0, txn_r) : environment_write_begin(txn_r);
}

static int commit_write(const struct recovery *recovery, MDB_txn *txn)
{
	return recovery->env ? mdb_txn_commit(txn) : environment_write_commit(txn);
}

static bool grow(const struct recovery *recovery)
{
	return !recovery->env && environment_grow();
}

/* Does apply_batch in a transaction, again when the map had to grow. */
static int apply_transaction(struct segment_reader *reader, struct source *source)
{
	const uint64_t offset = reader->offset, sequence = reader->sequence;
	const struct position position = *source->position;
	MDB_txn *txn;
	int more, rc;

	do {
		rc = begin_write(source->recovery, &txn);
		if (rc)
			return rc;
		reader->offset = offset;
		reader->sequence = sequence;
		*source->position = position;
		more = apply_batch(reader, source, txn);
		if (more == 0 || more == 1) {
			rc = commit_write(source->recovery, txn);
		} else {
			rc = more;
			mdb_txn_abort(txn);
		}
	} while (rc == MDB_MAP_FULL && grow(source->recovery));
	return rc ? rc : more;
}

static int apply_file(struct source *source)
{
	struct segment_reader reader;
	int rc = segment_open(&reader, source->path, source->offset);

	if (!rc && source->end < reader.limit)
		reader.limit = source->end;
	if (!rc && !source->is_checkpoint && source->offset > 0)
		reader.sequence = source->position->sequence;
	/* What cannot be opened, or lies at the end of the journal, is not taken for lost. */
	if (rc == EIO && reader.fd >= 0 && !source->is_last)
		rc = PH_E_CORRUPT;
	if (!rc)
		rc = 1;
	while (rc == 1)
		rc = apply_transaction(&reader, source);
	segment_close(&reader);
	return rc;
}

/* --- checkpoints --- */

static int empty_index(const struct recovery *recovery)
{
	const MDB_dbi all[] = { environment_keys, environment_blobs, environment_segments,
		environment_state };
	MDB_txn *txn;
	int rc = begin_write(recovery, &txn);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(*all); i++)
		rc = mdb_drop(txn, all[i], 0);
	if (!rc)
		return commit_write(recovery, txn);
	mdb_txn_abort(txn);
	return rc;
}

/* The newest that reads back; with none, *position stays at the beginning of the journal. */
static int load_checkpoint(struct recovery *recovery, struct position *position)
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(recovery->checkpoints, &numbers, &count);
	bool loaded = false;

	while (!rc && !loaded && count > 0) {
		char *path = file_number_path(recovery->checkpoints, numbers[--count]);
		struct source source = {
			.recovery = recovery,
			.path = path,
			.is_checkpoint = true,
			.end = UINT64_MAX,
			.position = position,
		};

		rc = apply_file(&source);
		loaded = !rc && source.complete;
		if (!loaded && (!rc || rc == PH_E_CORRUPT)) {
			ph_log(PH_LOG_ERROR, "a checkpoint does not read back", PH_LOG_TEXT("file", path));
			*position = (struct position){ .sequence = 1 };
			recovery->damages++;
			rc = empty_index(recovery);
		}
		free(path);
	}
	free(numbers);
	return rc;
}

/* --- the journal --- */

/* How far a segment counts: as its successor says. */
static uint64_t end_of(const struct recovery *recovery, const uint64_t *numbers, size_t count, size_t i)
{
	struct segment_reader next;
	uint64_t end = UINT64_MAX;
	char *path;

	if (i + 1 == count || numbers[i + 1] != numbers[i] + 1)
		return end;
	path = file_number_path(recovery->journal, numbers[i + 1]);
	if (segment_open(&next, path, 0) == 0)
		end = next.header.previous_end;
	segment_close(&next);
	free(path);
	return end;
}

/* One whose header is damaged: none of its records can be told from others' bytes. */
static void lose_segment(const struct recovery *recovery, const char *path, uint64_t number)
{
	int fd = recovery->env ? -1 : file_operations.open(path, O_RDONLY);
	uint64_t size;

	if (fd < 0)
		return;
	if (file_size(fd, &size) == 0)
		damage_found(fd, number, NULL, 0, size);
	file_operations.close(fd);
}

static int apply_segment(
	struct recovery *recovery, const uint64_t *numbers, size_t count, size_t i, struct position *position)
{
	char *path = file_number_path(recovery->journal, numbers[i]);
	struct source source = {
		.recovery = recovery,
		.path = path,
		.is_last = true,
		.offset = numbers[i] == position->segment ? position->offset : 0,
		.end = end_of(recovery, numbers, count, i),
		.position = position,
	};
	int rc;

	source.is_last = source.end == UINT64_MAX;
	rc = apply_file(&source);
	if (rc == PH_E_CORRUPT && i + 1 < count)
		lose_segment(recovery, path, numbers[i]);
	free(path);
	if (rc == PH_E_CORRUPT) {
		recovery->damages += i + 1 < count;
		/* The newest may not have been begun: nothing counts in it. */
		ph_log(i + 1 == count ? PH_LOG_INFO : PH_LOG_ERROR,
			"a segment of the journal does not read back", PH_LOG_NUMBER("segment", numbers[i]));
		rc = 0;
	}
	/* Also one without a record is passed. */
	if (position->segment < numbers[i]) {
		position->segment = numbers[i];
		position->offset = SEGMENT_HEADER;
	}
	return rc;
}

static int apply_journal(struct recovery *recovery, struct position *position)
{
	uint64_t *numbers;
	size_t count, first = 0;
	int rc = file_numbers(recovery->journal, &numbers, &count);

	while (first < count && numbers[first] < position->segment)
		first++;
	if (!rc && first < count && numbers[first] > position->segment + 1) {
		ph_log(PH_LOG_ERROR, "segments of the journal are missing, and no checkpoint contains them",
			PH_LOG_NUMBER("from", position->segment), PH_LOG_NUMBER("to", numbers[first]));
		rc = PH_E_CORRUPT;
	}
	for (size_t i = first; !rc && i < count; i++)
		rc = apply_segment(recovery, numbers, count, i, position);
	free(numbers);
	return rc;
}

static int begin_segment(struct position *position, const struct position *checkpoint)
{
	MDB_txn *txn;
	int rc = environment_write_begin(&txn);

	if (rc)
		return rc;
	if (position->segment > 0)
		rc = journal_rotate(position, 0, EFFECT_FREES);
	if (!rc)
		rc = index_put_end(txn, position);
	if (!rc)
		rc = index_put_checkpoint(txn, checkpoint);
	if (!rc)
		return environment_write_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

int recover_from(struct recovery *recovery)
{
	struct position position = { .sequence = 1 };
	int rc = load_checkpoint(recovery, &position);

	recovery->checkpoint = position;
	if (!rc)
		rc = apply_journal(recovery, &position);
	recovery->end = position;
	return rc;
}

int recover_index(const char *checkpoints)
{
	struct recovery recovery = { .journal = journal_directory(), .checkpoints = checkpoints };
	int rc = recover_from(&recovery);
	struct position position = recovery.end, checkpoint = recovery.checkpoint;

	if (!rc)
		rc = begin_segment(&position, &checkpoint);
	if (!rc && position.sequence > 1)
		ph_log(PH_LOG_WARN, "the index was made anew from the journal",
			PH_LOG_NUMBER("checkpoint", checkpoint.sequence - 1),
			PH_LOG_NUMBER("records", position.sequence - checkpoint.sequence));
	return rc;
}
