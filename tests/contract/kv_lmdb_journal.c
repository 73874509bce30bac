/* What is kv_lmdb's own: what it makes of damage, and of space that is not needed any more. */
#include <config.h>

#include "kv_lmdb_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/admin.h"
#include "../../modules/kv_lmdb/file.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/temporary.h"

#define KEPT 5 /* messages that stay while others come and go */
#define MESSAGES 40
#define SIZE 20000

static const struct ph_kv_service *const kv = &kv_lmdb_service;
static const struct ph_kv_partition partition = { 1, 1 };
static char directory[TEMPORARY_MAX];
static struct ph_kv_blob_id ids[MESSAGES];

static int open_store(void)
{
	static const struct kv_lmdb_config config = {
		.map_size = 1 << 20,
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
		.segment_size = 256 << 10,
		.checkpoint_after = 200 << 10,
		.compact_percent = 90,
	};

	return kv_lmdb_open(directory, &config, 16, NULL);
}

static char *path_of(const char *name)
{
	return file_path(directory, name);
}

static void lose(const char *name)
{
	char *path = path_of(name);

	ck_assert_int_eq(unlink(path), 0);
	free(path);
}

static void lose_index(void)
{
	lose("state");
	lose("index/data.mdb");
}

static int put_message(struct ph_kv_txn *txn, void *arg)
{
	const unsigned *number = arg;
	char key[4];

	ph_bytes_put32(key, *number);
	ck_assert_int_eq(kv->put(txn, 0, ph_str_of(key, 4), PH_STR("there")), 0);
	return kv->blob_add_reference(txn, ids[*number]);
}

static int delete_message(struct ph_kv_txn *txn, void *arg)
{
	const unsigned *number = arg;
	char key[4];

	ph_bytes_put32(key, *number);
	ck_assert_int_eq(kv->del(txn, 0, ph_str_of(key, 4)), 0);
	return kv->blob_drop_reference(txn, ids[*number]);
}

static int has_message(struct ph_kv_txn *txn, void *arg)
{
	const unsigned *number = arg;
	struct ph_str value;
	char key[4];

	ph_bytes_put32(key, *number);
	return kv->get(txn, 0, ph_str_of(key, 4), &value);
}

static bool is_there(unsigned number)
{
	return kv->read(&partition, 1, has_message, &number, NULL) == 0;
}

static void store(unsigned number)
{
	struct ph_kv_draft *draft = kv->draft_new();
	char *bytes = ph_alloc(SIZE);

	memset(bytes, 'a' + (int)number % 26, SIZE);
	ids[number] = kv->draft_id(draft);
	ck_assert_int_eq(kv->draft_write(draft, ph_str_of(bytes, SIZE), NULL), 0);
	ck_assert_int_eq(kv->update(&partition, 1, &draft, 1, put_message, &number, NULL), 0);
	kv->draft_free(&draft);
	free(bytes);
}

static int read_blob(unsigned number)
{
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	bool same = true;
	int rc = kv->blob_open(ids[number], &blob, NULL);

	if (rc)
		return rc;
	rc = kv->blob_view(blob, 0, &bytes, NULL);
	for (size_t i = 0; !rc && i < bytes.len; i++)
		same &= bytes.data[i] == 'a' + (int)number % 26;
	ck_assert(same);
	kv->blob_close(&blob);
	return rc;
}

static void setup(void)
{
	make_temporary(directory);
	ck_assert_int_eq(open_store(), 0);
}

static void teardown(void)
{
	kv_lmdb_close();
	remove_temporary(directory);
}

/* --- damage --- */

/* Spoils bytes of the first segment, from where it holds this text on. */
static void spoil(const char *text, size_t behind)
{
	char *path = path_of("journal/0000000000000001"), *bytes = ph_alloc(256 << 10), *at;
	int fd = open(path, O_RDWR);
	ssize_t size = pread(fd, bytes, 256 << 10, 0);

	at = memmem(bytes, (size_t)size, text, strlen(text));
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(pwrite(fd, "spoilt!!", 8, at - bytes + (ssize_t)behind), 8);
	close(fd);
	free(bytes);
	free(path);
}

