/* kv_lmdb on a full disk: one of some megabytes, mounted where only this program sees it, is filled to its
 * last byte. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/admin.h"
#include "../../modules/kv_lmdb/file.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/fiber_main.h"
#include "../unit/temporary.h"

#define MB INT64_C(1048576)
#define SIZE 50000 /* of a message */

static const struct ph_kv_service *const kv = &kv_lmdb_service;
static const struct ph_kv_partition partition = { 1, 1 };
static char directory[TEMPORARY_MAX];
static unsigned stored; /* messages, numbered from 0 */

/* --- the disk --- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Who is not root may mount in a namespace where he counts as one. */
static bool become_mounter(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1", getuid(), getuid());
	snprintf(groups, sizeof(groups), "%u %u 1", getgid(), getgid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

static bool own_mounts(void)
{
	return (unshare(CLONE_NEWNS) == 0 || become_mounter()) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void make_disk(void)
{
	make_temporary(directory);
	ck_assert_int_eq(mount("posthorn-test", directory, "tmpfs", 0, "size=64m"), 0);
}

static void remove_disk(void)
{
	ck_assert_int_eq(umount2(directory, MNT_DETACH), 0);
	remove_temporary(directory);
}

static uint64_t free_space(void)
{
	struct statvfs disk;

	ck_assert_int_eq(statvfs(directory, &disk), 0);
	return (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* Somebody else takes all but so much. The keeper takes and gives space at the same time. */
static void take_space(uint64_t left)
{
	char *path = file_path(directory, "filler");
	int fd = open(path, O_RDWR | O_CREAT, 0600), rc = ENOSPC;

	ck_assert_int_ge(fd, 0);
	for (unsigned tries = 0; rc == ENOSPC && tries < 1000; tries++) {
		const uint64_t space = free_space();

		rc = space <= left ? 0 : posix_fallocate(fd, lseek(fd, 0, SEEK_END), (off_t)(space - left));
	}
	ck_assert_int_eq(rc, 0);
	close(fd);
	free(path);
}

static void give_space_back(void)
{
	char *path = file_path(directory, "filler");

	ck_assert_int_eq(unlink(path), 0);
	free(path);
}

/* --- the store --- */

static int open_store_with(int64_t segment_size, int64_t checkpoint_after)
{
	const struct kv_lmdb_config config = {
		.map_size = 16 * MB,
		.map_max = 1024 * MB,
		.group_updates = 100,
		.group_size = MB,
		.segment_size = segment_size,
		.checkpoint_after = checkpoint_after,
		.compact_percent = 90,
	};
	char *path = file_path(directory, "store");
	int rc = kv_lmdb_open(path, &config, 16, NULL);

	free(path);
	return rc;
}

static int open_store(int64_t segment_size)
{
	return open_store_with(segment_size, 4 * MB);
}

static void lose_index(void)
{
	static const char *const names[] = { "store/state", "store/index/data.mdb", "store/index/lock.mdb" };

	for (size_t i = 0; i < 3; i++) {
		char *path = file_path(directory, names[i]);

		ck_assert_int_eq(unlink(path), 0);
		free(path);
	}
}

struct message {
	unsigned number;
	struct ph_kv_blob_id blob;
};

static struct ph_str key_of(char bytes[static 4], unsigned number)
{
	ph_bytes_put32(bytes, number);
	return ph_str_of(bytes, 4);
}

static int get_message(struct ph_kv_txn *txn, void *arg)
{
	struct message *message = arg;
	struct ph_str value;
	char key[4];
	int rc = kv->get(txn, 0, key_of(key, message->number), &value);

	if (!rc)
		memcpy(&message->blob, value.data, sizeof(message->blob));
	return rc;
}

static int put_message(struct ph_kv_txn *txn, void *arg)
{
	const struct message *message = arg;
	char key[4];
	int rc = kv->blob_add_reference(txn, message->blob);

	return rc ? rc
		  : kv->put(txn, 0, key_of(key, message->number),
			    ph_str_of(message->blob.bytes, sizeof(message->blob.bytes)));
}

static int drop_message(struct ph_kv_txn *txn, void *arg)
{
	struct message *message = arg;
	char key[4];
	int rc = get_message(txn, arg);

	if (!rc)
		rc = kv->blob_drop_reference(txn, message->blob);
	return rc ? rc : kv->del(txn, 0, key_of(key, message->number));
}

static int copy_message(struct ph_kv_txn *txn, void *arg)
{
	struct message *message = arg;
	int rc = get_message(txn, arg);

	message->number += 1000000;
	return rc ? rc : put_message(txn, arg);
}

/* Another value of the same size each time. */
static int put_flag(struct ph_kv_txn *txn, void *arg)
{
	return kv->put(txn, 0, PH_STR("flag"), ph_str_of(arg, 100));
}

static int put_large(struct ph_kv_txn *txn, void *arg)
{
	static char value[10000];
	const struct message *message = arg;
	char key[4];

	return kv->put(txn, 0, key_of(key, message->number), ph_str_of(value, sizeof(value)));
}

static void fill(char *bytes, unsigned number)
{
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(number * 31 + i / 100);
}

static int store(void)
{
	struct ph_kv_draft *draft = kv->draft_new();
	struct message message = { stored, kv->draft_id(draft) };
	char *bytes = ph_alloc(SIZE);
	int rc;

	fill(bytes, stored);
	rc = kv->draft_write(draft, ph_str_of(bytes, SIZE), NULL);
	if (!rc)
		rc = kv->update(&partition, 1, &draft, 1, put_message, &message, NULL);
	kv->draft_free(&draft);
	free(bytes);
	stored += rc == 0;
	return rc;
}

static int update(ph_kv_run *run, unsigned number)
{
	struct message message = { .number = number };

	return kv->update(&partition, 1, NULL, 0, run, &message, NULL);
}

static int change(void)
{
	char value[100] = { 0 };

	return kv->update(&partition, 1, NULL, 0, put_flag, value, NULL);
}

static void check_message(unsigned number)
{
	struct message message = { .number = number };
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	char *expected = ph_alloc(SIZE);

	fill(expected, number);
	ck_assert_int_eq(kv->read(&partition, 1, get_message, &message, NULL), 0);
	ck_assert_int_eq(kv->blob_open(message.blob, &blob, NULL), 0);
	ck_assert_int_eq(kv->blob_view(blob, 0, &bytes, NULL), 0);
	ck_assert_uint_eq(bytes.len, SIZE);
	ck_assert_int_eq(memcmp(bytes.data, expected, SIZE), 0);
	kv->blob_close(&blob);
	free(expected);
}

static void check_messages(void)
{
	for (unsigned number = 0; number < stored; number++)
		check_message(number);
}

/* Until the rest of the last segment is full. */
static void copy_all(void)
{
	int rc = 0;

	for (unsigned copies = 0; rc == 0; copies++) {
		ck_assert_uint_lt(copies, 100000);
		rc = update(copy_message, 0);
	}
	ck_assert_int_eq(rc, PH_E_FULL);
}

static void delete_messages(void)
{
	for (unsigned number = 0; number < stored; number++)
		ck_assert_int_eq(update(drop_message, number), 0);
	stored = 0;
}

/* Until the disk is full. */
static void store_all(void)
{
	int rc;

	stored = 0;
	while ((rc = store()) == 0)
		continue;
	ck_assert_int_eq(rc, PH_E_FULL);
	ck_assert_uint_gt(stored, 100);
}

/* And what the keeper gives back. */
static void take_all_space(void)
{
	int rc = 0;

	for (unsigned tries = 0; rc == 0; tries++) {
		ck_assert_uint_lt(tries, 1000);
		take_space(0);
		rc = store();
	}
	ck_assert_int_eq(rc, PH_E_FULL);
}

/* The keeper gives space back by itself, when it is needed. */
static void expect_space(void)
{
	for (unsigned tries = 0; store() != 0; tries++) {
		ck_assert_uint_lt(tries, 300);
		ph_fiber_sleep(100);
	}
}

/* --- tests --- */

START_TEST(a_full_disk_refuses_messages_only)
{
	make_disk();
	ck_assert_int_eq(open_store(2 * MB), 0);
	store_all();
	take_all_space();
	copy_all();
	ck_assert_int_eq(change(), 0);
	check_messages();
	give_space_back();
	expect_space();
	check_messages();
	kv_lmdb_close();
	remove_disk();
}
END_TEST

START_TEST(deleting_makes_room_on_a_full_disk)
{
	make_disk();
	ck_assert_int_eq(open_store(2 * MB), 0);
	store_all();
	take_space(0);
	delete_messages();
	expect_space();
	check_messages();
	kv_lmdb_close();
	remove_disk();
}
END_TEST

/* Such as flags that are set by reading, all night long. */
START_TEST(changes_leave_room_for_deleting)
{
	unsigned changes = 0;
	int rc;

	make_disk();
	ck_assert_int_eq(open_store(2 * MB), 0);
	store_all();
	take_space(0);
	while ((rc = change()) == 0)
		ck_assert_uint_lt(++changes, 100000);
	ck_assert_int_eq(rc, PH_E_FULL);
	ck_assert_uint_gt(changes, 1000);
	check_messages();
	delete_messages();
	expect_space();
	check_messages();
	kv_lmdb_close();
	remove_disk();
}
END_TEST

START_TEST(a_store_on_a_full_disk_can_be_opened)
{
	make_disk();
	ck_assert_int_eq(open_store(2 * MB), 0);
	store_all();
	kv_lmdb_close();
	take_space(0);
	ck_assert_int_eq(open_store(2 * MB), 0);
	check_messages();
	kv_lmdb_close();
	/* It is made anew in the space that it had. */
	lose_index();
	ck_assert_int_eq(open_store(2 * MB), 0);
	check_messages();
	delete_messages();
	expect_space();
	kv_lmdb_close();
	remove_disk();
}
END_TEST

/* One that is larger than the space that was kept for it. */
START_TEST(no_checkpoint_takes_the_last_space)
{
	uint64_t before;

	make_disk();
	ck_assert_int_eq(open_store_with(16 * MB, 64 * MB), 0);
	for (unsigned number = 0; number < 600; number++)
		ck_assert_int_eq(update(put_large, number), 0);
	take_space(4 * MB);
	before = free_space();
	ck_assert_int_eq(admin_checkpoint(), ENOSPC);
	ck_assert_uint_eq(free_space(), before);
	give_space_back();
	ck_assert_int_eq(admin_checkpoint(), 0);
	kv_lmdb_close();
	remove_disk();
}
END_TEST

/* A segment of the usual size would not fit. */
START_TEST(little_space_makes_small_segments)
{
	make_disk();
	ck_assert_int_eq(open_store(64 * MB), 0);
	stored = 0;
	ck_assert_int_eq(store(), 0);
	store_all();
	ck_assert_uint_gt(stored * (uint64_t)SIZE, 24 * MB);
	check_messages();
	kv_lmdb_close();
	remove_disk();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kv_lmdb's disk");
	TCase *tests = tcase_create("full");

	if (!own_mounts()) {
		printf("skipped: this machine lets us mount no small disk: %s\n", strerror(errno));
		return 77;
	}
	tcase_set_timeout(tests, 0);
	tcase_add_test(tests, a_full_disk_refuses_messages_only);
	tcase_add_test(tests, deleting_makes_room_on_a_full_disk);
	tcase_add_test(tests, changes_leave_room_for_deleting);
	tcase_add_test(tests, a_store_on_a_full_disk_can_be_opened);
	tcase_add_test(tests, no_checkpoint_takes_the_last_space);
	tcase_add_test(tests, little_space_makes_small_segments);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
