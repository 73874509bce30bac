/* What a kv with a fault does: it tells precisely, and nothing is changed. */
#include <config.h>

#include <stdlib.h>

#include "../unit/temporary.h"
#include "kv.h"
#include "kv_faulty.h"

static const struct kv_provider *inner;
static struct kv_provider outer;
static const struct ph_kv_service *kv;
static const struct ph_kv_partition partition = { 1, 1 };

static int open_outer(const char *directory, struct ph_error *error)
{
	int result = inner->open(directory, error);

	kv_faulty(inner->service);
	return result;
}

/* --- one update that calls everything --- */

static struct ph_kv_draft *draft;
static bool careless; /* the function goes on when a call fails, and says that all is well */

static int step(int result, int *first)
{
	if (*first == 0 && result != PH_E_ABSENT)
		*first = result;
	return careless ? 0 : *first;
}

static int change_all(struct ph_kv_txn *txn, void *arg)
{
	const char *value = arg;
	struct ph_kv_cursor *cursor = kv->cursor(txn, 0);
	struct ph_str found, key;
	int first = 0;

	if (step(kv->get(txn, 0, PH_STR("key"), &found), &first) < 0 ||
		step(kv->seek(cursor, PH_STR(""), &key, &found), &first) < 0 ||
		step(kv->next(cursor, &key, &found), &first) < 0 ||
		step(kv->seek_last(cursor, PH_STR("z"), &key, &found), &first) < 0 ||
		step(kv->put(txn, 0, PH_STR("key"), ph_str(value)), &first) < 0 ||
		step(kv->del(txn, 0, PH_STR("other")), &first) < 0 ||
		step(kv->blob_add_reference(txn, kv->draft_id(draft)), &first) < 0 ||
		step(kv->blob_add_reference(txn, kv->draft_id(draft)), &first) < 0 ||
		step(kv->blob_drop_reference(txn, kv->draft_id(draft)), &first) < 0)
		return first;
	return 0;
}

static int put_two(struct ph_kv_txn *txn, void *arg)
{
	int result = kv->put(txn, 0, PH_STR("key"), ph_str(arg));

	return result < 0 ? result : kv->put(txn, 0, PH_STR("other"), PH_STR("there"));
}

static int check_value(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;
	int result = kv->get(txn, 0, PH_STR("key"), &value);

	if (result == 0)
		ck_assert(ph_str_eq(value, ph_str(arg)));
	return result;
}

static int check_other(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;

	ck_assert_int_eq(kv->get(txn, 0, PH_STR("other"), &value), *(int *)arg);
	return 0;
}

/* Is the blob there, once? */
static int drop(struct ph_kv_txn *txn, void *arg)
{
	return kv->blob_drop_reference(txn, *(struct ph_kv_blob_id *)arg);
}

static void expect_state(bool changed)
{
	struct ph_kv_blob_id id = kv->draft_id(draft);
	int other = changed ? PH_E_ABSENT : 0;

	ck_assert_int_eq(
		kv->read(&partition, 1, check_value, (void *)(uintptr_t)(changed ? "new" : "old"), NULL), 0);
	ck_assert_int_eq(kv->read(&partition, 1, check_other, &other, NULL), 0);
	ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, drop, &id, NULL), changed ? 0 : PH_E_ABSENT);
	ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, drop, &id, NULL), PH_E_ABSENT);
}

static const struct {
	unsigned calls;
	int code, told;
	bool changed;
	unsigned many; /* so many calls there are at least */
} update_faults[] = {
	{ FAULTY_UPDATE, PH_E_FULL, PH_E_FULL, false, 1 },
	{ FAULTY_UPDATE, PH_E_IO, PH_E_IO, false, 1 },
	{ FAULTY_UPDATE, PH_E_UNAVAILABLE, PH_E_UNAVAILABLE, false, 1 },
	{ FAULTY_CONFIRM, PH_E_IO, PH_E_UNAVAILABLE, true, 1 },
	{ FAULTY_INSIDE, PH_E_FULL, PH_E_FULL, false, 9 },
	{ FAULTY_INSIDE, PH_E_IO, PH_E_IO, false, 9 },
};

