/* Cutting lines out of buffered bytes. */
#ifndef CORE_LINE_H
#define CORE_LINE_H

#include <posthorn/conn.h>

enum line_result {
	LINE_WHOLE,    /* *line_r is one, of *used_r bytes with its end */
	LINE_PART,     /* more is needed; what was scanned need not be looked at again */
	LINE_TOO_LONG, /* it has, or will have, more than `max` bytes before its end */
};

/* Looks for a line at the front of `bytes`, of which the first `scanned` hold no LF. */
enum line_result line_take(
	struct ph_str bytes, size_t scanned, size_t max, struct ph_line *line_r, size_t *used_r);

#endif
