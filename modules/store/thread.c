/* Threads: a message belongs to the thread of those that share an id with it (of Message-ID, References or
 * In-Reply-To) and a subject.
 *
 * An id and the subject together make a key of 64 bits. The account's partition holds, for each key, the
 * thread it leads to and how many messages have it; the message's record holds the thread and the keys. So a
 * message joins with a few lookups, and when the last one with a key goes, the key goes too, without looking
 * at any bytes: what is stored is bounded by the messages that are there. The keys are hashes under a secret
 * of this store, so that nobody can write ids that fall together.
 *
 * A thread's id is the first key of the message that began it, so that it is the same when that message
 * leaves and comes again. A message without ids is a thread of its own, named after its bytes: its copies are
 * in it too.
 *
 * Where the kv changes several partitions together, the keys change with the messages. Where it does not,
 * they are counted before messages come and taken off after they went: a crash in between leaves counts too
 * high, which keeps a key for too long and does no other harm, until `posthorn store repair`. */
#include <config.h>

#include "thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <posthorn/bytes.h>
#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "account.h"
#include "siphash.h"

/* References that are looked at; of more, the last. */
#define REFERENCES_MAX 200
/* Bytes of a reply's mark in any language: "Re:", "AW:", "Antwort:". */
#define MARK_MAX 16

/* U+FF1A, as it stands behind such marks in Chinese. */
static const struct ph_str wide_colon = PH_STR_INIT("\xef\xbc\x9a");

static char secret[SIPHASH_KEY_SIZE];
static bool has_secret;

/* --- the secret, which is made with the first message, so that opening a store writes nothing --- */

static int read_secret(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_plain(&key, 't'), &value);

	if (result == 0 && value.len != SIPHASH_KEY_SIZE)
		result = PH_E_CORRUPT;
	if (result == 0)
		memcpy(arg, value.data, SIPHASH_KEY_SIZE);
	return result;
}

/* Another process may have been faster. */
static int make_secret(struct ph_kv_txn *txn, void *arg)
{
	struct key key;
	int result = read_secret(txn, arg);

	if (result != PH_E_ABSENT)
		return result;
	return store.kv->put(txn, 0, key_plain(&key, 't'), ph_str_of(arg, SIPHASH_KEY_SIZE));
}

static int need_secret(struct ph_error *error)
{
	char bytes[SIPHASH_KEY_SIZE];
	int result;

	if (has_secret)
		return 0;
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return ph_error_set(error, PH_E_IO, "no random bytes for the secret of threads", NULL);
	result = store_update(directory_partition(), make_secret, bytes, error);
	if (result == 0)
		memcpy(secret, bytes, sizeof(secret));
	has_secret = result == 0;
	return result;
}

int thread_open(struct ph_error *error)
{
	int result = store_read(directory_partition(), read_secret, secret, error);

	has_secret = result == 0;
	return result == PH_E_ABSENT ? 0 : result;
}

/* --- keys --- */

/* How much of the subject is a mark of replies or lists: "[blob]", or a short word with a colon behind it. */
static size_t mark_length(struct ph_str subject)
{
	if (subject.len > 0 && subject.data[0] == '[')
		return (size_t)(ph_str_find(subject, ']') + 1);
	for (size_t i = 0; i < subject.len && i < MARK_MAX && subject.data[i] != ' '; i++) {
		if (subject.data[i] == ':')
			return i + 1;
		if (ph_str_starts(ph_str_slice(subject, i, subject.len), wide_colon))
			return i + wide_colon.len;
	}
	return 0;
}

/* Marks go that base_subject() does not know, and white space and case, which mailers change. */
static struct ph_str normal_subject(struct ph_str subject, struct ph_pool *pool)
{
	struct ph_str base;
	size_t mark, len = 0;
	char *normal;

	store.mime->base_subject(subject, pool, &base);
	do {
		while (base.len > 0 && base.data[0] == ' ')
			base = ph_str_slice(base, 1, base.len);
		mark = mark_length(base);
		base = ph_str_slice(base, mark, base.len);
	} while (mark > 0);
	normal = ph_pool_alloc(pool, base.len + 1);
	for (size_t i = 0; i < base.len; i++) {
		if (base.data[i] != ' ')
			normal[len++] = ph_lower(base.data[i]);
	}
	return ph_str_of(normal, len);
}

static void add_key(struct thread *thread, struct ph_str id, uint64_t subject, struct ph_pool *pool)
{
	char *text = ph_pool_alloc(pool, id.len + 8);
	uint64_t key;

	memcpy(text, id.data, id.len);
	ph_bytes_put64(text + id.len, subject);
	key = siphash(secret, ph_str_of(text, id.len + 8));
	for (size_t i = 0; i < thread->count; i++) {
		if (thread->keys[i] == key)
			return;
	}
	if (thread->count < THREAD_KEYS_MAX)
		thread->keys[thread->count++] = key;
}

/* The message itself, the nearest it refers to, and the eldest, which most of a thread have in common. */
static void add_keys(const struct ph_mime_message *message, struct thread *thread, struct ph_pool *pool)
{
	const struct ph_str *references;
	struct ph_str own;
	size_t count = store.mime->thread_ids(message, REFERENCES_MAX, pool, &own, &references);
	uint64_t subject;

	if (own.len == 0 && count == 0)
		return;
	subject = siphash(secret, normal_subject(message->subject, pool));
	if (own.len > 0)
		add_key(thread, own, subject, pool);
	for (size_t i = 1; i <= count && thread->count < THREAD_KEYS_MAX - 1; i++)
		add_key(thread, references[count - i], subject, pool);
	if (count > 0)
		add_key(thread, references[0], subject, pool);
}

