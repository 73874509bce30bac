/* Copying and moving messages: records and summaries are copied, the bytes get one more reference.
 *
 * What is to be copied is read first, in pieces; then one transaction writes all copies, leaving out messages
 * that went meanwhile. The originals of a move go in that same transaction, or, where the kv changes only one
 * partition at a time, in another one behind it: at worst a message is there twice. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "keyword.h"
#include "message.h"
#include "uid_set.h"

/* Messages read at once. */
#define STEP 200

struct original {
	uint32_t uid;
	struct message_record record;
	struct ph_str *keywords;
	struct ph_str summary;
};

struct originals {
	const struct copying *copying;
	struct ph_pool *pool;
	struct original *items;
	size_t count, capacity;
	uint32_t next; /* the UID to go on with */
	uint32_t end;  /* copies within one mailbox are not copied again */
	bool more;
};

/* --- reading --- */

static struct original *next_original(struct originals *originals)
{
	if (originals->count == originals->capacity) {
		originals->capacity = originals->capacity ? originals->capacity * 2 : 16;
		originals->items =
			ph_realloc_array(originals->items, originals->capacity, sizeof(*originals->items));
	}
	return &originals->items[originals->count++];
}

static int read_keywords(struct ph_kv_txn *txn, struct original *original, struct ph_pool *pool)
{
	size_t count = original->record.keyword_count;
	int result = 0;

	original->keywords = ph_pool_array(pool, count, sizeof(*original->keywords));
	for (size_t i = 0; i < count && result == 0; i++) {
		result = keyword_name(
			txn, 0, message_record_keyword(&original->record, i), &original->keywords[i]);
		if (result == 0)
			original->keywords[i] = ph_pool_str(pool, original->keywords[i]);
	}
	return result;
}

static int read_original(
	struct ph_kv_txn *txn, struct originals *originals, uint32_t uid, const struct message_record *record)
{
	struct original *original = next_original(originals);
	struct ph_str summary = { NULL, 0 };
	struct key key;
	int result = store.kv->get(txn, 0, key_32(&key, 's', uid), &summary);

	*original = (struct original){ .uid = uid, .record = *record };
	original->summary = ph_pool_str(originals->pool, summary);
	if (result == 0 || result == PH_E_ABSENT)
		result = read_keywords(txn, original, originals->pool);
	original->record.keywords = NULL;
	return result;
}

static int read_some(struct ph_kv_txn *txn, void *arg)
{
	struct originals *originals = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	struct meta meta;
	uint32_t uid;
	int result = meta_get(txn, 0, &meta);

	if (result == 0 && originals->end == 0)
		originals->end = meta.uid_next;
	for (size_t i = 0; i < STEP && result == 0 && originals->count < originals->copying->most; i++) {
		result = next_message(cursor, originals->copying->uids, originals->next, &uid, &record);
		if (result == 0 && uid >= originals->end)
			result = PH_E_ABSENT;
		if (result == 0)
			result = read_original(txn, originals, uid, &record);
		if (result == 0)
			originals->next = uid + 1;
	}
	originals->more = result == 0 && originals->count < originals->copying->most;
	return result == PH_E_ABSENT ? 0 : result;
}

static int read_all(struct originals *originals, struct ph_error *error)
{
	int result;

	for (;;) {
		result = store_read(
			mailbox_partition(originals->copying->source), read_some, originals, error);
		if (result < 0 || !originals->more)
			return result;
		ph_fiber_yield();
	}
}

/* --- writing --- */

struct copy_run {
	const struct originals *originals;
	struct ph_copied *copied;
	bool expunge; /* the originals, in the same transaction */
};

static int append_copy(struct change *target, const struct original *original, uint32_t *uid_r)
{
	struct keyword_list keywords = { 0 };
	struct message_record copy = original->record;
	int result = keywords_find(target, original->keywords, copy.keyword_count, true, &keywords);

	copy.keywords = keywords.bytes;
	copy.keyword_count = keywords.count;
	if (result == 0)
		result = change_append(target, &copy, original->summary, uid_r);
	keyword_list_free(&keywords);
	return result;
}

/* PH_E_ABSENT: the message is not there any more. */
static int copy_one(const struct copy_run *run, struct change *source, struct change *target,
	const struct original *original)
{
	struct message_record record;
	uint32_t uid, copied;
	int result = 0;

	if (run->expunge) {
		result = change_next(source, NULL, original->uid, &uid, &record);
		if (result == 0 && uid != original->uid)
			result = PH_E_ABSENT;
	}
	if (result == 0)
		result = append_copy(target, original, &copied);
	if (result == 0 && run->expunge)
		result = change_expunge(source, original->uid, &original->record);
	if (result < 0)
		return result;
	uid_set_add(&run->copied->source, original->uid, original->uid);
	uid_set_add(&run->copied->target, copied, copied);
	return 0;
}

static int copy_all(const struct copy_run *run, struct change *source, struct change *target)
{
	int result = 0;

	for (size_t i = 0; i < run->originals->count && result == 0; i++) {
		result = copy_one(run, source, target, &run->originals->items[i]);
		if (result == PH_E_ABSENT)
			result = 0;
	}
	return result;
}

/* Partition 0 is the target; with `expunge`, 1 the source, if it is another mailbox. */
static int run_copy(struct ph_kv_txn *txn, void *arg)
{
	const struct copy_run *run = arg;
	const struct copying *copying = run->originals->copying;
	struct change source, target;
	int result = change_begin(&target, txn, 0);

	if (result < 0)
		return result;
	run->copied->source.count = run->copied->target.count = 0;
	run->copied->uid_validity = target.meta.uid_validity;
	if (!run->expunge || copying->source == copying->target)
		return change_end(&target, copy_all(run, &target, &target));
	result = change_begin(&source, txn, 1);
	/* A source that was deleted meanwhile has nothing to move. */
	if (result < 0)
		return change_end(&target, result == PH_E_ABSENT ? 0 : result);
	result = change_end(&source, copy_all(run, &source, &target));
	return change_end(&target, result);
}

static int write_all(const struct originals *originals, struct ph_copied *copied_r, struct ph_error *error)
{
	const struct copying *copying = originals->copying;
	const struct ph_kv_partition partitions[] = { mailbox_partition(copying->target),
		mailbox_partition(copying->source) };
	bool one = copying->source == copying->target;
	struct copy_run run = { originals, copied_r, copying->move && (one || store.kv->atomic_partitions) };
	int result =
		store.kv->update(partitions, run.expunge && !one ? 2 : 1, NULL, 0, run_copy, &run, error);

	if (result == 0 && copying->move && !run.expunge)
		result = expunge_messages(copying->source, &copied_r->source, true, NULL, error);
	return result;
}

int copy_messages(const struct copying *copying, struct ph_copied *copied_r, struct ph_error *error)
{
	struct originals originals = { .copying = copying, .pool = ph_pool_new(0), .next = 1 };
	int result = read_all(&originals, error);

	if (result == 0)
		result = write_all(&originals, copied_r, error);
	ph_pool_free(&originals.pool);
	free(originals.items);
	return result;
}
