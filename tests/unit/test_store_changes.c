/* What changed since a modseq, against what a plain record of all that happened says. */
#include <config.h>

#include "store_fixture.h"

enum { UIDS = 400, STEPS = 600 };

/* What became of each UID, and of the mailbox after each step. */
static struct history {
	uint64_t modseq[UIDS + 1];   /* of the message's last change */
	uint64_t vanished[UIDS + 1]; /* with that modseq; 0: it is there */
	uint32_t last;
	uint64_t steps[STEPS];
} history;

static uint64_t modseq_now(void)
{
	return status_of(fixture.alice, "INBOX").highest_modseq;
}

static unsigned random_below(unsigned below)
{
	static unsigned state = 12345;

	state = state * 1103515245 + 12345;
	return (state >> 16) % below;
}

static void change_some(struct ph_mailbox *mailbox, bool expunge)
{
	uint32_t first = random_below(history.last) + 1;
	struct ph_uid_set set = uids(first, first + random_below(4));
	const struct ph_flag_list flag = { .flags = PH_FLAG_SEEN };
	enum ph_flag_operation operation = random_below(2) ? PH_FLAGS_ADD : PH_FLAGS_REMOVE;
	uint64_t before = modseq_now();
	const struct ph_message *message;
	struct ph_message_iterator *iterator;
	struct ph_uid_set expunged = { 0 };

	if (expunge)
		ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &set, true, &expunged, NULL), 0);
	else
		ck_assert_int_eq(
			st->messages_flag(SYSTEM, mailbox, &set, operation, &flag, 0, NULL, NULL), 0);
	for (uint32_t uid = 1; uid <= history.last; uid++) {
		if (st->uid_set_has(&expunged, uid))
			history.vanished[uid] = modseq_now();
	}
	iterator = st->messages_begin(mailbox, &set, 0);
	while (st->messages_next(iterator, &message)) {
		if (message->modseq > before)
			history.modseq[message->uid] = message->modseq;
	}
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->uid_set_free(&expunged);
	st->uid_set_free(&set);
}

static void live(void)
{
	struct ph_mailbox *mailbox = open_mailbox(fixture.alice, "INBOX", false);
	struct ph_mailbox_news news;

	history = (struct history){ 0 };
	for (int i = 0; i < STEPS; i++) {
		if (history.last < UIDS && (history.last < 5 || random_below(3) == 0)) {
			history.last = deliver_text(fixture.alice, "INBOX", "x\r\n");
			history.modseq[history.last] = modseq_now();
		} else {
			change_some(mailbox, random_below(5) == 0);
		}
		history.steps[i] = modseq_now();
		ck_assert_int_eq(st->mailbox_refresh(mailbox, true, fixture.pool, &news, NULL), 0);
	}
	st->mailbox_close(&mailbox);
}

static void check_since(struct ph_mailbox *mailbox, uint64_t modseq, bool exact)
{
	struct ph_mailbox_changes changes;

	ck_assert_int_eq(st->mailbox_changes(mailbox, modseq, &changes, NULL), 0);
	ck_assert(changes.exact || !exact);
	for (uint32_t uid = 1; uid <= history.last; uid++) {
		bool gone = history.vanished[uid] != 0;

		ck_assert_int_eq(
			st->uid_set_has(&changes.changed, uid), !gone && history.modseq[uid] > modseq);
		if (changes.exact)
			ck_assert_int_eq(
				st->uid_set_has(&changes.vanished, uid), history.vanished[uid] > modseq);
		else
			ck_assert_int_eq(st->uid_set_has(&changes.vanished, uid), gone);
	}
	ck_assert(!st->uid_set_has(&changes.vanished, history.last + 1));
	st->uid_set_free(&changes.changed);
	st->uid_set_free(&changes.vanished);
}

START_TEST(changes_since_any_time)
{
	struct ph_mailbox *mailbox;

	live();
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	check_since(mailbox, 0, true);
	for (int i = 0; i < STEPS; i++)
		check_since(mailbox, history.steps[i], true);
	st->mailbox_close(&mailbox);
}
END_TEST

START_TEST(the_horizon_is_told)
{
	struct ph_mailbox *mailbox;
	struct ph_mailbox_changes changes;

	fixture.config.changes = 20;
	live();
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	for (int i = 0; i < STEPS; i++)
		check_since(mailbox, history.steps[i], i > STEPS - 10);
	ck_assert_int_eq(st->mailbox_changes(mailbox, 1, &changes, NULL), 0);
	ck_assert(!changes.exact);
	st->uid_set_free(&changes.changed);
	st->uid_set_free(&changes.vanished);
	st->mailbox_close(&mailbox);
}
END_TEST

/* What a session was not told of yet is not in the answer. */
START_TEST(the_view_bounds_the_answer)
{
	struct ph_mailbox *mailbox, *other;
	struct ph_uid_set first = uids(1, 1);
	struct ph_mailbox_changes changes;
	uint64_t before;

	deliver_text(fixture.alice, "INBOX", "1\r\n");
	deliver_text(fixture.alice, "INBOX", "2\r\n");
	before = modseq_now();
	mailbox = open_mailbox(fixture.alice, "INBOX", true);
	other = open_mailbox(fixture.alice, "INBOX", false);
	deliver_text(fixture.alice, "INBOX", "3\r\n");
	ck_assert_int_eq(st->messages_expunge(SYSTEM, other, &first, true, NULL, NULL), 0);
	ck_assert_int_eq(st->mailbox_changes(mailbox, before, &changes, NULL), 0);
	ck_assert_uint_eq(st->uid_set_count(&changes.changed), 0);
	ck_assert_uint_eq(st->uid_set_count(&changes.vanished), 0);
	st->uid_set_free(&changes.changed);
	st->uid_set_free(&changes.vanished);
	st->uid_set_free(&first);
	st->mailbox_close(&mailbox);
	st->mailbox_close(&other);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store changes");
	TCase *tests = tcase_create("changes");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, changes_since_any_time);
	tcase_add_test(tests, the_horizon_is_told);
	tcase_add_test(tests, the_view_bounds_the_answer);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
