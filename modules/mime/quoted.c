/* Decoding quoted-printable (RFC 2045, 6.7). What is none of it stands for itself. */
#include <config.h>

#include "quoted.h"

#include <endian.h>

#include "table.h"

enum { HELD_MAX = sizeof((struct ph_mime_decoder *)NULL)->held };

enum { NO_DIGIT = 16 };

/* clang-format off */
#define DIGIT(c) (unsigned char)( \
	(c) >= '0' && (c) <= '9' ? (c) - '0' : \
	(c) >= 'A' && (c) <= 'F' ? (c) - 'A' + 10 : \
	(c) >= 'a' && (c) <= 'f' ? (c) - 'a' + 10 : NO_DIGIT)
/* clang-format on */

static const unsigned char digits[256] = { TABLE_256(DIGIT) };

int hex_digit(unsigned char c)
{
	return digits[c] < NO_DIGIT ? digits[c] : -1;
}

/* --- byte by byte --- */

enum quoted_state {
	QUOTED_TEXT,
	QUOTED_MARK,   /* after '=' */
	QUOTED_DIGIT,  /* after '=' and the digit in held[0] */
	QUOTED_BREAK,  /* after '=' and white space: the line end is soft */
	QUOTED_RETURN, /* after a soft break's CR */
};

static bool is_line_end(unsigned char c)
{
	return c == '\r' || c == '\n';
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static unsigned char *write_held(struct ph_mime_decoder *decoder, unsigned char *out)
{
	memcpy(out, decoder->held, decoder->held_count);
	out += decoder->held_count;
	decoder->held_count = 0;
	return out;
}

/* White space is held back, as at the end of a line it is not part of the text. More of it than a line may
 * have is let through. */
static unsigned char *hold_space(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	if (decoder->held_count == HELD_MAX)
		out = write_held(decoder, out);
	decoder->held[decoder->held_count++] = c;
	return out;
}

static unsigned char *quoted_text(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	if (is_blank(c))
		return hold_space(decoder, c, out);
	if (is_line_end(c))
		decoder->held_count = 0;
	else
		out = write_held(decoder, out);
	if (c == '=')
		decoder->state = QUOTED_MARK;
	else
		*out++ = c;
	return out;
}

/* The character behind '='. One that does not belong there stands for itself, and so does the '='. */
static unsigned char *quoted_mark(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	decoder->state = QUOTED_TEXT;
	if (hex_digit(c) >= 0) {
		decoder->held[0] = c;
		decoder->state = QUOTED_DIGIT;
	} else if (is_blank(c)) {
		decoder->state = QUOTED_BREAK;
	} else if (c == '\r') {
		decoder->state = QUOTED_RETURN;
	} else if (c != '\n') {
		*out++ = '=';
		out = quoted_text(decoder, c, out);
	}
	return out;
}

static unsigned char *quoted_digit(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	decoder->state = QUOTED_TEXT;
	if (hex_digit(c) >= 0) {
		*out++ = (unsigned char)(hex_digit(decoder->held[0]) << 4 | hex_digit(c));
		return out;
	}
	*out++ = '=';
	*out++ = decoder->held[0];
	return quoted_text(decoder, c, out);
}

static unsigned char *quoted_byte(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	switch (decoder->state) {
	case QUOTED_MARK:
		return quoted_mark(decoder, c, out);
	case QUOTED_DIGIT:
		return quoted_digit(decoder, c, out);
	case QUOTED_BREAK:
		if (is_blank(c))
			return out;
		decoder->state = c == '\r' ? QUOTED_RETURN : QUOTED_TEXT;
		return c == '\r' || c == '\n' ? out : quoted_text(decoder, c, out);
	case QUOTED_RETURN:
		decoder->state = QUOTED_TEXT;
		return c == '\n' ? out : quoted_text(decoder, c, out);
	default:
		return quoted_text(decoder, c, out);
	}
}

/* --- many bytes at once --- */

enum { BLOCK = 16 };
typedef unsigned char block __attribute__((vector_size(BLOCK)));
typedef uint64_t block_words __attribute__((vector_size(BLOCK)));

/* Where in a block the first byte is that is not 0. */
static inline size_t first_set(block_words words)
{
	int bit = words[0] ? __builtin_ctzll(le64toh(words[0])) : 64 + __builtin_ctzll(le64toh(words[1]));
	return (size_t)bit / 8;
}

static inline block load_block(const unsigned char *bytes)
{
	block loaded;
	memcpy(&loaded, bytes, BLOCK);
	return loaded;
}

/* Copies text up to a "=", to a blank before a line end or at the very end, and returns how long it is.
 * Blocks are copied whole: behind the text the room may hold anything. */
static inline size_t copy_text(const unsigned char *in, size_t length, unsigned char *out)
{
	size_t at = 0;
	for (; length - at > BLOCK; at += BLOCK) {
		block bytes = load_block(in + at), behind = load_block(in + at + 1);
		memcpy(out + at, &bytes, BLOCK);
		block_words special =
			(block_words)((bytes == '=') | (((bytes == ' ') | (bytes == '\t')) &
							       ((behind == '\r') | (behind == '\n'))));
		if (special[0] | special[1])
			return at + first_set(special);
	}
	for (; at < length && in[at] != '='; at++) {
		if (is_blank(in[at]) && (at + 1 == length || is_line_end(in[at + 1])))
			break;
		out[at] = in[at];
	}
	return at;
}

/* How many blanks hold_space() holds of those before text[length], where there is one more. */
static inline size_t blanks_before(const unsigned char *text, size_t length)
{
	size_t blanks = 0;
	while (blanks < length && is_blank(text[length - 1 - blanks]))
		blanks++;
	return blanks % HELD_MAX;
}

/* Decodes escapes and soft line ends that follow each other, as most that is escaped is several bytes.
 * Returns where it stopped: if that is a "=", it is odd, or has not all of it there. */
static inline const unsigned char *decode_escapes(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	while (end - in >= 3 && in[0] == '=') {
		unsigned high = digits[in[1]], low = digits[in[2]];
		if ((high | low) < NO_DIGIT)
			*(*out)++ = (unsigned char)(high << 4 | low);
		else if (in[1] != '\r' || in[2] != '\n')
			break;
		in += 3;
	}
	return in;
}

/* Decodes from a place where nothing is held. Returns where it stopped: at the end, or at what is read byte
 * by byte. */
static const unsigned char *decode_text(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	unsigned char *to = *out;
	for (;;) {
		size_t length = copy_text(in, (size_t)(end - in), to);
		in += length;
		to += length;
		if (in == end)
			break;
		if (*in == '=') {
			in = decode_escapes(in, end, &to);
			if (in < end && *in == '=')
				break;
		} else {
			size_t blanks = blanks_before(in - length, length);
			to -= blanks;
			/* What comes behind them is in the next piece. */
			if (in + 1 == end) {
				in -= blanks;
				break;
			}
			in++;
		}
	}
	*out = to;
	return in;
}

unsigned char *quoted_decode(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out)
{
	const unsigned char *in = (const unsigned char *)piece.data;
	const unsigned char *end = in + piece.len;
	while (in < end) {
		if (decoder->state == QUOTED_TEXT && decoder->held_count == 0)
			in = decode_text(in, end, &out);
		if (in < end)
			out = quoted_byte(decoder, *in++, out);
	}
	return out;
}

unsigned char *quoted_finish(struct ph_mime_decoder *decoder, unsigned char *out)
{
	if (decoder->state == QUOTED_DIGIT) {
		*out++ = '=';
		*out++ = decoder->held[0];
	}
	return out;
}
