/* Which blobs are open, in any process: so that none is deleted while somebody reads it. */
#ifndef KV_LMDB_PIN_H
#define KV_LMDB_PIN_H

#include <stdbool.h>

#include <posthorn/kv.h>

/* 0 or an errno. */
int pin_open(const char *directory);
void pin_close(void);

/* The loop's thread: the blob is open here, once more, or once less. False: it is just being deleted. */
bool pin_add(struct ph_kv_blob_id id);
void pin_drop(struct ph_kv_blob_id id);

/* The committer's thread: keeps others from opening the blob, until they are all let again. False: it is
 * open. */
bool pin_exclude(struct ph_kv_blob_id id);
void pin_exclude_none(void);

#endif
