/* What is left of a kv_lmdb store whose system stopped, whose process was killed, whose disk failed: all that
 * was told to be durable, and nothing by halves. KV_CRASH_STATES, KV_KILL_ROUNDS and
 * KV_FAULTS tell how long to try. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/file.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../contract/kv.h"
#include "../contract/kv_process.h"
#include "../unit/fiber_main.h"
#include "../unit/temporary.h"
#include "recorder.h"
#include "work.h"

#define MOMENTS_MAX 100000
#define STEPS_MAX 400

static const struct ph_kv_service *const kv = &kv_lmdb_service;
static char directory[TEMPORARY_MAX];

/* Everything small, so that a short run sees all of it. */
static int open_small(const char *path, struct ph_error *error)
{
	static const struct kv_lmdb_config config = {
		.map_size = 1 << 20,
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
		.segment_size = 256 << 10,
		.write_ahead = 1,
		.checkpoint_after = 300 << 10,
		.checkpoint_step = 4 << 10,
		.compact_percent = 90,
	};

	return kv_lmdb_open(path, &config, 16, error);
}

static const struct kv_provider provider = {
	.name = "kv_lmdb",
	.service = &kv_lmdb_service,
	.lasts = true,
	.shared = true,
	.open = open_small,
	.close = kv_lmdb_close,
};

static unsigned setting(const char *name, unsigned usual)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static void remove_file(const char *path, const char *name)
{
	char full[TEMPORARY_MAX + 64];

	snprintf(full, sizeof(full), "%s/%s", path, name);
	unlink(full);
}

/* As after a stop of the system. */
static void lose_index(const char *path)
{
	remove_file(path, "index/data.mdb");
	remove_file(path, "index/lock.mdb");
	remove_file(path, "state");
}

/* --- the system stops --- */

static struct {
	size_t event;
	struct work_progress progress;
} * moments;
static size_t moment_count;

static void note_moment(void)
{
	ck_assert_uint_lt(moment_count, MOMENTS_MAX);
	moments[moment_count].event = recorder_now();
	moments[moment_count++].progress = work_progress();
}

/* The keeper gets its turn sooner or later. */
static bool saw_all(void)
{
	return recorder_unlinked("journal/") > 0 && recorder_unlinked("checkpoints/") > 0 &&
	       recorder_unlinked("large/") > 0;
}

static void record_run(unsigned steps)
{
	moments = ph_alloc_array(MOMENTS_MAX, sizeof(*moments));
	moment_count = 0;
	make_temporary(directory);
	recorder_start(directory);
	work_reset();
	work_on_progress(note_moment);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	for (unsigned i = 0; i < steps || (!saw_all() && i < STEPS_MAX); i++) {
		work_run(kv, 1, false);
		/* Time for what goes on beside. */
		ph_fiber_sleep(5);
	}
	ck_assert(saw_all());
	kv_lmdb_close();
	note_moment();
	work_on_progress(NULL);
	recorder_stop();
	remove_temporary(directory);
}

/* What was durable by the time of an event, and what had begun by then or soon after. */
static struct work_progress progress_at(size_t event)
{
	struct work_progress at = { 0 };

	for (size_t i = 0; i < moment_count; i++) {
		if (moments[i].event <= event)
			at = moments[i].progress;
		else
			break;
	}
	return at;
}

static const struct ph_kv_partition mark = { 9, 9 };

static int put_mark(struct ph_kv_txn *txn, void *arg)
{
	(void)arg;
	return kv->put(txn, 0, PH_STR("mark"), PH_STR("here"));
}

static int get_mark(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;

	(void)arg;
	return kv->get(txn, 0, PH_STR("mark"), &value);
}

