/* The contract of posthorn/kv.h, in one process. */
#include <config.h>

#include "kv.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "../unit/temporary.h"
#include "kv_process.h"

static const struct kv_provider *provider;
static const struct ph_kv_service *kv;
static char directory[TEMPORARY_MAX];

static const struct ph_kv_partition one = { 1, 1 }, two = { 1, 2 };

static void setup(void)
{
	make_temporary(directory);
	ck_assert_int_eq(provider->open(directory, NULL), 0);
}

static void teardown(void)
{
	provider->close();
	remove_temporary(directory);
}

static void reopen(void)
{
	if (!provider->lasts)
		return;
	provider->close();
	ck_assert_int_eq(provider->open(directory, NULL), 0);
}

/* --- small steps as transactions --- */

struct pair {
	const char *key, *value; /* a NULL value deletes, or is absent */
	int result;              /* what the function returns in the end */
};

static int put_pair(struct ph_kv_txn *txn, void *arg)
{
	const struct pair *pair = arg;

	if (pair->value)
		ck_assert_int_eq(kv->put(txn, 0, ph_str(pair->key), ph_str(pair->value)), 0);
	else
		ck_assert_int_eq(kv->del(txn, 0, ph_str(pair->key)), 0);
	return pair->result;
}

static int get_pair(struct ph_kv_txn *txn, void *arg)
{
	const struct pair *pair = arg;
	struct ph_str value = { NULL, 0 };
	int result = kv->get(txn, 0, ph_str(pair->key), &value);

	if (!pair->value)
		ck_assert_int_eq(result, PH_E_ABSENT);
	else
		ck_assert(result == 0 && ph_str_eq(value, ph_str(pair->value)));
	return 0;
}

static int put(struct ph_kv_partition partition, const char *key, const char *value)
{
	struct pair pair = { key, value, 0 };

	return kv->update(&partition, 1, NULL, 0, put_pair, &pair, NULL);
}

static void expect(struct ph_kv_partition partition, const char *key, const char *value)
{
	struct pair pair = { key, value, 0 };

	ck_assert_int_eq(kv->read(&partition, 1, get_pair, &pair, NULL), 0);
}

/* --- keys and values --- */

START_TEST(values_are_kept)
{
	expect(one, "a", NULL);
	ck_assert_int_eq(put(one, "a", "1"), 0);
	ck_assert_int_eq(put(one, "empty", ""), 0);
	ck_assert_int_eq(put(one, "", "no key"), 0);
	expect(one, "a", "1");
	expect(one, "empty", "");
	expect(one, "", "no key");
	expect(two, "a", NULL);
	reopen();
	expect(one, "a", "1");
	ck_assert_int_eq(put(one, "a", "2"), 0);
	expect(one, "a", "2");
	ck_assert_int_eq(put(one, "a", NULL), 0);
	ck_assert_int_eq(put(one, "a", NULL), 0);
	expect(one, "a", NULL);
}
END_TEST

static int read_own_writes(struct ph_kv_txn *txn, void *arg)
{
	char key[PH_KV_KEY_MAX];
	struct ph_str longest = ph_str_of(key, sizeof(key)), value;

	(void)arg;
	memset(key, 'k', sizeof(key));
	ck_assert_int_eq(kv->put(txn, 0, longest, PH_STR("in one")), 0);
	ck_assert_int_eq(kv->get(txn, 0, longest, &value), 0);
	ck_assert(ph_str_eq(value, PH_STR("in one")));
	ck_assert_int_eq(kv->get(txn, 1, longest, &value), PH_E_ABSENT);
	ck_assert_int_eq(kv->put(txn, 1, longest, PH_STR("in two")), 0);
	ck_assert_int_eq(kv->del(txn, 0, longest), 0);
	ck_assert_int_eq(kv->get(txn, 0, longest, &value), PH_E_ABSENT);
	ck_assert_int_eq(kv->get(txn, 1, longest, &value), 0);
	ck_assert(ph_str_eq(value, PH_STR("in two")));
	return 0;
}

