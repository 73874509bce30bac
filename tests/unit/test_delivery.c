/* The module delivery: routes and deliveries, with a store that is a table. */
#include <config.h>

#include "../../modules/address/syntax.h"
#include "../../modules/delivery/delivery.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* --- a store of three accounts --- */

static const char *const accounts[] = { "alice@demo.test", "bob@demo.test", "postmaster@other.test" };

static struct ph_destination stored[16];
static size_t stored_count;
static int store_result;

static int account_find(struct ph_actor actor, struct ph_str address, struct ph_pool *pool,
	struct ph_account *account_r, struct ph_error *error)
{
	(void)actor, (void)pool;
	if (ph_str_eq(address, PH_STR("broken@demo.test")))
		return ph_error_set(error, PH_E_IO, "broken", NULL);
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		if (ph_str_case_eq(address, ph_str(accounts[i]))) {
			*account_r = (struct ph_account){ .id = i + 1, .address = ph_str(accounts[i]) };
			return 0;
		}
	return PH_E_ABSENT;
}

static int domain_is_local(struct ph_str domain, bool *local_r, struct ph_error *error)
{
	(void)error;
	*local_r = ph_str_eq(domain, PH_STR("demo.test")) || ph_str_eq(domain, PH_STR("other.test"));
	return 0;
}

static int mailbox_status(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct ph_mailbox_status *status_r, struct ph_error *error)
{
	(void)actor, (void)status_r, (void)error;
	return account == 1 && ph_str_eq(name, PH_STR("Work")) ? 0 : PH_E_ABSENT;
}

static int store_deliver(struct ph_actor actor, struct ph_draft *draft, int64_t internal_date,
	int32_t internal_zone, struct ph_destination *destinations, size_t count, struct ph_error *error)
{
	(void)draft, (void)internal_date, (void)internal_zone;
	ck_assert(actor.system);
	for (size_t i = 0; i < count; i++) {
		destinations[i].result = i == 0 ? store_result : 0;
		stored[stored_count++] = destinations[i];
	}
	return store_result == 0 ? 0 : ph_error_set(error, store_result, "the store's words", "detail");
}

/* These drafts hold nothing, and no policy looks into them. */
static struct ph_mime_source draft_source(struct ph_draft *draft)
{
	(void)draft;
	return (struct ph_mime_source){ 0 };
}

static const struct ph_store_service store = {
	.account_find = account_find,
	.domain_is_local = domain_is_local,
	.mailbox_status = mailbox_status,
	.deliver = store_deliver,
	.draft_source = draft_source,
};

#define TO(...)                                           \
	.values = { (const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) }

static const struct ph_text_map_entry aliases[] = {
	{ "info@demo.test", TO("alice@demo.test", "bob@demo.test") },
	{ "Both@demo.test", TO("info@demo.test", "ALICE@demo.test") },
	{ "bob@demo.test", TO("bob@demo.test", "alice@demo.test") },
	{ "round@demo.test", TO("about@demo.test") },
	{ "about@demo.test", TO("round@demo.test") },
	{ "some@demo.test", TO("gone@demo.test", "far@away.test", "alice@demo.test") },
	{ "none@demo.test", TO("gone@demo.test", "far@away.test") },
	{ "broken-one@demo.test", TO("alice@demo.test", "broken@demo.test") },
	{ "list+x@demo.test", TO("bob+y@demo.test") },
	{ "@virtual.test", TO("alice@demo.test") },
	{ "@loop.test", TO("x@loop.test") },
	{ "deep0@demo.test", TO("deep1@demo.test") },
	{ "deep1@demo.test", TO("deep2@demo.test") },
	{ "deep2@demo.test", TO("deep3@demo.test") },
	{ "deep3@demo.test", TO("alice@demo.test") },
};

static void setup(void)
{
	delivery_services = (struct delivery_services){ .store = &store, .address = &address_service };
	delivery_config = (struct delivery_config){
		.aliases = { aliases, sizeof(aliases) / sizeof(aliases[0]) },
		.separator = "+",
		.mailbox_by_detail = true,
		.postmaster = "bob@demo.test",
		.max_alias_depth = 3,
		.max_alias_targets = 10,
	};
	stored_count = 0;
	store_result = 0;
	ck_assert_int_eq(delivery_aliases_open(NULL), 0);
}

static void teardown(void)
{
	delivery_aliases_close();
}

/* --- routes --- */

