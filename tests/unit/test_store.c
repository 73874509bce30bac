/* The store's operations, one after the other: accounts, messages, views, copies. */
#include <config.h>

#include <unistd.h>

#include "store_fixture.h"

static const char letter[] = "From: a@example.org\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\nText\r\n";

/* --- accounts --- */

START_TEST(accounts_are_found_by_address)
{
	struct ph_account account;
	struct ph_actor bob = { fixture.bob, false };
	ph_account_id id;

	ck_assert_int_eq(st->account_find(SYSTEM, S("ALICE@Demo.Test"), fixture.pool, &account, NULL), 0);
	ck_assert_uint_eq(account.id, fixture.alice);
	ck_assert(ph_str_eq(account.address, S("alice@demo.test")));
	ck_assert(ph_str_eq(account.password_hash, S("hash")));
	ck_assert_int_eq(
		st->account_find(SYSTEM, S("carol@demo.test"), fixture.pool, &account, NULL), PH_E_ABSENT);
	ck_assert_int_eq(st->account_find(SYSTEM, S("nonsense"), fixture.pool, &account, NULL), PH_E_ABSENT);
	ck_assert_int_eq(
		st->account_find(bob, S("alice@demo.test"), fixture.pool, &account, NULL), PH_E_ABSENT);
	ck_assert_int_eq(st->account_find(bob, S("bob@demo.test"), fixture.pool, &account, NULL), 0);
	ck_assert_uint_eq(account.password_hash.len, 0);
	ck_assert_int_eq(st->account_create(SYSTEM, S("Alice@DEMO.test"), S(""), &id, NULL), PH_E_EXISTS);
	ck_assert_int_eq(st->account_create(SYSTEM, S("no address"), S(""), &id, NULL), PH_E_INVALID);
	ck_assert_int_eq(st->account_create(bob, S("carol@demo.test"), S(""), &id, NULL), PH_E_DENIED);
	ck_assert_int_eq(st->account_create(SYSTEM, S("Carol@Demo.test"), S("x"), &id, NULL), 0);
	ck_assert_int_eq(st->account_find(SYSTEM, S("carol@demo.test"), fixture.pool, &account, NULL), 0);
	ck_assert(ph_str_eq(account.address, S("Carol@demo.test")));
	ck_assert_int_eq(st->account_set_password(SYSTEM, id, S("new"), NULL), 0);
	ck_assert_int_eq(st->account_set_password(bob, id, S("stolen"), NULL), PH_E_ABSENT);
	ck_assert_int_eq(st->account_find(SYSTEM, S("carol@demo.test"), fixture.pool, &account, NULL), 0);
	ck_assert(ph_str_eq(account.password_hash, S("new")));
}
END_TEST

START_TEST(accounts_are_listed_in_order)
{
	struct ph_account *accounts;
	ph_account_id id;
	size_t count;

	ck_assert_int_eq(st->account_create(SYSTEM, S("aaron@zoo.test"), S(""), &id, NULL), 0);
	ck_assert_int_eq(st->account_list(SYSTEM, fixture.pool, &accounts, &count, NULL), 0);
	ck_assert_uint_eq(count, 3);
	ck_assert(ph_str_eq(accounts[0].address, S("aaron@zoo.test")));
	ck_assert(ph_str_eq(accounts[1].address, S("alice@demo.test")));
	ck_assert(ph_str_eq(accounts[2].address, S("bob@demo.test")));
	ck_assert_int_eq(st->account_list((struct ph_actor){ fixture.bob, false }, fixture.pool, &accounts,
				 &count, NULL),
		PH_E_ABSENT);
}
END_TEST

static bool is_local(const char *domain)
{
	bool local;

	ck_assert_int_eq(st->domain_is_local(ph_str(domain), &local, NULL), 0);
	return local;
}

