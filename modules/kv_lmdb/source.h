/* The files of the store that blobs are read from. Only the loop's thread. */
#ifndef KV_LMDB_SOURCE_H
#define KV_LMDB_SOURCE_H

#include <stdint.h>

#include <posthorn/kv.h>

#include "record.h"

struct source_file;

void source_open(void);
void source_close(void);

/* The file in which this blob lies, which stays readable, even when it is deleted, until source_drop. 0 or an
 * errno; ENOENT: it is gone, the index knows where to. */
int source_take(const struct ph_kv_blob_id *id, const struct stored *stored, struct source_file **file_r);
/* One that is open already, and closed by the last source_drop. */
struct source_file *source_of(int fd);
void source_drop(struct source_file **file);
/* May park, while the disk is waited for. 0 or an errno; EIO where the file ends before. */
int source_read(struct source_file *file, uint64_t offset, size_t size, char *to);

#endif
