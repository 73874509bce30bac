/* Backups: a folder that is a store, whose index is made when it is opened. */
#ifndef KV_LMDB_BACKUP_H
#define KV_LMDB_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

struct backup_figures {
	uint64_t files, bytes; /* that were linked or copied this time */
};

/* Did the backup in this folder come to its end? ENOENT: no. *written_r: as of its position in the journal,
 * which it reaches at least. */
int backup_is_complete(const char *folder, uint64_t *written_r);
/* Adds the bytes of a folder's files. */
int backup_measure(const char *folder, uint64_t *bytes_r);
/* Blocks. Makes a copy of a backup, durable, that can be opened as a store: files that never change are
 * linked where the file system allows it. */
int backup_copy(const char *folder, const char *target, bool (*go_on)(uint64_t done, uint64_t total));

/* Blocks; for who takes care of the store (opening.h), right after a checkpoint. Brings the folder, which is
 * made if need be, up to date. 0, an errno, LMDB's code; PH_E_UNSUPPORTED: the folder holds something else.
 * `go_on` as of checkpoint_write(), in bytes. */
int backup_write(
	const char *target, struct backup_figures *figures_r, bool (*go_on)(uint64_t done, uint64_t total));

#endif
