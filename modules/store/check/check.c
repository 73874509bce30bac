/* Going through all accounts and their mailboxes, and counting what an account uses. */
#include <config.h>

#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <posthorn/bytes.h>
#include <posthorn/mem.h>

#include "../account.h"
#include "../change.h"
#include "../mailbox.h"
#include "../usage.h"
#include "losses.h"

void check_report(struct check *check, const struct fault *fault)
{
	check->faults++;
	check->repaired += fault->repaired;
	check->tell(check, fault);
}

/* --- the account's own records --- */

struct inspection {
	bool repair;
	struct account_counters counters;
	struct fault_list faults;
	struct ph_pool *pool;
	/* With their names in the pool; then those that are being removed, whose mail is counted still. */
	struct mailbox_record *mailboxes;
	size_t named, count, capacity;
};

static void add_mailbox(struct inspection *inspection, struct mailbox_record record)
{
	if (inspection->count == inspection->capacity) {
		inspection->capacity = inspection->capacity ? inspection->capacity * 2 : 16;
		inspection->mailboxes = ph_realloc_array(
			inspection->mailboxes, inspection->capacity, sizeof(*inspection->mailboxes));
	}
	record.name = ph_pool_str(inspection->pool, record.name);
	inspection->mailboxes[inspection->count++] = record;
}

static int find_named(struct ph_kv_cursor *cursor, struct inspection *inspection)
{
	struct mailbox_record record;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	for (; result == 0 && found.data[0] == 'm'; result = store.kv->next(cursor, &found, &value)) {
		if (mailbox_record_decode(value, &record) == 0)
			add_mailbox(inspection, record);
		else
			fault_add(&inspection->faults, 0, "the record of a mailbox cannot be read");
	}
	inspection->named = inspection->count;
	return result == PH_E_ABSENT ? 0 : result;
}

