/* Updates and reads. A thread of its own commits: all updates that wait are run in one transaction, made
 * durable with one record of the journal, and their fibers woken. */
#ifndef KV_LMDB_COMMIT_H
#define KV_LMDB_COMMIT_H

#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/kv.h>

struct commit_limits {
	size_t group_updates;
	uint64_t group_bytes; /* of drafts */
	/* Called on the committer's thread after each group: bytes of records since the last checkpoint. */
	void (*committed)(uint64_t since_checkpoint);
	/* The same, after one that the disk had no space for. */
	void (*full)(void);
};

/* 0 or an errno. */
int commit_start(const struct commit_limits *limits);
/* Ends the waiting updates first. */
void commit_stop(void);

int commit_update(const struct ph_kv_partition *partitions, size_t count, struct ph_kv_draft *const *drafts,
	size_t draft_count, ph_kv_run *run, void *arg, struct ph_error *error);
int commit_read(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
	struct ph_error *error);
/* For other threads of this module: an update that `run` makes with what transaction.h and index.h give.
 * Blocks until it is durable. 0, the code of `run`, or the ph_code of what failed. */
int commit_from_thread(ph_kv_run *run, void *arg, uint64_t bytes);
/* As environment_read_begin(), having waited for the committer where that must mend something first. May
 * park. */
int commit_read_begin(MDB_txn **txn_r);
/* As environment_snapshot_begin(), the same way; blocks. */
int commit_snapshot_begin(MDB_txn **txn_r);

#endif
