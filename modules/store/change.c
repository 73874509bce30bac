/* Changing a mailbox inside a transaction. See change.h.
 *
 * New messages need no entry in the log: UIDs are given one after the other, so those between a former
 * UIDNEXT and the present one, but for the expunged ones, are the new messages. */
#include <config.h>

#include "change.h"

#include <stdlib.h>

#include <posthorn/buf.h>
#include <posthorn/bytes.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "uid_set.h"
#include "usage.h"

/* Old entries that one transaction takes off the log when it is too long. */
#define TRIM_AT_ONCE 8

int meta_get(struct ph_kv_txn *txn, size_t partition, struct meta *meta_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, partition, key_plain(&key, 'm'), &value);

	return result < 0 ? result : meta_decode(value, meta_r);
}

int change_begin(struct change *change, struct ph_kv_txn *txn, size_t partition)
{
	*change = (struct change){ .txn = txn, .partition = partition };
	return meta_get(txn, partition, &change->meta);
}

uint64_t change_modseq(struct change *change)
{
	if (!change->new_modseq)
		change->meta.highest_modseq++;
	change->new_modseq = change->meta_changed = true;
	return change->meta.highest_modseq;
}

/* --- the log --- */

static struct ph_str log_key(struct key *key, uint64_t modseq, char kind)
{
	struct ph_str s = key_64(key, 'l', modseq);

	key->bytes[s.len] = kind;
	return ph_str_of(key->bytes, s.len + 1);
}

static int write_log(struct change *change, char kind, const struct ph_uid_set *uids)
{
	struct ph_buf buf;
	struct key key;
	int result;

	if (uids->count == 0)
		return 0;
	ph_buf_init(&buf, SIZE_MAX);
	uid_set_encode(uids, &buf);
	result = store.kv->put(
		change->txn, change->partition, log_key(&key, change_modseq(change), kind), ph_buf_str(&buf));
	ph_buf_free(&buf);
	change->meta.log_entries++;
	return result;
}

static struct ph_kv_cursor *cursor_of(struct change *change)
{
	if (!change->cursor)
		change->cursor = store.kv->cursor(change->txn, change->partition);
	return change->cursor;
}

static bool is_log_key(struct ph_str key)
{
	return key.len == 10 && key.data[0] == 'l';
}

static int trim_log(struct change *change)
{
	for (int i = 0; i < TRIM_AT_ONCE && change->meta.log_entries > store.config->changes; i++) {
		struct key first, copy;
		struct ph_str key, value;
		int result = store.kv->seek(cursor_of(change), key_plain(&first, 'l'), &key, &value);

		if (result < 0 || !is_log_key(key))
			return result == PH_E_ABSENT ? 0 : result;
		change->meta.log_from = ph_bytes_get64(key.data + 1);
		change->meta.log_entries--;
		result = store.kv->del(
			change->txn, change->partition, log_key(&copy, change->meta.log_from, key.data[9]));
		if (result < 0)
			return result;
	}
	return 0;
}

