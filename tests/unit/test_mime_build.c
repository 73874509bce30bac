/* Building: fields, bodies, whole messages, reports, as bytes. That what is built reads back the same is
 * fuzz_build's to show. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/build.h"
#include "../../modules/mime/build_field.h"
#include "../../modules/mime/date.h"
#include "../../modules/mime/encode.h"
#include "../../modules/mime/parse.h"
#include "../../modules/mime/report.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))
#define TEN "012345678 "
#define FIFTY TEN TEN TEN TEN TEN

static void check_field(const struct ph_mime_new_field *field, int result, const char *expected)
{
	struct ph_buf buf;
	ph_buf_init(&buf, 100000);
	int got = build_field(field, &buf);
	ck_assert_msg(got == result, "%d for '%.*s'", got, PH_STR_ARGS(buf));
	if (result == 0)
		ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(expected)), "'%.*s' instead of '%s'",
			PH_STR_ARGS(buf), expected);
	ph_buf_free(&buf);
}

START_TEST(test_text_fields)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "S:\r\n" },
		{ "hello there", "S: hello there\r\n" },
		{ " \thello\r\nX: y ", "S: hello  X: y\r\n" },
		{ FIFTY TEN TEN TEN, "S: " FIFTY TEN "012345678\r\n 012345678\r\n" },
		{ "a  b", "S: a  b\r\n" },
		{ "gr\xC3\xBC\xC3\x9F"
		  "e",
			"S: =?utf-8?b?Z3LDvMOfZQ==?=\r\n" },
		{ "one \xC3\xA4 two", "S: one =?utf-8?b?w6Q=?= two\r\n" },
		{ "\xC3\xA4 x \xC3\xB6", "S: =?utf-8?b?w6QgeCDDtg==?=\r\n" },
		{ "plain =?x", "S: plain =?utf-8?b?PT94?=\r\n" },
		{ "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", "S: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n" },
		{ "bad \xFF", "S: bad =?utf-8?b?77+9?=\r\n" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		check_field(&(struct ph_mime_new_field){ .name = PH_STR("S"), .text = ph_str(rows[i].text) },
			0, rows[i].expected);
}
END_TEST

START_TEST(test_field_names)
{
	static const char *const bad[] = { "", "a b", "a:", "\xC3\xA4", "a\r\nb",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
	for (size_t i = 0; i < ROWS(bad); i++)
		check_field(&(struct ph_mime_new_field){ .name = ph_str(bad[i]), .text = PH_STR("x") },
			PH_E_INVALID, NULL);
}
END_TEST

/* What may not be encoded is broken only where it has spaces, and refused when it has none for too long. */
START_TEST(test_structured)
{
	char word[1000];
	memset(word, 'x', sizeof word);
	struct ph_mime_new_field field = {
		.name = PH_STR("S"), .kind = PH_MIME_NEW_STRUCTURED, .text = PH_STR("<1@x> \xC3\xA4=?")
	};
	check_field(&field, 0, "S: <1@x> \xC3\xA4=?\r\n");
	field.text = ph_str_of(word, sizeof word);
	check_field(&field, PH_E_INVALID, NULL);
	struct ph_buf small;
	ph_buf_init(&small, 10);
	field.text = PH_STR("longer than ten");
	ck_assert_int_eq(build_field(&field, &small), PH_E_LIMIT);
	ph_buf_free(&small);
}
END_TEST

#define STR(text) PH_STR_INIT(text)
#define NONE            \
	{               \
		NULL, 0 \
	}

