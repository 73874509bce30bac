/* Import and export: a maildir as Dovecot leaves it, mbox files, and both ways round. */
#include <config.h>

#include <sys/stat.h>
#include <utime.h>

#include "../../modules/store/transfer/export.h"
#include "../../modules/store/transfer/import.h"
#include "../../modules/store/transfer/maildir.h"
#include "store_fixture.h"

static const char *path_of(const char *name)
{
	return ph_pool_printf(fixture.pool, "%s/%s", fixture.directory, name).data;
}

static void write_file(const char *name, const char *text, time_t date)
{
	FILE *file = fopen(path_of(name), "w");
	const struct utimbuf times = { date, date };

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(utime(path_of(name), &times), 0);
}

static void make_folders(const char *name)
{
	static const char *const kinds[] = { "", "/cur", "/new", "/tmp" };

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			mkdir(ph_pool_printf(fixture.pool, "%s%s", path_of(name), kinds[i]).data, 0700), 0);
}

/* All that an account has, as text. The UIDVALIDITY of an empty mailbox, which comes from the clock, is left
 * out: files need not tell it. */
static const char *picture(ph_account_id account)
{
	static char text[65536];
	struct ph_mailbox_entry *entries;
	size_t count, len = 0;

	text[0] = '\0';
	ck_assert_int_eq(st->mailbox_list(SYSTEM, account, fixture.pool, &entries, &count, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct ph_mailbox *mailbox = open_mailbox(account, entries[i].name.data, true);
		struct ph_mailbox_status status;
		struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
		const struct ph_message *message;

		st->mailbox_view_status(mailbox, &status);
		ck_assert_uint_eq(status.messages, status_of(account, entries[i].name.data).messages);
		if (status.messages > 0 || entries[i].subscribed)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s%s %u %u\n",
				PH_STR_ARGS(entries[i].name), entries[i].subscribed ? "+" : "",
				status.messages > 0 ? (unsigned)status.uid_validity : 0,
				(unsigned)status.uid_next);
		while (st->messages_next(iterator, &message)) {
			struct ph_message_bytes *blob;
			struct ph_str bytes;

			len += (size_t)snprintf(text + len, sizeof(text) - len, " %u %u %d",
				(unsigned)message->uid, message->flags, (int)message->internal_date);
			for (size_t k = 0; k < message->keyword_count; k++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, " %.*s",
					PH_STR_ARGS(message->keywords[k]));
			ck_assert_int_eq(st->message_open(mailbox, message, &blob, NULL), 0);
			ck_assert_int_eq(st->message_view(blob, 0, &bytes, NULL), 0);
			len += (size_t)snprintf(
				text + len, sizeof(text) - len, " \"%.*s\"\n", PH_STR_ARGS(bytes));
			st->message_close(&blob);
		}
		ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
		st->mailbox_close(&mailbox);
	}
	return ph_pool_str(fixture.pool, ph_str(text)).data;
}

static struct ph_import run_import(
	int (*kind)(struct ph_import *, void *, struct ph_error *), const char *path, ph_account_id account)
{
	struct ph_import import = { .account = account };
	struct ph_error error = { 0 };

	ck_assert_int_eq(kind(&import, (void *)path_of(path), &error), 0);
	return import;
}

