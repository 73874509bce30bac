/* Committing a group of updates: one transaction of LMDB, one record of the journal, one flush. */
#ifndef KV_LMDB_GROUP_H
#define KV_LMDB_GROUP_H

#include <stdint.h>

#include <posthorn/list.h>

/* Both are called on the committer's thread, after each group: bytes of records since the last checkpoint;
 * and after one that the disk had no space for. */
void group_start(void (*committed)(uint64_t since_checkpoint), void (*full)(void));
void group_stop(void);
/* On the committer's thread: commits the list of struct update, and those who join it; each gets its result.
 */
void group_commit(struct ph_list *group);

#endif
