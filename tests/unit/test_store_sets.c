/* The store's pure parts: sets of UIDs and views against naive ones, names, records. */
#include <config.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/store/name.h"
#include "../../modules/store/uid_set.h"
#include "../../modules/store/view.h"

#define SPACE 120

/* Check makes a system call of every assertion, also of one that holds: too slow for millions. */
#define REQUIRE(condition)                              \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

static uint64_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void check_ordered(const struct ph_uid_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		REQUIRE(set->ranges[i].first <= set->ranges[i].last);
		REQUIRE(i == 0 || set->ranges[i].first > set->ranges[i - 1].last + 1);
	}
}

static void check_equal(const struct ph_uid_set *set, const bool *naive)
{
	uint64_t count = 0;
	uint32_t next;

	check_ordered(set);
	for (uint32_t uid = 0; uid < SPACE; uid++) {
		uint32_t expected = uid;

		count += naive[uid];
		REQUIRE(uid_set_has(set, uid) == naive[uid]);
		while (expected < SPACE && !naive[expected])
			expected++;
		REQUIRE(uid_set_next(set, uid, &next) == (expected < SPACE));
		REQUIRE(expected == SPACE || next == expected);
	}
	ck_assert_uint_eq(uid_set_count(set), count);
}

static void fill(struct ph_uid_set *set, bool *naive)
{
	uint32_t count = any(12);

	memset(naive, 0, SPACE * sizeof(*naive));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t first = any(SPACE), last = first + any(8);

		if (last >= SPACE)
			last = SPACE - 1;
		uid_set_add(set, first, last);
		for (uint32_t uid = first; uid <= last; uid++)
			naive[uid] = true;
	}
}

START_TEST(sets_equal_naive_ones)
{
	for (int round = 0; round < 2000; round++) {
		struct ph_uid_set a = { 0 }, b = { 0 }, common = { 0 }, rest = { 0 }, back = { 0 };
		bool in_a[SPACE], in_b[SPACE], naive[SPACE];
		struct ph_buf buf;

		fill(&a, in_a);
		fill(&b, in_b);
		check_equal(&a, in_a);
		uid_set_add_common(&common, &a, &b);
		for (int i = 0; i < SPACE; i++)
			naive[i] = in_a[i] && in_b[i];
		check_equal(&common, naive);
		uid_set_add_rest(&rest, &a, &b);
		for (int i = 0; i < SPACE; i++)
			naive[i] = in_a[i] && !in_b[i];
		check_equal(&rest, naive);
		uid_set_add_all(&rest, &b);
		for (int i = 0; i < SPACE; i++)
			naive[i] = in_a[i] || in_b[i];
		check_equal(&rest, naive);
		ph_buf_init(&buf, SIZE_MAX);
		uid_set_encode(&a, &buf);
		ck_assert_int_eq(uid_set_decode(ph_buf_str(&buf), &back), 0);
		check_equal(&back, in_a);
		ph_buf_free(&buf);
		uid_set_free(&a);
		uid_set_free(&b);
		uid_set_free(&common);
		uid_set_free(&rest);
		uid_set_free(&back);
	}
}
END_TEST