START_TEST(domains_are_local_with_an_account)
{
	ph_account_id one, two;

	ck_assert(is_local("configured.TEST") && is_local("DEMO.test"));
	ck_assert(!is_local("other.test") && !is_local(""));
	ck_assert_int_eq(st->account_create(SYSTEM, S("x@other.test"), S(""), &one, NULL), 0);
	ck_assert_int_eq(st->account_create(SYSTEM, S("y@other.test"), S(""), &two, NULL), 0);
	ck_assert(is_local("other.test"));
	ck_assert_int_eq(st->account_remove(SYSTEM, one, NULL), 0);
	ck_assert(is_local("other.test"));
	ck_assert_int_eq(st->account_remove(SYSTEM, two, NULL), 0);
	ck_assert(!is_local("other.test"));
	ck_assert_int_eq(st->account_remove(SYSTEM, two, NULL), PH_E_ABSENT);
}
END_TEST

START_TEST(a_removed_account_leaves_nothing)
{
	struct ph_mailbox *mailbox = open_mailbox(fixture.alice, "INBOX", false);
	struct ph_mailbox_news news;
	const struct ph_message *message;
	struct ph_message_iterator *iterator;
	struct ph_mailbox_status status, before;
	struct ph_kv_blob_id blob;
	struct ph_kv_blob *open;

	before = status_of(fixture.alice, "INBOX");
	for (int i = 0; i < 1200; i++)
		deliver_text(fixture.alice, i % 2 ? "INBOX" : "Junk", letter);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.alice, S("Some"), true, NULL), 0);
	ck_assert_int_eq(st->mailbox_refresh(mailbox, true, fixture.pool, &news, NULL), 0);
	iterator = st->messages_begin(mailbox, NULL, 0);
	ck_assert(st->messages_next(iterator, &message));
	blob = message->blob;
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	ck_assert_int_eq(st->account_remove(SYSTEM, fixture.alice, NULL), 0);
	ck_assert_int_eq(st->mailbox_refresh(mailbox, true, fixture.pool, &news, NULL), 0);
	ck_assert(news.gone);
	ck_assert_int_eq(st->mailbox_status(SYSTEM, fixture.alice, S("INBOX"), &status, NULL), PH_E_ABSENT);
	ck_assert_int_eq(fixture.kv.blob_open(blob, &open, NULL), PH_E_ABSENT);
	for (uint64_t number = 0; number < 20; number++)
		ck_assert_uint_eq(count_keys(mailbox_partition(fixture.alice << 32 | number)), 0);
	ck_assert_uint_eq(count_keys(account_partition(fixture.alice)), 0);
	/* Counters; address and record of one account; one domain. */
	ck_assert_uint_eq(count_keys(directory_partition()), 5);
	st->mailbox_close(&mailbox);
	/* The same address anew is another account, with another UIDVALIDITY. */
	ck_assert_int_eq(st->account_create(SYSTEM, S("alice@demo.test"), S(""), &fixture.alice, NULL), 0);
	ck_assert_uint_gt(status_of(fixture.alice, "INBOX").uid_validity, before.uid_validity);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 0);
}
END_TEST

/* --- messages --- */

