/* The messages of one mailbox, some at a time: read from the backup, their bytes written to drafts of the
 * same ids, and all stored in one update. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "../keyword.h"
#include "../message.h"
#include "../usage.h"
#include "restore.h"

/* What one update stores at most. */
#define BATCH 64
#define BATCH_BYTES (4 << 20)

struct item {
	uint32_t uid;
	struct message_record record;
	struct ph_str *keywords; /* these, and the summary, in the batch's pool */
	struct ph_str summary;
	struct ph_kv_draft *draft; /* NULL: the store has the bytes, or another item */
	bool lost;                 /* the backup has not */
	int result;
};

struct batch {
	struct restore_mailbox *mailbox;
	struct ph_pool *pool;
	uint32_t next; /* UID in the backup */
	bool more;
	struct item items[BATCH];
	size_t count;
	uint64_t there;   /* messages that were passed over */
	uint32_t damaged; /* UID of a record that cannot be read; 0: none */
	struct usage usage;
};

/* --- from the backup --- */

/* A keyword whose name is lost is left out. */
static int read_keywords(struct ph_kv_txn *txn, struct batch *batch, struct item *item)
{
	uint16_t count = item->record.keyword_count, known = 0;
	struct ph_str name;

	item->keywords = ph_pool_array(batch->pool, (size_t)count + 1, sizeof(*item->keywords));
	for (uint16_t i = 0; i < count; i++) {
		int result = keyword_name(txn, 0, message_record_keyword(&item->record, i), &name);

		if (result == 0)
			item->keywords[known++] = ph_pool_str(batch->pool, name);
		else if (result != PH_E_ABSENT)
			return result;
	}
	item->record.keyword_count = known;
	return 0;
}

static int read_item(struct ph_kv_txn *txn, struct batch *batch, struct item *item)
{
	struct ph_mime_message message;
	struct ph_str summary;
	struct key key;
	int result = read_keywords(txn, batch, item);

	if (result < 0)
		return result;
	result = store.kv->get(txn, 0, key_32(&key, 's', item->uid), &summary);
	item->summary = PH_STR("");
	/* Without one the message is parsed when it is read. */
	if (result == 0 && summary.len > 0 && store.mime->summary_view(summary, &message) == 0)
		item->summary = ph_pool_str(batch->pool, summary);
	return result == PH_E_ABSENT ? 0 : result;
}

static bool is_missing(const struct batch *batch, const struct message_record *record)
{
	const struct restore_mailbox *mailbox = batch->mailbox;

	return copies_missing(&mailbox->restore->saved, &mailbox->restore->live, record->blob,
		mailbox->source, mailbox->target);
}

/* Stops behind a record that cannot be read, so that it is told once. */
static int read_batch(struct ph_kv_txn *txn, void *arg)
{
	struct batch *batch = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	uint32_t uid = batch->next;
	uint64_t bytes = 0;
	int result = 0;

	batch->count = 0;
	batch->there = 0;
	batch->damaged = 0;
	batch->more = true;
	ph_pool_clear(batch->pool);
	while (result == 0 && batch->count < BATCH && bytes < BATCH_BYTES && batch->there < 1000) {
		struct item *item = &batch->items[batch->count];

		*item = (struct item){ 0 };
		result = next_message(cursor, NULL, uid, &item->uid, &item->record);
		if (result == PH_E_ABSENT)
			break;
		uid = item->uid + 1;
		if (result == PH_E_CORRUPT) {
			batch->damaged = item->uid;
			result = 0;
			break;
		}
		if (result == 0 && !is_missing(batch, &item->record)) {
			batch->there++;
			continue;
		}
		if (result == 0)
			result = read_item(txn, batch, item);
		bytes += item->record.size + item->summary.len;
		batch->count += result == 0;
	}
	batch->more = result != PH_E_ABSENT;
	batch->next = uid;
	return result == PH_E_ABSENT ? 0 : result;
}

/* --- bytes --- */

