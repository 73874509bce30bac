/* What is done to a store whose kv fails: each begins with the same mail, may fail, is done again, and tells
 * what must be so then. */
#ifndef STORE_OPERATIONS_H
#define STORE_OPERATIONS_H

#include <sys/stat.h>

#include "../../modules/store/transfer/import.h"
#include "store_census.h"

enum {
	INBOX_FIRST = 1,
	INBOX_LAST = 6,
	BOX_FIRST = 11,
	BOX_LAST = 13,
	CHILD = 21,
	BOB_FIRST = 31,
	BOB_LAST = 32,
	NEW = 99,
	IMPORTED = 41
};

static uint32_t deliver_number(ph_account_id account, const char *mailbox, unsigned number, unsigned flags)
{
	static const struct ph_str keyword = PH_STR_INIT("Keyword");
	char text[64];

	snprintf(text, sizeof(text), "Subject: %u\r\n\r\nbody of %u\r\n", number, number);
	return deliver_flagged(
		account, mailbox, ph_str(text), (struct ph_flag_list){ flags, &keyword, number % 2 });
}

static void fill(void)
{
	ck_assert_int_eq(st->mailbox_create(SYSTEM, fixture.alice, S("Box/child"), 0, NULL), 0);
	for (unsigned i = INBOX_FIRST; i <= INBOX_LAST; i++)
		deliver_number(fixture.alice, "INBOX", i, i % 3 ? 0 : PH_FLAG_SEEN | PH_FLAG_DELETED);
	for (unsigned i = BOX_FIRST; i <= BOX_LAST; i++)
		deliver_number(fixture.alice, "Box", i, 0);
	deliver_number(fixture.alice, "Box/child", CHILD, 0);
	for (unsigned i = BOB_FIRST; i <= BOB_LAST; i++)
		deliver_number(fixture.bob, "INBOX", i, 0);
}

static int deliver_new(struct ph_destination *destinations, size_t count, struct ph_error *error)
{
	struct ph_draft *draft = st->draft_new();
	int result = st->draft_write(draft, S("Subject: 99\r\n\r\n"), error);

	for (size_t i = 0; i < count; i++)
		destinations[i].result = 1;
	if (result == 0)
		result = st->draft_write(draft, S("body of 99\r\n"), error);
	if (result == 0)
		result = st->draft_finish(draft, NULL, error);
	if (result == 0)
		result = st->deliver(SYSTEM, draft, 1000, 60, destinations, count, error);
	st->draft_free(&draft);
	return result;
}

static struct ph_destination destinations[4];

static int deliver_to_several(struct ph_error *error)
{
	destinations[0] = (struct ph_destination){ .account = fixture.alice, .mailbox = S("INBOX") };
	destinations[1] = (struct ph_destination){ .account = fixture.alice, .mailbox = S("Box") };
	destinations[2] = (struct ph_destination){ .account = fixture.bob, .mailbox = S("INBOX") };
	destinations[3] =
		(struct ph_destination){ .account = fixture.bob, .mailbox = S("new/box"), .create = true };
	return deliver_new(destinations, 4, error);
}

/* What a destination was told is there, is there; at worst once for each try. */
static void check_destinations(void)
{
	for (size_t i = 0; i < 4; i++) {
		char name[NAME_SIZE];
		unsigned count;

		snprintf(name, sizeof(name), "%.*s", PH_STR_ARGS(destinations[i].mailbox));
		count = count_text(destinations[i].account, name, NEW);
		ck_assert(destinations[i].result != 0 || count > 0);
		ck_assert_uint_le(count, 2);
	}
}

static void check_delivered(void)
{
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(destinations[i].result, 0);
	check_destinations();
}

static int append(struct ph_error *error)
{
	const struct ph_str keyword = S("Fresh");

	memset(destinations, 0, sizeof(destinations));
	destinations[0] = (struct ph_destination){
		.account = fixture.alice, .mailbox = S("Drafts"), .flags = { PH_FLAG_DRAFT, &keyword, 1 }
	};
	return deliver_new(destinations, 1, error);
}

static void check_appended(void)
{
	ck_assert_uint_ge(count_text(fixture.alice, "Drafts", NEW), 1);
	ck_assert_int_eq(destinations[0].result, 0);
}

static int copy_some(ph_account_id account, const char *to, bool move, struct ph_error *error)
{
	struct ph_uid_set set = uids(2, 4);
	struct ph_copied copied = { 0 };
	struct ph_mailbox *mailbox;
	int result = st->mailbox_open(SYSTEM, fixture.alice, S("INBOX"), false, &mailbox, error);

	if (result == 0)
		result = st->messages_copy(SYSTEM, mailbox, &set, account, ph_str(to), move, &copied, error);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&set);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	return result;
}

