/* Expunging. */
#include <config.h>

#include <posthorn/fiber.h>

#include "mailbox.h"
#include "message.h"
#include "uid_set.h"
#include "usage.h"

/* Messages read at once. */
#define READ_STEP 5000
/* Messages that one transaction looks at and expunges, so that others need not wait long. */
#define STEP 1000
/* The UID to go on with, when there are no more: never given. */
#define DONE UINT32_MAX

/* Which messages are \Deleted is found without keeping others from writing: the index tells, or, where it is
 * to be repaired, all messages are looked at. */
struct deleted_search {
	const struct ph_uid_set *uids; /* NULL: all */
	struct ph_uid_set deleted;
	/* Of one step: */
	uint32_t from; /* the UID it begins with */
	uint32_t next; /* the UID to go on with */
};

static int read_index(struct ph_kv_txn *txn, void *arg)
{
	struct deleted_search *search = arg;
	struct meta meta;
	int result = meta_get(txn, 0, &meta);

	search->deleted.count = 0;
	return result < 0 ? result : uid_index_read(txn, 0, INDEX_DELETED, &meta, &search->deleted);
}

static int find_some_deleted(struct ph_kv_txn *txn, void *arg)
{
	struct deleted_search *search = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	struct meta meta;
	uint32_t uid;
	int result = meta_get(txn, 0, &meta);

	search->next = search->from;
	if (result == 0 && uid_set_count(&search->deleted) >= meta.deleted)
		result = PH_E_ABSENT;
	for (int i = 0; i < READ_STEP && result == 0; i++) {
		result = next_message(cursor, search->uids, search->next, &uid, &record);
		if (result < 0)
			break;
		search->next = uid + 1;
		if (record.flags & PH_FLAG_DELETED)
			uid_set_add(&search->deleted, uid, uid);
	}
	if (result == PH_E_ABSENT)
		search->next = DONE;
	return result == PH_E_ABSENT ? 0 : result;
}

static int look_at_all(uint64_t mailbox, struct deleted_search *search, struct ph_error *error)
{
	int result = 0;

	search->deleted.count = 0;

	while (result == 0 && search->next != DONE) {
		search->from = search->next;
		result = store_read(mailbox_partition(mailbox), find_some_deleted, search, error);
		ph_fiber_yield();
	}
	return result;
}

static int find_deleted(uint64_t mailbox, struct deleted_search *search, struct ph_error *error)
{
	struct ph_uid_set wanted = { 0 };
	int result = store_read(mailbox_partition(mailbox), read_index, search, error);

	if (result == PH_E_CORRUPT)
		return look_at_all(mailbox, search, error);
	if (result == 0 && search->uids) {
		uid_set_add_common(&wanted, &search->deleted, search->uids);
		uid_set_free(&search->deleted);
		search->deleted = wanted;
	}
	return result;
}

struct expunging {
	const struct ph_uid_set *uids; /* NULL: all */
	bool any;
	/* Of one step: */
	uint32_t from; /* the UID it begins with */
	uint32_t next; /* the UID to go on with */
	struct ph_uid_set expunged;
	struct usage usage; /* what went */
	struct thread_list threads;
};

static int expunge_some(struct change *change, struct expunging *expunging)
{
	struct message_record record;
	uint32_t uid;

	for (int i = 0; i < STEP; i++) {
		int result = change_next(change, expunging->uids, expunging->next, &uid, &record);

		if (result == PH_E_ABSENT) {
			expunging->next = DONE;
			return 0;
		}
		if (result < 0)
			return result;
		expunging->next = uid + 1;
		if (!expunging->any && !(record.flags & PH_FLAG_DELETED))
			continue;
		result = change_expunge(change, uid, &record);
		if (result < 0)
			return result;
		uid_set_add(&expunging->expunged, uid, uid);
	}
	return 0;
}

static int run_expunging(struct ph_kv_txn *txn, void *arg)
{
	struct expunging *expunging = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	expunging->expunged.count = expunging->threads.count = 0;
	expunging->next = expunging->from;
	if (result < 0)
		return result;
	change.account = usage_partition(1);
	change.left = &expunging->threads;
	result = change_end(&change, expunge_some(&change, expunging));
	expunging->usage = (struct usage){ -change.usage.bytes, -change.usage.messages };
	return result;
}

static int expunge_in_steps(uint64_t mailbox, const struct ph_uid_set *uids, bool any,
	struct ph_uid_set *expunged_r, struct ph_error *error)
{
	struct expunging expunging = { .uids = uids, .any = any, .next = 1 };
	int result = 0;

	while (result == 0 && expunging.next != DONE) {
		expunging.from = expunging.next;
		result = usage_update(mailbox, run_expunging, &expunging, error);
		if (result == 0) {
			usage_release(mailbox_account(mailbox), &expunging.usage);
			threads_leave(mailbox_account(mailbox), &expunging.threads);
		}
		if (result == 0 && expunged_r)
			uid_set_add_all(expunged_r, &expunging.expunged);
	}
	uid_set_free(&expunging.expunged);
	thread_list_free(&expunging.threads);
	return result;
}

int expunge_messages(uint64_t mailbox, const struct ph_uid_set *uids, bool any, struct ph_uid_set *expunged_r,
	struct ph_error *error)
{
	struct deleted_search search = { .uids = uids, .next = 1 };
	int result;

	if (any)
		return expunge_in_steps(mailbox, uids, true, expunged_r, error);
	result = find_deleted(mailbox, &search, error);
	if (result == 0 && search.deleted.count > 0)
		result = expunge_in_steps(mailbox, &search.deleted, false, expunged_r, error);
	uid_set_free(&search.deleted);
	return result;
}