START_TEST(sets_at_the_edges)
{
	struct ph_uid_set set = { 0 }, back = { 0 };
	struct ph_buf buf;

	uid_set_add(&set, 5, 4);
	ck_assert_uint_eq(set.count, 0);
	uid_set_add(&set, UINT32_MAX, UINT32_MAX);
	uid_set_add(&set, UINT32_MAX - 1, UINT32_MAX - 1);
	uid_set_add(&set, 0, 0);
	ck_assert_uint_eq(set.count, 2);
	uid_set_add(&set, 1, UINT32_MAX);
	ck_assert_uint_eq(set.count, 1);
	ck_assert_uint_eq(uid_set_count(&set), (uint64_t)UINT32_MAX + 1);
	ph_buf_init(&buf, SIZE_MAX);
	uid_set_encode(&set, &buf);
	ck_assert_int_eq(uid_set_decode(ph_buf_str(&buf), &back), 0);
	ck_assert_uint_eq(uid_set_count(&back), (uint64_t)UINT32_MAX + 1);
	ph_buf_free(&buf);
	uid_set_free(&set);
	uid_set_free(&back);
	ck_assert_int_eq(uid_set_decode(PH_STR("\x01"), &back), PH_E_CORRUPT);
	ck_assert_int_eq(uid_set_decode(PH_STR("\x01\x80"), &back), PH_E_CORRUPT);
	ck_assert_int_eq(uid_set_decode(PH_STR("\xff\xff\xff\xff\xff\x01\x01"), &back), PH_E_CORRUPT);
	ck_assert_int_eq(uid_set_decode(PH_STR("\x01\xff\xff\xff\xff\x7f"), &back), PH_E_CORRUPT);
	uid_set_free(&back);
}
END_TEST

START_TEST(views_equal_naive_ones)
{
	for (int round = 0; round < 1000; round++) {
		struct ph_uid_set arrived = { 0 }, gone = { 0 }, between = { 0 };
		bool naive[SPACE], in_gone[SPACE];
		struct view view = { 0 };
		uint32_t sequence = 0, first = any(SPACE), last = any(SPACE);

		fill(&arrived, naive);
		fill(&gone, in_gone);
		view_add(&view, &arrived);
		view_remove(&view, &gone);
		view_uids(&view, first, last, &between);
		check_ordered(&between);
		for (uint32_t uid = 0; uid < SPACE; uid++) {
			bool there = naive[uid] && !in_gone[uid];

			sequence += there;
			REQUIRE(view_sequence(&view, uid) == (there ? sequence : 0));
			REQUIRE(view_rank(&view, uid) == sequence);
			REQUIRE(!there || view_uid(&view, sequence) == uid);
			REQUIRE(uid_set_has(&between, uid) ==
				(there && sequence >= first && sequence <= last));
		}
		ck_assert_uint_eq(view.count, sequence);
		ck_assert_uint_eq(view_uid(&view, 0), 0);
		ck_assert_uint_eq(view_uid(&view, sequence + 1), 0);
		uid_set_free(&arrived);
		uid_set_free(&gone);
		uid_set_free(&between);
		view_free(&view);
	}
}
END_TEST

static const struct {
	const char *text, *name; /* NULL: refused */
	int result;
} names[] = {
	{ "INBOX", "INBOX", 0 },
	{ "inbox", "INBOX", 0 },
	{ "InBoX/Sub", "INBOX/Sub", 0 },
	{ "inboxes", "inboxes", 0 },
	{ "a", "a", 0 },
	{ "a/b/c", "a/b/c", 0 },
	{ "a b!*%\"\\", "a b!*%\"\\", 0 },
	{ "\xc3\xa4/\xf0\x9f\x93\xac", "\xc3\xa4/\xf0\x9f\x93\xac", 0 },
	{ "", NULL, PH_E_INVALID },
	{ "/", NULL, PH_E_INVALID },
	{ "/a", NULL, PH_E_INVALID },
	{ "a/", NULL, PH_E_INVALID },
	{ "a//b", NULL, PH_E_INVALID },
	{ "a\tb", NULL, PH_E_INVALID },
	{ "a\x7f", NULL, PH_E_INVALID },
	{ "a\xc2\x85", NULL, PH_E_INVALID },
	{ "a\xff", NULL, PH_E_INVALID },
	{ "\xc0\xaf", NULL, PH_E_INVALID },
	{ "\xed\xa0\x80", NULL, PH_E_INVALID },
	{ "\xe0\x80\xaf", NULL, PH_E_INVALID },
	{ "\xf4\x90\x80\x80", NULL, PH_E_INVALID },
	{ "\xf0\x80\x80\x80", NULL, PH_E_INVALID },
	{ "\xe2\x82", NULL, PH_E_INVALID },
	{ "1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8", 0 },
	{ "1/2/3/4/5/6/7/8/9", NULL, PH_E_LIMIT },
};

