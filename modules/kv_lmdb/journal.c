/* Appending. Segments are allocated ahead, so that writing needs no new blocks, and cut when they are full.
 *
 * A record lies where LMDB's last committed transaction says the journal ends. One whose transaction came to
 * nothing is overwritten by the next. After a failure of the disk the rest of the segment is not trusted: a
 * new one begins, and its header tells how far the former one counts.
 *
 * A file of allocated space is kept in reserve, and becomes a segment when the disk is full: for updates that
 * bring no message; the second half of it, for those that delete some. Nothing else is allocated before the
 * reserve is. */
#include <config.h>

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/error.h>

#include "checksum.h"
#include "file.h"
#include "segment.h"

#define RESERVE_NAME "reserve"
#define RESERVE_SIZE (16 * 1024 * 1024)
/* Where space is short, segments become smaller, down to this. */
#define SEGMENT_LEAST (1024 * 1024)
/* Room for a record's operations, which are not counted beforehand. */
#define ROOM (64 * 1024)

static const char *directory;
static uint64_t segment_size, write_ahead;
/* The segment that is open here. */
static int fd = -1;
static struct segment_header current;
static uint64_t capacity; /* its size, which is allocated */
/* A segment that failed; nothing more is appended to it. */
static uint64_t spoilt;

void journal_open(const char *directory_, uint64_t segment_size_, uint64_t write_ahead_)
{
	directory = directory_;
	segment_size = segment_size_;
	write_ahead = write_ahead_;
	spoilt = 0;
}

static void close_segment(void)
{
	if (fd >= 0)
		file_operations.close(fd);
	fd = -1;
	current = (struct segment_header){ 0 };
}

void journal_close(void)
{
	close_segment();
}

void journal_forget(void)
{
	close_segment();
}

const char *journal_directory(void)
{
	return directory;
}

static int open_segment(uint64_t number)
{
	char *path;
	int rc;

	if (fd >= 0 && current.number == number)
		return 0;
	close_segment();
	path = file_number_path(directory, number);
	fd = file_operations.open(path, O_RDWR);
	free(path);
	if (fd < 0)
		return errno;
	rc = segment_header_read(fd, &current);
	if (!rc && current.number != number)
		rc = PH_E_CORRUPT;
	if (!rc)
		rc = file_size(fd, &capacity);
	if (rc)
		close_segment();
	return rc;
}

static uint64_t newest_segment(void)
{
	uint64_t *numbers, newest = 0;
	size_t count;

	if (file_numbers(directory, &numbers, &count) == 0 && count > 0)
		newest = numbers[count - 1];
	free(numbers);
	return newest;
}

bool journal_ends(const struct position *end)
{
	uint64_t size, newest = newest_segment();

	if (end->segment == 0)
		return newest == 0;
	return (newest == end->segment || newest == end->segment + 1) && open_segment(end->segment) == 0 &&
	       file_size(fd, &size) == 0 && size >= end->offset;
}

/* --- a new segment --- */

