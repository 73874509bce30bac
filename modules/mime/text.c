/* The text of a part: its transfer encoding undone, then its charset. */
#include "text.h"

#include <stdlib.h>

#include "charset.h"
#include "decode.h"

enum { SLICE = 8192 };

struct ph_mime_text {
	struct ph_mime_decoder decoder;
	struct charset charset;
	struct ph_buf bytes; /* decoded, not converted yet */
};

struct ph_mime_text *text_new(const struct ph_mime_part *part)
{
	struct ph_mime_text *text = ph_alloc(sizeof *text);
	decoder_init(&text->decoder, part->encoding);
	charset_open(&text->charset, part->charset);
	ph_buf_init(&text->bytes, SLICE + 2 * sizeof text->decoder.held);
	return text;
}

bool text_feed(struct ph_mime_text *text, struct ph_str piece, struct ph_buf *buf)
{
	for (size_t at = 0; at < piece.len; at += SLICE) {
		text->bytes.len = 0;
		decoder_feed(&text->decoder, ph_str_slice(piece, at, at + SLICE), &text->bytes);
		charset_feed(&text->charset, ph_buf_str(&text->bytes), buf);
	}
	return !buf->failed;
}

bool text_finish(struct ph_mime_text *text, struct ph_buf *buf)
{
	text->bytes.len = 0;
	decoder_finish(&text->decoder, &text->bytes);
	charset_feed(&text->charset, ph_buf_str(&text->bytes), buf);
	charset_finish(&text->charset, buf);
	return !buf->failed;
}

void text_free(struct ph_mime_text **text)
{
	if (!*text)
		return;
	charset_close(&(*text)->charset);
	ph_buf_free(&(*text)->bytes);
	free(*text);
	*text = NULL;
}
