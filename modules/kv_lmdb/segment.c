/* Reading records one by one, and finding the next one behind damage. See segment.h. */
#include <config.h>

#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/error.h>
#include <posthorn/mem.h>

#include "checksum.h"
#include "file.h"

#define MAGIC UINT64_C(0x5068536567000002)
#define ALIGNMENT 16
#define SEARCH_SIZE (256 * 1024)
#define READ_TRIES 3

void segment_header_write(const struct segment_header *header, unsigned char *to)
{
	memset(to, 0, SEGMENT_HEADER);
	ph_bytes_put64(to, MAGIC);
	ph_bytes_put64(to + 8, header->number);
	ph_bytes_put64(to + 16, header->sequence);
	ph_bytes_put64(to + 24, header->previous_end);
	ph_bytes_put64(to + 32, header->salt);
	ph_bytes_put64(to + 40, header->previous_segment);
	to[48] = header->is_reserve;
	ph_bytes_put64(to + 56, checksum(MAGIC, to, 56));
}

/* What is passed over is lost: a disk that fails once may give it the next time. */
static bool read_again(int fd, void *to, size_t size, uint64_t offset)
{
	for (unsigned i = 0; i < READ_TRIES; i++)
		if (file_read(fd, to, size, offset) == 0)
			return true;
	return false;
}

int segment_header_read(int fd, struct segment_header *header_r)
{
	unsigned char bytes[SEGMENT_HEADER];
	if (!read_again(fd, bytes, sizeof(bytes), 0))
		return EIO;
	if (ph_bytes_get64(bytes) != MAGIC || ph_bytes_get64(bytes + 56) != checksum(MAGIC, bytes, 56))
		return PH_E_CORRUPT;
	header_r->number = ph_bytes_get64(bytes + 8);
	header_r->sequence = ph_bytes_get64(bytes + 16);
	header_r->previous_end = ph_bytes_get64(bytes + 24);
	header_r->salt = ph_bytes_get64(bytes + 32);
	header_r->previous_segment = ph_bytes_get64(bytes + 40);
	header_r->is_reserve = bytes[48] != 0;
	return 0;
}

int segment_open(struct segment_reader *reader, const char *path, uint64_t offset)
{
	int rc;

	*reader = (struct segment_reader){ .fd = file_operations.open(path, O_RDONLY) };
	ph_buf_init(&reader->operations, SIZE_MAX);
	if (reader->fd < 0)
		return errno;
	rc = file_size(reader->fd, &reader->limit);
	if (!rc && reader->limit < SEGMENT_HEADER)
		rc = PH_E_CORRUPT;
	if (!rc)
		rc = segment_header_read(reader->fd, &reader->header);
	reader->offset = offset ? offset : SEGMENT_HEADER;
	reader->sequence = reader->header.sequence;
	return rc;
}

void segment_close(struct segment_reader *reader)
{
	if (reader->fd >= 0)
		file_operations.close(reader->fd);
	ph_buf_free(&reader->operations);
	reader->fd = -1;
}

/* Reads what lies before the limit; false, and remembered, where the disk does not give it. */
static bool read_part(struct segment_reader *reader, void *to, size_t size, uint64_t offset)
{
	bool good = read_again(reader->fd, to, size, offset);

	reader->unreadable |= !good;
	return good;
}

/* Is this the header of a record that could be there? */
static bool is_header(const struct segment_reader *reader, const void *bytes, uint64_t offset,
	struct record_header *header_r)
{
	uint64_t room = reader->limit - offset;

	return record_header_read(header_r, reader->header.salt, offset, bytes) &&
	       header_r->sequence >= reader->sequence && header_r->bytes <= room &&
	       header_r->operations <= room && record_size(header_r) <= room;
}

static bool header_at(struct segment_reader *reader, uint64_t offset, struct record_header *header_r)
{
	unsigned char bytes[RECORD_HEADER];

	return offset < reader->limit && reader->limit - offset >= RECORD_HEADER &&
	       read_part(reader, bytes, sizeof(bytes), offset) && is_header(reader, bytes, offset, header_r);
}