static int allocate_file(int file, uint64_t size)
{
	if (file_operations.allocate(file, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return errno;
	return file_operations.truncate(file, (off_t)size) < 0 ? errno : 0;
}

static int allocate_new(const char *path, uint64_t size, int *file_r)
{
	int rc;

	if (file_operations.unlink(path) < 0 && errno != ENOENT)
		return errno;
	*file_r = file_operations.open(path, O_RDWR | O_CREAT | O_EXCL);
	if (*file_r < 0)
		return errno;
	rc = allocate_file(*file_r, size);
	if (rc) {
		file_operations.close(*file_r);
		file_operations.unlink(path);
	}
	return rc;
}

static uint64_t reserve_size(void)
{
	return segment_size < RESERVE_SIZE ? segment_size : RESERVE_SIZE;
}

/* Keeps something for bad times, when times are good. */
static int keep_reserve(void)
{
	char *path = file_path(directory, RESERVE_NAME);
	struct stat status;
	int rc = 0, file;

	if (stat(path, &status) < 0 || (uint64_t)status.st_size < reserve_size()) {
		rc = allocate_new(path, reserve_size(), &file);
		if (!rc)
			file_operations.close(file);
	}
	free(path);
	return rc;
}

/* How far a reserve of that size may be filled. */
static uint64_t reserve_limit(uint64_t size, enum effect effect)
{
	return effect == EFFECT_BRINGS ? 0 : effect == EFFECT_CHANGES ? size / 2 : size;
}

static int take_reserve(const char *path, uint64_t need, enum effect effect)
{
	char *reserve = file_path(directory, RESERVE_NAME);
	struct stat status;
	int rc = 0;

	if (stat(reserve, &status) < 0 || need > reserve_limit((uint64_t)status.st_size, effect) ||
		file_operations.rename(reserve, path) < 0)
		rc = ENOSPC;
	free(reserve);
	if (rc)
		return rc;
	fd = file_operations.open(path, O_RDWR);
	return fd < 0 ? errno : 0;
}

/* As large as there is space for, and as is needed. */
static int allocate_some(const char *path, uint64_t need)
{
	const uint64_t least = need > SEGMENT_LEAST ? need : SEGMENT_LEAST;
	uint64_t size = need > segment_size ? need : segment_size;
	int rc = allocate_new(path, size, &fd);

	while (file_is_full(rc) && size > least) {
		size = size / 2 > least ? size / 2 : least;
		rc = allocate_new(path, size, &fd);
	}
	if (rc)
		fd = -1;
	return rc;
}

static int allocate(const char *path, uint64_t need, enum effect effect, bool *is_reserve_r)
{
	int rc = keep_reserve();

	if (!rc || (file_is_full(rc) && effect == EFFECT_FREES))
		rc = allocate_some(path, need);
	*is_reserve_r = file_is_full(rc);
	return *is_reserve_r ? take_reserve(path, need, effect) : rc;
}

static int write_header(void)
{
	unsigned char bytes[SEGMENT_HEADER];
	struct iovec part = { bytes, sizeof(bytes) };
	int rc;

	if (getrandom(&current.salt, sizeof(current.salt), 0) != sizeof(current.salt))
		return EIO;
	segment_header_write(&current, bytes);
	rc = file_write(fd, &part, 1, 0);
	if (!rc && file_operations.flush_all(fd) < 0)
		rc = errno;
	return rc ? rc : file_flush_folder(directory);
}

static int create_segment(struct segment_header *header, uint64_t need, enum effect effect)
{
	char *path = file_number_path(directory, header->number);
	int rc;

	close_segment();
	rc = allocate(path, need, effect, &header->is_reserve);
	current = *header;
	if (!rc)
		rc = write_header();
	if (rc) {
		close_segment();
		file_operations.unlink(path);
	}
	free(path);
	return rc;
}

/* Gives back what a segment that is full does not need. It counts as far without. */
static void seal(const struct position *end)
{
	if (end->segment > 0 && open_segment(end->segment) == 0)
		(void)file_operations.truncate(fd, (off_t)end->offset);
}

int journal_rotate(struct position *end, uint64_t bytes, enum effect effect)
{
	struct segment_header header = {
		.number = end->segment + 1,
		.sequence = end->sequence,
		.previous_end = end->offset,
	};
	struct position former = *end;
	int rc = create_segment(&header, SEGMENT_HEADER + bytes + ROOM, effect);

	if (rc)
		return rc;
	end->segment = header.number;
	end->offset = SEGMENT_HEADER;
	if (former.segment != spoilt)
		seal(&former);
	return open_segment(end->segment);
}

static bool has_room(const struct position *end, uint64_t bytes, enum effect effect)
{
	const uint64_t limit = current.is_reserve ? reserve_limit(capacity, effect) : capacity;

	return end->offset + bytes + ROOM <= limit;
}

int journal_prepare(struct position *end, uint64_t bytes, enum effect effect)
{
	int rc;

	if (end->segment > 0 && end->segment != spoilt) {
		rc = open_segment(end->segment);
		if (rc || has_room(end, bytes, effect))
			return rc;
	}
	return journal_rotate(end, bytes, effect);
}

uint64_t journal_room(const struct position *end)
{
	const uint64_t used = end->offset + ROOM;

	return current.is_reserve || used > capacity ? 0 : capacity - used;
}

/* --- a record --- */

/* A write or flush at `end` failed. */
static int append_failed(const struct position *end, int rc)
{
	journal_undo(end);
	if (!file_is_full(rc))
		spoilt = end->segment;
	return rc;
}

int journal_write_ahead(const struct position *end, struct record *record)
{
	uint64_t at = end->offset + RECORD_HEADER + record->ahead, size = record->bytes - record->ahead;
	int rc;

	if (size < write_ahead)
		return 0;
	rc = file_write(fd, record->parts + 1, record->part_count - 1, at);
	if (rc)
		return append_failed(end, rc);
	record_bytes_written(record);
	file_start_flush(fd, at, size);
	return 0;
}

static int write_record(const struct position *end, struct record *record, const struct record_header *header)
{
	static const char zeros[16];
	unsigned char bytes[RECORD_HEADER];
	uint64_t size = record_size(header);
	uint64_t padding = size - RECORD_HEADER - header->bytes - header->operations;
	int rc;

	record_header_write(header, current.salt, end->offset, bytes);
	record->parts[0] = (struct iovec){ bytes, sizeof(bytes) };
	record_add_bytes(record, record->operations.data, record->operations.len);
	record_add_bytes(record, zeros, (size_t)padding);
	if (record->ahead == 0)
		return file_write(fd, record->parts, record->part_count, end->offset);
	rc = file_write(
		fd, record->parts + 1, record->part_count - 1, end->offset + RECORD_HEADER + record->ahead);
	return rc ? rc : file_write(fd, record->parts, 1, end->offset);
}

int journal_append(struct position *end, struct record *record)
{
	struct record_header header = {
		.sequence = end->sequence,
		.bytes = record->bytes,
		.operations = record->operations.len,
		.sum = checksum(current.salt, record->operations.data, record->operations.len),
	};
	int rc = write_record(end, record, &header);

	if (!rc && file_operations.flush(fd) < 0)
		rc = errno;
	if (rc)
		return append_failed(end, rc);
	end->offset += record_size(&header);
	end->sequence++;
	end->written += record_size(&header);
	return 0;
}

void journal_undo(const struct position *end)
{
	static char zeros[RECORD_HEADER];
	struct iovec part = { zeros, sizeof(zeros) };

	if (fd >= 0)
		(void)file_write(fd, &part, 1, end->offset);
}
