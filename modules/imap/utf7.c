/* Printable ASCII stands for itself, "&-" for "&", all else is UTF-16 in base64 between "&" and "-" with ","
 * for "/". The decoder takes only the form that the encoder would give: one name, one spelling. */
#include "utf7.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

size_t utf7_decoded_max(size_t len)
{
	return len + len / 2 + 4;
}

static int base64_value(char c)
{
	const char *found = c ? strchr(alphabet, c) : NULL;

	return found ? (int)(found - alphabet) : -1;
}

static bool is_plain(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* One UTF-16 unit; *high keeps the first half of a pair. */
static bool put_unit(char **out, uint32_t unit, uint32_t *high)
{
	bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

	if (*high) {
		if (!is_low)
			return false;
		*out = put_utf8(*out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (is_low || is_plain(unit) || unit < 0x20 || (unit >= 0x7f && unit < 0xa0))
		return false;
	if (unit >= 0xd800 && unit <= 0xdbff)
		*high = unit;
	else
		*out = put_utf8(*out, unit);
	return true;
}

/* The base64 up to "-", which must be there, and be ended as the encoder ends it. */
static bool decode_shifted(struct ph_str encoded, size_t *at, char **out)
{
	uint32_t bits = 0;
	unsigned count = 0;
	uint32_t high = 0;

	for (; *at < encoded.len && encoded.data[*at] != '-'; (*at)++) {
		int value = base64_value(encoded.data[*at]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 16) {
			count -= 16;
			if (!put_unit(out, bits >> count & 0xffff, &high))
				return false;
		}
	}
	if (*at == encoded.len || high || count >= 6 || (bits & ((1u << count) - 1)))
		return false;
	(*at)++;
	return true;
}

bool utf7_decode(struct ph_str encoded, char *utf8, size_t *len_r)
{
	char *out = utf8;
	bool was_shifted = false;

	for (size_t at = 0; at < encoded.len;) {
		char c = encoded.data[at];
		if (!is_plain((unsigned char)c))
			return false;
		at++;
		if (c != '&') {
			*out++ = c;
			was_shifted = false;
		} else if (at < encoded.len && encoded.data[at] == '-') {
			*out++ = '&';
			at++;
			was_shifted = false;
		} else if (was_shifted || !decode_shifted(encoded, &at, &out)) {
			return false;
		} else {
			was_shifted = true;
		}
	}
	*len_r = (size_t)(out - utf8);
	return true;
}

/* The next character; U+FFFD, and one byte taken, where the bytes are no UTF-8. */
static uint32_t next_character(struct ph_str utf8, size_t *at)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)utf8.data[(*at)++];
	unsigned len = first < 0x80   ? 1
		       : first < 0xc0 ? 0
		       : first < 0xe0 ? 2
		       : first < 0xf0 ? 3
		       : first < 0xf8 ? 4
				      : 0;
	uint32_t c = len < 2 ? first : first & (0x7fu >> len);

	if (len == 0 || utf8.len - *at < len - 1)
		return 0xfffd;
	for (unsigned i = 0; i + 1 < len; i++) {
		unsigned char next = (unsigned char)utf8.data[*at + i];
		if ((next & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (next & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0xfffd;
	*at += len - 1;
	return c;
}

struct bit_writer {
	struct ph_buf *buf;
	uint32_t bits;
	unsigned count;
};

static void put_bits(struct bit_writer *writer, uint32_t unit)
{
	writer->bits = writer->bits << 16 | unit;
	writer->count += 16;
	while (writer->count >= 6) {
		writer->count -= 6;
		ph_buf_add_char(writer->buf, alphabet[writer->bits >> writer->count & 0x3f]);
	}
}

static void encode_shifted(struct ph_str utf8, size_t *at, struct ph_buf *buf)
{
	struct bit_writer writer = { .buf = buf };

	ph_buf_add_char(buf, '&');
	while (*at < utf8.len && !is_plain((unsigned char)utf8.data[*at])) {
		uint32_t c = next_character(utf8, at);
		if (c >= 0x10000) {
			put_bits(&writer, 0xd800 + ((c - 0x10000) >> 10));
			put_bits(&writer, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			put_bits(&writer, c);
		}
	}
	if (writer.count)
		ph_buf_add_char(buf, alphabet[writer.bits << (6 - writer.count) & 0x3f]);
	ph_buf_add_char(buf, '-');
}

void utf7_encode(struct ph_str utf8, struct ph_buf *buf)
{
	for (size_t at = 0; at < utf8.len;) {
		char c = utf8.data[at];
		if (!is_plain((unsigned char)c)) {
			encode_shifted(utf8, &at, buf);
			continue;
		}
		ph_buf_add_char(buf, c);
		if (c == '&')
			ph_buf_add_char(buf, '-');
		at++;
	}
}

bool utf7_is_plain(struct ph_str utf8)
{
	for (size_t i = 0; i < utf8.len; i++) {
		if (!is_plain((unsigned char)utf8.data[i]) || utf8.data[i] == '&')
			return false;
	}
	return true;
}
