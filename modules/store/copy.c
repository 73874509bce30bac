/* Copying and moving messages: records and summaries are copied, the bytes get one more reference.
 *
 * It is done in steps, so that others need not wait long. What a step copies is read first; then one
 * transaction writes the copies, leaving out messages that went meanwhile. The originals of a move go in that
 * same transaction, or, where the kv changes only one partition at a time, in another one behind it: at worst
 * a message is there twice. When a step fails, the copies of those before it go again; what was moved stays
 * moved (RFC 9051, 6.4.7; RFC 6851, 3.3). */
#include <config.h>

#include <stdlib.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "keyword.h"
#include "mailbox.h"
#include "message.h"
#include "uid_set.h"
#include "usage.h"

/* Messages of a step, and bytes of their summaries, when there are several. */
#define STEP 500
#define STEP_BYTES (4 * 1024 * 1024)

/* How often somebody else may be faster, and change what is to be moved. */
#define ATTEMPTS 100

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
	bool more;     /* there may be */
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

static bool is_full(const struct originals *originals)
{
	return originals->count >= STEP || ph_pool_used(originals->pool) >= STEP_BYTES;
}

/* The originals of the next step. */
static int read_some(struct ph_kv_txn *txn, void *arg)
{
	struct originals *originals = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	struct meta meta;
	uint32_t uid, from = originals->next;
	int result = meta_get(txn, 0, &meta);

	originals->count = 0;
	ph_pool_clear(originals->pool);
	if (result == 0 && originals->end == 0)
		originals->end = meta.uid_next;
	while (result == 0 && !is_full(originals)) {
		result = next_message(cursor, originals->copying->uids, from, &uid, &record);
		if (result == 0 && uid >= originals->end)
			result = PH_E_ABSENT;
		if (result == 0)
			result = read_original(txn, originals, uid, &record);
		from = uid + 1;
	}
	originals->more = result == 0;
	return result == PH_E_ABSENT ? 0 : result;
}

/* --- writing --- */

struct copy_run {
	const struct originals *originals;
	struct ph_copied *copied;
	bool expunge;       /* the originals, in the same transaction */
	struct usage usage; /* that came to the target */
};

static int append_copy(
	struct change *target, const struct original *original, const struct thread *thread, uint32_t *uid_r)
{
	struct keyword_list keywords = { 0 };
	struct message_record copy = original->record;
	int result = keywords_find(target, original->keywords, copy.keyword_count, true, &keywords);

	copy.keywords = keywords.bytes;
	copy.keyword_count = keywords.count;
	copy.thread = *thread;
	if (result == 0)
		result = change_append(target, &copy, original->summary, uid_r);
	keyword_list_free(&keywords);
	return result;
}

