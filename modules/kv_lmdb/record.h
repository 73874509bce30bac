/* Records: what a group of updates changes, as it is written to the journal, and again to a checkpoint.
 *
 *   record      header (64 bytes), the bytes of blobs, operations, zeros up to the next multiple of 16
 *   operation   one change that has the same effect however often it is applied: values and counts are told
 *               as they are afterwards
 *   sums        behind the bytes of a blob: a checksum for each chunk of it
 *
 * Numbers are written most significant byte first. */
#ifndef KV_LMDB_RECORD_H
#define KV_LMDB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <posthorn/buf.h>
#include <posthorn/kv.h>

#define RECORD_HEADER 64
#define RECORD_ALIGNMENT 16
#define BLOB_CHUNK (64 * 1024)
#define BLOB_SUM 8

/* Where the journal goes on. */
struct position {
	uint64_t segment, offset;
	uint64_t sequence; /* of the next record */
	uint64_t written;  /* bytes of records, since the store began */
};

/* A stored blob. */
struct stored {
	uint64_t segment; /* 0: in a file of its own */
	uint64_t offset, size;
	uint64_t sum; /* of its chunks' sums */
	uint32_t references;
};

enum operation_type {
	OPERATION_PUT = 1,
	OPERATION_DELETE,
	OPERATION_BLOB,       /* there is this blob */
	OPERATION_REFERENCES, /* it has so many references now */
	OPERATION_MOVED,      /* it lies here now */
	OPERATION_POSITION,   /* ends a checkpoint: what it contains */
};

struct operation {
	enum operation_type type;
	struct ph_str key, value;
	struct ph_kv_blob_id id;
	struct stored stored;
	struct position position;
};

/* A record that is being made. */
struct record {
	uint64_t segment, offset; /* where it will begin */
	struct ph_buf operations;
	struct iovec *parts; /* the bytes; [0] is left free for the header */
	size_t part_count, part_capacity;
	uint64_t bytes, ahead; /* in all; those that are written already, and in no part any more */
	int64_t references;    /* how many more there are afterwards */
	struct ph_buf dropped; /* ids of blobs whose last reference went */
};

/* What a record does to the space that messages take: on a full disk not everything may go on. */
enum effect { EFFECT_BRINGS, EFFECT_CHANGES, EFFECT_FREES };

struct record_header {
	uint64_t sequence;
	uint64_t bytes, operations; /* lengths */
	uint64_t sum;               /* of the operations */
};

void record_init(struct record *record);
void record_free(struct record *record);
/* Empties it. */
void record_begin(struct record *record, uint64_t segment, uint64_t offset);
bool record_is_empty(const struct record *record);
enum effect record_effect(const struct record *record);
/* Bytes that must stay until the record is written; tells where in the segment they will be. */
uint64_t record_add_bytes(struct record *record, const void *bytes, size_t size);
/* All bytes that it has so far are written. */
void record_bytes_written(struct record *record);

void record_put(struct record *record, struct ph_str key, struct ph_str value);
void record_delete(struct record *record, struct ph_str key);
void record_blob(struct record *record, enum operation_type type, const struct ph_kv_blob_id *id,
	const struct stored *stored);
void record_references(struct record *record, const struct ph_kv_blob_id *id, uint32_t references);
void record_position(struct record *record, const struct position *position);

/* Takes the next operation off the front: 1; 0 at the end; PH_E_CORRUPT. */
int operation_next(struct ph_str *rest, struct operation *operation_r);

/* The whole length with header and padding. */
uint64_t record_size(const struct record_header *header);
/* `salt` is the file's. */
void record_header_write(
	const struct record_header *header, uint64_t salt, uint64_t offset, unsigned char *to);
bool record_header_read(struct record_header *header_r, uint64_t salt, uint64_t offset, const void *from);

/* Could these bytes be the beginning of a record? */
bool record_begins(struct ph_str bytes);

/* Blobs: how many chunks, and where their sums are. */
static inline uint64_t stored_chunks(uint64_t size)
{
	return (size + BLOB_CHUNK - 1) / BLOB_CHUNK;
}

static inline uint64_t stored_bytes(const struct stored *stored)
{
	return stored->size + stored_chunks(stored->size) * BLOB_SUM;
}

#endif
