/* Which messages an account has, by their bytes: what tells those that are missing from those that were only
 * moved. */
#ifndef STORE_RESTORE_COPIES_H
#define STORE_RESTORE_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/kv.h>

/* A message: its bytes, and the mailbox that it is in. */
struct copy {
	struct ph_kv_blob_id blob;
	uint64_t mailbox;
	/* In the first of a blob's, and the first of those in one mailbox: how many were brought back. */
	uint32_t restored, restored_here;
};

struct copies {
	struct copy *items;
	size_t count, capacity;
};

void copies_add(struct copies *copies, struct ph_kv_blob_id blob, uint64_t mailbox);
/* When all are added. */
void copies_sort(struct copies *copies);
void copies_free(struct copies *copies);

/* Has the account fewer messages of these bytes than the backup, and the mailbox too? */
bool copies_missing(const struct copies *backup, const struct copies *live, struct ph_kv_blob_id blob,
	uint64_t backup_mailbox, uint64_t live_mailbox);
/* One is brought back. */
void copies_restore(struct copies *backup, struct ph_kv_blob_id blob, uint64_t backup_mailbox);

#endif
