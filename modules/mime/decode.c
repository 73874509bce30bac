/* Transfer encodings (RFC 2045, 6). Decoding never fails: what cannot be meant is skipped (base64) or taken
 * as it is (quoted-printable), as the RFC advises. Output is written straight into the buffer's room. */
#include "decode.h"

#include "base64.h"
#include "quoted.h"

void decoder_init(struct ph_mime_decoder *decoder, enum ph_mime_encoding encoding)
{
	*decoder = (struct ph_mime_decoder){ .encoding = encoding };
}

bool decoder_feed(struct ph_mime_decoder *decoder, struct ph_str piece, struct ph_buf *buf)
{
	if (decoder->encoding != PH_MIME_BASE64 && decoder->encoding != PH_MIME_QUOTED_PRINTABLE)
		return ph_buf_add_str(buf, piece);
	if (piece.len == 0)
		return !buf->failed;
	unsigned char *begin = (unsigned char *)ph_buf_reserve(buf, piece.len + decoder->held_count + 4u);
	if (!begin)
		return false;
	unsigned char *end = decoder->encoding == PH_MIME_BASE64 ? base64_decode(decoder, piece, begin)
								 : quoted_decode(decoder, piece, begin);
	ph_buf_added(buf, (size_t)(end - begin));
	return true;
}

bool decoder_finish(struct ph_mime_decoder *decoder, struct ph_buf *buf)
{
	unsigned char last[4];
	unsigned char *end = last;
	if (decoder->encoding == PH_MIME_BASE64)
		end = base64_finish(decoder, end);
	else if (decoder->encoding == PH_MIME_QUOTED_PRINTABLE)
		end = quoted_finish(decoder, end);
	decoder_init(decoder, decoder->encoding);
	return ph_buf_add(buf, last, (size_t)(end - last));
}
