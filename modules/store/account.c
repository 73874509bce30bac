/* The directory of accounts.
 *
 * Each step below is an update of one partition, in such an order that stopping between two leaves nothing
 * that is seen: an account is made ready under the next free number first, and then entered in the directory;
 * a removed one leaves the directory first, and its mail then. */
#include <config.h>

#include "account.h"

#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "mailbox.h"
#include "remove.h"

/* How often somebody else may be faster. */
#define ATTEMPTS 100

int account_counters_get(struct ph_kv_txn *txn, size_t partition, struct account_counters *counters_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, partition, key_plain(&key, 'c'), &value);

	return result < 0 ? result : account_counters_decode(value, counters_r);
}

int account_counters_put(struct ph_kv_txn *txn, size_t partition, const struct account_counters *counters)
{
	char bytes[ACCOUNT_COUNTERS_SIZE];
	struct key key;

	account_counters_encode(counters, bytes);
	return store.kv->put(txn, partition, key_plain(&key, 'c'), ph_str_of(bytes, sizeof(bytes)));
}

/* --- finding --- */

struct account_search {
	struct ph_actor actor;
	struct ph_str address; /* in lower case */
	struct ph_pool *pool;
	struct ph_account *account;
};

static int get_number(struct ph_kv_txn *txn, struct ph_str key, uint64_t *number_r)
{
	struct ph_str value;
	int result = store.kv->get(txn, 0, key, &value);

	if (result < 0)
		return result;
	if (value.len != 8)
		return PH_E_CORRUPT;
	*number_r = ph_bytes_get64(value.data);
	return 0;
}

static int put_number(struct ph_kv_txn *txn, struct ph_str key, uint64_t number)
{
	char bytes[8];

	ph_bytes_put64(bytes, number);
	return store.kv->put(txn, 0, key, ph_str_of(bytes, sizeof(bytes)));
}

int account_record_get(struct ph_kv_txn *txn, ph_account_id id, struct account_record *record_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_64(&key, 'i', id), &value);

	return result < 0 ? result : account_record_decode(value, record_r);
}

static int copy_account(struct ph_kv_txn *txn, ph_account_id id, const struct account_search *search,
	struct ph_account *account_r)
{
	struct account_record record;
	int result = account_record_get(txn, id, &record);

	if (result < 0)
		return result;
	*account_r = (struct ph_account){
		.id = id,
		.address = ph_pool_str(search->pool, record.address),
		.disabled = record.disabled,
		.created = record.created,
	};
	if (search->actor.system)
		account_r->password_hash = ph_pool_str(search->pool, record.password_hash);
	return 0;
}

int account_id_get(struct ph_kv_txn *txn, struct ph_str address, ph_account_id *id_r)
{
	struct key key;

	return get_number(txn, key_text(&key, 'a', address), id_r);
}

static int find(struct ph_kv_txn *txn, void *arg)
{
	struct account_search *search = arg;
	ph_account_id id;
	int result = account_id_get(txn, search->address, &id);

	return result < 0 ? result : copy_account(txn, id, search, search->account);
}

int account_find(struct ph_actor actor, struct ph_str address, struct ph_pool *pool,
	struct ph_account *account_r, struct ph_error *error)
{
	struct account_search search = { .actor = actor, .pool = pool, .account = account_r };
	struct ph_address parsed;
	int result = PH_E_ABSENT;

	if (store.address->parse(address, PH_ADDRESS_UTF8, pool, &parsed) == 0) {
		search.address = store.address->key(&parsed, pool);
		result = store_read(directory_partition(), find, &search, error);
	}
	if (result == 0 && !store_may_use(actor, account_r->id))
		result = PH_E_ABSENT;
	return store_explain(result, "account", error);
}

struct account_listing {
	struct account_search search;
	struct ph_account *accounts; /* room grows in the pool */
	size_t count, capacity;
};

static struct ph_account *add_account(struct account_listing *listing)
{
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity ? listing->capacity * 2 : 16;
		struct ph_account *more = ph_pool_array(listing->search.pool, capacity, sizeof(*more));

		if (!more)
			return NULL;
		if (listing->count > 0)
			memcpy(more, listing->accounts, listing->count * sizeof(*more));
		listing->accounts = more;
		listing->capacity = capacity;
	}
	return &listing->accounts[listing->count++];
}

