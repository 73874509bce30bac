/* Putting a backup in the place of the store. See kv_backup.h. */
#ifndef KV_LMDB_RESTORE_H
#define KV_LMDB_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

/* The store is closed in this process. Keeps others out of it, and makes a copy of the backup beside it,
 * whose folder is told (to be freed). 0, an errno or a ph_code; PH_E_BUSY: somebody has the store open. */
int restore_prepare(const char *backup, const char *store, char **copy_r);
/* Nobody has the copy open: it goes in the place of the store. *former_r, to be freed: where that is now, or
 * NULL. */
int restore_exchange(const char *store, const char *copy, char **former_r);
/* Removes the copy. */
void restore_forget(const char *copy);
/* Lets others in. */
void restore_release(void);

#endif
