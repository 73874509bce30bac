/* What LMDB leaves to who uses it: readers that die, slots for readers that run out, a map that another
 * process grows, reads that last, a disk that fails below the map. */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/admin.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/fiber_main.h"
#include "../unit/temporary.h"

#define SLOTS 3
#define KEYS 400
#define VALUE_SIZE 1000
#define MAP_SIZE (INT64_C(256) << 20) /* which need not grow */

extern char **environ;

static const struct ph_kv_service *const kv = &kv_lmdb_service;
static const struct ph_kv_partition partition = { 1, 1 };
static char directory[TEMPORARY_MAX];

static int open_with(const char *path, int64_t map_size, int64_t checkpoint_after)
{
	static struct kv_lmdb_config config = {
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
		.checkpoint_step = 16 << 10,
	};

	config.map_size = map_size;
	config.checkpoint_after = checkpoint_after;
	return kv_lmdb_open(path, &config, SLOTS, NULL);
}

static int open_store(const char *path)
{
	return open_with(path, 64 << 10, 0);
}

/* --- updates and reads --- */

struct value {
	unsigned key, version;
	size_t size;
};

static int put_value(struct ph_kv_txn *txn, void *arg)
{
	const struct value *value = arg;
	char key[4], *bytes = ph_alloc(value->size);
	int rc;

	ph_bytes_put32(key, value->key);
	memset(bytes, (int)('a' + value->version % 26), value->size);
	rc = kv->put(txn, 0, ph_str_of(key, sizeof(key)), ph_str_of(bytes, value->size));
	free(bytes);
	return rc;
}

static int put(unsigned key, unsigned version, size_t size)
{
	struct value value = { key, version, size };

	return kv->update(&partition, 1, NULL, 0, put_value, &value, NULL);
}

static int get_value(struct ph_kv_txn *txn, void *arg)
{
	struct value *value = arg;
	struct ph_str found;
	char key[4];
	int rc;

	ph_bytes_put32(key, value->key);
	rc = kv->get(txn, 0, ph_str_of(key, sizeof(key)), &found);
	value->size = rc ? 0 : found.len;
	value->version = rc ? 0 : (unsigned)(found.data[0] - 'a');
	return rc == PH_E_ABSENT ? 0 : rc;
}

static struct value get(unsigned key)
{
	struct value value = { .key = key };
	struct ph_error error = { 0 };

	if (kv->read(&partition, 1, get_value, &value, &error) != 0) {
		fprintf(stderr, "reading: %s\n", error.detail);
		abort();
	}
	return value;
}

static void put_all(unsigned version)
{
	for (unsigned key = 0; key < KEYS; key++)
		ck_assert_int_eq(put(key, version, VALUE_SIZE), 0);
}

static uint64_t index_bytes(void)
{
	struct admin_stat stat;

	ck_assert_int_eq(admin_stat(&stat), 0);
	return stat.index_bytes;
}

/* --- another process --- */

struct other {
	pid_t pid;
	FILE *to, *from;
};

static void start_other(struct other *other, const char *word)
{
	char path[] = "/proc/self/exe";
	char *argv[] = { path, (char *)(uintptr_t)word, directory, NULL };
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	ck_assert_int_eq(posix_spawn(&other->pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	other->to = fdopen(in[1], "w");
	other->from = fdopen(out[0], "r");
}

/* The next word that it says. */
static void expect(struct other *other, const char *word)
{
	char line[64] = "";

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), other->from));
	line[strcspn(line, "\n")] = '\0';
	ck_assert_str_eq(line, word);
}

/* Lets it go on. */
static void nudge(struct other *other)
{
	fputc('\n', other->to);
	fflush(other->to);
}

/* Before the loop runs again, which would take note of its end itself. */
static int end_other(struct other *other)
{
	int status;

	fclose(other->to);
	fclose(other->from);
	ck_assert_int_eq(waitpid(other->pid, &status, 0), other->pid);
	return status;
}

static void kill_other(struct other *other)
{
	ck_assert_int_eq(kill(other->pid, SIGKILL), 0);
	ck_assert(WIFSIGNALED(end_other(other)));
}

static void say(const char *word)
{
	printf("%s\n", word);
	fflush(stdout);
}

static void wait_for_nudge(void)
{
	if (getchar() == EOF)
		_exit(1);
}

static int stay(struct ph_kv_txn *txn, void *arg)
{
	(void)txn, (void)arg;
	say("reading");
	wait_for_nudge();
	return 0;
}

/* Stays inside of a read. */
static void be_reader(void)
{
	struct ph_error error = { 0 };
	int rc = kv->read(&partition, 1, stay, NULL, &error);

	say(rc == 0 ? "done" : strstr(error.detail, "MDB_READERS_FULL") ? "no slot" : error.detail);
}

/* Has it open, and reads and writes when told to. */
static void be_user(void)
{
	say(put(0, 0, VALUE_SIZE) == 0 ? "open" : "not open");
	wait_for_nudge();
	say(get(1).size == 3000000 ? "read" : "not read");
	wait_for_nudge();
	say(put(2, 1, 3000000) == 0 ? "written" : "not written");
}

/* Reads when told to, while its index has lost what it reads. */
static void be_victim(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	put_all(0);
	say("open");
	wait_for_nudge();
	for (unsigned key = 0; key < KEYS; key++)
		get(key);
	say("read");
}

