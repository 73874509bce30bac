/* Paths, mailboxes, domains. */
#include <check.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/address/syntax.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))
#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static struct ph_pool *pool;

static void setup(void)
{
	pool = ph_pool_new(0);
}

static void teardown(void)
{
	ph_pool_free(&pool);
}

START_TEST(test_paths)
{
	enum { NONE = 0, UTF8 = PH_ADDRESS_UTF8, NULL_OK = PH_ADDRESS_NULL, POST = PH_ADDRESS_POSTMASTER };
	static const struct {
		const char *text;
		unsigned flags;
		int result;
		const char *formatted, *rest;
	} rows[] = {
		{ "<a@b.example>", NONE, 0, "a@b.example", "" },
		{ "<A.b@Example.ORG> SIZE=1", NONE, 0, "A.b@example.org", " SIZE=1" },
		{ "<\"a b\"@x>", NONE, 0, "\"a b\"@x", "" },
		{ "<\"plain\"@x>", NONE, 0, "plain@x", "" },
		{ "<\"a\\\"\\\\>\"@x>", NONE, 0, "\"a\\\"\\\\>\"@x", "" },
		{ "<@r.example,@s.example:a@b>", NONE, 0, "a@b", "" },
		{ "<a@[192.0.2.1]>", NONE, 0, "a@[192.0.2.1]", "" },
		{ "<a@[IPv6:2001:db8::1]>", NONE, 0, "a@[IPv6:2001:db8::1]", "" },
		{ "<.a..b.@x>", NONE, 0, ".a..b.@x", "" },
		{ "<!#$%&'*+-/=?^_`{|}~@x>", NONE, 0, "!#$%&'*+-/=?^_`{|}~@x", "" },
		{ "<>", NULL_OK, 0, "", "" },
		{ "<>", NONE, PH_E_INVALID, NULL, "<>" },
		{ "<Postmaster>", POST, 0, "Postmaster", "" },
		{ "<postmaster>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<other>", POST, PH_E_INVALID, NULL, NULL },
		{ "<j\xC3\xBC@x>", UTF8, 0, "j\xC3\xBC@x", "" },
		{ "<j@\xC3\xBC.example>", UTF8, 0, "j@\xC3\xBC.example", "" },
		{ "<j\xC3\xBC@x>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<j@\xC3\xBC.example>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<\"\xC3\xBC \"@x>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<j\xC3@x>", UTF8, PH_E_INVALID, NULL, NULL },
		{ "<j@\xFF>", UTF8, PH_E_INVALID, NULL, NULL },
		{ "", NONE, PH_E_INVALID, NULL, NULL },
		{ "a@b", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@b", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a b@c>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@b c>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@b@c>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<@b>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@>", NONE, PH_E_INVALID, NULL, NULL },
		{ "< a@b>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<<a@b>>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<\"\"@x>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<\"a@x>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<\"a\\", NONE, PH_E_INVALID, NULL, NULL },
		{ "<\"a\rb\"@x>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<@r:>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<@r,a@b>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@[1.2.3]>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@[1.2.3.4>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@-x.example>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@x..example>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<a@x.example.>", NONE, PH_E_INVALID, NULL, NULL },
		{ "<" SIXTY "aaaa@x>", NONE, 0, SIXTY "aaaa@x", "" },
		{ "<" SIXTY "aaaaa@x>", NONE, PH_E_LIMIT, NULL, NULL },
		{ "<\"" SIXTY "aaaa \"@x>", NONE, PH_E_LIMIT, NULL, NULL },
		{ "<a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN ">", NONE, 0,
			"a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN, "" },
		{ "<a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN TEN ">", NONE, PH_E_LIMIT, NULL, NULL },
		{ "<a@" SIXTY "aaaa>", NONE, PH_E_INVALID, NULL, NULL },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str rest = ph_str(rows[i].text);
		struct ph_address address;
		ck_assert_msg(address_parse_path(&rest, rows[i].flags, pool, &address) == rows[i].result,
			"%s", rows[i].text);
		if (rows[i].result < 0) {
			ck_assert_ptr_eq(rest.data, rows[i].text);
			continue;
		}
		ck_assert_msg(ph_str_eq(rest, ph_str(rows[i].rest)), "%s leaves %.*s", rows[i].text,
			PH_STR_ARGS(rest));
		struct ph_str formatted = address_format(&address, pool);
		ck_assert_msg(ph_str_eq(formatted, ph_str(rows[i].formatted)), "%s gives %.*s", rows[i].text,
			PH_STR_ARGS(formatted));
	}
}
END_TEST

START_TEST(test_mailboxes)
{
	struct ph_address a, b;
	ck_assert_int_eq(address_parse(PH_STR("\"Al.Ice\"@X.Example"), 0, pool, &a), 0);
	ck_assert_int_eq(address_parse(PH_STR("al.ice@x.EXAMPLE"), 0, pool, &b), 0);
	ck_assert(address_equal(&a, &b));
	ck_assert(ph_str_eq(address_key(&a, pool), PH_STR("al.ice@x.example")));
	ck_assert_int_eq(address_parse(PH_STR("alice@y.example"), 0, pool, &b), 0);
	ck_assert(!address_equal(&a, &b));
	ck_assert_int_eq(address_parse(PH_STR("a@b>"), 0, pool, &a), PH_E_INVALID);
	ck_assert_int_eq(address_parse(PH_STR("a"), 0, pool, &a), PH_E_INVALID);
	ck_assert_int_eq(address_parse((struct ph_str){ NULL, 0 }, 0, pool, &a), PH_E_INVALID);
	struct ph_address null = { 0 };
	ck_assert(ph_address_is_null(&null));
	ck_assert_uint_eq(address_key(&null, pool).len, 0);
	struct ph_pool *small = ph_pool_new(4);
	ck_assert_int_eq(address_parse(PH_STR("alice@y.example"), 0, small, &b), PH_E_LIMIT);
	ph_pool_free(&small);
}
END_TEST

START_TEST(test_split)
{
	static const struct {
		const char *local, *separators, *user, *detail;
	} rows[] = {
		{ "alice+list", "+", "alice", "list" },
		{ "alice", "+", "alice", NULL },
		{ "a+b+c", "+", "a", "b+c" },
		{ "alice-x+y", "+-", "alice", "x+y" },
		{ "+x", "+", "+x", NULL },
		{ "a+", "+", "a", "" },
		{ "a+b", "", "a+b", NULL },
		{ "", "+", "", NULL },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_str user, detail;
		address_split(ph_str(rows[i].local), ph_str(rows[i].separators), &user, &detail);
		ck_assert(ph_str_eq(user, ph_str(rows[i].user)));
		ck_assert_int_eq(detail.data == NULL, rows[i].detail == NULL);
		ck_assert(ph_str_eq(detail, ph_str(rows[i].detail)));
	}
}
END_TEST

START_TEST(test_domains)
{
	static const struct {
		const char *text;
		unsigned flags;
		bool domain, literal;
	} rows[] = {
		{ "example.org", 0, true, false },
		{ "x", 0, true, false },
		{ "1.2.3.4", 0, true, false },
		{ "a-b.c_d", 0, true, false },
		{ "", 0, false, false },
		{ ".", 0, false, false },
		{ "a.", 0, false, false },
		{ ".a", 0, false, false },
		{ "-a", 0, false, false },
		{ "a-", 0, false, false },
		{ "a b", 0, false, false },
		{ "\xC3\xA4", 0, false, false },
		{ "\xC3\xA4", PH_ADDRESS_UTF8, true, false },
		{ "\xC3", PH_ADDRESS_UTF8, false, false },
		{ "\xED\xA0\x80", PH_ADDRESS_UTF8, false, false },
		{ "\xF4\x90\x80\x80", PH_ADDRESS_UTF8, false, false },
		{ "\xF0\x9F\x93\xAF", PH_ADDRESS_UTF8, true, false },
		{ "[127.0.0.1]", 0, false, true },
		{ "[IPv6:::1]", 0, false, true },
		{ "[ipv6:::1]", 0, false, true },
		{ "[::1]", 0, false, false },
		{ "[]", 0, false, false },
		{ "[", 0, false, false },
		{ "[127.0.0.256]", 0, false, false },
		{ "[IPv6:127.0.0.1]", 0, false, false },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		ck_assert_msg(
			is_domain(ph_str(rows[i].text), rows[i].flags) == rows[i].domain, "%s", rows[i].text);
		ck_assert_msg(is_literal(ph_str(rows[i].text)) == rows[i].literal, "%s", rows[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_paths);
	tcase_add_test(tests, test_mailboxes);
	tcase_add_test(tests, test_split);
	tcase_add_test(tests, test_domains);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
