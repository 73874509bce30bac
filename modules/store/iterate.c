/* Walking the messages of a view. They are read in batches, so that no transaction is held while the caller
 * parks, and memory stays bounded. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "change.h"
#include "keyword.h"
#include "session.h"
#include "uid_index.h"
#include "uid_set.h"

#define BATCH 128
#define BATCH_BYTES (512 * 1024)

struct ph_message_iterator {
	struct ph_mailbox *mailbox;
	struct ph_uid_set uids;
	unsigned parts;
	uint32_t from; /* the batch begins with this UID, */
	uint32_t next; /* and the next one with this; 0: there are no more */
	int result;
	struct ph_pool *pool; /* of the batch */
	struct ph_message *messages;
	size_t count, shown;
	struct ph_error error;
};

struct ph_message_iterator *messages_begin(
	struct ph_mailbox *mailbox, const struct ph_uid_set *uids, unsigned parts)
{
	struct ph_message_iterator *iterator = ph_alloc(sizeof(*iterator));

	iterator->mailbox = mailbox;
	iterator->parts = parts;
	iterator->next = 1;
	iterator->pool = ph_pool_new(0);
	if (uids)
		uid_set_add_common(&iterator->uids, &mailbox->view.uids, uids);
	else
		uid_set_add_all(&iterator->uids, &mailbox->view.uids);
	return iterator;
}

/* Mostly known from the view; a newer one is looked up. */
static int name_keyword(
	struct ph_kv_txn *txn, struct ph_message_iterator *iterator, uint16_t number, struct ph_str *name_r)
{
	int result;

	if (number < iterator->mailbox->keyword_count) {
		*name_r = iterator->mailbox->keywords[number];
		return 0;
	}
	result = keyword_name(txn, 0, number, name_r);
	if (result == 0)
		*name_r = ph_pool_str(iterator->pool, *name_r);
	return result;
}

static int read_keywords(struct ph_kv_txn *txn, struct ph_message_iterator *iterator,
	const struct message_record *record, struct ph_message *message)
{
	struct ph_str *names = ph_pool_array(iterator->pool, record->keyword_count, sizeof(*names));
	int result = 0;

	for (size_t i = 0; i < record->keyword_count && result == 0; i++)
		result = name_keyword(txn, iterator, message_record_keyword(record, i), &names[i]);
	message->keywords = names;
	message->keyword_count = record->keyword_count;
	return result;
}

static int read_summary(
	struct ph_kv_txn *txn, struct ph_message_iterator *iterator, struct ph_message *message)
{
	struct key key;
	int result = store.kv->get(txn, 0, key_32(&key, 's', message->uid), &message->summary);

	if (result == PH_E_ABSENT)
		message->summary = (struct ph_str){ NULL, 0 };
	else if (result == 0)
		message->summary = ph_pool_str(iterator->pool, message->summary);
	return result == PH_E_ABSENT ? 0 : result;
}

static int read_message(struct ph_kv_txn *txn, struct ph_message_iterator *iterator, uint32_t uid,
	const struct message_record *record)
{
	struct ph_message *message = &iterator->messages[iterator->count++];
	int result = 0;

	*message = (struct ph_message){
		.uid = uid,
		.flags = record->flags,
		.recent = uid_set_has(&iterator->mailbox->recent, uid),
		.modseq = record->modseq,
		.internal_date = record->internal_date,
		.internal_zone = record->internal_zone,
		.save_date = record->save_date,
		.size = record->size,
		.blob = record->blob,
		.thread = record->thread.id,
	};
	if (record->keyword_count > 0)
		result = read_keywords(txn, iterator, record, message);
	if (result == 0 && (iterator->parts & PH_MESSAGE_SUMMARY))
		result = read_summary(txn, iterator, message);
	return result;
}

static int read_batch(struct ph_kv_txn *txn, void *arg)
{
	struct ph_message_iterator *iterator = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	uint32_t uid;

	ph_pool_clear(iterator->pool);
	iterator->messages = ph_pool_array(iterator->pool, BATCH, sizeof(*iterator->messages));
	iterator->count = 0;
	iterator->next = iterator->from;
	while (iterator->count < BATCH && ph_pool_used(iterator->pool) < BATCH_BYTES) {
		int result = next_message(cursor, &iterator->uids, iterator->next, &uid, &record);

		if (result == PH_E_ABSENT) {
			iterator->next = 0;
			return 0;
		}
		if (result == 0)
			result = read_message(txn, iterator, uid, &record);
		if (result < 0)
			return result;
		iterator->next = uid + 1;
	}
	return 0;
}

/* May park. */
static void fetch_batch(struct ph_message_iterator *iterator)
{
	iterator->count = iterator->shown = 0;
	iterator->from = iterator->next;
	iterator->result = store_read(
		mailbox_partition(iterator->mailbox->number), read_batch, iterator, &iterator->error);
}

bool messages_next(struct ph_message_iterator *iterator, const struct ph_message **message_r)
{
	if (iterator->shown == iterator->count && iterator->result == 0 && iterator->next != 0)
		fetch_batch(iterator);
	if (iterator->shown == iterator->count || iterator->result < 0)
		return false;
	*message_r = &iterator->messages[iterator->shown++];
	return true;
}

int messages_end(struct ph_message_iterator **iterator, struct ph_error *error)
{
	int result = (*iterator)->result;

	if (result < 0 && error)
		*error = (*iterator)->error;
	uid_set_free(&(*iterator)->uids);
	ph_pool_free(&(*iterator)->pool);
	free(*iterator);
	*iterator = NULL;
	return result;
}

/* --- what indexes tell --- */

struct flagged_search {
	enum uid_index index;
	struct ph_uid_set uids;
};

static int read_index(struct ph_kv_txn *txn, void *arg)
{
	struct flagged_search *search = arg;
	struct meta meta;
	int result = meta_get(txn, 0, &meta);

	search->uids.count = 0;
	return result < 0 ? result : uid_index_read(txn, 0, search->index, &meta, &search->uids);
}

int messages_flagged(struct ph_mailbox *mailbox, enum ph_flag flag, bool set, struct ph_uid_set *uids,
	struct ph_error *error)
{
	struct flagged_search search = { .index = flag == PH_FLAG_SEEN ? INDEX_SEEN : INDEX_DELETED };
	int result = PH_E_UNSUPPORTED;

	if (flag == PH_FLAG_SEEN || flag == PH_FLAG_DELETED)
		result = store_read(mailbox_partition(mailbox->number), read_index, &search, error);
	if (result == 0 && set)
		uid_set_add_common(uids, &mailbox->view.uids, &search.uids);
	else if (result == 0)
		uid_set_add_rest(uids, &mailbox->view.uids, &search.uids);
	uid_set_free(&search.uids);
	return store_explain(result == PH_E_CORRUPT ? PH_E_UNSUPPORTED : result, "mailbox", error);
}