START_TEST(a_message_is_kept_whole)
{
	const struct ph_str keywords[] = { S("$Label"), S("other"), S("$LABEL") };
	struct ph_flag_list flags = { PH_FLAG_SEEN | PH_FLAG_DRAFT, keywords, 3 };
	struct ph_mailbox *mailbox;
	struct ph_message_iterator *iterator;
	const struct ph_message *message;
	struct ph_mime_message summary;
	struct ph_message_bytes *blob;
	struct ph_str bytes;

	ck_assert_uint_eq(deliver_flagged(fixture.alice, "INBOX", ph_str(letter), flags), 1);
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	iterator = st->messages_begin(mailbox, NULL, PH_MESSAGE_SUMMARY);
	ck_assert(st->messages_next(iterator, &message));
	ck_assert_uint_eq(message->uid, 1);
	ck_assert_uint_eq(message->flags, PH_FLAG_SEEN | PH_FLAG_DRAFT);
	ck_assert_uint_eq(message->keyword_count, 2);
	ck_assert(
		ph_str_eq(message->keywords[0], S("$Label")) && ph_str_eq(message->keywords[1], S("other")));
	ck_assert_uint_eq(message->size, strlen(letter));
	ck_assert_int_eq(message->internal_date, 1000);
	ck_assert_int_eq(message->internal_zone, 60);
	ck_assert_int_gt(message->save_date, 1000);
	ck_assert(message->recent);
	ck_assert_int_eq(mime_service.summary_view(message->summary, &summary), 0);
	ck_assert(ph_str_eq(summary.subject, S("caf\xc3\xa9")));
	ck_assert_int_eq(st->message_open(mailbox, message, &blob, NULL), 0);
	ck_assert_uint_eq(st->message_size(blob), strlen(letter));
	ck_assert_int_eq(st->message_view(blob, 0, &bytes, NULL), 0);
	ck_assert(ph_str_eq(bytes, ph_str(letter)));
	st->message_close(&blob);
	ck_assert(!st->messages_next(iterator, &message));
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(delivery_to_many)
{
	struct ph_draft *draft = make_draft(ph_str(letter));
	char longest[PH_KEYWORD_MAX + 1];
	const struct ph_str too_long = ph_str_of(longest, sizeof(longest));
	struct ph_destination destinations[] = {
		{ .account = fixture.alice, .mailbox = S("INBOX") },
		{ .account = 999, .mailbox = S("INBOX") },
		{ .account = fixture.alice, .mailbox = S("none") },
		{ .account = fixture.bob, .mailbox = S("new/box"), .create = true },
		{ .account = fixture.alice, .mailbox = S("inbox") },
		{ .account = fixture.bob, .mailbox = S("INBOX"), .flags = { 0, &too_long, 1 } },
		{ .account = fixture.bob, .mailbox = S("bad//name"), .create = true },
	};
	static const int results[] = { 0, PH_E_ABSENT, PH_E_ABSENT, 0, 0, PH_E_INVALID, PH_E_INVALID };

	use_atomic_partitions(_i == 0);
	memset(longest, 'k', sizeof(longest));
	ck_assert_int_eq(st->deliver(SYSTEM, draft, 0, 0, destinations, 7, NULL), PH_E_ABSENT);
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(destinations[i].result, results[i]);
	ck_assert_uint_eq(destinations[0].uid, 1);
	ck_assert_uint_eq(destinations[4].uid, 2);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").uid_validity, destinations[0].uid_validity);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 2);
	ck_assert_uint_eq(status_of(fixture.bob, "new/box").messages, 1);
	ck_assert_uint_eq(status_of(fixture.bob, "INBOX").messages, 0);
	/* Once more the same draft, by an actor who may only write to his own. */
	ck_assert_int_eq(
		st->deliver((struct ph_actor){ fixture.bob, false }, draft, 0, 0, destinations, 4, NULL),
		PH_E_ABSENT);
	ck_assert_int_eq(destinations[0].result, PH_E_ABSENT);
	ck_assert_int_eq(destinations[3].result, 0);
	st->draft_free(&draft);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 2);
	ck_assert_uint_eq(status_of(fixture.bob, "new/box").messages, 2);
}
END_TEST