START_TEST(an_update_reads_its_own_writes)
{
	const struct ph_kv_partition both[] = { one, two };

	if (!kv->atomic_partitions)
		return;
	ck_assert_int_eq(kv->update(both, 2, NULL, 0, read_own_writes, NULL, NULL), 0);
}
END_TEST

START_TEST(a_failing_update_changes_nothing)
{
	struct pair pair = { "a", "new", PH_E_QUOTA };
	struct ph_error error = { 0 };

	ck_assert_int_eq(put(one, "a", "old"), 0);
	ck_assert_int_eq(kv->update(&one, 1, NULL, 0, put_pair, &pair, &error), PH_E_QUOTA);
	ck_assert_int_eq(error.code, PH_E_QUOTA);
	expect(one, "a", "old");
}
END_TEST

/* Puts, replaces and deletes, some keys twice; takes it back in the end. */
static int change_much(struct ph_kv_txn *txn, void *arg)
{
	(void)arg;
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("a"), PH_STR("new")), 0);
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("a"), PH_STR("newer")), 0);
	ck_assert_int_eq(kv->del(txn, 0, PH_STR("b")), 0);
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("b"), PH_STR("again")), 0);
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("c"), PH_STR("new")), 0);
	ck_assert_int_eq(kv->del(txn, 0, PH_STR("c")), 0);
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("d"), PH_STR("new")), 0);
	ck_assert_int_eq(kv->del(txn, 0, PH_STR("e")), 0);
	return PH_E_LIMIT;
}

START_TEST(all_of_a_failing_update_is_undone)
{
	ck_assert_int_eq(put(one, "a", "1"), 0);
	ck_assert_int_eq(put(one, "b", "2"), 0);
	ck_assert_int_eq(put(one, "e", "5"), 0);
	ck_assert_int_eq(kv->update(&one, 1, NULL, 0, change_much, NULL, NULL), PH_E_LIMIT);
	expect(one, "a", "1");
	expect(one, "b", "2");
	expect(one, "c", NULL);
	expect(one, "d", NULL);
	expect(one, "e", "5");
}
END_TEST

static int put_large(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *value = arg;

	return kv->put(txn, 0, PH_STR("large"), *value);
}

static int get_large(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *expected = arg;
	struct ph_str value;

	ck_assert_int_eq(kv->get(txn, 0, PH_STR("large"), &value), 0);
	ck_assert(ph_str_eq(value, *expected));
	return 0;
}

START_TEST(large_values_make_it_grow)
{
	size_t size = 16 * 1024 * 1024;
	char *bytes = ph_alloc(size);
	struct ph_str value = ph_str_of(bytes, size);

	memset(bytes, 'v', size);
	ck_assert_int_eq(kv->update(&one, 1, NULL, 0, put_large, &value, NULL), 0);
	ck_assert_int_eq(kv->read(&one, 1, get_large, &value, NULL), 0);
	reopen();
	ck_assert_int_eq(kv->read(&one, 1, get_large, &value, NULL), 0);
	free(bytes);
}
END_TEST

/* --- many updates at once --- */

struct group {
	struct ph_signal ended;
	unsigned running;
};

struct member {
	struct group *group;
	unsigned number;
	int result;
};

static struct ph_str member_key(char *bytes, unsigned number)
{
	ph_bytes_put32(bytes, number);
	return ph_str_of(bytes, 4);
}

/* Every third fails, and half of those after having written. */
static int put_member(struct ph_kv_txn *txn, void *arg)
{
	const struct member *member = arg;
	char bytes[4];
	struct ph_str key = member_key(bytes, member->number), value;
	int count = 0;

	if (member->number % 6 == 0)
		return PH_E_QUOTA;
	/* All count in the same place, one after the other. */
	if (kv->get(txn, 0, PH_STR("count"), &value) == 0)
		count = (int)ph_bytes_get32(value.data);
	ck_assert_int_eq(kv->put(txn, 0, key, key), 0);
	ph_bytes_put32(bytes, (uint32_t)count + 1);
	ck_assert_int_eq(kv->put(txn, 0, PH_STR("count"), ph_str_of(bytes, 4)), 0);
	return member->number % 3 == 0 ? PH_E_LIMIT : 0;
}