int read_log(struct ph_kv_txn *txn, size_t partition, uint64_t modseq, struct ph_uid_set *flagged,
	struct ph_uid_set *expunged)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str key, value;
	struct key first;
	int result = store.kv->seek(cursor, log_key(&first, modseq + 1, 0), &key, &value);

	while (result == 0 && is_log_key(key)) {
		result = uid_set_decode(value, key.data[9] == LOG_EXPUNGED ? expunged : flagged);
		if (result == 0)
			result = store.kv->next(cursor, &key, &value);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int write_indexes(const struct change *change)
{
	const struct uid_index_change gone = { .added = change->expunged };
	int result = uid_index_change(change->txn, change->partition, INDEX_GONE, &gone);

	if (result == 0)
		result = uid_index_change(change->txn, change->partition, INDEX_SEEN, &change->seen);
	if (result == 0)
		result = uid_index_change(change->txn, change->partition, INDEX_DELETED, &change->deleted);
	return result;
}

static void free_sets(struct change *change)
{
	uid_set_free(&change->flagged);
	uid_set_free(&change->expunged);
	uid_set_free(&change->seen.added);
	uid_set_free(&change->seen.removed);
	uid_set_free(&change->deleted.added);
	uid_set_free(&change->deleted.removed);
}

int change_end(struct change *change, int result)
{
	char meta[META_SIZE];
	struct key key;

	if (result == 0)
		result = write_log(change, LOG_FLAGGED, &change->flagged);
	if (result == 0)
		result = write_log(change, LOG_EXPUNGED, &change->expunged);
	if (result == 0)
		result = write_indexes(change);
	if (result == 0 && change->new_modseq)
		result = trim_log(change);
	if (result == 0 && change->meta_changed) {
		meta_encode(&change->meta, meta);
		result = store.kv->put(
			change->txn, change->partition, key_plain(&key, 'm'), ph_str_of(meta, sizeof(meta)));
	}
	if (result == 0 && change->account != 0)
		result = usage_add(change->txn, change->account, &change->usage);
	free_sets(change);
	return result;
}

/* --- messages --- */

int next_message(struct ph_kv_cursor *cursor, const struct ph_uid_set *set, uint32_t from, uint32_t *uid_r,
	struct message_record *record_r)
{
	struct ph_str key, value;
	struct key wanted;
	int result;

	for (;;) {
		if (set && !uid_set_next(set, from, &from))
			return PH_E_ABSENT;
		result = store.kv->seek(cursor, key_32(&wanted, 'u', from), &key, &value);
		if (result < 0)
			return result;
		if (key.len != 5 || key.data[0] != 'u')
			return PH_E_ABSENT;
		*uid_r = ph_bytes_get32(key.data + 1);
		if (!set || uid_set_has(set, *uid_r))
			return message_record_decode(value, record_r);
		from = *uid_r;
	}
}

int change_next(struct change *change, const struct ph_uid_set *set, uint32_t from, uint32_t *uid_r,
	struct message_record *record_r)
{
	return next_message(cursor_of(change), set, from, uid_r, record_r);
}

static void count(struct meta *meta, unsigned flags, int step)
{
	if (!(flags & PH_FLAG_SEEN))
		meta->unseen += (uint32_t)step;
	if (flags & PH_FLAG_DELETED)
		meta->deleted += (uint32_t)step;
}

static void note_flag(struct uid_index_change *index, uint32_t uid, bool before, bool after)
{
	if (before != after)
		uid_set_add(after ? &index->added : &index->removed, uid, uid);
}

/* A message that comes or goes has none before, or behind it. */
static void note_flags(struct change *change, uint32_t uid, unsigned before, unsigned after)
{
	note_flag(&change->seen, uid, before & PH_FLAG_SEEN, after & PH_FLAG_SEEN);
	note_flag(&change->deleted, uid, before & PH_FLAG_DELETED, after & PH_FLAG_DELETED);
}

static int put_message(struct change *change, uint32_t uid, struct message_record *record)
{
	size_t size = message_record_size(record);
	char *bytes = ph_alloc(size);
	struct key key;
	int result;

	record->modseq = change_modseq(change);
	message_record_encode(record, bytes);
	result =
		store.kv->put(change->txn, change->partition, key_32(&key, 'u', uid), ph_str_of(bytes, size));
	free(bytes);
	return result;
}

static int join_thread(const struct change *change, struct thread *thread)
{
	if (change->account == 0 || change->threads == THREADS_MOVED)
		return 0;
	return thread_join(change->txn, change->account, thread, change->threads == THREADS_KNOWN);
}

static int leave_thread(const struct change *change, const struct thread *thread)
{
	if (change->threads == THREADS_MOVED)
		return 0;
	if (change->account != 0)
		return thread_leave(change->txn, change->account, thread);
	if (change->left)
		thread_list_add(change->left, thread);
	return 0;
}

int change_append(
	struct change *change, struct message_record *record, struct ph_str summary, uint32_t *uid_r)
{
	struct meta *meta = &change->meta;
	struct key key;
	int result;

	if (meta->uid_next == UINT32_MAX)
		return PH_E_LIMIT;
	result = store.kv->blob_add_reference(change->txn, record->blob);
	if (result == 0)
		result = join_thread(change, &record->thread);
	if (result < 0)
		return result;
	*uid_r = meta->uid_next++;
	record->save_date = ph_clock();
	meta->messages++;
	meta->recent++;
	meta->size += record->size;
	change->usage.messages++;
	change->usage.bytes += (int64_t)record->size;
	count(meta, record->flags, 1);
	note_flags(change, *uid_r, 0, record->flags);
	result = put_message(change, *uid_r, record);
	if (result < 0)
		return result;
	return store.kv->put(change->txn, change->partition, key_32(&key, 's', *uid_r), summary);
}

void change_skip(struct change *change, uint32_t uid_next)
{
	struct meta *meta = &change->meta;

	if (uid_next <= meta->uid_next)
		return;
	change_modseq(change);
	uid_set_add(&change->expunged, meta->uid_next, uid_next - 1);
	meta->uid_next = uid_next;
}

int change_flags(struct change *change, uint32_t uid, const struct message_record *before,
	struct message_record *after)
{
	count(&change->meta, before->flags, -1);
	count(&change->meta, after->flags, 1);
	note_flags(change, uid, before->flags, after->flags);
	uid_set_add(&change->flagged, uid, uid);
	return put_message(change, uid, after);
}

int change_expunge(struct change *change, uint32_t uid, const struct message_record *record)
{
	struct meta *meta = &change->meta;
	const struct message_record old = *record;
	struct key key;
	int result = store.kv->del(change->txn, change->partition, key_32(&key, 'u', uid));

	if (result == 0)
		result = store.kv->del(change->txn, change->partition, key_32(&key, 's', uid));
	if (result == 0)
		result = store.kv->blob_drop_reference(change->txn, old.blob);
	/* A blob that is lost already must not keep its message from going. */
	if (result == 0 || result == PH_E_ABSENT)
		result = leave_thread(change, &old.thread);
	if (result < 0)
		return result;
	change_modseq(change);
	meta->messages--;
	meta->size -= old.size;
	change->usage.messages--;
	change->usage.bytes -= (int64_t)old.size;
	count(meta, old.flags, -1);
	note_flags(change, uid, old.flags, 0);
	if (uid >= meta->recent_from)
		meta->recent--;
	uid_set_add(&change->expunged, uid, uid);
	return 0;
}