START_TEST(damaged_bytes_are_told)
{
	for (unsigned i = 0; i < 5; i++)
		store(i);
	kv_lmdb_close();
	spoil("cccccccc", 100);
	ck_assert_int_eq(open_store(), 0);
	for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
		for (unsigned i = 0; i < 5; i++) {
			ck_assert(is_there(i));
			ck_assert_int_eq(read_blob(i), i == 2 ? PH_E_CORRUPT : 0);
		}
		kv_lmdb_close();
		lose_index();
		ck_assert_int_eq(open_store(), 0);
	}
}
END_TEST

START_TEST(a_damaged_record_costs_no_other)
{
	for (unsigned i = 0; i < 5; i++)
		store(i);
	kv_lmdb_close();
	/* What it changes stands behind the message. */
	spoil("cccccccc", SIZE + 10);
	lose_index();
	ck_assert_int_eq(open_store(), 0);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert(is_there(i) == (i != 2));
		ck_assert_int_eq(read_blob(i), i == 2 ? PH_E_ABSENT : 0);
	}
}
END_TEST

static unsigned count_files(const char *name, uint64_t *first_r)
{
	char *path = path_of(name);
	uint64_t *numbers;
	size_t count;

	ck_assert_int_eq(file_numbers(path, &numbers, &count), 0);
	*first_r = count > 0 ? numbers[0] : 0;
	free(numbers);
	free(path);
	return (unsigned)count;
}

/* Stores and deletes, until the first segment is gone. */
static void fill_and_delete(void)
{
	uint64_t first = 1;

	for (unsigned round = 0; round < 100 && first == 1; round++) {
		for (unsigned i = KEPT; i < MESSAGES; i++) {
			if (round > 0)
				ck_assert_int_eq(
					kv->update(&partition, 1, NULL, 0, delete_message, &i, NULL), 0);
			store(i);
		}
		ph_fiber_sleep(20);
		count_files("journal", &first);
	}
	ck_assert_uint_gt(first, 1);
}

static void check_messages(void)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		ck_assert(is_there(i));
		ck_assert_int_eq(read_blob(i), 0);
	}
}

START_TEST(deleted_space_comes_back)
{
	struct ph_kv_blob *blob;
	struct ph_str bytes;

	for (unsigned i = 0; i < KEPT; i++)
		store(i);
	ck_assert_int_eq(kv->blob_open(ids[0], &blob, NULL), 0);
	fill_and_delete();
	ck_assert_int_eq(kv->blob_view(blob, 0, &bytes, NULL), 0);
	ck_assert_int_eq(bytes.data[0], 'a');
	kv->blob_close(&blob);
	check_messages();
	kv_lmdb_close();
	lose_index();
	ck_assert_int_eq(open_store(), 0);
	check_messages();
}
END_TEST

START_TEST(one_damaged_checkpoint_does_no_harm)
{
	uint64_t *numbers;
	size_t count;
	char *folder = path_of("checkpoints"), *path;

	for (unsigned i = 0; i < KEPT; i++)
		store(i);
	fill_and_delete();
	kv_lmdb_close();
	ck_assert_int_eq(file_numbers(folder, &numbers, &count), 0);
	ck_assert_uint_eq(count, 2);
	path = file_number_path(folder, numbers[1]);
	ck_assert_int_eq(truncate(path, 1000), 0);
	lose_index();
	ck_assert_int_eq(open_store(), 0);
	check_messages();
	free(path);
	free(folder);
	free(numbers);
}
END_TEST

START_TEST(a_damaged_index_is_made_anew)
{
	char *path = path_of("index/data.mdb");

	for (unsigned i = 0; i < MESSAGES; i++)
		store(i);
	kv_lmdb_close();
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(truncate(path, 100000), 0);
	ck_assert_int_eq(open_store(), 0);
	check_messages();
	free(path);
}
END_TEST

static ssize_t fail_to_read(int fd, const struct iovec *part, off_t offset, bool wait)
{
	(void)fd, (void)part, (void)offset;
	errno = wait ? EIO : EAGAIN;
	return -1;
}

