/* IMAP strings. */
#include "imap_text.h"

static void add_quoted(struct ph_buf *buf, struct ph_str text)
{
	ph_buf_add_char(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' || c == '\\')
			ph_buf_add_char(buf, '\\');
		if (c != 0)
			ph_buf_add_char(buf, c);
	}
	ph_buf_add_char(buf, '"');
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
