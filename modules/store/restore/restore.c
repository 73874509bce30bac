/* An account out of a backup. A message is known by its bytes' id, which it keeps: one that the account still
 * has, wherever it was moved to, is not brought back. So all that is needed to go on after a break is to
 * compare again. */
#include <config.h>

#include "restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/buf.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "../account.h"
#include "../change.h"
#include "../mailbox.h"
#include "../usage.h"

/* Messages that are looked at in one read. */
#define STEP 1000

int restore_read(struct restore *restore, struct ph_kv_partition partition, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	return store.backup->read(restore->backup, &partition, 1, run, arg, error);
}

void restore_refuse(struct restore *restore, struct ph_str mailbox, uint32_t uid, const char *why)
{
	restore->refused++;
	ph_progress_hide();
	printf("%.*s", PH_STR_ARGS(mailbox));
	if (uid != 0)
		printf("\tUID %" PRIu32, uid);
	printf("\t%s\n", why);
}

/* --- what the backup tells of the account --- */

struct saved_account {
	struct ph_pool *pool;
	struct ph_str key; /* its address in lower case */
	ph_account_id id;
	struct account_record record; /* with its texts in the pool */
};

static int find_saved(struct ph_kv_txn *txn, void *arg)
{
	struct saved_account *saved = arg;
	int result = account_id_get(txn, saved->key, &saved->id);

	if (result == 0)
		result = account_record_get(txn, saved->id, &saved->record);
	if (result < 0)
		return result;
	saved->record.address = ph_pool_str(saved->pool, saved->record.address);
	saved->record.password_hash = ph_pool_str(saved->pool, saved->record.password_hash);
	return 0;
}

static int find_source(
	struct restore *restore, struct saved_account *saved, struct ph_str address, struct ph_error *error)
{
	struct ph_address parsed;
	int result = PH_E_ABSENT;

	if (store.address->parse(address, PH_ADDRESS_UTF8, saved->pool, &parsed) == 0) {
		saved->key = store.address->key(&parsed, saved->pool);
		result = restore_read(restore, directory_partition(), find_saved, saved, error);
	}
	restore->source = saved->id;
	return result == PH_E_ABSENT ? ph_error_set(error, result, "no such account in the backup", NULL)
				     : result;
}

struct listing {
	struct ph_pool *pool;
	struct mailbox_record *mailboxes; /* with their names in the pool */
	size_t count, capacity;
	size_t damaged; /* records that cannot be read */
};

static void add_mailbox(struct listing *listing, struct ph_str value)
{
	struct mailbox_record record;

	if (mailbox_record_decode(value, &record) < 0) {
		listing->damaged++;
		return;
	}
	if (listing->count == listing->capacity) {
		listing->capacity = listing->capacity ? listing->capacity * 2 : 16;
		listing->mailboxes =
			ph_realloc_array(listing->mailboxes, listing->capacity, sizeof(*listing->mailboxes));
	}
	record.name = ph_pool_str(listing->pool, record.name);
	listing->mailboxes[listing->count++] = record;
}

static int list_mailboxes(struct ph_kv_txn *txn, void *arg)
{
	struct listing *listing = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	listing->count = listing->damaged = 0;
	for (; result == 0 && found.data[0] == 'm'; result = store.kv->next(cursor, &found, &value))
		add_mailbox(listing, value);
	return result == PH_E_ABSENT ? 0 : result;
}

/* --- which messages there are --- */

struct collecting {
	struct copies *copies;
	uint64_t mailbox;
	size_t begin;        /* copies that were there before */
	uint32_t from, next; /* UIDs: where this step begins, and the next one */
	bool more;
};

/* Damaged records are told by what brings messages back. */
static int collect_some(struct ph_kv_txn *txn, void *arg)
{
	struct collecting *collecting = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	uint32_t uid = collecting->from;
	struct message_record record;
	int result = 0;

	collecting->copies->count = collecting->begin;
	while (collecting->copies->count < collecting->begin + STEP) {
		result = next_message(cursor, NULL, uid, &uid, &record);
		if (result == 0)
			copies_add(collecting->copies, record.blob, collecting->mailbox);
		else if (result != PH_E_CORRUPT)
			break;
		collecting->next = ++uid;
	}
	collecting->more = result != PH_E_ABSENT;
	return result == PH_E_ABSENT || result == PH_E_CORRUPT ? 0 : result;
}

/* `restore`: in the backup; NULL: in the store. */
static int collect(
	struct restore *restore, const struct listing *listing, struct copies *copies, struct ph_error *error)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < listing->count; i++) {
		struct collecting collecting = { copies, listing->mailboxes[i].number, .next = 1,
			.more = true };
		struct ph_kv_partition partition = mailbox_partition(collecting.mailbox);

		while (result == 0 && collecting.more) {
			collecting.begin = copies->count;
			collecting.from = collecting.next;
			result = restore ? restore_read(restore, partition, collect_some, &collecting, error)
					 : store_read(partition, collect_some, &collecting, error);
		}
	}
	copies_sort(copies);
	return result;
}

static int collect_live(struct restore *restore, struct ph_error *error)
{
	struct listing listing = { .pool = ph_pool_new(0) };
	int result = store_read(account_partition(restore->target), list_mailboxes, &listing, error);

	if (result == 0)
		result = collect(NULL, &listing, &restore->live, error);
	free(listing.mailboxes);
	ph_pool_free(&listing.pool);
	return result;
}

/* --- the account --- */

static int read_limits(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_plain(&key, 'Q'), &value);

	return result < 0 ? result : usage_decode(value, arg);
}

