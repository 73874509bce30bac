/* Lines of bounded length. See lines.h. */
#include <config.h>

#include "lines.h"

#include <string.h>

void lines_init(struct lines *lines, int (*read)(void *arg, char *to, size_t size), void *arg)
{
	lines->read = read;
	lines->arg = arg;
	lines->start = lines->end = 0;
	lines->at_start = true;
}

static struct ph_str take(struct lines *lines, size_t len, bool *begins_r)
{
	struct ph_str piece = { lines->buffer + lines->start, len };

	*begins_r = lines->at_start;
	lines->at_start = piece.data[len - 1] == '\n';
	lines->start += len;
	return piece;
}

/* A CR at the end may belong to an LF that is still to come. */
static size_t whole(const struct lines *lines)
{
	size_t len = lines->end - lines->start;

	return len > 1 && lines->buffer[lines->end - 1] == '\r' ? len - 1 : len;
}

int lines_next(struct lines *lines, struct ph_str *piece_r, bool *begins_r)
{
	for (;;) {
		size_t len = lines->end - lines->start;
		const char *from = lines->buffer + lines->start;
		const char *end = len > 0 ? memchr(from, '\n', len) : NULL;
		int got;

		if (end) {
			*piece_r = take(lines, (size_t)(end - from) + 1, begins_r);
			return 1;
		}
		if (len == sizeof(lines->buffer)) {
			*piece_r = take(lines, whole(lines), begins_r);
			return 1;
		}
		memmove(lines->buffer, from, len);
		lines->start = 0;
		lines->end = len;
		got = lines->read(lines->arg, lines->buffer + len, sizeof(lines->buffer) - len);
		if (got < 0)
			return got;
		if (got == 0 && len == 0)
			return 0;
		if (got == 0) {
			*piece_r = take(lines, len, begins_r);
			return 1;
		}
		lines->end += (size_t)got;
	}
}