static void run_member(void *arg)
{
	struct member *member = arg;

	member->result = kv->update(&one, 1, NULL, 0, put_member, member, NULL);
	member->group->running--;
	ph_signal_all(&member->group->ended);
}

static int check_members(struct ph_kv_txn *txn, void *arg)
{
	const struct group *group = arg;
	uint32_t good = 0;
	struct ph_str value;
	char bytes[4];

	(void)group;
	for (unsigned i = 0; i < 300; i++) {
		int result = kv->get(txn, 0, member_key(bytes, i), &value);

		ck_assert_int_eq(result, i % 3 == 0 ? PH_E_ABSENT : 0);
		good += result == 0;
	}
	ck_assert_int_eq(kv->get(txn, 0, PH_STR("count"), &value), 0);
	ck_assert_uint_eq(ph_bytes_get32(value.data), good);
	return 0;
}

START_TEST(failing_updates_do_not_harm_those_beside_them)
{
	static struct member members[300];
	struct group group = { .running = 300 };

	ph_signal_init(&group.ended);
	for (unsigned i = 0; i < 300; i++) {
		members[i] = (struct member){ &group, i, 1 };
		ph_fiber_start("member", run_member, &members[i]);
	}
	while (group.running > 0)
		ph_signal_wait(&group.ended, PH_FOREVER);
	for (unsigned i = 0; i < 300; i++)
		ck_assert_int_eq(members[i].result, i % 6 == 0 ? PH_E_QUOTA : i % 3 == 0 ? PH_E_LIMIT : 0);
	ck_assert_int_eq(kv->read(&one, 1, check_members, &group, NULL), 0);
}
END_TEST

/* --- cursors --- */

static const char *const cursor_keys[] = { "b", "d", "da", "f" };

static void expect_at(int result, struct ph_str key, const char *expected)
{
	if (!expected) {
		ck_assert_int_eq(result, PH_E_ABSENT);
		return;
	}
	ck_assert_int_eq(result, 0);
	ck_assert_msg(ph_str_eq(key, ph_str(expected)), "'%.*s' is not '%s'", PH_STR_ARGS(key), expected);
}

static int check_cursor(struct ph_kv_txn *txn, void *arg)
{
	static const struct {
		const char *seek, *first, *next, *last;
	} cases[] = {
		{ "", "b", "d", NULL },
		{ "a", "b", "d", NULL },
		{ "b", "b", "d", "b" },
		{ "c", "d", "da", "b" },
		{ "d", "d", "da", "d" },
		{ "d\x01", "da", "f", "d" },
		{ "f", "f", NULL, "f" },
		{ "g", NULL, NULL, "f" },
	};
	struct ph_kv_cursor *cursor = kv->cursor(txn, 0);
	struct ph_str key = { NULL, 0 }, value;

	(void)arg;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int result = kv->seek(cursor, ph_str(cases[i].seek), &key, &value);

		expect_at(result, key, cases[i].first);
		if (result == 0) {
			ck_assert(ph_str_eq(key, value));
			result = kv->next(cursor, &key, &value);
			expect_at(result, key, cases[i].next);
		}
		result = kv->seek_last(cursor, ph_str(cases[i].seek), &key, &value);
		expect_at(result, key, cases[i].last);
	}
	return 0;
}

