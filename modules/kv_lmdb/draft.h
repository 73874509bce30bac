/* A blob on its way in: its bytes wait in memory, or, when they are many, in a file without a name. */
#ifndef KV_LMDB_DRAFT_H
#define KV_LMDB_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/kv.h>

#include "record.h"

/* First of all in a process: nothing that another process could have too is used. */
void kv_draft_start(void);
struct ph_kv_draft *kv_draft_new(void);
/* Of bytes that have a name already. */
struct ph_kv_draft *kv_draft_named(struct ph_kv_blob_id id);
int kv_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error);
struct ph_kv_blob_id kv_draft_id(const struct ph_kv_draft *draft);
uint64_t kv_draft_size(const struct ph_kv_draft *draft);
int kv_draft_view(struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void kv_draft_free(struct ph_kv_draft **draft);

/* May park: nothing more will be written; does all that can be done before an update. 0 or an errno. */
int kv_draft_prepare(struct ph_kv_draft *draft);
bool kv_draft_in_memory(const struct ph_kv_draft *draft);
/* For the committer: adds the bytes to the record, if they are not in a file, and tells where they are. */
void kv_draft_store(struct ph_kv_draft *draft, struct record *record, struct stored *stored_r);
/* A transaction that may store it begins; it is durable. */
void kv_draft_begin(struct ph_kv_draft *draft);
void kv_draft_committed(struct ph_kv_draft *draft);

#endif
