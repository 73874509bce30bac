/* Updates and reads, and what their functions see. */
#ifndef KV_MEMORY_TRANSACTION_H
#define KV_MEMORY_TRANSACTION_H

#include <posthorn/kv.h>
#include <posthorn/list.h>

struct partition;

struct ph_kv_txn {
	bool writable;
	struct partition **partitions;
	size_t count;
	struct ph_kv_draft *const *drafts;
	size_t draft_count;
	struct ph_list cursors;
	struct ph_list changes; /* the newest last */
	struct ph_list blobs;   /* whose references changed */
	int failure;            /* 0, or what makes the update fail whatever its function says */
};

int memory_update(const struct ph_kv_partition *partitions, size_t count, struct ph_kv_draft *const *drafts,
	size_t draft_count, ph_kv_run *run, void *arg, struct ph_error *error);
int memory_read(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
	struct ph_error *error);

int memory_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r);
int memory_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value);
int memory_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key);

struct ph_kv_cursor *memory_cursor(struct ph_kv_txn *txn, size_t partition);
int memory_seek(struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
int memory_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
int memory_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r);

#endif
