/* Names of mailboxes in the store: making, deleting, renaming, subscribing, limits. */
#include <config.h>

#include "../../modules/store/record.h"
#include "store_fixture.h"

static const char letter[] = "From: a@example.org\r\n\r\nText\r\n";

/* "name" for a mailbox, "(name)" for one that is none; marks: + has children, * subscribed. */
static const char *list_of(ph_account_id account)
{
	static char text[4096];
	struct ph_mailbox_entry *entries;
	size_t count;
	struct ph_buf buf;

	ph_buf_init(&buf, sizeof(text) - 1);
	ck_assert_int_eq(st->mailbox_list(SYSTEM, account, fixture.pool, &entries, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		ph_buf_printf(&buf, "%s%s%.*s%s%s%s", i ? " " : "", entries[i].exists ? "" : "(",
			PH_STR_ARGS(entries[i].name), entries[i].exists ? "" : ")",
			entries[i].has_children ? "+" : "", entries[i].subscribed ? "*" : "");
	memcpy(text, buf.data, buf.len);
	text[buf.len] = '\0';
	ph_buf_free(&buf);
	return text;
}

static int create(const char *name)
{
	return st->mailbox_create(SYSTEM, fixture.alice, ph_str(name), 0, NULL);
}

static int delete_one(const char *name)
{
	return st->mailbox_delete(SYSTEM, fixture.alice, ph_str(name), NULL);
}

static int rename_to(const char *from, const char *to)
{
	return st->mailbox_rename(SYSTEM, fixture.alice, ph_str(from), ph_str(to), NULL);
}

START_TEST(a_new_account_has_its_mailboxes)
{
	struct ph_mailbox_entry *entries;
	size_t count;

	ck_assert_str_eq(list_of(fixture.alice), "Archive Drafts INBOX Junk Trash");
	ck_assert_int_eq(st->mailbox_list(SYSTEM, fixture.alice, fixture.pool, &entries, &count, NULL), 0);
	ck_assert_uint_eq(entries[0].special_use, PH_USE_ARCHIVE);
	ck_assert_uint_eq(entries[1].special_use, PH_USE_DRAFTS);
	ck_assert_uint_eq(entries[2].special_use, 0);
	ck_assert_uint_eq(entries[3].special_use, PH_USE_JUNK);
	ck_assert_uint_eq(entries[4].special_use, PH_USE_TRASH);
}
END_TEST

START_TEST(mailboxes_come_and_go)
{
	ck_assert_int_eq(create("a/b/c"), 0);
	ck_assert_int_eq(create("a/b"), PH_E_EXISTS);
	ck_assert_int_eq(create("inbox"), PH_E_EXISTS);
	ck_assert_int_eq(create("a/"), PH_E_INVALID);
	ck_assert_int_eq(create("\xff"), PH_E_INVALID);
	ck_assert_int_eq(create("inbox/x"), 0);
	ck_assert_str_eq(list_of(fixture.alice), "Archive Drafts INBOX+ INBOX/x Junk Trash a+ a/b+ a/b/c");
	ck_assert_int_eq(delete_one("a"), 0);
	ck_assert_int_eq(delete_one("a"), PH_E_ABSENT);
	ck_assert_int_eq(delete_one("a/b"), 0);
	ck_assert_int_eq(delete_one("Inbox"), PH_E_DENIED);
	ck_assert_int_eq(delete_one("none"), PH_E_ABSENT);
	ck_assert_str_eq(
		list_of(fixture.alice), "Archive Drafts INBOX+ INBOX/x Junk Trash (a)+ (a/b)+ a/b/c");
	ck_assert_int_eq(create("a"), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("a/b/c"), true, NULL), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("z/y"), true, NULL), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("z/y"), true, NULL), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("z//y"), true, NULL), PH_E_INVALID);
	ck_assert_int_eq(delete_one("a/b/c"), 0);
	ck_assert_str_eq(list_of(fixture.alice),
		"Archive Drafts INBOX+ INBOX/x Junk Trash a (a/b) (a/b/c)* (z) (z/y)*");
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("a/b/c"), false, NULL), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("z/y"), false, NULL), 0);
	ck_assert_str_eq(list_of(fixture.alice), "Archive Drafts INBOX+ INBOX/x Junk Trash a");
}
END_TEST

