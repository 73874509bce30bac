/* Quota. The account's partition holds the sums over its mailboxes.
 *
 * Where the kv changes several partitions together, the sums change with the messages, in one update, and are
 * always right. Where it does not, an update of its own adds before messages come and takes off after they
 * went, so that a crash in between leaves the sums too large and never too small: the quota holds, and
 * `posthorn store repair` counts anew. */
#include <config.h>

#include "usage.h"

#include <posthorn/log.h>

#include "mailbox.h"

static int get(struct ph_kv_txn *txn, size_t partition, char kind, struct usage *usage_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, partition, key_plain(&key, kind), &value);

	return result < 0 ? result : usage_decode(value, usage_r);
}

static int put(struct ph_kv_txn *txn, size_t partition, char kind, const struct usage *usage)
{
	char bytes[USAGE_SIZE];
	struct key key;

	usage_encode(usage, bytes);
	return store.kv->put(txn, partition, key_plain(&key, kind), ph_str_of(bytes, sizeof(bytes)));
}

int usage_get(struct ph_kv_txn *txn, size_t partition, struct usage *used_r)
{
	int result = get(txn, partition, 'q', used_r);

	if (result == PH_E_ABSENT)
		*used_r = (struct usage){ 0 };
	return result == PH_E_ABSENT ? 0 : result;
}

int usage_put(struct ph_kv_txn *txn, size_t partition, const struct usage *used)
{
	return put(txn, partition, 'q', used);
}

static int get_limits(struct ph_kv_txn *txn, size_t partition, struct usage *limits_r)
{
	int result = get(txn, partition, 'Q', limits_r);

	if (result == PH_E_ABSENT)
		*limits_r = (struct usage){ PH_QUOTA_DEFAULT, PH_QUOTA_DEFAULT };
	return result == PH_E_ABSENT ? 0 : result;
}

/* With the defaults where the account has none of its own. */
static struct usage effective(struct usage limits)
{
	if (limits.bytes == PH_QUOTA_DEFAULT)
		limits.bytes = store.config->quota_bytes;
	if (limits.messages == PH_QUOTA_DEFAULT)
		limits.messages = store.config->quota_messages;
	return limits;
}

static bool is_over(int64_t used, int64_t more, int64_t limit)
{
	return limit > 0 && more > 0 && (more > limit || used > limit - more);
}

int usage_check(struct ph_kv_txn *txn, size_t partition, const struct usage *more)
{
	struct usage used, limits;
	int result = get_limits(txn, partition, &limits);

	if (result == 0)
		result = usage_get(txn, partition, &used);
	if (result < 0)
		return result;
	limits = effective(limits);
	return is_over(used.bytes, more->bytes, limits.bytes) ||
			       is_over(used.messages, more->messages, limits.messages)
		       ? PH_E_QUOTA
		       : 0;
}

/* Does the account still exist? One that is being removed has no counters any more. */
static int check_account(struct ph_kv_txn *txn, size_t partition)
{
	struct ph_str value;
	struct key key;

	return store.kv->get(txn, partition, key_plain(&key, 'c'), &value);
}

int usage_add(struct ph_kv_txn *txn, size_t partition, const struct usage *more)
{
	struct usage used;
	int result;

	if (more->bytes == 0 && more->messages == 0)
		return 0;
	result = check_account(txn, partition);
	if (result == 0)
		result = usage_get(txn, partition, &used);
	if (result < 0)
		return result == PH_E_ABSENT ? 0 : result;
	used.bytes += more->bytes;
	used.messages += more->messages;
	/* Mail of a store that did not count yet may go. */
	if (used.bytes < 0)
		used.bytes = 0;
	if (used.messages < 0)
		used.messages = 0;
	return usage_put(txn, partition, &used);
}

/* --- updates --- */

size_t usage_partition(size_t mailboxes)
{
	return store.kv->atomic_partitions ? mailboxes : 0;
}

int usage_update(uint64_t mailbox, ph_kv_run *run, void *arg, struct ph_error *error)
{
	const struct ph_kv_partition partitions[] = { mailbox_partition(mailbox),
		account_partition(mailbox_account(mailbox)) };

	return store.kv->update(partitions, store.kv->atomic_partitions ? 2 : 1, NULL, 0, run, arg, error);
}

struct reserving {
	struct usage more;
	bool enforce;
};

static int reserve(struct ph_kv_txn *txn, void *arg)
{
	const struct reserving *reserving = arg;
	int result = reserving->enforce ? usage_check(txn, 0, &reserving->more) : 0;

	return result < 0 ? result : usage_add(txn, 0, &reserving->more);
}

int usage_reserve(ph_account_id account, const struct usage *more, bool enforce, struct ph_error *error)
{
	struct reserving reserving = { *more, enforce };

	if (store.kv->atomic_partitions || (more->bytes == 0 && more->messages == 0))
		return 0;
	return store_update(account_partition(account), reserve, &reserving, error);
}

void usage_release(ph_account_id account, const struct usage *less)
{
	const struct usage more = { -less->bytes, -less->messages };
	struct ph_error error = { 0 };

	/* What was done is done: a sum that stays too large is not its failure. */
	if (usage_reserve(account, &more, false, &error) < 0)
		ph_log(PH_LOG_WARN, "an account's usage is counted too high",
			PH_LOG_NUMBER("account", account), PH_LOG_ERROR_DETAIL(&error));
}

void usage_withdraw(ph_account_id account, const struct usage *reserved, int code)
{
	if (code != PH_E_UNAVAILABLE)
		usage_release(account, reserved);
}

/* --- the account's quota --- */

struct quota_reading {
	struct usage used, limits;
};

static int read_quota(struct ph_kv_txn *txn, void *arg)
{
	struct quota_reading *reading = arg;
	int result = check_account(txn, 0);

	if (result == 0)
		result = usage_get(txn, 0, &reading->used);
	return result < 0 ? result : get_limits(txn, 0, &reading->limits);
}

int account_quota(struct ph_actor actor, ph_account_id id, struct ph_quota *quota_r, struct ph_error *error)
{
	struct quota_reading reading = { 0 };
	struct usage limits;
	int result = PH_E_ABSENT;

	if (store_may_use(actor, id))
		result = store_read(account_partition(id), read_quota, &reading, error);
	limits = effective(reading.limits);
	*quota_r = (struct ph_quota){
		.bytes = (uint64_t)reading.used.bytes,
		.messages = (uint64_t)reading.used.messages,
		.limits = { limits.bytes, limits.messages },
		.own = { reading.limits.bytes, reading.limits.messages },
	};
	return store_explain(result, "account", error);
}

static int write_limits(struct ph_kv_txn *txn, void *arg)
{
	int result = check_account(txn, 0);

	return result < 0 ? result : put(txn, 0, 'Q', arg);
}

int account_set_quota(
	struct ph_actor actor, ph_account_id id, const struct ph_quota_limits *limits, struct ph_error *error)
{
	struct usage record = { limits->bytes, limits->messages };
	int result = PH_E_ABSENT;

	if (actor.system && id != 0)
		result = store_update(account_partition(id), write_limits, &record, error);
	return store_explain(result, "account", error);
}
