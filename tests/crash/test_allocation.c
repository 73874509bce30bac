/* A process that gets no memory ends at once (posthorn/mem.h), wherever that happens: on the loop's thread,
 * where fibers ask for updates, or on kv_lmdb's threads, in the middle of a group that is being made durable.
 * Whatever it had confirmed is there, and others go on. ALLOCATION_ROUNDS tells how long to try. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../contract/kv.h"
#include "../contract/kv_process.h"
#include "../unit/fiber_main.h"
#include "../unit/temporary.h"
#include "failing_allocation.h"

#define USUAL_ROUNDS 8
/* How the allocations that fail are spread over a writer's life. */
#define FIRST 40u
#define FARTHEST 4000u

static const struct ph_kv_service *const kv = &kv_lmdb_service;

static int open_small(const char *path, struct ph_error *error)
{
	static const struct kv_lmdb_config config = {
		.map_size = 1 << 20,
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
		.segment_size = 256 << 10,
		.checkpoint_after = 300 << 10,
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

static unsigned rounds(void)
{
	const char *text = getenv("ALLOCATION_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : USUAL_ROUNDS;
}

static int put_mark(struct ph_kv_txn *txn, void *arg)
{
	const char *mark = arg;

	return kv->put(txn, 0, PH_STR("mark"), ph_str(mark));
}

/* Writes until an allocation fails; gives how many updates it had confirmed. */
static unsigned run_writer(const char *directory, unsigned writer, bool first_thread, unsigned nth)
{
	struct kv_writer_process process;
	char text[32];

	snprintf(text, sizeof(text), "%u", nth);
	setenv(first_thread ? "FAIL_FIRST_THREAD" : "FAIL_OTHERS", text, 1);
	kv_writer_start(&process, directory, writer, 0);
	unsetenv("FAIL_FIRST_THREAD");
	unsetenv("FAIL_OTHERS");
	kv_writer_abort(&process);
	return process.durable;
}

/* The loop's thread (0), and the others (1). */
START_TEST(nothing_confirmed_is_lost)
{
	const struct ph_kv_partition partition = { 9, 9 };
	char directory[TEMPORARY_MAX];
	unsigned confirmed = 0;

	make_temporary(directory);
	ck_assert_int_eq(open_small(directory, NULL), 0);
	for (unsigned round = 0; round < rounds(); round++) {
		/* Some at the very beginning, others anywhere. */
		unsigned nth = round < rounds() / 4 ? 1 + round * FIRST / 8
						    : FIRST + round * 7919 % (_i ? FARTHEST / 20 : FARTHEST);
		unsigned durable = run_writer(directory, round, _i == 0, nth);

		confirmed += durable;
		kv_check_written(kv, round, durable);
		ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, put_mark, directory, NULL), 0);
		if (round % 2) {
			kv_lmdb_close();
			ck_assert_int_eq(open_small(directory, NULL), 0);
			kv_check_written(kv, round, durable);
		}
	}
	ck_assert_uint_gt(confirmed, 0);
	kv_lmdb_close();
	remove_temporary(directory);
}
END_TEST

/* In the writer's process. */
static void arm(void)
{
	const struct rlimit none = { 0, 0 };
	const char *first = getenv("FAIL_FIRST_THREAD"), *others = getenv("FAIL_OTHERS");

	setrlimit(RLIMIT_CORE, &none);
	if (first)
		failing_allocation_arm(true, (unsigned)strtoul(first, NULL, 10));
	else if (others)
		failing_allocation_arm(false, (unsigned)strtoul(others, NULL, 10));
}

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tests;

	if (argc == 5 && strcmp(argv[1], "writer") == 0) {
		arm();
		return kv_writer(&provider, argv + 2);
	}
	suite = suite_create("failing allocations");
	tests = tcase_create("kv_lmdb");
	tcase_set_timeout(tests, 0);
	tcase_add_loop_test(tests, nothing_confirmed_is_lost, 0, 2);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
