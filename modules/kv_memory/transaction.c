/* Updates change the partitions in place and take notes, by which all is undone when they fail. Functions
 * never park, so that nobody sees a half-done update, and a read is a snapshot by itself. */
#include <config.h>

#include "transaction.h"

#include <stdlib.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "blob.h"
#include "kv_memory.h"
#include "partition.h"
#include "watch.h"

/* One key was put or deleted; at least one of both is there. */
struct change {
	struct ph_list link;
	struct partition *partition;
	struct entry *before, *after;
};

struct ph_kv_cursor {
	struct ph_list link;
	const struct partition *partition;
	size_t at;
};

static void begin(struct ph_kv_txn *txn, const struct ph_kv_partition *partitions, size_t count)
{
	PH_ASSERT(count <= 1 || kv_memory_service.atomic_partitions);
	txn->count = count;
	txn->partitions = ph_alloc_array(count, sizeof(*txn->partitions));
	for (size_t i = 0; i < count; i++)
		txn->partitions[i] = partition_take(partitions[i]);
	ph_list_init(&txn->cursors);
	ph_list_init(&txn->changes);
	ph_list_init(&txn->blobs);
}

static struct change *last_change(struct ph_kv_txn *txn)
{
	return ph_container_of(txn->changes.prev, struct change, link);
}

static void forget(struct change *change)
{
	ph_list_remove(&change->link);
	free(change);
}

static void keep_all(struct ph_kv_txn *txn)
{
	while (!ph_list_empty(&txn->changes)) {
		struct change *change = last_change(txn);

		memory_watch_changed(change->partition);
		entry_free(change->before);
		forget(change);
	}
}

/* The newest first. */
static void undo_all(struct ph_kv_txn *txn)
{
	while (!ph_list_empty(&txn->changes)) {
		struct change *change = last_change(txn);
		struct ph_str key = change->before ? change->before->key : change->after->key;

		partition_replace(change->partition, key, change->before);
		entry_free(change->after);
		forget(change);
	}
}

static void end(struct ph_kv_txn *txn, bool keep)
{
	PH_LIST_EACH (&txn->cursors, node)
		free(ph_container_of(node, struct ph_kv_cursor, link));
	if (keep)
		keep_all(txn);
	else
		undo_all(txn);
	memory_blob_settle(txn, keep);
	/* The same partition may be there twice, and is dropped once. */
	for (size_t i = 0; i < txn->count; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= txn->partitions[j] == txn->partitions[i];
		if (!again)
			partition_drop(txn->partitions[i]);
	}
	free(txn->partitions);
}

static int run_all(struct ph_kv_txn *txn, const struct ph_kv_partition *partitions, size_t count,
	ph_kv_run *run, void *arg, struct ph_error *error)
{
	int result;

	begin(txn, partitions, count);
	result = run(txn, arg);
	if (txn->failure)
		result = txn->failure;
	end(txn, result == 0);
	if (result == PH_E_FULL)
		return ph_error_set(
			error, result, "the server has no space left", "kv_memory: `size` is used up");
	return result == 0 ? 0 : ph_error_set(error, result, ph_code_name(result), NULL);
}

/* Elsewhere this waits for a disk: so that nobody comes to rely on its not parking, others run here, too. */
int memory_update(const struct ph_kv_partition *partitions, size_t count, struct ph_kv_draft *const *drafts,
	size_t draft_count, ph_kv_run *run, void *arg, struct ph_error *error)
{
	struct ph_kv_txn txn = { .writable = true, .drafts = drafts, .draft_count = draft_count };
	int result;

	ph_fiber_yield();
	result = run_all(&txn, partitions, count, run, arg, error);
	ph_fiber_yield();
	return result;
}

int memory_read(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	struct ph_kv_txn txn = { .writable = false };

	return run_all(&txn, partitions, count, run, arg, error);
}

/* --- keys and values --- */

static struct partition *partition_at(const struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	PH_ASSERT(partition < txn->count && key.len <= PH_KV_KEY_MAX);
	return txn->partitions[partition];
}

int memory_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r)
{
	const struct partition *in = partition_at(txn, partition, key);
	bool found;
	size_t at = partition_find(in, key, &found);

	if (!found)
		return PH_E_ABSENT;
	*value_r = in->entries[at]->value;
	return 0;
}

static void note(
	struct ph_kv_txn *txn, struct partition *partition, struct entry *before, struct entry *after)
{
	struct change *change = ph_alloc(sizeof(*change));

	change->partition = partition;
	change->before = before;
	change->after = after;
	ph_list_append(&txn->changes, &change->link);
}

int memory_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value)
{
	struct partition *in = partition_at(txn, partition, key);
	struct entry *entry;

	PH_ASSERT(txn->writable);
	entry = entry_new(key, value);
	if (!entry)
		return txn->failure = PH_E_FULL;
	note(txn, in, partition_replace(in, key, entry), entry);
	return 0;
}

int memory_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	struct partition *in = partition_at(txn, partition, key);
	struct entry *before;

	PH_ASSERT(txn->writable);
	before = partition_replace(in, key, NULL);
	if (before)
		note(txn, in, before, NULL);
	return 0;
}

/* --- cursors --- */

struct ph_kv_cursor *memory_cursor(struct ph_kv_txn *txn, size_t partition)
{
	struct ph_kv_cursor *cursor = ph_alloc(sizeof(*cursor));

	cursor->partition = partition_at(txn, partition, PH_STR(""));
	ph_list_append(&txn->cursors, &cursor->link);
	return cursor;
}

static int show(const struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r)
{
	if (cursor->at >= cursor->partition->count)
		return PH_E_ABSENT;
	*key_r = cursor->partition->entries[cursor->at]->key;
	*value_r = cursor->partition->entries[cursor->at]->value;
	return 0;
}

int memory_seek(struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	bool found;

	cursor->at = partition_find(cursor->partition, key, &found);
	return show(cursor, key_r, value_r);
}

int memory_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	bool found;

	cursor->at = partition_find(cursor->partition, key, &found);
	if (!found && cursor->at == 0)
		return PH_E_ABSENT;
	cursor->at -= !found;
	return show(cursor, key_r, value_r);
}

int memory_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r)
{
	cursor->at++;
	return show(cursor, key_r, value_r);
}