START_TEST(test_addresses)
{
	static const struct {
		struct ph_mime_address list[4];
		size_t count;
		int result;
		const char *expected;
	} rows[] = {
		{ { { 0 } }, 0, 0, "S:\r\n" },
		{ { { .local = STR("a"), .domain = STR("b.c") } }, 1, 0, "S: a@b.c\r\n" },
		{ { { .name = STR("Ann Other"), .local = STR("a.n"), .domain = STR("b") } }, 1, 0,
			"S: Ann Other <a.n@b>\r\n" },
		{ { { .name = STR("Other, \"A.\""), .local = STR("a b"), .domain = STR("[::1]") } }, 1, 0,
			"S: \"Other, \\\"A.\\\"\" <\"a b\"@[::1]>\r\n" },
		{ { { .name = STR("\xC3\xA4 <"), .local = STR("\xC3\xA4"), .domain = STR("\xC3\xB6") } }, 1,
			0, "S: =?utf-8?b?w6QgPA==?= <\xC3\xA4@\xC3\xB6>\r\n" },
		{ { { .kind = PH_MIME_GROUP_BEGIN, .name = STR("us") },
			  { .local = STR("a"), .domain = STR("b") }, { .kind = PH_MIME_GROUP_END },
			  { .local = STR("c"), .domain = STR("d") } },
			4, 0, "S: us: a@b;, c@d\r\n" },
		{ { { .kind = PH_MIME_GROUP_BEGIN }, { .kind = PH_MIME_GROUP_END } }, 2, 0, "S: \"\":;\r\n" },
		{ { { .local = STR("a") } }, 1, 0, "S: <a>\r\n" },
		{ { { .name = STR("x"), .local = STR("a"), .domain = STR("[1\"(>, ") } }, 1, PH_E_INVALID,
			NULL },
		{ { { .name = STR("x"), .local = STR("a"), .domain = STR("[1\"(>,]") } }, 1, 0,
			"S: x <a@[1\"(>,]>\r\n" },
		{ { { .domain = STR("b") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a@b") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a"), .domain = STR("b c") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a"), .domain = STR("b>, <x@y") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a"), .domain = STR("b..c") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a\r\nX: "), .domain = STR("b") } }, 1, PH_E_INVALID, NULL },
		{ { { .local = STR("a"), .domain = STR("[a]b]") } }, 1, PH_E_INVALID, NULL },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		check_field(&(struct ph_mime_new_field){ .name = PH_STR("S"),
				    .kind = PH_MIME_NEW_ADDRESSES,
				    .addresses = rows[i].list,
				    .address_count = rows[i].count },
			rows[i].result, rows[i].expected);
}
END_TEST

START_TEST(test_params)
{
	static const struct {
		const char *value, *expected;
	} rows[] = {
		{ "a.txt", "S: x; n=a.txt\r\n" },
		{ "", "S: x; n=\"\"\r\n" },
		{ "a b.txt", "S: x; n=\"a b.txt\"\r\n" },
		{ " a", "S: x; n*=utf-8''%20a\r\n" },
		{ "a\"b", "S: x; n*=utf-8''a%22b\r\n" },
		{ "=?x", "S: x; n*=utf-8''%3D%3Fx\r\n" },
		{ "\xC3\xA4.txt", "S: x; n*=utf-8''%C3%A4.txt\r\n" },
		{ "0123456789abcde\xC3\xA4", "S: x; n*0*=utf-8''0123456789abcde%C3; n*1*=%A4\r\n" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_buf buf;
		ph_buf_init(&buf, 1000);
		struct folding folding = fold_begin(&buf, PH_STR("S"));
		fold_word(&folding, 1, PH_STR("x"));
		fold_param(&folding, PH_STR("n"), ph_str(rows[i].value));
		ck_assert_int_eq(fold_end(&folding), 0);
		ck_assert_msg(
			ph_str_eq(ph_buf_str(&buf), ph_str(rows[i].expected)), "'%.*s'", PH_STR_ARGS(buf));
		ph_buf_free(&buf);
	}
}
END_TEST

START_TEST(test_encodings)
{
	static const struct {
		const char *body;
		bool is_text;
		enum ph_mime_encoding encoding;
		const char *encoded;
	} rows[] = {
		{ "", true, PH_MIME_IDENTITY, "" },
		{ "plain\r\n\ttext", true, PH_MIME_IDENTITY, "plain\r\n\ttext" },
		{ "plain\r\n\ttext", false, PH_MIME_IDENTITY, "plain\r\n\ttext" },
		{ "text \r\n", true, PH_MIME_QUOTED_PRINTABLE, "text=20\r\n" },
		{ "text\t", true, PH_MIME_QUOTED_PRINTABLE, "text=09" },
		{ "text\n", false, PH_MIME_BASE64, "dGV4dAo=\r\n" },
		{ "a\rb = c", true, PH_MIME_QUOTED_PRINTABLE, "a=0Db =3D c" },
		{ "From me\r\n", true, PH_MIME_QUOTED_PRINTABLE, "=46rom me\r\n" },
		{ "one =\xC3\xA4 and more words", true, PH_MIME_QUOTED_PRINTABLE,
			"one =3D=C3=A4 and more words" },
		{ "\xC3\xA4\xC3\xB6", true, PH_MIME_BASE64, "w6TDtg==\r\n" },
		{ FIFTY TEN TEN "01234567", true, PH_MIME_QUOTED_PRINTABLE, FIFTY TEN TEN "01234=\r\n567" },
		{ FIFTY TEN TEN "0123456\r\n.", true, PH_MIME_QUOTED_PRINTABLE,
			FIFTY TEN TEN "01234=\r\n56\r\n=2E" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_buf buf;
		struct ph_str body = ph_str(rows[i].body);
		ph_buf_init(&buf, 1000);
		enum ph_mime_encoding encoding = encoding_choose(body, rows[i].is_text, false);
		ck_assert_msg(encoding == rows[i].encoding, "'%s': %d", rows[i].body, encoding);
		encode_body(body, encoding, &buf);
		ck_assert_msg(
			ph_str_eq(ph_buf_str(&buf), ph_str(rows[i].encoded)), "'%.*s'", PH_STR_ARGS(buf));
		ph_buf_free(&buf);
	}
}
END_TEST

/* The same in every run. */
static void name_boundary(struct ph_buf *buf)
{
	char *at = memmem(buf->data, buf->len, "\"=_", 3);
	ck_assert_ptr_nonnull(at);
	char boundary[BOUNDARY_LENGTH];
	memcpy(boundary, at + 1, BOUNDARY_LENGTH);
	while ((at = memmem(buf->data, buf->len, boundary, BOUNDARY_LENGTH)) != NULL) {
		memset(at, '*', 3);
		memmove(at + 3, at + BOUNDARY_LENGTH, (size_t)(buf->data + buf->len - at) - BOUNDARY_LENGTH);
		buf->len -= BOUNDARY_LENGTH - 3;
	}
}

START_TEST(test_message)
{
	static const struct ph_mime_new_field fields[] = {
		{ .name = STR("Subject"), .text = STR("A picture") },
		{ .name = STR("Message-ID"), .kind = PH_MIME_NEW_STRUCTURED, .text = STR("<1@example.org>") },
	};
	static const struct ph_mime_param format = { .name = STR("format"), .value = STR("flowed") };
	static const struct ph_mime_new_part parts[] = {
		{ .params = { &format, 1 }, .body = STR("See:\n") },
		{ .type = STR("image/png"), .filename = STR("a b.png"), .body = STR("\x89PNG\0") },
		{ .type = STR("message/rfc822"),
			.disposition = STR("inline"),
			.body = STR("S: \xFC\n\nb\n") },
	};
	static const struct ph_mime_new_part message = { .fields = fields,
		.field_count = 2,
		.type = STR("multipart/mixed"),
		.parts = parts,
		.part_count = 3 };
	struct ph_buf buf;
	ph_buf_init(&buf, 10000);
	ck_assert_int_eq(build(&message, &buf), 0);
	name_boundary(&buf);
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf),
			      PH_STR("Subject: A picture\r\n"
				     "Message-ID: <1@example.org>\r\n"
				     "MIME-Version: 1.0\r\n"
				     "Content-Type: multipart/mixed; boundary=\"***\"\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: text/plain; charset=us-ascii; format=flowed\r\n"
				     "\r\n"
				     "See:\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: image/png\r\n"
				     "Content-Transfer-Encoding: base64\r\n"
				     "Content-Disposition: attachment; filename=\"a b.png\"\r\n"
				     "\r\n"
				     "iVBORwA=\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: message/rfc822\r\n"
				     "Content-Transfer-Encoding: 8bit\r\n"
				     "Content-Disposition: inline\r\n"
				     "\r\n"
				     "S: \xFC\n\nb\n"
				     "\r\n--***--\r\n")),
		"%.*s", PH_STR_ARGS(buf));
	ph_buf_free(&buf);
}
END_TEST

START_TEST(test_refused)
{
	static const struct ph_mime_param boundary = { .name = STR("boundary"), .value = STR("x") };
	static const struct ph_mime_param bad = { .name = STR("a b"), .value = STR("x") };
	static const struct ph_mime_new_field field = { .name = STR("a b") };
	static const struct ph_mime_new_part rows[] = {
		{ .type = STR("text") },
		{ .type = STR("text/") },
		{ .type = STR("te xt/plain") },
		{ .type = STR("text/plain; x=y") },
		{ .type = STR("multipart/mixed") },
		{ .params = { &boundary, 1 } },
		{ .params = { &bad, 1 } },
		{ .fields = &field, .field_count = 1 },
	};
	struct ph_mime_new_part nested[60] = { 0 };
	struct ph_buf buf;
	ph_buf_init(&buf, SIZE_MAX);
	for (size_t i = 0; i < ROWS(rows); i++)
		ck_assert_int_eq(build(&rows[i], &buf), PH_E_INVALID);
	for (size_t i = 0; i + 1 < ROWS(nested); i++)
		nested[i] = (struct ph_mime_new_part){
			.type = PH_STR("multipart/mixed"), .parts = &nested[i + 1], .part_count = 1
		};
	ck_assert_int_eq(build(nested, &buf), PH_E_LIMIT);
	ph_buf_free(&buf);
}
END_TEST

START_TEST(test_dates)
{
	static const char *const rows[] = { "Mon, 15 Jan 2024 10:30:00 +0100",
		"Thu, 1 Jan 1970 00:00:00 +0000", "Wed, 29 Feb 2012 23:59:59 -1130" };
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ph_buf buf;
		ph_buf_init(&buf, 100);
		date_print(date_parse(ph_str(rows[i])), &buf);
		ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(rows[i])), "%.*s", PH_STR_ARGS(buf));
		ph_buf_free(&buf);
	}
}
END_TEST

