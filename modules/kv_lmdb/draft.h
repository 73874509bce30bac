/* A blob on its way in: its bytes wait in memory, and, when they are many, in a file without a name. */
#ifndef KV_LMDB_DRAFT_H
#define KV_LMDB_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include <posthorn/kv.h>

/* Where files without a name may be made; must stay valid. */
void kv_draft_set_directory(const char *path);

struct ph_kv_draft *kv_draft_new(void);
int kv_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error);
struct ph_kv_blob_id kv_draft_id(const struct ph_kv_draft *draft);
uint64_t kv_draft_size(const struct ph_kv_draft *draft);
int kv_draft_view(struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
void kv_draft_free(struct ph_kv_draft **draft);

/* Copies bytes out; for the committer too, while nobody writes. 0 or an errno. */
int kv_draft_copy(const struct ph_kv_draft *draft, uint64_t offset, void *to, size_t size);

#endif
