/* Special uses (RFC 6154) of mailboxes that come from elsewhere. A new account has mailboxes for them
 * already: as long as those are empty, the ones that come take over. */
#include <config.h>

#include "../account.h"
#include "../mailbox.h"
#include "import.h"

struct move {
	unsigned use;
	struct ph_str from; /* empty: no mailbox has it */
	struct ph_str to;
};

static int change_uses(struct ph_kv_txn *txn, struct ph_str name, unsigned take, unsigned give)
{
	struct mailbox_record record;
	int result = mailbox_record_get(txn, name, &record);

	if (result < 0)
		return result;
	record.special_use = (record.special_use & ~take) | give;
	record.name = name;
	return mailbox_record_put(txn, &record);
}

static int move_use(struct ph_kv_txn *txn, void *arg)
{
	const struct move *move = arg;
	int result = move->from.len > 0 ? change_uses(txn, move->from, move->use, 0) : 0;

	return result < 0 ? result : change_uses(txn, move->to, 0, move->use);
}

static int take_use(ph_account_id account, struct ph_str name, const struct ph_mailbox_entry *holder,
	unsigned use, struct ph_error *error)
{
	struct move move = { .use = use, .to = name };
	struct ph_mailbox_status status = { 0 };
	int result = 0;

	if (holder) {
		move.from = holder->name;
		result = mailbox_status(PH_ACTOR_SYSTEM, account, holder->name, &status, error);
	}
	if (result == 0 && status.messages > 0) {
		import_complain(name, "its special use is not kept", "another mailbox has it");
		return 0;
	}
	return result < 0 ? result : store_update(account_partition(account), move_use, &move, error);
}

int import_take_uses(ph_account_id account, struct ph_str name, unsigned uses, struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mailbox_entry *entries;
	size_t count = 0;
	int result = uses ? mailbox_list(PH_ACTOR_SYSTEM, account, pool, &entries, &count, error) : 0;

	for (unsigned use = 1; use <= uses && result == 0; use <<= 1) {
		const struct ph_mailbox_entry *holder = NULL;

		for (size_t i = 0; i < count && !holder; i++) {
			if (entries[i].exists && (entries[i].special_use & use))
				holder = &entries[i];
		}
		if ((uses & use) && !(holder && ph_str_eq(holder->name, name)))
			result = take_use(account, name, holder, use, error);
	}
	ph_pool_free(&pool);
	return result;
}
