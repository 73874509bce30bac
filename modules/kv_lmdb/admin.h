/* What an administrator can ask of the store and have done. All may park. */
#ifndef KV_LMDB_ADMIN_H
#define KV_LMDB_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include "backup.h"

struct admin_stat {
	uint64_t segments, journal_bytes; /* as they take space */
	uint64_t live_bytes;              /* of blobs in the journal */
	uint64_t reclaimable_bytes;       /* what compaction would give back */
	uint64_t large_files, large_bytes;
	uint64_t checkpoints, checkpoint_bytes;
	uint64_t index_bytes;
	uint64_t since_checkpoint; /* bytes of journal */
	unsigned readers, readers_max;
};

/* 0, an errno, LMDB's code or a ph_code. */
int admin_stat(struct admin_stat *stat_r);
/* PH_E_BUSY: another process is at it. */
int admin_checkpoint(void);
int admin_compact(void);
int admin_backup(const char *target, struct backup_figures *figures_r);

#endif
