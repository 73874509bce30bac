#include <config.h>

#include "message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "tools.h"

#define MIME_FROM 8000 /* bytes */
#define BODIES_MAX 64
#define BODIES_SIZE (64u << 20) /* bytes of all bodies */
#define LINE_WIDTH 66
#define BASE64_LINE 76

static struct ph_buf bodies[BODIES_MAX];
static size_t body_count;
static bool is_mime;

const char *message_word(uint64_t number, char word[MESSAGE_WORD_SIZE])
{
	static const char *const syllables[16] = { "ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "pa",
		"den", "for", "gil", "hum", "jas", "qui" };

	snprintf(word, MESSAGE_WORD_SIZE, "%s%s%s", syllables[number & 15], syllables[(number >> 4) & 15],
		syllables[(number >> 8) & 15]);
	return word;
}

uint64_t message_pick(void)
{
	uint64_t a = random_below(MESSAGE_WORDS), b = random_below(MESSAGE_WORDS);

	return a * b / MESSAGE_WORDS;
}

static void add_text(struct ph_buf *body, size_t size, const char *line_end)
{
	size_t end = body->len + size, width = 0;
	char word[MESSAGE_WORD_SIZE];

	while (body->len < end) {
		message_word(message_pick(), word);
		ph_buf_printf(body, width ? " %s" : "%s", word);
		width += strlen(word) + 1;
		if (width > LINE_WIDTH) {
			ph_buf_printf(body, "%s\r\n", line_end);
			width = 0;
		}
	}
	ph_buf_printf(body, "%s\r\n", line_end);
}

static void add_base64(struct ph_buf *body, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t end = body->len + size;
	char line[BASE64_LINE];

	while (body->len < end) {
		for (size_t i = 0; i < BASE64_LINE; i++)
			line[i] = digits[random_next() & 63];
		ph_buf_add(body, line, sizeof(line));
		ph_buf_add_text(body, "\r\n");
	}
}

static void make_mime_body(struct ph_buf *body, size_t size)
{
	ph_buf_add_text(body, "--=_outer\r\nContent-Type: multipart/alternative; boundary=\"=_inner\"\r\n\r\n"
			      "--=_inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
	add_text(body, 1200, "");
	ph_buf_add_text(body, "--=_inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n");
	add_text(body, 1800, "<br>");
	ph_buf_add_text(body, "</body></html>\r\n--=_inner--\r\n--=_outer\r\n"
			      "Content-Type: application/octet-stream; name=\"report.bin\"\r\n"
			      "Content-Transfer-Encoding: base64\r\n"
			      "Content-Disposition: attachment; filename=\"report.bin\"\r\n\r\n");
	if (size > body->len)
		add_base64(body, size - body->len);
	ph_buf_add_text(body, "--=_outer--\r\n");
}

void message_prepare(size_t size)
{
	size_t body_size = size > 700 ? size - 600 : 100; /* the header is about 600 bytes */

	is_mime = size >= MIME_FROM;
	body_count = BODIES_SIZE / size;
	body_count = body_count < 2 ? 2 : body_count > BODIES_MAX ? BODIES_MAX : body_count;
	for (size_t i = 0; i < body_count; i++) {
		ph_buf_init(&bodies[i], SIZE_MAX);
		if (is_mime)
			make_mime_body(&bodies[i], body_size);
		else
			add_text(&bodies[i], body_size, "");
	}
}

struct ph_str message_body(long number)
{
	return ph_buf_str(&bodies[(size_t)number % body_count]);
}

static void add_trace(struct ph_buf *to, long number, const char *month)
{
	ph_buf_printf(to,
		"Received: from mx.client.test (mx.client.test [192.0.2.%u])\r\n"
		"\tby gen.client.test with ESMTPS id %08lx;\r\n"
		"\t%ld %s 2025 10:%02ld:%02ld +0000\r\n",
		(unsigned)random_below(250) + 1, number, number % 28 + 1, month, number / 60 % 60,
		number % 60);
}

static void add_subject(struct ph_buf *to, bool is_answer)
{
	uint64_t words = 3 + random_below(5);
	char word[MESSAGE_WORD_SIZE];

	ph_buf_add_text(to, is_answer ? "Subject: Re:" : "Subject:");
	for (uint64_t i = 0; i < words; i++)
		ph_buf_printf(to, " %s", message_word(message_pick(), word));
	ph_buf_add_text(to, "\r\n");
}

/* Each third message begins a thread, the others answer the one before. */
static void add_ids(struct ph_buf *to, long number)
{
	const uint64_t seed = options.seed;

	ph_buf_printf(to, "Message-ID: <%ld.%" PRIu64 "@client.test>\r\n", number, seed);
	if (number % 3)
		ph_buf_printf(to,
			"In-Reply-To: <%ld.%" PRIu64 "@client.test>\r\nReferences: <%ld.%" PRIu64
			"@client.test>\r\n",
			number - 1, seed, number - number % 3, seed);
}

void message_header(struct ph_buf *to, long number, const char *recipient)
{
	static const char *const months[12] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec" };
	const char *month = months[number / 28 % 12];
	char first[MESSAGE_WORD_SIZE], last[MESSAGE_WORD_SIZE];

	message_word(random_below(64), first);
	message_word(random_below(512), last);
	add_trace(to, number, month);
	ph_buf_printf(to, "Date: %ld %s 2025 %02u:%02u:%02u +0000\r\n", number % 28 + 1, month,
		(unsigned)random_below(24), (unsigned)random_below(60), (unsigned)random_below(60));
	ph_buf_printf(to, "From: \"%s %s\" <%s.%s@client.test>\r\nTo: <%s>\r\n", first, last, first, last,
		recipient);
	add_subject(to, number % 3 != 0);
	add_ids(to, number);
	ph_buf_add_text(to, "MIME-Version: 1.0\r\n");
	ph_buf_add_text(to, is_mime ? "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n"
				    : "Content-Type: text/plain; charset=utf-8\r\n\r\n");
}
