/* Lines out of any bytes: whole and in pieces must give the same. The first byte chooses the longest line. */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include <posthorn/buf.h>

#include "../../core/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the next line begins. */
static size_t skip(struct ph_str input, size_t from)
{
	ptrdiff_t end = ph_str_find(ph_str_slice(input, from, input.len), '\n');
	return end < 0 ? input.len : from + (size_t)end + 1;
}

static void note(struct ph_buf *out, const struct ph_line *line)
{
	ph_buf_printf(out, "%d%d%d ", line->bare_lf, line->bare_cr, line->nul);
	ph_buf_add_str(out, line->text);
	ph_buf_add_char(out, '\n');
}

/* All lines, with the input arriving `step` bytes at a time. */
static void cut(struct ph_str input, size_t max, size_t step, struct ph_buf *out)
{
	size_t start = 0, arrived = 0, scanned = 0;
	while (start < input.len) {
		struct ph_line line;
		size_t used;
		if (arrived < start)
			arrived = start;
		switch (line_take(ph_str_slice(input, start, arrived), scanned, max, &line, &used)) {
		case LINE_WHOLE:
			if (line.text.len > max || used > arrived - start)
				abort();
			note(out, &line);
			start += used;
			scanned = 0;
			break;
		case LINE_TOO_LONG:
			ph_buf_add_text(out, "too long\n");
			start = skip(input, start);
			scanned = 0;
			break;
		case LINE_PART:
			if (arrived == input.len)
				return;
			scanned = arrived - start;
			arrived = step < input.len - arrived ? arrived + step : input.len;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_buf whole, pieces;
	if (size == 0)
		return 0;
	struct ph_str input = { (const char *)data + 1, size - 1 };
	ph_buf_init(&whole, 1 << 24);
	ph_buf_init(&pieces, 1 << 24);
	cut(input, data[0], input.len, &whole);
	cut(input, data[0], 1, &pieces);
	if (!ph_str_eq(ph_buf_str(&whole), ph_buf_str(&pieces)))
		abort();
	ph_buf_free(&whole);
	ph_buf_free(&pieces);
	return 0;
}