START_TEST(flags_and_keywords)
{
	const struct ph_str first[] = { S("one"), S("two") }, second[] = { S("TWO"), S("three") };
	static const struct {
		enum ph_flag_operation operation;
		unsigned flags;
		int keywords; /* 1: first, 2: second */
		unsigned expected;
		const char *names;
	} steps[] = {
		{ PH_FLAGS_ADD, PH_FLAG_SEEN, 1, PH_FLAG_SEEN, "one two " },
		{ PH_FLAGS_ADD, PH_FLAG_FLAGGED, 2, PH_FLAG_SEEN | PH_FLAG_FLAGGED, "one two three " },
		{ PH_FLAGS_REMOVE, PH_FLAG_SEEN, 1, PH_FLAG_FLAGGED, "three " },
		{ PH_FLAGS_REPLACE, PH_FLAG_ANSWERED, 2, PH_FLAG_ANSWERED, "two three " },
		{ PH_FLAGS_REPLACE, 0, 0, 0, "" },
	};
	struct ph_mailbox *mailbox;
	struct ph_uid_set all = uids(1, UINT32_MAX);
	uint64_t modseq;

	deliver_text(fixture.alice, "INBOX", letter);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct ph_flag_list flags = { steps[i].flags, steps[i].keywords == 2 ? second : first,
			steps[i].keywords ? 2 : 0 };
		struct ph_message_iterator *iterator;
		const struct ph_message *message;
		struct ph_mailbox_news news;
		char names[100] = "";

		ck_assert_int_eq(
			st->messages_flag(SYSTEM, mailbox, &all, steps[i].operation, &flags, 0, NULL, NULL),
			0);
		modseq = status_of(fixture.alice, "INBOX").highest_modseq;
		/* Nothing changes: no new modseq. */
		ck_assert_int_eq(
			st->messages_flag(SYSTEM, mailbox, &all, steps[i].operation, &flags, 0, NULL, NULL),
			0);
		ck_assert_uint_eq(status_of(fixture.alice, "INBOX").highest_modseq, modseq);
		ck_assert_int_eq(st->mailbox_refresh(mailbox, true, fixture.pool, &news, NULL), 0);
		ck_assert_uint_eq(st->uid_set_count(&news.changed), 1);
		ck_assert_int_eq(news.keywords_changed, i < 2);
		iterator = st->messages_begin(mailbox, NULL, 0);
		ck_assert(st->messages_next(iterator, &message));
		ck_assert_uint_eq(message->flags, steps[i].expected);
		ck_assert_uint_eq(message->modseq, modseq);
		for (size_t k = 0; k < message->keyword_count; k++) {
			size_t len = strlen(names);

			snprintf(
				names + len, sizeof(names) - len, "%.*s ", PH_STR_ARGS(message->keywords[k]));
		}
		ck_assert_str_eq(names, steps[i].names);
		ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	}
	st->uid_set_free(&all);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(unchanged_since_leaves_out_the_changed)
{
	struct ph_mailbox *mailbox;
	struct ph_uid_set all = uids(1, 3), two = uids(2, 2), modified = { 0 };
	struct ph_flag_list seen = { PH_FLAG_SEEN, NULL, 0 }, flagged = { PH_FLAG_FLAGGED, NULL, 0 };
	uint64_t modseq;

	for (int i = 0; i < 3; i++)
		deliver_text(fixture.alice, "INBOX", letter);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	modseq = status_of(fixture.alice, "INBOX").highest_modseq;
	ck_assert_int_eq(
		st->messages_flag(SYSTEM, mailbox, &two, PH_FLAGS_ADD, &seen, modseq, &modified, NULL), 0);
	ck_assert_uint_eq(modified.count, 0);
	ck_assert_int_eq(
		st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_ADD, &flagged, modseq, &modified, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&modified), 1);
	ck_assert(st->uid_set_has(&modified, 2));
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").unseen, 2);
	st->uid_set_free(&all);
	st->uid_set_free(&two);
	st->uid_set_free(&modified);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(keywords_have_a_limit)
{
	struct ph_str names[51];
	char texts[51][16];
	struct ph_mailbox *mailbox;
	struct ph_uid_set all = uids(1, 1);
	struct ph_flag_list flags = { 0, names, 51 };

	deliver_text(fixture.alice, "INBOX", letter);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	for (int i = 0; i < 51; i++) {
		snprintf(texts[i], sizeof(texts[i]), "k%d", i);
		names[i] = ph_str(texts[i]);
	}
	ck_assert_int_eq(
		st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_ADD, &flags, 0, NULL, NULL), PH_E_LIMIT);
	flags.keyword_count = 50;
	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_ADD, &flags, 0, NULL, NULL), 0);
	flags.keyword_count = 51;
	ck_assert_int_eq(
		st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_ADD, &flags, 0, NULL, NULL), PH_E_LIMIT);
	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_REMOVE, &flags, 0, NULL, NULL), 0);
	st->uid_set_free(&all);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(expunges_wait_until_they_may_be_told)
{
	struct ph_mailbox *one, *two;
	struct ph_uid_set some = uids(2, 3), last = uids(5, 5), gone = { 0 };
	struct ph_mailbox_news news;
	struct ph_message_iterator *iterator;
	const struct ph_message *message;
	unsigned count = 0;

	for (int i = 0; i < 5; i++)
		deliver_text(fixture.alice, "INBOX", letter);
	one = open_mailbox(fixture.alice, "INBOX", false);
	two = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, one, &some, false, &gone, NULL), 0);
	ck_assert_uint_eq(gone.count, 0);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, one, &some, true, &gone, NULL), 0);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, one, &last, true, &gone, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&gone), 3);
	deliver_text(fixture.alice, "INBOX", letter);
	ck_assert_int_eq(st->mailbox_refresh(two, false, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.expunged_count, 0);
	ck_assert_uint_eq(news.exists, 6);
	ck_assert(news.exists_changed);
	iterator = st->messages_begin(two, NULL, 0);
	while (st->messages_next(iterator, &message))
		count++;
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	ck_assert_uint_eq(count, 3);
	ck_assert_int_eq(st->mailbox_refresh(two, true, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.expunged_count, 3);
	ck_assert_uint_eq(news.expunged[0], 2);
	ck_assert_uint_eq(news.expunged[1], 2);
	ck_assert_uint_eq(news.expunged[2], 3);
	ck_assert(st->uid_set_has(&news.expunged_uids, 5) && st->uid_set_has(&news.expunged_uids, 2));
	ck_assert_uint_eq(news.exists, 3);
	ck_assert(!news.exists_changed);
	ck_assert_uint_eq(st->view_uid(two, 2), 4);
	ck_assert_uint_eq(st->view_last_uid(two), 6);
	st->uid_set_free(&some);
	st->uid_set_free(&last);
	st->uid_set_free(&gone);
	st->mailbox_close(&one);
	st->mailbox_close(&two);
}
END_TEST

START_TEST(recent_is_for_the_first)
{
	struct ph_mailbox *looker, *first, *second;
	struct ph_mailbox_news news;

	deliver_text(fixture.alice, "INBOX", letter);
	deliver_text(fixture.alice, "INBOX", letter);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").recent, 2);
	looker = open_mailbox(fixture.alice, "INBOX", true);
	first = open_mailbox(fixture.alice, "INBOX", false);
	second = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").recent, 0);
	ck_assert_int_eq(st->mailbox_refresh(looker, true, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.recent, 2);
	ck_assert_int_eq(st->mailbox_refresh(second, true, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.recent, 0);
	deliver_text(fixture.alice, "INBOX", letter);
	ck_assert_int_eq(st->mailbox_refresh(second, true, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.recent, 1);
	ck_assert_int_eq(st->mailbox_refresh(first, true, fixture.pool, &news, NULL), 0);
	ck_assert_uint_eq(news.recent, 2);
	st->mailbox_close(&looker);
	st->mailbox_close(&first);
	st->mailbox_close(&second);
}
END_TEST

START_TEST(a_deleted_mailbox_is_gone_for_its_sessions)
{
	struct ph_mailbox *mailbox;
	struct ph_mailbox_news news;
	struct ph_uid_set all = uids(1, 1);

	ck_assert_int_eq(st->mailbox_create(SYSTEM, fixture.alice, S("short-lived"), 0, NULL), 0);
	deliver_text(fixture.alice, "short-lived", letter);
	mailbox = open_mailbox(fixture.alice, "short-lived", false);
	ck_assert_int_eq(st->mailbox_delete(SYSTEM, fixture.alice, S("short-lived"), NULL), 0);
	ck_assert_int_eq(st->mailbox_create(SYSTEM, fixture.alice, S("short-lived"), 0, NULL), 0);
	ck_assert_int_eq(st->mailbox_refresh(mailbox, true, fixture.pool, &news, NULL), 0);
	ck_assert(news.gone);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &all, true, NULL, NULL), PH_E_ABSENT);
	st->uid_set_free(&all);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(copies_share_their_bytes)
{
	const struct ph_str keyword = S("Kept");
	struct ph_mailbox *source, *target;
	struct ph_uid_set two = uids(1, 2), none = uids(7, 9);
	struct ph_copied copied;
	struct ph_message_iterator *iterator;
	const struct ph_message *message;
	struct ph_message_bytes *blob;
	struct ph_str bytes;

	use_atomic_partitions(_i == 0);
	deliver_flagged(fixture.alice, "INBOX", ph_str(letter),
		(struct ph_flag_list){ PH_FLAG_FLAGGED, &keyword, 1 });
	deliver_text(fixture.alice, "INBOX", letter);
	deliver_text(fixture.bob, "INBOX", letter);
	source = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, source, &two, fixture.bob, S("nowhere"), false, &copied, NULL),
		PH_E_ABSENT);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, source, &none, fixture.bob, S("INBOX"), false, &copied, NULL), 0);
	ck_assert_uint_eq(copied.source.count + copied.target.count, 0);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, source, &two, fixture.bob, S("INBOX"), true, &copied, NULL), 0);
	ck_assert_uint_eq(copied.uid_validity, status_of(fixture.bob, "INBOX").uid_validity);
	ck_assert(copied.target.count == 1 && copied.target.ranges[0].first == 2 &&
		  copied.target.ranges[0].last == 3);
	ck_assert(copied.source.count == 1 && copied.source.ranges[0].first == 1 &&
		  copied.source.ranges[0].last == 2);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 0);
	target = open_mailbox(fixture.bob, "INBOX", false);
	iterator = st->messages_begin(target, NULL, PH_MESSAGE_SUMMARY);
	ck_assert(st->messages_next(iterator, &message) && st->messages_next(iterator, &message));
	ck_assert_uint_eq(message->uid, 2);
	ck_assert_uint_eq(message->flags, PH_FLAG_FLAGGED);
	ck_assert(message->keyword_count == 1 && ph_str_eq(message->keywords[0], keyword));
	ck_assert_int_eq(message->internal_date, 1000);
	ck_assert_uint_gt(message->summary.len, 0);
	ck_assert_int_eq(st->message_open(target, message, &blob, NULL), 0);
	ck_assert_int_eq(st->message_view(blob, 0, &bytes, NULL), 0);
	ck_assert(ph_str_eq(bytes, ph_str(letter)));
	st->message_close(&blob);
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->uid_set_free(&two);
	st->uid_set_free(&none);
	st->mailbox_close(&source);
	st->mailbox_close(&target);
}
END_TEST

