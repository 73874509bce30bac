/* Writing and reading records. See record.h. */
#include <config.h>

#include "record.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "checksum.h"

#define MAGIC UINT32_C(0x50684a72)
#define ID_SIZE sizeof(struct ph_kv_blob_id)
#define STORED_SIZE 36
#define POSITION_SIZE 32

void record_init(struct record *record)
{
	*record = (struct record){ 0 };
	ph_buf_init(&record->operations, SIZE_MAX);
	ph_buf_init(&record->dropped, SIZE_MAX);
}

void record_free(struct record *record)
{
	ph_buf_free(&record->operations);
	ph_buf_free(&record->dropped);
	free(record->parts);
}

static void add_part(struct record *record, const void *bytes, size_t size)
{
	if (record->part_count == record->part_capacity) {
		record->part_capacity = record->part_capacity * 2 + 64;
		record->parts =
			ph_realloc_array(record->parts, record->part_capacity, sizeof(*record->parts));
	}
	record->parts[record->part_count++] = (struct iovec){ (void *)(uintptr_t)bytes, size };
}

void record_begin(struct record *record, uint64_t segment, uint64_t offset)
{
	record->segment = segment;
	record->offset = offset;
	record->part_count = 0;
	record->bytes = 0;
	record->ahead = 0;
	record->references = 0;
	ph_buf_reset(&record->operations);
	ph_buf_reset(&record->dropped);
	add_part(record, NULL, 0);
}

enum effect record_effect(const struct record *record)
{
	if (record->bytes > 0 || record->references > 0)
		return EFFECT_BRINGS;
	return record->references < 0 ? EFFECT_FREES : EFFECT_CHANGES;
}

bool record_is_empty(const struct record *record)
{
	return record->operations.len == 0;
}

uint64_t record_add_bytes(struct record *record, const void *bytes, size_t size)
{
	uint64_t offset = record->offset + RECORD_HEADER + record->bytes;

	if (size > 0)
		add_part(record, bytes, size);
	record->bytes += size;
	return offset;
}

void record_bytes_written(struct record *record)
{
	record->ahead = record->bytes;
	record->part_count = 1;
}

/* --- operations --- */

static void add_type(struct record *record, enum operation_type type)
{
	ph_buf_add_char(&record->operations, (char)type);
}

static void add_key(struct record *record, struct ph_str key)
{
	unsigned char length[2];

	ph_bytes_put16(length, (uint16_t)key.len);
	ph_buf_add(&record->operations, length, sizeof(length));
	ph_buf_add_str(&record->operations, key);
}

void record_put(struct record *record, struct ph_str key, struct ph_str value)
{
	unsigned char length[4];

	add_type(record, OPERATION_PUT);
	add_key(record, key);
	ph_bytes_put32(length, (uint32_t)value.len);
	ph_buf_add(&record->operations, length, sizeof(length));
	ph_buf_add_str(&record->operations, value);
}

void record_delete(struct record *record, struct ph_str key)
{
	add_type(record, OPERATION_DELETE);
	add_key(record, key);
}

void record_blob(struct record *record, enum operation_type type, const struct ph_kv_blob_id *id,
	const struct stored *stored)
{
	unsigned char bytes[STORED_SIZE];

	ph_bytes_put64(bytes, stored->segment);
	ph_bytes_put64(bytes + 8, stored->offset);
	ph_bytes_put64(bytes + 16, stored->size);
	ph_bytes_put64(bytes + 24, stored->sum);
	ph_bytes_put32(bytes + 32, stored->references);
	add_type(record, type);
	ph_buf_add(&record->operations, id->bytes, ID_SIZE);
	ph_buf_add(&record->operations, bytes, sizeof(bytes));
}

void record_references(struct record *record, const struct ph_kv_blob_id *id, uint32_t references)
{
	unsigned char bytes[4];

	ph_bytes_put32(bytes, references);
	add_type(record, OPERATION_REFERENCES);
	ph_buf_add(&record->operations, id->bytes, ID_SIZE);
	ph_buf_add(&record->operations, bytes, sizeof(bytes));
}

void record_position(struct record *record, const struct position *position)
{
	unsigned char bytes[POSITION_SIZE];

	ph_bytes_put64(bytes, position->segment);
	ph_bytes_put64(bytes + 8, position->offset);
	ph_bytes_put64(bytes + 16, position->sequence);
	ph_bytes_put64(bytes + 24, position->written);
	add_type(record, OPERATION_POSITION);
	ph_buf_add(&record->operations, bytes, sizeof(bytes));
}

/* --- reading them --- */

