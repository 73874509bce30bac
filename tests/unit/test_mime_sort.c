/* What messages are sorted and threaded by. */
#include <check.h>
#include <stdlib.h>

#include "../../modules/mime/parse.h"
#include "../../modules/mime/sort.h"
#include "../../modules/mime/thread.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

START_TEST(test_base_subject)
{
	static const struct {
		const char *subject, *base;
		bool marked;
	} rows[] = {
		{ "", "", false },
		{ "hello", "hello", false },
		{ "  hello   there  ", "hello there", false },
		{ "Re: hello", "hello", true },
		{ "RE:FW: Fwd : hello", "hello", true },
		{ "re [2]: hello", "hello", true },
		{ "re[2] : hello", "hello", true },
		{ "Re", "Re", false },
		{ "Re:", "", true },
		{ "regards: hello", "regards: hello", false },
		{ "Fwds: hello", "Fwds: hello", false },
		{ "hello (fwd)", "hello", true },
		{ "hello (FWD) (fwd) ", "hello", true },
		{ "(fwd)", "", true },
		{ "[list] hello", "hello", false },
		{ "[list] Re: hello", "hello", true },
		{ "[a] [b] Re: [c] hello", "hello", true },
		{ "[list]", "[list]", false },
		{ "[a] [b]", "[b]", false },
		{ "Re: [list]", "[list]", true },
		{ "[list hello", "[list hello", false },
		{ "[a[b] hello", "[a[b] hello", false },
		{ "[Fwd: hello]", "hello", true },
		{ "[fwd: Re: [fwd: hello (fwd)]]", "hello", true },
		{ "Re: [Fwd: [list] hello]", "hello", true },
		{ "[fwd: hello", "[fwd: hello", false },
		{ "[fwd:]", "", true },
		{ "[list] [fwd: hello]", "hello", true },
		{ "[fwd: hello] there", "there", false },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str base;
		struct ph_pool *pool = ph_pool_new(0);
		bool marked = base_subject(ph_str(rows[i].subject), pool, &base);
		ck_assert_msg(ph_str_eq(base, ph_str(rows[i].base)), "'%s' has the base '%.*s'",
			rows[i].subject, PH_STR_ARGS(base));
		ck_assert_msg(marked == rows[i].marked, "'%s'", rows[i].subject);
		ph_pool_free(&pool);
	}
}
END_TEST

/* A million blobs are read once each. */
START_TEST(test_long_subject)
{
	enum { COUNT = 1000000 };
	struct ph_str base;
	struct ph_pool *pool = ph_pool_new(0);
	char *subject = malloc(3 * COUNT);
	for (size_t i = 0; i < COUNT; i++)
		memcpy(subject + 3 * i, "[a]", 3);
	base_subject(ph_str_of(subject, 3 * COUNT), pool, &base);
	ck_assert(ph_str_eq(base, PH_STR("[a]")));
	free(subject);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(test_addresses)
{
	static const struct {
		const char *list, *mailbox, *display;
	} rows[] = {
		{ "", "", "" },
		{ "a@b", "a", "a@b" },
		{ "Ann <a@b>, Bob <c@d>", "a", "Ann" },
		{ "=?utf-8?q?J=C3=BCrgen?= <j@x>", "j", "J\xC3\xBCrgen" },
		{ "\"Ann, B.\" <a@b>", "a", "Ann, B." },
		{ "a@b (Ann)", "a", "Ann" },
		{ "friends: a@b;", "friends", "friends" },
		{ "alone", "alone", "alone" },
		{ "<@c>", "", "@c" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str mailbox, display;
		struct ph_pool *pool = ph_pool_new(0);
		struct address_list list;
		list.count = addresses_parse(ph_str(rows[i].list), 10, pool, &list.items);
		sort_keys(&list, pool, &mailbox, &display);
		ck_assert_msg(ph_str_eq(mailbox, ph_str(rows[i].mailbox)), "'%s': '%.*s'", rows[i].list,
			PH_STR_ARGS(mailbox));
		ck_assert_msg(ph_str_eq(display, ph_str(rows[i].display)), "'%s': '%.*s'", rows[i].list,
			PH_STR_ARGS(display));
		ph_pool_free(&pool);
	}
}
END_TEST

START_TEST(test_thread_ids)
{
	static const struct {
		const char *header, *ids; /* own, then the references */
		size_t max;
	} rows[] = {
		{ "", "", 9 },
		{ "Message-ID: <1@x>\n", "1@x", 9 },
		{ "Message-ID: <1@x> <2@x>\nReferences: <a@b>\n <c@d>\n", "1@x a@b c@d", 9 },
		{ "Message-ID: <\"1\\2\"@x>\nReferences: <\"a\"@b>\n", "12@x a@b", 9 },
		{ "Message-ID: nonsense\nReferences: <no> <a@b> <@> <c@> <@d>\n", " a@b", 9 },
		{ "In-Reply-To: <a@b> <c@d>\n", " a@b", 9 },
		{ "In-Reply-To: <a@b>\nReferences: <x>\n", " a@b", 9 },
		{ "In-Reply-To: <a@b>\nReferences: <x@y>\n", " x@y", 9 },
		{ "References: <1@x> <2@x> <3@x> <4@x>\n", " 3@x 4@x", 2 },
		{ "References: <1@x>\n", "", 0 },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_buf got;
		struct ph_str own;
		const struct ph_str *references;
		struct ph_pool *pool = ph_pool_new(0);
		struct ph_mime_parser *parser = parser_new(NULL);
		ph_buf_init(&got, 1000);
		parser_feed(parser, ph_str(rows[i].header));
		size_t count = thread_ids(parser_finish(parser), rows[i].max, pool, &own, &references);
		ph_buf_add_str(&got, own);
		for (size_t j = 0; j < count; j++)
			ph_buf_printf(&got, " %.*s", PH_STR_ARGS(references[j]));
		ck_assert_msg(ph_str_eq(ph_buf_str(&got), ph_str(rows[i].ids)), "'%s': '%.*s'",
			rows[i].header, PH_STR_ARGS(got));
		ph_buf_free(&got);
		parser_free(&parser);
		ph_pool_free(&pool);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_sort");
	TCase *tests = tcase_create("sort");
	tcase_add_test(tests, test_base_subject);
	tcase_add_test(tests, test_long_subject);
	tcase_add_test(tests, test_addresses);
	tcase_add_test(tests, test_thread_ids);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
