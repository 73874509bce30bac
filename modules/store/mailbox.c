/* Finding, making, deleting and subscribing to mailboxes. An account's partition tells which names there are;
 * each mailbox has a partition of its own. */
#include <config.h>

#include "mailbox.h"

#include <inttypes.h>
#include <stdio.h>

#include "account.h"
#include "change.h"
#include "remove.h"

/* How often somebody else may be faster. */
#define ATTEMPTS 100

int mailbox_record_get(struct ph_kv_txn *txn, struct ph_str name, struct mailbox_record *record_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, name_key(&key, 'm', name), &value);

	if (result == 0)
		result = mailbox_record_decode(value, record_r);
	if (result == 0 && !ph_str_eq(record_r->name, name))
		return PH_E_ABSENT;
	return result;
}

int mailbox_record_put(struct ph_kv_txn *txn, const struct mailbox_record *record)
{
	char bytes[MAILBOX_RECORD_MAX];
	struct key key;
	size_t size = mailbox_record_encode(record, bytes);

	return store.kv->put(txn, 0, name_key(&key, 'm', record->name), ph_str_of(bytes, size));
}

/* --- finding --- */

struct mailbox_search {
	struct ph_str name;
	struct mailbox_record *record;
};

static int search_name(struct ph_kv_txn *txn, void *arg)
{
	struct mailbox_search *search = arg;
	int result = mailbox_record_get(txn, search->name, search->record);

	search->record->name = search->name;
	return result;
}

/* By a checked name, which the record then shows. */
static int find_name(
	ph_account_id account, struct ph_str name, struct mailbox_record *record_r, struct ph_error *error)
{
	struct mailbox_search search = { name, record_r };

	return store_read(account_partition(account), search_name, &search, error);
}

int mailbox_find(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct mailbox_record *record_r, struct ph_error *error)
{
	struct name parsed;
	int result = PH_E_ABSENT;

	if (store_may_use(actor, account) && name_parse(name, (unsigned)store.config->depth, &parsed) == 0)
		result = find_name(account, name_str(&parsed), record_r, error);
	record_r->name = (struct ph_str){ NULL, 0 };
	return store_explain(result, "mailbox", error);
}

static int read_meta(struct ph_kv_txn *txn, void *arg)
{
	return meta_get(txn, 0, arg);
}

void mailbox_status_fill(uint64_t number, const struct meta *meta, struct ph_mailbox_status *status_r)
{
	*status_r = (struct ph_mailbox_status){
		.messages = meta->messages,
		.recent = meta->recent,
		.unseen = meta->unseen,
		.deleted = meta->deleted,
		.uid_next = meta->uid_next,
		.uid_validity = meta->uid_validity,
		.highest_modseq = meta->highest_modseq,
		.size = meta->size,
	};
	snprintf(status_r->id, sizeof(status_r->id), "M%016" PRIx64, number);
}

int mailbox_status(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct ph_mailbox_status *status_r, struct ph_error *error)
{
	struct mailbox_record record;
	struct meta meta;
	int result = mailbox_find(actor, account, name, &record, error);

	if (result < 0)
		return result;
	result = store_read(mailbox_partition(record.number), read_meta, &meta, error);
	if (result < 0)
		return store_explain(result, "mailbox", error);
	mailbox_status_fill(record.number, &meta, status_r);
	return 0;
}

/* --- making: first the mailbox under the next free number, then its name --- */

struct mailbox_making {
	struct ph_str name;
	unsigned special_use;
	ph_account_id account;
	struct account_counters counters; /* as they were when it was planned */
};

static uint64_t number_of(const struct mailbox_making *making)
{
	return making->account << 32 | making->counters.next_mailbox;
}

/* A name that is there already is told before anything is written; a limit too. */
static int plan(struct ph_kv_txn *txn, void *arg)
{
	struct mailbox_making *making = arg;
	struct mailbox_record record;
	int result = mailbox_record_get(txn, making->name, &record);

	if (result != PH_E_ABSENT)
		return result < 0 ? result : PH_E_EXISTS;
	result = account_counters_get(txn, 0, &making->counters);
	if (result < 0)
		return result;
	if (making->counters.mailboxes >= store.config->mailboxes ||
		making->counters.next_mailbox == UINT32_MAX)
		return PH_E_LIMIT;
	return 0;
}

static int make_meta(struct ph_kv_txn *txn, void *arg)
{
	const struct mailbox_making *making = arg;
	struct meta meta = { 0 };
	char bytes[META_SIZE];
	struct key key;
	int result = meta_get(txn, 0, &meta);

	if (result == 0 && meta.uid_next > 1)
		return PH_E_STALE;
	if (result < 0 && result != PH_E_ABSENT)
		return result;
	meta.uid_validity = making->counters.next_uid_validity;
	meta.uid_next = meta.recent_from = 1;
	if (meta.highest_modseq == 0)
		meta.highest_modseq = 1;
	meta_encode(&meta, bytes);
	return store.kv->put(txn, 0, key_plain(&key, 'm'), ph_str_of(bytes, sizeof(bytes)));
}

static int enter(struct ph_kv_txn *txn, void *arg)
{
	const struct mailbox_making *making = arg;
	struct mailbox_making now = *making;
	struct mailbox_record record = { number_of(making), making->counters.next_uid_validity,
		making->special_use, making->name };
	int result = plan(txn, &now);

	if (result < 0)
		return result;
	if (now.counters.next_mailbox != making->counters.next_mailbox)
		return PH_E_STALE;
	now.counters.next_mailbox++;
	now.counters.next_uid_validity++;
	now.counters.mailboxes++;
	result = account_counters_put(txn, 0, &now.counters);
	return result < 0 ? result : mailbox_record_put(txn, &record);
}

