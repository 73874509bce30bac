/* From numbers to names. See naming.h. */
#include <config.h>

#include "naming.h"

#include <inttypes.h>

#include <posthorn/mem.h>

#include "account.h"
#include "mailbox.h"

struct naming {
	uint64_t number;
	struct ph_pool *pool;
	struct ph_str name;
};

static int find_address(struct ph_kv_txn *txn, void *arg)
{
	struct naming *naming = arg;
	struct account_record record;
	int result = account_record_get(txn, naming->number, &record);

	if (result == 0)
		naming->name = ph_pool_str(naming->pool, record.address);
	return result;
}

struct ph_str naming_account(ph_account_id account, struct ph_pool *pool)
{
	struct naming naming = { .number = account, .pool = pool };

	if (store_read(directory_partition(), find_address, &naming, NULL) != 0)
		naming.name = ph_pool_printf(pool, "account %" PRIu64, account);
	return naming.name;
}

static int find_name(struct ph_kv_txn *txn, void *arg)
{
	struct naming *naming = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct mailbox_record record;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	for (; result == 0 && found.data[0] == 'm'; result = store.kv->next(cursor, &found, &value)) {
		if (mailbox_record_decode(value, &record) == 0 && record.number == naming->number) {
			naming->name = ph_pool_str(naming->pool, record.name);
			return 0;
		}
	}
	return result == 0 ? PH_E_ABSENT : result;
}

struct ph_str naming_mailbox(uint64_t mailbox, struct ph_pool *pool)
{
	struct naming naming = { .number = mailbox, .pool = pool };

	if (store_read(account_partition(mailbox_account(mailbox)), find_name, &naming, NULL) != 0)
		naming.name = ph_pool_printf(pool, "mailbox M%016" PRIx64, mailbox);
	return naming.name;
}