static void run_other(void *arg)
{
	char **argv = arg;

	if (open_store(argv[2]) != 0)
		exit(1);
	if (strcmp(argv[1], "reader") == 0)
		be_reader();
	else if (strcmp(argv[1], "victim") == 0)
		be_victim();
	else
		be_user();
	kv_lmdb_close();
	ph_loop_break();
}

/* --- tests --- */

START_TEST(who_dies_while_reading_does_not_make_the_index_grow)
{
	struct other reader;
	uint64_t before;

	make_temporary(directory);
	ck_assert_int_eq(open_store(directory), 0);
	start_other(&reader, "reader");
	expect(&reader, "reading");
	kill_other(&reader);
	put_all(0);
	put_all(1);
	before = index_bytes();
	for (unsigned version = 2; version < 6; version++)
		put_all(version);
	/* Pages are used again. */
	ck_assert_uint_le(index_bytes(), before + before / 4);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

START_TEST(without_a_slot_reading_is_refused_until_one_is_free)
{
	struct other readers[SLOTS], late;
	struct admin_stat stat;

	make_temporary(directory);
	ck_assert_int_eq(open_store(directory), 0);
	ck_assert_int_eq(put(0, 0, VALUE_SIZE), 0);
	ck_assert_uint_eq(get(0).size, VALUE_SIZE);
	ck_assert_int_eq(admin_stat(&stat), 0);
	ck_assert_uint_eq(stat.readers_max, SLOTS);
	for (unsigned i = 0; i < SLOTS - 1; i++) {
		start_other(&readers[i], "reader");
		expect(&readers[i], "reading");
	}
	start_other(&late, "reader");
	expect(&late, "no slot");
	end_other(&late);
	/* Who has one goes on, and so does who writes. */
	ck_assert_int_eq(put(1, 0, VALUE_SIZE), 0);
	ck_assert_uint_eq(get(1).size, VALUE_SIZE);
	/* The slot of who died is free. */
	kill_other(&readers[0]);
	start_other(&late, "reader");
	expect(&late, "reading");
	nudge(&late);
	expect(&late, "done");
	ck_assert_int_eq(end_other(&late), 0);
	kill_other(&readers[1]);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

START_TEST(a_map_that_another_process_grows_is_followed)
{
	struct other user;

	make_temporary(directory);
	ck_assert_int_eq(open_store(directory), 0);
	start_other(&user, "user");
	expect(&user, "open");
	/* It must follow to read, */
	ck_assert_int_eq(put(1, 1, 3000000), 0);
	nudge(&user);
	expect(&user, "read");
	/* and, having grown it once more, be followed: by a snapshot first, then by a read, and an update. */
	nudge(&user);
	expect(&user, "written");
	ck_assert_int_eq(end_other(&user), 0);
	(void)index_bytes();
	ck_assert_uint_eq(get(2).size, 3000000);
	ck_assert_int_eq(put(3, 1, 3000000), 0);
	ck_assert_uint_eq(get(3).size, 3000000);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

/* Checkpoints of 400 KB in steps of 16 KB, whose pauses leave time for updates: if they saw one snapshot,
 * each update meanwhile would take new pages. */
START_TEST(checkpoints_under_load_do_not_make_the_index_grow)
{
	uint64_t before;

	make_temporary(directory);
	ck_assert_int_eq(open_with(directory, MAP_SIZE, INT64_C(1) << 40), 0);
	put_all(0);
	put_all(1);
	before = index_bytes();
	kv_lmdb_close();
	ck_assert_int_eq(open_with(directory, MAP_SIZE, 1 << 10), 0);
	for (unsigned version = 2; version < 6; version++)
		put_all(version);
	ck_assert_uint_le(index_bytes(), before + before / 4);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

static void path_in_store(char path_r[static TEMPORARY_MAX + 32], const char *name)
{
	snprintf(path_r, TEMPORARY_MAX + 32, "%s/%s", directory, name);
}

/* What the disk does not give is like what the file does not have. */
START_TEST(a_disk_that_fails_below_the_map_costs_the_index_and_not_the_store)
{
	char data[TEMPORARY_MAX + 32], state[TEMPORARY_MAX + 32];
	struct other victim;

	make_temporary(directory);
	path_in_store(data, "index/data.mdb");
	path_in_store(state, "state");
	start_other(&victim, "victim");
	expect(&victim, "open");
	ck_assert_int_eq(access(state, F_OK), 0);
	ck_assert_int_eq(truncate(data, 8192), 0);
	nudge(&victim);
	ck_assert_int_ne(end_other(&victim), 0);
	ck_assert_int_lt(access(state, F_OK), 0);
	ck_assert_int_eq(open_store(directory), 0);
	for (unsigned key = 0; key < KEYS; key++)
		ck_assert_uint_eq(get(key).size, VALUE_SIZE);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tests;

	if (argc == 3) {
		ph_loop_init();
		ph_fiber_start("other", run_other, argv);
		ph_loop_run();
		ph_loop_free();
		return 0;
	}
	suite = suite_create("kv_lmdb traps");
	tests = tcase_create("traps");
	tcase_set_timeout(tests, 0);
	tcase_add_test(tests, who_dies_while_reading_does_not_make_the_index_grow);
	tcase_add_test(tests, without_a_slot_reading_is_refused_until_one_is_free);
	tcase_add_test(tests, a_map_that_another_process_grows_is_followed);
	tcase_add_test(tests, checkpoints_under_load_do_not_make_the_index_grow);
	tcase_add_test(tests, a_disk_that_fails_below_the_map_costs_the_index_and_not_the_store);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