/* Tells whether the fault was reached. */
static bool try_fault(size_t index, unsigned nth)
{
	struct ph_error error = { 0 };
	bool struck;
	int result;

	ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, put_two, (void *)(uintptr_t) "old", NULL), 0);
	draft = kv->draft_new();
	ck_assert_int_eq(kv->draft_write(draft, PH_STR("bytes"), NULL), 0);
	kv_faulty_arm(update_faults[index].calls, nth, update_faults[index].code);
	result = kv->update(&partition, 1, &draft, 1, change_all, (void *)(uintptr_t) "new", &error);
	struck = kv_faulty_disarm();
	ck_assert_int_eq(result, struck ? update_faults[index].told : 0);
	ck_assert_int_eq(error.code, result);
	expect_state(!struck || update_faults[index].changed);
	kv->draft_free(&draft);
	return struck;
}

START_TEST(a_failing_update_is_told)
{
	for (int round = 0; round < 2; round++) {
		unsigned nth = 1;

		careless = round == 1;
		while (try_fault((size_t)_i, nth))
			nth++;
		ck_assert_uint_gt(nth, update_faults[_i].many);
	}
}
END_TEST

START_TEST(a_failing_read_is_told)
{
	struct ph_error error = { 0 };
	char value[] = "old";

	ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, put_two, value, NULL), 0);
	for (unsigned nth = 1; nth <= 2; nth++) {
		kv_faulty_arm(FAULTY_READ, nth, PH_E_IO);
		ck_assert_int_eq(kv->read(&partition, 1, check_value, value, &error), PH_E_IO);
		ck_assert_int_eq(error.code, PH_E_IO);
		ck_assert(kv_faulty_disarm());
	}
	ck_assert_int_eq(kv->read(&partition, 1, check_value, value, NULL), 0);
}
END_TEST

static int add(struct ph_kv_txn *txn, void *arg)
{
	return kv->blob_add_reference(txn, *(struct ph_kv_blob_id *)arg);
}

START_TEST(failing_blobs_are_told)
{
	struct ph_error error = { 0 };
	struct ph_kv_blob_id id;
	struct ph_kv_blob *blob;
	struct ph_str bytes;

	draft = kv->draft_new();
	id = kv->draft_id(draft);
	ck_assert_int_eq(kv->draft_write(draft, PH_STR("bytes"), NULL), 0);
	kv_faulty_arm(FAULTY_DRAFT, 1, PH_E_FULL);
	ck_assert_int_eq(kv->draft_write(draft, PH_STR("more"), &error), PH_E_FULL);
	kv_faulty_arm(FAULTY_DRAFT, 1, PH_E_IO);
	ck_assert_int_eq(kv->draft_view(draft, 0, &bytes, &error), PH_E_IO);
	ck_assert_int_eq(kv->draft_view(draft, 0, &bytes, &error), 0);
	ck_assert_int_eq(kv->update(&partition, 1, &draft, 1, add, &id, NULL), 0);
	kv->draft_free(&draft);
	kv_faulty_arm(FAULTY_BLOB, 1, PH_E_IO);
	ck_assert_int_eq(kv->blob_open(id, &blob, &error), PH_E_IO);
	kv_faulty_arm(FAULTY_BLOB, 2, PH_E_CORRUPT);
	ck_assert_int_eq(kv->blob_open(id, &blob, &error), 0);
	ck_assert_int_eq(kv->blob_view(blob, 0, &bytes, &error), PH_E_CORRUPT);
	ck_assert_int_eq(kv->blob_view(blob, 0, &bytes, &error), 0);
	ck_assert(ph_str_eq(bytes, PH_STR("bytes")));
	kv->blob_close(&blob);
}
END_TEST

static char folder[TEMPORARY_MAX];

static void setup(void)
{
	make_temporary(folder);
	ck_assert_int_eq(outer.open(folder, NULL), 0);
}

static void teardown(void)
{
	outer.close();
	remove_temporary(folder);
}

Suite *kv_faulty_contract(const struct kv_provider *provider)
{
	TCase *tests = tcase_create("faults");
	Suite *suite;

	inner = provider;
	outer = *provider;
	outer.service = kv = kv_faulty(provider->service);
	outer.shared = false;
	outer.open = open_outer;
	suite = kv_contract(&outer);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 0);
	tcase_add_loop_test(
		tests, a_failing_update_is_told, 0, sizeof(update_faults) / sizeof(*update_faults));
	tcase_add_test(tests, a_failing_read_is_told);
	tcase_add_test(tests, failing_blobs_are_told);
	suite_add_tcase(suite, tests);
	return suite;
}