static const struct {
	const char *recipient;
	int code;
	const char *targets; /* "1:INBOX 2:INBOX" */
} routes[] = {
	{ "alice@demo.test", 0, "1:INBOX" },
	{ "Alice@Demo.Test", 0, "1:INBOX" },
	{ "alice+tag@demo.test", 0, "1:INBOX" },
	{ "alice+Work@demo.test", 0, "1:Work" },
	{ "alice+@demo.test", 0, "1:INBOX" },
	{ "nobody@demo.test", PH_E_ABSENT, "" },
	{ "nobody+tag@demo.test", PH_E_ABSENT, "" },
	{ "alice@remote.test", PH_E_UNSUPPORTED, "" },
	{ "info@demo.test", 0, "1:INBOX 2:INBOX" },
	{ "info+tag@demo.test", 0, "1:INBOX 2:INBOX" },
	{ "both@demo.test", 0, "1:INBOX 2:INBOX" },
	{ "bob@demo.test", 0, "2:INBOX 1:INBOX" },
	{ "round@demo.test", PH_E_LIMIT, "" },
	{ "some@demo.test", 0, "1:INBOX" },
	{ "none@demo.test", PH_E_ABSENT, "" },
	{ "broken@demo.test", PH_E_IO, "" },
	{ "broken-one@demo.test", PH_E_IO, "" },
	{ "list+x@demo.test", 0, "2:INBOX 1:INBOX" },
	{ "anyone@virtual.test", 0, "1:INBOX" },
	{ "x@loop.test", PH_E_UNSUPPORTED, "" },
	{ "deep1@demo.test", 0, "1:INBOX" },
	{ "deep0@demo.test", PH_E_LIMIT, "" },
	{ "Postmaster@demo.test", 0, "2:INBOX 1:INBOX" },
	{ "postmaster@other.test", 0, "3:INBOX" },
	{ "postmaster@remote.test", PH_E_UNSUPPORTED, "" },
};

static int resolve(const char *recipient, struct ph_pool *pool, struct ph_route *route_r)
{
	struct ph_address address;

	ck_assert_int_eq(address_service.parse(ph_str(recipient), 0, pool, &address), 0);
	return delivery_resolve(&address, pool, route_r, NULL);
}

START_TEST(test_resolve)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_route route = { 0 };
	char text[256] = "";

	ck_assert_int_eq(resolve(routes[_i].recipient, pool, &route), routes[_i].code);
	for (size_t i = 0; i < route.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d:%.*s", i ? " " : "",
			(int)route.targets[i].account, PH_STR_ARGS(route.targets[i].mailbox));
	ck_assert_str_eq(text, routes[_i].targets);
	ph_pool_free(&pool);
}
END_TEST

static const struct ph_text_map_entry bad_aliases[] = {
	{ "info", TO("alice@demo.test") },
	{ "info@demo.test", TO("alice") },
	{ "@de mo.test", TO("alice@demo.test") },
};

START_TEST(test_bad_alias)
{
	for (size_t i = 0; i < sizeof(bad_aliases) / sizeof(bad_aliases[0]); i++) {
		delivery_aliases_close();
		delivery_config.aliases = (struct ph_text_map){ &bad_aliases[i], 1 };
		ck_assert_int_eq(delivery_aliases_open(NULL), PH_E_INVALID);
	}
}
END_TEST

START_TEST(test_detail)
{
	ck_assert(ph_str_eq(delivery_detail(PH_STR("alice+a+b")), PH_STR("a+b")));
	ck_assert_uint_eq(delivery_detail(PH_STR("alice")).len, 0);
	ck_assert_uint_eq(delivery_detail(PH_STR("+alice")).len, 0);
}
END_TEST

/* --- deliveries --- */

static void deliver(const char *const *recipients, size_t count, struct ph_delivery_recipient *recipients_r,
	struct ph_pool *pool)
{
	static const struct ph_mime_message message;

	for (size_t i = 0; i < count; i++) {
		recipients_r[i] = (struct ph_delivery_recipient){ .address = ph_str(recipients[i]) };
		ck_assert_int_eq(resolve(recipients[i], pool, &recipients_r[i].route), 0);
	}
	delivery_deliver(NULL, PH_STR("bob@demo.test"), NULL, &message, recipients_r, count, true, pool);
}

START_TEST(test_each_mailbox_once)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_delivery_recipient recipients[4];

	deliver((const char *const[]){ "alice@demo.test", "info@demo.test", "alice+Work@demo.test",
			"alice@demo.test" },
		4, recipients, pool);
	ck_assert_uint_eq(stored_count, 3);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(recipients[i].result, 0);
	ck_assert(!stored[0].create && stored[2].create);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(test_failure_reaches_its_recipients)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_delivery_recipient recipients[3];

	store_result = PH_E_QUOTA;
	deliver((const char *const[]){ "alice@demo.test", "postmaster@other.test", "info@demo.test" }, 3,
		recipients, pool);
	ck_assert_int_eq(recipients[0].result, PH_E_QUOTA);
	ck_assert_str_eq(recipients[0].error.client, "the store's words");
	ck_assert_int_eq(recipients[1].result, 0);
	ck_assert_int_eq(recipients[2].result, PH_E_QUOTA);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(test_discard_stores_nothing)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_delivery_recipient recipient = { .address = PH_STR("alice@demo.test"),
		.route = { .discard = true } };
	static const struct ph_mime_message message;

	delivery_deliver(NULL, PH_STR(""), NULL, &message, &recipient, 1, false, pool);
	ck_assert_int_eq(recipient.result, 0);
	ck_assert_uint_eq(stored_count, 0);
	ph_pool_free(&pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("delivery");
	TCase *tcase = tcase_create("delivery");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_resolve, 0, (int)(sizeof(routes) / sizeof(routes[0])));
	tcase_add_test(tcase, test_bad_alias);
	tcase_add_test(tcase, test_detail);
	tcase_add_test(tcase, test_each_mailbox_once);
	tcase_add_test(tcase, test_failure_reaches_its_recipients);
	tcase_add_test(tcase, test_discard_stores_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
