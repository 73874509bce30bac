/* Whatever a value holds, it stays one value on one line. */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <posthorn/loop.h>

#include "log_private.h"

static const struct {
	struct ph_str value;
	const char *logfmt, *json;
} values[] = {
	{ PH_STR_INIT("plain"), "v=plain", "\"v\":\"plain\"" },
	{ PH_STR_INIT(""), "v=\"\"", "\"v\":\"\"" },
	{ PH_STR_INIT("two words"), "v=\"two words\"", "\"v\":\"two words\"" },
	{ PH_STR_INIT("a=b"), "v=\"a=b\"", "\"v\":\"a=b\"" },
	{ PH_STR_INIT("say \"no\""), "v=\"say \\\"no\\\"\"", "\"v\":\"say \\\"no\\\"\"" },
	{ PH_STR_INIT("back\\slash"), "v=\"back\\\\slash\"", "\"v\":\"back\\\\slash\"" },
	{ PH_STR_INIT("one\r\ntime=0"), "v=\"one\\r\\ntime=0\"", "\"v\":\"one\\r\\ntime=0\"" },
	{ PH_STR_INIT("\0\x1b[31m\x7f"), "v=\"\\x00\\x1b[31m\\x7f\"", "\"v\":\"\\u0000\\u001b[31m\\u007f\"" },
	{ PH_STR_INIT("M\xc3\xbcller"), "v=\"M\xc3\xbcller\"", "\"v\":\"M\xc3\xbcller\"" },
	{ PH_STR_INIT("\xc3"), "v=\"\\xc3\"", "\"v\":\"\\u00c3\"" },
	{ PH_STR_INIT("\xc0\xaf\xed\xa0\x80"), "v=\"\\xc0\\xaf\\xed\\xa0\\x80\"",
		"\"v\":\"\\u00c0\\u00af\\u00ed\\u00a0\\u0080\"" },
	{ PH_STR_INIT("\xc2\x85"), "v=\"\\xc2\\x85\"", "\"v\":\"\\u00c2\\u0085\"" },
	{ PH_STR_INIT("\xe2\x80\xae"), "v=\"\\xe2\\x80\\xae\"", "\"v\":\"\\u00e2\\u0080\\u00ae\"" },
	{ PH_STR_INIT("\xf0\x9f\x93\xaf"), "v=\"\xf0\x9f\x93\xaf\"", "\"v\":\"\xf0\x9f\x93\xaf\"" },
};

static void expect(enum log_format format, struct ph_str value, const char *wanted)
{
	const struct ph_log_field fields[] = { PH_LOG_STR("v", value), { 0 } };
	const struct ph_log_field *const lists[] = { fields, NULL };
	char whole[512];
	struct ph_buf line;

	ph_buf_init(&line, 8192);
	log_format_line(&line, format, PH_LOG_INFO, "it", lists);
	snprintf(whole, sizeof(whole),
		format == LOG_JSON ? ",\"level\":\"info\",\"msg\":\"it\",%s" : " level=info msg=it %s",
		wanted);
	ck_assert_uint_eq(line.len, strlen(whole));
	ck_assert(memcmp(line.data, whole, line.len) == 0);
	ph_buf_free(&line);
}

START_TEST(escaping)
{
	expect(LOG_LOGFMT, values[_i].value, values[_i].logfmt);
	expect(LOG_JSON, values[_i].value, values[_i].json);
}
END_TEST

/* Long values are cut, and fields that do not fit are left out whole: a line has an end. */
START_TEST(bounds)
{
	char *big = malloc(100000);
	struct ph_log_field fields[20] = { { 0 } };
	const struct ph_log_field *const lists[] = { fields, NULL };
	struct ph_buf line;

	memset(big, '\n', 100000);
	for (size_t i = 0; i < 19; i++)
		fields[i] = PH_LOG_STR("big", ph_str_of(big, 100000));
	ph_buf_init(&line, 8192);
	log_format_line(&line, LOG_LOGFMT, PH_LOG_WARN, "much", lists);
	ck_assert_uint_le(line.len, 8192 - 4);
	ck_assert_uint_gt(line.len, 4096);
	ck_assert(!line.failed);
	ck_assert(!memchr(line.data, '\n', line.len));
	ck_assert(memcmp(line.data + line.len - 4, "...\"", 4) == 0);
	ph_buf_free(&line);
	free(big);
}
END_TEST

static char path[] = "/tmp/test_log.XXXXXX";

static void read_log(char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void log_with_context(void *arg)
{
	const struct ph_log_context context = { .fields = { PH_LOG_TEXT("session", "s1") } };

	(void)arg;
	ph_log_set_context(&context);
	ph_log(PH_LOG_INFO, "with context", PH_LOG_NUMBER("n", -5));
	ph_log(PH_LOG_INFO, "own", PH_LOG_TEXT("session", "other"));
	ph_log_set_context(NULL);
	ph_log_event(PH_LOG_INFO, "without");
	ph_loop_break();
}

START_TEST(files)
{
	struct log_config config = { .level = PH_LOG_INFO, .format = LOG_LOGFMT, .file = path };
	char text[4096], moved[64];

	close(mkstemp(path));
	ck_assert_int_eq(log_open(&config, NULL), 0);
	ph_log_event(PH_LOG_DEBUG, "not wanted");
	ph_loop_init();
	ph_fiber_start("log", log_with_context, NULL);
	ph_loop_run();
	ph_loop_free();
	read_log(text, sizeof(text));
	ck_assert_ptr_null(strstr(text, "not wanted"));
	ck_assert_ptr_nonnull(strstr(text, "Z level=info msg=\"with context\" session=s1 n=-5\n"));
	ck_assert_ptr_nonnull(strstr(text, "Z level=info msg=own session=other\n"));
	ck_assert_ptr_nonnull(strstr(text, "Z level=info msg=without\n"));

	snprintf(moved, sizeof(moved), "%s.1", path);
	ck_assert_int_eq(rename(path, moved), 0);
	log_reopen();
	ph_log_event(PH_LOG_WARN, "after");
	read_log(text, sizeof(text));
	ck_assert_str_eq(text + strcspn(text, " "), " level=warn msg=after\n");

	config.format = LOG_JSON;
	ck_assert_int_eq(log_open(&config, NULL), 0);
	ph_log(PH_LOG_ERROR, "as json", PH_LOG_NUMBER("n", 1));
	read_log(text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "{\"time\":\""));
	ck_assert_ptr_nonnull(strstr(text, "Z\",\"level\":\"error\",\"msg\":\"as json\",\"n\":1}\n"));

	config.file = "/nowhere/at/all";
	ck_assert_int_lt(log_open(&config, NULL), 0);
	log_close();
	unlink(path);
	unlink(moved);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *cases = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, escaping, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(cases, bounds);
	tcase_add_test(cases, files);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