static int check_empty(struct ph_kv_txn *txn, void *arg)
{
	struct ph_kv_cursor *cursor = kv->cursor(txn, 0);
	struct ph_str key, value;

	(void)arg;
	ck_assert_int_eq(kv->seek(cursor, PH_STR(""), &key, &value), PH_E_ABSENT);
	ck_assert_int_eq(kv->seek_last(cursor, PH_STR("z"), &key, &value), PH_E_ABSENT);
	return 0;
}

START_TEST(cursors_stay_in_their_partition)
{
	const struct ph_kv_partition middle = { 2, 500 };
	const struct ph_kv_partition others[] = { { 2, 499 }, { 2, 501 }, { 1, 500 }, { 3, 500 } };

	/* Alone, at the edges of the store, and between neighbours. */
	ck_assert_int_eq(kv->read(&middle, 1, check_empty, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(cursor_keys) / sizeof(*cursor_keys); i++)
		ck_assert_int_eq(put(middle, cursor_keys[i], cursor_keys[i]), 0);
	ck_assert_int_eq(kv->read(&middle, 1, check_cursor, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		ck_assert_int_eq(kv->read(&others[i], 1, check_empty, NULL, NULL), 0);
		ck_assert_int_eq(put(others[i], "c", "other"), 0);
	}
	ck_assert_int_eq(kv->read(&middle, 1, check_cursor, NULL, NULL), 0);
	ck_assert_int_eq(kv->update(&middle, 1, NULL, 0, check_cursor, NULL, NULL), 0);
}
END_TEST

/* --- blobs --- */

static char byte_at(uint64_t offset)
{
	return (char)(offset * 31 + offset / 251);
}

static struct ph_kv_draft *write_draft(size_t size, size_t piece)
{
	struct ph_kv_draft *draft = kv->draft_new();
	char *bytes = ph_alloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(i);
	for (size_t at = 0; at < size; at += piece)
		ck_assert_int_eq(
			kv->draft_write(draft, ph_str_slice(ph_str_of(bytes, size), at, at + piece), NULL),
			0);
	free(bytes);
	ck_assert_uint_eq(kv->draft_size(draft), size);
	return draft;
}

static void check_piece(struct ph_str bytes, uint64_t offset)
{
	bool same = true;

	for (size_t i = 0; i < bytes.len; i++)
		same &= bytes.data[i] == byte_at(offset + i);
	ck_assert(same);
}

static void check_draft(struct ph_kv_draft *draft, size_t size)
{
	struct ph_str bytes;

	for (uint64_t at = 0; at <= size; at += bytes.len ? bytes.len : 1) {
		ck_assert_int_eq(kv->draft_view(draft, at, &bytes, NULL), 0);
		ck_assert((bytes.len > 0) == (at < size));
		check_piece(bytes, at);
	}
}

static void check_open_blob(struct ph_kv_blob *blob, size_t size)
{
	struct ph_str bytes;

	ck_assert_uint_eq(kv->blob_size(blob), size);
	for (uint64_t at = 0; at <= size; at += bytes.len ? bytes.len : 1) {
		ck_assert_int_eq(kv->blob_view(blob, at, &bytes, NULL), 0);
		ck_assert((bytes.len > 0) == (at < size));
		check_piece(bytes, at);
	}
	ck_assert_int_eq(kv->blob_view(blob, size / 2, &bytes, NULL), 0);
	check_piece(bytes, size / 2);
}

static void check_blob(struct ph_kv_blob_id id, size_t size)
{
	struct ph_kv_blob *blob;

	ck_assert_int_eq(kv->blob_open(id, &blob, NULL), 0);
	check_open_blob(blob, size);
	kv->blob_close(&blob);
	ck_assert_ptr_null(blob);
}

static void check_no_blob(struct ph_kv_blob_id id)
{
	struct ph_kv_blob *blob;

	ck_assert_int_eq(kv->blob_open(id, &blob, NULL), PH_E_ABSENT);
}

struct reference {
	struct ph_kv_blob_id id;
	int step; /* references to add; negative: to drop */
	int result;
};

static int refer(struct ph_kv_txn *txn, void *arg)
{
	const struct reference *reference = arg;
	int result = 0;

	for (int i = 0; i < reference->step && result == 0; i++)
		result = kv->blob_add_reference(txn, reference->id);
	for (int i = 0; i > reference->step && result == 0; i--)
		result = kv->blob_drop_reference(txn, reference->id);
	return result ? result : reference->result;
}

static int change_references(struct ph_kv_blob_id id, struct ph_kv_draft *draft, int step, int result)
{
	struct reference reference = { id, step, result };

	return kv->update(&one, 1, &draft, draft ? 1 : 0, refer, &reference, NULL);
}

static const struct {
	size_t size, piece;
} blob_sizes[] = {
	{ 0, 1 },
	{ 1, 1 },
	{ 1000, 7 },
	{ 65511, 65511 },
	{ 65512, 4096 },
	{ 65513, 4096 },
	{ 65535, 8192 },
	{ 65536, 8192 },
	{ 65537, 8192 },
	{ 131024, 60000 },
	{ 262144, 262144 },
	{ 262145, 1000 },
	{ 5 * 1024 * 1024 + 17, 16384 },
};

START_TEST(blobs_come_back_as_they_were)
{
	size_t size = blob_sizes[_i].size;
	struct ph_kv_draft *draft = write_draft(size, blob_sizes[_i].piece);
	struct ph_kv_blob_id id = kv->draft_id(draft);

	check_draft(draft, size);
	check_no_blob(id);
	ck_assert_int_eq(change_references(id, draft, 1, 0), 0);
	kv->draft_free(&draft);
	ck_assert_ptr_null(draft);
	check_blob(id, size);
	reopen();
	check_blob(id, size);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), 0);
	check_no_blob(id);
}
END_TEST