START_TEST(a_file_that_cannot_be_read_is_told)
{
	store(0);
	file_operations.read = fail_to_read;
	ck_assert_int_eq(read_blob(0), PH_E_IO);
	file_operations.read = file_system_calls.read;
	ck_assert_int_eq(read_blob(0), 0);
}
END_TEST

/* A file that is cut, or a disk that fails, while its bytes are shown. */
START_TEST(what_is_shown_does_not_go_with_its_file)
{
	char *path = path_of("journal/0000000000000001");
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	size_t same = 0;

	store(0);
	ck_assert_int_eq(kv->blob_open(ids[0], &blob, NULL), 0);
	ck_assert_int_eq(kv->blob_view(blob, 0, &bytes, NULL), 0);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_uint_eq(bytes.len, SIZE);
	for (size_t i = 0; i < bytes.len; i++)
		same += bytes.data[i] == 'a';
	ck_assert_uint_eq(same, SIZE);
	kv->blob_close(&blob);
	ck_assert_int_eq(read_blob(0), PH_E_IO);
	free(path);
}
END_TEST

/* --- backups --- */

static int back_up(const char *target, struct backup_figures *figures_r)
{
	int rc;

	/* The keeper may be at work. */
	while ((rc = admin_backup(target, figures_r)) == PH_E_BUSY)
		ph_fiber_sleep(10);
	return rc;
}

START_TEST(a_backup_is_a_store)
{
	char target[TEMPORARY_MAX + 16], original[TEMPORARY_MAX];
	struct backup_figures figures, again;

	snprintf(target, sizeof(target), "%s/backup", directory);
	for (unsigned i = 0; i < MESSAGES; i++)
		store(i);
	ck_assert_int_eq(back_up(target, &figures), 0);
	ck_assert_uint_gt(figures.files, 3);
	for (unsigned i = 0; i < KEPT; i++)
		ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, delete_message, &i, NULL), 0);
	ck_assert_int_eq(back_up(target, &again), 0);
	ck_assert_uint_lt(again.bytes, figures.bytes / 2);
	store(0);
	kv_lmdb_close();
	memcpy(original, directory, sizeof(original));
	snprintf(directory, sizeof(directory), "%.4000s/backup", original);
	ck_assert_int_eq(open_store(), 0);
	for (unsigned i = 0; i < MESSAGES; i++) {
		ck_assert(is_there(i) == (i >= KEPT));
		if (i >= KEPT)
			ck_assert_int_eq(read_blob(i), 0);
	}
	memcpy(directory, original, sizeof(directory));
}
END_TEST

/* --- other layouts --- */

static void write_file(const char *name, const char *text)
{
	char *path = path_of(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

START_TEST(an_unknown_layout_is_refused)
{
	make_temporary(directory);
	write_file("data.mdb", "an earlier one");
	ck_assert_int_eq(open_store(), PH_E_UNSUPPORTED);
	lose("data.mdb");
	write_file("format", "posthorn kv_lmdb 99\n");
	ck_assert_int_eq(open_store(), PH_E_UNSUPPORTED);
	remove_temporary(directory);
}
END_TEST

TCase *kv_lmdb_journal_tests(void)
{
	TCase *tests = tcase_create("journal");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, damaged_bytes_are_told);
	tcase_add_test(tests, a_damaged_record_costs_no_other);
	tcase_add_test(tests, deleted_space_comes_back);
	tcase_add_test(tests, one_damaged_checkpoint_does_no_harm);
	tcase_add_test(tests, a_damaged_index_is_made_anew);
	tcase_add_test(tests, a_file_that_cannot_be_read_is_told);
	tcase_add_test(tests, what_is_shown_does_not_go_with_its_file);
	tcase_add_test(tests, a_backup_is_a_store);
	return tests;
}

TCase *kv_lmdb_layout_tests(void)
{
	TCase *tests = tcase_create("layout");

	tcase_add_test(tests, an_unknown_layout_is_refused);
	return tests;
}
