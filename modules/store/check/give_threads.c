/* Giving threads to messages that were stored before there were any: found by their summaries, since the
 * bytes need not be read. Their modseqs stay, since no flag changes. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "../change.h"
#include "../mailbox.h"
#include "../thread.h"
#include "../usage.h"
#include "check.h"

/* Messages that get their threads in one transaction, and bytes of their summaries. */
#define STEP 100
#define STEP_BYTES (1 << 20)

struct late {
	uint32_t uid;
	struct ph_kv_blob_id blob;
	struct ph_str summary;
	struct thread thread;
	bool done;
};

struct giving {
	uint64_t mailbox;
	uint32_t from; /* the UID to begin a step with */
	uint32_t next; /* the UID to go on with; 0: that was all */
	struct late items[STEP];
	size_t count;
	struct ph_pool *pool; /* of the summaries */
};

static int find_message(struct ph_kv_txn *txn, uint32_t uid, struct message_record *record_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_32(&key, 'u', uid), &value);

	return result < 0 ? result : message_record_decode(value, record_r);
}

static int find_some(struct ph_kv_txn *txn, void *arg)
{
	struct giving *giving = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	struct ph_str summary;
	struct key key;
	uint32_t uid = giving->from;

	giving->count = 0;
	ph_pool_clear(giving->pool);
	while (giving->count < STEP && ph_pool_used(giving->pool) < STEP_BYTES) {
		int result = next_message(cursor, NULL, uid, &uid, &record);

		giving->next = result == PH_E_ABSENT ? 0 : uid + 1;
		if (result < 0 && result != PH_E_CORRUPT)
			return result == PH_E_ABSENT ? 0 : result;
		if (result == 0 && record.thread.id == 0) {
			if (store.kv->get(txn, 0, key_32(&key, 's', uid), &summary) < 0)
				summary = PH_STR("");
			giving->items[giving->count++] = (struct late){
				.uid = uid, .blob = record.blob, .summary = ph_pool_str(giving->pool, summary)
			};
		}
		uid++;
	}
	return 0;
}

/* It may have gone meanwhile, or have a thread. */
static int give_one(struct ph_kv_txn *txn, struct late *late)
{
	struct message_record record;
	struct thread thread = late->thread;
	struct key key;
	char *bytes;
	int result = find_message(txn, late->uid, &record);

	late->done = false;
	if (result < 0 || record.thread.id != 0)
		return result == PH_E_ABSENT || result == PH_E_CORRUPT ? 0 : result;
	if (usage_partition(1) != 0)
		result = thread_join(txn, usage_partition(1), &thread, false);
	if (result == 0)
		result = find_message(txn, late->uid, &record);
	if (result < 0)
		return result;
	record.thread = thread;
	bytes = ph_alloc(message_record_size(&record));
	message_record_encode(&record, bytes);
	result = store.kv->put(
		txn, 0, key_32(&key, 'u', late->uid), ph_str_of(bytes, message_record_size(&record)));
	free(bytes);
	late->done = result == 0;
	return result;
}

static int give_all(struct ph_kv_txn *txn, void *arg)
{
	struct giving *giving = arg;
	int result = 0;

	for (size_t i = 0; i < giving->count && result == 0; i++)
		result = give_one(txn, &giving->items[i]);
	return result;
}

/* A message whose summary says nothing is a thread of its own. */
static int find_keys(struct giving *giving, struct ph_error *error)
{
	int result = 0;

	for (size_t i = 0; i < giving->count && result == 0; i++) {
		struct late *late = &giving->items[i];
		struct ph_mime_message message;

		if (store.mime->summary_view(late->summary, &message) < 0)
			message = (struct ph_mime_message){ 0 };
		result = thread_of(&message, late->blob, &late->thread, error);
	}
	return result;
}

static int give_some(struct giving *giving, struct ph_error *error)
{
	ph_account_id account = mailbox_account(giving->mailbox);
	struct thread_list list = { 0 };
	int result;

	for (size_t i = 0; i < giving->count; i++)
		thread_list_add(&list, &giving->items[i].thread);
	result = threads_join(account, &list, false, error);
	for (size_t i = 0; i < giving->count; i++)
		giving->items[i].thread = list.items[i];
	list.count = 0;
	if (result == 0) {
		result = usage_update(giving->mailbox, give_all, giving, error);
		for (size_t i = 0; i < giving->count; i++) {
			if (result < 0 || !giving->items[i].done)
				thread_list_add(&list, &giving->items[i].thread);
		}
		threads_withdraw(account, &list, result);
	}
	thread_list_free(&list);
	return result;
}

int give_threads(uint64_t mailbox, struct ph_error *error)
{
	struct giving *giving = ph_alloc(sizeof(*giving));
	int result;

	giving->mailbox = mailbox;
	giving->next = 1;
	giving->pool = ph_pool_new(0);
	do {
		giving->from = giving->next;
		result = store_read(mailbox_partition(mailbox), find_some, giving, error);
		if (result == 0 && giving->count > 0) {
			result = find_keys(giving, error);
			if (result == 0)
				result = give_some(giving, error);
		}
		ph_fiber_yield();
	} while (result == 0 && giving->next != 0);
	ph_pool_free(&giving->pool);
	free(giving);
	return result;
}
