/* Checking and repairing: faults are made by hand, told, and repaired where they can be. */
#include <config.h>

#include "../../modules/store/check/check.h"
#include "../../modules/store/usage.h"
#include "store_fixture.h"

static char told[4096];

static void tell(struct check *check, const struct fault *fault)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%.*s %.*s %u %s%s\n", PH_STR_ARGS(check->address),
		PH_STR_ARGS(check->mailbox), (unsigned)fault->uid, fault->text, fault->repaired ? " +" : "");
}

static const char *run_check(bool repair)
{
	struct check check = { .repair = repair, .tell = tell };

	told[0] = '\0';
	ck_assert_int_eq(check_store(&check, 0, NULL), 0);
	return told;
}

static int spoil_mailbox(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;
	struct meta meta;
	char bytes[META_SIZE];
	struct key key;
	struct message_record record;

	(void)arg;
	fixture.kv.get(txn, 0, key_plain(&key, 'm'), &value);
	meta_decode(value, &meta);
	meta.unseen = 77;
	meta.uid_next = 3;
	meta_encode(&meta, bytes);
	fixture.kv.put(txn, 0, key_plain(&key, 'm'), ph_str_of(bytes, sizeof(bytes)));
	fixture.kv.put(txn, 0, key_32(&key, 's', 2), S("no summary"));
	fixture.kv.put(txn, 0, S("l\0\0\0\0\0\0\0\2x"), S("\1\0"));
	fixture.kv.get(txn, 0, key_32(&key, 'u', 4), &value);
	message_record_decode(value, &record);
	return fixture.kv.blob_drop_reference(txn, record.blob);
}

static int spoil_usage(struct ph_kv_txn *txn, void *arg)
{
	const struct usage usage = { 5, 6 };

	(void)arg;
	return usage_put(txn, 0, &usage);
}

START_TEST(faults_are_told_and_repaired)
{
	struct ph_kv_partition inbox = mailbox_partition(fixture.alice << 32 | 1);
	struct ph_kv_partition account = account_partition(fixture.bob);
	struct ph_mailbox *mailbox;
	struct ph_message_iterator *iterator;
	const struct ph_message *message;
	struct ph_mime_message parsed;
	struct ph_uid_set second = uids(2, 2);

	use_atomic_partitions(_i == 0);
	for (int i = 0; i < 5; i++)
		deliver_text(fixture.alice, "INBOX", "Subject: text\r\n\r\nbody\r\n");
	deliver_text(fixture.bob, "Junk", "12345");
	ck_assert_str_eq(run_check(false), "");
	ck_assert_int_eq(fixture.kv.update(&inbox, 1, NULL, 0, spoil_mailbox, NULL, NULL), 0);
	ck_assert_int_eq(fixture.kv.update(&account, 1, NULL, 0, spoil_usage, NULL, NULL), 0);
	ck_assert_str_eq(run_check(false),
		"alice@demo.test INBOX 1 is there, though the log says that it was expunged\n"
		"alice@demo.test INBOX 0 its number of unseen messages should be 5, and is 77\n"
		"alice@demo.test INBOX 0 its UIDNEXT should be 6, and is 3\n"
		"alice@demo.test INBOX 0 its number of changes in the log should be 1, and is 0\n"
		"alice@demo.test INBOX 2 its summary cannot be read\n"
		"alice@demo.test INBOX 4 its bytes are lost (absent)\n"
		"bob@demo.test  0 its usage should be 5 bytes in 1 messages, and is 5 in 6\n");
	ck_assert_str_eq(run_check(true),
		"alice@demo.test INBOX 1 is there, though the log says that it was expunged\n"
		"alice@demo.test INBOX 0 its number of unseen messages should be 5, and is 77 +\n"
		"alice@demo.test INBOX 0 its UIDNEXT should be 6, and is 3 +\n"
		"alice@demo.test INBOX 0 its number of changes in the log should be 1, and is 0 +\n"
		"alice@demo.test INBOX 2 its summary cannot be read +\n"
		"alice@demo.test INBOX 4 its bytes are lost (absent)\n"
		"bob@demo.test  0 its usage should be 5 bytes in 1 messages, and is 5 in 6 +\n");
	ck_assert_str_eq(run_check(false),
		"alice@demo.test INBOX 1 is there, though the log says that it was expunged\n"
		"alice@demo.test INBOX 4 its bytes are lost (absent)\n");
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	iterator = st->messages_begin(mailbox, &second, PH_MESSAGE_SUMMARY);
	ck_assert(st->messages_next(iterator, &message));
	ck_assert_int_eq(mime_service.summary_view(message->summary, &parsed), 0);
	ck_assert(ph_str_eq(parsed.subject, S("text")));
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&second);
}
END_TEST

/* --- indexes --- */

static const struct index_case {
	char index;
	const char *what;
	const char *confused; /* as many UIDs, but other ones */
} index_cases[] = { { 'g', "gone", "\2\1" }, { 'S', "seen", "\1\0" }, { 'D', "deleted", "\1\0" } };
enum { INDEXES = sizeof(index_cases) / sizeof(*index_cases), SPOILS = 3 };

struct spoiling {
	const struct index_case *index;
	int how;
};

static int spoil_index(struct ph_kv_txn *txn, void *arg)
{
	const struct spoiling *spoiling = arg;
	struct key key;
	struct ph_str piece = key_32(&key, spoiling->index->index, 0);

	switch (spoiling->how) {
	case 0:
		return fixture.kv.del(txn, 0, piece);
	case 1:
		return fixture.kv.put(txn, 0, piece, S("\x80"));
	default:
		return fixture.kv.put(txn, 0, piece, ph_str_of(spoiling->index->confused, 2));
	}
}

