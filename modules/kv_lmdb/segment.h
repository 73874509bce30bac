/* Reading files of records: segments of the journal, and checkpoints. */
#ifndef KV_LMDB_SEGMENT_H
#define KV_LMDB_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

#include "record.h"

#define SEGMENT_HEADER 64

struct segment_header {
	uint64_t number;
	uint64_t sequence;         /* of its first record */
	uint64_t previous_end;     /* how far the segment before it counts */
	uint64_t previous_segment; /* of a checkpoint: the last that it contains some of */
	bool is_reserve;           /* for what can be done on a full disk */
	uint64_t salt;             /* random: nobody can send bytes that look like a record */
};

void segment_header_write(const struct segment_header *header, unsigned char *to);
/* 0, PH_E_CORRUPT or an errno. */
int segment_header_read(int fd, struct segment_header *header_r);

struct segment_reader {
	int fd;
	struct segment_header header;
	uint64_t limit;    /* where it ends at the latest */
	uint64_t offset;   /* of the next record */
	uint64_t sequence; /* the least the next record may have */
	struct ph_buf operations;
	/* What the last segment_next() passed over, because it does not read back. */
	uint64_t damaged_from, damaged_to;
	bool unreadable; /* the disk did not give some of that */
};

/* A record as it was read; the operations stay until the next one is. */
struct segment_record {
	uint64_t offset;
	struct record_header header;
	struct ph_str operations;
};

/* `offset`: where to begin, 0: at the first record. 0, PH_E_CORRUPT or an errno. */
int segment_open(struct segment_reader *reader, const char *path, uint64_t offset);
void segment_close(struct segment_reader *reader);
/* The next record that reads back: 1, or 0 at the end. What lies before it and does not read back is told in
 * the reader. Nothing is written behind a record before that is durable: so what does not read back was
 * damaged when a record follows, and else is a torn tail. */
int segment_next(struct segment_reader *reader, struct segment_record *record_r);
/* Is there no record behind this one? */
bool segment_is_last(struct segment_reader *reader);
/* Do all bytes of a stored blob read back? */
bool segment_check_blob(int fd, const struct stored *stored);

#endif
