/* What an account's mail takes and may take, with a kv that changes several partitions together (loop 0) and
 * one that does not (loop 1). */
#include <config.h>

#include "../../modules/store/usage.h"
#include "store_fixture.h"

static const char letter[] = "Subject: x\r\n\r\n12345678\r\n"; /* 24 bytes */

static void check_usage(ph_account_id account, uint64_t messages)
{
	struct ph_quota quota;

	ck_assert_int_eq(st->account_quota(SYSTEM, account, &quota, NULL), 0);
	ck_assert_uint_eq(quota.messages, messages);
	ck_assert_uint_eq(quota.bytes, messages * (sizeof(letter) - 1));
}

static void limit(ph_account_id account, int64_t bytes, int64_t messages)
{
	const struct ph_quota_limits limits = { bytes, messages };

	ck_assert_int_eq(st->account_set_quota(SYSTEM, account, &limits, NULL), 0);
}

static int try_deliver(ph_account_id account, const char *mailbox)
{
	struct ph_draft *draft = make_draft(ph_str(letter));
	struct ph_destination destination = { account, ph_str(mailbox), false, { 0 }, 1, 0, 0 };
	int result = st->deliver(SYSTEM, draft, 1000, 60, &destination, 1, NULL);

	ck_assert_int_eq(destination.result, result);
	st->draft_free(&draft);
	return result;
}

static int copy(const char *from, ph_account_id account, const char *to, bool move)
{
	struct ph_mailbox *mailbox = open_mailbox(fixture.alice, from, false);
	struct ph_uid_set set = uids(1, UINT32_MAX);
	struct ph_copied copied;
	struct ph_error error = { 0 };
	int result = st->messages_copy(SYSTEM, mailbox, &set, account, ph_str(to), move, &copied, &error);

	st->uid_set_free(&set);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	st->mailbox_close(&mailbox);
	return result;
}

START_TEST(usage_follows_all_changes)
{
	struct ph_mailbox *mailbox;
	struct ph_uid_set two = uids(1, 2);

	use_atomic_partitions(_i == 0);
	for (int i = 0; i < 10; i++)
		deliver_text(fixture.alice, "INBOX", letter);
	check_usage(fixture.alice, 10);
	ck_assert_int_eq(copy("INBOX", fixture.alice, "Archive", false), 0);
	check_usage(fixture.alice, 20);
	ck_assert_int_eq(copy("INBOX", fixture.alice, "INBOX", true), 0);
	check_usage(fixture.alice, 20);
	ck_assert_int_eq(copy("INBOX", fixture.alice, "Junk", true), 0);
	check_usage(fixture.alice, 20);
	ck_assert_int_eq(copy("Junk", fixture.bob, "INBOX", true), 0);
	check_usage(fixture.alice, 10);
	check_usage(fixture.bob, 10);
	mailbox = open_mailbox(fixture.alice, "Archive", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &two, true, NULL, NULL), 0);
	check_usage(fixture.alice, 8);
	st->mailbox_close(&mailbox);
	ck_assert_int_eq(st->mailbox_rename(SYSTEM, fixture.alice, S("Archive"), S("Old"), NULL), 0);
	check_usage(fixture.alice, 8);
	ck_assert_int_eq(st->mailbox_delete(SYSTEM, fixture.alice, S("Old"), NULL), 0);
	check_usage(fixture.alice, 0);
	st->uid_set_free(&two);
}
END_TEST

START_TEST(limits_hold)
{
	use_atomic_partitions(_i == 0);
	limit(fixture.alice, PH_QUOTA_DEFAULT, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), 0);
	ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), PH_E_QUOTA);
	ck_assert_int_eq(try_deliver(fixture.alice, "Archive"), PH_E_QUOTA);
	ck_assert_int_eq(copy("INBOX", fixture.alice, "Archive", false), PH_E_QUOTA);
	ck_assert_uint_eq(status_of(fixture.alice, "Archive").messages, 0);
	check_usage(fixture.alice, 3);
	/* A move takes no room. */
	ck_assert_int_eq(copy("INBOX", fixture.alice, "Archive", true), 0);
	limit(fixture.bob, 3 * (sizeof(letter) - 1) - 1, 0);
	ck_assert_int_eq(copy("Archive", fixture.bob, "INBOX", true), PH_E_QUOTA);
	check_usage(fixture.alice, 3);
	check_usage(fixture.bob, 0);
	limit(fixture.bob, 3 * (sizeof(letter) - 1), 0);
	ck_assert_int_eq(copy("Archive", fixture.bob, "INBOX", true), 0);
	ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), 0);
	ck_assert_int_eq(try_deliver(fixture.bob, "INBOX"), PH_E_QUOTA);
	/* What is there stays when a limit falls below it. */
	limit(fixture.bob, 1, 1);
	check_usage(fixture.bob, 3);
}
END_TEST

START_TEST(defaults_are_of_the_configuration)
{
	struct ph_quota quota;

	fixture.config.quota_messages = 1;
	ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), 0);
	ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), PH_E_QUOTA);
	limit(fixture.alice, 0, 0);
	ck_assert_int_eq(try_deliver(fixture.alice, "INBOX"), 0);
	ck_assert_int_eq(st->account_quota(SYSTEM, fixture.bob, &quota, NULL), 0);
	ck_assert_int_eq(quota.limits.messages, 1);
	ck_assert_int_eq(quota.own.messages, PH_QUOTA_DEFAULT);
	ck_assert_int_eq(
		st->account_quota((struct ph_actor){ fixture.alice, false }, fixture.bob, &quota, NULL),
		PH_E_ABSENT);
	ck_assert_int_eq(st->account_set_quota(
				 (struct ph_actor){ fixture.alice, false }, fixture.alice, &quota.own, NULL),
		PH_E_ABSENT);
}
END_TEST

START_TEST(one_without_room_does_not_keep_the_others)
{
	struct ph_draft *draft = make_draft(ph_str(letter));
	struct ph_destination destinations[] = {
		{ fixture.alice, S("INBOX"), false, { 0 }, 1, 0, 0 },
		{ fixture.bob, S("INBOX"), false, { 0 }, 1, 0, 0 },
		{ fixture.bob, S("Archive"), false, { 0 }, 1, 0, 0 },
	};

	use_atomic_partitions(_i == 0);
	limit(fixture.alice, 1, 0);
	limit(fixture.bob, 0, 1);
	ck_assert_int_eq(st->deliver(SYSTEM, draft, 1000, 60, destinations, 3, NULL), PH_E_QUOTA);
	ck_assert_int_eq(destinations[0].result, PH_E_QUOTA);
	ck_assert_int_eq(destinations[1].result, 0);
	ck_assert_int_eq(destinations[2].result, PH_E_QUOTA);
	check_usage(fixture.alice, 0);
	check_usage(fixture.bob, 1);
	st->draft_free(&draft);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store quota");
	TCase *tests = tcase_create("quota");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_loop_test(tests, usage_follows_all_changes, 0, 2);
	tcase_add_loop_test(tests, limits_hold, 0, 2);
	tcase_add_test(tests, defaults_are_of_the_configuration);
	tcase_add_loop_test(tests, one_without_room_does_not_keep_the_others, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
