/* Both look for dots and line ends with the C library's searches, which are much faster than a look at each
 * byte. */
#include <config.h>

#include "transfer.h"

#include <string.h>

void stuffing_init(struct stuffing *stuffing)
{
	*stuffing = (struct stuffing){ { '\r', '\n' }, false };
}

static size_t went(struct stuffing *stuffing, struct ph_str bytes, size_t len)
{
	if (len >= 2)
		stuffing->last[0] = bytes.data[len - 2];
	else if (len == 1)
		stuffing->last[0] = stuffing->last[1];
	if (len >= 1)
		stuffing->last[1] = bytes.data[len - 1];
	stuffing->dotted = false;
	return len;
}

/* The first dot at the beginning of a line, but for the first byte. Dots are rarer than line ends. */
static const char *find_dot(struct ph_str bytes)
{
	const char *end = bytes.data + bytes.len;
	const char *dot = bytes.data;

	do
		dot = memchr(dot + 1, '.', (size_t)(end - dot - 1));
	while (dot && dot[-1] != '\n');
	return dot;
}

size_t stuffing_next(struct stuffing *stuffing, struct ph_str bytes, bool *dot_r)
{
	*dot_r = false;
	if (bytes.len == 0)
		return 0;
	if (bytes.data[0] == '.' && stuffing->last[1] == '\n' && !stuffing->dotted) {
		stuffing->dotted = *dot_r = true;
		return 0;
	}
	const char *dot = find_dot(bytes);
	if (!dot)
		return went(stuffing, bytes, bytes.len);
	size_t len = went(stuffing, bytes, (size_t)(dot - bytes.data));
	stuffing->dotted = *dot_r = true;
	return len;
}

bool stuffing_ends_line(const struct stuffing *stuffing)
{
	return stuffing->last[0] == '\r' && stuffing->last[1] == '\n';
}

void top_init(struct top *top, uint64_t body_lines)
{
	*top = (struct top){ .body_lines = body_lines, .empty_line = true };
}

/* A line ended. */
static void line_ended(struct top *top)
{
	if (top->in_body)
		top->body_lines--;
	else
		top->in_body = top->empty_line;
	top->done = top->in_body && top->body_lines == 0;
	top->empty_line = true;
	top->begun = false;
}

/* More of a line, without its LF. */
static void line_goes_on(struct top *top, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (len > 1 || top->begun || bytes[0] != '\r')
		top->empty_line = false;
	top->begun = true;
}

size_t top_take(struct top *top, struct ph_str bytes)
{
	size_t taken = 0;
	while (taken < bytes.len && !top->done) {
		const char *start = bytes.data + taken;
		const char *end = memchr(start, '\n', bytes.len - taken);
		line_goes_on(top, start, end ? (size_t)(end - start) : bytes.len - taken);
		if (!end)
			return bytes.len;
		line_ended(top);
		taken = (size_t)(end - bytes.data) + 1;
	}
	return taken;
}
