/* Work on large mailboxes, counted in operations of the kv, which are the same on every machine: what an
 * operation costs for each message is the same at 10,000 messages as at 1,000, opening looks at no messages,
 * and no transaction is long. */
#include <config.h>

#include "store_fixture.h"

enum { SMALL = 1000, LARGE = 10000 };
/* Operations that one transaction may take: others wait meanwhile. */
#define LONGEST_UPDATE 10000

/* --- a kv that counts --- */

static struct counts {
	unsigned reads;   /* get, seek, next */
	unsigned writes;  /* put, del, references */
	unsigned update;  /* both, of the present update */
	unsigned longest; /* update */
} counts;
static struct ph_kv_service inner;
static bool updating;
static ph_kv_run *real_run;
static void *real_arg;

static void count(unsigned *kind)
{
	++*kind;
	counts.update += updating;
	if (counts.update > counts.longest)
		counts.longest = counts.update;
}

static int counted_run(struct ph_kv_txn *txn, void *arg)
{
	(void)arg;
	updating = true;
	counts.update = 0;
	return real_run(txn, real_arg);
}

/* All is done by one fiber: there is one update at a time. */
static int counted_update(const struct ph_kv_partition *partitions, size_t partition_count,
	struct ph_kv_draft *const *drafts, size_t draft_count, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	int result;

	real_run = run;
	real_arg = arg;
	result = inner.update(partitions, partition_count, drafts, draft_count, counted_run, NULL, error);
	updating = false;
	return result;
}

static int counted_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r)
{
	count(&counts.reads);
	return inner.get(txn, partition, key, value_r);
}

static int counted_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value)
{
	count(&counts.writes);
	return inner.put(txn, partition, key, value);
}

static int counted_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	count(&counts.writes);
	return inner.del(txn, partition, key);
}

static int counted_seek(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	count(&counts.reads);
	return inner.seek(cursor, key, key_r, value_r);
}

static int counted_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	count(&counts.reads);
	return inner.seek_last(cursor, key, key_r, value_r);
}

static int counted_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r)
{
	count(&counts.reads);
	return inner.next(cursor, key_r, value_r);
}

static int counted_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	count(&counts.writes);
	return inner.blob_add_reference(txn, id);
}

static int counted_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	count(&counts.writes);
	return inner.blob_drop_reference(txn, id);
}

static void setup_counting(void)
{
	setup_store();
	fixture.config.changes = 10000;
	inner = fixture.kv;
	fixture.kv.update = counted_update;
	fixture.kv.get = counted_get;
	fixture.kv.put = counted_put;
	fixture.kv.del = counted_del;
	fixture.kv.seek = counted_seek;
	fixture.kv.seek_last = counted_seek_last;
	fixture.kv.next = counted_next;
	fixture.kv.blob_add_reference = counted_add_reference;
	fixture.kv.blob_drop_reference = counted_drop_reference;
}

/* --- mailboxes --- */

static struct ph_mailbox *mailbox;
static const char *name;
static uint32_t size;
static uint64_t modseq;

static void copy_to(const char *target, uint32_t first, uint32_t last)
{
	struct ph_uid_set set = uids(first, last);
	struct ph_copied copied;

	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &set, fixture.alice, ph_str(target), false, &copied, NULL),
		0);
	ck_assert_uint_eq(st->uid_set_count(&copied.target), last - first + 1);
	st->uid_set_free(&set);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
}

static void fill(uint32_t messages)
{
	name = messages == SMALL ? "small" : "large";
	size = messages;
	ck_assert_int_eq(st->mailbox_create(SYSTEM, fixture.alice, ph_str(name), 0, NULL), 0);
	for (int i = 0; i < 10; i++)
		deliver_text(fixture.alice, name, "Subject: many\r\n\r\ntext\r\n");
	mailbox = open_mailbox(fixture.alice, name, false);
	for (uint32_t there = 10; there < messages; there *= 10) {
		for (uint32_t i = 1; i < 10; i++)
			copy_to(name, 1, there);
	}
	st->mailbox_close(&mailbox);
}

/* --- work --- */

