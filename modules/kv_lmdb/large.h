/* Blobs in files of their own: those too large to pass through the journal. The file holds the bytes and,
 * behind them, the sums of their chunks. Functions return 0 or an errno, and may be called on any thread. */
#ifndef KV_LMDB_LARGE_H
#define KV_LMDB_LARGE_H

#include <stdbool.h>

#include <posthorn/kv.h>

/* An id in hexadecimal digits. */
#define LARGE_NAME_SIZE (sizeof(struct ph_kv_blob_id) * 2 + 1)
void large_write_name(char name_r[LARGE_NAME_SIZE], const struct ph_kv_blob_id *id);

/* The folder's path must stay valid. */
void large_open(const char *directory);
const char *large_directory(void);

/* A new file without a name. */
int large_create(int *fd_r);
/* Makes it durable under the blob's name. */
int large_name(int fd, const struct ph_kv_blob_id *id);
void large_remove(const struct ph_kv_blob_id *id);
/* For reading: a descriptor, or -1 and errno. */
int large_open_blob(const struct ph_kv_blob_id *id);
/* Removes the files that `is_wanted` does not want. */
int large_clean(bool (*is_wanted)(const struct ph_kv_blob_id *id, void *arg), void *arg);

#endif