static int copy_to_box(struct ph_error *error)
{
	return copy_some(fixture.alice, "Box", false, error);
}

static int copy_to_bob(struct ph_error *error)
{
	return copy_some(fixture.bob, "INBOX", false, error);
}

static int move_to_box(struct ph_error *error)
{
	return copy_some(fixture.alice, "Box", true, error);
}

static int move_to_bob(struct ph_error *error)
{
	return copy_some(fixture.bob, "INBOX", true, error);
}

static int move_to_itself(struct ph_error *error)
{
	return copy_some(fixture.alice, "INBOX", true, error);
}

static void check_copied(ph_account_id account, const char *name)
{
	for (unsigned i = 2; i <= 4; i++)
		ck_assert_uint_ge(count_text(account, name, i), 1);
}

static void check_copied_to_box(void)
{
	check_copied(fixture.alice, "Box");
	check_copied(fixture.alice, "INBOX");
}

static void check_copied_to_bob(void)
{
	check_copied(fixture.bob, "INBOX");
	check_copied(fixture.alice, "INBOX");
}

static void check_moved_to_box(void)
{
	check_copied(fixture.alice, "Box");
	for (unsigned i = 2; i <= 4; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "INBOX", i), 0);
}

static void check_moved_to_bob(void)
{
	check_copied(fixture.bob, "INBOX");
	for (unsigned i = 2; i <= 4; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "INBOX", i), 0);
}

static void check_moved_to_itself(void)
{
	for (unsigned i = 2; i <= 4; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "INBOX", i), 1);
}

static int rename_box(struct ph_error *error)
{
	return st->mailbox_rename(SYSTEM, fixture.alice, S("Box"), S("New/name"), error);
}

static void check_renamed(void)
{
	ck_assert_ptr_null(find_box(&now, fixture.alice, "Box"));
	ck_assert_ptr_null(find_box(&now, fixture.alice, "Box/child"));
	for (unsigned i = BOX_FIRST; i <= BOX_LAST; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "New/name", i), 1);
	ck_assert_uint_eq(count_text(fixture.alice, "New/name/child", CHILD), 1);
}

static int rename_inbox(struct ph_error *error)
{
	return st->mailbox_rename(SYSTEM, fixture.alice, S("INBOX"), S("Old"), error);
}

/* When some came and some did not, the target exists, and the rest is moved by hand. */
static void check_renamed_inbox(void)
{
	for (unsigned i = INBOX_FIRST; i <= INBOX_LAST; i++)
		ck_assert_uint_ge(
			count_text(fixture.alice, "Old", i) + count_text(fixture.alice, "INBOX", i), 1);
}

static int delete_box(struct ph_error *error)
{
	return st->mailbox_delete(SYSTEM, fixture.alice, S("Box"), error);
}

static uint64_t number_of(const struct box *box)
{
	return strtoull(box->status.id + 1, NULL, 16);
}

static int count_removals(struct ph_kv_txn *txn, void *arg)
{
	struct ph_kv_cursor *cursor = fixture.kv.cursor(txn, 0);
	struct ph_str key, value;
	unsigned *count = arg;
	int result = fixture.kv.seek(cursor, S("r"), &key, &value);

	*count = 0;
	for (; result == 0; result = fixture.kv.next(cursor, &key, &value))
		*count += key.data[0] == 'r' || key.data[0] == 'x';
	return 0;
}

/* What is to be removed goes in the background. */
static void wait_until_removed(void)
{
	const struct ph_kv_partition directory = directory_partition();
	unsigned keys;

	for (int i = 0;; i++) {
		ck_assert_int_lt(i, 100000);
		ck_assert_int_eq(fixture.kv.read(&directory, 1, count_removals, &keys, NULL), 0);
		if (keys == 0)
			return;
		ph_fiber_yield();
	}
}

static void check_deleted(void)
{
	wait_until_removed();
	ck_assert_uint_eq(
		count_keys(mailbox_partition(number_of(find_box(&before, fixture.alice, "Box")))), 0);
	ck_assert_ptr_null(find_box(&now, fixture.alice, "Box"));
	ck_assert_uint_eq(count_text(fixture.alice, "Box/child", CHILD), 1);
}

static int remove_bob(struct ph_error *error)
{
	return st->account_remove(SYSTEM, fixture.bob, error);
}

static void check_removed(void)
{
	wait_until_removed();
	for (size_t i = 0; i < before.box_count; i++) {
		if (before.boxes[i].account == fixture.bob)
			ck_assert_uint_eq(count_keys(mailbox_partition(number_of(&before.boxes[i]))), 0);
	}
	ck_assert_uint_eq(count_keys(account_partition(fixture.bob)), 0);
	ck_assert_ptr_null(find_box(&now, fixture.bob, "INBOX"));
}

