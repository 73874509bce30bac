/* Blobs and drafts, which are blobs that have no reference yet. */
#ifndef KV_MEMORY_BLOB_H
#define KV_MEMORY_BLOB_H

#include <posthorn/kv.h>

void memory_blobs_open(void);
void memory_blobs_close(void);

int memory_blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
int memory_blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
/* The references stay as the transaction left them, or as they were; what nobody needs goes. */
void memory_blob_settle(struct ph_kv_txn *txn, bool keep);

struct ph_kv_draft *memory_draft_new(void);
int memory_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error);
struct ph_kv_blob_id memory_draft_id(const struct ph_kv_draft *draft);
uint64_t memory_draft_size(const struct ph_kv_draft *draft);
int memory_draft_view(
	struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void memory_draft_free(struct ph_kv_draft **draft);

int memory_blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error);
uint64_t memory_blob_size(const struct ph_kv_blob *blob);
int memory_blob_view(
	struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void memory_blob_close(struct ph_kv_blob **blob);

#endif