START_TEST(renaming_takes_children_along)
{
	uint32_t uid_validity;

	ck_assert_int_eq(create("a/b/c"), 0);
	ck_assert_int_eq(create("a b"), 0);
	ck_assert_int_eq(create("ab"), 0);
	deliver_text(fixture.alice, "a/b", letter);
	uid_validity = status_of(fixture.alice, "a/b").uid_validity;
	ck_assert_int_eq(rename_to("a", "x/y"), 0);
	ck_assert_str_eq(
		list_of(fixture.alice), "Archive Drafts INBOX Junk Trash a b ab x+ x/y+ x/y/b+ x/y/b/c");
	ck_assert_uint_eq(status_of(fixture.alice, "x/y/b").messages, 1);
	ck_assert_uint_eq(status_of(fixture.alice, "x/y/b").uid_validity, uid_validity);
	ck_assert_int_eq(rename_to("a", "q"), PH_E_ABSENT);
	ck_assert_int_eq(rename_to("x", "ab"), PH_E_EXISTS);
	ck_assert_int_eq(rename_to("x", "x"), PH_E_EXISTS);
	ck_assert_int_eq(rename_to("x", "x/z"), PH_E_INVALID);
	ck_assert_int_eq(rename_to("x", "in//valid"), PH_E_INVALID);
	ck_assert_int_eq(rename_to("x", "InBox"), PH_E_EXISTS);
	ck_assert_int_eq(delete_one("x"), 0);
	/* A name without a mailbox still leads to its children. */
	ck_assert_int_eq(rename_to("x", "new"), 0);
	ck_assert_str_eq(list_of(fixture.alice),
		"Archive Drafts INBOX Junk Trash a b ab (new)+ new/y+ new/y/b+ new/y/b/c");
	ck_assert_int_eq(rename_to("new/y", "y"), 0);
	ck_assert_str_eq(list_of(fixture.alice), "Archive Drafts INBOX Junk Trash a b ab y+ y/b+ y/b/c");
	/* Too deep, and nothing is moved then. */
	ck_assert_int_eq(
		rename_to("y", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/"
			       "27/28/29/30/31"),
		PH_E_LIMIT);
	ck_assert_int_eq(
		st->mailbox_status(SYSTEM, fixture.alice, S("y/b/c"), &(struct ph_mailbox_status){ 0 }, NULL),
		0);
}
END_TEST

START_TEST(renaming_inbox_moves_its_messages)
{
	for (int i = 0; i < 600; i++)
		deliver_text(fixture.alice, "INBOX", letter);
	ck_assert_int_eq(create("INBOX/child"), 0);
	ck_assert_int_eq(rename_to("inbox", "old/mail"), 0);
	ck_assert_str_eq(
		list_of(fixture.alice), "Archive Drafts INBOX+ INBOX/child Junk Trash old+ old/mail");
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 0);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").size, 0);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").uid_next, 601);
	ck_assert_uint_eq(status_of(fixture.alice, "old/mail").messages, 600);
	ck_assert_int_eq(rename_to("INBOX", "old/mail"), PH_E_EXISTS);
}
END_TEST

START_TEST(uid_validity_never_repeats)
{
	uint32_t last = 0;

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(create("again"), 0);
		ck_assert_uint_gt(status_of(fixture.alice, "again").uid_validity, last);
		last = status_of(fixture.alice, "again").uid_validity;
		ck_assert_int_eq(delete_one("again"), 0);
	}
}
END_TEST