static int create_boxes(struct ph_error *error)
{
	return st->mailbox_create(SYSTEM, fixture.alice, S("a/b/c"), 0, error);
}

static void check_created(void)
{
	ck_assert_ptr_nonnull(find_box(&now, fixture.alice, "a"));
	ck_assert_ptr_nonnull(find_box(&now, fixture.alice, "a/b"));
	ck_assert_ptr_nonnull(find_box(&now, fixture.alice, "a/b/c"));
}

static int create_carol(struct ph_error *error)
{
	ph_account_id id;

	return st->account_create(SYSTEM, S("carol@demo.test"), S("hash"), &id, error);
}

static void check_carol(void)
{
	struct ph_account account;

	ck_assert_int_eq(st->account_find(SYSTEM, S("carol@demo.test"), fixture.pool, &account, NULL), 0);
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "INBOX", "Archive", "Drafts", "Junk", "Trash" };

		ck_assert_ptr_nonnull(find_box(&now, account.id, names[i]));
	}
}

static int flag_all(struct ph_error *error)
{
	const struct ph_str keywords[] = { S("Fresh"), S("Keyword") };
	const struct ph_flag_list flags = { PH_FLAG_FLAGGED | PH_FLAG_SEEN, keywords, 2 };
	struct ph_uid_set set = uids(1, UINT32_MAX);
	struct ph_mailbox *mailbox;
	int result = st->mailbox_open(SYSTEM, fixture.alice, S("INBOX"), false, &mailbox, error);

	if (result == 0)
		result = st->messages_flag(SYSTEM, mailbox, &set, PH_FLAGS_ADD, &flags, 0, NULL, error);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&set);
	return result;
}

static void check_flagged(void)
{
	for (size_t i = 0; i < now.message_count; i++) {
		const struct message *message = &now.messages[i];

		if (message->box->account != fixture.alice || strcmp(message->box->name, "INBOX") != 0)
			continue;
		ck_assert_uint_eq(
			message->flags & (PH_FLAG_FLAGGED | PH_FLAG_SEEN), PH_FLAG_FLAGGED | PH_FLAG_SEEN);
		ck_assert_uint_eq(message->keywords, 2);
	}
}

static int expunge(struct ph_error *error)
{
	struct ph_mailbox *mailbox;
	int result = st->mailbox_open(SYSTEM, fixture.alice, S("INBOX"), false, &mailbox, error);

	if (result == 0)
		result = st->messages_expunge(SYSTEM, mailbox, NULL, false, NULL, error);
	st->mailbox_close(&mailbox);
	return result;
}

static bool is_expunged(unsigned text)
{
	return text == 3 || text == 6;
}

static void check_expunged(void)
{
	for (unsigned i = INBOX_FIRST; i <= INBOX_LAST; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "INBOX", i), is_expunged(i) ? 0 : 1);
}

static int subscribe(struct ph_error *error)
{
	return st->mailbox_subscribe(SYSTEM, fixture.alice, S("Some"), true, error);
}

static int set_quota(struct ph_error *error)
{
	const struct ph_quota_limits limits = { 100000, 100 };

	return st->account_set_quota(SYSTEM, fixture.alice, &limits, error);
}

static int read_all(struct ph_error *error)
{
	struct ph_message_iterator *iterator;
	const struct ph_message *message;
	struct ph_mailbox *mailbox;
	struct ph_message_bytes *blob;
	struct ph_str bytes;
	struct ph_mailbox_news news;
	unsigned count = 0;
	int ended, result = st->mailbox_open(SYSTEM, fixture.alice, S("INBOX"), false, &mailbox, error);

	if (result == 0)
		result = st->mailbox_refresh(mailbox, true, fixture.pool, &news, error);
	if (result < 0) {
		st->mailbox_close(&mailbox);
		return result;
	}
	iterator = st->messages_begin(mailbox, NULL, PH_MESSAGE_SUMMARY);
	for (; result == 0 && st->messages_next(iterator, &message); count++) {
		result = st->message_open(mailbox, message, &blob, error);
		if (result < 0)
			break;
		result = st->message_view(blob, 0, &bytes, error);
		st->message_close(&blob);
	}
	ended = st->messages_end(&iterator, result == 0 ? error : NULL);
	st->mailbox_close(&mailbox);
	if (result == 0 && ended == 0)
		ck_assert_uint_eq(count, INBOX_LAST);
	return result < 0 ? result : ended;
}

