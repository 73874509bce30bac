/* Files of the store mapped for reading. Only the loop's thread. */
#ifndef KV_LMDB_MAPPING_H
#define KV_LMDB_MAPPING_H

#include <stdint.h>

#include <posthorn/kv.h>

#include "record.h"

struct mapping;

void mapping_open(void);
void mapping_close(void);

/* The file in which this blob lies, which stays mapped, even when it is deleted, until mapping_drop. 0 or an
 * errno; ENOENT: it is gone, the index knows where to. */
int mapping_take(const struct ph_kv_blob_id *id, const struct stored *stored, struct mapping **mapping_r);
void mapping_drop(struct mapping **mapping);
/* May park: bytes of the blob, having seen to it that reading them does not wait for the disk. 0 or an errno.
 */
int mapping_bytes(struct mapping *mapping, uint64_t offset, size_t size, const char **bytes_r);

#endif