/* Looks for a header among the bytes of a window of the file. */
static uint64_t search_window(
	const struct segment_reader *reader, const char *bytes, size_t size, uint64_t offset)
{
	struct record_header header;

	for (size_t at = 0; at + RECORD_HEADER <= size; at += ALIGNMENT)
		if (is_header(reader, bytes + at, offset + at, &header))
			return offset + at;
	return 0;
}

/* The first header from `offset` on, or 0. What cannot be read at all is passed over. */
static uint64_t search_header(struct segment_reader *reader, uint64_t offset)
{
	char *bytes = ph_alloc(SEARCH_SIZE);
	uint64_t found = 0;

	while (found == 0 && offset + RECORD_HEADER <= reader->limit) {
		uint64_t left = reader->limit - offset;
		size_t size = left < SEARCH_SIZE ? (size_t)left : SEARCH_SIZE;

		if (read_part(reader, bytes, size, offset))
			found = search_window(reader, bytes, size, offset);
		if (left <= SEARCH_SIZE)
			break;
		offset += SEARCH_SIZE - RECORD_HEADER;
	}
	free(bytes);
	return found;
}

static bool load_operations(struct segment_reader *reader, struct segment_record *record)
{
	const struct record_header *header = &record->header;
	uint64_t offset = record->offset + RECORD_HEADER + header->bytes;
	char *to;

	ph_buf_reset(&reader->operations);
	to = ph_buf_reserve(&reader->operations, (size_t)header->operations);
	if (header->operations > 0 && !read_part(reader, to, (size_t)header->operations, offset))
		return false;
	ph_buf_added(&reader->operations, (size_t)header->operations);
	record->operations = ph_buf_str(&reader->operations);
	return checksum(reader->header.salt, record->operations.data, record->operations.len) == header->sum;
}

static uint64_t align(uint64_t offset)
{
	return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int segment_next(struct segment_reader *reader, struct segment_record *record_r)
{
	uint64_t offset = reader->offset;

	reader->damaged_from = reader->damaged_to = 0;
	reader->unreadable = false;
	while (offset != 0 && offset < reader->limit) {
		record_r->offset = offset;
		if (header_at(reader, offset, &record_r->header) && load_operations(reader, record_r))
			break;
		reader->damaged_from = reader->offset;
		offset = search_header(reader, align(offset + 1));
	}
	if (offset == 0 || offset >= reader->limit)
		return 0;
	if (reader->damaged_from)
		reader->damaged_to = offset;
	reader->sequence = record_r->header.sequence + 1;
	reader->offset = offset + record_size(&record_r->header);
	return 1;
}

bool segment_is_last(struct segment_reader *reader)
{
	struct record_header header;

	return !header_at(reader, reader->offset, &header) && search_header(reader, reader->offset) == 0;
}

static bool check_chunks(int fd, const struct stored *stored, const unsigned char *sums, char *chunk)
{
	for (uint64_t i = 0; i < stored_chunks(stored->size); i++) {
		uint64_t left = stored->size - i * BLOB_CHUNK;
		size_t size = left < BLOB_CHUNK ? (size_t)left : BLOB_CHUNK;

		if (!read_again(fd, chunk, size, stored->offset + i * BLOB_CHUNK) ||
			checksum(0, chunk, size) != ph_bytes_get64(sums + i * BLOB_SUM))
			return false;
	}
	return true;
}

bool segment_check_blob(int fd, const struct stored *stored)
{
	size_t size = (size_t)(stored_bytes(stored) - stored->size);
	unsigned char *sums = ph_alloc(size + 1);
	char *chunk = ph_alloc(BLOB_CHUNK);
	bool good = read_again(fd, sums, size, stored->offset + stored->size) &&
		    checksum(0, sums, size) == stored->sum && check_chunks(fd, stored, sums, chunk);

	free(chunk);
	free(sums);
	return good;
}
