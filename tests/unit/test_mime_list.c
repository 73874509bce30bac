/* What mailing lists say of themselves. */
#include <check.h>
#include <stdlib.h>

#include "../../modules/mime/list_field.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

static struct ph_pool *pool;

static void setup(void)
{
	pool = ph_pool_new(0);
}

static void teardown(void)
{
	ph_pool_free(&pool);
}

START_TEST(test_id)
{
	static const char *const rows[][2] = {
		/* RFC 2919, 3. */
		{ " List Header Mailing List <list-header.nisto.com>", "list-header.nisto.com" },
		{ " <commonspace-users.list-id.within.com>", "commonspace-users.list-id.within.com" },
		{ " \"Lena's Personal Joke List\"\r\n\t <lenas-jokes.da39.021999.localhost>",
			"lenas-jokes.da39.021999.localhost" },
		{ " \"An internal CMU List\" <0Jks9449.list-id.cmu.edu>", "0Jks9449.list-id.cmu.edu" },
		{ " =?utf-8?q?Gr=C3=BC=C3=9Fe?= <a.example>", "a.example" },
		{ " <a.\r\n example>", "a.example" },
		{ " \"<not.this>\" <a.example>", "a.example" },
		{ " (<not.this>) <a.example> (nor <this>)", "a.example" },
		{ " <not.this> <a.example>", "a.example" },
		{ " name<a.example>", "a.example" },
		/* Broken. */
		{ " a.example", "a.example" },
		{ " a.example (a list)", "a.example" },
		{ " a list", "" },
		{ " \"a.example\"", "" },
		{ " <a.example", "<a.example" },
		{ " a list <a.example", "" },
		{ " <>", "" },
		{ " (", "(" },
		{ "", "" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str id = list_id(ph_str(rows[i][0]), pool);
		ck_assert_msg(
			ph_str_eq(id, ph_str(rows[i][1])), "'%s' gives '%.*s'", rows[i][0], PH_STR_ARGS(id));
	}
	ck_assert_uint_eq(list_id((struct ph_str){ NULL, 0 }, pool).len, 0);
}
END_TEST

START_TEST(test_urls)
{
	/* With a "|" behind each. */
	static const char *const rows[][2] = {
		/* RFC 2369, 3. */
		{ " <mailto:list@host.com?subject=help> (List Instructions)",
			"mailto:list@host.com?subject=help|" },
		{ " <ftp://ftp.host.com/list.txt> (FTP),\r\n     <mailto:list@host.com?subject=help>",
			"ftp://ftp.host.com/list.txt|mailto:list@host.com?subject=help|" },
		{ " (Use this command to get off the list)\r\n <mailto:m@host.com?body=unsubscribe%20list>",
			"mailto:m@host.com?body=unsubscribe%20list|" },
		{ " <http://www.host.com/list.cgi?cmd=unsub&lst=list>,\r\n <mailto:l@host.com>",
			"http://www.host.com/list.cgi?cmd=unsub&lst=list|mailto:l@host.com|" },
		{ " <mailto:moderator@host.com> (Postings are Moderated)", "mailto:moderator@host.com|" },
		{ " NO (posting not allowed on this list)", "" },
		/* White space within, commas within, what follows without a comma. */
		{ " <https://host.com/a\r\n\tbc d>", "https://host.com/abcd|" },
		{ " <https://host.com/?a,b>,<mailto:a@b>", "https://host.com/?a,b|mailto:a@b|" },
		{ " <mailto:a@b> and <mailto:c@d>", "mailto:a@b|" },
		{ " <mailto:a@b>, or <mailto:c@d>", "mailto:a@b|" },
		{ " <mailto:a@b> (one), (two) <mailto:c@d>,", "mailto:a@b|mailto:c@d|" },
		/* Broken. */
		{ " https://host.com/", "" },
		{ " <mailto:a@b>, <https://host.com/", "mailto:a@b|" },
		{ " <>, <mailto:a@b>", "" },
		{ " =?us-ascii?Q?=3Chttps=3A=2F=2Fhost=2Ecom=2Flong?=\r\n =?us-ascii?Q?er=3E?=",
			"https://host.com/longer|" },
		{ " <1>,<2>,<3>,<4>", "1|2|3|" },
		{ "", "" },
	};
	struct ph_buf buf;
	ph_buf_init(&buf, 1000);
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct ph_str *urls;
		size_t count = list_urls(ph_str(rows[i][0]), 3, pool, &urls);
		ph_buf_reset(&buf);
		for (size_t j = 0; j < count; j++)
			ph_buf_printf(&buf, "%.*s|", PH_STR_ARGS(urls[j]));
		ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(rows[i][1])), "'%s' gives '%.*s'",
			rows[i][0], PH_STR_ARGS(buf));
	}
	ph_buf_free(&buf);
	const struct ph_str *urls;
	ck_assert_uint_eq(list_urls((struct ph_str){ NULL, 0 }, 3, pool, &urls), 0);
	ck_assert_uint_eq(list_urls(PH_STR("<a>"), 0, pool, &urls), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_list");
	TCase *tests = tcase_create("list");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_id);
	tcase_add_test(tests, test_urls);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