/* PH_E_ABSENT: the message is not there any more. PH_E_STALE: its flags were changed since it was read. */
static int copy_one(const struct copy_run *run, struct change *source, struct change *target,
	const struct original *original)
{
	struct message_record record = original->record;
	uint32_t uid, copied;
	int result = 0;

	if (run->expunge) {
		result = change_next(source, NULL, original->uid, &uid, &record);
		if (result == 0 && uid != original->uid)
			result = PH_E_ABSENT;
		if (result == 0 && record.modseq != original->record.modseq)
			result = PH_E_STALE;
	}
	if (result == 0)
		result = append_copy(target, original, &record.thread, &copied);
	if (result == 0 && run->expunge)
		result = change_expunge(source, original->uid, &record);
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

static bool is_one_mailbox(const struct copying *copying)
{
	return copying->source == copying->target;
}

static bool is_one_account(const struct copying *copying)
{
	return mailbox_account(copying->source) == mailbox_account(copying->target);
}

static enum change_threads threads_of(const struct copy_run *run)
{
	if (!is_one_account(run->originals->copying))
		return THREADS_FOUND;
	return run->expunge ? THREADS_MOVED : THREADS_KNOWN;
}

/* The account's sums change once for both mailboxes; a move within an account takes no more room. */
static int end_copy(struct copy_run *run, struct change *source, struct change *target, int result)
{
	const struct copying *copying = run->originals->copying;

	run->usage = target->usage;
	if (source && is_one_account(copying)) {
		target->usage.bytes += source->usage.bytes;
		target->usage.messages += source->usage.messages;
		source->account = 0;
	}
	if (result == 0 && target->account != 0)
		result = usage_check(target->txn, target->account, &target->usage);
	if (source)
		result = change_end(source, result);
	return change_end(target, result);
}

/* Partition 0 is the target; with `expunge`, 1 the source, if it is another mailbox; then, if the kv can,
 * their accounts. */
static int run_copy(struct ph_kv_txn *txn, void *arg)
{
	struct copy_run *run = arg;
	const struct copying *copying = run->originals->copying;
	bool both = run->expunge && !is_one_mailbox(copying);
	struct change source, target;
	int result = change_begin(&target, txn, 0);

	if (result < 0)
		return result;
	run->copied->source.count = run->copied->target.count = 0;
	run->copied->uid_validity = target.meta.uid_validity;
	target.account = usage_partition(both ? 2 : 1);
	target.threads = threads_of(run);
	if (!both)
		return end_copy(run, NULL, &target, copy_all(run, &target, &target));
	result = change_begin(&source, txn, 1);
	/* A source that was deleted meanwhile has nothing to move. */
	if (result < 0)
		return change_end(&target, result == PH_E_ABSENT ? 0 : result);
	source.account = usage_partition(3);
	source.threads = target.threads;
	return end_copy(run, &source, &target, copy_all(run, &source, &target));
}

static struct usage usage_of(const struct originals *originals)
{
	struct usage usage = { 0, (int64_t)originals->count };

	for (size_t i = 0; i < originals->count; i++)
		usage.bytes += (int64_t)originals->items[i].record.size;
	return usage;
}

static int write_copies(struct copy_run *run, struct ph_error *error)
{
	const struct copying *copying = run->originals->copying;
	bool both = run->expunge && !is_one_mailbox(copying);
	struct ph_kv_partition partitions[4];
	size_t count = 0;

	partitions[count++] = mailbox_partition(copying->target);
	if (both)
		partitions[count++] = mailbox_partition(copying->source);
	if (store.kv->atomic_partitions) {
		partitions[count++] = account_partition(mailbox_account(copying->target));
		partitions[count++] = account_partition(mailbox_account(copying->source));
	}
	return store.kv->update(partitions, count, NULL, 0, run_copy, run, error);
}

/* The threads are found before the messages come, where the kv changes one partition at a time. */
static int join_threads(struct originals *originals, struct ph_error *error)
{
	struct thread_list list = { 0 };
	int result;

	for (size_t i = 0; i < originals->count; i++)
		thread_list_add(&list, &originals->items[i].record.thread);
	result = threads_join(mailbox_account(originals->copying->target), &list,
		is_one_account(originals->copying), error);
	for (size_t i = 0; i < originals->count && result == 0; i++)
		originals->items[i].record.thread = list.items[i];
	thread_list_free(&list);
	return result;
}

/* And those of messages that did not come are left again. */
static void leave_threads(const struct originals *originals, const struct ph_uid_set *copied, int code)
{
	struct thread_list list = { 0 };

	for (size_t i = 0; i < originals->count; i++) {
		if (code < 0 || !uid_set_has(copied, originals->items[i].uid))
			thread_list_add(&list, &originals->items[i].record.thread);
	}
	threads_withdraw(mailbox_account(originals->copying->target), &list, code);
	thread_list_free(&list);
}

static int write_one_by_one(struct copy_run *run, struct originals *originals, struct ph_error *error)
{
	int result = join_threads(originals, error);

	if (result < 0)
		return result;
	result = write_copies(run, error);
	leave_threads(originals, &run->copied->source, result);
	return result;
}

static int write_step(struct originals *originals, struct ph_copied *copied_r, struct ph_error *error)
{
	const struct copying *copying = originals->copying;
	ph_account_id account = mailbox_account(copying->target);
	struct copy_run run = { .originals = originals,
		.copied = copied_r,
		.expunge = copying->move && (is_one_mailbox(copying) || store.kv->atomic_partitions) };
	struct usage usage = run.expunge ? (struct usage){ 0 } : usage_of(originals);
	int result = usage_reserve(account, &usage, !copying->move || !is_one_account(copying), error);

	if (result < 0)
		return result;
	if (run.expunge || store.kv->atomic_partitions)
		result = write_copies(&run, error);
	else
		result = write_one_by_one(&run, originals, error);
	if (result < 0) {
		usage_withdraw(account, &usage, result);
		return result;
	}
	/* Those that went meanwhile. */
	usage = (struct usage){ usage.bytes - run.usage.bytes, usage.messages - run.usage.messages };
	usage_release(account, &usage);
	if (copying->move && !run.expunge)
		result = expunge_messages(copying->source, &copied_r->source, true, NULL, error);
	return result;
}

/* The last one that was read. */
static void go_on(struct originals *originals)
{
	if (originals->count > 0)
		originals->next = originals->items[originals->count - 1].uid + 1;
}

static int copy_in_steps(struct originals *originals, struct ph_copied *copied_r, struct ph_error *error)
{
	struct ph_copied step = { 0 };
	int result, attempt = 0;

	do {
		result = store_read(
			mailbox_partition(originals->copying->source), read_some, originals, error);
		if (result == 0)
			result = write_step(originals, &step, error);
		if (result == PH_E_STALE && ++attempt < ATTEMPTS) {
			originals->more = true;
			continue;
		}
		if (result < 0)
			break;
		copied_r->uid_validity = step.uid_validity;
		uid_set_add_all(&copied_r->source, &step.source);
		uid_set_add_all(&copied_r->target, &step.target);
		go_on(originals);
	} while (originals->more);
	uid_set_free(&step.source);
	uid_set_free(&step.target);
	return result;
}

static void take_back(const struct copying *copying, const struct ph_copied *copied)
{
	struct ph_error error = { 0 };
	int result = expunge_messages(copying->target, &copied->target, true, NULL, &error);

	if (result < 0 && result != PH_E_ABSENT)
		ph_log(PH_LOG_ERROR, "copies of a failed command are still there",
			PH_LOG_ERROR_DETAIL(&error));
}

int copy_messages(const struct copying *copying, struct ph_copied *copied_r, struct ph_error *error)
{
	struct originals originals = { .copying = copying, .pool = ph_pool_new(0), .next = 1 };
	int result;

	*copied_r = (struct ph_copied){ 0 };
	result = copy_in_steps(&originals, copied_r, error);
	if (result < 0 && !copying->move && copied_r->target.count > 0)
		take_back(copying, copied_r);
	ph_pool_free(&originals.pool);
	free(originals.items);
	return result;
}
