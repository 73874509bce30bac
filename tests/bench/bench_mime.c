/* How fast messages are read, beside GMime where it is there, in one run:
 *
 *   bench_mime              MB/s of parsing messages of several kinds, and of decoding bodies
 *   bench_mime WORST SIZE   parses one worst case of that size, to have its instructions counted (see
 * linear.sh)
 *
 * Each figure is the best of several rounds, as everything else on the machine only makes it slower. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <posthorn/error.h>

#ifdef HAVE_GMIME
#include <gmime/gmime.h>
#endif

#include "../../modules/mime/decode.h"
#include "../../modules/mime/encode.h"
#include "../../modules/mime/parse.h"

enum { ROUNDS = 30, MILLION = 1000000 };

/* Of the processor, not of the clock on the wall: others may be at work. */
static double now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* --- messages --- */

static void add_header(struct ph_buf *buf, const char *type)
{
	for (int i = 0; i < 6; i++)
		ph_buf_printf(buf,
			"Received: from mail%d.example.org (mail%d.example.org [192.0.2.%d])\r\n"
			"\tby mx.example.net (Posthorn) with ESMTPS id 4TQx7F1Jkrz9s%d\r\n"
			"\tfor <bob@example.net>; Mon, 15 Jan 2024 10:30:0%d +0100 (CET)\r\n",
			i, i, i, i, i);
	for (int i = 0; i < 2; i++)
		ph_buf_add_text(buf,
			"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2024;\r\n"
			" h=from:to:subject:date:message-id:mime-version:content-type;\r\n"
			" bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=;\r\n"
			" b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\r\n"
			"  9IgGvP9cq2BdLnzv0XKDvB2uWRHlPvCcqfVGGVA+LOYwzv1lyQ5jPtVzlLO3WfZG\r\n");
	ph_buf_printf(buf,
		"From: \"Alice Example\" <alice@example.org>\r\n"
		"To: Bob <bob@example.net>, =?utf-8?q?J=C3=BCrgen?= <j@example.net>,\r\n "
		"carol@example.com\r\n"
		"Cc: friends: dave@example.org, eve@example.org;\r\n"
		"Subject: Re: [list] =?utf-8?b?R3LDvMOfZSBhdXMgS8O2bG4=?= and more\r\n"
		"Date: Mon, 15 Jan 2024 10:30:00 +0100\r\n"
		"Message-ID: <20240115093000.4711@example.org>\r\n"
		"In-Reply-To: <20240114.1@example.net>\r\n"
		"References: <20240113.1@example.net> <20240113.2@example.net>\r\n "
		"<20240114.1@example.net>\r\n"
		"List-Id: <list.example.org>\r\nX-Mailer: Example 1.0\r\nMIME-Version: 1.0\r\n"
		"Content-Type: %s\r\n",
		type);
}

static void add_text(struct ph_buf *buf, size_t size)
{
	for (size_t end = buf->len + size; buf->len < end;)
		ph_buf_add_text(
			buf, "The quick brown fox jumps over the lazy dog, and then it goes home again.\r\n");
}

static void add_quoted(struct ph_buf *buf, size_t size)
{
	for (size_t end = buf->len + size; buf->len < end;)
		ph_buf_add_text(buf,
			"<p style=3D\"margin: 0\">Gr=C3=BC=C3=9Fe aus K=C3=B6ln, dem sch=C3=B6nen=\r\n"
			" Ort am Rhein, und viele <b>herzliche</b> Worte</p>\r\n");
}

static void add_base64(struct ph_buf *buf, size_t size)
{
	char bytes[57];
	uint32_t seed = 1;
	for (size_t end = buf->len + size; buf->len < end;) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
		encode_base64(ph_str_of(bytes, sizeof bytes), buf);
		ph_buf_add_text(buf, "\r\n");
	}
}

static void make_plain(struct ph_buf *buf)
{
	add_header(buf, "text/plain; charset=utf-8");
	ph_buf_add_text(buf, "\r\n");
	add_text(buf, 3000);
}

