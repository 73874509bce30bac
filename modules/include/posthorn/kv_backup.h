/* The service "kv_backup/1" of providers of "kv/1" that can make copies of themselves: reads such a copy
 * beside the live store, and puts it in its place. For commands (tool.h): what takes long blocks, and shows
 * its progress. */
#ifndef POSTHORN_KV_BACKUP_H
#define POSTHORN_KV_BACKUP_H

#include <posthorn/kv.h>

#define PH_KV_BACKUP_SERVICE "kv_backup/1"

struct ph_kv_backup;

struct ph_kv_backup_service {
	/* --- beside the live store --- */

	/* Opens the copy in this folder, in which nothing is changed. What does not read back of its index is
	 * logged; *damages_r: how many such places there are. 0; PH_E_ABSENT: there is none; PH_E_CORRUPT:
	 * it is not complete; PH_E_UNSUPPORTED, PH_E_FULL, PH_E_IO. */
	int (*open)(const char *folder, struct ph_kv_backup **backup_r, unsigned *damages_r,
		struct ph_error *error);
	/* Frees, and clears the pointer. Its blobs must be closed. */
	void (*close)(struct ph_kv_backup **backup);
	/* As of kv/1; inside `run`, and on the blob, kv/1's functions are called. */
	int (*read)(struct ph_kv_backup *backup, const struct ph_kv_partition *partitions, size_t count,
		ph_kv_run *run, void *arg, struct ph_error *error);
	int (*blob_open)(struct ph_kv_backup *backup, struct ph_kv_blob_id id, struct ph_kv_blob **blob_r,
		struct ph_error *error);
	/* A draft of kv/1 that will be a blob of this id, which the store must not have: bytes that come back
	 * have the name that they had. */
	struct ph_kv_draft *(*draft_new)(struct ph_kv_blob_id id);

	/* --- in its place, in three steps: what is killed between them changes nothing --- */

	/* From now on kv/1 is a new copy of the backup, which can be changed before it is put in place;
	 * nobody may be using kv/1. PH_E_BUSY: another process has the store open. Where this fails kv/1 is
	 * the live store as before, and where that fails as well it is closed. */
	int (*restore_begin)(const struct ph_kv_backup *backup, struct ph_error *error);
	/* Puts it in the place of the store, durable, at once. *former_r, to be freed: the folder in which
	 * the former store is kept; NULL where that was empty. */
	int (*restore_end)(char **former_r, struct ph_error *error);
	/* Forgets the copy; kv/1 is the live store again. */
	void (*restore_cancel)(void);
};

#endif
