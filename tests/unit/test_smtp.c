/* The module smtp: command lines, paths and parameters, trace lines, answers. */
#include <config.h>

#include "../../modules/address/syntax.h"
#include "../../modules/smtp/parse.h"
#include "../../modules/smtp/reply.h"
#include "../../modules/smtp/trace.h"

#include <check.h>
#include <stdlib.h>

/* --- lines --- */

static const struct {
	const char *line;
	bool good;
	const char *name, *arguments;
} lines[] = {
	{ "NOOP", true, "NOOP", "" },
	{ "noop  \t", false, "", "" },
	{ "NOOP  ", true, "NOOP", "" },
	{ "MAIL FROM:<a@b>", true, "MAIL", "FROM:<a@b>" },
	{ "RCPT   TO:<a@b>  ", true, "RCPT", "TO:<a@b>" },
	{ "", true, "", "" },
	{ "   ", true, "", "" },
	{ "NO\x01OP", false, "", "" },
	{ "NOOP \x7f", false, "", "" },
	{ "\xc3\xa4", true, "\xc3\xa4", "" },
};

START_TEST(test_line)
{
	struct ph_str name, arguments;
	bool good = parse_line(ph_str(lines[_i].line), &name, &arguments);

	ck_assert_int_eq(good, lines[_i].good);
	if (!good)
		return;
	ck_assert(ph_str_eq(name, ph_str(lines[_i].name)));
	ck_assert(ph_str_eq(arguments, ph_str(lines[_i].arguments)));
}
END_TEST

START_TEST(test_line_with_nul)
{
	struct ph_str name, arguments;

	ck_assert(!parse_line(PH_STR("NOOP\0"), &name, &arguments));
}
END_TEST

/* --- paths --- */

static const struct {
	const char *arguments;
	enum path_fault fault;
	const char *local, *domain;
	size_t parameters;
} paths[] = {
	{ "FROM:<alice@demo.test>", PATH_GOOD, "alice", "demo.test", 0 },
	{ "from:<alice@DEMO.test>", PATH_GOOD, "alice", "demo.test", 0 },
	{ "FROM: <alice@demo.test>", PATH_GOOD, "alice", "demo.test", 0 },
	{ "FROM:alice@demo.test", PATH_GOOD, "alice", "demo.test", 0 },
	{ "FROM:alice@demo.test SIZE=1", PATH_GOOD, "alice", "demo.test", 1 },
	{ "FROM:<>", PATH_GOOD, "", "", 0 },
	{ "FROM:<@a,@b.test:alice@demo.test>", PATH_GOOD, "alice", "demo.test", 0 },
	{ "FROM:<\"a b\"@demo.test>", PATH_GOOD, "a b", "demo.test", 0 },
	{ "FROM:<a@[192.0.2.1]> BODY=8BITMIME  SIZE=5", PATH_GOOD, "a", "[192.0.2.1]", 2 },
	{ "FROM:<a@b> X", PATH_GOOD, "a", "b", 1 },
	{ "FROM:<a@b> X=1 x=2", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> =1", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> X=", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> X=1=2", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> -X", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> X=\xff", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b>SIZE=1", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM:<a@b> A B C D E F G H I J K L M N O P Q", PATH_PARAMETERS, NULL, NULL, 0 },
	{ "FROM", PATH_SYNTAX, NULL, NULL, 0 },
	{ "TO:<a@b>", PATH_SYNTAX, NULL, NULL, 0 },
	{ "", PATH_SYNTAX, NULL, NULL, 0 },
	{ "FROM:", PATH_ADDRESS, NULL, NULL, 0 },
	{ "FROM:<a@b", PATH_ADDRESS, NULL, NULL, 0 },
	{ "FROM:<alice>", PATH_ADDRESS, NULL, NULL, 0 },
	{ "FROM:<a b@c>", PATH_ADDRESS, NULL, NULL, 0 },
	{ "FROM:<a@-b>", PATH_ADDRESS, NULL, NULL, 0 },
	{ "FROM:<\xc3\xa4@b>", PATH_UTF8, NULL, NULL, 0 },
	{ "FROM:<12345678901234567890123456789012345678901234567890123456789012345@b>", PATH_LENGTH, NULL,
		NULL, 0 },
};

START_TEST(test_path)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct path_arguments arguments;
	enum path_fault fault = parse_path_arguments(&address_service, ph_str(paths[_i].arguments),
		PH_STR("FROM:"), PH_ADDRESS_NULL, pool, &arguments);

	ck_assert_int_eq(fault, paths[_i].fault);
	if (fault == PATH_GOOD) {
		ck_assert(ph_str_eq(arguments.address.local, ph_str(paths[_i].local)));
		ck_assert(ph_str_eq(arguments.address.domain, ph_str(paths[_i].domain)));
		ck_assert_uint_eq(arguments.count, paths[_i].parameters);
	}
	ph_pool_free(&pool);
}
END_TEST

/* What a line of `len` bytes would be, for every len: nothing beyond them is read, and only whole ones pass.
 */