static int copy_limits(struct restore *restore, struct ph_error *error)
{
	struct ph_quota_limits limits;
	struct usage record;
	int result = restore_read(restore, account_partition(restore->source), read_limits, &record, error);

	if (result < 0)
		return result == PH_E_ABSENT ? 0 : result;
	limits = (struct ph_quota_limits){ record.bytes, record.messages };
	return account_set_quota(PH_ACTOR_SYSTEM, restore->target, &limits, error);
}

struct subscriptions {
	struct ph_buf names; /* each ended by NUL */
};

static int read_subscriptions(struct ph_kv_txn *txn, void *arg)
{
	struct subscriptions *subscriptions = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 's'), &found, &value);

	ph_buf_reset(&subscriptions->names);
	for (; result == 0 && found.data[0] == 's'; result = store.kv->next(cursor, &found, &value)) {
		ph_buf_add_str(&subscriptions->names, value);
		ph_buf_add_char(&subscriptions->names, '\0');
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int copy_subscriptions(struct restore *restore, struct ph_error *error)
{
	struct subscriptions subscriptions;
	struct ph_str rest, name;
	int result;

	ph_buf_init(&subscriptions.names, SIZE_MAX);
	result = restore_read(
		restore, account_partition(restore->source), read_subscriptions, &subscriptions, error);
	rest = ph_buf_str(&subscriptions.names);
	while (result == 0 && rest.len > 0 && ph_str_split(&rest, '\0', &name)) {
		result = mailbox_subscribe(PH_ACTOR_SYSTEM, restore->target, name, true, error);
		if (result == PH_E_INVALID) {
			restore_refuse(restore, name, 0, "the subscription: not a legal name");
			result = 0;
		}
	}
	ph_buf_free(&subscriptions.names);
	return result;
}

/* With the password and the limits it had. */
static int make_target(struct restore *restore, const struct saved_account *saved, struct ph_str address,
	struct ph_error *error)
{
	int result = account_create_bare(address, saved->record.password_hash, &restore->target, error);

	restore->is_new = result == 0;
	if (result == 0)
		result = copy_limits(restore, error);
	return result < 0 ? result : copy_subscriptions(restore, error);
}

static int find_target(struct restore *restore, const struct saved_account *saved, struct ph_str address,
	struct ph_error *error)
{
	struct ph_account account = { 0 };
	int result = account_find(PH_ACTOR_SYSTEM, address, saved->pool, &account, error);

	if (result == PH_E_ABSENT)
		return make_target(restore, saved, address, error);
	restore->target = account.id;
	restore->same_account = account.id == saved->id && account.created == saved->record.created;
	return result;
}

/* --- its mailboxes --- */

struct number_search {
	uint64_t number;
	bool found;
};

static int find_number(struct ph_kv_txn *txn, void *arg)
{
	struct number_search *search = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	search->found = false;
	for (; result == 0 && found.data[0] == 'm' && !search->found;
		result = store.kv->next(cursor, &found, &value))
		search->found = mailbox_record_decode(value, &record) == 0 && record.number == search->number;
	return result == PH_E_ABSENT ? 0 : result;
}

/* The same mailbox, which may have another name now; else the one of its name, which is made if need be. */
static int find_mailbox(
	struct restore_mailbox *mailbox, const struct mailbox_record *saved, struct ph_error *error)
{
	ph_account_id account = mailbox->restore->target;
	struct number_search search = { .number = saved->number };
	struct mailbox_record record;
	int result = 0;

	if (mailbox->restore->same_account)
		result = store_read(account_partition(account), find_number, &search, error);
	mailbox->target = saved->number;
	if (result < 0 || search.found)
		return result;
	result = mailbox_create(PH_ACTOR_SYSTEM, account, saved->name, saved->special_use, error);
	if (result == 0 || result == PH_E_EXISTS)
		result = mailbox_find(PH_ACTOR_SYSTEM, account, saved->name, &record, error);
	mailbox->target = result == 0 ? record.number : 0;
	return result;
}

static int restore_mailbox(
	struct restore *restore, const struct mailbox_record *saved, struct ph_error *error)
{
	struct restore_mailbox mailbox = { .restore = restore, .name = saved->name, .source = saved->number };
	int result = find_mailbox(&mailbox, saved, error);

	if (result == PH_E_INVALID || result == PH_E_LIMIT) {
		restore_refuse(restore, saved->name, 0, error->client);
		return 0;
	}
	return result < 0 ? result : restore_messages(&mailbox, error);
}

static int restore_mailboxes(struct restore *restore, struct ph_error *error)
{
	struct listing listing = { .pool = ph_pool_new(0) };
	int result =
		restore_read(restore, account_partition(restore->source), list_mailboxes, &listing, error);

	for (size_t i = 0; i < listing.damaged; i++)
		restore_refuse(restore, PH_STR("?"), 0, "the record of a mailbox cannot be read");
	if (result == 0)
		result = collect(restore, &listing, &restore->saved, error);
	if (result == 0)
		result = collect_live(restore, error);
	ph_progress_begin("messages");
	for (size_t i = 0; result == 0 && i < listing.count; i++)
		result = restore_mailbox(restore, &listing.mailboxes[i], error);
	ph_progress_hide();
	free(listing.mailboxes);
	ph_pool_free(&listing.pool);
	return result;
}

int restore_account(struct restore *restore, struct ph_str from, struct ph_str to, struct ph_error *error)
{
	struct saved_account saved = { .pool = ph_pool_new(0) };
	int result = find_source(restore, &saved, from, error);

	if (result == 0)
		result = find_target(restore, &saved, to, error);
	if (result == 0)
		result = restore_mailboxes(restore, error);
	copies_free(&restore->saved);
	copies_free(&restore->live);
	ph_pool_free(&saved.pool);
	return result;
}
