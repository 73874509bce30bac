/* The records of a mailbox: what its counters say must be what is there. All is counted in one transaction,
 * so that a server beside it makes no difference. */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "../change.h"
#include "../keyword.h"
#include "../uid_index.h"
#include "../uid_set.h"
#include "check.h"

struct counting {
	bool repair;
	bool wrong; /* counters are */
	bool wrong_index;
	struct meta meta, found;
	struct ph_uid_set present, seen, deleted;
	struct fault_list faults;
};

void fault_add(struct fault_list *list, uint32_t uid, const char *format, ...)
{
	struct fault *fault;
	va_list arguments;

	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 8;
		list->items = ph_realloc_array(list->items, list->capacity, sizeof(*list->items));
	}
	fault = &list->items[list->count++];
	*fault = (struct fault){ .uid = uid };
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
}

static void count_message(struct counting *counting, uint32_t uid, const struct message_record *record)
{
	struct meta *found = &counting->found;

	uid_set_add(&counting->present, uid, uid);
	if (record->flags & PH_FLAG_SEEN)
		uid_set_add(&counting->seen, uid, uid);
	if (record->flags & PH_FLAG_DELETED)
		uid_set_add(&counting->deleted, uid, uid);
	found->messages++;
	found->size += record->size;
	found->unseen += !(record->flags & PH_FLAG_SEEN);
	found->deleted += (record->flags & PH_FLAG_DELETED) != 0;
	found->recent += uid >= counting->meta.recent_from;
	if (found->uid_next <= uid)
		found->uid_next = uid + 1;
	if (found->highest_modseq < record->modseq)
		found->highest_modseq = record->modseq;
	for (size_t i = 0; i < record->keyword_count; i++) {
		if (message_record_keyword(record, i) >= counting->meta.keywords)
			fault_add(&counting->faults, uid, "has a keyword that the mailbox does not know");
	}
}

static int count_messages(struct ph_kv_cursor *cursor, struct counting *counting)
{
	struct message_record record;
	struct ph_str key, value;
	struct key first;
	int result = store.kv->seek(cursor, key_32(&first, 'u', 0), &key, &value);

	for (; result == 0 && key.data[0] == 'u'; result = store.kv->next(cursor, &key, &value)) {
		uint32_t uid = key.len == 5 ? ph_bytes_get32(key.data + 1) : 0;

		if (uid == 0 || message_record_decode(value, &record) < 0)
			fault_add(&counting->faults, uid, "its record cannot be read");
		else
			count_message(counting, uid, &record);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

/* UIDs are not given twice: what went stays away. */
static void check_expunged(
	struct ph_kv_cursor *cursor, const struct ph_uid_set *uids, struct counting *counting)
{
	struct message_record record;
	uint32_t uid;

	if (next_message(cursor, uids, 1, &uid, &record) == 0)
		fault_add(&counting->faults, uid, "is there, though the log says that it was expunged");
}

static int count_log(struct ph_kv_txn *txn, struct counting *counting)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0), *messages = store.kv->cursor(txn, 0);
	struct ph_str key, value;
	struct key first;
	int result = store.kv->seek(cursor, key_plain(&first, 'l'), &key, &value);

	for (; result == 0 && key.data[0] == 'l'; result = store.kv->next(cursor, &key, &value)) {
		struct ph_uid_set uids = { 0 };
		uint64_t modseq = key.len == 10 ? ph_bytes_get64(key.data + 1) : 0;

		if (modseq == 0 || uid_set_decode(value, &uids) < 0)
			fault_add(&counting->faults, 0, "its log cannot be read at modseq %" PRIu64, modseq);
		else if (key.data[9] == LOG_EXPUNGED)
			check_expunged(messages, &uids, counting);
		if (counting->found.highest_modseq < modseq)
			counting->found.highest_modseq = modseq;
		if (uids.count > 0 && counting->found.uid_next <= uids.ranges[uids.count - 1].last)
			counting->found.uid_next = uids.ranges[uids.count - 1].last + 1;
		uid_set_free(&uids);
		counting->found.log_entries++;
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static void compare(struct counting *counting, const char *what, uint64_t stored, uint64_t found)
{
	if (stored == found)
		return;
	counting->wrong = true;
	fault_add(&counting->faults, 0, "its %s should be %" PRIu64 ", and is %" PRIu64, what, found, stored);
	counting->faults.items[counting->faults.count - 1].repaired = counting->repair;
}

static void compare_all(struct counting *counting)
{
	const struct meta *stored = &counting->meta, *found = &counting->found;

	compare(counting, "number of messages", stored->messages, found->messages);
	compare(counting, "number of unseen messages", stored->unseen, found->unseen);
	compare(counting, "number of deleted messages", stored->deleted, found->deleted);
	compare(counting, "number of recent messages", stored->recent, found->recent);
	compare(counting, "size", stored->size, found->size);
	compare(counting, "UIDNEXT", stored->uid_next, found->uid_next);
	compare(counting, "HIGHESTMODSEQ", stored->highest_modseq, found->highest_modseq);
	compare(counting, "number of changes in the log", stored->log_entries, found->log_entries);
}

static void check_keywords(struct ph_kv_txn *txn, struct counting *counting)
{
	struct ph_str name;

	for (uint32_t i = 0; i < counting->meta.keywords; i++) {
		if (keyword_name(txn, 0, (uint16_t)i, &name) < 0)
			fault_add(&counting->faults, 0, "its keyword %u has no name", (unsigned)i);
	}
}

static bool is_same_set(const struct ph_uid_set *a, const struct ph_uid_set *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges)) == 0);
}

