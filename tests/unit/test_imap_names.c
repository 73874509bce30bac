/* The module imap: mailbox names in modified UTF-7, and the patterns of LIST. */
#include <config.h>

#include "../../modules/imap/pattern.h"
#include "../../modules/imap/utf7.h"

#include <check.h>
#include <stdlib.h>

/* --- modified UTF-7 --- */

static const struct {
	const char *utf8;
	const char *utf7;
} name_cases[] = {
	{ "INBOX", "INBOX" },
	{ "", "" },
	{ "a b%*~/", "a b%*~/" },
	{ "R&D", "R&-D" },
	{ "&&", "&-&-" },
	{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
	/* RFC 3501, 5.1.3 */
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		"~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "\xe5\x8f\xb0\xe5\x8c\x97\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "&U,BTF2XlZyyKng-" },
	{ "\xe2\x98\xba!", "&Jjo-!" },
	{ "\xf0\x9f\x93\xa7", "&2D3c5w-" },
	{ "\xc3\xa4&\xc3\xa4", "&AOQ-&-&AOQ-" },
};

START_TEST(test_both_ways)
{
	struct ph_str utf7 = ph_str(name_cases[_i].utf7);
	char *decoded = malloc(utf7_decoded_max(utf7.len));
	struct ph_buf buf;
	size_t len;

	ph_buf_init(&buf, 1000);
	utf7_encode(ph_str(name_cases[_i].utf8), &buf);
	ck_assert(ph_str_eq(ph_buf_str(&buf), utf7));
	ck_assert(utf7_decode(utf7, decoded, &len));
	ck_assert(ph_str_eq(ph_str_of(decoded, len), ph_str(name_cases[_i].utf8)));
	ck_assert_int_eq(utf7_is_plain(ph_str(name_cases[_i].utf8)),
		strcmp(name_cases[_i].utf8, name_cases[_i].utf7) == 0);
	ph_buf_free(&buf);
	free(decoded);
}
END_TEST

static const char *const bad_names[] = {
	"&Jjo!",              /* no shift back */
	"&Jjo",               /* ends shifted */
	"&",                  /* likewise */
	"&U,BTFw-&ZeVnLIqe-", /* a superfluous shift */
	"&AGE-",              /* "a", which stands for itself */
	"&AOQAYQ-",           /* the same behind another */
	"&AAA-",              /* NUL */
	"&AAo-",              /* LF */
	"&AH8-",              /* DEL */
	"&2D0-",              /* half of a pair */
	"&3ec-",              /* the other half */
	"&2D0AZQ-",           /* a half and another character */
	"&AOR-",              /* bits left over */
	"&AOQA-",             /* a character left over */
	"&A-",
	"&AO/Q-", /* "/" is not of this base64 */
	"a\x80",
	"\xc3\xa4",
	"a\x1f",
	"a\x7f",
};

START_TEST(test_bad_name)
{
	struct ph_str utf7 = ph_str(bad_names[_i]);
	char *decoded = malloc(utf7_decoded_max(utf7.len));
	size_t len;

	ck_assert(!utf7_decode(utf7, decoded, &len));
	free(decoded);
}
END_TEST

START_TEST(test_encode_broken)
{
	struct ph_buf buf;

	ph_buf_init(&buf, 1000);
	utf7_encode(PH_STR("a\xc3"), &buf);
	ck_assert(ph_str_eq(ph_buf_str(&buf), PH_STR("a&,,0-")));
	ph_buf_free(&buf);
}
END_TEST

/* --- patterns --- */

static const struct {
	const char *pattern, *name;
	bool matches;
} pattern_cases[] = {
	{ "*", "a/b/c", true },
	{ "%", "a", true },
	{ "%", "a/b", false },
	{ "", "a", false },
	{ "", "", true },
	{ "*", "", true },
	{ "a/%", "a/b", true },
	{ "a/%", "a", false },
	{ "a/%", "a/b/c", false },
	{ "a/*", "a/b/c", true },
	{ "a*", "a", true },
	{ "%/%", "a/b", true },
	{ "%/%/%", "a/b", false },
	{ "*b", "a/b", true },
	{ "%b", "a/b", false },
	{ "*%", "a/b", true },
	{ "%*", "a/b", true },
	{ "a%c*e", "abc/de", true },
	{ "inbox", "INBOX", true },
	{ "iNb%", "INBOX", true },
	{ "inbox/Sub", "INBOX/Sub", true },
	{ "inbox/sub", "INBOX/Sub", false },
	{ "%box", "INBOX", true },
	{ "inboxes", "INBOXES", false },
	{ "Sent", "sent", false },
	{ "%/inbox", "a/INBOX", false },
};

START_TEST(test_pattern)
{
	ck_assert_int_eq(pattern_matches(ph_str(pattern_cases[_i].pattern), ph_str(pattern_cases[_i].name)),
		pattern_cases[_i].matches);
}
END_TEST

/* The definition, tried out in every way. */
static bool naive(const char *pattern, const char *name)
{
	if (!*pattern)
		return !*name;
	if (*pattern == '*' || *pattern == '%') {
		if (naive(pattern + 1, name))
			return true;
		return *name && (*pattern == '*' || *name != '/') && naive(pattern, name + 1);
	}
	return *pattern == *name && naive(pattern + 1, name + 1);
}

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static void random_text(unsigned *state, const char *letters, size_t max, char *text)
{
	size_t len = next_random(state) % (max + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = letters[next_random(state) % strlen(letters)];
	text[len] = '\0';
}

START_TEST(test_against_naive)
{
	unsigned state = 1;

	for (int i = 0; i < 200000; i++) {
		char pattern[9], name[11];
		random_text(&state, "ab/*%%", sizeof(pattern) - 1, pattern);
		random_text(&state, "ab/", sizeof(name) - 1, name);
		ck_assert_msg(pattern_matches(ph_str(pattern), ph_str(name)) == naive(pattern, name),
			"pattern '%s' name '%s'", pattern, name);
	}
}
END_TEST

/* What takes others minutes. */
START_TEST(test_nasty)
{
	char pattern[PH_MAILBOX_NAME_MAX + 1], name[PH_MAILBOX_NAME_MAX];

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 ? 'a' : i % 4 ? '%' : '*';
	memset(name, 'a', sizeof(name));
	pattern[PH_MAILBOX_NAME_MAX - 1] = 'b';
	ck_assert(!pattern_matches(ph_str_of(pattern, PH_MAILBOX_NAME_MAX), ph_str_of(name, sizeof(name))));
	pattern[PH_MAILBOX_NAME_MAX - 1] = 'a';
	ck_assert(pattern_matches(ph_str_of(pattern, PH_MAILBOX_NAME_MAX), ph_str_of(name, sizeof(name))));
	/* Longer than any name. */
	ck_assert(!pattern_matches(ph_str_of(pattern, sizeof(pattern)), ph_str_of(name, sizeof(name))));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("imap: names");
	TCase *cases = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, cases);
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, test_both_ways, 0, COUNT(name_cases));
	tcase_add_loop_test(cases, test_bad_name, 0, COUNT(bad_names));
	tcase_add_test(cases, test_encode_broken);
	tcase_add_loop_test(cases, test_pattern, 0, COUNT(pattern_cases));
	tcase_add_test(cases, test_against_naive);
	tcase_add_test(cases, test_nasty);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
