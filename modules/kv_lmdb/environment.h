/* The LMDB environment of this process: opened once, its map grown and re-mapped as it must be. Its commits
 * are not flushed: after the system stopped, the index is made anew from the journal.
 *
 * The committer's thread owns it: it alone writes and moves the map. The loop's thread reads, between
 * read_begin and read_end, and the map does not move meanwhile. A snapshot is for a read on yet another
 * thread; it must be short, since the map cannot move and freed pages are not used again while there is one.
 * Functions return LMDB's codes, or errno values. */
#ifndef KV_LMDB_ENVIRONMENT_H
#define KV_LMDB_ENVIRONMENT_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct environment_config {
	const char *directory;
	size_t map_size; /* to start with */
	size_t map_max;
	unsigned readers; /* processes that may have it open */
};

/* The databases: keys of all partitions; blobs; bytes of blobs in each segment; where the journal ends. */
extern MDB_dbi environment_keys, environment_blobs, environment_segments, environment_state;

/* Makes or opens them in a new environment. LMDB gives handles in order, so those of every environment in
 * which nothing else is opened are the same. Commits the transaction, or aborts it. */
int environment_make_databases(MDB_txn *txn);

/* The config's texts must stay valid until close. */
int environment_open(const struct environment_config *config);
void environment_close(void);

/* For the loop's thread. MDB_MAP_RESIZED, MDB_PANIC: the next write transaction mends it. */
int environment_read_begin(MDB_txn **txn_r);
void environment_read_end(void);

/* For the committer. write_begin adopts a map that another process has grown, and opens the environment anew
 * after an error that LMDB cannot go on from. */
int environment_write_begin(MDB_txn **txn_r);
/* Ends the transaction, wholly or not at all. ENOSPC where the disk is full, whatever LMDB calls it. */
int environment_write_commit(MDB_txn *txn);
/* For other threads, as read_begin. */
int environment_snapshot_begin(MDB_txn **txn_r);
void environment_snapshot_end(MDB_txn *txn);
/* The bytes that are in use, and the slots for readers. */
int environment_measure(uint64_t *bytes_r, unsigned *readers_r, unsigned *readers_max_r);
/* For the committer, in a write transaction: sees to it that the disk has room for what such an update adds
 * to the index. ENOSPC: it must not go on. */
int environment_make_room(enum effect effect);
/* Makes what was committed durable: before a clean end. */
int environment_flush(void);

/* After MDB_MAP_FULL: true when the map is larger now. No write transaction may be open. */
bool environment_grow(void);
/* Frees what processes that died while reading left behind, if it is time to. */
void environment_check_readers(void);

/* The ph_code for a code of LMDB or an errno. */
int environment_code(int rc);

#endif