static int check_index(struct ph_kv_txn *txn, struct counting *counting, enum uid_index index,
	const char *what, const struct ph_uid_set *found)
{
	struct ph_uid_set stored = { 0 };
	int result = uid_index_read(txn, 0, index, &counting->found, &stored);

	if (result == PH_E_CORRUPT || (result == 0 && !is_same_set(found, &stored))) {
		counting->wrong_index = true;
		fault_add(&counting->faults, 0, "it does not know which UIDs are %s", what);
		counting->faults.items[counting->faults.count - 1].repaired = counting->repair;
		result = counting->repair ? uid_index_write(txn, 0, index, found) : 0;
	}
	uid_set_free(&stored);
	return result;
}

static int check_indexes(struct ph_kv_txn *txn, struct counting *counting)
{
	struct ph_uid_set given = { 0 }, gone = { 0 };
	int result;

	if (counting->found.uid_next > 1)
		uid_set_add(&given, 1, counting->found.uid_next - 1);
	uid_set_add_rest(&gone, &given, &counting->present);
	result = check_index(txn, counting, INDEX_GONE, "gone", &gone);
	if (result == 0)
		result = check_index(txn, counting, INDEX_SEEN, "seen", &counting->seen);
	if (result == 0)
		result = check_index(txn, counting, INDEX_DELETED, "deleted", &counting->deleted);
	uid_set_free(&given);
	uid_set_free(&gone);
	return result;
}

static int put_meta(struct ph_kv_txn *txn, const struct meta *meta)
{
	char bytes[META_SIZE];
	struct key key;

	meta_encode(meta, bytes);
	return store.kv->put(txn, 0, key_plain(&key, 'm'), ph_str_of(bytes, sizeof(bytes)));
}

static int count_all(struct ph_kv_txn *txn, void *arg)
{
	struct counting *counting = arg;
	struct meta *found = &counting->found;
	int result = meta_get(txn, 0, &counting->meta);

	counting->faults.count = 0;
	counting->present.count = counting->seen.count = counting->deleted.count = 0;
	counting->wrong = counting->wrong_index = false;
	if (result < 0)
		return result;
	*found = counting->meta;
	found->messages = found->unseen = found->deleted = found->recent = found->log_entries = 0;
	found->size = 0;
	result = count_messages(store.kv->cursor(txn, 0), counting);
	if (result == 0)
		result = count_log(txn, counting);
	if (result == 0)
		result = check_indexes(txn, counting);
	if (result < 0)
		return result;
	check_keywords(txn, counting);
	compare_all(counting);
	return counting->repair && counting->wrong ? put_meta(txn, found) : 0;
}

int check_records(struct check *check, uint64_t mailbox, struct ph_error *error)
{
	struct counting counting = { 0 };
	struct ph_kv_partition partition = mailbox_partition(mailbox);
	int result = store_read(partition, count_all, &counting, error);

	if (result == 0 && check->repair && (counting.wrong || counting.wrong_index)) {
		counting.repair = true;
		result = store_update(partition, count_all, &counting, error);
	}
	for (size_t i = 0; result == 0 && i < counting.faults.count; i++)
		check_report(check, &counting.faults.items[i]);
	uid_set_free(&counting.present);
	uid_set_free(&counting.seen);
	uid_set_free(&counting.deleted);
	free(counting.faults.items);
	return result;
}
