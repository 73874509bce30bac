/* Transfer encodings (RFC 2045, 6). Decoding never fails: what cannot be meant is skipped (base64) or taken
 * as it is (quoted-printable), as the RFC advises. Output is written straight into the buffer's room. */
#include "decode.h"

enum { SKIP = 64, PAD = 65 };

#define ROW16(value)                                                                                       \
	(value), (value), (value), (value), (value), (value), (value), (value), (value), (value), (value), \
		(value), (value), (value), (value), (value)

static const unsigned char sextets[256] = {
	ROW16(SKIP),
	ROW16(SKIP),
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	62,
	SKIP,
	SKIP,
	SKIP,
	63,
	52,
	53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	SKIP,
	SKIP,
	SKIP,
	PAD,
	SKIP,
	SKIP,
	SKIP,
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	26,
	27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	SKIP,
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
	ROW16(SKIP),
};

void decoder_init(struct ph_mime_decoder *decoder, enum ph_mime_encoding encoding)
{
	*decoder = (struct ph_mime_decoder){ .encoding = encoding };
}

/* --- base64 --- */

/* Writes the bytes of the held sextets: a full group, or what a cut one holds. */
static unsigned char *write_group(struct ph_mime_decoder *decoder, unsigned char *out)
{
	const unsigned char *held = decoder->held;
	if (decoder->held_count > 1)
		*out++ = (unsigned char)(held[0] << 2 | held[1] >> 4);
	if (decoder->held_count > 2)
		*out++ = (unsigned char)(held[1] << 4 | held[2] >> 2);
	if (decoder->held_count > 3)
		*out++ = (unsigned char)(held[2] << 6 | held[3]);
	decoder->held_count = 0;
	return out;
}

/* Decodes whole groups of four as long as nothing else comes. */
static const unsigned char *decode_groups(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	unsigned char *to = *out;
	while (end - in >= 4) {
		unsigned a = sextets[in[0]], b = sextets[in[1]], c = sextets[in[2]], d = sextets[in[3]];
		if ((a | b | c | d) >= SKIP)
			break;
		unsigned group = a << 18 | b << 12 | c << 6 | d;
		to[0] = (unsigned char)(group >> 16);
		to[1] = (unsigned char)(group >> 8);
		to[2] = (unsigned char)group;
		to += 3;
		in += 4;
	}
	*out = to;
	return in;
}

/* Padding ends a group, not the text: joined base64 texts are seen, and nothing is lost by reading on. */
static unsigned char *decode_base64(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out)
{
	const unsigned char *in = (const unsigned char *)piece.data;
	const unsigned char *end = in + piece.len;
	while (in < end) {
		if (decoder->held_count == 0)
			in = decode_groups(in, end, &out);
		if (in == end)
			break;
		unsigned char sextet = sextets[*in++];
		if (sextet == PAD)
			out = write_group(decoder, out);
		else if (sextet != SKIP)
			decoder->held[decoder->held_count++] = sextet;
		if (decoder->held_count == 4)
			out = write_group(decoder, out);
	}
	return out;
}

/* --- quoted-printable --- */

enum quoted_state {
	QUOTED_TEXT,
	QUOTED_MARK,   /* after '=' */
	QUOTED_DIGIT,  /* after '=' and the digit in held[0] */
	QUOTED_BREAK,  /* after '=' and white space: the line end is soft */
	QUOTED_RETURN, /* after a soft break's CR */
};

