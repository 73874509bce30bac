/* Writing checkpoints, into the file `new`, which is kept allocated for that: so a full disk does not keep
 * them from making segments needless. The entries come in LMDB's order; the last record tells the position,
 * and makes the checkpoint complete. The two newest are kept: should the newest not read back, the one before
 * leads further, since the journal from there on is kept as well.
 *
 * The position is that of the beginning. Entries are read a record's worth at a time, as they are by then,
 * and tell perhaps of updates that came since. Recovery makes all of those again, since they are durable
 * before anybody can read what they changed, and tell what is afterwards: so the end is the same. */
#include <config.h>

#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <posthorn/error.h>

#include "checksum.h"
#include "commit.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "segment.h"
#include "transaction.h"
#include "walk.h"

#define KEPT 2
/* What stays free behind it. */
#define SPACE_LEFT (8 * 1024 * 1024)
/* What the next one may be larger than the last, besides an eighth. */
#define KEPT_MORE (UINT64_C(4) * 1024 * 1024)
#define KEPT_LEAST (UINT64_C(128) * 1024)
/* Behind each record, so that the disk has time for others. */
#define PAUSE_NANOSECONDS 3000000

struct writer {
	struct walk walk;
	int fd;
	struct segment_header header;
	struct record record;
	uint64_t offset, kept;
	uint64_t done, total; /* entries */
	bool (*go_on)(uint64_t done, uint64_t total);
};

static const char *directory;
static uint64_t step;

void checkpoint_open(const char *directory_, uint64_t step_)
{
	directory = directory_;
	step = step_;
}

const char *checkpoint_directory(void)
{
	return directory;
}

/* --- the file --- */

static int write_header(struct writer *writer, const struct position *position)
{
	unsigned char bytes[SEGMENT_HEADER];
	struct iovec part = { bytes, sizeof(bytes) };

	writer->header = (struct segment_header){
		.number = position->sequence,
		.previous_segment = position->segment,
	};
	if (getrandom(&writer->header.salt, sizeof(writer->header.salt), 0) != sizeof(writer->header.salt))
		return EIO;
	segment_header_write(&writer->header, bytes);
	writer->offset = SEGMENT_HEADER;
	return file_write(writer->fd, &part, 1, 0);
}

/* Beyond the space that was kept for it, it does not take the disk's last. */
static int look_at_space(const struct writer *writer, uint64_t size)
{
	uint64_t space;

	if (writer->offset + size <= writer->kept)
		return 0;
	if (file_operations.free_space(writer->fd, &space) < 0)
		return errno;
	return space < SPACE_LEFT ? ENOSPC : 0;
}

static int write_record(struct writer *writer)
{
	static const char zeros[16];
	const struct ph_buf *operations = &writer->record.operations;
	struct record_header header = {
		.sequence = writer->offset,
		.operations = operations->len,
		.sum = checksum(writer->header.salt, operations->data, operations->len),
	};
	unsigned char bytes[RECORD_HEADER];
	struct iovec parts[] = { { bytes, sizeof(bytes) }, { operations->data, operations->len },
		{ (void *)(uintptr_t)zeros,
			(size_t)record_size(&header) - RECORD_HEADER - operations->len } };
	int rc;

	record_header_write(&header, writer->header.salt, writer->offset, bytes);
	rc = look_at_space(writer, record_size(&header));
	if (!rc)
		rc = file_write(writer->fd, parts, 3, writer->offset);
	writer->offset += record_size(&header);
	record_begin(&writer->record, 0, 0);
	return rc;
}

/* No snapshot is held while the disk is busy. */
static int end_step(struct writer *writer)
{
	const struct timespec pause = { 0, PAUSE_NANOSECONDS };
	int rc;

	if (writer->record.operations.len < step)
		return 0;
	walk_rest(&writer->walk);
	if (!writer->go_on(writer->done, writer->total))
		return PH_E_STALE;
	rc = write_record(writer);
	nanosleep(&pause, NULL);
	return rc;
}

