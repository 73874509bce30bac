/* PROXY headers, whole and cut short at every byte. */
#include <config.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/layer_proxy.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static const struct {
	const char *bytes;
	size_t len;
	int result;
	const char *remote;
	int port;
	const char *local;
} headers[] = {
#define TEXT(literal) literal, sizeof(literal) - 1
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 65535\r\nrest"), 40, "192.0.2.1", 1, "192.0.2.2" },
	{ TEXT("PROXY TCP6 2001:DB8::1 ::1 4000 25\r\n"), 36, "2001:db8::1", 4000, "::1" },
	{ TEXT("PROXY UNKNOWN\r\n"), 15, NULL, 0, NULL },
	{ TEXT("PROXY UNKNOWN anything at all\r\n"), 31, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 ::1 ::1 1 2\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY \r\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY UNKNOWN\n"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXY UNKNOWN "
	       "56789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	       "1234567890"),
		PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("EHLO"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("PROXZ"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT("\r\n\r\nQUIT"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT(""), 0, NULL, 0, NULL },
	{ TEXT("PROXY TCP4"), 0, NULL, 0, NULL },
	{ TEXT(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x19rest"), 28, "192.0.2.1", 0x1234,
		"192.0.2.2" },
	{ TEXT(V2 "\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x19\4\0\0rest"), 31, "192.0.2.1", 0x1234,
		"192.0.2.2" },
	{ TEXT(V2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"
		  "\0\x19"),
		52, "2001:db8::1", 80, "::1" },
	{ TEXT(V2 "\x20\0\0\0"), 16, NULL, 0, NULL },
	{ TEXT(V2 "\x20\x11\0\x02xx"), 18, NULL, 0, NULL },
	{ TEXT(V2 "\x21\0\0\1x"), 17, NULL, 0, NULL },
	{ TEXT(V2 "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\x12\x34\0"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT(V2 "\x22\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x19"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT(V2 "\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x19"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT(V2 "\x21\x11\xff\xff"), PH_E_INVALID, NULL, 0, NULL },
	{ TEXT(V2 "\x21\x11\0\x0c\xc0\0\2\1"), 0, NULL, 0, NULL },
#undef TEXT
};

enum { HEADERS = sizeof(headers) / sizeof(headers[0]) };

static void check_whole(int i, const struct proxy_header *header)
{
	ck_assert_int_eq(header->known, headers[i].remote != NULL);
	if (!header->known)
		return;
	ck_assert_str_eq(header->remote.ip, headers[i].remote);
	ck_assert_int_eq(header->remote.port, headers[i].port);
	ck_assert_str_eq(header->local.ip, headers[i].local);
}

/* Each cut is copied to memory of just its size, so that a sanitizer sees a byte too far. */
START_TEST(headers_at_every_length)
{
	int last = 0;
	for (size_t len = 0; len <= headers[_i].len && last == 0; len++) {
		struct proxy_header header;
		char *copy = malloc(len + 1);
		char *bytes = memcpy(copy + 1, headers[_i].bytes, len);
		last = proxy_parse((struct ph_str){ bytes, len }, &header);
		ck_assert_msg(
			last <= 0 || (size_t)last == len, "header %d ends at %zu, not at %d", _i, len, last);
		if (last > 0)
			check_whole(_i, &header);
		free(copy);
	}
	struct proxy_header header;
	ck_assert_int_eq(last, headers[_i].result);
	ck_assert_int_eq(proxy_parse((struct ph_str){ headers[_i].bytes, headers[_i].len }, &header), last);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tests = tcase_create("proxy");
	tcase_add_loop_test(tests, headers_at_every_length, 0, HEADERS);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