int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (unsigned char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_plain(unsigned char c)
{
	return c != '=' && c != ' ' && c != '\t' && c != '\r' && c != '\n';
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
	if (decoder->held_count == sizeof decoder->held)
		out = write_held(decoder, out);
	decoder->held[decoder->held_count++] = c;
	return out;
}

static unsigned char *quoted_text(struct ph_mime_decoder *decoder, unsigned char c, unsigned char *out)
{
	if (c == ' ' || c == '\t')
		return hold_space(decoder, c, out);
	if (c == '\r' || c == '\n')
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
	} else if (c == ' ' || c == '\t') {
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
		if (c == ' ' || c == '\t')
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

/* Decodes a whole line without its end, in which white space at the end is gone already. Returns where it
 * stopped: at its end, or before a "=" that is not followed by two digits; the last character may be that. */
static const unsigned char *decode_escapes(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	for (;;) {
		const unsigned char *mark = memchr(in, '=', (size_t)(end - in));
		size_t length = (size_t)((mark ? mark : end) - in);
		memcpy(*out, in, length);
		*out += length;
		if (!mark)
			return end;
		in = mark;
		/* Most that is escaped is several bytes. */
		while (in < end && *in == '=') {
			int high = end - in > 2 ? hex_digit(in[1]) : -1;
			int low = high >= 0 ? hex_digit(in[2]) : -1;
			if (low < 0)
				return in;
			*(*out)++ = (unsigned char)(high << 4 | low);
			in += 3;
		}
	}
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* Decodes lines that are whole, as long as they are as they should be. Returns where it stopped; what is
 * there is read byte by byte. */
static const unsigned char *decode_lines(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	const unsigned char *feed;
	while (in < end && (feed = memchr(in, '\n', (size_t)(end - in)))) {
		const unsigned char *line_end = feed > in && feed[-1] == '\r' ? feed - 1 : feed;
		const unsigned char *text_end = line_end;
		while (text_end > in && is_blank(text_end[-1]))
			text_end--;
		if (memchr(in, '\r', (size_t)(line_end - in)))
			return in;
		const unsigned char *stopped = decode_escapes(in, text_end, out);
		if (stopped < text_end && (stopped + 1 < text_end || *stopped != '='))
			return stopped;
		/* Without a "=" at its end, the line end belongs to the text. */
		if (stopped == text_end)
			while (line_end <= feed)
				*(*out)++ = *line_end++;
		in = feed + 1;
	}
	return in;
}

/* Whole lines in one go where that is possible; what is left over, or odd, goes through the states. */
static unsigned char *decode_quoted(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out)
{
	const unsigned char *in = (const unsigned char *)piece.data;
	const unsigned char *end = in + piece.len;
	while (in < end) {
		bool is_between = decoder->state == QUOTED_TEXT && decoder->held_count == 0;
		if (is_between)
			in = decode_lines(in, end, &out);
		const unsigned char *begin = in;
		while (is_between && in < end && is_plain(*in))
			in++;
		memcpy(out, begin, (size_t)(in - begin));
		out += in - begin;
		/* To the end of what is odd, or of the line: it has been looked at as a whole. */
		while (in < end) {
			unsigned char c = *in++;
			out = quoted_byte(decoder, c, out);
			if (c == '\n')
				break;
		}
	}
	return out;
}

/* --- all --- */

bool decoder_feed(struct ph_mime_decoder *decoder, struct ph_str piece, struct ph_buf *buf)
{
	if (decoder->encoding != PH_MIME_BASE64 && decoder->encoding != PH_MIME_QUOTED_PRINTABLE)
		return ph_buf_add_str(buf, piece);
	if (piece.len == 0)
		return !buf->failed;
	unsigned char *begin = (unsigned char *)ph_buf_reserve(buf, piece.len + decoder->held_count + 4u);
	if (!begin)
		return false;
	unsigned char *end = decoder->encoding == PH_MIME_BASE64 ? decode_base64(decoder, piece, begin)
								 : decode_quoted(decoder, piece, begin);
	ph_buf_added(buf, (size_t)(end - begin));
	return true;
}

bool decoder_finish(struct ph_mime_decoder *decoder, struct ph_buf *buf)
{
	unsigned char last[4];
	unsigned char *end = last;
	if (decoder->encoding == PH_MIME_BASE64) {
		end = write_group(decoder, end);
	} else if (decoder->encoding == PH_MIME_QUOTED_PRINTABLE && decoder->state == QUOTED_DIGIT) {
		*end++ = '=';
		*end++ = decoder->held[0];
	}
	decoder_init(decoder, decoder->encoding);
	return ph_buf_add(buf, last, (size_t)(end - last));
}
