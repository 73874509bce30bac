/* Compaction: what is still needed of old segments moves to the end of the journal, and they go. */
#ifndef KV_LMDB_COMPACT_H
#define KV_LMDB_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks; as checkpoint_write(). Goes over the segments that only matter for their blobs, the oldest first,
 * and takes those of which less than so many percent are needed. */
int compact_journal(unsigned percent, bool (*go_on)(uint64_t done, uint64_t total));
/* For a full disk, and writes a checkpoint too: segments of which nothing is needed go; also those before the
 * newest checkpoint, when that reads back to its end: the older ones are given up for it. */
int compact_full_store(bool (*go_on)(uint64_t done, uint64_t total));

#endif