static int list_all(struct ph_kv_txn *txn, void *arg)
{
	struct account_listing *listing = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'a'), &found, &value);

	listing->count = 0;
	while (result == 0 && found.data[0] == 'a') {
		struct ph_account *account = add_account(listing);

		if (!account)
			return PH_E_LIMIT;
		if (value.len != 8)
			return PH_E_CORRUPT;
		result = copy_account(txn, ph_bytes_get64(value.data), &listing->search, account);
		if (result == 0)
			result = store.kv->next(cursor, &found, &value);
		else if (result == PH_E_ABSENT)
			return PH_E_CORRUPT;
	}
	return result == PH_E_ABSENT ? 0 : result;
}

int account_list(struct ph_actor actor, struct ph_pool *pool, struct ph_account **accounts_r, size_t *count_r,
	struct ph_error *error)
{
	struct account_listing listing = { .search = { .actor = actor, .pool = pool } };
	int result =
		actor.system ? store_read(directory_partition(), list_all, &listing, error) : PH_E_ABSENT;

	*accounts_r = listing.accounts;
	*count_r = listing.count;
	return store_explain(result, "list of accounts", error);
}

static int count_domain(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *domain = arg;
	struct key key;
	uint64_t count;

	return get_number(txn, key_text(&key, 'd', *domain), &count);
}

int account_domain_is_local(struct ph_str domain, bool *local_r, struct ph_error *error)
{
	int result;

	*local_r = true;
	for (size_t i = 0; i < store.domains->count; i++) {
		if (ph_str_case_eq(domain, ph_str(store.domains->items[i])))
			return 0;
	}
	*local_r = false;
	if (domain.len == 0 || domain.len > PH_ADDRESS_DOMAIN_MAX)
		return 0;
	result = store_read(directory_partition(), count_domain, &domain, error);
	*local_r = result == 0;
	return result == PH_E_ABSENT ? 0 : result;
}

/* --- creating --- */

struct account_making {
	struct ph_str address; /* as it was given, the domain in lower case */
	struct ph_str key;     /* in lower case */
	struct ph_str domain;
	struct ph_str password_hash;
	bool bare;             /* no mailbox but INBOX */
	ph_account_id id;      /* the next free one */
	uint32_t uid_validity; /* to begin with */
	int64_t now;
};

static int get_directory(struct ph_kv_txn *txn, struct directory_counters *counters_r)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_plain(&key, 'n'), &value);

	*counters_r = (struct directory_counters){ .next_account = 1 };
	if (result == PH_E_ABSENT)
		return 0;
	return result < 0 ? result : directory_counters_decode(value, counters_r);
}

static int put_directory(struct ph_kv_txn *txn, const struct directory_counters *counters)
{
	char bytes[DIRECTORY_COUNTERS_SIZE];
	struct key key;

	directory_counters_encode(counters, bytes);
	return store.kv->put(txn, 0, key_plain(&key, 'n'), ph_str_of(bytes, sizeof(bytes)));
}

static int check_free(struct ph_kv_txn *txn, struct ph_str address)
{
	struct key key;
	uint64_t number;
	int result = get_number(txn, key_text(&key, 'a', address), &number);

	if (result == 0)
		return PH_E_EXISTS;
	return result == PH_E_ABSENT ? 0 : result;
}

static int plan(struct ph_kv_txn *txn, void *arg)
{
	struct account_making *making = arg;
	struct directory_counters counters;
	int result = check_free(txn, making->key);

	if (result == 0)
		result = get_directory(txn, &counters);
	if (result < 0)
		return result;
	making->id = counters.next_account;
	making->uid_validity = (uint32_t)making->now;
	if (making->uid_validity < counters.uid_validity)
		making->uid_validity = counters.uid_validity;
	return 0;
}

static int prepare(struct ph_kv_txn *txn, void *arg)
{
	const struct account_making *making = arg;
	struct account_counters counters;
	int result = account_counters_get(txn, 0, &counters);

	if (result != PH_E_ABSENT)
		return result;
	counters = (struct account_counters){ 1, making->uid_validity, 0 };
	return account_counters_put(txn, 0, &counters);
}

static int add_to_domain(struct ph_kv_txn *txn, struct ph_str domain)
{
	struct key key;
	uint64_t count = 0;
	int result = get_number(txn, key_text(&key, 'd', domain), &count);

	if (result < 0 && result != PH_E_ABSENT)
		return result;
	return put_number(txn, key_text(&key, 'd', domain), count + 1);
}

