/* format=flowed (RFC 3676, 4): a line that ends with a space goes on in the next one, if that is quoted as
 * deep. Quotes are told by leading ">", a space at the beginning that is not quoted was stuffed. */
#include "flowed.h"

struct line {
	size_t depth;
	struct ph_str text; /* without quote marks, stuffing and end */
	bool is_flowed;
	bool is_signature;
	bool has_end;
};

static bool next_line(struct ph_str *rest, struct line *line_r)
{
	if (rest->len == 0)
		return false;
	ptrdiff_t end = ph_str_find(*rest, '\n');
	struct ph_str text = ph_str_slice(*rest, 0, end < 0 ? rest->len : (size_t)end);
	*rest = ph_str_slice(*rest, end < 0 ? rest->len : (size_t)end + 1, rest->len);
	if (end >= 0 && text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	*line_r = (struct line){ .has_end = end >= 0 };
	while (line_r->depth < text.len && text.data[line_r->depth] == '>')
		line_r->depth++;
	text = ph_str_slice(text, line_r->depth, text.len);
	if (text.len > 0 && text.data[0] == ' ')
		text = ph_str_slice(text, 1, text.len);
	line_r->is_signature = ph_str_eq(text, PH_STR("-- "));
	line_r->is_flowed = !line_r->is_signature && text.len > 0 && text.data[text.len - 1] == ' ';
	line_r->text = text;
	return true;
}

/* A paragraph that is quoted keeps its marks, once. */
static void add_quote(const struct line *line, struct ph_buf *buf)
{
	for (size_t i = 0; i < line->depth; i++)
		ph_buf_add_char(buf, '>');
	if (line->depth > 0 && line->text.len > 0)
		ph_buf_add_char(buf, ' ');
}

bool flowed_text(struct ph_str text, bool del_sp, struct ph_buf *buf)
{
	struct line line, before = { 0 };
	while (next_line(&text, &line)) {
		bool joins = before.is_flowed && before.depth == line.depth && !line.is_signature;
		if (before.has_end && !joins)
			ph_buf_add_text(buf, "\n");
		if (!joins)
			add_quote(&line, buf);
		/* DelSp concerns the space only where lines come together. */
		if (line.is_flowed && del_sp)
			line.text.len--;
		ph_buf_add_str(buf, line.text);
		before = line;
	}
	if (before.has_end)
		ph_buf_add_text(buf, "\n");
	return !buf->failed;
}
