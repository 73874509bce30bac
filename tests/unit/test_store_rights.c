/* Whoever acts gets at what is theirs, and at nothing else: each function of the store, by each kind of
 * actor. */
#include <config.h>

#include <stddef.h>

#include "store_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MEMBER(name) offsetof(struct ph_store_service, name)

/* --- each function, used on what is alice's --- */

static struct ph_mailbox *inbox; /* hers, opened by the system */

static int create_account(struct ph_actor actor)
{
	ph_account_id id;

	return st->account_create(actor, S("carol@demo.test"), S(""), &id, NULL);
}

static int find_account(struct ph_actor actor)
{
	struct ph_account account;
	int result = st->account_find(actor, S("alice@demo.test"), fixture.pool, &account, NULL);

	if (result == 0)
		ck_assert_int_eq(account.password_hash.len > 0, actor.system);
	return result;
}

static int set_password(struct ph_actor actor)
{
	return st->account_set_password(actor, fixture.alice, S("stolen"), NULL);
}

static int remove_account(struct ph_actor actor)
{
	return st->account_remove(actor, fixture.alice, NULL);
}

static int list_accounts(struct ph_actor actor)
{
	struct ph_account *accounts;
	size_t count;

	return st->account_list(actor, fixture.pool, &accounts, &count, NULL);
}

static int show_quota(struct ph_actor actor)
{
	struct ph_quota quota;

	return st->account_quota(actor, fixture.alice, &quota, NULL);
}

static int set_quota(struct ph_actor actor)
{
	const struct ph_quota_limits limits = { 1, 1 };

	return st->account_set_quota(actor, fixture.alice, &limits, NULL);
}

static int list_mailboxes(struct ph_actor actor)
{
	struct ph_mailbox_entry *entries;
	size_t count;

	return st->mailbox_list(actor, fixture.alice, fixture.pool, &entries, &count, NULL);
}

static int create_mailbox(struct ph_actor actor)
{
	return st->mailbox_create(actor, fixture.alice, S("New"), 0, NULL);
}

static int delete_mailbox(struct ph_actor actor)
{
	return st->mailbox_delete(actor, fixture.alice, S("Junk"), NULL);
}

static int rename_mailbox(struct ph_actor actor)
{
	return st->mailbox_rename(actor, fixture.alice, S("Junk"), S("Other"), NULL);
}

static int rename_inbox(struct ph_actor actor)
{
	return st->mailbox_rename(actor, fixture.alice, S("INBOX"), S("Other"), NULL);
}

static int subscribe(struct ph_actor actor)
{
	return st->mailbox_subscribe(actor, fixture.alice, S("Junk"), true, NULL);
}

static int show_status(struct ph_actor actor)
{
	struct ph_mailbox_status status;

	return st->mailbox_status(actor, fixture.alice, S("INBOX"), &status, NULL);
}

static int open_inbox(struct ph_actor actor)
{
	struct ph_mailbox *mailbox;
	int result = st->mailbox_open(actor, fixture.alice, S("INBOX"), true, &mailbox, NULL);

	ck_assert_int_eq(mailbox != NULL, result == 0);
	st->mailbox_close(&mailbox);
	return result;
}

static int flag(struct ph_actor actor)
{
	const struct ph_flag_list flags = { PH_FLAG_SEEN, NULL, 0 };
	struct ph_uid_set one = uids(1, 1);
	int result = st->messages_flag(actor, inbox, &one, PH_FLAGS_ADD, &flags, 0, NULL, NULL);

	st->uid_set_free(&one);
	return result;
}

static int expunge(struct ph_actor actor)
{
	struct ph_uid_set one = uids(1, 1);
	int result = st->messages_expunge(actor, inbox, &one, true, NULL, NULL);

	st->uid_set_free(&one);
	return result;
}

static int copy(struct ph_actor actor, ph_account_id to, bool move)
{
	struct ph_uid_set one = uids(1, 1);
	struct ph_copied copied;
	int result = st->messages_copy(actor, inbox, &one, to, S("Archive"), move, &copied, NULL);

	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	st->uid_set_free(&one);
	return result;
}

/* To themselves what is alice's, */
static int copy_from(struct ph_actor actor)
{
	return copy(actor, actor.system ? fixture.bob : actor.account, false);
}

static int move_from(struct ph_actor actor)
{
	return copy(actor, actor.system ? fixture.bob : actor.account, true);
}

/* and to somebody else. */
static int copy_to(struct ph_actor actor)
{
	return copy(actor, fixture.bob, false);
}

static int deliver(struct ph_actor actor)
{
	struct ph_draft *draft = make_draft(S("Subject: x\r\n\r\n"));
	struct ph_destination to = { .account = fixture.alice, .mailbox = S("INBOX") };
	int result = st->deliver(actor, draft, 0, 0, &to, 1, NULL);

	ck_assert_int_eq(to.result, result);
	st->draft_free(&draft);
	return result;
}

