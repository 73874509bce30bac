/* The store over a kv that fails. Each operation is tried with its first call of the kv failing, then its
 * second, and so on until it succeeds; and all that with each kind of call and code. After each failure the
 * store must be one that nothing acknowledged is missing from, that never gives a UID twice, and whose only
 * fault may be that an account's usage is counted too high, which a repair mends. Then the operation is done
 * again. */
#include <config.h>

#include "../../modules/store/check/check.h"
#include "store_operations.h"

static const struct {
	const char *name;
	unsigned calls;
	int code;
} faults[] = {
	{ "update, full", FAULTY_UPDATE, PH_E_FULL },
	{ "update, unavailable", FAULTY_UPDATE, PH_E_UNAVAILABLE },
	{ "confirm", FAULTY_CONFIRM, PH_E_UNAVAILABLE },
	{ "inside an update", FAULTY_INSIDE, PH_E_IO },
	{ "read", FAULTY_READ, PH_E_UNAVAILABLE },
	{ "bytes", FAULTY_DRAFT | FAULTY_BLOB, PH_E_IO },
};

/* --- what must hold --- */

/* Messages of what was there before, but for those that the operation takes away, are there at least once. */
static bool may_go(const struct operation *operation, const struct message *message)
{
	if (operation->run == delete_box)
		return strcmp(message->box->name, "Box") == 0;
	if (operation->run == remove_bob)
		return message->box->account == fixture.bob;
	return operation->run == expunge && is_expunged(message->text);
}

static void nothing_is_lost(const struct operation *operation)
{
	for (size_t i = 0; i < before.message_count; i++) {
		const struct message *message = &before.messages[i];

		if (!may_go(operation, message))
			ck_assert_msg(
				count_text(0, NULL, message->text) > 0, "message %u is lost", message->text);
	}
}

static void counters_only_grow(void)
{
	for (size_t i = 0; i < before.box_count; i++) {
		const struct box *old = &before.boxes[i];

		for (size_t j = 0; j < now.box_count; j++) {
			const struct box *new = &now.boxes[j];

			if (strcmp(old->status.id, new->status.id) == 0) {
				ck_assert_uint_ge(new->status.uid_next, old->status.uid_next);
				ck_assert_uint_ge(new->status.highest_modseq, old->status.highest_modseq);
				ck_assert_uint_eq(new->status.uid_validity, old->status.uid_validity);
			} else if (old->account == new->account && strcmp(old->name, new->name) == 0) {
				ck_assert_uint_gt(new->status.uid_validity, old->status.uid_validity);
			}
		}
	}
}

static void nothing_changed(void)
{
	ck_assert_uint_eq(now.message_count, before.message_count);
	for (size_t i = 0; i < now.message_count; i++) {
		const struct message *a = &before.messages[i], *b = &now.messages[i];

		ck_assert(strcmp(a->box->name, b->box->name) == 0 && a->uid == b->uid && a->text == b->text &&
			  a->flags == b->flags && a->keywords == b->keywords);
	}
}

static unsigned faults_told;

/* Only a usage, or a count of threads, that is too high. */
static void tell_fault(struct check *check, const struct fault *fault)
{
	long long bytes, messages, stored_bytes, stored_messages;

	faults_told++;
	if (ph_str_starts(ph_str(fault->text), S("its threads are counted too high")))
		return;
	if (sscanf(fault->text, "its usage should be %lld bytes in %lld messages, and is %lld in %lld",
		    &bytes, &messages, &stored_bytes, &stored_messages) != 4 ||
		stored_bytes < bytes || stored_messages < messages)
		ck_abort_msg("%.*s %.*s %u: %s", PH_STR_ARGS(check->address), PH_STR_ARGS(check->mailbox),
			(unsigned)fault->uid, fault->text);
}

static unsigned count_faults(bool repair)
{
	struct check check = { .repair = repair, .tell = tell_fault };

	faults_told = 0;
	ck_assert_int_eq(check_store(&check, 0, NULL), 0);
	return faults_told;
}

static void only_sums_are_wrong(void)
{
	unsigned found = count_faults(false);

	if (fixture.kv.atomic_partitions)
		ck_assert_uint_eq(found, 0);
	if (found == 0)
		return;
	count_faults(true);
	ck_assert_uint_eq(count_faults(false), 0);
}

/* --- one try --- */

struct
try {
	const struct operation *operation;
	size_t fault;
	unsigned nth;
	bool reopen; /* before the operation is done again */
};

static void check_failure(const struct try *try, int result, const struct ph_error *error)
{
	const struct operation *operation = try->operation;

	ck_assert_int_eq(result, faults[try->fault].code);
	ck_assert_int_eq(error->code, result);
	ck_assert_int_ne(error->client[0], '\0');
	if (faults[try->fault].calls != FAULTY_CONFIRM &&
		(operation->whole == WHOLE ||
			(operation->whole == WHOLE_IF_ATOMIC && fixture.kv.atomic_partitions)))
		nothing_changed();
}

static void check_store_now(const struct try *try)
{
	take_census(&now);
	nothing_is_lost(try->operation);
	counters_only_grow();
	if (try->operation->after)
		try->operation->after();
	only_sums_are_wrong();
}

static void do_again(const struct try *try)
{
	struct ph_error error = { 0 };
	int result;

	if (try->reopen)
		reopen_store();
	result = try->operation->run(&error);
	ck_assert_msg(result == 0 || result == try->operation->again, "done again: %s", ph_code_name(result));
	check_store_now(try);
	if (try->operation->done && (result == 0 || result == PH_E_EXISTS || result == PH_E_ABSENT))
		try->operation->done();
}

static const struct try *trying;

/* Tells whether the fault was reached. */
static bool try_once(const struct try *try)
{
	struct ph_error error = { 0 };
	bool struck;
	int result;

	setup_store();
	trying = try;
	given_count = 0;
	fill();
	take_census(&before);
	kv_faulty_arm(faults[try->fault].calls, try->nth, faults[try->fault].code);
	result = try->operation->run(&error);
	struck = kv_faulty_disarm();
	check_store_now(try);
	if (result == 0) {
		if (try->operation->done)
			try->operation->done();
	} else {
		ck_assert(struck);
		check_failure(try, result, &error);
		do_again(try);
	}
	trying = NULL;
	teardown_store();
	return struck;
}

/* Says with what it was that a try went wrong. */
static void end_try(void)
{
	if (!trying)
		return;
	printf("%s, %s, call %u%s:\n", trying->operation->name, faults[trying->fault].name, trying->nth,
		trying->reopen ? ", opened again" : "");
	fflush(stdout);
	trying = NULL;
	teardown_store();
}

START_TEST(nothing_is_lost_when_the_kv_fails)
{
	static struct try try;

	try = (struct try){ .operation = &operations[_i] };

	for (try.fault = 0; try.fault < sizeof(faults) / sizeof(*faults); try.fault++) {
		for (int reopen = 0; reopen < 2; reopen++) {
			try.reopen = reopen;
			try.nth = 0;
			do {
				try.nth++;
				ck_assert_msg(try.nth < 2000, "%s never succeeds", try.operation->name);
			} while (try_once(&try));
		}
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store faults");
	TCase *tests = tcase_create("faults");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, NULL, end_try);
	if (store_kv->strict)
		tcase_add_loop_test(tests, nothing_is_lost_when_the_kv_fails, 0,
			sizeof(operations) / sizeof(*operations));
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