START_TEST(a_maildir_of_dovecot)
{
	struct ph_import import;

	make_folders("mail");
	make_folders("mail/.Entw&APw-rfe.2026");
	write_file("mail/dovecot-uidlist",
		"3 V1700000000 N11 Gabc\n12 :1000.M1P1.host,S=10\n9 W30 S20 :999.M1P1.host\n69 :gone.host\n",
		1);
	write_file("mail/dovecot-keywords", "0 NonJunk\n3 Later\n", 1);
	write_file("mail/subscriptions", "V\t2\n\nEntw&APw-rfe\t2026\n", 1);
	write_file("mail/cur/999.M1P1.host:2,FSad", "Subject: a\n\nline\n.\n", 5000);
	write_file("mail/cur/1000.M1P1.host,S=10:2,PT", "Subject: b\r\n\r\nbare\nline\r\n", 6000);
	write_file("mail/new/2000.M1P1.host", "Subject: c\n", 7000);
	write_file("mail/cur/3000.empty:2,", "", 7000);
	write_file("mail/.Entw&APw-rfe.2026/dovecot-uidlist", "1 1600000000 5\n4 500.x.host:2,S\n", 1);
	write_file("mail/.Entw&APw-rfe.2026/cur/500.x.host:2,DR", "Subject: d\n\nd", 8000);
	import = run_import(import_maildir, "mail", fixture.alice);
	ck_assert_uint_eq(import.taken, 4);
	ck_assert_uint_eq(import.refused, 1);
	ck_assert_str_eq(picture(fixture.alice),
		"Entw\xc3\xbcrfe/2026+ 1600000000 5\n"
		" 4 18 8000 \"Subject: d\r\n\r\nd\"\n"
		"INBOX 1700000000 71\n"
		" 9 5 5000 NonJunk Later \"Subject: a\r\n\r\nline\r\n.\r\n\"\n"
		" 12 8 6000 $Forwarded \"Subject: b\r\n\r\nbare\nline\r\n\"\n"
		" 70 0 7000 \"Subject: c\r\n\"\n");
}
END_TEST

/* What somebody saw already is not \Recent; the mailbox knows one UID from which on messages are. */
START_TEST(what_was_seen_is_not_recent)
{
	make_folders("mail");
	write_file("mail/dovecot-uidlist", "3 V1700000000 N70 Gabc\n1 :1.a\n2 :2.a\n", 1);
	write_file("mail/cur/1.a:2,", "Subject: a\n\n", 5000);
	write_file("mail/cur/2.a:2,", "Subject: b\n\n", 5000);
	run_import(import_maildir, "mail", fixture.alice);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").recent, 0);
	write_file("mail/new/3.a", "Subject: c\n\n", 5000);
	run_import(import_maildir, "mail", fixture.alice);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").recent, 1);
	/* Behind it there is no way to tell. */
	write_file("mail/cur/4.a:2,", "Subject: d\n\n", 5000);
	run_import(import_maildir, "mail", fixture.alice);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").recent, 2);
	write_file("box",
		"From a@b Thu Jan  1 00:16:40 1970\nStatus: RO\n\na\n\nFrom a@b Thu Jan  1 00:16:40 "
		"1970\nStatus: "
		"O\n\nb\n\nFrom a@b Thu Jan  1 00:16:40 1970\nSubject: c\n\nc\n",
		1);
	run_import(import_mbox, "box", fixture.bob);
	ck_assert_uint_eq(status_of(fixture.bob, "INBOX").messages, 3);
	ck_assert_uint_eq(status_of(fixture.bob, "INBOX").recent, 1);
}
END_TEST

static const char *use_of(ph_account_id account, unsigned use)
{
	struct ph_mailbox_entry *entries;
	const char *name = "";
	size_t count;

	ck_assert_int_eq(st->mailbox_list(SYSTEM, account, fixture.pool, &entries, &count, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].special_use & use)
			name = ph_pool_printf(fixture.pool, "%s%.*s ", name, PH_STR_ARGS(entries[i].name))
				       .data;
	}
	return name;
}

START_TEST(special_uses_come_along)
{
	static const unsigned uses[] = { PH_USE_SENT, PH_USE_TRASH | PH_USE_DRAFTS, PH_USE_DRAFTS };
	static const char *const names[] = { "Gesendet", "Papierkorb", "Entwurf" };

	deliver_text(fixture.alice, "Trash", "x");
	for (int run = 0; run < 2; run++) {
		for (int i = 0; i < 3; i++) {
			struct ph_import import = { .account = fixture.alice };
			struct ph_import_mailbox *mailbox =
				import_begin(&import, ph_str(names[i]), uses[i], 0);

			ck_assert_ptr_nonnull(mailbox);
			ck_assert_int_eq(import_end(&mailbox, 0, NULL), 0);
		}
		ck_assert_str_eq(use_of(fixture.alice, PH_USE_SENT), "Gesendet ");
		ck_assert_str_eq(use_of(fixture.alice, PH_USE_TRASH), "Trash ");
		ck_assert_str_eq(use_of(fixture.alice, PH_USE_DRAFTS), "Entwurf ");
	}
}
END_TEST