static const char *take(struct ph_str *rest, size_t size)
{
	const char *bytes = rest->data;

	if (rest->len < size)
		return NULL;
	*rest = ph_str_slice(*rest, size, rest->len);
	return bytes;
}

/* Bytes behind their length, which is a number of `width` bytes. */
static bool take_text(struct ph_str *rest, size_t width, struct ph_str *text_r)
{
	const char *number = take(rest, width);
	size_t size;

	if (!number)
		return false;
	size = width == 2 ? ph_bytes_get16(number) : ph_bytes_get32(number);
	*text_r = ph_str_slice(*rest, 0, size);
	return take(rest, size) != NULL;
}

static bool take_id(struct ph_str *rest, struct ph_kv_blob_id *id_r)
{
	const char *bytes = take(rest, ID_SIZE);

	if (bytes)
		memcpy(id_r->bytes, bytes, ID_SIZE);
	return bytes != NULL;
}

static bool take_stored(struct ph_str *rest, struct stored *stored_r)
{
	const char *bytes = take(rest, STORED_SIZE);

	if (!bytes)
		return false;
	stored_r->segment = ph_bytes_get64(bytes);
	stored_r->offset = ph_bytes_get64(bytes + 8);
	stored_r->size = ph_bytes_get64(bytes + 16);
	stored_r->sum = ph_bytes_get64(bytes + 24);
	stored_r->references = ph_bytes_get32(bytes + 32);
	return true;
}

static bool take_references(struct ph_str *rest, uint32_t *references_r)
{
	const char *bytes = take(rest, 4);

	if (bytes)
		*references_r = ph_bytes_get32(bytes);
	return bytes != NULL;
}

static bool take_position(struct ph_str *rest, struct position *position_r)
{
	const char *bytes = take(rest, POSITION_SIZE);

	if (!bytes)
		return false;
	position_r->segment = ph_bytes_get64(bytes);
	position_r->offset = ph_bytes_get64(bytes + 8);
	position_r->sequence = ph_bytes_get64(bytes + 16);
	position_r->written = ph_bytes_get64(bytes + 24);
	return true;
}

static bool take_body(struct ph_str *rest, struct operation *operation)
{
	switch (operation->type) {
	case OPERATION_PUT:
		return take_text(rest, 2, &operation->key) && take_text(rest, 4, &operation->value);
	case OPERATION_DELETE:
		return take_text(rest, 2, &operation->key);
	case OPERATION_BLOB:
	case OPERATION_MOVED:
		return take_id(rest, &operation->id) && take_stored(rest, &operation->stored);
	case OPERATION_REFERENCES:
		return take_id(rest, &operation->id) && take_references(rest, &operation->stored.references);
	case OPERATION_POSITION:
		return take_position(rest, &operation->position);
	}
	return false;
}

int operation_next(struct ph_str *rest, struct operation *operation_r)
{
	const char *type = take(rest, 1);

	if (!type)
		return 0;
	*operation_r = (struct operation){ .type = (enum operation_type) * type };
	return take_body(rest, operation_r) ? 1 : PH_E_CORRUPT;
}

/* --- the header --- */

uint64_t record_size(const struct record_header *header)
{
	uint64_t size = RECORD_HEADER + header->bytes + header->operations;

	return (size + RECORD_ALIGNMENT - 1) / RECORD_ALIGNMENT * RECORD_ALIGNMENT;
}

void record_header_write(
	const struct record_header *header, uint64_t salt, uint64_t offset, unsigned char *to)
{
	memset(to, 0, RECORD_HEADER);
	ph_bytes_put32(to, MAGIC);
	ph_bytes_put64(to + 8, header->sequence);
	ph_bytes_put64(to + 16, header->bytes);
	ph_bytes_put64(to + 24, header->operations);
	ph_bytes_put64(to + 32, header->sum);
	ph_bytes_put64(to + 56, checksum(salt ^ offset, to, 56));
}

bool record_header_read(struct record_header *header_r, uint64_t salt, uint64_t offset, const void *from)
{
	const unsigned char *bytes = from;

	if (ph_bytes_get32(bytes) != MAGIC ||
		ph_bytes_get64(bytes + 56) != checksum(salt ^ offset, bytes, 56))
		return false;
	header_r->sequence = ph_bytes_get64(bytes + 8);
	header_r->bytes = ph_bytes_get64(bytes + 16);
	header_r->operations = ph_bytes_get64(bytes + 24);
	header_r->sum = ph_bytes_get64(bytes + 32);
	return true;
}

bool record_begins(struct ph_str bytes)
{
	return bytes.len >= 4 && ph_bytes_get32(bytes.data) == MAGIC;
}
