/* A store in a folder of its own, with two accounts, for tests. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <string.h>

#include <posthorn/mem.h>

#include "../../modules/address/syntax.h"
#include "../../modules/mime/service.h"
#include "../../modules/store/store.h"
#include "store_kv.h"
#include "temporary.h"

#define SYSTEM PH_ACTOR_SYSTEM
#define S(text) PH_STR(text)

static const struct ph_store_service *const st = &store_service;

static struct store_fixture {
	char directory[TEMPORARY_MAX];
	struct ph_kv_service kv; /* a copy, so that a test may make less of it */
	struct store_config config;
	struct ph_text_list domains;
	struct ph_pool *pool;
	ph_account_id alice, bob;
} fixture;

static inline void open_kv(void)
{
	char path[TEMPORARY_MAX + 8];

	snprintf(path, sizeof(path), "%s/store", fixture.directory);
	ck_assert_int_eq(store_kv_open(path), 0);
	fixture.kv = store_kv_service();
}

static inline void open_store(void)
{
	const struct store parts = {
		.kv = &fixture.kv,
		.mime = &mime_service,
		.address = &address_service,
		.config = &fixture.config,
		.domains = &fixture.domains,
		.data_directory = fixture.directory,
	};

	ck_assert_int_eq(store_open(&parts, NULL), 0);
}

/* As after the end of all processes. */
static inline void reopen_store(void)
{
	store_close();
	if (store_kv->lasts) {
		store_kv_close();
		open_kv();
	}
	open_store();
}

/* A kv that changes several partitions together can be used as one that does not. */
static inline void use_atomic_partitions(bool use)
{
	fixture.kv.atomic_partitions = use && store_kv->atomic_partitions;
}

static inline void setup_store(void)
{
	static const char *const domains[] = { "Configured.test" };

	make_temporary(fixture.directory);
	fixture.config = (struct store_config){ .mailboxes = 100,
		.depth = 32,
		.keywords = 50,
		.changes = 1000,
		.special_use = { "Archive", "Drafts", "Junk", "", "Trash" } };
	fixture.domains = (struct ph_text_list){ domains, 1 };
	fixture.pool = ph_pool_new(0);
	open_kv();
	open_store();
	ck_assert_int_eq(
		st->account_create(SYSTEM, S("alice@demo.test"), S("hash"), &fixture.alice, NULL), 0);
	ck_assert_int_eq(st->account_create(SYSTEM, S("bob@demo.test"), S("hash"), &fixture.bob, NULL), 0);
}

static inline void teardown_store(void)
{
	store_close();
	store_kv_close();
	ph_pool_free(&fixture.pool);
	remove_temporary(fixture.directory);
}

static inline struct ph_draft *make_draft(struct ph_str text)
{
	struct ph_draft *draft = st->draft_new();

	ck_assert_int_eq(st->draft_write(draft, text, NULL), 0);
	ck_assert_int_eq(st->draft_finish(draft, NULL, NULL), 0);
	return draft;
}

static inline uint32_t deliver_flagged(
	ph_account_id account, const char *mailbox, struct ph_str text, struct ph_flag_list flags)
{
	struct ph_draft *draft = make_draft(text);
	struct ph_destination destination = { account, ph_str(mailbox), false, flags, 1, 0, 0 };

	ck_assert_int_eq(st->deliver(SYSTEM, draft, 1000, 60, &destination, 1, NULL), 0);
	ck_assert_int_eq(destination.result, 0);
	st->draft_free(&draft);
	return destination.uid;
}

static inline uint32_t deliver_text(ph_account_id account, const char *mailbox, const char *text)
{
	return deliver_flagged(account, mailbox, ph_str(text), (struct ph_flag_list){ 0 });
}

static inline struct ph_mailbox *open_mailbox(ph_account_id account, const char *name, bool read_only)
{
	struct ph_mailbox *mailbox;

	ck_assert_int_eq(st->mailbox_open(SYSTEM, account, ph_str(name), read_only, &mailbox, NULL), 0);
	return mailbox;
}

static inline struct ph_mailbox_status status_of(ph_account_id account, const char *name)
{
	struct ph_mailbox_status status;

	ck_assert_int_eq(st->mailbox_status(SYSTEM, account, ph_str(name), &status, NULL), 0);
	return status;
}

static inline struct ph_uid_set uids(uint32_t first, uint32_t last)
{
	struct ph_uid_set set = { 0 };

	st->uid_set_add(&set, first, last);
	return set;
}

/* How many keys there are in a partition. */
static inline int count_key(struct ph_kv_txn *txn, void *arg)
{
	struct ph_kv_cursor *cursor = fixture.kv.cursor(txn, 0);
	struct ph_str key, value;
	unsigned *count = arg;

	*count = 0;
	for (int result = fixture.kv.seek(cursor, S(""), &key, &value); result == 0;
		result = fixture.kv.next(cursor, &key, &value))
		(*count)++;
	return 0;
}

static inline unsigned count_keys(struct ph_kv_partition partition)
{
	unsigned count;

	ck_assert_int_eq(fixture.kv.read(&partition, 1, count_key, &count, NULL), 0);
	return count;
}

#endif
