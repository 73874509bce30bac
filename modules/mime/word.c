/* Encoded words (RFC 2047), read as mailers write them and not only as they should: in any place, with spaces
 * inside, longer than 75 characters, and with a character broken across two words. For that, neighbouring
 * words of one charset are converted as one text. */
#include "word.h"

#include "charset.h"
#include "decode.h"
#include "quoted.h"
#include "utf8.h"

struct encoded_word {
	struct ph_str charset;
	char encoding; /* 'q' or 'b' */
	struct ph_str text;
	size_t length; /* of all of it */
};

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" */
static bool read_word(struct ph_str text, struct encoded_word *word_r)
{
	enum { CHARSET_MAX = 64, OPENING = 2, ENCODING = 3 /* "?q?" */ };
	if (!ph_str_starts(text, PH_STR("=?")))
		return false;
	struct ph_str rest = ph_str_slice(text, OPENING, text.len);
	ptrdiff_t mark = ph_str_find(ph_str_slice(rest, 0, CHARSET_MAX), '?');
	if (mark <= 0 || rest.len < (size_t)mark + ENCODING || rest.data[mark + 2] != '?')
		return false;
	word_r->charset = ph_str_slice(rest, 0, (size_t)mark);
	ptrdiff_t language = ph_str_find(word_r->charset, '*');
	if (language >= 0)
		word_r->charset.len = (size_t)language;
	word_r->encoding = ph_lower(rest.data[mark + 1]);
	if (word_r->encoding != 'q' && word_r->encoding != 'b')
		return false;
	rest = ph_str_slice(rest, (size_t)mark + ENCODING, rest.len);
	for (ptrdiff_t at = 0; (mark = ph_str_find(ph_str_slice(rest, (size_t)at, rest.len), '?')) >= 0;) {
		at += mark;
		if ((size_t)at + 1 < rest.len && rest.data[at + 1] == '=') {
			word_r->text = ph_str_slice(rest, 0, (size_t)at);
			word_r->length = (size_t)(rest.data + at + 2 - text.data);
			return true;
		}
		/* A question mark that should have been encoded; but another word does not begin inside of
		 * this one. */
		if (at > 0 && rest.data[at - 1] == '=')
			return false;
		at++;
	}
	return false;
}

/* RFC 2047, 4.2. */
static void decode_q(struct ph_str text, struct ph_buf *bytes)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '=' && i + 2 < text.len && hex_digit((unsigned char)text.data[i + 1]) >= 0 &&
			hex_digit((unsigned char)text.data[i + 2]) >= 0) {
			c = (char)(hex_digit((unsigned char)text.data[i + 1]) << 4 |
				   hex_digit((unsigned char)text.data[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		ph_buf_add_char(bytes, c);
	}
}

static void decode_b(struct ph_str text, struct ph_buf *bytes)
{
	struct ph_mime_decoder decoder;
	decoder_init(&decoder, PH_MIME_BASE64);
	decoder_feed(&decoder, text, bytes);
	decoder_finish(&decoder, bytes);
}

static void decode_word(const struct encoded_word *word, struct charset *charset, struct ph_buf *buf)
{
	struct ph_buf bytes;
	ph_buf_init(&bytes, word->text.len + 8);
	if (word->encoding == 'q')
		decode_q(word->text, &bytes);
	else
		decode_b(word->text, &bytes);
	charset_feed(charset, ph_buf_str(&bytes), buf);
	ph_buf_free(&bytes);
}

/* Decodes the word and all that follow it with only white space between. Returns how long they are together.
 */
static size_t decode_run(struct ph_str text, struct encoded_word word, struct ph_buf *buf)
{
	struct charset charset;
	struct ph_str name = word.charset;
	size_t end = 0;
	charset_open(&charset, name);
	for (;;) {
		if (!ph_str_case_eq(name, word.charset)) {
			charset_finish(&charset, buf);
			charset_close(&charset);
			name = word.charset;
			charset_open(&charset, name);
		}
		decode_word(&word, &charset, buf);
		end += word.length;
		size_t next = end;
		while (next < text.len && (text.data[next] == ' ' || text.data[next] == '\t'))
			next++;
		if (!read_word(ph_str_slice(text, next, text.len), &word))
			break;
		end = next;
	}
	charset_finish(&charset, buf);
	charset_close(&charset);
	return end;
}

void words_decode(struct ph_str text, struct ph_buf *buf)
{
	size_t plain = 0, at = 0;
	while (at < text.len) {
		ptrdiff_t mark = ph_str_find(ph_str_slice(text, at, text.len), '=');
		if (mark < 0)
			break;
		at += (size_t)mark;
		struct encoded_word word;
		if (!read_word(ph_str_slice(text, at, text.len), &word)) {
			at++;
			continue;
		}
		utf8_add_all(buf, ph_str_slice(text, plain, at));
		at += decode_run(ph_str_slice(text, at, text.len), word, buf);
		plain = at;
	}
	utf8_add_all(buf, ph_str_slice(text, plain, text.len));
}

/* A byte becomes a replacement character of three at most, or a character of four for the shortest charsets.
 */
size_t words_decoded_max(struct ph_str text)
{
	return text.len * 4 + 16;
}
