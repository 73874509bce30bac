/* Stored blobs: their references, and reading them. */
#ifndef KV_LMDB_BLOB_H
#define KV_LMDB_BLOB_H

#include <posthorn/kv.h>

#include "record.h"

int blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
int blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id);

int blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error);
/* One whose place is known, in a file that is open, and is closed with it, also when this fails. */
int blob_open_at(const struct ph_kv_blob_id *id, const struct stored *stored, int fd,
	struct ph_kv_blob **blob_r, struct ph_error *error);
uint64_t blob_size(const struct ph_kv_blob *blob);
int blob_view(struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void blob_close(struct ph_kv_blob **blob);

#endif
