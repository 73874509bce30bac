/* A backup that is read beside the live store. Its index is made anew, in a file without a name; nothing in
 * its folder is changed. See kv_backup.h. */
#ifndef KV_LMDB_ARCHIVE_H
#define KV_LMDB_ARCHIVE_H

#include <posthorn/kv_backup.h>

/* `scratch`: the folder for such files. */
int archive_open(const char *folder, const char *scratch, struct ph_kv_backup **backup_r, unsigned *damages_r,
	struct ph_error *error);
void archive_close(struct ph_kv_backup **backup);
const char *archive_folder(const struct ph_kv_backup *backup);

int archive_read(struct ph_kv_backup *backup, const struct ph_kv_partition *partitions, size_t count,
	ph_kv_run *run, void *arg, struct ph_error *error);
int archive_blob_open(struct ph_kv_backup *backup, struct ph_kv_blob_id id, struct ph_kv_blob **blob_r,
	struct ph_error *error);

#endif