static void make_alternative(struct ph_buf *buf)
{
	add_header(buf, "multipart/alternative; boundary=\"alt_0001\"");
	ph_buf_add_text(buf, "\r\n--alt_0001\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
	add_text(buf, 4000);
	ph_buf_add_text(buf, "\r\n--alt_0001\r\nContent-Type: text/html; charset=utf-8\r\n"
			     "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	add_quoted(buf, 30000);
	ph_buf_add_text(buf, "\r\n--alt_0001--\r\n");
}

static void make_attached(struct ph_buf *buf)
{
	add_header(buf, "multipart/mixed; boundary=\"mix_0001\"");
	ph_buf_add_text(buf, "\r\n--mix_0001\r\n\r\n");
	add_text(buf, 2000);
	for (int i = 0; i < 2; i++) {
		ph_buf_printf(buf,
			"\r\n--mix_0001\r\nContent-Type: image/jpeg; name=\"%d.jpg\"\r\n"
			"Content-Disposition: attachment; filename=\"%d.jpg\"\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n",
			i, i);
		add_base64(buf, MILLION / 2);
	}
	ph_buf_add_text(buf, "\r\n--mix_0001--\r\n");
}

/* --- what is measured; each returns something that depends on all it did --- */

static uint64_t parse(struct ph_str bytes)
{
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	uint64_t size = parser_finish(parser)->bodystructure.len;
	parser_free(&parser);
	return size;
}

static uint64_t decode(struct ph_str bytes, enum ph_mime_encoding encoding)
{
	static struct ph_buf buf = { .ceiling = SIZE_MAX };
	struct ph_mime_decoder decoder;
	decoder_init(&decoder, encoding);
	buf.len = 0;
	decoder_feed(&decoder, bytes, &buf);
	decoder_finish(&decoder, &buf);
	return buf.len;
}

static uint64_t decode_base64(struct ph_str bytes)
{
	return decode(bytes, PH_MIME_BASE64);
}

static uint64_t decode_quoted(struct ph_str bytes)
{
	return decode(bytes, PH_MIME_QUOTED_PRINTABLE);
}

#ifdef HAVE_GMIME
static uint64_t gmime_parse(struct ph_str bytes)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes.data, bytes.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	uint64_t found = message != NULL;
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	return found;
}

/* What a parse yields here: the texts of the header decoded, each part with its type, name and encoding. */
static void gmime_read_part(GMimeObject *parent, GMimeObject *part, gpointer found)
{
	(void)parent;
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
	*(uint64_t *)found += strlen(type);
	g_free(type);
	if (GMIME_IS_PART(part))
		*(uint64_t *)found += g_mime_part_get_filename(GMIME_PART(part)) != NULL;
}

static uint64_t gmime_parse_and_read(struct ph_str bytes)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes.data, bytes.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	InternetAddressList *const lists[] = { g_mime_message_get_from(message),
		g_mime_message_get_sender(message), g_mime_message_get_reply_to(message),
		g_mime_message_get_to(message), g_mime_message_get_cc(message),
		g_mime_message_get_bcc(message) };
	uint64_t found = 0;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char *text = internet_address_list_to_string(lists[i], NULL, FALSE);
		found += text != NULL;
		g_free(text);
	}
	found += strlen(g_mime_message_get_subject(message)) + strlen(g_mime_message_get_message_id(message));
	GMimeReferences *references =
		g_mime_references_parse(NULL, g_mime_object_get_header(GMIME_OBJECT(message), "References"));
	found += (uint64_t)g_mime_references_length(references);
	g_mime_references_free(references);
	found += g_mime_message_get_date(message) != NULL;
	g_mime_message_foreach(message, gmime_read_part, &found);
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	return found;
}

static uint64_t gmime_decode(struct ph_str bytes, GMimeContentEncoding encoding)
{
	static char *out;
	static size_t size;
	GMimeEncoding state;
	g_mime_encoding_init_decode(&state, encoding);
	if (size < g_mime_encoding_outlen(&state, bytes.len)) {
		size = g_mime_encoding_outlen(&state, bytes.len);
		out = ph_realloc_array(out, size, 1);
	}
	return g_mime_encoding_step(&state, bytes.data, bytes.len, out);
}

static uint64_t gmime_decode_base64(struct ph_str bytes)
{
	return gmime_decode(bytes, GMIME_CONTENT_ENCODING_BASE64);
}