START_TEST(a_second_run_goes_on)
{
	struct ph_import import;
	struct ph_mailbox *mailbox;
	struct ph_uid_set first = uids(1, 1);

	make_folders("mail");
	write_file("mail/dovecot-uidlist", "3 V1700000000 N70 Gabc\n1 :1.a\n2 :2.a\n5 :5.a\n", 1);
	write_file("mail/cur/1.a:2,", "Subject: a\n\n", 5000);
	write_file("mail/cur/2.a:2,", "Subject: b\n\n", 5000);
	ck_assert_uint_eq(run_import(import_maildir, "mail", fixture.alice).taken, 2);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &first, true, NULL, NULL), 0);
	write_file("mail/cur/5.a:2,", "Subject: c\n\n", 5000);
	import = run_import(import_maildir, "mail", fixture.alice);
	ck_assert_uint_eq(import.there, 2);
	ck_assert_uint_eq(import.taken, 1);
	ck_assert_uint_eq(status_of(fixture.alice, "INBOX").messages, 2);
	/* Another mailbox's UIDVALIDITY stays what it is. */
	deliver_text(fixture.bob, "INBOX", "x");
	ck_assert_uint_eq(run_import(import_maildir, "mail", fixture.bob).taken, 3);
	ck_assert_uint_ne(status_of(fixture.bob, "INBOX").uid_validity, 1700000000);
	ck_assert_uint_eq(status_of(fixture.bob, "INBOX").uid_next, 5);
	/* Nor is the imported one given again. */
	ck_assert_int_eq(st->mailbox_create(SYSTEM, fixture.alice, S("other"), 0, NULL), 0);
	ck_assert_uint_ne(status_of(fixture.alice, "other").uid_validity, 1700000000);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&first);
}
END_TEST

static void fill(ph_account_id account)
{
	static const char *const keywords[] = { "NonJunk", "$Forwarded", "Later" };
	struct ph_str names[3];
	struct ph_mailbox *mailbox;
	struct ph_uid_set some = uids(2, 3);

	for (int i = 0; i < 3; i++)
		names[i] = ph_str(keywords[i]);
	ck_assert_int_eq(
		st->mailbox_create(SYSTEM, account, S("a.b & c/\xf0\x9f\x93\xaa\xe2\x82\xac"), 0, NULL), 0);
	ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, account, S("a.b & c"), true, NULL), 0);
	for (unsigned i = 0; i < 200; i++)
		deliver_flagged(account, i % 3 ? "INBOX" : "a.b & c/\xf0\x9f\x93\xaa\xe2\x82\xac",
			ph_pool_printf(
				fixture.pool, "Subject: %u\r\n\r\nFrom me\r\n>>From you\r\n\r\n\r\n", i / 4),
			(struct ph_flag_list){ i % 32, names, i % 4 });
	deliver_text(account, "Archive", "\r\nFrom the body\r\n");
	mailbox = open_mailbox(account, "INBOX", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &some, true, NULL, NULL), 0);
	st->mailbox_close(&mailbox);
	st->uid_set_free(&some);
}

static uint64_t run_export(int (*kind)(struct export *, struct ph_error *), const char *path)
{
	struct export export = { .account = fixture.alice, .path = path_of(path) };
	struct ph_error error = { 0 };

	ck_assert_int_eq(kind(&export, &error), 0);
	return export.written;
}

