/* After a restore clients may know UIDs that were given after the backup was made, and would take them for
 * those that are given now; and they would not look again at messages that they saw going, and that are there
 * again. So every mailbox gets a new UIDVALIDITY, greater than any it can have had, and clients read it anew.
 *
 * Numbers of accounts and mailboxes, which are told as object ids, are never used twice: as many as may have
 * been given since are left out. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/loop.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "../account.h"
#include "../change.h"
#include "../mailbox.h"
#include "restore.h"

/* More accounts, or mailboxes of an account, are not made between a backup and its restoration. */
#define LEFT_OUT 65536

struct renewal {
	uint32_t now;
	struct ph_pool *pool;
	struct mailbox_record *mailboxes; /* with their names in the pool */
	size_t count, capacity;
	uint32_t next; /* UIDVALIDITY */
};

static void add_mailbox(struct renewal *renewal, const struct mailbox_record *record)
{
	if (renewal->count == renewal->capacity) {
		renewal->capacity = renewal->capacity ? renewal->capacity * 2 : 16;
		renewal->mailboxes =
			ph_realloc_array(renewal->mailboxes, renewal->capacity, sizeof(*renewal->mailboxes));
	}
	renewal->mailboxes[renewal->count] = *record;
	renewal->mailboxes[renewal->count++].name = ph_pool_str(renewal->pool, record->name);
}

/* What cannot be read was told by the check. */
static int list(struct ph_kv_txn *txn, struct renewal *renewal)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	renewal->count = 0;
	ph_pool_clear(renewal->pool);
	for (; result == 0 && found.data[0] == 'm'; result = store.kv->next(cursor, &found, &value))
		if (mailbox_record_decode(value, &record) == 0)
			add_mailbox(renewal, &record);
	return result == PH_E_ABSENT ? 0 : result;
}

static int renew_records(struct ph_kv_txn *txn, void *arg)
{
	struct renewal *renewal = arg;
	struct account_counters counters;
	int result = account_counters_get(txn, 0, &counters);

	if (result == 0)
		result = list(txn, renewal);
	if (result < 0)
		return result;
	if (counters.next_uid_validity < renewal->now)
		counters.next_uid_validity = renewal->now;
	for (size_t i = 0; result == 0 && i < renewal->count; i++) {
		renewal->mailboxes[i].uid_validity = counters.next_uid_validity++;
		result = mailbox_record_put(txn, &renewal->mailboxes[i]);
	}
	if (counters.next_mailbox < UINT32_MAX - LEFT_OUT)
		counters.next_mailbox += LEFT_OUT;
	renewal->next = counters.next_uid_validity;
	return result < 0 ? result : account_counters_put(txn, 0, &counters);
}

static int renew_meta(struct ph_kv_txn *txn, void *arg)
{
	const struct mailbox_record *record = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result == PH_E_ABSENT || result == PH_E_CORRUPT ? 0 : result;
	change.meta.uid_validity = record->uid_validity;
	change_modseq(&change);
	return change_end(&change, 0);
}

static int renew_account(ph_account_id id, struct renewal *renewal, struct ph_error *error)
{
	int result = store_update(account_partition(id), renew_records, renewal, error);

	if (result == PH_E_ABSENT || result == PH_E_CORRUPT)
		return 0;
	for (size_t i = 0; result == 0 && i < renewal->count; i++)
		result = store_update(mailbox_partition(renewal->mailboxes[i].number), renew_meta,
			&renewal->mailboxes[i], error);
	return result;
}

int restore_renew(struct ph_error *error)
{
	struct renewal renewal = { .now = (uint32_t)ph_clock(), .pool = ph_pool_new(0) };
	struct ph_pool *pool = ph_pool_new(0);
	struct account_numbers numbers = { LEFT_OUT, renewal.now };
	struct ph_account *accounts;
	size_t count;
	int result = account_list(PH_ACTOR_SYSTEM, pool, &accounts, &count, error);

	ph_progress_begin("accounts");
	for (size_t i = 0; result == 0 && i < count; i++) {
		ph_progress(accounts[i].address, i, count);
		result = renew_account(accounts[i].id, &renewal, error);
		if (numbers.uid_validity < renewal.next)
			numbers.uid_validity = renewal.next;
	}
	ph_progress_hide();
	if (result == 0)
		result = account_skip_numbers(numbers, error);
	free(renewal.mailboxes);
	ph_pool_free(&renewal.pool);
	ph_pool_free(&pool);
	return result;
}