START_TEST(a_draft_without_reference_leaves_nothing)
{
	struct ph_kv_draft *draft = write_draft(300000, 8192);
	struct ph_kv_blob_id id = kv->draft_id(draft);

	ck_assert_int_eq(change_references(id, NULL, 1, 0), PH_E_ABSENT);
	ck_assert_int_eq(change_references(id, draft, 1, PH_E_QUOTA), PH_E_QUOTA);
	check_no_blob(id);
	kv->draft_free(&draft);
	check_no_blob(id);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), PH_E_ABSENT);
}
END_TEST

START_TEST(references_are_counted)
{
	struct ph_kv_draft *draft = write_draft(100, 100);
	struct ph_kv_blob_id id = kv->draft_id(draft);

	ck_assert_int_eq(change_references(id, draft, 2, 0), 0);
	ck_assert_int_eq(change_references(id, draft, 1, 0), 0);
	kv->draft_free(&draft);
	ck_assert_int_eq(change_references(id, NULL, -2, 0), 0);
	check_blob(id, 100);
	ck_assert_int_eq(change_references(id, NULL, 1, 0), 0);
	ck_assert_int_eq(change_references(id, NULL, -1, PH_E_QUOTA), PH_E_QUOTA);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), 0);
	check_blob(id, 100);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), 0);
	check_no_blob(id);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), PH_E_ABSENT);
}
END_TEST

START_TEST(an_open_blob_stays_when_it_is_dropped)
{
	size_t size = 300000;
	struct ph_kv_draft *draft = write_draft(size, 8192);
	struct ph_kv_blob_id id = kv->draft_id(draft);
	struct ph_kv_blob *blob, *again;

	ck_assert_int_eq(change_references(id, draft, 1, 0), 0);
	kv->draft_free(&draft);
	ck_assert_int_eq(kv->blob_open(id, &blob, NULL), 0);
	ck_assert_int_eq(kv->blob_open(id, &again, NULL), 0);
	ck_assert_int_eq(change_references(id, NULL, -1, 0), 0);
	check_no_blob(id);
	kv->blob_close(&again);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(put(one, "something", "else"), 0);
	check_open_blob(blob, size);
	kv->blob_close(&blob);
	ck_assert_int_eq(put(one, "something", "new"), 0);
	check_no_blob(id);
}
END_TEST