int thread_of(const struct ph_mime_message *message, struct ph_kv_blob_id blob, struct thread *thread_r,
	struct ph_error *error)
{
	struct ph_pool *pool;
	int result = need_secret(error);

	if (result < 0)
		return result;
	pool = ph_pool_new(0);
	*thread_r = (struct thread){ 0 };
	add_keys(message, thread_r, pool);
	if (thread_r->count > 0)
		thread_r->id = thread_r->keys[0];
	else
		thread_r->id = siphash(secret, ph_str_of((const char *)blob.bytes, sizeof(blob.bytes)));
	/* 0 means something else. */
	if (thread_r->id == 0)
		thread_r->id = 1;
	ph_pool_free(&pool);
	return 0;
}

/* --- in the account --- */

int thread_entry_get(struct ph_kv_txn *txn, size_t partition, uint64_t key, struct thread_entry *entry_r)
{
	struct ph_str value;
	struct key bytes;
	int result = store.kv->get(txn, partition, key_64(&bytes, 't', key), &value);

	if (result == 0)
		result = thread_entry_decode(value, entry_r);
	/* What cannot be read is written anew: mail goes on coming, and `store repair` counts. */
	return result == PH_E_CORRUPT ? PH_E_ABSENT : result;
}

int thread_entry_put(struct ph_kv_txn *txn, size_t partition, uint64_t key, const struct thread_entry *entry)
{
	char bytes[THREAD_ENTRY_SIZE];
	struct key key_bytes;
	struct ph_str where = key_64(&key_bytes, 't', key);

	if (entry->messages == 0)
		return store.kv->del(txn, partition, where);
	thread_entry_encode(entry, bytes);
	return store.kv->put(txn, partition, where, ph_str_of(bytes, sizeof(bytes)));
}

int thread_join(struct ph_kv_txn *txn, size_t partition, struct thread *thread, bool keep)
{
	struct thread_entry entries[THREAD_KEYS_MAX] = { 0 };
	struct account_counters counters;
	int result;

	if (thread->count == 0)
		return 0;
	result = account_counters_get(txn, partition, &counters);
	if (result < 0)
		return result == PH_E_ABSENT ? 0 : result;
	for (size_t i = 0; i < thread->count; i++) {
		result = thread_entry_get(txn, partition, thread->keys[i], &entries[i]);
		if (result < 0 && result != PH_E_ABSENT)
			return result;
		if (result == 0 && !keep) {
			thread->id = entries[i].id;
			keep = true;
		}
	}
	for (size_t i = 0; i < thread->count; i++) {
		if (entries[i].messages == 0)
			entries[i].id = thread->id;
		entries[i].messages++;
		result = thread_entry_put(txn, partition, thread->keys[i], &entries[i]);
		if (result < 0)
			return result;
	}
	return 0;
}

int thread_leave(struct ph_kv_txn *txn, size_t partition, const struct thread *thread)
{
	struct thread_entry entry;

	for (size_t i = 0; i < thread->count; i++) {
		int result = thread_entry_get(txn, partition, thread->keys[i], &entry);

		if (result == PH_E_ABSENT)
			continue;
		if (result == 0 && entry.messages > 0)
			entry.messages--;
		if (result == 0)
			result = thread_entry_put(txn, partition, thread->keys[i], &entry);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- one partition at a time --- */

void thread_list_add(struct thread_list *list, const struct thread *thread)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 16;
		list->items = ph_realloc_array(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = *thread;
}

void thread_list_free(struct thread_list *list)
{
	free(list->items);
	*list = (struct thread_list){ 0 };
}

struct joining {
	const struct thread *come;
	struct thread_list *joined;
	bool keep;
};

static int join_all(struct ph_kv_txn *txn, void *arg)
{
	const struct joining *joining = arg;
	int result = 0;

	for (size_t i = 0; i < joining->joined->count && result == 0; i++) {
		joining->joined->items[i] = joining->come[i];
		result = thread_join(txn, 0, &joining->joined->items[i], joining->keep);
	}
	return result;
}

static int leave_all(struct ph_kv_txn *txn, void *arg)
{
	const struct thread_list *list = arg;
	int result = 0;

	for (size_t i = 0; i < list->count && result == 0; i++)
		result = thread_leave(txn, 0, &list->items[i]);
	return result;
}

int threads_join(ph_account_id account, struct thread_list *list, bool keep, struct ph_error *error)
{
	struct thread *come;
	struct joining joining;
	int result;

	if (store.kv->atomic_partitions || list->count == 0)
		return 0;
	come = ph_alloc_array(list->count, sizeof(*come));
	memcpy(come, list->items, list->count * sizeof(*come));
	joining = (struct joining){ come, list, keep };
	result = store_update(account_partition(account), join_all, &joining, error);
	free(come);
	return result;
}

void threads_leave(ph_account_id account, struct thread_list *list)
{
	struct ph_error error = { 0 };

	if (store.kv->atomic_partitions || list->count == 0)
		return;
	/* What was done is done: a key that stays for too long is not its failure. */
	if (store_update(account_partition(account), leave_all, list, &error) < 0)
		ph_log(PH_LOG_WARN, "an account's threads are counted too high",
			PH_LOG_NUMBER("account", account), PH_LOG_ERROR_DETAIL(&error));
}

void threads_withdraw(ph_account_id account, struct thread_list *list, int code)
{
	if (code != PH_E_UNAVAILABLE)
		threads_leave(account, list);
}