/* Goes on from there, and is rebuilt once more. */
static void go_on(const struct work_progress *progress)
{
	ck_assert_int_eq(kv->update(&mark, 1, NULL, 0, put_mark, NULL, NULL), 0);
	kv_lmdb_close();
	lose_index(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	ck_assert_int_eq(kv->read(&mark, 1, get_mark, NULL, NULL), 0);
	work_check(kv, progress);
}

static void check_state(size_t event, unsigned chance)
{
	struct work_progress progress = progress_at(event);
	struct ph_error error = { 0 };

	make_temporary(directory);
	recorder_build(directory, event, chance);
	ck_assert_msg(open_small(directory, &error) == 0, "%s", error.detail);
	work_check(kv, &progress);
	if (chance % 4 == 0)
		go_on(&progress);
	kv_lmdb_close();
	remove_temporary(directory);
}

START_TEST(a_stop_of_the_system_loses_nothing_durable)
{
	unsigned states = setting("KV_CRASH_STATES", 150);
	size_t events;

	record_run(14);
	events = moments[moment_count - 1].event;
	for (unsigned i = 0; i < states; i++)
		check_state(events * (i + 1) / states, i);
	free(moments);
	recorder_free();
}
END_TEST

/* The system stops again while the index is made anew from what the first stop left. */
#define RECOVERIES 64
static char recoveries[RECOVERIES][TEMPORARY_MAX];
static struct work_progress recovered[RECOVERIES];

static void build_recoveries(unsigned count, size_t events)
{
	for (unsigned i = 0; i < count; i++) {
		size_t event = events * (i + 1) / count;

		recovered[i] = progress_at(event);
		make_temporary(recoveries[i]);
		recorder_build(recoveries[i], event, i);
	}
}

static void stop_recovery(const struct work_progress *progress, size_t event, unsigned chance)
{
	make_temporary(directory);
	recorder_build(directory, event, chance);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	work_check(kv, progress);
	kv_lmdb_close();
	remove_temporary(directory);
}

/* *first_r: the events that tell what was there before. Returns how many came behind them. */
static size_t record_recovery(const char *path, size_t *first_r)
{
	recorder_start(path);
	*first_r = recorder_now();
	ck_assert_int_eq(open_small(path, NULL), 0);
	kv_lmdb_close();
	recorder_stop();
	remove_temporary(path);
	return recorder_now() - *first_r;
}

START_TEST(a_stop_of_the_system_during_recovery_loses_nothing)
{
	unsigned count = setting("KV_CRASH_STATES", 150) / 15, stops = 4;
	size_t first, events;

	count = count < RECOVERIES ? count : RECOVERIES;
	record_run(14);
	build_recoveries(count, moments[moment_count - 1].event);
	free(moments);
	recorder_free();
	for (unsigned i = 0; i < count; i++) {
		events = record_recovery(recoveries[i], &first);
		for (unsigned j = 0; j < stops; j++)
			stop_recovery(&recovered[i], first + events * (j + 1) / stops, j);
		recorder_free();
	}
}
END_TEST

/* --- the process is killed --- */

START_TEST(killed_processes_lose_nothing_they_confirmed)
{
	unsigned rounds = setting("KV_KILL_ROUNDS", 10);

	make_temporary(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	for (unsigned i = 0; i < rounds; i++) {
		struct kv_writer_process a, b;

		kv_writer_start(&a, directory, 10 + i, 0);
		kv_writer_start(&b, directory, 10000 + i, 0);
		kv_writer_kill(&a, 10 + i * 7 % 50);
		kv_writer_kill(&b, 10 + i * 13 % 50);
		kv_check_written(kv, 10 + i, a.durable);
		kv_lmdb_close();
		if (i % 2)
			lose_index(directory);
		ck_assert_int_eq(open_small(directory, NULL), 0);
		kv_check_written(kv, 10 + i, a.durable);
		kv_check_written(kv, 10000 + i, b.durable);
	}
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

/* --- the disk fails --- */

static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;
static int fault_countdown, fault_errno, fault_call;

/* Is it this call's turn to fail? */
static bool fails(int call)
{
	bool fail;

	pthread_mutex_lock(&fault_lock);
	fail = call == fault_call && fault_countdown > 0 && --fault_countdown == 0;
	pthread_mutex_unlock(&fault_lock);
	if (fail)
		errno = fault_errno;
	return fail;
}

enum call {
	CALL_OPEN,
	CALL_READ,
	CALL_WRITE,
	CALL_ALLOCATE,
	CALL_RESERVE,
	CALL_TRUNCATE,
	CALL_FLUSH,
	CALL_FLUSH_ALL,
	CALL_RENAME,
	CALL_UNLINK,
	CALL_LINK,
	CALLS
};

static int faulty_open(const char *path, int flags)
{
	return fails(CALL_OPEN) ? -1 : file_system_calls.open(path, flags);
}

/* What fails may have written some of it. */
static ssize_t faulty_write(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (!fails(CALL_WRITE))
		return file_system_calls.write(fd, parts, count, offset);
	file_system_calls.write(fd, parts, 1, offset);
	errno = fault_errno;
	return -1;
}

static int faulty_allocate(int fd, off_t offset, off_t size)
{
	return fails(CALL_ALLOCATE) ? -1 : file_system_calls.allocate(fd, offset, size);
}

static ssize_t faulty_read(int fd, const struct iovec *part, off_t offset, bool wait)
{
	return fails(CALL_READ) ? -1 : file_system_calls.read(fd, part, offset, wait);
}

static int faulty_reserve(int fd, off_t offset, off_t size)
{
	return fails(CALL_RESERVE) ? -1 : file_system_calls.reserve(fd, offset, size);
}

static int faulty_truncate(int fd, off_t size)
{
	return fails(CALL_TRUNCATE) ? -1 : file_system_calls.truncate(fd, size);
}

static int faulty_unlink(const char *path)
{
	return fails(CALL_UNLINK) ? -1 : file_system_calls.unlink(path);
}

static int faulty_flush(int fd)
{
	return fails(CALL_FLUSH) ? -1 : file_system_calls.flush(fd);
}

static int faulty_flush_all(int fd)
{
	return fails(CALL_FLUSH_ALL) ? -1 : file_system_calls.flush_all(fd);
}

static int faulty_rename(const char *from, const char *to)
{
	return fails(CALL_RENAME) ? -1 : file_system_calls.rename(from, to);
}

static int faulty_link(int fd, const char *path)
{
	return fails(CALL_LINK) ? -1 : file_system_calls.link(fd, path);
}

static void make_faulty(int call, int countdown, int error)
{
	pthread_mutex_lock(&fault_lock);
	fault_call = call;
	fault_countdown = countdown;
	fault_errno = error;
	pthread_mutex_unlock(&fault_lock);
}

/* Ends the fault. Did it come? */
static bool end_fault(void)
{
	bool came = fault_countdown == 0;

	make_faulty(CALLS, 0, 0);
	return came;
}

/* Opens it, perhaps only when the fault is over. */
static void open_with_fault(int call, int countdown, int error)
{
	make_faulty(call, countdown, error);
	if (open_small(directory, NULL) == 0)
		return;
	ck_assert(end_fault());
	ck_assert_int_eq(open_small(directory, NULL), 0);
}

/* False: so many calls there were not. */
static bool run_with_fault(int call, int countdown, int error)
{
	struct work_progress progress;
	bool came;

	make_temporary(directory);
	work_reset();
	ck_assert_int_eq(open_small(directory, NULL), 0);
	make_faulty(call, countdown, error);
	work_run(kv, 6, true);
	came = end_fault();
	work_run(kv, 2, false);
	progress = work_progress();
	work_check(kv, &progress);
	kv_lmdb_close();
	lose_index(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	work_check(kv, &progress);
	kv_lmdb_close();
	remove_temporary(directory);
	return came;
}

/* The index is made anew on a disk that fails meanwhile; the next attempt finds the same. */
static bool recover_with_fault(int call, int countdown, int error)
{
	struct work_progress progress;
	bool came;

	make_temporary(directory);
	work_reset();
	ck_assert_int_eq(open_small(directory, NULL), 0);
	work_run(kv, 10, false);
	progress = work_progress();
	kv_lmdb_close();
	lose_index(directory);
	open_with_fault(call, countdown, error);
	came = end_fault();
	work_check(kv, &progress);
	kv_lmdb_close();
	lose_index(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	work_check(kv, &progress);
	kv_lmdb_close();
	remove_temporary(directory);
	return came;
}

/* The first calls, some of them, or each until no such call is left. */
static void fail_calls(bool (*run)(int call, int countdown, int error), int call, unsigned tries)
{
	static const int errors[] = { EIO, ENOSPC, EMFILE, EROFS };
	static const int countdowns[] = { 1, 2, 3, 5, 8, 13 };
	const unsigned some = sizeof(countdowns) / sizeof(*countdowns);

	for (unsigned i = 0; i < tries; i++)
		if (!run(call, tries > some ? (int)i + 1 : countdowns[i], errors[i % 4]))
			return;
}

static void make_all_faulty(void)
{
	file_operations.open = faulty_open;
	file_operations.read = faulty_read;
	file_operations.write = faulty_write;
	file_operations.allocate = faulty_allocate;
	file_operations.reserve = faulty_reserve;
	file_operations.truncate = faulty_truncate;
	file_operations.flush = faulty_flush;
	file_operations.flush_all = faulty_flush_all;
	file_operations.rename = faulty_rename;
	file_operations.unlink = faulty_unlink;
	file_operations.link = faulty_link;
}

START_TEST(failures_of_the_disk_do_no_harm)
{
	make_all_faulty();
	for (int call = 0; call < CALLS; call++)
		fail_calls(run_with_fault, call, setting("KV_FAULTS", 6));
	file_operations = file_system_calls;
}
END_TEST

START_TEST(failures_while_the_index_is_made_anew_do_no_harm)
{
	make_all_faulty();
	for (int call = 0; call < CALLS; call++)
		fail_calls(recover_with_fault, call, setting("KV_FAULTS", 6));
	file_operations = file_system_calls;
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tests;

	if (argc == 5 && strcmp(argv[1], "writer") == 0)
		return kv_writer(&provider, argv + 2);
	suite = suite_create("kv_lmdb crashes");
	tests = tcase_create("crashes");
	tcase_set_timeout(tests, 0);
	tcase_add_test(tests, a_stop_of_the_system_loses_nothing_durable);
	tcase_add_test(tests, a_stop_of_the_system_during_recovery_loses_nothing);
	tcase_add_test(tests, killed_processes_lose_nothing_they_confirmed);
	tcase_add_test(tests, failures_of_the_disk_do_no_harm);
	tcase_add_test(tests, failures_while_the_index_is_made_anew_do_no_harm);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
