/* The module auth: base64, the exchanges of PLAIN and LOGIN, hashes, and the memory of recent logins. */
#include <config.h>

#include "../../modules/auth/base64.h"
#include "../../modules/auth/password.h"
#include "../../modules/auth/recent.h"
#include "../../modules/auth/sasl.h"

#include "fiber_main.h"

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const struct {
	const char *text;
	const char *bytes; /* NULL: refused */
} base64_cases[] = {
	{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
	{ "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" }, { "Zg", NULL }, { "Zg=", NULL },
	{ "Zh==", NULL }, /* stray bits */
	{ "Zm9=", NULL }, { "Zg==Zg==", NULL }, { "Z===", NULL }, { "====", NULL }, { "Zm9v\n", NULL },
	{ " Zm9v", NULL }, { "Zm-v", NULL }, { "Zm9vYmFyZm9v", NULL }, /* longer than the room there is */
};

START_TEST(test_base64)
{
	char out[8];
	size_t len;
	bool good = base64_decode(ph_str(base64_cases[_i].text), out, sizeof(out), &len);
	ck_assert_int_eq(good, base64_cases[_i].bytes != NULL);
	if (good)
		ck_assert(ph_str_eq(ph_str_of(out, len), ph_str(base64_cases[_i].bytes)));
}
END_TEST

static const struct {
	struct ph_str message;
	bool good;
	const char *authorize, *user, *password;
} plain_cases[] = {
	{ BYTES("\0tim\0tanstaaftanstaaf"), true, "", "tim", "tanstaaftanstaaf" },
	{ BYTES("Ursel\0Kurt\0xipj3plmq"), true, "Ursel", "Kurt", "xipj3plmq" },
	{ BYTES("\0tim\0with space\xc3\xa9"), true, "", "tim", "with space\xc3\xa9" },
	{ BYTES("\0tim\0"), false, NULL, NULL, NULL },
	{ BYTES("\0\0secret"), false, NULL, NULL, NULL },
	{ BYTES("\0tim"), false, NULL, NULL, NULL },
	{ BYTES("tim"), false, NULL, NULL, NULL },
	{ BYTES(""), false, NULL, NULL, NULL },
	{ BYTES("\0tim\0secret\0"), false, NULL, NULL, NULL },
	{ BYTES("\0tim\0se\0cret"), false, NULL, NULL, NULL },
};

START_TEST(test_plain)
{
	struct sasl_answer answer = { 0 };
	struct ph_str message = plain_cases[_i].message;
	memcpy(answer.bytes, message.data, message.len);
	ck_assert_int_eq(sasl_parse_plain(&answer, message.len), plain_cases[_i].good);
	if (!plain_cases[_i].good)
		return;
	ck_assert(ph_str_eq(answer.authorize, ph_str(plain_cases[_i].authorize)));
	ck_assert(ph_str_eq(answer.user, ph_str(plain_cases[_i].user)));
	ck_assert(ph_str_eq(answer.password, ph_str(plain_cases[_i].password)));
}
END_TEST

START_TEST(test_plain_bounds)
{
	struct sasl_answer answer = { 0 };
	memset(answer.bytes, 'x', sizeof(answer.bytes));
	answer.bytes[SASL_USER_MAX] = answer.bytes[2 * SASL_USER_MAX + 1] = '\0';
	ck_assert(sasl_parse_plain(&answer, SASL_MESSAGE_MAX));
	answer.bytes[SASL_USER_MAX] = 'x';
	answer.bytes[SASL_USER_MAX + 1] = '\0';
	ck_assert(!sasl_parse_plain(&answer, SASL_MESSAGE_MAX));
}
END_TEST

/* A carrier that answers from a list. */
struct client {
	const char *answers[3];
	const char *challenges[3];
	int codes[3];
	unsigned count;
};

static int answer_challenge(void *arg, struct ph_str challenge, struct ph_str *response_r)
{
	struct client *client = arg;
	unsigned turn = client->count++;
	ck_assert_uint_lt(turn, 3);
	if (client->challenges[turn])
		ck_assert(ph_str_eq(challenge, ph_str(client->challenges[turn])));
	*response_r = ph_str(client->answers[turn]);
	return client->codes[turn];
}

static const struct {
	const char *mechanism;
	const char *initial;
	struct client client;
	int code;
	const char *user, *password;
} exchange_cases[] = {
	{ "PLAIN", "AHRpbQBzZWNyZXQ=", { .count = 0 }, 0, "tim", "secret" },
	{ "plain", NULL, { .answers = { "AHRpbQBzZWNyZXQ=" }, .challenges = { "" } }, 0, "tim", "secret" },
	{ "PLAIN", "=", { .count = 0 }, PH_E_INVALID, NULL, NULL },
	{ "PLAIN", "AHRpbQBzZWNyZXQ", { .count = 0 }, PH_E_INVALID, NULL, NULL },
	{ "PLAIN", NULL, { .answers = { "" }, .codes = { PH_E_INVALID } }, PH_E_INVALID, NULL, NULL },
	{ "PLAIN", NULL, { .answers = { "" }, .codes = { PH_E_LIMIT } }, PH_E_INVALID, NULL, NULL },
	{ "PLAIN", NULL, { .answers = { "" }, .codes = { PH_E_CLOSED } }, PH_E_CLOSED, NULL, NULL },
	{ "LOGIN", NULL,
		{ .answers = { "dGlt", "c2VjcmV0" }, .challenges = { "VXNlcm5hbWU6", "UGFzc3dvcmQ6" } }, 0,
		"tim", "secret" },
	{ "LOGIN", "dGlt", { .answers = { "c2VjcmV0" }, .challenges = { "UGFzc3dvcmQ6" } }, 0, "tim",
		"secret" },
	{ "LOGIN", "=", { .answers = { "c2VjcmV0" } }, PH_E_INVALID, NULL, NULL },
	{ "LOGIN", "dGlt", { .answers = { "" } }, PH_E_INVALID, NULL, NULL },
	{ "LOGIN", "dGlt", { .answers = { "*" } }, PH_E_INVALID, NULL, NULL },
	{ "LOGIN", "AHRpbQ==", { .answers = { "c2VjcmV0" } }, PH_E_INVALID, NULL, NULL },
};

START_TEST(test_exchange)
{
	const struct sasl_mechanism *mechanism = sasl_mechanism(ph_str(exchange_cases[_i].mechanism));
	struct client client = exchange_cases[_i].client;
	const struct ph_sasl_carrier carrier = { answer_challenge, &client };
	struct sasl_answer answer = { 0 };
	struct ph_error error = { 0 };

	ck_assert_ptr_nonnull(mechanism);
	int code = mechanism->exchange(ph_str(exchange_cases[_i].initial), &carrier, &answer, &error);
	ck_assert_int_eq(code, exchange_cases[_i].code);
	if (code < 0) {
		ck_assert_str_ne(error.client, "");
		return;
	}
	ck_assert(ph_str_eq(answer.user, ph_str(exchange_cases[_i].user)));
	ck_assert(ph_str_eq(answer.password, ph_str(exchange_cases[_i].password)));
	ck_assert_uint_eq(answer.authorize.len, 0);
}
END_TEST

START_TEST(test_mechanisms)
{
	ck_assert_str_eq(sasl_mechanisms(), "PLAIN LOGIN");
	ck_assert_ptr_null(sasl_mechanism(PH_STR("CRAM-MD5")));
	ck_assert_ptr_null(sasl_mechanism(PH_STR("")));
}
END_TEST

START_TEST(test_password)
{
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
	struct ph_error error = { 0 };

	ck_assert_int_eq(password_hash(PH_STR("secret"), 1, hash, &error), 0);
	ck_assert_int_eq(strncmp(hash, "$y$", 3), 0);
	ck_assert_int_eq(password_check(PH_STR("secret"), ph_str(hash), &error), 1);
	ck_assert_int_eq(password_check(PH_STR("Secret"), ph_str(hash), &error), 0);
	ck_assert_int_eq(password_check(PH_STR(""), ph_str(hash), &error), 0);
	ck_assert_int_eq(password_hash(PH_STR("secret"), 1, other, &error), 0);
	ck_assert_str_ne(hash, other);
	ck_assert_int_eq(password_check_nobody(PH_STR("secret"), 1, &error), 0);
}
END_TEST

START_TEST(test_password_other_hashes)
{
	/* SHA-512 crypt, as other servers have it. */
	struct ph_str sha512 =
		PH_STR("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLi"
		       "BFdcbYEdFCoEOfaS35inz1");
	struct ph_error error = { 0 };
	ck_assert_int_eq(password_check(PH_STR("Hello world!"), sha512, &error), 1);
	ck_assert_int_eq(password_check(PH_STR("hello world!"), sha512, &error), 0);
	ck_assert_int_eq(password_check(PH_STR("x"), PH_STR(""), &error), PH_E_CORRUPT);
	ck_assert_int_eq(password_check(PH_STR("x"), PH_STR("*"), &error), PH_E_CORRUPT);
	ck_assert_int_eq(password_check(PH_STR("x"), PH_STR("$nonsense$"), &error), PH_E_CORRUPT);
}
END_TEST

START_TEST(test_recent)
{
	struct ph_str user = PH_STR("a@b"), hash = PH_STR("$y$1"), password = PH_STR("secret");
	ck_assert_int_eq(recent_start(60000), 0);
	ck_assert(!recent_has(user, hash, password));
	recent_add(user, hash, password);
	ck_assert(recent_has(user, hash, password));
	ck_assert(!recent_has(user, hash, PH_STR("Secret")));
	ck_assert(!recent_has(user, PH_STR("$y$2"), password));
	ck_assert(!recent_has(PH_STR("c@b"), hash, password));
	ck_assert(!recent_has(PH_STR("a@b$y$1"), PH_STR(""), password));
	recent_stop();
	ck_assert(!recent_has(user, hash, password));
	ck_assert_int_eq(recent_start(0), 0);
	recent_add(user, hash, password);
	ck_assert(!recent_has(user, hash, password));
	recent_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tests = tcase_create("auth");
	tcase_add_loop_test(tests, test_base64, 0, sizeof(base64_cases) / sizeof(base64_cases[0]));
	tcase_add_loop_test(tests, test_plain, 0, sizeof(plain_cases) / sizeof(plain_cases[0]));
	tcase_add_loop_test(tests, test_exchange, 0, sizeof(exchange_cases) / sizeof(exchange_cases[0]));
	tcase_add_test(tests, test_plain_bounds);
	tcase_add_test(tests, test_mechanisms);
	tcase_add_test(tests, test_password);
	tcase_add_test(tests, test_password_other_hashes);
	tcase_add_test(tests, test_recent);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