static int64_t save_date_of(ph_account_id account, const char *name)
{
	struct ph_mailbox *mailbox = open_mailbox(account, name, true);
	struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;
	int64_t date;

	ck_assert(st->messages_next(iterator, &message));
	date = message->save_date;
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
	return date;
}

/* RFC 8514, 3: it tells when the message came into its mailbox, also by COPY and MOVE. */
START_TEST(copies_have_save_dates_of_their_own)
{
	struct ph_mailbox *inbox;
	struct ph_uid_set one = uids(1, 1);
	struct ph_copied copied;
	int64_t before;

	use_atomic_partitions(_i / 2 == 0);
	deliver_text(fixture.alice, "INBOX", letter);
	before = save_date_of(fixture.alice, "INBOX");
	while (ph_clock() <= before)
		ck_assert_int_eq(usleep(10000), 0);
	inbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, inbox, &one, fixture.alice, S("Archive"), _i % 2, &copied, NULL),
		0);
	ck_assert_int_gt(save_date_of(fixture.alice, "Archive"), before);
	if (_i % 2 == 0)
		ck_assert_int_eq(save_date_of(fixture.alice, "INBOX"), before);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	st->uid_set_free(&one);
	st->mailbox_close(&inbox);
}
END_TEST

START_TEST(copies_within_a_mailbox)
{
	struct ph_mailbox *mailbox;
	struct ph_uid_set all = uids(1, UINT32_MAX);
	struct ph_copied copied;

	deliver_text(fixture.alice, "INBOX", letter);
	deliver_text(fixture.alice, "INBOX", letter);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &all, fixture.alice, S("INBOX"), false, &copied, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&copied.target), 2);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 4);
	ck_assert_int_eq(
		st->messages_copy(SYSTEM, mailbox, &all, fixture.alice, S("INBOX"), true, &copied, NULL), 0);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 4);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").uid_next, 9);
	st->uid_set_free(&all);
	st->mailbox_close(&mailbox);
}
END_TEST

