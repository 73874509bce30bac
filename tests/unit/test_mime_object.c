/* The object `message` as policies see it: each row is the body of a handler, which accepts when all is
 * right. */
#include "fiber_main.h"
#include "lua_host_run.h"

#include "../../core/hook_private.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/object.h"
#include "../../modules/mime/parse.h"

static struct ph_hook_point message_hook = {
	.name = "test.message",
	.decides = true,
	.help = "Asked by this test.",
	.arguments = (const struct ph_hook_argument[]){ { "message", PH_OBJECT, &message_type, "a message" },
		{ 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_DEFER),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("failed") },
};

static void setup(void)
{
	static struct ph_hook_point *const points[] = { &message_hook, NULL };
	host_setup();
	ck_assert_int_eq(hook_add_points(points, "test mime", NULL), 0);
}

static void teardown(void)
{
	hook_remove_owner("test mime");
	host_teardown();
}

static void check_handler(struct ph_mime_object *object, const char *body)
{
	char script[2000];
	struct ph_error error;
	struct ph_verdict verdict;
	struct ph_pool *pool = ph_pool_new(0);
	snprintf(script, sizeof(script),
		"local posthorn = require 'posthorn'\n"
		"posthorn.on('test.message', function(session, message)\n%s\nreturn "
		"posthorn.accept()\nend)\n",
		body);
	ck_assert_msg(host_try(script, &error) == 0, "%s", error.detail);
	const struct ph_value argument = PH_VALUE_OBJECT(&message_type, object);
	ph_hook_run(&message_hook, NULL, &argument, pool, &verdict);
	ck_assert_msg(verdict.kind == PH_ACCEPT, "%s: %s", body, host_logged());
	ph_pool_free(&pool);
}

START_TEST(test_message)
{
	static const char *const rows[] = {
		"assert(message.size == 163)",
		"assert(message.subject == 'h\xC3\xA4 there')",
		"assert(message.from == 'a@example.org' and message.to == nil)",
		"assert(message.message_id == '<1@example.org>')",
		"assert(message.date == 1705311000)",
		"assert(message:header('subject') == 'h\xC3\xA4 there')",
		"assert(message:header('X-Twice') == 'one' and message:header('X-None') == nil)",
		"assert(message:raw_header('SUBJECT') == ' =?utf-8?q?h=C3=A4?=\\r\\n there')",
		"assert(message:raw_header('X-None') == nil)",
		"local all = message:headers()\n"
		"assert(#all == 6 and all[1].name == 'From' and all[2].value == 'h\xC3\xA4 there')\n"
		"assert(all[6].name == 'x-twice' and all[6].value == 'two')",
		"assert(not pcall(message.header, message) and not pcall(message.header, 1, 'x'))",
		"assert(not pcall(function() message.subject = 'x' end))",
		"for i = 1, 1000 do assert(message:header('from') == 'a@example.org') end",
	};
	struct ph_str bytes =
		PH_STR("From: a@example.org\r\nSubject: =?utf-8?q?h=C3=A4?=\r\n there\r\n"
		       "Date: Mon, 15 Jan 2024 10:30:00 +0100\r\nMessage-ID: <1@example.org>\r\n"
		       "X-Twice: one\r\nx-twice: two\r\n\r\nbody\r\n");
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	const struct ph_mime_message *message = parser_finish(parser);
	struct ph_mime_object object = { message, message->header };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_handler(&object, rows[i]);
	parser_free(&parser);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_object");
	TCase *tests = tcase_create("object");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_message);
	suite_add_tcase(suite, tests);
	return fiber_main(suite);
}
