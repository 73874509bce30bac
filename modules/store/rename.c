/* Renaming mailboxes: names move within their account, mailboxes keep their numbers. INBOX keeps its name and
 * gives away its messages (RFC 9051, 6.3.6). */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "mailbox.h"
#include "message.h"
#include "uid_set.h"

struct renaming {
	struct ph_str from, to;
};

/* A mailbox on its way to its new name. */
struct moving {
	struct mailbox_record record;
	struct name from, to;
};

struct movings {
	struct moving *items;
	size_t count, capacity;
};

static struct moving *next_moving(struct movings *movings)
{
	if (movings->count == movings->capacity) {
		movings->capacity = movings->capacity ? movings->capacity * 2 : 4;
		movings->items = ph_realloc_array(movings->items, movings->capacity, sizeof(*movings->items));
	}
	return &movings->items[movings->count++];
}

static int add_moving(
	struct movings *movings, const struct renaming *renaming, const struct mailbox_record *record)
{
	struct ph_str rest = ph_str_slice(record->name, renaming->from.len, record->name.len);
	struct moving *moving = next_moving(movings);
	char to[2 * PH_MAILBOX_NAME_MAX];

	moving->record = *record;
	moving->from.len = record->name.len;
	memcpy(moving->from.bytes, record->name.data, record->name.len);
	memcpy(to, renaming->to.data, renaming->to.len);
	memcpy(to + renaming->to.len, rest.data, rest.len);
	return name_parse(
		ph_str_of(to, renaming->to.len + rest.len), (unsigned)store.config->depth, &moving->to);
}

/* The mailbox itself, if there is one, and all below it. */
static int gather(struct ph_kv_txn *txn, const struct renaming *renaming, struct movings *movings)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value, prefix;
	struct key key;
	int result;

	prefix = name_key_prefix(&key, 'm', renaming->from);
	result = store.kv->seek(cursor, prefix, &found, &value);
	while (result == 0 && ph_str_starts(found, prefix)) {
		result = mailbox_record_decode(value, &record);
		if (result == 0 && (ph_str_eq(record.name, renaming->from) ||
					   name_is_below(record.name, renaming->from)))
			result = add_moving(movings, renaming, &record);
		if (result == 0)
			result = store.kv->next(cursor, &found, &value);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int check_free(struct ph_kv_txn *txn, const struct movings *movings)
{
	struct mailbox_record record;

	for (size_t i = 0; i < movings->count; i++) {
		int result = mailbox_record_get(txn, name_str(&movings->items[i].to), &record);

		if (result != PH_E_ABSENT)
			return result < 0 ? result : PH_E_EXISTS;
	}
	return 0;
}

static int move(struct ph_kv_txn *txn, struct moving *moving)
{
	struct key key;
	int result = store.kv->del(txn, 0, name_key(&key, 'm', name_str(&moving->from)));

	moving->record.name = name_str(&moving->to);
	return result < 0 ? result : mailbox_record_put(txn, &moving->record);
}

static int rename_all(struct ph_kv_txn *txn, void *arg)
{
	const struct renaming *renaming = arg;
	struct movings movings = { 0 };
	struct mailbox_record record;
	int result = mailbox_record_get(txn, renaming->to, &record);

	if (result == 0)
		return PH_E_EXISTS;
	result = gather(txn, renaming, &movings);
	if (result == 0 && movings.count == 0)
		result = PH_E_ABSENT;
	if (result == 0)
		result = check_free(txn, &movings);
	for (size_t i = 0; i < movings.count && result == 0; i++)
		result = move(txn, &movings.items[i]);
	free(movings.items);
	return result;
}

static int move_inbox(ph_account_id account, struct ph_str to, struct ph_error *error)
{
	struct ph_mailbox_status status;
	struct mailbox_record inbox, target;
	struct ph_uid_set uids = { 0 };
	struct copying copying = { .uids = &uids, .move = true };
	struct ph_copied copied = { 0 };
	int result = mailbox_create(PH_ACTOR_SYSTEM, account, to, 0, error);

	if (result == 0)
		result = mailbox_find(PH_ACTOR_SYSTEM, account, PH_STR("INBOX"), &inbox, error);
	if (result == 0)
		result = mailbox_find(PH_ACTOR_SYSTEM, account, to, &target, error);
	if (result == 0)
		result = mailbox_status(PH_ACTOR_SYSTEM, account, PH_STR("INBOX"), &status, error);
	if (result < 0)
		return result;
	copying.source = inbox.number;
	copying.target = target.number;
	uid_set_add(&uids, 1, status.uid_next - 1);
	result = copy_messages(&copying, &copied, error);
	uid_set_free(&copied.source);
	uid_set_free(&copied.target);
	uid_set_free(&uids);
	return result;
}

static int rename_names(struct ph_actor actor, ph_account_id account, struct ph_str from, struct ph_str to,
	struct ph_error *error)
{
	struct renaming renaming = { from, to };
	struct ph_str parent;

	if (name_is_below(to, from))
		return PH_E_INVALID;
	if (name_parent(to, &parent)) {
		int result = mailbox_create(actor, account, parent, 0, error);

		if (result < 0 && result != PH_E_EXISTS)
			return result;
	}
	return store_update(account_partition(account), rename_all, &renaming, error);
}

/* Is there anything to be renamed? Asked first, so that no parents are made in vain. */
static int find_any(struct ph_kv_txn *txn, void *arg)
{
	struct movings movings = { 0 };
	int result = gather(txn, arg, &movings);

	if (result == 0 && movings.count == 0)
		result = PH_E_ABSENT;
	free(movings.items);
	return result;
}

int mailbox_rename(struct ph_actor actor, ph_account_id account, struct ph_str from, struct ph_str to,
	struct ph_error *error)
{
	struct name old, new;
	struct renaming renaming;
	int result = PH_E_ABSENT;

	if (store_may_use(actor, account) && name_parse(from, (unsigned)store.config->depth, &old) == 0)
		result = name_parse(to, (unsigned)store.config->depth, &new);
	if (result == 0) {
		renaming = (struct renaming){ name_str(&old), name_str(&new) };
		result = store_read(account_partition(account), find_any, &renaming, error);
	}
	if (result == 0 && name_is_inbox(renaming.from))
		result = move_inbox(account, renaming.to, error);
	else if (result == 0)
		result = rename_names(actor, account, renaming.from, renaming.to, error);
	return store_explain(result, "mailbox", error);
}