static void open_it(void)
{
	mailbox = open_mailbox(fixture.alice, name, false);
	ck_assert_uint_eq(st->view_count(mailbox), status_of(fixture.alice, name).messages);
}

static void open_again(void)
{
	st->mailbox_close(&mailbox);
	open_it();
}

static void list(void)
{
	struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;
	uint32_t listed = 0;

	while (st->messages_next(iterator, &message))
		listed++;
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	ck_assert_uint_eq(listed, st->view_count(mailbox));
}

static void flag(uint32_t first, uint32_t last, unsigned flags, enum ph_flag_operation operation)
{
	const struct ph_flag_list list = { .flags = flags };
	struct ph_uid_set set = uids(first, last);

	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &set, operation, &list, 0, NULL, NULL), 0);
	st->uid_set_free(&set);
}

static void flag_all(void)
{
	modseq = status_of(fixture.alice, name).highest_modseq;
	flag(1, size, PH_FLAG_SEEN, PH_FLAGS_ADD);
	ck_assert_uint_eq(status_of(fixture.alice, name).unseen, 0);
}

static void refresh(void)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mailbox_news news;

	ck_assert_int_eq(st->mailbox_refresh(mailbox, true, pool, &news, NULL), 0);
	ph_pool_free(&pool);
}

static void changes(void)
{
	struct ph_mailbox_changes found;

	ck_assert_int_eq(st->mailbox_changes(mailbox, modseq, &found, NULL), 0);
	ck_assert(found.exact);
	ck_assert_uint_eq(st->uid_set_count(&found.changed), size);
	st->uid_set_free(&found.changed);
	st->uid_set_free(&found.vanished);
}

static void copy_all(void)
{
	copy_to("Archive", 1, size);
}

static void expunge_half(void)
{
	struct ph_uid_set set = { 0 };

	for (uint32_t uid = 1; uid <= size; uid += 2)
		st->uid_set_add(&set, uid, uid);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &set, true, NULL, NULL), 0);
	ck_assert_uint_eq(status_of(fixture.alice, name).messages, size / 2);
	st->uid_set_free(&set);
}

static void expunge_the_last(void)
{
	struct ph_uid_set expunged = { 0 };

	flag(size, size, PH_FLAG_DELETED, PH_FLAGS_ADD);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, NULL, false, &expunged, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&expunged), 1);
	ck_assert_uint_eq(status_of(fixture.alice, name).deleted, 0);
	st->uid_set_free(&expunged);
}

static void find_unseen(void)
{
	struct ph_uid_set unseen = { 0 };

	refresh();
	flag(3, 4, PH_FLAG_SEEN, PH_FLAGS_REMOVE);
	ck_assert_int_eq(st->messages_flagged(mailbox, PH_FLAG_SEEN, false, &unseen, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&unseen), 1);
	ck_assert(st->uid_set_has(&unseen, 4));
	st->uid_set_free(&unseen);
}

static void forget(void)
{
	fixture.config.changes = 1;
	for (int i = 0; i < 30; i++)
		flag(2, 2, PH_FLAG_FLAGGED, i % 2 ? PH_FLAGS_REMOVE : PH_FLAGS_ADD);
	fixture.config.changes = 10000;
}

/* In this order. `fixed` operations do not depend on the size; 0 for each: all are. */
static const struct task {
	const char *name;
	void (*work)(void);
	double fixed, each;
} tasks[] = {
	{ "open", open_it, 40, 0 },
	{ "list", list, 100, 1.1 },
	{ "flag all", flag_all, 100, 2.1 },
	{ "refresh", refresh, 60, 1.1 },
	{ "changes", changes, 60, 1.1 },
	{ "copy all", copy_all, 100, 5.5 },
	{ "expunge half", expunge_half, 100, 2.5 },
	{ "refresh", refresh, 60, 0.1 },
	{ "expunge the last", expunge_the_last, 60, 0 },
	{ "find the unseen", find_unseen, 60, 0 },
	{ "forget the log", forget, 1000, 0 },
	{ "open without a log", open_again, 60, 0 },
};
enum { TASKS = sizeof(tasks) / sizeof(*tasks) };