static const struct ph_mime_report_recipient recipients[] = {
	{ .final = STR("bob@example.net"),
		.status = STR("5.1.1"),
		.original = STR("rfc822;b@example.org"),
		.remote_mta = STR("mx.example.net"),
		.diagnostic = STR("550 5.1.1 No such user"),
		.tried = { true, 1705311000, 60 } },
	{ .final = STR("eve@example.net"),
		.action = PH_MIME_DELAYED,
		.status = STR("4.4.1"),
		.retry_until = { true, 1705311000, 0 } },
};

START_TEST(test_report)
{
	struct ph_mime_report report = {
		.from = { .name = STR("Mail System"),
			.local = STR("postmaster"),
			.domain = STR("example.org") },
		.to = { .local = STR("alice"), .domain = STR("example.org") },
		.date = { true, 1705311000, 60 },
		.message_id = STR("<2@example.org>"),
		.subject = STR("Not delivered"),
		.text = STR("Sorry.\n"),
		.reporting_mta = STR("mail.example.org"),
		.envelope_id = STR("QQ314159"),
		.received_from = STR("client.example.org"),
		.arrival = { true, 1705311000, 60 },
		.recipients = recipients,
		.recipient_count = 2,
		.original = STR("Subject: hello\r\n\r\n"),
	};
	struct ph_buf buf;
	ph_buf_init(&buf, 10000);
	ck_assert_int_eq(build_report(&report, &buf), 0);
	name_boundary(&buf);
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf),
			      PH_STR("From: Mail System <postmaster@example.org>\r\n"
				     "To: alice@example.org\r\n"
				     "Date: Mon, 15 Jan 2024 10:30:00 +0100\r\n"
				     "Message-ID: <2@example.org>\r\n"
				     "Subject: Not delivered\r\n"
				     "Auto-Submitted: auto-replied\r\n"
				     "MIME-Version: 1.0\r\n"
				     "Content-Type: multipart/report; report-type=delivery-status;\r\n"
				     " boundary=\"***\"\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: text/plain; charset=us-ascii\r\n"
				     "\r\n"
				     "Sorry.\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: message/delivery-status\r\n"
				     "\r\n"
				     "Original-Envelope-Id: QQ314159\r\n"
				     "Reporting-MTA: dns; mail.example.org\r\n"
				     "Received-From-MTA: dns; client.example.org\r\n"
				     "Arrival-Date: Mon, 15 Jan 2024 10:30:00 +0100\r\n"
				     "\r\n"
				     "Original-Recipient: rfc822;b@example.org\r\n"
				     "Final-Recipient: rfc822; bob@example.net\r\n"
				     "Action: failed\r\n"
				     "Status: 5.1.1\r\n"
				     "Remote-MTA: dns; mx.example.net\r\n"
				     "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
				     "Last-Attempt-Date: Mon, 15 Jan 2024 10:30:00 +0100\r\n"
				     "\r\n"
				     "Final-Recipient: rfc822; eve@example.net\r\n"
				     "Action: delayed\r\n"
				     "Status: 4.4.1\r\n"
				     "Will-Retry-Until: Mon, 15 Jan 2024 09:30:00 +0000\r\n"
				     "\r\n--***\r\n"
				     "Content-Type: text/rfc822-headers; charset=us-ascii\r\n"
				     "\r\n"
				     "Subject: hello\r\n\r\n"
				     "\r\n--***--\r\n")),
		"%.*s", PH_STR_ARGS(buf));
	buf.len = 0;
	report.recipient_count = 0;
	ck_assert_int_eq(build_report(&report, &buf), PH_E_INVALID);
	ph_buf_free(&buf);
}
END_TEST