START_TEST(names_of_any_length)
{
	char one[PH_MAILBOX_NAME_MAX + 2], two[PH_MAILBOX_NAME_MAX + 2];

	memset(one, 'n', sizeof(one));
	memset(two, 'n', sizeof(two));
	one[PH_MAILBOX_NAME_MAX] = two[PH_MAILBOX_NAME_MAX] = '\0';
	two[PH_MAILBOX_NAME_MAX - 1] = 'm';
	one[600] = two[600] = '/';
	ck_assert_int_eq(create(one), 0);
	ck_assert_int_eq(create(two), 0);
	ck_assert_int_eq(create(one), PH_E_EXISTS);
	deliver_text(fixture.alice, one, letter);
	ck_assert_uint_eq(status_of(fixture.alice, one).messages, 1);
	ck_assert_uint_eq(status_of(fixture.alice, two).messages, 0);
	one[600] = '\0';
	ck_assert_int_eq(rename_to(one, "short"), 0);
	memcpy(two + 595, "short", 5);
	ck_assert_uint_eq(status_of(fixture.alice, two + 595).messages, 0);
	ck_assert_int_eq(delete_one("short"), 0);
	ck_assert_int_eq(delete_one(two + 595), 0);
	one[600] = 'n';
	one[PH_MAILBOX_NAME_MAX] = 'n';
	one[PH_MAILBOX_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(create(one), PH_E_LIMIT);
}
END_TEST

START_TEST(mailboxes_have_a_limit)
{
	char name[16];

	for (int i = 0; i < 95; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(create(name), 0);
	}
	ck_assert_int_eq(create("one more"), PH_E_LIMIT);
	ck_assert_int_eq(delete_one("n7"), 0);
	ck_assert_int_eq(create("one more"), 0);
}
END_TEST

/* What a crash leaves in the middle of a removal is finished at the next start. */
static int begin_removal(struct ph_kv_txn *txn, void *arg)
{
	return fixture.kv.put(txn, 0, *(struct ph_str *)arg, S(""));
}

/* Of a millisecond each: nobody finishes it any more. */
#define WAITS 60000

START_TEST(an_interrupted_removal_is_finished)
{
	uint64_t number = fixture.alice << 32 | 1;
	struct ph_kv_partition directory = directory_partition(), account = account_partition(fixture.alice);
	struct key bytes, other;
	struct ph_str key = key_64(&bytes, 'x', number), not_begun = key_64(&other, 'x', number + 1);
	unsigned keys, waits = 0;

	deliver_text(fixture.alice, "INBOX", letter);
	keys = count_keys(directory);
	ck_assert_int_eq(fixture.kv.update(&directory, 1, NULL, 0, begin_removal, &key, NULL), 0);
	ck_assert_int_eq(fixture.kv.update(&directory, 1, NULL, 0, begin_removal, &not_begun, NULL), 0);
	ck_assert_int_eq(fixture.kv.update(&account, 1, NULL, 0, begin_removal, &key, NULL), 0);
	reopen_store();
	while (count_keys(mailbox_partition(number)) > 0 || count_keys(directory) > keys) {
		ck_assert_msg(waits++ < WAITS,
			"%u keys of the mailbox and %u of %u of the directory are left",
			count_keys(mailbox_partition(number)), count_keys(directory), keys);
		ph_fiber_sleep(1);
	}
	ck_assert_uint_eq(count_keys(directory), keys);
	ck_assert_uint_gt(count_keys(mailbox_partition(number + 1)), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store mailboxes");
	TCase *tests = tcase_create("names");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, a_new_account_has_its_mailboxes);
	tcase_add_test(tests, mailboxes_come_and_go);
	tcase_add_test(tests, renaming_takes_children_along);
	tcase_add_test(tests, renaming_inbox_moves_its_messages);
	tcase_add_test(tests, uid_validity_never_repeats);
	tcase_add_test(tests, names_of_any_length);
	tcase_add_test(tests, mailboxes_have_a_limit);
	tcase_add_test(tests, an_interrupted_removal_is_finished);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
