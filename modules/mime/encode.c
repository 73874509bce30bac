/* Writing transfer encodings (RFC 2045, 6). What is encoded survives everything that mail systems are known
 * to do to lines: wrap them, strip spaces at their ends, put ">" before "From" (RFC 2049, 3). */
#include <config.h>

#include "encode.h"

enum { LINE_MAX_LENGTH = 76, BASE64_LINE_BYTES = 57 };

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_letters[] = "0123456789ABCDEF";

bool is_ascii(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* --- choosing --- */

static bool ends_line(struct ph_str body, size_t at)
{
	return at + 1 < body.len && body.data[at] == '\r' && body.data[at + 1] == '\n';
}

static bool is_printable(char c)
{
	return (c >= ' ' && c <= '~') || c == '\t';
}

static bool is_safe_line(struct ph_str line)
{
	if (line.len > LINE_MAX_LENGTH || ph_str_starts(line, PH_STR("From ")))
		return false;
	for (size_t i = 0; i < line.len; i++)
		if (!is_printable(line.data[i]))
			return false;
	return line.len == 0 || (line.data[line.len - 1] != ' ' && line.data[line.len - 1] != '\t');
}

static bool is_safe(struct ph_str body)
{
	size_t begin = 0;
	for (size_t at = 0; at < body.len; at++) {
		if (body.data[at] != '\r' && body.data[at] != '\n')
			continue;
		if (!ends_line(body, at) || !is_safe_line(ph_str_slice(body, begin, at)))
			return false;
		begin = ++at + 1;
	}
	return is_safe_line(ph_str_slice(body, begin, body.len));
}

enum ph_mime_encoding encoding_choose(struct ph_str body, bool is_text, bool among_others)
{
	size_t escaped = 0;
	if (among_others && body.len > 0 && memmem(body.data, body.len, "--", 2))
		return PH_MIME_BASE64;
	if (is_safe(body))
		return PH_MIME_IDENTITY;
	for (size_t i = 0; i < body.len; i++)
		escaped += !is_printable(body.data[i]) && body.data[i] != '\r' && body.data[i] != '\n';
	/* Beyond that base64 is shorter, and nobody could read the other anyway. */
	return is_text && escaped <= body.len / 5 ? PH_MIME_QUOTED_PRINTABLE : PH_MIME_BASE64;
}

/* --- base64 --- */

void encode_base64(struct ph_str bytes, struct ph_buf *buf)
{
	const unsigned char *in = (const unsigned char *)bytes.data;
	size_t groups = (bytes.len + 2) / 3;
	char *out = ph_buf_reserve(buf, groups * 4);
	if (!out)
		return;
	for (size_t at = 0; at < bytes.len; at += 3) {
		size_t left = bytes.len - at;
		unsigned group = (unsigned)in[at] << 16 | (left > 1 ? (unsigned)in[at + 1] << 8 : 0) |
				 (left > 2 ? in[at + 2] : 0);
		*out++ = base64_letters[group >> 18];
		*out++ = base64_letters[group >> 12 & 63];
		*out++ = left > 1 ? base64_letters[group >> 6 & 63] : '=';
		*out++ = left > 2 ? base64_letters[group & 63] : '=';
	}
	ph_buf_added(buf, groups * 4);
}

static void encode_base64_lines(struct ph_str body, struct ph_buf *buf)
{
	for (size_t at = 0; at < body.len; at += BASE64_LINE_BYTES) {
		encode_base64(ph_str_slice(body, at, at + BASE64_LINE_BYTES), buf);
		ph_buf_add_text(buf, "\r\n");
	}
}

/* --- quoted-printable --- */

static bool must_quote(struct ph_str body, size_t at, size_t column)
{
	char c = body.data[at];
	if (c == ' ' || c == '\t')
		return at + 1 == body.len || ends_line(body, at + 1);
	if (c == 'F' && column == 0)
		return ph_str_starts(ph_str_slice(body, at, body.len), PH_STR("From "));
	/* A line that is a dot alone ends a message in SMTP, for those who forget to double it. */
	if (c == '.' && column == 0)
		return at + 1 == body.len || ends_line(body, at + 1);
	return !is_printable(c) || c == '=';
}

static void encode_quoted(struct ph_str body, struct ph_buf *buf)
{
	size_t column = 0;
	for (size_t at = 0; at < body.len; at++) {
		unsigned char c = (unsigned char)body.data[at];
		if (ends_line(body, at)) {
			ph_buf_add_text(buf, "\r\n");
			column = 0;
			at++;
			continue;
		}
		bool quoted = must_quote(body, at, column);
		/* Room is kept for the "=" of a soft line end. */
		if (column + (quoted ? 3 : 1) >= LINE_MAX_LENGTH) {
			ph_buf_add_text(buf, "=\r\n");
			column = 0;
			quoted = must_quote(body, at, column);
		}
		const char text[] = { quoted ? '=' : (char)c, hex_letters[c >> 4], hex_letters[c & 15] };
		ph_buf_add(buf, text, quoted ? 3 : 1);
		column += quoted ? 3 : 1;
	}
}

void encode_body(struct ph_str body, enum ph_mime_encoding encoding, struct ph_buf *buf)
{
	if (encoding == PH_MIME_BASE64)
		encode_base64_lines(body, buf);
	else if (encoding == PH_MIME_QUOTED_PRINTABLE)
		encode_quoted(body, buf);
	else
		ph_buf_add_str(buf, body);
}
