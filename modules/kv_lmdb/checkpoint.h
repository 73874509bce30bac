/* Checkpoints: the index written to a file, as records, with the position in the journal that it contains. */
#ifndef KV_LMDB_CHECKPOINT_H
#define KV_LMDB_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* The folder's path must stay valid. `step`: bytes of entries that are read in one snapshot. */
void checkpoint_open(const char *directory, uint64_t step);
const char *checkpoint_directory(void);

/* Blocks; not for the loop's thread, nor the committer's. `go_on` is told how much is done, of how
 * much, and may end it early (PH_E_STALE). Where nothing was written since the last checkpoint there is
 * nothing to do. 0, an errno, LMDB's code or a ph_code. */
int checkpoint_write(bool (*go_on)(uint64_t done, uint64_t total));
/* Space for the next one, if there is any. */
void checkpoint_keep_space(void);
/* The first segment that recovery may need: those before it matter only for the blobs they hold. */
int checkpoint_first_segment(uint64_t *segment_r);
/* The same, if only the newest checkpoint counts. */
int checkpoint_newest_segment(uint64_t *segment_r);
/* Gives up all but the newest, if that reads back to its end. As checkpoint_write(). */
int checkpoint_give_up_older(void);

#endif