/* --- its entries --- */

static int add_key(struct writer *writer, const MDB_val *key, const MDB_val *value)
{
	record_put(&writer->record, ph_str_of(key->mv_data, key->mv_size),
		ph_str_of(value->mv_data, value->mv_size));
	return 0;
}

static int add_blob(struct writer *writer, const MDB_val *key, const MDB_val *value)
{
	struct ph_kv_blob_id id;
	struct stored stored;
	int rc;

	(void)value;
	if (key->mv_size != sizeof(id))
		return MDB_CORRUPTED;
	memcpy(&id, key->mv_data, sizeof(id));
	rc = index_get_blob(writer->walk.txn, &id, &stored);
	if (!rc)
		record_blob(&writer->record, OPERATION_BLOB, &id, &stored);
	return rc;
}

static int add_all(struct writer *writer, MDB_dbi dbi,
	int (*add)(struct writer *writer, const MDB_val *key, const MDB_val *value))
{
	MDB_val key, value;
	int rc;

	walk_begin(&writer->walk, dbi);
	while (!(rc = walk_next(&writer->walk, &key, &value))) {
		rc = add(writer, &key, &value);
		writer->done++;
		if (!rc)
			rc = end_step(writer);
		if (rc)
			break;
	}
	walk_end(&writer->walk);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_entries(struct writer *writer, const struct position *position)
{
	int rc = write_header(writer, position);

	if (!rc)
		rc = add_all(writer, environment_keys, add_key);
	if (!rc)
		rc = add_all(writer, environment_blobs, add_blob);
	if (rc)
		return rc;
	record_position(&writer->record, position);
	return write_record(writer);
}

/* --- the whole --- */

static int write_file(const struct position *position, uint64_t total, const char *path,
	bool (*go_on)(uint64_t done, uint64_t total))
{
	struct writer writer = { .total = total, .go_on = go_on };
	int rc;

	writer.fd = file_operations.open(path, O_WRONLY | O_CREAT);
	if (writer.fd < 0)
		return errno;
	record_init(&writer.record);
	record_begin(&writer.record, 0, 0);
	rc = file_size(writer.fd, &writer.kept);
	if (!rc)
		rc = write_entries(&writer, position);
	if (file_operations.truncate(writer.fd, (off_t)(rc ? writer.kept : writer.offset)) < 0 && !rc)
		rc = errno;
	if (!rc && file_operations.flush_all(writer.fd) < 0)
		rc = errno;
	record_free(&writer.record);
	file_operations.close(writer.fd);
	return rc;
}

static int count_entries(MDB_txn *txn, uint64_t *count_r)
{
	MDB_stat keys, blobs;
	int rc = mdb_stat(txn, environment_keys, &keys);

	if (!rc)
		rc = mdb_stat(txn, environment_blobs, &blobs);
	if (!rc)
		*count_r = keys.ms_entries + blobs.ms_entries;
	return rc;
}

/* Where the journal ends and how many entries there are now; all zero when there is nothing new. */
static int look_at_index(struct position *position_r, uint64_t *entries_r)
{
	struct position last;
	MDB_txn *txn;
	int rc = commit_snapshot_begin(&txn);

	if (rc)
		return rc;
	rc = index_get_end(txn, position_r);
	if (!rc)
		rc = index_get_checkpoint(txn, &last);
	if (!rc)
		rc = count_entries(txn, entries_r);
	environment_snapshot_end(txn);
	if (!rc && last.written == position_r->written)
		*position_r = (struct position){ 0 };
	return rc;
}

static void remove_old(void)
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(directory, &numbers, &count);

	for (size_t i = 0; !rc && i + KEPT < count; i++) {
		char *path = file_number_path(directory, numbers[i]);

		(void)file_operations.unlink(path);
		free(path);
	}
	free(numbers);
}