START_TEST(names_are_checked)
{
	struct name name;

	ck_assert_int_eq(name_parse(ph_str(names[_i].text), 8, &name), names[_i].result);
	if (names[_i].name)
		ck_assert(ph_str_eq(name_str(&name), ph_str(names[_i].name)));
}
END_TEST

START_TEST(long_names)
{
	char text[PH_MAILBOX_NAME_MAX + 1];
	struct key a, b;
	struct name name;
	struct ph_str first, second;

	memset(text, 'n', sizeof(text));
	ck_assert_int_eq(name_parse(ph_str_of(text, sizeof(text)), 8, &name), PH_E_LIMIT);
	ck_assert_int_eq(name_parse(ph_str_of(text, PH_MAILBOX_NAME_MAX), 8, &name), 0);
	first = name_key(&a, 'm', name_str(&name));
	ck_assert_uint_le(first.len, PH_KV_KEY_MAX);
	name.bytes[PH_MAILBOX_NAME_MAX - 1] = 'o';
	second = name_key(&b, 'm', name_str(&name));
	ck_assert(!ph_str_eq(first, second));
	ck_assert(ph_str_starts(second, ph_str_slice(first, 0, 400)));
}
END_TEST

START_TEST(children_sort_behind_their_parent)
{
	ck_assert_int_lt(name_compare(PH_STR("a"), PH_STR("a/b")), 0);
	ck_assert_int_lt(name_compare(PH_STR("a/b"), PH_STR("a b")), 0);
	ck_assert_int_lt(name_compare(PH_STR("a/b"), PH_STR("a!")), 0);
	ck_assert_int_gt(name_compare(PH_STR("b"), PH_STR("a/b")), 0);
	ck_assert_int_eq(name_compare(PH_STR("a/b"), PH_STR("a/b")), 0);
	ck_assert(name_is_below(PH_STR("a/b"), PH_STR("a")));
	ck_assert(!name_is_below(PH_STR("ab"), PH_STR("a")));
	ck_assert(!name_is_below(PH_STR("a"), PH_STR("a")));
}
END_TEST

START_TEST(damaged_records_are_noticed)
{
	const char bytes[64] = { 0 };
	struct account_record account;
	struct account_counters counters;
	struct directory_counters directory;
	struct mailbox_record mailbox;
	struct message_record message;
	struct meta meta;

	for (size_t len = 0; len < 60; len++) {
		struct ph_str value = ph_str_of(bytes, len);

		ck_assert_int_eq(account_record_decode(value, &account), len < 11 ? PH_E_CORRUPT : 0);
		ck_assert_int_eq(account_counters_decode(value, &counters), len == 12 ? 0 : PH_E_CORRUPT);
		ck_assert_int_eq(directory_counters_decode(value, &directory), len == 12 ? 0 : PH_E_CORRUPT);
		ck_assert_int_eq(mailbox_record_decode(value, &mailbox), len > 16 ? 0 : PH_E_CORRUPT);
		ck_assert_int_eq(message_record_decode(value, &message), len == 56 ? 0 : PH_E_CORRUPT);
		ck_assert_int_eq(meta_decode(value, &meta), PH_E_CORRUPT);
	}
	ck_assert_int_eq(meta_decode(ph_str_of(bytes, 60), &meta), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store sets");
	TCase *tests = tcase_create("sets");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, sets_equal_naive_ones);
	tcase_add_test(tests, sets_at_the_edges);
	tcase_add_test(tests, views_equal_naive_ones);
	tcase_add_loop_test(tests, names_are_checked, 0, sizeof(names) / sizeof(*names));
	tcase_add_test(tests, long_names);
	tcase_add_test(tests, children_sort_behind_their_parent);
	tcase_add_test(tests, damaged_records_are_noticed);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