/* --- rights --- */

struct flagger {
	struct ph_mailbox *mailbox;
	bool done;
	int result;
};

static void flag_seen(void *arg)
{
	struct flagger *flagger = arg;
	const struct ph_flag_list seen = { PH_FLAG_SEEN, NULL, 0 };
	struct ph_uid_set all = uids(1, UINT32_MAX);

	flagger->result =
		st->messages_flag(SYSTEM, flagger->mailbox, &all, PH_FLAGS_ADD, &seen, 0, NULL, NULL);
	st->uid_set_free(&all);
	flagger->done = true;
}

static unsigned count_seen(const char *name)
{
	struct ph_mailbox *mailbox = open_mailbox(fixture.alice, name, true);
	struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;
	unsigned seen = 0;

	while (st->messages_next(iterator, &message))
		seen += (message->flags & PH_FLAG_SEEN) != 0;
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
	ck_assert_uint_eq(
		status_of(fixture.alice, name).unseen, status_of(fixture.alice, name).messages - seen);
	return seen;
}

/* Changes of flags that the mailbox's log tells of. */
static int count_flag_changes(struct ph_kv_txn *txn, void *arg)
{
	struct ph_kv_cursor *cursor = fixture.kv.cursor(txn, 0);
	struct ph_str key, value;
	unsigned *count = arg;
	int result = fixture.kv.seek(cursor, S("l"), &key, &value);

	*count = 0;
	for (; result == 0 && key.data[0] == 'l'; result = fixture.kv.next(cursor, &key, &value))
		*count += key.data[key.len - 1] == 'f';
	return 0;
}

