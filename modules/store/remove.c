/* Removal. Every step can be done again, by several processes at once, without harm. */
#include <config.h>

#include "remove.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "change.h"
#include "mailbox.h"
#include "record.h"
#include "thread.h"
#include "usage.h"

/* Keys that one transaction deletes. */
#define STEP 500
/* Notes that are read at once. */
#define NOTES 64

/* What is still to be removed, as some keys of one kind tell. */
struct notes {
	char kind;
	size_t count;
	struct note {
		size_t len;
		struct key key;
		uint64_t number;
	} items[NOTES];
};

/* How long it waits until it tries again. */
#define RETRY_AFTER 60000

static bool stopping, running;
static bool again; /* there may be more than was read of */
static struct ph_signal stop, ended;

/* --- steps --- */

struct step {
	bool messages;      /* it is a mailbox */
	bool more;          /* keys are left */
	struct usage usage; /* that went */
	struct thread_list threads;
};

/* What is damaged or lost already must not keep the rest from going. */
static int drop_message(struct ph_kv_txn *txn, struct ph_str value, struct thread_list *threads)
{
	struct message_record record;
	int result = message_record_decode(value, &record);

	if (result < 0)
		return result == PH_E_CORRUPT ? 0 : result;
	result = store.kv->blob_drop_reference(txn, record.blob);
	if (result < 0 && result != PH_E_ABSENT && result != PH_E_CORRUPT)
		return result;
	if (usage_partition(1) != 0)
		return thread_leave(txn, usage_partition(1), &record.thread);
	thread_list_add(threads, &record.thread);
	return 0;
}

/* The meta record goes before all else, and with it all the mailbox's mail from the account's sums. */
static int delete_meta(struct ph_kv_txn *txn, struct usage *usage_r)
{
	struct usage less;
	struct meta meta;
	struct key key;
	int result = meta_get(txn, 0, &meta);

	if (result == 0)
		*usage_r = (struct usage){ (int64_t)meta.size, meta.messages };
	less = (struct usage){ -usage_r->bytes, -usage_r->messages };
	result = store.kv->del(txn, 0, key_plain(&key, 'm'));
	if (result == 0 && usage_partition(1) != 0)
		result = usage_add(txn, usage_partition(1), &less);
	return result;
}

/* Deletes the first keys of a partition; of a mailbox, the meta record before all others. */
static int delete_some(struct ph_kv_txn *txn, void *arg)
{
	struct step *step = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct ph_str found, value;
	struct key key;
	int result;

	step->usage = (struct usage){ 0 };
	step->threads.count = 0;
	result = step->messages ? delete_meta(txn, &step->usage) : 0;

	for (int i = 0; i < STEP && result == 0; i++) {
		result = store.kv->seek(cursor, PH_STR(""), &found, &value);
		if (result < 0)
			break;
		memcpy(key.bytes, found.data, found.len);
		if (step->messages && found.len == 5 && key.bytes[0] == 'u')
			result = drop_message(txn, value, &step->threads);
		if (result == 0)
			result = store.kv->del(txn, 0, ph_str_of(key.bytes, found.len));
	}
	step->more = result == 0;
	return result == PH_E_ABSENT ? 0 : result;
}

static int delete_all(struct ph_kv_partition partition, struct ph_error *error)
{
	struct step step = { .messages = partition.kind == KIND_MAILBOX };
	int result;

	do {
		if (stopping) {
			result = PH_E_CLOSED;
			break;
		}
		if (step.messages)
			result = usage_update(partition.number, delete_some, &step, error);
		else
			result = store_update(partition, delete_some, &step, error);
		if (result == 0 && step.messages) {
			usage_release(mailbox_account(partition.number), &step.usage);
			threads_leave(mailbox_account(partition.number), &step.threads);
		}
	} while (result == 0 && step.more);
	thread_list_free(&step.threads);
	return result;
}