/* --- taking mail over: each message once, with its UID, however often it is tried --- */

static const uint32_t imported_uids[] = { 5, 9, 12 };

static void write_mail_file(const char *name, const char *text)
{
	char path[TEMPORARY_MAX + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture.directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void make_maildir(void)
{
	static const char *const folders[] = { "mail", "mail/cur", "mail/new", "mail/.here", "mail/.here/cur",
		"mail/.here/new" };
	char path[TEMPORARY_MAX + 32];

	for (size_t i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", fixture.directory, folders[i]);
		if (mkdir(path, 0700) != 0)
			return;
	}
	write_mail_file("mail/.here/dovecot-uidlist", "3 V4000000000 N20 Gabc\n5 :41.a\n9 :42.a\n12 :43.a\n");
	write_mail_file("mail/.here/cur/41.a:2,S", "Subject: 41\n\nbody\n");
	write_mail_file("mail/.here/cur/42.a:2,FR", "Subject: 42\n\nbody\n");
	write_mail_file("mail/.here/cur/43.a:2,P", "Subject: 43\n\nbody\n");
}

static int import_some(struct ph_error *error)
{
	struct ph_import import = { .account = fixture.alice };
	char path[TEMPORARY_MAX + 8];
	int result;

	make_maildir();
	snprintf(path, sizeof(path), "%s/mail", fixture.directory);
	result = import_maildir(&import, path, error);
	return result == 0 && import.refused > 0 ? ph_error_set(error, kv_faulty_code(), "refused", NULL)
						 : result;
}

static void check_no_doubles(void)
{
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_le(count_text(fixture.alice, NULL, IMPORTED + i), 1);
}

static void check_imported(void)
{
	const struct box *box = find_box(&now, fixture.alice, "here");

	for (size_t i = 0; i < now.message_count; i++) {
		if (now.messages[i].text >= IMPORTED && now.messages[i].text < IMPORTED + 3)
			ck_assert_uint_eq(
				now.messages[i].uid, imported_uids[now.messages[i].text - IMPORTED]);
	}
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(count_text(fixture.alice, "here", IMPORTED + i), 1);
	ck_assert_uint_eq(box->status.uid_validity, 4000000000);
	ck_assert_uint_eq(box->status.uid_next, 20);
}

/* What an operation that failed leaves of it. */
enum whole {
	IN_STEPS,
	WHOLE_IF_ATOMIC, /* nothing, where the kv changes several partitions together */
	WHOLE,           /* nothing */
};

static const struct operation {
	const char *name;
	int (*run)(struct ph_error *error);
	enum whole whole;
	void (*after)(void); /* holds after a failure too; or NULL */
	void (*done)(void);  /* holds once it succeeded; or NULL */
	int again;           /* what it may say when it is done once more, having failed half-way */
} operations[] = {
	{ "deliver", deliver_to_several, IN_STEPS, check_destinations, check_delivered, 0 },
	{ "append", append, WHOLE, NULL, check_appended, 0 },
	{ "copy", copy_to_box, WHOLE, NULL, check_copied_to_box, 0 },
	{ "copy to bob", copy_to_bob, WHOLE, NULL, check_copied_to_bob, 0 },
	{ "move", move_to_box, WHOLE_IF_ATOMIC, NULL, check_moved_to_box, 0 },
	{ "move to bob", move_to_bob, WHOLE_IF_ATOMIC, NULL, check_moved_to_bob, 0 },
	{ "move to itself", move_to_itself, WHOLE, NULL, check_moved_to_itself, 0 },
	{ "rename", rename_box, WHOLE, NULL, check_renamed, PH_E_ABSENT },
	{ "rename INBOX", rename_inbox, IN_STEPS, check_renamed_inbox, check_renamed_inbox, PH_E_EXISTS },
	{ "delete", delete_box, IN_STEPS, NULL, check_deleted, PH_E_ABSENT },
	{ "remove", remove_bob, IN_STEPS, NULL, check_removed, PH_E_ABSENT },
	{ "create", create_boxes, WHOLE, NULL, check_created, PH_E_EXISTS },
	{ "create account", create_carol, WHOLE, NULL, check_carol, PH_E_EXISTS },
	{ "flag", flag_all, WHOLE, NULL, check_flagged, 0 },
	{ "expunge", expunge, WHOLE, NULL, check_expunged, 0 },
	{ "subscribe", subscribe, WHOLE, NULL, NULL, 0 },
	{ "set quota", set_quota, WHOLE, NULL, NULL, 0 },
	{ "import", import_some, IN_STEPS, check_no_doubles, check_imported, 0 },
	{ "read", read_all, WHOLE, NULL, NULL, 0 },
};

#endif