static unsigned flag_changes(void)
{
	const struct ph_kv_partition inbox = mailbox_partition(fixture.alice << 32 | 1);
	unsigned count;

	ck_assert_int_eq(fixture.kv.read(&inbox, 1, count_flag_changes, &count, NULL), 0);
	return count;
}

/* Another session sets flags while a message is being moved: before it, or behind it, when it finds none. */
START_TEST(a_move_takes_along_what_is_changed_meanwhile)
{
	for (int lead = 0; lead < 12; lead++) {
		struct flagger flagger = { .mailbox = open_mailbox(fixture.alice, "INBOX", false) };
		struct ph_mailbox *mailbox = open_mailbox(fixture.alice, "INBOX", false);
		struct ph_uid_set all = uids(1, UINT32_MAX);
		unsigned moved = status_of(fixture.alice, "Archive").messages;
		unsigned seen = count_seen("Archive"), changes = flag_changes();
		struct ph_copied copied;

		deliver_text(fixture.alice, "INBOX", letter);
		ph_fiber_start("flagger", flag_seen, &flagger);
		for (int i = 0; i < lead; i++)
			ph_fiber_yield();
		ck_assert_int_eq(st->messages_copy(SYSTEM, mailbox, &all, fixture.alice, S("Archive"), true,
					 &copied, NULL),
			0);
		while (!flagger.done)
			ph_fiber_yield();
		ck_assert_int_eq(flagger.result, 0);
		ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 0);
		ck_assert_uint_eq(status_of(fixture.alice, "INBOX").unseen, 0);
		ck_assert_uint_eq(status_of(fixture.alice, "Archive").messages, moved + 1);
		/* With one partition at a time, what is set between copying and expunging stays behind. */
		if (fixture.kv.atomic_partitions)
			ck_assert_uint_eq(count_seen("Archive") - seen, flag_changes() - changes);
		st->mailbox_close(&flagger.mailbox);
		st->mailbox_close(&mailbox);
		st->uid_set_free(&all);
		st->uid_set_free(&copied.source);
		st->uid_set_free(&copied.target);
	}
}
END_TEST