/* A recipient that ASCII cannot name makes it a report of the other kind (RFC 6533). */
START_TEST(test_global_report)
{
	static const struct ph_mime_report_recipient recipient = { .final = STR("b\xC3\xB6@x"),
		.status = STR("5.1.1") };
	struct ph_mime_report report = { .from = { .local = STR("a"), .domain = STR("b") },
		.to = { .local = STR("c"), .domain = STR("d") },
		.recipients = &recipient,
		.recipient_count = 1,
		.original = STR("Subject: x\r\n\r\nwhole\r\n"),
		.original_is_whole = true };
	struct ph_buf buf;
	ph_buf_init(&buf, 10000);
	ck_assert_int_eq(build_report(&report, &buf), 0);
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, ph_buf_str(&buf));
	const struct ph_mime_part *part = parser_finish(parser)->root->children->next;
	ck_assert(ph_mime_is(part, "message", "global-delivery-status"));
	ck_assert_int_eq(part->encoding, PH_MIME_QUOTED_PRINTABLE);
	ck_assert_ptr_nonnull(memmem(buf.data, buf.len, "utf-8; b=C3=B6@x", 16));
	ck_assert(ph_mime_is(part->next, "message", "rfc822") && part->next->children);
	parser_free(&parser);
	ph_buf_free(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mime_build");
	TCase *tests = tcase_create("build");
	tcase_add_test(tests, test_text_fields);
	tcase_add_test(tests, test_field_names);
	tcase_add_test(tests, test_structured);
	tcase_add_test(tests, test_addresses);
	tcase_add_test(tests, test_params);
	tcase_add_test(tests, test_encodings);
	tcase_add_test(tests, test_message);
	tcase_add_test(tests, test_refused);
	tcase_add_test(tests, test_dates);
	tcase_add_test(tests, test_report);
	tcase_add_test(tests, test_global_report);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