START_TEST(test_path_prefixes)
{
	struct ph_str whole = ph_str(paths[_i].arguments);

	for (size_t len = 0; len <= whole.len; len++) {
		struct ph_pool *pool = ph_pool_new(0);
		char *copy = ph_str_dup(ph_str_slice(whole, 0, len));
		struct path_arguments arguments;

		parse_path_arguments(&address_service, ph_str_of(copy, len), PH_STR("FROM:"), PH_ADDRESS_NULL,
			pool, &arguments);
		free(copy);
		ph_pool_free(&pool);
	}
}
END_TEST

START_TEST(test_hello)
{
	ck_assert(parse_hello(PH_STR("mx.demo.test")));
	ck_assert(parse_hello(PH_STR("my_pc")));
	ck_assert(parse_hello(PH_STR("[IPv6:::1]")));
	ck_assert(!parse_hello(PH_STR("")));
	ck_assert(!parse_hello(PH_STR("a b")));
	ck_assert(!parse_hello(PH_STR("\xc3\xa4")));
}
END_TEST

START_TEST(test_auth_parameter)
{
	ck_assert(parse_auth_parameter(PH_STR("<>")));
	ck_assert(parse_auth_parameter(PH_STR("e+3Dmc2@example.com")));
	ck_assert(!parse_auth_parameter(PH_STR("")));
	ck_assert(!parse_auth_parameter(PH_STR("a+3")));
	ck_assert(!parse_auth_parameter(PH_STR("a+3d")));
}
END_TEST

/* --- trace lines --- */

static const struct {
	struct trace trace;
	const char *text;
} traces[] = {
	{ { .reverse_path = PH_STR_INIT("bob@demo.test"),
		  .helo = PH_STR_INIT("client.test"),
		  .remote_ip = "192.0.2.1",
		  .hostname = "mx.demo.test",
		  .protocol = "ESMTP",
		  .id = "a1.1",
		  .recipient = PH_STR_INIT("alice@demo.test") },
		"Return-Path: <bob@demo.test>\r\n"
		"Received: from client.test ([192.0.2.1])\r\n"
		"\tby mx.demo.test with ESMTP\r\n"
		"\tid a1.1 for <alice@demo.test>; Thu, 1 Jan 1970 00:00:00 +0000\r\n" },
	{ { .helo = PH_STR_INIT("a(b)c;"),
		  .remote_ip = "2001:db8::1",
		  .hostname = "mx",
		  .protocol = "LMTP",
		  .encrypted = true,
		  .logged_in = true,
		  .tls_version = "TLSv1.3",
		  .tls_cipher = "TLS_AES_256_GCM_SHA384",
		  .id = "a1.2",
		  .time = 1709210096 },
		"Return-Path: <>\r\n"
		"Received: from a?b?c? ([IPv6:2001:db8::1])\r\n"
		"\tby mx with LMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
		"\tid a1.2; Thu, 29 Feb 2024 12:34:56 +0000\r\n" },
};

START_TEST(test_trace)
{
	struct ph_buf out;

	ph_buf_init(&out, 4096);
	trace_add(&traces[_i].trace, &out);
	ck_assert(ph_str_eq(ph_buf_str(&out), ph_str(traces[_i].text)));
	ph_buf_free(&out);
}
END_TEST

/* --- answers --- */

static const struct {
	struct ph_verdict verdict;
	int code;
	const char *enhanced, *text;
} verdicts[] = {
	{ { .kind = PH_REJECT }, 550, "5.7.1", "Refused by policy" },
	{ { .kind = PH_DEFER }, 451, "4.7.1", "Not now, by policy" },
	{ { .kind = PH_DISCONNECT }, 421, "4.7.1", "Not now, by policy" },
	{ { .kind = PH_DISCONNECT, .code = 554 }, 554, "5.7.1", "Not now, by policy" },
	{ { .kind = PH_REJECT, .code = 552, .enhanced = PH_STR_INIT("5.3.4"), .text = PH_STR_INIT("big") },
		552, "5.3.4", "big" },
};

START_TEST(test_verdict)
{
	struct answer answer;

	answer_verdict(&answer, &verdicts[_i].verdict);
	ck_assert_int_eq(answer.code, verdicts[_i].code);
	ck_assert_str_eq(answer.enhanced, verdicts[_i].enhanced);
	ck_assert_str_eq(answer.text, verdicts[_i].text);
}
END_TEST

START_TEST(test_answer_is_one_line)
{
	struct answer answer;

	answer_set(&answer, 550, "5.1.1", "a\r\n250 b\xff%s", "\t");
	ck_assert_str_eq(answer.text, "a??250 b??");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("smtp");
	TCase *tcase = tcase_create("smtp");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, test_line, 0, COUNT(lines));
	tcase_add_test(tcase, test_line_with_nul);
	tcase_add_loop_test(tcase, test_path, 0, COUNT(paths));
	tcase_add_loop_test(tcase, test_path_prefixes, 0, COUNT(paths));
	tcase_add_test(tcase, test_hello);
	tcase_add_test(tcase, test_auth_parameter);
	tcase_add_loop_test(tcase, test_trace, 0, COUNT(traces));
	tcase_add_loop_test(tcase, test_verdict, 0, COUNT(verdicts));
	tcase_add_test(tcase, test_answer_is_one_line);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