static uint64_t newest_size(void)
{
	uint64_t *numbers, size = 0;
	struct stat status;
	size_t count;
	int rc = file_numbers(directory, &numbers, &count);

	if (!rc && count > 0) {
		char *path = file_number_path(directory, numbers[count - 1]);

		if (stat(path, &status) == 0)
			size = (uint64_t)status.st_size;
		free(path);
	}
	free(numbers);
	return size;
}

void checkpoint_keep_space(void)
{
	char *path = file_path(directory, "new");
	uint64_t size = newest_size();
	int fd = file_operations.open(path, O_WRONLY | O_CREAT);

	size += size / 8;
	for (uint64_t more = KEPT_MORE; fd >= 0 && more >= KEPT_LEAST; more /= 2)
		if (file_operations.allocate(fd, 0, (off_t)(size + more)) == 0)
			break;
	if (fd >= 0)
		file_operations.close(fd);
	free(path);
}

static int note_checkpoint(struct ph_kv_txn *txn, void *arg)
{
	int rc = index_put_checkpoint(txn->mdb, arg);

	txn->changed = true;
	return rc ? transaction_failed(txn, rc) : 0;
}

int checkpoint_write(bool (*go_on)(uint64_t done, uint64_t total))
{
	char *new = file_path(directory, "new"), *path;
	struct position position;
	uint64_t entries;
	int rc = look_at_index(&position, &entries);

	if (!rc && position.written > 0)
		rc = write_file(&position, entries, new, go_on);
	if (rc || position.written == 0) {
		free(new);
		return rc;
	}
	path = file_number_path(directory, position.sequence);
	if (file_operations.rename(new, path) < 0)
		rc = errno;
	if (!rc)
		rc = file_flush_folder(directory);
	if (!rc) {
		remove_old();
		checkpoint_keep_space();
		rc = commit_from_thread(note_checkpoint, &position, 0);
	}
	free(path);
	free(new);
	return rc;
}

/* --- what they make needless --- */

static int first_segment_of(const char *path, uint64_t *segment_r)
{
	struct segment_reader reader;
	int rc = segment_open(&reader, path, 0);

	if (!rc)
		*segment_r = reader.header.previous_segment;
	segment_close(&reader);
	return rc;
}

/* Of the checkpoint before so many others. */
static int first_segment(size_t others, uint64_t *segment_r)
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(directory, &numbers, &count);

	*segment_r = 0;
	if (!rc && count > others) {
		char *path = file_number_path(directory, numbers[count - 1 - others]);

		rc = first_segment_of(path, segment_r);
		free(path);
	}
	free(numbers);
	return rc;
}

int checkpoint_first_segment(uint64_t *segment_r)
{
	return first_segment(KEPT - 1, segment_r);
}

int checkpoint_newest_segment(uint64_t *segment_r)
{
	return first_segment(0, segment_r);
}

static bool ends_checkpoint(const struct segment_record *record)
{
	struct ph_str rest = record->operations;
	struct operation operation = { 0 };

	while (operation_next(&rest, &operation) > 0)
		continue;
	return operation.type == OPERATION_POSITION;
}

static int check_whole(const char *path)
{
	struct segment_reader reader;
	struct segment_record record;
	bool ended = false;
	int rc = segment_open(&reader, path, 0);

	while (!rc && segment_next(&reader, &record)) {
		ended = ends_checkpoint(&record);
		if (reader.damaged_from)
			rc = PH_E_CORRUPT;
	}
	segment_close(&reader);
	return rc || ended ? rc : PH_E_CORRUPT;
}

int checkpoint_give_up_older(void)
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(directory, &numbers, &count);

	for (size_t i = count; !rc && i-- > 0;) {
		char *path = file_number_path(directory, numbers[i]);

		if (i + 1 == count)
			rc = check_whole(path);
		else if (file_operations.unlink(path) < 0)
			rc = errno;
		free(path);
	}
	free(numbers);
	return rc;
}
