/* Dot-stuffing. See dots.h. */
#include <config.h>

#include "dots.h"

size_t dots_plain(const struct dots *dots, struct ph_str piece)
{
	size_t start = 0;

	if (dots->state != DOTS_LINE_START)
		return 0;
	while (start < piece.len && piece.data[start] != '.') {
		const char *line = piece.data + start;
		const char *end = memchr(line, '\n', piece.len - start);

		if (!end || memchr(line, '\r', (size_t)(end - line)) != end - 1)
			break;
		start += (size_t)(end - line) + 1;
	}
	return start;
}

/* Runs of text are found and copied whole. */
static size_t run_length(struct ph_str piece, size_t from)
{
	size_t end = from;

	while (end < piece.len && piece.data[end] != '\r' && piece.data[end] != '\n')
		end++;
	return end - from;
}

static void add_bare(struct dots *dots, char c, struct ph_buf *out)
{
	dots->bare = true;
	if (!dots->repair)
		ph_buf_add_char(out, c);
	else
		ph_buf_add_text(out, c == '\n' ? "\r\n" : " ");
}

/* A byte of text that begins no line. */
static void take_text(struct dots *dots, char c, struct ph_buf *out)
{
	dots->state = DOTS_TEXT;
	if (c == '\r')
		dots->state = DOTS_CR;
	else if (c == '\n')
		add_bare(dots, c, out);
	else
		ph_buf_add_char(out, c);
}

/* True at the end of the text. */
static bool take(struct dots *dots, char c, struct ph_buf *out)
{
	switch (dots->state) {
	case DOTS_LINE_START:
		if (c == '.')
			dots->state = DOTS_DOT;
		else
			take_text(dots, c, out);
		break;
	case DOTS_DOT:
		if (c == '\r')
			dots->state = DOTS_DOT_CR;
		else
			take_text(dots, c, out);
		break;
	case DOTS_DOT_CR:
		if (c == '\n')
			return true;
		add_bare(dots, '\r', out);
		take_text(dots, c, out);
		break;
	case DOTS_TEXT:
		take_text(dots, c, out);
		break;
	case DOTS_CR:
		if (c == '\n') {
			ph_buf_add(out, "\r\n", 2);
			dots->state = DOTS_LINE_START;
			break;
		}
		add_bare(dots, '\r', out);
		take_text(dots, c, out);
		break;
	}
	return false;
}

bool dots_feed(struct dots *dots, struct ph_str piece, struct ph_buf *out, size_t *taken_r)
{
	for (size_t i = 0; i < piece.len; i++) {
		size_t run = dots->state == DOTS_TEXT ? run_length(piece, i)
						      : dots_plain(dots, ph_str_slice(piece, i, piece.len));

		ph_buf_add(out, piece.data + i, run);
		i += run;
		if (i < piece.len && take(dots, piece.data[i], out)) {
			dots->state = DOTS_LINE_START;
			*taken_r = i + 1;
			return true;
		}
	}
	*taken_r = piece.len;
	return false;
}
