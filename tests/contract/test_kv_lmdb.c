/* The contract of "kv/1", held by kv_lmdb; and what is its own: running out of room. */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/fiber_main.h"
#include "../unit/temporary.h"
#include "kv.h"
#include "kv_lmdb_journal.h"

static const struct ph_kv_service *const kv = &kv_lmdb_service;
static const struct ph_kv_partition partition = { 1, 1 };

static int open_small(const char *directory, struct ph_error *error)
{
	static const struct kv_lmdb_config config = {
		.map_size = 64 * 1024,
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
	};

	return kv_lmdb_open(directory, &config, 16, error);
}

static const struct kv_provider provider = {
	.name = "kv_lmdb",
	.service = &kv_lmdb_service,
	.lasts = true,
	.shared = true,
	.open = open_small,
	.close = kv_lmdb_close,
};

/* --- no room --- */

/* 0 bytes: deletes. */
static int write_value(struct ph_kv_txn *txn, void *arg)
{
	const size_t *size = arg;
	char *bytes;
	int result;

	if (*size == 0)
		return kv->del(txn, 0, PH_STR("key"));
	bytes = ph_alloc(*size);
	result = kv->put(txn, 0, PH_STR("key"), ph_str_of(bytes, *size));
	free(bytes);
	return result;
}

static int write_size(size_t size)
{
	return kv->update(&partition, 1, NULL, 0, write_value, &size, NULL);
}

static int read_size(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value = { NULL, 0 };
	int result = kv->get(txn, 0, PH_STR("key"), &value);

	*(size_t *)arg = value.len;
	return result == PH_E_ABSENT ? 0 : result;
}

static void expect_size(size_t size)
{
	size_t found;

	ck_assert_int_eq(kv->read(&partition, 1, read_size, &found, NULL), 0);
	ck_assert_uint_eq(found, size);
}

START_TEST(a_full_map_refuses_and_recovers)
{
	static const struct kv_lmdb_config config = {
		.map_size = 1 << 20, .map_max = 2 << 20, .group_updates = 100, .group_size = 1 << 20
	};
	char directory[TEMPORARY_MAX];

	make_temporary(directory);
	ck_assert_int_eq(kv_lmdb_open(directory, &config, 16, NULL), 0);
	ck_assert_int_eq(write_size(600000), 0);
	ck_assert_int_eq(write_size(3000000), PH_E_FULL);
	expect_size(600000);
	ck_assert_int_eq(write_size(0), 0);
	ck_assert_int_eq(write_size(0), 0);
	ck_assert_int_eq(write_size(1000000), 0);
	expect_size(1000000);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

static void limit_files(rlim_t size)
{
	const struct rlimit limit = { size, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Writes beyond the limit fail, as they do on a full disk. */
START_TEST(a_failing_disk_refuses_and_recovers)
{
	char directory[TEMPORARY_MAX], *bytes = ph_alloc(1000000);
	struct ph_kv_draft *draft;

	make_temporary(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	ck_assert_int_eq(write_size(1000), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(200000);
	ck_assert_int_lt(write_size(1000000), 0);
	expect_size(1000);
	ck_assert_int_eq(write_size(2000), 0);
	expect_size(2000);
	draft = kv->draft_new();
	ck_assert_int_eq(kv->draft_write(draft, ph_str_of(bytes, 1000000), NULL), PH_E_FULL);
	ck_assert_int_eq(kv->draft_write(draft, PH_STR("more"), NULL), PH_E_FULL);
	kv->draft_free(&draft);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(write_size(1000000), 0);
	expect_size(1000000);
	kv_lmdb_close();
	ck_assert_int_eq(open_small(directory, NULL), 0);
	expect_size(1000000);
	kv_lmdb_close();
	free(bytes);
	remove_temporary(directory);
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_told)
{
	struct ph_error error = { 0 };

	ck_assert_int_lt(open_small("/proc/none/store", &error), 0);
	ck_assert_ptr_nonnull(strstr(error.detail, "/proc/none/store"));
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tests;

	if (argc == 5 && strcmp(argv[1], "writer") == 0)
		return kv_writer(&provider, argv + 2);
	suite = kv_contract(&provider);
	tests = tcase_create("room");
	tcase_add_test(tests, a_full_map_refuses_and_recovers);
	tcase_add_test(tests, a_failing_disk_refuses_and_recovers);
	tcase_add_test(tests, a_folder_that_cannot_be_is_told);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, kv_lmdb_journal_tests());
	suite_add_tcase(suite, kv_lmdb_layout_tests());
	return fiber_main(suite) | fiber_main(kv_faulty_contract(&provider));
}
