/* IMAP strings. */
#include "imap_text.h"

#include "scan.h"

/* What a character means for the form of a string. */
enum { ESCAPED = 1, IS_NUL = 2, LITERAL = 4 };

static const unsigned char classes_below_128[128] = {
	[0] = IS_NUL, ['"'] = ESCAPED, ['\\'] = ESCAPED, ['\r'] = LITERAL, ['\n'] = LITERAL
};

static inline unsigned class_of(unsigned char c)
{
	return c < 0x80 ? classes_below_128[c] : LITERAL;
}

/* Written straight into the buffer, as this is most of what ENVELOPE and BODYSTRUCTURE are made of. */
static void add_quoted(struct ph_buf *buf, struct ph_str text, unsigned classes)
{
	char *begin = ph_buf_reserve(buf, 2 * text.len + 2);
	char *out = begin;
	if (!out)
		return;
	*out++ = '"';
	if (classes == 0 && text.len > 0) {
		memcpy(out, text.data, text.len);
		out += text.len;
	}
	for (size_t i = 0; classes != 0 && i < text.len; i++) {
		unsigned class = class_of((unsigned char)text.data[i]);
		if (class == ESCAPED)
			*out++ = '\\';
		if (class != IS_NUL)
			*out++ = text.data[i];
	}
	*out++ = '"';
	ph_buf_added(buf, (size_t)(out - begin));
}

static size_t count_nuls(struct ph_str text)
{
	size_t nuls = 0;
	for (size_t i = 0; i < text.len; i++)
		nuls += text.data[i] == 0;
	return nuls;
}

static void add_literal(struct ph_buf *buf, struct ph_str text)
{
	ph_buf_printf(buf, "{%zu}\r\n", text.len - count_nuls(text));
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != 0)
			ph_buf_add_char(buf, text.data[i]);
}

void imap_add_string(struct ph_buf *buf, struct ph_str text)
{
	unsigned classes = 0;
	bool is_plain = scan_is_plain(text, '"', '\\');
	for (size_t i = 0; !is_plain && i < text.len; i++)
		classes |= class_of((unsigned char)text.data[i]);
	if (classes & LITERAL)
		add_literal(buf, text);
	else
		add_quoted(buf, text, classes);
}

void imap_add_nstring(struct ph_buf *buf, struct ph_str text)
{
	if (text.len == 0)
		ph_buf_add_text(buf, "NIL");
	else
		imap_add_string(buf, text);
}