START_TEST(out_and_in_again)
{
	struct ph_import import;
	struct ph_quota quota;
	const char *before;

	use_atomic_partitions(_i < 2);
	fill(fixture.alice);
	before = picture(fixture.alice);
	if (_i % 2) {
		ck_assert_int_eq(st->mailbox_subscribe(SYSTEM, fixture.bob, S("a.b & c"), true, NULL), 0);
		ck_assert_uint_eq(run_export(export_mbox, "out"), 199);
		import = run_import(import_mbox, "out", fixture.bob);
	} else {
		ck_assert_uint_eq(run_export(export_maildir, "out"), 199);
		ck_assert_uint_eq(run_export(export_maildir, "out"), 0);
		import = run_import(import_maildir, "out", fixture.bob);
	}
	ck_assert_uint_eq(import.taken, 199);
	ck_assert_uint_eq(import.refused, 0);
	ck_assert_str_eq(picture(fixture.bob), before);
	import = _i % 2 ? run_import(import_mbox, "out", fixture.bob)
			: run_import(import_maildir, "out", fixture.bob);
	ck_assert_uint_eq(import.taken, 0);
	ck_assert_uint_eq(import.there, 199);
	ck_assert_int_eq(st->account_quota(SYSTEM, fixture.bob, &quota, NULL), 0);
	ck_assert_uint_eq(quota.messages, 199);
}
END_TEST

START_TEST(a_plain_mbox)
{
	static const char text[] = "From a@b Thu Jan  1 00:16:40 1970\nSubject: one\n\ntext\n\n"
				   "From here on it is text\n\n>From quoted\n\n"
				   "From a@b Thu Jan  1 00:16:41 1970\nSubject: two\nStatus: R\n\n\n"
				   "From a@b Thu Jan  1 00:16:41 1970\nSubject: two\nStatus: R\n\n\n";
	struct ph_import import;

	write_file("box", text, 1);
	import = run_import(import_mbox, "box", fixture.alice);
	ck_assert_uint_eq(import.taken, 3);
	ck_assert_ptr_nonnull(
		strstr(picture(fixture.alice), " 1 0 1000 \"Subject: one\r\n\r\ntext\r\n\r\nFrom here on it "
					       "is text\r\n\r\nFrom quoted\r\n\"\n"
					       " 2 1 1001 \"Subject: two\r\n\r\n\"\n"
					       " 3 1 1001 \"Subject: two\r\n\r\n\"\n"));
	import = run_import(import_mbox, "box", fixture.alice);
	ck_assert_uint_eq(import.there, 3);
	ck_assert_uint_eq(import.taken, 0);
}
END_TEST

START_TEST(names_of_folders)
{
	static const struct {
		const char *folder, *name;
	} names[] = {
		{ ".Sent", "Sent" },
		{ ".A.B&AOk-", "A/B\xc3\xa9" },
		{ ".a&-b", "a&b" },
		{ ".x&AC4-y", "x.y" },
		{ ".&2D3cqg-", "\xf0\x9f\x92\xaa" },
		{ ".&2D3-", NULL },
		{ ".&AC8-", NULL },
		{ ".&abc", NULL },
		{ ".&!-", NULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct ph_buf name, folder;

		ph_buf_init(&name, 1000);
		ph_buf_init(&folder, 1000);
		ck_assert_int_eq(maildir_mailbox_name(ph_str(names[i].folder), &name), names[i].name != NULL);
		if (names[i].name) {
			ck_assert(ph_str_eq(ph_buf_str(&name), ph_str(names[i].name)));
			maildir_folder_name(ph_str(names[i].name), &folder);
			ck_assert(ph_str_eq(ph_buf_str(&folder), ph_str(names[i].folder)));
		}
		ph_buf_free(&name);
		ph_buf_free(&folder);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store import");
	TCase *tests = tcase_create("import");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, names_of_folders);
	tcase_add_test(tests, a_maildir_of_dovecot);
	tcase_add_test(tests, what_was_seen_is_not_recent);
	tcase_add_test(tests, special_uses_come_along);
	tcase_add_test(tests, a_second_run_goes_on);
	tcase_add_test(tests, a_plain_mbox);
	tcase_add_loop_test(tests, out_and_in_again, 0, 4);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
