/* Cutting lines. A line ends with LF; the CR before it belongs to the end. Whether the end was proper is
 * told, and left to the protocol to judge. */
#include "line.h"

#include <string.h>

enum line_result line_take(
	struct ph_str bytes, size_t scanned, size_t max, struct ph_line *line_r, size_t *used_r)
{
	const char *end =
		scanned < bytes.len ? memchr(bytes.data + scanned, '\n', bytes.len - scanned) : NULL;
	if (!end) {
		/* The last byte may be the CR of the line's end. */
		size_t known = bytes.len && bytes.data[bytes.len - 1] == '\r' ? bytes.len - 1 : bytes.len;
		return known > max ? LINE_TOO_LONG : LINE_PART;
	}
	size_t len = (size_t)(end - bytes.data);
	bool crlf = len > 0 && bytes.data[len - 1] == '\r';
	struct ph_str text = ph_str_slice(bytes, 0, crlf ? len - 1 : len);
	if (text.len > max)
		return LINE_TOO_LONG;
	*line_r = (struct ph_line){
		.text = text,
		.bare_lf = !crlf,
		.bare_cr = ph_str_find(text, '\r') >= 0,
		.nul = ph_str_find(text, '\0') >= 0,
	};
	*used_r = len + 1;
	return LINE_WHOLE;
}