static int put_record(struct ph_kv_txn *txn, ph_account_id id, const struct account_record *record)
{
	char bytes[ACCOUNT_RECORD_MAX];
	struct key key;
	size_t size = account_record_encode(record, bytes);

	if (size == 0)
		return PH_E_LIMIT;
	return store.kv->put(txn, 0, key_64(&key, 'i', id), ph_str_of(bytes, size));
}

static int enter(struct ph_kv_txn *txn, void *arg)
{
	const struct account_making *making = arg;
	const struct account_record record = { making->now, false, making->address, making->password_hash };
	struct directory_counters counters;
	struct key key;
	int result = check_free(txn, making->key);

	if (result == 0)
		result = get_directory(txn, &counters);
	if (result < 0)
		return result;
	if (counters.next_account != making->id)
		return PH_E_STALE;
	counters.next_account++;
	result = put_record(txn, making->id, &record);
	if (result == 0)
		result = put_number(txn, key_text(&key, 'a', making->key), making->id);
	if (result == 0)
		result = add_to_domain(txn, making->domain);
	return result < 0 ? result : put_directory(txn, &counters);
}

static int make_mailboxes(ph_account_id id, bool bare, struct ph_error *error)
{
	const struct store_special_use *uses = &store.config->special_use;
	const struct {
		const char *name;
		unsigned use;
	} mailboxes[] = {
		{ "INBOX", 0 },
		{ uses->archive, PH_USE_ARCHIVE },
		{ uses->drafts, PH_USE_DRAFTS },
		{ uses->junk, PH_USE_JUNK },
		{ uses->sent, PH_USE_SENT },
		{ uses->trash, PH_USE_TRASH },
	};

	for (size_t i = 0; i < (bare ? 1 : sizeof(mailboxes) / sizeof(*mailboxes)); i++) {
		struct ph_str name = ph_str(mailboxes[i].name);
		int result = name.len == 0
				     ? 0
				     : mailbox_create(PH_ACTOR_SYSTEM, id, name, mailboxes[i].use, error);

		if (result < 0 && result != PH_E_EXISTS)
			return result;
	}
	return 0;
}

static int try_create(struct account_making *making, struct ph_error *error)
{
	int result = store_read(directory_partition(), plan, making, error);

	if (result == 0)
		result = store_update(account_partition(making->id), prepare, making, error);
	if (result == 0)
		result = make_mailboxes(making->id, making->bare, error);
	if (result == 0)
		result = store_update(directory_partition(), enter, making, error);
	return result;
}

static int parse_address(struct account_making *making, struct ph_str address, struct ph_pool *pool)
{
	struct ph_address parsed;

	if (store.address->parse(address, PH_ADDRESS_UTF8, pool, &parsed) < 0)
		return PH_E_INVALID;
	making->address = store.address->format(&parsed, pool);
	making->key = store.address->key(&parsed, pool);
	making->domain = parsed.domain;
	return 0;
}

static int create(struct ph_actor actor, struct ph_str address, struct ph_str password_hash, bool bare,
	ph_account_id *id_r, struct ph_error *error)
{
	struct account_making making = { .password_hash = password_hash, .bare = bare, .now = ph_clock() };
	struct ph_pool *pool = ph_pool_new(0);
	int result = actor.system ? parse_address(&making, address, pool) : PH_E_DENIED;
	int attempt = 0;

	if (result == PH_E_INVALID)
		result = ph_error_set(error, result, "not a mail address", NULL);
	else if (result < 0)
		result = store_explain(result, "account", error);
	else {
		do {
			result = try_create(&making, error);
		} while (result == PH_E_STALE && ++attempt < ATTEMPTS);
		result = store_explain(result, "account", error);
	}
	*id_r = making.id;
	ph_pool_free(&pool);
	return result;
}

int account_create(struct ph_actor actor, struct ph_str address, struct ph_str password_hash,
	ph_account_id *id_r, struct ph_error *error)
{
	return create(actor, address, password_hash, false, id_r, error);
}

int account_create_bare(
	struct ph_str address, struct ph_str password_hash, ph_account_id *id_r, struct ph_error *error)
{
	return create(PH_ACTOR_SYSTEM, address, password_hash, true, id_r, error);
}

/* --- changing --- */

static int skip_numbers(struct ph_kv_txn *txn, void *arg)
{
	const struct account_numbers *numbers = arg;
	struct directory_counters counters;
	int result = get_directory(txn, &counters);

	if (result < 0)
		return result;
	counters.next_account += numbers->skip;
	if (counters.uid_validity < numbers->uid_validity)
		counters.uid_validity = numbers->uid_validity;
	return put_directory(txn, &counters);
}