static uint64_t gmime_decode_quoted(struct ph_str bytes)
{
	return gmime_decode(bytes, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
}
#endif

/* MB/s of one round. */
static double speed(uint64_t (*work)(struct ph_str bytes), struct ph_str bytes)
{
	size_t times = 1 + 4 * MILLION / bytes.len;
	uint64_t kept = 0;
	double begin = now();
	for (size_t i = 0; i < times; i++)
		kept += work(bytes);
	PH_ASSERT(kept > 0);
	return (double)bytes.len * (double)times / MILLION / (now() - begin);
}

/* The rounds take turns, so that what else happens meets both. */
static void compare(const char *name, void (*make)(struct ph_buf *buf), uint64_t (*ours)(struct ph_str bytes),
	uint64_t (*theirs)(struct ph_str bytes))
{
	struct ph_buf bytes;
	double best = 0, best_other = 0;
	ph_buf_init(&bytes, SIZE_MAX);
	make(&bytes);
	for (int round = 0; round < ROUNDS; round++) {
		double rate = speed(ours, ph_buf_str(&bytes));
		best = rate > best ? rate : best;
		rate = theirs ? speed(theirs, ph_buf_str(&bytes)) : 0;
		best_other = rate > best_other ? rate : best_other;
	}
	printf("%-32s %8zu bytes %9.0f MB/s", name, bytes.len, best);
	if (theirs)
		printf("   GMime %9.0f MB/s   %5.1f times", best_other, best / best_other);
	printf("\n");
	ph_buf_free(&bytes);
}

static void make_base64(struct ph_buf *buf)
{
	add_base64(buf, MILLION);
}

static void make_quoted(struct ph_buf *buf)
{
	add_quoted(buf, MILLION);
}

static void make_quoted_plain(struct ph_buf *buf)
{
	add_text(buf, MILLION);
}

/* --- worst cases --- */

static void worst_headers(struct ph_buf *buf, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ph_buf_printf(buf, "X-%zu: v\r\n", i);
	ph_buf_add_text(buf, "\r\nbody\r\n");
}

static void worst_parts(struct ph_buf *buf, size_t size)
{
	ph_buf_add_text(buf, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < size; i++)
		ph_buf_add_text(buf, "--b\r\n\r\nx\r\n");
	ph_buf_add_text(buf, "--b--\r\n");
}

/* Boundaries that all have to be compared with every line that might be one. */
static void worst_nesting(struct ph_buf *buf, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ph_buf_printf(buf, "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n--b%zu\r\n", i, i);
	ph_buf_add_text(buf, "\r\n");
	for (size_t i = 0; i < MILLION / 10; i++)
		ph_buf_add_text(buf, "--bx\r\n");
}

static void worst_header(struct ph_buf *buf, size_t size)
{
	ph_buf_add_text(buf, "Subject: ");
	for (size_t i = 0; i < size / 10; i++)
		ph_buf_add_text(buf, "=?utf-8?q?\r\n");
	ph_buf_add_text(buf, "\r\nbody\r\n");
}

static void worst_addresses(struct ph_buf *buf, size_t size)
{
	ph_buf_add_text(buf, "To: ");
	for (size_t i = 0; i < size; i++)
		ph_buf_add_text(buf, "(<\"a,");
	ph_buf_add_text(buf, "\r\n\r\nbody\r\n");
}

static void worst_html(struct ph_buf *buf, size_t size)
{
	ph_buf_add_text(buf, "Content-Type: text/html\r\n\r\n");
	for (size_t i = 0; i < size; i++)
		ph_buf_add_text(buf, "<!--<a b='&");
}

static const struct {
	const char *name;
	void (*make)(struct ph_buf *buf, size_t size);
} worst[] = {
	{ "headers", worst_headers },
	{ "parts", worst_parts },
	{ "nesting", worst_nesting },
	{ "header", worst_header },
	{ "addresses", worst_addresses },
	{ "html", worst_html },
};

static int parse_worst(const char *name, size_t size)
{
	struct ph_buf bytes;
	ph_buf_init(&bytes, SIZE_MAX);
	for (size_t i = 0; i < sizeof worst / sizeof *worst; i++) {
		if (strcmp(worst[i].name, name) != 0)
			continue;
		worst[i].make(&bytes, size);
		double begin = now();
		parse(ph_buf_str(&bytes));
		printf("%s %zu: %zu bytes, %.1f ms\n", name, size, bytes.len, (now() - begin) * 1000);
		ph_buf_free(&bytes);
		return 0;
	}
	(void)fprintf(stderr, "no such case: %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return parse_worst(argv[1], strtoul(argv[2], NULL, 10));
#ifdef HAVE_GMIME
	g_mime_init();
#define BESIDE(function) function
#else
#define BESIDE(function) NULL
#endif
	compare("parse: plain text", make_plain, parse, BESIDE(gmime_parse));
	compare("... and its texts read", make_plain, parse, BESIDE(gmime_parse_and_read));
	compare("parse: text and HTML", make_alternative, parse, BESIDE(gmime_parse));
	compare("... and its texts read", make_alternative, parse, BESIDE(gmime_parse_and_read));
	compare("parse: two attachments", make_attached, parse, BESIDE(gmime_parse));
	compare("... and its texts read", make_attached, parse, BESIDE(gmime_parse_and_read));
	compare("decode: base64", make_base64, decode_base64, BESIDE(gmime_decode_base64));
	compare("decode: quoted-printable", make_quoted, decode_quoted, BESIDE(gmime_decode_quoted));
	compare("decode: quoted, nothing to do", make_quoted_plain, decode_quoted,
		BESIDE(gmime_decode_quoted));
	return 0;
}
