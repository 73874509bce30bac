/* The text behind DATA: fed whole, in pieces and byte by byte it must come to the same, and what was stuffed
 * must come back. The first byte chooses the size of the pieces, and whether line ends are repaired. */
#include <config.h>

#include "../../modules/smtp/dots.h"

#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	struct ph_buf out;
	size_t taken;
	bool ended, bare;
};

static void feed(struct ph_str text, size_t step, bool repair, struct result *result_r)
{
	struct dots dots = { .repair = repair };

	*result_r = (struct result){ 0 };
	ph_buf_init(&result_r->out, 2 * text.len + 16);
	while (!result_r->ended && result_r->taken < text.len) {
		size_t taken;

		result_r->ended = dots_feed(&dots,
			ph_str_slice(text, result_r->taken, result_r->taken + step), &result_r->out, &taken);
		result_r->taken += taken;
	}
	result_r->bare = dots.bare;
	PH_ASSERT(!result_r->out.failed);
}

static void compare(struct ph_str text, size_t step, bool repair)
{
	struct result whole, pieces;

	feed(text, text.len, repair, &whole);
	feed(text, step, repair, &pieces);
	PH_ASSERT(whole.ended == pieces.ended && whole.bare == pieces.bare && whole.taken == pieces.taken);
	PH_ASSERT(ph_str_eq(ph_buf_str(&whole.out), ph_buf_str(&pieces.out)));
	ph_buf_free(&whole.out);
	ph_buf_free(&pieces.out);
}

/* Stuffs the text as a client does, and ends it. */
static void stuff(struct ph_str text, struct ph_buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '.' &&
			(i == 0 || (i > 1 && text.data[i - 2] == '\r' && text.data[i - 1] == '\n')))
			ph_buf_add_char(out, '.');
		ph_buf_add_char(out, text.data[i]);
	}
	ph_buf_add_text(out, "\r\n.\r\n");
}

static void round_trip(struct ph_str text)
{
	struct result result;
	struct ph_buf sent;

	ph_buf_init(&sent, 2 * text.len + 16);
	stuff(text, &sent);
	feed(ph_buf_str(&sent), sent.len, false, &result);
	PH_ASSERT(result.ended && result.taken == sent.len);
	PH_ASSERT(result.out.len == text.len + 2 && ph_str_starts(ph_buf_str(&result.out), text));
	ph_buf_free(&result.out);
	ph_buf_free(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_str text;

	if (size < 2)
		return 0;
	text = ph_str_of(data + 1, size - 1);
	compare(text, (data[0] & 0x7f) + 1u, data[0] & 0x80);
	compare(text, 1, data[0] & 0x80);
	round_trip(text);
	return 0;
}