static int deliver_anew(struct ph_actor actor)
{
	struct ph_draft *draft = make_draft(S("Subject: x\r\n\r\n"));
	struct ph_destination to = { .account = fixture.alice, .mailbox = S("New"), .create = true };
	int result = st->deliver(actor, draft, 0, 0, &to, 1, NULL);

	st->draft_free(&draft);
	return result;
}

static int lock_maildrop(struct ph_actor actor)
{
	int result = st->maildrop_lock(actor, fixture.alice, NULL);

	if (result == 0)
		st->maildrop_unlock(actor, fixture.alice);
	return result;
}

/* PH_E_BUSY: it is locked still. */
static int unlock_maildrop(struct ph_actor actor)
{
	int result;

	ck_assert_int_eq(st->maildrop_lock(SYSTEM, fixture.alice, NULL), 0);
	st->maildrop_unlock(actor, fixture.alice);
	result = st->maildrop_lock(SYSTEM, fixture.alice, NULL);
	st->maildrop_unlock(SYSTEM, fixture.alice);
	return result;
}

static const struct {
	size_t member;
	int (*call)(struct ph_actor actor);
	int others; /* what those get whose it is not */
	int owner;  /* what alice gets */
} calls[] = {
	{ MEMBER(account_create), create_account, PH_E_DENIED, PH_E_DENIED },
	{ MEMBER(account_find), find_account, PH_E_ABSENT, 0 },
	{ MEMBER(account_set_password), set_password, PH_E_ABSENT, 0 },
	{ MEMBER(account_remove), remove_account, PH_E_ABSENT, PH_E_ABSENT },
	{ MEMBER(account_list), list_accounts, PH_E_ABSENT, PH_E_ABSENT },
	{ MEMBER(account_quota), show_quota, PH_E_ABSENT, 0 },
	{ MEMBER(account_set_quota), set_quota, PH_E_ABSENT, PH_E_ABSENT },
	{ MEMBER(mailbox_list), list_mailboxes, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_create), create_mailbox, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_delete), delete_mailbox, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_rename), rename_mailbox, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_rename), rename_inbox, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_subscribe), subscribe, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_status), show_status, PH_E_ABSENT, 0 },
	{ MEMBER(mailbox_open), open_inbox, PH_E_ABSENT, 0 },
	{ MEMBER(messages_flag), flag, PH_E_ABSENT, 0 },
	{ MEMBER(messages_expunge), expunge, PH_E_ABSENT, 0 },
	{ MEMBER(messages_copy), copy_from, PH_E_ABSENT, 0 },
	{ MEMBER(messages_copy), move_from, PH_E_ABSENT, 0 },
	{ MEMBER(messages_copy), copy_to, PH_E_ABSENT, PH_E_ABSENT },
	{ MEMBER(deliver), deliver, PH_E_ABSENT, 0 },
	{ MEMBER(deliver), deliver_anew, PH_E_ABSENT, 0 },
	{ MEMBER(maildrop_lock), lock_maildrop, PH_E_ABSENT, 0 },
	{ MEMBER(maildrop_unlock), unlock_maildrop, PH_E_BUSY, 0 },
};

/* Functions without an actor: they need something that only mailbox_open gave, or know nothing of anybody. */
static const size_t without_actor[] = {
	/* Of an open mailbox. */
	MEMBER(mailbox_close),
	MEMBER(mailbox_view_status),
	MEMBER(mailbox_keywords),
	MEMBER(mailbox_refresh),
	MEMBER(mailbox_changes),
	MEMBER(mailbox_watch),
	MEMBER(view_count),
	MEMBER(view_uid),
	MEMBER(view_sequence),
	MEMBER(view_last_uid),
	MEMBER(view_uids),
	MEMBER(messages_begin),
	MEMBER(messages_next),
	MEMBER(messages_end),
	MEMBER(messages_flagged),
	MEMBER(message_email_id),
	MEMBER(message_thread_id),
	MEMBER(message_open),
	MEMBER(message_size),
	MEMBER(message_view),
	MEMBER(message_check),
	MEMBER(message_close),
	/* Nobody's yet. */
	MEMBER(draft_new),
	MEMBER(draft_write),
	MEMBER(draft_size),
	MEMBER(draft_finish),
	MEMBER(draft_view),
	MEMBER(draft_source),
	MEMBER(draft_free),
	/* What every sender may find out. */
	MEMBER(domain_is_local),
	/* No mail at all. */
	MEMBER(uid_set_add),
	MEMBER(uid_set_has),
	MEMBER(uid_set_count),
	MEMBER(uid_set_add_rest),
	MEMBER(uid_set_free),
};