static int make(ph_account_id account, struct ph_str name, unsigned special_use, struct ph_error *error)
{
	struct mailbox_making making = { .name = name, .special_use = special_use, .account = account };
	struct ph_kv_partition partition = account_partition(account);
	int result, attempt = 0;

	do {
		result = store_read(partition, plan, &making, error);
		if (result == 0)
			result = store_update(
				mailbox_partition(number_of(&making)), make_meta, &making, error);
		if (result == 0)
			result = store_update(partition, enter, &making, error);
	} while (result == PH_E_STALE && ++attempt < ATTEMPTS);
	return result;
}

/* The levels above the name that are missing. */
static int make_parents(ph_account_id account, struct ph_str name, struct ph_error *error)
{
	int result = 0;

	for (size_t end = 0; end < name.len && (result == 0 || result == PH_E_EXISTS); end++) {
		if (name.data[end] == '/')
			result = make(account, ph_str_slice(name, 0, end), 0, error);
	}
	return result == PH_E_EXISTS ? 0 : result;
}

int mailbox_create(struct ph_actor actor, ph_account_id account, struct ph_str name, unsigned special_use,
	struct ph_error *error)
{
	struct name parsed;
	int result = store_may_use(actor, account) ? name_parse(name, (unsigned)store.config->depth, &parsed)
						   : PH_E_ABSENT;

	if (result == 0)
		result = make_parents(account, name_str(&parsed), error);
	if (result == 0)
		result = make(account, name_str(&parsed), special_use, error);
	return store_explain(result, "mailbox", error);
}

/* --- deleting: noted in the directory, then without a name, then without mail (remove.c) --- */

static int note(struct ph_kv_txn *txn, void *arg)
{
	const uint64_t *mailbox = arg;
	struct key key;

	return store.kv->put(txn, 0, key_64(&key, 'x', *mailbox), PH_STR(""));
}

struct unnaming {
	struct ph_str name;
	uint64_t mailbox;
};

static int unname(struct ph_kv_txn *txn, void *arg)
{
	const struct unnaming *unnaming = arg;
	struct account_counters counters;
	struct mailbox_record record;
	struct key key;
	int result = mailbox_record_get(txn, unnaming->name, &record);

	if (result == 0 && record.number != unnaming->mailbox)
		result = PH_E_ABSENT;
	if (result == 0)
		result = account_counters_get(txn, 0, &counters);
	if (result < 0)
		return result;
	counters.mailboxes--;
	result = account_counters_put(txn, 0, &counters);
	if (result == 0)
		result = store.kv->put(txn, 0, key_64(&key, 'x', unnaming->mailbox), PH_STR(""));
	return result < 0 ? result : store.kv->del(txn, 0, name_key(&key, 'm', unnaming->name));
}

static int delete_name(ph_account_id account, struct ph_str name, struct ph_error *error)
{
	struct mailbox_record record;
	struct unnaming unnaming;
	struct ph_error left = { 0 };
	int result = find_name(account, name, &record, error);

	if (result < 0)
		return result;
	result = store_update(directory_partition(), note, &record.number, error);
	if (result < 0)
		return result;
	unnaming = (struct unnaming){ name, record.number };
	result = store_update(account_partition(account), unname, &unnaming, &left);
	if (result < 0 && error)
		*error = left;
	if (result == 0 ? remove_mailbox(record.number, &left) < 0 : result == PH_E_UNAVAILABLE)
		remove_later(&left);
	return result;
}

int mailbox_delete(struct ph_actor actor, ph_account_id account, struct ph_str name, struct ph_error *error)
{
	struct name parsed;
	int result = PH_E_ABSENT;

	if (store_may_use(actor, account) && name_parse(name, (unsigned)store.config->depth, &parsed) == 0)
		result = name_is_inbox(name_str(&parsed)) ? PH_E_DENIED
							  : delete_name(account, name_str(&parsed), error);
	return store_explain(result, "mailbox", error);
}

/* --- subscribing: to any name, whether there is such a mailbox or not --- */

struct subscribing {
	struct ph_str name;
	bool subscribed;
};

static int subscribe(struct ph_kv_txn *txn, void *arg)
{
	const struct subscribing *subscribing = arg;
	struct account_counters counters;
	struct ph_str value;
	struct key key;
	struct ph_str name = name_key(&key, 's', subscribing->name);
	bool there = store.kv->get(txn, 0, name, &value) == 0;
	int result = account_counters_get(txn, 0, &counters);

	if (result < 0 || there == subscribing->subscribed)
		return result;
	return there ? store.kv->del(txn, 0, name) : store.kv->put(txn, 0, name, subscribing->name);
}

int mailbox_subscribe(struct ph_actor actor, ph_account_id account, struct ph_str name, bool subscribed,
	struct ph_error *error)
{
	struct name parsed;
	int result = store_may_use(actor, account) ? name_parse(name, (unsigned)store.config->depth, &parsed)
						   : PH_E_ABSENT;

	if (result == 0) {
		struct subscribing subscribing = { name_str(&parsed), subscribed };

		result = store_update(account_partition(account), subscribe, &subscribing, error);
	}
	return store_explain(result, "mailbox", error);
}
