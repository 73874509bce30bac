/* What other servers answer, and what their mailboxes are called here. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include "../../modules/imap/client/client_response.h"
#include "../../modules/imap/client/import.h"

static struct ph_pool *pool;

static void setup(void)
{
	pool = ph_pool_new(1 << 20);
}

static void teardown(void)
{
	ph_pool_free(&pool);
}

static struct response parse(const char *text)
{
	struct response response;

	ck_assert_msg(response_parse(ph_str(text), pool, &response), "%s", text);
	return response;
}

#define ck_assert_text(value, wanted) \
	ck_assert_msg(ph_str_eq((value), ph_str(wanted)), "%.*s", PH_STR_ARGS(value))

START_TEST(conditions)
{
	struct response response = parse("P1 no [TRYCREATE] not there");

	ck_assert_int_eq(response.kind, RESPONSE_TAGGED);
	ck_assert_int_eq(response.condition, CONDITION_NO);
	ck_assert_text(response.tag, "P1");
	ck_assert_text(response.code, "TRYCREATE");
	ck_assert_text(response.text, "not there");
	response = parse("* OK [UIDVALIDITY 17] x");
	ck_assert_int_eq(response.kind, RESPONSE_CONDITION);
	ck_assert_text(response.code, "UIDVALIDITY");
	ck_assert_text(response.code_argument, "17");
	ck_assert_int_eq(parse("* BYE").condition, CONDITION_BYE);
	ck_assert_int_eq(parse("+").kind, RESPONSE_CONTINUE);
	ck_assert_int_eq(parse("* 5 EXISTS").kind, RESPONSE_EXISTS);
	ck_assert_int_eq(parse("* 5 EXPUNGE").kind, RESPONSE_OTHER);
	ck_assert_int_eq(parse("* ESEARCH (TAG \"x\") ALL 1").kind, RESPONSE_OTHER);
}
END_TEST

START_TEST(no_responses)
{
	static const char *const texts[] = { "", " ", "*", "*OK", "P1", "P1 ", "P1 BYE", "P1 OKAY",
		"220 hello", "HTTP/1.1 400 Bad Request" };
	struct response response;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(!response_parse(ph_str(texts[i]), pool, &response), "%s", texts[i]);
}
END_TEST

START_TEST(mailboxes)
{
	struct response response =
		parse("* LIST (\\HasNoChildren \\Sent \\Subscribed) \".\" \"a \\\"b\\\"\"");

	ck_assert_int_eq(response.kind, RESPONSE_LIST);
	ck_assert_uint_eq(response.list.special_use, PH_USE_SENT);
	ck_assert_uint_eq(response.list.attributes, ATTRIBUTE_SUBSCRIBED);
	ck_assert_int_eq(response.list.delimiter, '.');
	ck_assert_text(response.list.name, "a \"b\"");
	response = parse("* lsub (\\noselect) nil {5}\r\nab\r\nc");
	ck_assert_text(response.list.name, "ab\r\nc");
	ck_assert_int_eq(response.list.delimiter, '\0');
	ck_assert_uint_eq(response.list.attributes, ATTRIBUTE_NO_SELECT);
	ck_assert_text(parse("* LIST () \"/\" bare [name]").list.name, "bare [name]");
	ck_assert_int_eq(parse("* LIST () \"/\"").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* LIST ((((").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* LIST () \"//\" x").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* LIST () \"/\" {9}\r\nx").kind, RESPONSE_BROKEN);
	response = parse("* NAMESPACE ((\"INBOX.\" \".\" \"X\" (\"a\"))) NIL ((\"s/\" \"/\")(\"t/\" NIL))");
	ck_assert_int_eq(response.kind, RESPONSE_NAMESPACE);
	ck_assert_text(response.namespaces->prefix, "INBOX.");
	ck_assert(response.namespaces->personal && !response.namespaces->next->personal);
	ck_assert_text(response.namespaces->next->next->prefix, "t/");
	ck_assert_ptr_null(response.namespaces->next->next->next);
}
END_TEST

START_TEST(messages)
{
	struct response response =
		parse("* 7 FETCH (X (1 (\"a)\" {3}\r\n))( ) NIL) FLAGS (\\Seen kw \\Odd) "
		      "INTERNALDATE \" 1-Jan-2026 00:00:00 +0130\" BODY[HEADER.FIELDS (A B)]<0> \"x\" "
		      "RFC822.SIZE 4294967296 BODY[] {0}\r\n UID 4294967295)");

	ck_assert_int_eq(response.kind, RESPONSE_FETCH);
	ck_assert_uint_eq(response.number, 7);
	ck_assert_uint_eq(response.fetch.uid, 4294967295);
	ck_assert_uint_eq(response.fetch.flags.flags, PH_FLAG_SEEN);
	ck_assert_uint_eq(response.fetch.flags.keyword_count, 1);
	ck_assert_text(response.fetch.flags.keywords[0], "kw");
	ck_assert_text(response.fetch.lost, "\\Odd");
	ck_assert_int_eq(response.fetch.date.seconds, 1767220200);
	ck_assert_int_eq(response.fetch.date.zone, 90);
	ck_assert_uint_eq(response.fetch.size, UINT64_C(4294967296));
	ck_assert(response.fetch.has_body && response.fetch.body.data && response.fetch.body.len == 0);
	ck_assert_ptr_null(parse("* 7 FETCH (BODY[] NIL)").fetch.body.data);
	ck_assert(parse("* 7 FETCH (FLAGS (\\Recent))").fetch.recent);
	ck_assert(response_parse(ph_str_of("* 7 FETCH (FLAGS (a\0b))", 24), pool, &response));
	ck_assert_int_eq(response.kind, RESPONSE_FETCH);
	ck_assert_uint_eq(response.fetch.lost.len, 3);
	ck_assert_int_eq(parse("* 7 FETCH (UID 0)").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* 7 FETCH (FLAGS (").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* 7 FETCH (UID 5").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* 7 FETCH ((((((((").kind, RESPONSE_BROKEN);
	ck_assert_int_eq(parse("* 7 FETCH (X ((((((((").kind, RESPONSE_BROKEN);
}
END_TEST

START_TEST(names_here)
{
	static const struct {
		const char *remote, *prefix, *name;
		char delimiter;
		bool differs;
	} names[] = {
		{ "INBOX.Sent", "INBOX.", "Sent", '.', false },
		{ "INBOX.A.B", "INBOX.", "A/B", '.', false },
		{ "INBOX", "INBOX.", "INBOX", '.', false },
		{ "INBOX.INBOX", "INBOX.", "INBOX/INBOX", '.', false },
		{ "INBOX.inbox.x", "INBOX.", "INBOX/inbox/x", '.', false },
		{ "INBOX.", "INBOX.", "INBOX/", '.', false },
		{ "Entw&APw-rfe/x", "", "Entw\xc3\xbcrfe/x", '/', false },
		{ "&AOk-.x.Sent", "&AOk-.", "x/Sent", '.', false },
		{ "a.b/c", "", "a/b_c", '.', true },
		{ "a.b/c", "", "a.b/c", '/', false },
		{ "flat.name", "", "flat.name", '\0', false },
		{ "A & B", "", "A & B", '/', true },
		{ "\xc3\xa9", "", "\xc3\xa9", '/', false },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *why = NULL;
		struct ph_str name = import_name(
			ph_str(names[i].remote), names[i].delimiter, ph_str(names[i].prefix), pool, &why);

		ck_assert_text(name, names[i].name);
		ck_assert_msg((why != NULL) == names[i].differs, "%s", names[i].remote);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("imap client");
	TCase *tests = tcase_create("client");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, conditions);
	tcase_add_test(tests, no_responses);
	tcase_add_test(tests, mailboxes);
	tcase_add_test(tests, messages);
	tcase_add_test(tests, names_here);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
