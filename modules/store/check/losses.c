/* Of a mailbox, only keys of messages are told: its counters and its log change with every message, and a
 * check tells whether they are right. What a lost change would have done can be known only by what is there
 * now. */
#include <config.h>

#include "losses.h"

#include <stdlib.h>

#include <posthorn/bytes.h>
#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "../mailbox.h"
#include "../naming.h"
#include "../record.h"

struct entries {
	struct ph_pool *pool;
	struct ph_kv_damage *items; /* with their texts in the pool */
	size_t count, capacity;
};

static void collect(void *arg, const struct ph_kv_damage *damage)
{
	struct entries *entries = arg;
	struct ph_kv_damage *entry;

	if (entries->count == entries->capacity) {
		entries->capacity = entries->capacity ? entries->capacity * 2 : 64;
		entries->items = ph_realloc_array(entries->items, entries->capacity, sizeof(*entries->items));
	}
	entry = &entries->items[entries->count++];
	*entry = *damage;
	entry->key = ph_pool_str(entries->pool, damage->key);
	entry->place = ph_pool_str(entries->pool, damage->place);
}

/* --- what it means --- */

static int has_key(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *key = arg;
	struct ph_str value;

	return store.kv->get(txn, 0, *key, &value);
}

static const char *text_of_message(const struct ph_kv_damage *damage)
{
	struct ph_str key = damage->key;
	bool is_there = store_read(damage->partition, has_key, &key, NULL) == 0;

	if (damage->was_deleted)
		return is_there ? "was expunged, and is there again" : NULL;
	return is_there ? "its last change may be lost" : "is lost, unless it was expunged later";
}

/* False where there is nothing to tell. */
static bool read_mailbox(const struct ph_kv_damage *damage, struct ph_pool *pool, struct loss *loss_r)
{
	if (damage->key.len != 5 || damage->key.data[0] != 'u')
		return false;
	loss_r->text = text_of_message(damage);
	loss_r->uid = ph_bytes_get32(damage->key.data + 1);
	loss_r->account = naming_account(mailbox_account(damage->partition.number), pool);
	loss_r->mailbox = naming_mailbox(damage->partition.number, pool);
	return loss_r->text != NULL;
}

/* Names stand in keys as they were, but for INBOX and long ones. */
static bool read_account(const struct ph_kv_damage *damage, struct ph_pool *pool, struct loss *loss_r)
{
	char kind = damage->key.data[0];

	if (kind != 'm' && kind != 's' && kind != 'Q')
		return false;
	loss_r->account = naming_account(damage->partition.number, pool);
	if (kind != 'Q')
		loss_r->mailbox = ph_str_slice(damage->key, 1, damage->key.len);
	loss_r->text = kind == 'm'   ? "that it was made, renamed or deleted may be lost"
		       : kind == 's' ? "a change of its subscription may be lost"
				     : "a change of its quota may be lost";
	return true;
}

static bool read_directory(const struct ph_kv_damage *damage, struct ph_pool *pool, struct loss *loss_r)
{
	if (damage->key.data[0] == 'i' && damage->key.len == 9)
		loss_r->account = naming_account(ph_bytes_get64(damage->key.data + 1), pool);
	else if (damage->key.data[0] == 'a')
		loss_r->account = ph_str_slice(damage->key, 1, damage->key.len);
	loss_r->text = "a change of the account, such as its password, may be lost";
	return loss_r->account.len > 0;
}

static bool read_entry(const struct ph_kv_damage *damage, struct ph_pool *pool, struct loss *loss_r)
{
	*loss_r = (struct loss){ .is_new = damage->is_new, .place = damage->place };
	if (!damage->is_known || damage->key.len == 0) {
		loss_r->account = PH_STR("?");
		loss_r->text = "changes are lost, of which nothing is known";
		return true;
	}
	switch (damage->partition.kind) {
	case KIND_DIRECTORY:
		return read_directory(damage, pool, loss_r);
	case KIND_ACCOUNT:
		return read_account(damage, pool, loss_r);
	case KIND_MAILBOX:
		return read_mailbox(damage, pool, loss_r);
	default:
		return false;
	}
}

int losses_each(void (*tell)(void *arg, const struct loss *loss), void *arg, struct ph_error *error)
{
	struct entries entries = { .pool = ph_pool_new(0) };
	struct ph_pool *pool = ph_pool_new(0);
	struct loss loss;
	int result = store.damage ? store.damage->each(collect, &entries) : 0;

	for (size_t i = 0; result == 0 && i < entries.count; i++) {
		ph_pool_clear(pool);
		if (read_entry(&entries.items[i], pool, &loss))
			tell(arg, &loss);
	}
	free(entries.items);
	ph_pool_free(&entries.pool);
	ph_pool_free(&pool);
	return result < 0 ? ph_error_set(error, result, "what was damaged cannot be told", NULL) : 0;
}

/* --- the log --- */

static void log_one(void *arg, const struct loss *loss)
{
	(void)arg;
	if (loss->is_new)
		ph_log(PH_LOG_ERROR, "the store lost changes", PH_LOG_STR("account", loss->account),
			PH_LOG_STR("mailbox", loss->mailbox), PH_LOG_NUMBER("uid", loss->uid),
			PH_LOG_TEXT("what", loss->text), PH_LOG_STR("place", loss->place));
}

void losses_log(void)
{
	struct ph_error error = { 0 };

	if (losses_each(log_one, NULL, &error) < 0)
		ph_log(PH_LOG_ERROR, "what the store lost cannot be told", PH_LOG_ERROR_DETAIL(&error));
}
