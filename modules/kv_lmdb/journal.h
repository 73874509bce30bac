/* The end of the journal: where records are appended. Called with LMDB's write lock held, so by one process
 * at a time; where the end is, LMDB's transaction tells. Functions return 0, PH_E_CORRUPT, or an errno. */
#ifndef KV_LMDB_JOURNAL_H
#define KV_LMDB_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* The folder's path must stay valid. */
/* `write_ahead`: as many bytes are worth a write of their own. */
void journal_open(const char *directory, uint64_t segment_size, uint64_t write_ahead);
void journal_close(void);
const char *journal_directory(void);

/* Makes the segment at the end ready for so many bytes; *end may move to a new segment. ENOSPC: work with
 * such an effect cannot go on. */
int journal_prepare(struct position *end, uint64_t bytes, enum effect effect);
/* Moves *end to a new segment. */
int journal_rotate(struct position *end, uint64_t bytes, enum effect effect);
/* How many bytes of blobs a record at `end` may have. */
uint64_t journal_room(const struct position *end);
/* Lets the disk begin with the record's bytes of blobs, which will be appended at `end`, if they are many. */
int journal_write_ahead(const struct position *end, struct record *record);
/* Writes the record at *end, durable, and moves *end behind it. */
int journal_append(struct position *end, struct record *record);
/* The record that was just appended at `end` does not count: its transaction failed. */
void journal_undo(const struct position *end);
/* The end was moved to a new segment by a transaction that failed: another process may make it anew. */
void journal_forget(void);
/* Does the journal end where LMDB says? It may have begun another segment in which nothing counts. */
bool journal_ends(const struct position *end);

#endif