static void run_tasks(unsigned *costs)
{
	for (int i = 0; i < TASKS; i++) {
		counts = (struct counts){ 0 };
		tasks[i].work();
		costs[i] = counts.reads + counts.writes;
		ck_assert_msg(counts.longest <= LONGEST_UPDATE, "%s: %u operations in one update",
			tasks[i].name, counts.longest);
	}
	st->mailbox_close(&mailbox);
}

START_TEST(costs_grow_with_the_messages)
{
	unsigned small[TASKS], large[TASKS];

	fill(SMALL);
	run_tasks(small);
	fill(LARGE);
	run_tasks(large);
	for (int i = 0; i < TASKS; i++) {
		double most = tasks[i].fixed + tasks[i].each * LARGE;

		if (getenv("VERBOSE"))
			printf("%-20s %8u at %u, %8u at %u\n", tasks[i].name, small[i], SMALL, large[i],
				LARGE);
		ck_assert_msg(large[i] <= most, "%s: %u operations", tasks[i].name, large[i]);
		ck_assert_msg((large[i] - tasks[i].fixed) / LARGE <= 1.1 * small[i] / SMALL,
			"%s: %u operations at %u messages, %u at %u", tasks[i].name, small[i], SMALL,
			large[i], LARGE);
	}
}
END_TEST

/* A copy that takes several steps, and fails in the second: none of it is left, in the usage neither. */
START_TEST(a_failed_copy_leaves_nothing)
{
	struct ph_uid_set set = uids(1, SMALL);
	struct ph_quota_limits limits = { 0, SMALL + 700 };
	struct ph_quota before, after;
	struct ph_copied copied;

	use_atomic_partitions(_i == 0);
	fill(SMALL);
	open_it();
	ck_assert_int_eq(st->account_set_quota(SYSTEM, fixture.alice, &limits, NULL), 0);
	ck_assert_int_eq(st->account_quota(SYSTEM, fixture.alice, &before, NULL), 0);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &set, fixture.alice, S("Archive"), false, &copied, NULL),
		PH_E_QUOTA);
	ck_assert_uint_eq(status_of(fixture.alice, "Archive").messages, 0);
	ck_assert_uint_gt(status_of(fixture.alice, "Archive").uid_next, 1);
	ck_assert_int_eq(st->account_quota(SYSTEM, fixture.alice, &after, NULL), 0);
	ck_assert_uint_eq(after.messages, before.messages);
	ck_assert_uint_eq(after.bytes, before.bytes);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&set);
}
END_TEST

/* In several steps too: each original has become one copy, in order. */
START_TEST(a_move_leaves_no_original)
{
	struct ph_uid_set set = uids(1, SMALL);
	struct ph_copied copied;

	use_atomic_partitions(_i == 0);
	fill(SMALL);
	open_it();
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &set, fixture.alice, S("Archive"), true, &copied, NULL),
		0);
	ck_assert_uint_eq(st->uid_set_count(&copied.source), SMALL);
	ck_assert_uint_eq(st->uid_set_count(&copied.target), SMALL);
	ck_assert_uint_eq(status_of(fixture.alice, name).messages, 0);
	ck_assert_uint_eq(status_of(fixture.alice, "Archive").messages, SMALL);
	ck_assert_uint_eq(status_of(fixture.alice, "Archive").uid_next, SMALL + 1);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&set);
}
END_TEST

static TCase *make_counting(void)
{
	TCase *tests = tcase_create("counting");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_counting, teardown_store);
	tcase_add_test(tests, costs_grow_with_the_messages);
	return tests;
}

static TCase *make_steps(void)
{
	TCase *tests = tcase_create("steps");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_loop_test(tests, a_failed_copy_leaves_nothing, 0, 2);
	tcase_add_loop_test(tests, a_move_leaves_no_original, 0, 2);
	return tests;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store scale");

	/* A strict kv runs everything twice. */
	if (!store_kv->strict)
		suite_add_tcase(suite, make_counting());
	suite_add_tcase(suite, make_steps());
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