/* --- watches --- */

struct seen {
	int calls;
	struct ph_signal signal;
};

static void on_change(void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	ph_signal_all(&seen->signal);
}

START_TEST(watches_are_called)
{
	struct seen seen = { 0 }, other = { 0 };
	struct ph_kv_watch *watch, *other_watch;

	ph_signal_init(&seen.signal);
	ph_signal_init(&other.signal);
	watch = kv->watch(one, on_change, &seen);
	other_watch = kv->watch(two, on_change, &other);
	ck_assert_int_eq(put(one, "a", "1"), 0);
	while (seen.calls == 0)
		ck_assert_int_eq(ph_signal_wait(&seen.signal, ph_now() + 10000), 0);
	ck_assert_int_eq(other.calls, 0);
	kv->unwatch(&watch);
	ck_assert_ptr_null(watch);
	seen.calls = 0;
	ck_assert_int_eq(put(one, "a", "2"), 0);
	ck_assert_int_eq(put(two, "a", "2"), 0);
	while (other.calls == 0)
		ck_assert_int_eq(ph_signal_wait(&other.signal, ph_now() + 10000), 0);
	ck_assert_int_eq(seen.calls, 0);
	kv->unwatch(&other_watch);
	kv->unwatch(&other_watch);
}
END_TEST

/* --- several processes (kv_process.c) --- */

START_TEST(processes_write_side_by_side)
{
	struct kv_writer_process a, b;

	kv_writer_start(&a, directory, 1, 300);
	kv_writer_start(&b, directory, 2, 300);
	kv_writer_wait(&a);
	kv_writer_wait(&b);
	ck_assert_uint_eq(a.durable, 300);
	ck_assert_uint_eq(b.durable, 300);
	kv_check_written(kv, 1, 300);
	kv_check_written(kv, 2, 300);
}
END_TEST

START_TEST(a_killed_process_loses_nothing_it_confirmed)
{
	struct kv_writer_process a, b;

	for (unsigned round = 0; round < 8; round++) {
		kv_writer_start(&a, directory, 10 + round, 0);
		kv_writer_start(&b, directory, 100 + round, 0);
		kv_writer_kill(&a, 20 + 13 * round);
		kv_writer_kill(&b, 40);
		kv_check_written(kv, 10 + round, a.durable);
		kv_check_written(kv, 100 + round, b.durable);
		reopen();
		kv_check_written(kv, 10 + round, a.durable);
	}
}
END_TEST

Suite *kv_contract(const struct kv_provider *provider_)
{
	Suite *suite = suite_create(provider_->name);
	TCase *tests = tcase_create("contract");

	provider = provider_;
	kv = provider->service;
	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, values_are_kept);
	tcase_add_test(tests, an_update_reads_its_own_writes);
	tcase_add_test(tests, a_failing_update_changes_nothing);
	tcase_add_test(tests, all_of_a_failing_update_is_undone);
	tcase_add_test(tests, large_values_make_it_grow);
	tcase_add_test(tests, failing_updates_do_not_harm_those_beside_them);
	tcase_add_test(tests, cursors_stay_in_their_partition);
	tcase_add_loop_test(tests, blobs_come_back_as_they_were, 0, sizeof(blob_sizes) / sizeof(*blob_sizes));
	tcase_add_test(tests, a_draft_without_reference_leaves_nothing);
	tcase_add_test(tests, references_are_counted);
	tcase_add_test(tests, an_open_blob_stays_when_it_is_dropped);
	tcase_add_test(tests, watches_are_called);
	if (provider->shared) {
		tcase_add_test(tests, processes_write_side_by_side);
		tcase_add_test(tests, a_killed_process_loses_nothing_it_confirmed);
	}
	suite_add_tcase(suite, tests);
	return suite;
}