START_TEST(a_maildrop_has_one_session)
{
	ck_assert_int_eq(st->maildrop_lock(SYSTEM, fixture.alice, NULL), 0);
	ck_assert_int_eq(st->maildrop_lock(SYSTEM, fixture.alice, NULL), PH_E_BUSY);
	ck_assert_int_eq(st->maildrop_lock(SYSTEM, fixture.bob, NULL), 0);
	st->maildrop_unlock(SYSTEM, fixture.alice);
	ck_assert_int_eq(st->maildrop_lock(SYSTEM, fixture.alice, NULL), 0);
	st->maildrop_unlock(SYSTEM, fixture.alice);
	st->maildrop_unlock(SYSTEM, fixture.bob);
	st->maildrop_unlock(SYSTEM, fixture.bob);
}
END_TEST

/* --- watching --- */

static void count_call(void *arg)
{
	++*(int *)arg;
}

START_TEST(watches_tell_of_changes)
{
	struct ph_mailbox *mailbox = open_mailbox(fixture.alice, "INBOX", false);
	int calls = 0;

	st->mailbox_watch(mailbox, count_call, &calls);
	deliver_text(fixture.alice, "Junk", letter);
	ck_assert_int_eq(calls, 0);
	deliver_text(fixture.alice, "INBOX", letter);
	while (calls == 0)
		ph_fiber_yield();
	st->mailbox_watch(mailbox, NULL, NULL);
	calls = 0;
	deliver_text(fixture.alice, "INBOX", letter);
	ck_assert_int_eq(calls, 0);
	st->mailbox_watch(mailbox, count_call, &calls);
	st->mailbox_close(&mailbox);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tests = tcase_create("store");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, accounts_are_found_by_address);
	tcase_add_test(tests, accounts_are_listed_in_order);
	tcase_add_test(tests, domains_are_local_with_an_account);
	tcase_add_test(tests, a_removed_account_leaves_nothing);
	tcase_add_test(tests, a_message_is_kept_whole);
	tcase_add_loop_test(tests, delivery_to_many, 0, 2);
	tcase_add_test(tests, flags_and_keywords);
	tcase_add_test(tests, unchanged_since_leaves_out_the_changed);
	tcase_add_test(tests, keywords_have_a_limit);
	tcase_add_test(tests, expunges_wait_until_they_may_be_told);
	tcase_add_test(tests, recent_is_for_the_first);
	tcase_add_test(tests, a_deleted_mailbox_is_gone_for_its_sessions);
	tcase_add_loop_test(tests, copies_share_their_bytes, 0, 2);
	tcase_add_loop_test(tests, copies_have_save_dates_of_their_own, 0, 4);
	tcase_add_test(tests, copies_within_a_mailbox);
	tcase_add_test(tests, a_move_takes_along_what_is_changed_meanwhile);
	tcase_add_test(tests, a_maildrop_has_one_session);
	tcase_add_test(tests, watches_tell_of_changes);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