static void expunge(struct ph_mailbox *mailbox, uint32_t first, uint32_t last)
{
	struct ph_uid_set set = uids(first, last);

	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &set, true, NULL, NULL), 0);
	st->uid_set_free(&set);
}

static void flag_one(struct ph_mailbox *mailbox, uint32_t uid, unsigned flags)
{
	struct ph_uid_set set = uids(uid, uid);
	const struct ph_flag_list list = { .flags = flags };

	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &set, PH_FLAGS_REPLACE, &list, 0, NULL, NULL), 0);
	st->uid_set_free(&set);
}

/* 9 messages, of which 3 and 4 went, 6 is \Seen, and 8 \Deleted. */
static void check_view(struct ph_mailbox *mailbox, bool seen_known, bool deleted_known)
{
	struct ph_uid_set unseen = { 0 }, deleted = { 0 };

	ck_assert_uint_eq(st->view_count(mailbox), 7);
	ck_assert_uint_eq(st->view_uid(mailbox, 3), 5);
	ck_assert_int_eq(st->messages_flagged(mailbox, PH_FLAG_SEEN, false, &unseen, NULL),
		seen_known ? 0 : PH_E_UNSUPPORTED);
	ck_assert_int_eq(st->messages_flagged(mailbox, PH_FLAG_DELETED, true, &deleted, NULL),
		deleted_known ? 0 : PH_E_UNSUPPORTED);
	ck_assert_int_eq(
		st->messages_flagged(mailbox, PH_FLAG_DRAFT, true, &deleted, NULL), PH_E_UNSUPPORTED);
	ck_assert_uint_eq(st->uid_set_count(&unseen), seen_known ? 6 : 0);
	ck_assert_uint_eq(st->uid_set_has(&unseen, 6), false);
	ck_assert_uint_eq(st->uid_set_count(&deleted), deleted_known);
	ck_assert_uint_eq(st->uid_set_has(&deleted, 8), deleted_known);
	st->uid_set_free(&unseen);
	st->uid_set_free(&deleted);
}

/* An index is lost, unreadable, or wrong: where numbers show that, it is not used; check tells of it, and
 * repair makes it anew. */
START_TEST(indexes_are_repaired)
{
	const struct index_case *index = &index_cases[_i % INDEXES];
	struct spoiling spoiling = { index, _i / INDEXES };
	struct ph_kv_partition inbox = mailbox_partition(fixture.alice << 32 | 1);
	struct ph_mailbox *mailbox;
	struct ph_uid_set expunged = { 0 };
	char expected[200];

	snprintf(expected, sizeof(expected), "alice@demo.test INBOX 0 it does not know which UIDs are %s +\n",
		index->what);
	for (int i = 0; i < 9; i++)
		deliver_text(fixture.alice, "INBOX", "text\r\n");
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	expunge(mailbox, 3, 4);
	flag_one(mailbox, 5, PH_FLAG_SEEN | PH_FLAG_DELETED);
	flag_one(mailbox, 5, 0);
	flag_one(mailbox, 6, PH_FLAG_SEEN);
	flag_one(mailbox, 8, PH_FLAG_DELETED);
	st->mailbox_close(&mailbox);
	ck_assert_str_eq(run_check(false), "");
	ck_assert_int_eq(fixture.kv.update(&inbox, 1, NULL, 0, spoil_index, &spoiling, NULL), 0);
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	if (spoiling.how < 2)
		check_view(mailbox, index->index != 'S', index->index != 'D');
	st->mailbox_close(&mailbox);
	ck_assert_str_eq(run_check(true), expected);
	ck_assert_str_eq(run_check(false), "");
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	check_view(mailbox, true, true);
	st->mailbox_close(&mailbox);
	/* And it is used on as it is. */
	if (spoiling.how < 2)
		ck_assert_int_eq(fixture.kv.update(&inbox, 1, NULL, 0, spoil_index, &spoiling, NULL), 0);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, NULL, false, &expunged, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&expunged), 1);
	ck_assert(st->uid_set_has(&expunged, 8));
	st->uid_set_free(&expunged);
	st->mailbox_close(&mailbox);
}
END_TEST

/* A store that was lived in has no faults. */
START_TEST(a_sound_store_has_none)
{
	struct ph_mailbox *mailbox;
	struct ph_uid_set some = uids(3, 20);
	struct ph_copied copied;
	const struct ph_str keywords[] = { S("one"), S("two") };
	const struct ph_flag_list flags = { PH_FLAG_SEEN | PH_FLAG_DELETED, keywords, 2 };

	fixture.config.changes = 3;
	for (int i = 0; i < 30; i++)
		deliver_text(fixture.alice, "INBOX", "Subject: text\r\n\r\nbody\r\n");
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &some, PH_FLAGS_ADD, &flags, 0, NULL, NULL), 0);
	deliver_text(fixture.alice, "INBOX", "Subject: text\r\n\r\nbody\r\n");
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &some, fixture.bob, S("Archive"), false, &copied, NULL),
		0);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, NULL, false, NULL, NULL), 0);
	for (int i = 0; i < 10; i++)
		deliver_text(fixture.alice, "INBOX", "Subject: text\r\n\r\nbody\r\n");
	ck_assert_int_eq(st->mailbox_delete(SYSTEM, fixture.bob, S("Junk"), NULL), 0);
	ck_assert_str_eq(run_check(false), "");
	st->uid_set_free(&some);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	st->mailbox_close(&mailbox);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store check");
	TCase *tests = tcase_create("check");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_loop_test(tests, indexes_are_repaired, 0, INDEXES * SPOILS);
	tcase_add_loop_test(tests, faults_are_told_and_repaired, 0, 2);
	tcase_add_test(tests, a_sound_store_has_none);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