static bool has_bytes(struct ph_kv_blob_id id)
{
	struct ph_kv_blob *blob;
	int result = store.kv->blob_open(id, &blob, NULL);

	if (result == 0)
		store.kv->blob_close(&blob);
	return result != PH_E_ABSENT;
}

/* *damaged_r: the bytes do not read back. A negative code: they cannot be stored. */
static int copy_bytes(
	struct ph_kv_blob *from, struct ph_kv_draft *to, bool *damaged_r, struct ph_error *error)
{
	struct ph_str bytes;
	uint64_t at = 0;

	for (;;) {
		int result = store.kv->blob_view(from, at, &bytes, NULL);

		*damaged_r = result < 0;
		if (result < 0 || bytes.len == 0)
			return 0;
		at += bytes.len;
		result = store.kv->draft_write(to, bytes, error);
		if (result < 0)
			return result;
	}
}

static bool same_blob(const struct item *a, const struct item *b)
{
	return memcmp(a->record.blob.bytes, b->record.blob.bytes, sizeof(a->record.blob.bytes)) == 0;
}

/* Copies of a message in the same batch share one draft. A message whose bytes the backup has lost is left
 * out. */
static int take_bytes(struct batch *batch, struct item *item, struct ph_error *error)
{
	struct restore *restore = batch->mailbox->restore;
	struct ph_kv_blob *blob;
	int result = 0;

	for (const struct item *other = batch->items; other < item; other++) {
		item->lost = same_blob(other, item) && other->lost;
		if (same_blob(other, item))
			return 0;
	}
	if (has_bytes(item->record.blob))
		return 0;
	item->lost = true;
	if (store.backup->blob_open(restore->backup, item->record.blob, &blob, NULL) == 0) {
		item->draft = store.backup->draft_new(item->record.blob);
		result = copy_bytes(blob, item->draft, &item->lost, error);
		store.kv->blob_close(&blob);
	}
	if (item->lost)
		store.kv->draft_free(&item->draft);
	return result;
}

/* --- into the store --- */

/* Where its UID is still to come the message keeps it. */
static int append(struct change *change, struct item *item)
{
	struct keyword_list keywords = { 0 };
	struct message_record record = item->record;
	uint32_t uid;
	int result = keywords_find(change, item->keywords, record.keyword_count, true, &keywords);

	record.keywords = keywords.bytes;
	record.keyword_count = keywords.count;
	if (result == 0) {
		change_skip(change, item->uid);
		result = change_append(change, &record, item->summary, &uid);
	}
	keyword_list_free(&keywords);
	return result;
}

/* What is the failure of one message only. */
static bool is_refusal(int result)
{
	return result == PH_E_LIMIT || result == PH_E_INVALID || result == PH_E_ABSENT;
}

static int append_all(struct ph_kv_txn *txn, void *arg)
{
	struct batch *batch = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result;
	change.account = usage_partition(1);
	for (size_t i = 0; i < batch->count && result == 0; i++) {
		struct item *item = &batch->items[i];

		item->result = item->lost ? PH_E_ABSENT : append(&change, item);
		if (!is_refusal(item->result))
			result = item->result;
	}
	result = change_end(&change, result);
	batch->usage = change.usage;
	return result;
}

static int update(struct batch *batch, struct ph_error *error)
{
	const struct restore_mailbox *mailbox = batch->mailbox;
	const struct ph_kv_partition partitions[] = { mailbox_partition(mailbox->target),
		account_partition(mailbox->restore->target) };
	struct ph_kv_draft *drafts[BATCH];
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i].draft)
			drafts[count++] = batch->items[i].draft;
	return store.kv->update(
		partitions, store.kv->atomic_partitions ? 2 : 1, drafts, count, append_all, batch, error);
}

/* Where the kv changes one partition at a time: the threads are found before the messages come, and those of
 * messages that did not come are left again. */
