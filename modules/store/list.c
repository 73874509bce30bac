/* Listing an account's mailboxes: those that are, those that are subscribed to, and the levels above them
 * that are neither. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "account.h"
#include "mailbox.h"

struct listing {
	struct ph_pool *pool;
	struct ph_mailbox_entry *entries; /* in the pool */
	size_t count, capacity;
};

/* All of them, or NULL when the pool has no more room. */
static struct ph_mailbox_entry *add_entry(struct listing *listing, struct ph_str name)
{
	struct ph_mailbox_entry *entry;

	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
		struct ph_mailbox_entry *more = ph_pool_array(listing->pool, capacity, sizeof(*more));

		if (!more)
			return NULL;
		if (listing->count > 0)
			memcpy(more, listing->entries, listing->count * sizeof(*more));
		listing->entries = more;
		listing->capacity = capacity;
	}
	entry = &listing->entries[listing->count];
	*entry = (struct ph_mailbox_entry){ .name = ph_pool_str(listing->pool, name) };
	if (!entry->name.data)
		return NULL;
	listing->count++;
	return entry;
}

static int add_mailboxes(struct ph_kv_cursor *cursor, struct listing *listing)
{
	struct mailbox_record record;
	struct ph_mailbox_entry *entry;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 'm'), &found, &value);

	while (result == 0 && found.data[0] == 'm') {
		result = mailbox_record_decode(value, &record);
		if (result < 0)
			return result;
		entry = add_entry(listing, record.name);
		if (!entry)
			return PH_E_LIMIT;
		entry->exists = true;
		entry->special_use = record.special_use;
		result = store.kv->next(cursor, &found, &value);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int add_subscriptions(struct ph_kv_cursor *cursor, struct listing *listing)
{
	struct ph_mailbox_entry *entry;
	struct ph_str found, value;
	struct key key;
	int result = store.kv->seek(cursor, key_plain(&key, 's'), &found, &value);

	while (result == 0 && found.data[0] == 's') {
		entry = add_entry(listing, value);
		if (!entry)
			return PH_E_LIMIT;
		entry->subscribed = true;
		result = store.kv->next(cursor, &found, &value);
	}
	return result == PH_E_ABSENT ? 0 : result;
}

static int read_names(struct ph_kv_txn *txn, void *arg)
{
	struct listing *listing = arg;
	struct account_counters counters;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	int result = account_counters_get(txn, 0, &counters);

	listing->count = 0;
	if (result == 0)
		result = add_mailboxes(cursor, listing);
	return result < 0 ? result : add_subscriptions(cursor, listing);
}

static int compare(const void *a, const void *b)
{
	const struct ph_mailbox_entry *x = a, *y = b;

	return name_compare(x->name, y->name);
}

/* Sorts, and makes one entry of those with the same name. */
static void merge(struct listing *listing)
{
	size_t kept = 0;

	qsort(listing->entries, listing->count, sizeof(*listing->entries), compare);
	for (size_t i = 0; i < listing->count; i++) {
		struct ph_mailbox_entry *entry = &listing->entries[i];
		struct ph_mailbox_entry *last = kept > 0 ? &listing->entries[kept - 1] : NULL;

		if (!last || !ph_str_eq(last->name, entry->name)) {
			listing->entries[kept++] = *entry;
			continue;
		}
		last->exists |= entry->exists;
		last->subscribed |= entry->subscribed;
		last->special_use |= entry->special_use;
	}
	listing->count = kept;
}

/* The levels above `name` that do not lead to the entry before it, which has been listed with its own. */
static int add_missing_parents(struct listing *listing, struct ph_str name, struct ph_str before)
{
	for (size_t end = 0; end < name.len; end++) {
		struct ph_str parent = ph_str_slice(name, 0, end);

		if (name.data[end] != '/' || ph_str_eq(before, parent) || name_is_below(before, parent))
			continue;
		if (!add_entry(listing, parent))
			return PH_E_LIMIT;
	}
	return 0;
}

static int add_parents(struct listing *listing)
{
	struct ph_str before = { NULL, 0 };
	size_t count = listing->count;

	for (size_t i = 0; i < count; i++) {
		struct ph_str name = listing->entries[i].name;

		if (add_missing_parents(listing, name, before) < 0)
			return PH_E_LIMIT;
		before = name;
	}
	return 0;
}

/* From the last to the first, since those below a name come right behind it. A subscription is no child. */
static void mark_parents(struct listing *listing)
{
	struct ph_str mailbox = { NULL, 0 };

	for (size_t i = listing->count; i > 0; i--) {
		struct ph_mailbox_entry *entry = &listing->entries[i - 1];

		entry->has_children = name_is_below(mailbox, entry->name);
		if (entry->exists)
			mailbox = entry->name;
	}
}

int mailbox_list(struct ph_actor actor, ph_account_id account, struct ph_pool *pool,
	struct ph_mailbox_entry **entries_r, size_t *count_r, struct ph_error *error)
{
	struct listing listing = { .pool = pool };
	int result = PH_E_ABSENT;

	if (store_may_use(actor, account))
		result = store_read(account_partition(account), read_names, &listing, error);
	if (result == 0 && listing.count > 0) {
		merge(&listing);
		result = add_parents(&listing);
		merge(&listing);
		mark_parents(&listing);
	}
	*entries_r = listing.entries;
	*count_r = listing.count;
	return store_explain(result, "account", error);
}
