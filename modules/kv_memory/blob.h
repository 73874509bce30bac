/* Blobs and drafts, which are blobs that have no reference yet. */
#ifndef KV_MEMORY_BLOB_H
#define KV_MEMORY_BLOB_H

#include <posthorn/kv.h>

void blobs_open(void);
void blobs_close(void);

int blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
int blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
/* The references stay as the transaction left them, or as they were; what nobody needs goes. */
void blob_settle(struct ph_kv_txn *txn, bool keep);

struct ph_kv_draft *draft_new(void);
int draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error);
struct ph_kv_blob_id draft_id(const struct ph_kv_draft *draft);
uint64_t draft_size(const struct ph_kv_draft *draft);
int draft_view(struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void draft_free(struct ph_kv_draft **draft);

int blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error);
uint64_t blob_size(const struct ph_kv_blob *blob);
int blob_view(struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void blob_close(struct ph_kv_blob **blob);

#endif
