/* An account's threads: each key must be counted as often as messages have it. All is counted in one
 * transaction where the kv can show several partitions together, so that a server beside it makes no
 * difference; where it cannot, the counts are those of a quiet account only. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "../account.h"
#include "../change.h"
#include "../thread.h"
#include "check.h"

/* How often mailboxes may be made while those of the account are counted. */
#define ATTEMPTS 5

/* --- the account's mailboxes, with those that are being removed --- */

struct partitions {
	struct ph_kv_partition *items;
	size_t count, capacity;
	uint32_t next_mailbox; /* as it was when they were listed */
};

static void add_partition(struct partitions *partitions, struct ph_kv_partition partition)
{
	if (partitions->count == partitions->capacity) {
		partitions->capacity = partitions->capacity ? partitions->capacity * 2 : 16;
		partitions->items =
			ph_realloc_array(partitions->items, partitions->capacity, sizeof(*partitions->items));
	}
	partitions->items[partitions->count++] = partition;
}

static int add_mailboxes(struct ph_kv_txn *txn, char kind, struct partitions *partitions)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, kind), &found, &value);

	for (; result == 0 && found.data[0] == kind; result = store.kv->next(cursor, &found, &value)) {
		if (kind == 'm' && mailbox_record_decode(value, &record) == 0)
			add_partition(partitions, mailbox_partition(record.number));
		if (kind == 'x' && found.len == 9)
			add_partition(partitions, mailbox_partition(ph_bytes_get64(found.data + 1)));
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int list_mailboxes(struct ph_kv_txn *txn, void *arg)
{
	struct partitions *partitions = arg;
	struct account_counters counters;
	int result = account_counters_get(txn, 0, &counters);

	partitions->count = 0;
	if (result == 0)
		result = add_mailboxes(txn, 'm', partitions);
	if (result == 0)
		result = add_mailboxes(txn, 'x', partitions);
	if (result == 0)
		partitions->next_mailbox = counters.next_mailbox;
	return result;
}

/* --- counting --- */

/* A key of a message. */
struct found_key {
	uint64_t key;
	uint64_t thread;
	size_t place; /* among the message's keys */
};

struct correction {
	uint64_t key;
	struct thread_entry entry;
};

struct counting {
	bool repair;
	const struct partitions *mailboxes;
	struct found_key *keys;
	size_t count, capacity;
	size_t before; /* of the mailboxes that were read one by one */
	struct correction *corrections;
	size_t wrong, room;
	size_t high; /* of those that are wrong */
};

static void add_keys(struct counting *counting, const struct thread *thread)
{
	for (size_t i = 0; i < thread->count; i++) {
		if (counting->count == counting->capacity) {
			counting->capacity = counting->capacity ? counting->capacity * 2 : 256;
			counting->keys =
				ph_realloc_array(counting->keys, counting->capacity, sizeof(*counting->keys));
		}
		counting->keys[counting->count++] = (struct found_key){ thread->keys[i], thread->id, i };
	}
}

static void add_correction(struct counting *counting, uint64_t key, struct thread_entry entry)
{
	if (counting->wrong == counting->room) {
		counting->room = counting->room ? counting->room * 2 : 16;
		counting->corrections = ph_realloc_array(
			counting->corrections, counting->room, sizeof(*counting->corrections));
	}
	counting->corrections[counting->wrong++] = (struct correction){ key, entry };
}

static int read_mailbox(struct ph_kv_txn *txn, size_t partition, struct counting *counting)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct message_record record;
	struct ph_str found, value;
	struct key first;
	int result = store.kv->seek(cursor, key_32(&first, 'u', 0), &found, &value);

	for (; result == 0 && found.data[0] == 'u'; result = store.kv->next(cursor, &found, &value)) {
		if (message_record_decode(value, &record) == 0)
			add_keys(counting, &record.thread);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

/* The same keys side by side, and first the one of the message that has it foremost. */
static int compare_keys(const void *a, const void *b)
{
	const struct found_key *one = a, *other = b;

	if (one->key != other->key)
		return one->key < other->key ? -1 : 1;
	return (one->place > other->place) - (one->place < other->place);
}

static struct thread_entry take_key(const struct counting *counting, size_t *at)
{
	const struct found_key *first = &counting->keys[*at];
	struct thread_entry entry = { first->thread, 0 };

	while (*at < counting->count && counting->keys[*at].key == first->key) {
		entry.messages++;
		(*at)++;
	}
	return entry;
}

/* Keys that the account does not know, up to this one. */
static void miss_keys(struct counting *counting, size_t *at, uint64_t key, bool all)
{
	while (*at < counting->count && (all || counting->keys[*at].key < key)) {
		uint64_t missing = counting->keys[*at].key;

		add_correction(counting, missing, take_key(counting, at));
	}
}

static void compare_entry(struct counting *counting, size_t *at, uint64_t key, struct ph_str value)
{
	struct thread_entry found = { 0 }, stored;
	bool readable = thread_entry_decode(value, &stored) == 0;

	miss_keys(counting, at, key, false);
	if (*at < counting->count && counting->keys[*at].key == key)
		found = take_key(counting, at);
	if (readable && stored.messages == found.messages)
		return;
	if (readable)
		found.id = stored.id;
	counting->high += readable && stored.messages > found.messages;
	add_correction(counting, key, found);
}

static int correct(struct ph_kv_txn *txn, size_t partition, const struct counting *counting)
{
	int result = 0;

	for (size_t i = 0; i < counting->wrong && result == 0; i++)
		result = thread_entry_put(
			txn, partition, counting->corrections[i].key, &counting->corrections[i].entry);
	return result;
}

static int compare(struct ph_kv_txn *txn, size_t partition, struct counting *counting)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str found, value;
	struct key first;
	size_t at = 0;
	int result;

	if (counting->count > 0)
		qsort(counting->keys, counting->count, sizeof(*counting->keys), compare_keys);
	counting->wrong = counting->high = 0;
	result = store.kv->seek(cursor, key_plain(&first, 't'), &found, &value);
	for (; result == 0 && found.data[0] == 't'; result = store.kv->next(cursor, &found, &value)) {
		if (found.len == 9)
			compare_entry(counting, &at, ph_bytes_get64(found.data + 1), value);
	}
	if (result < 0 && result != PH_E_ABSENT)
		return result;
	miss_keys(counting, &at, 0, true);
	return counting->repair ? correct(txn, partition, counting) : 0;
}

/* PH_E_STALE: there are new mailboxes. */
static int count_account(struct ph_kv_txn *txn, void *arg)
{
	struct counting *counting = arg;
	const struct partitions *mailboxes = counting->mailboxes;
	struct account_counters counters;
	int result = account_counters_get(txn, mailboxes->count, &counters);

	if (result == 0 && counters.next_mailbox != mailboxes->next_mailbox)
		result = PH_E_STALE;
	counting->count = 0;
	for (size_t i = 0; i < mailboxes->count && result == 0; i++)
		result = read_mailbox(txn, i, counting);
	return result < 0 ? result : compare(txn, mailboxes->count, counting);
}

static int count_mailbox(struct ph_kv_txn *txn, void *arg)
{
	struct counting *counting = arg;

	counting->count = counting->before;
	return read_mailbox(txn, 0, counting);
}

static int compare_account(struct ph_kv_txn *txn, void *arg)
{
	return compare(txn, 0, arg);
}

static int count_each(struct counting *counting, struct ph_kv_partition account, struct ph_error *error)
{
	int result = 0;

	counting->count = 0;
	for (size_t i = 0; i < counting->mailboxes->count && result == 0; i++) {
		counting->before = counting->count;
		result = store_read(counting->mailboxes->items[i], count_mailbox, counting, error);
	}
	if (result < 0)
		return result;
	return counting->repair ? store_update(account, compare_account, counting, error)
				: store_read(account, compare_account, counting, error);
}

static int count(
	struct counting *counting, ph_account_id id, struct partitions *partitions, struct ph_error *error)
{
	struct ph_kv_partition account = account_partition(id);
	int result = store_read(account, list_mailboxes, partitions, error);

	counting->mailboxes = partitions;
	if (result < 0)
		return result;
	if (!store.kv->atomic_partitions)
		return count_each(counting, account, error);
	add_partition(partitions, account);
	partitions->count--;
	if (counting->repair)
		return store.kv->update(
			partitions->items, partitions->count + 1, NULL, 0, count_account, counting, error);
	return store.kv->read(partitions->items, partitions->count + 1, count_account, counting, error);
}

static int count_calmly(struct counting *counting, ph_account_id id, struct ph_error *error)
{
	struct partitions partitions = { 0 };
	int result, attempt = 0;

	do {
		result = count(counting, id, &partitions, error);
	} while (result == PH_E_STALE && ++attempt < ATTEMPTS);
	free(partitions.items);
	return result;
}

static void report(struct check *check, size_t keys, const char *how, bool repaired)
{
	struct fault_list faults = { 0 };

	if (keys == 0)
		return;
	fault_add(&faults, 0, "its threads are counted too %s at %zu keys", how, keys);
	faults.items[0].repaired = repaired;
	check_report(check, &faults.items[0]);
	free(faults.items);
}

int check_threads(struct check *check, ph_account_id id, struct ph_error *error)
{
	struct counting counting = { 0 };
	int result = count_calmly(&counting, id, error);

	if (result == 0 && counting.wrong > 0 && check->repair) {
		counting.repair = true;
		result = count_calmly(&counting, id, error);
	}
	if (result == 0) {
		report(check, counting.wrong - counting.high, "low", counting.repair);
		report(check, counting.high, "high", counting.repair);
	}
	free(counting.keys);
	free(counting.corrections);
	return result;
}