static int update_threads(struct batch *batch, struct ph_error *error)
{
	ph_account_id account = batch->mailbox->restore->target;
	struct thread_list list = { 0 };
	int result;

	for (size_t i = 0; i < batch->count; i++)
		thread_list_add(&list, &batch->items[i].record.thread);
	result = threads_join(account, &list, false, error);
	for (size_t i = 0; i < batch->count; i++)
		batch->items[i].record.thread = list.items[i];
	list.count = 0;
	if (result == 0) {
		result = update(batch, error);
		for (size_t i = 0; i < batch->count; i++) {
			if (result < 0 || batch->items[i].result < 0)
				thread_list_add(&list, &batch->items[i].record.thread);
		}
		threads_withdraw(account, &list, result);
	}
	thread_list_free(&list);
	return result;
}

/* As an import does: quotas do not count. */
static int store_batch(struct batch *batch, struct ph_error *error)
{
	ph_account_id account = batch->mailbox->restore->target;
	struct usage usage = { 0 }, unused;
	int result;

	for (size_t i = 0; i < batch->count; i++)
		usage.bytes += (int64_t)batch->items[i].record.size;
	usage.messages = (int64_t)batch->count;
	result = usage_reserve(account, &usage, false, error);
	if (result < 0)
		return result;
	batch->usage = (struct usage){ 0 };
	result = store.kv->atomic_partitions ? update(batch, error) : update_threads(batch, error);
	if (result < 0)
		batch->usage = (struct usage){ 0 };
	unused = (struct usage){ usage.bytes - batch->usage.bytes, usage.messages - batch->usage.messages };
	usage_release(account, &unused);
	return result;
}

/* --- one after the other --- */

/* What a message of the same bytes in this batch has made good already is passed over. */
static void choose(struct batch *batch)
{
	struct restore_mailbox *mailbox = batch->mailbox;
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		if (!is_missing(batch, &batch->items[i].record)) {
			batch->there++;
			continue;
		}
		copies_restore(&mailbox->restore->saved, batch->items[i].record.blob, mailbox->source);
		batch->items[kept++] = batch->items[i];
	}
	batch->count = kept;
}

static void report(struct restore_mailbox *mailbox, const struct item *item)
{
	struct restore *restore = mailbox->restore;

	if (item->lost)
		restore_refuse(restore, mailbox->name, item->uid, "its bytes cannot be read in the backup");
	else if (item->result == PH_E_ABSENT)
		restore_refuse(restore, mailbox->name, item->uid, "its bytes went meanwhile: run it again");
	else if (item->result < 0)
		restore_refuse(restore, mailbox->name, item->uid,
			item->result == PH_E_LIMIT ? "too many keywords or messages"
						   : "has an illegal keyword");
	else
		restore->taken++;
}

static int restore_batch(struct batch *batch, struct ph_error *error)
{
	struct restore_mailbox *mailbox = batch->mailbox;
	struct restore *restore = mailbox->restore;
	int result = restore_read(restore, mailbox_partition(mailbox->source), read_batch, batch, error);

	if (result < 0)
		return result;
	choose(batch);
	restore->there += batch->there;
	for (size_t i = 0; result == 0 && i < batch->count; i++)
		result = take_bytes(batch, &batch->items[i], error);
	if (result == 0 && batch->count > 0)
		result = store_batch(batch, error);
	for (size_t i = 0; i < batch->count; i++) {
		if (result == 0)
			report(mailbox, &batch->items[i]);
		store.kv->draft_free(&batch->items[i].draft);
	}
	if (batch->damaged != 0)
		restore_refuse(
			restore, mailbox->name, batch->damaged, "its record cannot be read in the backup");
	ph_progress(mailbox->name, restore->taken + restore->there + restore->refused, restore->saved.count);
	return result;
}

int restore_messages(struct restore_mailbox *mailbox, struct ph_error *error)
{
	struct batch *batch = ph_alloc(sizeof(*batch));
	int result;

	*batch = (struct batch){ .mailbox = mailbox, .pool = ph_pool_new(0), .next = 1 };
	do {
		result = restore_batch(batch, error);
		ph_fiber_yield();
	} while (result == 0 && batch->more);
	ph_pool_free(&batch->pool);
	free(batch);
	if (result == PH_E_ABSENT) {
		restore_refuse(mailbox->restore, mailbox->name, 0, "the mailbox went meanwhile");
		result = 0;
	}
	return result;
}