static bool is_listed(size_t member)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		if (calls[i].member == member)
			return true;
	}
	for (size_t i = 0; i < COUNT(without_actor); i++) {
		if (without_actor[i] == member)
			return true;
	}
	return false;
}

START_TEST(every_function_is_here)
{
	for (size_t member = 0; member < sizeof(*st); member += sizeof(void (*)(void)))
		ck_assert_msg(
			is_listed(member), "member %zu of the service", member / sizeof(void (*)(void)));
}
END_TEST

/* All that a call could have changed. */
struct picture {
	uint64_t modseq;
	unsigned directory, account, subscribed;
	struct ph_quota quota;
};

static struct picture take_picture(void)
{
	struct picture picture = { 0 };
	struct ph_mailbox_entry *entries;
	struct ph_account account;
	size_t count;

	picture.modseq = status_of(fixture.alice, "INBOX").highest_modseq;
	picture.directory = count_keys(directory_partition());
	picture.account = count_keys(account_partition(fixture.alice));
	ck_assert_int_eq(st->account_quota(SYSTEM, fixture.alice, &picture.quota, NULL), 0);
	ck_assert_int_eq(st->account_find(SYSTEM, S("alice@demo.test"), fixture.pool, &account, NULL), 0);
	ck_assert(ph_str_eq(account.password_hash, S("hash")));
	ck_assert_int_eq(st->mailbox_list(SYSTEM, fixture.alice, fixture.pool, &entries, &count, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		picture.subscribed += entries[i].subscribed;
		ck_assert(!ph_str_eq(entries[i].name, S("Other")));
	}
	ck_assert_uint_eq(status_of(fixture.bob, "Archive").messages, 0);
	return picture;
}

static void give_alice_mail(void)
{
	deliver_text(fixture.alice, "INBOX", "Subject: hers\r\n\r\n");
	inbox = open_mailbox(fixture.alice, "INBOX", false);
}

START_TEST(others_get_at_nothing)
{
	const struct ph_actor bob = { fixture.bob, false }, nobody = { 0, false }, stranger = { 999, false };
	struct picture before, after;

	give_alice_mail();
	before = take_picture();
	ck_assert_int_eq(calls[_i].call(bob), calls[_i].others);
	ck_assert_int_eq(calls[_i].call(nobody), calls[_i].others);
	ck_assert_int_eq(calls[_i].call(stranger), calls[_i].others);
	after = take_picture();
	ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
	st->mailbox_close(&inbox);
}
END_TEST

START_TEST(the_owner_gets_at_what_is_hers)
{
	give_alice_mail();
	ck_assert_int_eq(calls[_i].call((struct ph_actor){ fixture.alice, false }), calls[_i].owner);
	st->mailbox_close(&inbox);
}
END_TEST

START_TEST(the_system_gets_at_all)
{
	give_alice_mail();
	ck_assert_int_eq(calls[_i].call(SYSTEM), 0);
	st->mailbox_close(&inbox);
}
END_TEST

/* Account 0 is nobody's, and not the one of an actor who is nobody. */
START_TEST(nobody_has_no_account)
{
	const struct ph_actor nobody = { 0, false };
	struct ph_mailbox *mailbox;

	ck_assert_int_eq(st->mailbox_open(nobody, 0, S("INBOX"), true, &mailbox, NULL), PH_E_ABSENT);
	ck_assert_int_eq(st->mailbox_create(nobody, 0, S("New"), 0, NULL), PH_E_ABSENT);
	ck_assert_int_eq(st->maildrop_lock(nobody, 0, NULL), PH_E_ABSENT);
}
END_TEST

START_TEST(what_was_opened_read_only_is_not_changed)
{
	give_alice_mail();
	st->mailbox_close(&inbox);
	inbox = open_mailbox(fixture.alice, "INBOX", true);
	ck_assert_int_eq(flag(SYSTEM), PH_E_DENIED);
	ck_assert_int_eq(expunge(SYSTEM), PH_E_DENIED);
	ck_assert_int_eq(copy(SYSTEM, fixture.alice, true), PH_E_DENIED);
	ck_assert_int_eq(copy(SYSTEM, fixture.alice, false), 0);
	st->mailbox_close(&inbox);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store rights");
	TCase *tests = tcase_create("rights");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, every_function_is_here);
	tcase_add_loop_test(tests, others_get_at_nothing, 0, COUNT(calls));
	tcase_add_loop_test(tests, the_owner_gets_at_what_is_hers, 0, COUNT(calls));
	tcase_add_loop_test(tests, the_system_gets_at_all, 0, COUNT(calls));
	tcase_add_test(tests, nobody_has_no_account);
	tcase_add_test(tests, what_was_opened_read_only_is_not_changed);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
