/* Backups: a folder that is a store, whose index is made when it is opened. */
#ifndef KV_LMDB_BACKUP_H
#define KV_LMDB_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

struct backup_figures {
	uint64_t files, bytes; /* that were linked or copied this time */
};

/* Blocks; for who takes care of the store (opening.h), right after a checkpoint. Brings the folder, which is
 * made if need be, up to date. 0, an errno, LMDB's code; PH_E_UNSUPPORTED: the folder holds something else.
 * `go_on` as of checkpoint_write(), in bytes. */
int backup_write(
	const char *target, struct backup_figures *figures_r, bool (*go_on)(uint64_t done, uint64_t total));

#endif