int account_skip_numbers(struct account_numbers numbers, struct ph_error *error)
{
	return store_update(directory_partition(), skip_numbers, &numbers, error);
}

struct password_setting {
	ph_account_id id;
	struct ph_str password_hash;
};

static int set_password(struct ph_kv_txn *txn, void *arg)
{
	const struct password_setting *setting = arg;
	struct account_record record;
	char address[PH_ADDRESS_LOCAL_MAX * 2 + PH_ADDRESS_DOMAIN_MAX + 8];
	int result = account_record_get(txn, setting->id, &record);

	if (result < 0)
		return result;
	if (record.address.len > sizeof(address))
		return PH_E_CORRUPT;
	memcpy(address, record.address.data, record.address.len);
	record.address.data = address;
	record.password_hash = setting->password_hash;
	return put_record(txn, setting->id, &record);
}

int account_set_password(
	struct ph_actor actor, ph_account_id id, struct ph_str password_hash, struct ph_error *error)
{
	struct password_setting setting = { id, password_hash };
	int result = PH_E_ABSENT;

	if (store_may_use(actor, id))
		result = store_update(directory_partition(), set_password, &setting, error);
	return store_explain(result, "account", error);
}

/* --- removing --- */

struct account_removal {
	ph_account_id id;
	struct ph_str key, domain;
	uint32_t uid_validity; /* the account's next */
};

static int read_uid_validity(struct ph_kv_txn *txn, void *arg)
{
	struct account_removal *removal = arg;
	struct account_counters counters = { 0 };
	int result = account_counters_get(txn, 0, &counters);

	removal->uid_validity = counters.next_uid_validity;
	return result;
}

static int leave_domain(struct ph_kv_txn *txn, struct ph_str domain)
{
	struct key key;
	uint64_t count;
	int result = get_number(txn, key_text(&key, 'd', domain), &count);

	if (result < 0)
		return result == PH_E_ABSENT ? 0 : result;
	if (count > 1)
		return put_number(txn, key_text(&key, 'd', domain), count - 1);
	return store.kv->del(txn, 0, key_text(&key, 'd', domain));
}

static int leave(struct ph_kv_txn *txn, void *arg)
{
	const struct account_removal *removal = arg;
	struct directory_counters counters;
	struct account_record record;
	struct key key;
	int result = account_record_get(txn, removal->id, &record);

	if (result == 0)
		result = get_directory(txn, &counters);
	if (result < 0)
		return result;
	if (counters.uid_validity < removal->uid_validity)
		counters.uid_validity = removal->uid_validity;
	result = store.kv->del(txn, 0, key_text(&key, 'a', removal->key));
	if (result == 0)
		result = leave_domain(txn, removal->domain);
	if (result == 0)
		result = store.kv->del(txn, 0, key_64(&key, 'i', removal->id));
	if (result == 0)
		result = store.kv->put(txn, 0, key_64(&key, 'r', removal->id), PH_STR(""));
	return result < 0 ? result : put_directory(txn, &counters);
}

struct account_lookup {
	struct account_search search;
	ph_account_id id;
};

static int find_by_id(struct ph_kv_txn *txn, void *arg)
{
	struct account_lookup *lookup = arg;

	return copy_account(txn, lookup->id, &lookup->search, lookup->search.account);
}

static int remove_found(ph_account_id id, struct ph_pool *pool, struct ph_error *error)
{
	struct ph_account account;
	struct account_making address = { 0 };
	struct account_lookup lookup = { { .pool = pool, .account = &account }, id };
	struct account_removal removal = { .id = id };
	struct ph_error left = { 0 };
	int result = store_read(directory_partition(), find_by_id, &lookup, error);

	if (result == 0)
		result = store_read(account_partition(id), read_uid_validity, &removal, error);
	if (result == 0)
		result = parse_address(&address, account.address, pool) < 0 ? PH_E_CORRUPT : 0;
	if (result < 0)
		return result;
	removal.key = address.key;
	removal.domain = address.domain;
	result = store_update(directory_partition(), leave, &removal, &left);
	if (result < 0 && error)
		*error = left;
	if (result == 0 ? remove_account(id, &left) < 0 : result == PH_E_UNAVAILABLE)
		remove_later(&left);
	return result;
}

int account_remove(struct ph_actor actor, ph_account_id id, struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	int result = actor.system ? remove_found(id, pool, error) : PH_E_ABSENT;

	ph_pool_free(&pool);
	return store_explain(result, "account", error);
}
