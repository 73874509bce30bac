/* IMAP strings. */
#include "imap_text.h"

/* Written straight into the buffer, as this is most of what ENVELOPE and BODYSTRUCTURE are made of. */
static void add_quoted(struct ph_buf *buf, struct ph_str text)
{
	char *begin = ph_buf_reserve(buf, 2 * text.len + 2);
	char *out = begin;
	if (!out)
		return;
	*out++ = '"';
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' || c == '\\')
			*out++ = '\\';
		if (c != 0)
			*out++ = c;
	}
	*out++ = '"';
	ph_buf_added(buf, (size_t)(out - begin));
}

static void add_literal(struct ph_buf *buf, struct ph_str text, size_t nuls)
{
	ph_buf_printf(buf, "{%zu}\r\n", text.len - nuls);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != 0)
			ph_buf_add_char(buf, text.data[i]);
}

void imap_add_string(struct ph_buf *buf, struct ph_str text)
{
	size_t nuls = 0;
	bool literal = false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		nuls += c == 0;
		literal = literal || c >= 0x80 || c == '\r' || c == '\n';
	}
	if (literal)
		add_literal(buf, text, nuls);
	else
		add_quoted(buf, text);
}

void imap_add_nstring(struct ph_buf *buf, struct ph_str text)
{
	if (text.len == 0)
		ph_buf_add_text(buf, "NIL");
	else
		imap_add_string(buf, text);
}