static int find_going(struct ph_kv_cursor *cursor, struct inspection *inspection)
{
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'x'), &found, &value);

	for (; result == 0 && found.data[0] == 'x'; result = store.kv->next(cursor, &found, &value)) {
		if (found.len == 9)
			add_mailbox(inspection,
				(struct mailbox_record){ .number = ph_bytes_get64(found.data + 1) });
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int correct(struct ph_kv_txn *txn, struct inspection *inspection)
{
	struct account_counters *counters = &inspection->counters;

	if (counters->mailboxes == inspection->named)
		return 0;
	fault_add(&inspection->faults, 0, "its number of mailboxes should be %zu, and is %u",
		inspection->named, (unsigned)counters->mailboxes);
	inspection->faults.items[inspection->faults.count - 1].repaired = inspection->repair;
	counters->mailboxes = (uint32_t)inspection->named;
	return inspection->repair ? account_counters_put(txn, 0, counters) : 0;
}

static int inspect(struct ph_kv_txn *txn, void *arg)
{
	struct inspection *inspection = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	int result = account_counters_get(txn, 0, &inspection->counters);

	inspection->count = inspection->faults.count = 0;
	ph_pool_clear(inspection->pool);
	if (result == 0)
		result = find_named(cursor, inspection);
	if (result == 0)
		result = find_going(cursor, inspection);
	return result < 0 ? result : correct(txn, inspection);
}

/* --- what it uses --- */

struct summing {
	size_t count; /* of mailboxes; their account comes behind them */
	bool repair;
	struct usage found, stored;
};

/* A mailbox that went meanwhile uses nothing. */
static int sum_mailboxes(struct ph_kv_txn *txn, struct summing *summing)
{
	struct meta meta;

	summing->found = (struct usage){ 0 };
	for (size_t i = 0; i < summing->count; i++) {
		int result = meta_get(txn, i, &meta);

		if (result < 0 && result != PH_E_ABSENT)
			return result;
		if (result == 0) {
			summing->found.bytes += (int64_t)meta.size;
			summing->found.messages += meta.messages;
		}
	}
	return 0;
}

static int sum_account(struct ph_kv_txn *txn, void *arg)
{
	struct summing *summing = arg;
	int result = sum_mailboxes(txn, summing);

	if (result == 0)
		result = usage_get(txn, summing->count, &summing->stored);
	if (result == 0 && summing->repair)
		result = usage_put(txn, summing->count, &summing->found);
	return result;
}

static int sum_one(struct ph_kv_txn *txn, void *arg)
{
	struct summing *one = arg;

	return sum_mailboxes(txn, one);
}

static int compare_account(struct ph_kv_txn *txn, void *arg)
{
	struct summing *summing = arg;
	int result = usage_get(txn, 0, &summing->stored);

	if (result == 0 && summing->repair)
		result = usage_put(txn, 0, &summing->found);
	return result;
}

/* Where the kv shows one partition at a time, the sums are those of a quiet account only. */
static int sum_each(const struct ph_kv_partition *partitions, struct summing *summing, struct ph_error *error)
{
	struct usage found = { 0 };
	struct ph_kv_partition account = partitions[summing->count];
	int result = 0;

	for (size_t i = 0; i < summing->count && result == 0; i++) {
		struct summing one = { .count = 1 };

		result = store_read(partitions[i], sum_one, &one, error);
		found.bytes += one.found.bytes;
		found.messages += one.found.messages;
	}
	summing->found = found;
	if (result < 0)
		return result;
	return summing->repair ? store_update(account, compare_account, summing, error)
			       : store_read(account, compare_account, summing, error);
}

static int sum_up(const struct ph_kv_partition *partitions, struct summing *summing, struct ph_error *error)
{
	if (!store.kv->atomic_partitions)
		return sum_each(partitions, summing, error);
	if (summing->repair)
		return store.kv->update(partitions, summing->count + 1, NULL, 0, sum_account, summing, error);
	return store.kv->read(partitions, summing->count + 1, sum_account, summing, error);
}

static void report_usage(struct check *check, const struct summing *summing)
{
	struct fault_list faults = { 0 };

	fault_add(&faults, 0,
		"its usage should be %" PRId64 " bytes in %" PRId64 " messages, and is %" PRId64
		" in %" PRId64,
		summing->found.bytes, summing->found.messages, summing->stored.bytes,
		summing->stored.messages);
	faults.items[0].repaired = summing->repair;
	check_report(check, &faults.items[0]);
	free(faults.items);
}

static int check_usage(
	struct check *check, ph_account_id id, const struct inspection *inspection, struct ph_error *error)
{
	struct summing summing = { .count = inspection->count };
	struct ph_kv_partition *partitions = ph_alloc_array(summing.count + 1, sizeof(*partitions));
	bool wrong;
	int result;

	for (size_t i = 0; i < summing.count; i++)
		partitions[i] = mailbox_partition(inspection->mailboxes[i].number);
	partitions[summing.count] = account_partition(id);
	result = sum_up(partitions, &summing, error);
	wrong = summing.found.bytes != summing.stored.bytes ||
		summing.found.messages != summing.stored.messages;
	if (result == 0 && wrong && check->repair) {
		summing.repair = true;
		result = sum_up(partitions, &summing, error);
	}
	if (result == 0 && wrong)
		report_usage(check, &summing);
	free(partitions);
	return result;
}

/* --- everything --- */

static int check_mailbox(struct check *check, const struct mailbox_record *record, struct ph_error *error)
{
	struct fault lost = { .text = "its state is lost" };
	int result;

	check->mailbox = record->name;
	result = check_records(check, record->number, error);
	if (result == PH_E_ABSENT || result == PH_E_CORRUPT) {
		struct mailbox_record now;

		/* It may have been deleted meanwhile. */
		if (mailbox_find(PH_ACTOR_SYSTEM, mailbox_account(record->number), record->name, &now,
			    error) == 0 &&
			now.number == record->number)
			check_report(check, &lost);
		return 0;
	}
	if (result == 0)
		result = check_messages(check, record->number, error);
	if (result == 0 && check->repair)
		result = give_threads(record->number, error);
	return result;
}

static int check_account(struct check *check, ph_account_id id, struct ph_error *error)
{
	struct inspection inspection = { .pool = ph_pool_new(0) };
	int result = store_read(account_partition(id), inspect, &inspection, error);

	check->mailbox = PH_STR("");
	if (result == 0 && check->repair && inspection.faults.count > 0) {
		inspection.repair = true;
		result = store_update(account_partition(id), inspect, &inspection, error);
	}
	for (size_t i = 0; result == 0 && i < inspection.faults.count; i++)
		check_report(check, &inspection.faults.items[i]);
	for (size_t i = 0; result == 0 && i < inspection.named; i++)
		result = check_mailbox(check, &inspection.mailboxes[i], error);
	check->mailbox = PH_STR("");
	if (result == 0)
		result = check_usage(check, id, &inspection, error);
	if (result == 0)
		result = check_threads(check, id, error);
	free(inspection.faults.items);
	free(inspection.mailboxes);
	ph_pool_free(&inspection.pool);
	/* An account that was removed meanwhile has no faults. */
	return result == PH_E_ABSENT ? 0 : result;
}

/* How many messages there are to check, so that one can be told how far it is. */
static uint64_t count_messages(const struct ph_account *accounts, size_t count, ph_account_id id)
{
	uint64_t messages = 0;
	struct ph_quota quota;

	for (size_t i = 0; i < count; i++) {
		if ((id == 0 || accounts[i].id == id) &&
			account_quota(PH_ACTOR_SYSTEM, accounts[i].id, &quota, NULL) == 0)
			messages += quota.messages;
	}
	return messages;
}

/* What was told once more may be forgotten. */
static void report_loss(void *arg, const struct loss *loss)
{
	struct check *check = arg;
	struct fault fault = { .uid = loss->uid, .repaired = check->repair };

	check->address = loss->account;
	check->mailbox = loss->mailbox;
	snprintf(fault.text, sizeof(fault.text), "%s (journal %.*s)", loss->text, PH_STR_ARGS(loss->place));
	check_report(check, &fault);
}

static int check_losses(struct check *check, struct ph_error *error)
{
	uint64_t before = check->faults;
	int result = losses_each(report_loss, check, error);

	if (result == 0 && check->repair && check->faults > before && store.damage->forget() < 0)
		result = ph_error_set(error, PH_E_IO, "what was damaged cannot be forgotten", NULL);
	return result;
}

int check_store(struct check *check, ph_account_id id, struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_account *accounts;
	size_t count;
	int result = account_list(PH_ACTOR_SYSTEM, pool, &accounts, &count, error);

	if (result == 0)
		check->messages_total = count_messages(accounts, count, id);
	for (size_t i = 0; result == 0 && i < count; i++) {
		check->address = accounts[i].address;
		if (id == 0 || accounts[i].id == id)
			result = check_account(check, accounts[i].id, error);
	}
	ph_pool_free(&pool);
	if (result == 0 && id == 0)
		result = check_losses(check, error);
	return result;
}