static int read_notes(struct ph_kv_txn *txn, void *arg)
{
	struct notes *notes = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value;
	struct key first;
	int result = store.kv->seek(cursor, key_plain(&first, notes->kind), &found, &value);

	notes->count = 0;
	while (result == 0 && found.data[0] == notes->kind && notes->count < NOTES) {
		struct note *note = &notes->items[notes->count++];

		note->len = found.len;
		memcpy(note->key.bytes, found.data, found.len);
		if (notes->kind != 'm')
			note->number = found.len == 9 ? ph_bytes_get64(found.data + 1) : 0;
		else
			note->number = mailbox_record_decode(value, &record) == 0 ? record.number : 0;
		result = store.kv->next(cursor, &found, &value);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int delete_notes(struct ph_kv_txn *txn, void *arg)
{
	const struct notes *notes = arg;
	int result = 0;

	for (size_t i = 0; i < notes->count && result == 0; i++)
		result = store.kv->del(txn, 0, ph_str_of(notes->items[i].key.bytes, notes->items[i].len));
	return result;
}

static int delete_key(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *key = arg;

	return store.kv->del(txn, 0, *key);
}

/* --- whole things --- */

int remove_mailbox(uint64_t mailbox, struct ph_error *error)
{
	struct key bytes;
	struct ph_str key = key_64(&bytes, 'x', mailbox);
	int result = delete_all(mailbox_partition(mailbox), error);

	if (result == 0)
		result = store_update(account_partition(mailbox_account(mailbox)), delete_key, &key, error);
	if (result == 0)
		result = store_update(directory_partition(), delete_key, &key, error);
	return result;
}

/* The mailboxes that the account's keys of this kind name. */
static int remove_mailboxes(ph_account_id account, char kind, struct ph_error *error)
{
	struct notes *notes = ph_alloc(sizeof(*notes));
	int result;

	notes->kind = kind;
	do {
		result = store_read(account_partition(account), read_notes, notes, error);
		for (size_t i = 0; i < notes->count && result == 0; i++)
			result = delete_all(mailbox_partition(notes->items[i].number), error);
		if (result == 0 && notes->count > 0)
			result = store_update(account_partition(account), delete_notes, notes, error);
	} while (result == 0 && notes->count > 0);
	free(notes);
	return result;
}

int remove_account(ph_account_id account, struct ph_error *error)
{
	struct key bytes;
	struct ph_str key = key_plain(&bytes, 'c');
	/* Without its counters no mailbox can be made in it any more. */
	int result = store_update(account_partition(account), delete_key, &key, error);

	if (result == 0)
		result = remove_mailboxes(account, 'm', error);
	if (result == 0)
		result = remove_mailboxes(account, 'x', error);
	if (result == 0)
		result = delete_all(account_partition(account), error);
	key = key_64(&bytes, 'r', account);
	return result < 0 ? result : store_update(directory_partition(), delete_key, &key, error);
}

/* --- after a crash or a failure --- */

static int has_key(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *key = arg;
	struct ph_str value;

	return store.kv->get(txn, 0, *key, &value);
}

/* A mailbox that is noted in the directory, but not in its account, still has its name: its removal had not
 * begun, and was never confirmed. */
static int resume_mailbox(uint64_t mailbox, struct ph_error *error)
{
	struct key bytes;
	struct ph_str key = key_64(&bytes, 'x', mailbox);
	int result = store_read(account_partition(mailbox_account(mailbox)), has_key, &key, error);

	if (result == PH_E_ABSENT)
		return store_update(directory_partition(), delete_key, &key, error);
	return result < 0 ? result : remove_mailbox(mailbox, error);
}

static int resume_kind(struct notes *notes, char kind, int (*resume)(uint64_t number, struct ph_error *error),
	struct ph_error *error)
{
	int result;

	notes->kind = kind;
	do {
		result = store_read(directory_partition(), read_notes, notes, error);
		for (size_t i = 0; i < notes->count && result == 0; i++)
			result = resume(notes->items[i].number, error);
	} while (result == 0 && notes->count > 0);
	return result;
}

static int resume_all(struct ph_error *error)
{
	struct notes *notes = ph_alloc(sizeof(*notes));
	int result = resume_kind(notes, 'x', resume_mailbox, error);

	if (result == 0)
		result = resume_kind(notes, 'r', remove_account, error);
	free(notes);
	return result;
}

static void tell(const struct ph_error *error)
{
	ph_log(PH_LOG_WARN, "removed mail is still stored", PH_LOG_ERROR_DETAIL(error));
}

static void run_resuming(void *arg)
{
	(void)arg;
	do {
		struct ph_error error = { 0 };

		again = false;
		if (resume_all(&error) == 0 || stopping)
			continue;
		tell(&error);
		again = true;
		ph_signal_wait(&stop, ph_now() + RETRY_AFTER);
	} while (again && !stopping);
	running = false;
	ph_signal_all(&ended);
}

static void start(void)
{
	again = true;
	if (running)
		return;
	running = true;
	ph_fiber_start("removal", run_resuming, NULL);
}

int remove_resume(struct ph_error *error)
{
	struct notes *notes = ph_alloc(sizeof(*notes));
	int result;

	stopping = running = false;
	ph_signal_init(&stop);
	ph_signal_init(&ended);
	notes->kind = 'x';
	result = store_read(directory_partition(), read_notes, notes, error);
	if (result == 0 && notes->count == 0) {
		notes->kind = 'r';
		result = store_read(directory_partition(), read_notes, notes, error);
	}
	if (result == 0 && notes->count > 0)
		start();
	free(notes);
	return result;
}

void remove_later(const struct ph_error *error)
{
	tell(error);
	if (!stopping)
		start();
}

void remove_stop(void)
{
	stopping = true;
	ph_signal_all(&stop);
	while (running)
		ph_signal_wait(&ended, PH_FOREVER);
}
