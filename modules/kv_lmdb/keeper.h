/* The thread that looks after the journal: it writes checkpoints and then compacts, of all processes one at a
 * time. */
#ifndef KV_LMDB_KEEPER_H
#define KV_LMDB_KEEPER_H

#include <stdint.h>

/* `checkpoint_after`: bytes of journal; `compact_percent`: segments of which less is needed are compacted. 0
 * or an errno. */
int keeper_start(uint64_t checkpoint_after, unsigned compact_percent);
/* Before commit_stop(). */
void keeper_stop(void);
/* From the committer: that many bytes were written since the last checkpoint. */
void keeper_tell(uint64_t since_checkpoint);
/* From the committer: the disk is full. */
void keeper_tell_full(void);

#endif
