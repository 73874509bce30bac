/* BINARY (RFC 3516; RFC 9051, 6.4.5): a part of the message without its transfer encoding. Nothing is kept:
 * what is asked for is decoded as it goes by, from the beginning of the part. */
#include "binary.h"

#include <posthorn/error.h>

#include "decode.h"
#include "section.h"
#include "source.h"

int binary_find(const struct ph_mime_message *message, struct ph_str name, struct ph_mime_binary *binary_r)
{
	struct ph_mime_section section;
	int result = section_find(message, name, &section);
	if (name.len > 0 && !ph_is_digit(name.data[name.len - 1]))
		return PH_E_INVALID;
	if (result < 0)
		return result;
	*binary_r = (struct ph_mime_binary){ section.offset, section.size, PH_MIME_IDENTITY };
	if (name.len == 0)
		return 0;
	/* What has parts is not encoded itself (RFC 2045, 6.4). */
	if (section.part->children)
		return 0;
	binary_r->encoding = section.part->encoding;
	return section.part->encoding == PH_MIME_UNKNOWN ? PH_E_UNSUPPORTED : 0;
}

struct decoding {
	struct ph_mime_decoder decoder;
	struct ph_buf decoded;
	const struct ph_mime_sink *sink;
	bool enough;
};

static int write_decoded(struct decoding *decoding)
{
	struct ph_str bytes = ph_buf_str(&decoding->decoded);
	decoding->decoded.len = 0;
	int result = bytes.len > 0 ? decoding->sink->write(decoding->sink->arg, bytes) : 0;
	decoding->enough = result > 0;
	return result;
}

static int decode_piece(void *arg, struct ph_str piece)
{
	struct decoding *decoding = arg;
	decoder_feed(&decoding->decoder, piece, &decoding->decoded);
	return write_decoded(decoding);
}

/* All of it to the sink, as long as that takes more. */
static int decode(const struct ph_mime_binary *binary, const struct ph_mime_source *source,
	const struct ph_mime_sink *sink)
{
	struct decoding decoding = { .sink = sink };
	const struct ph_mime_sink pieces = { decode_piece, &decoding };
	decoder_init(&decoding.decoder, binary->encoding);
	ph_buf_init(&decoding.decoded, SIZE_MAX);
	int result = source_copy(source, binary->offset, binary->size, &pieces);
	if (result == 0 && !decoding.enough) {
		decoder_finish(&decoding.decoder, &decoding.decoded);
		result = write_decoded(&decoding);
	}
	ph_buf_free(&decoding.decoded);
	return result < 0 ? result : 0;
}

struct measure {
	uint64_t size;
	bool has_nul;
};

static int measure_piece(void *arg, struct ph_str piece)
{
	struct measure *measure = arg;
	measure->size += piece.len;
	measure->has_nul = measure->has_nul || memchr(piece.data, 0, piece.len);
	return 0;
}

int binary_size(const struct ph_mime_binary *binary, const struct ph_mime_source *source, uint64_t *size_r,
	bool *has_nul_r)
{
	struct measure measure = { 0 };
	const struct ph_mime_sink sink = { measure_piece, &measure };
	int result = decode(binary, source, &sink);
	*size_r = measure.size;
	*has_nul_r = measure.has_nul;
	return result;
}

struct range {
	uint64_t skip, left;
	const struct ph_mime_sink *sink;
};

static int write_range(void *arg, struct ph_str piece)
{
	struct range *range = arg;
	size_t skipped = range->skip < piece.len ? (size_t)range->skip : piece.len;
	range->skip -= skipped;
	piece = ph_str_slice(piece, skipped, piece.len);
	if (piece.len > range->left)
		piece.len = (size_t)range->left;
	range->left -= piece.len;
	int result = piece.len > 0 ? range->sink->write(range->sink->arg, piece) : 0;
	return result != 0 ? result : range->left == 0;
}

int binary_write(const struct ph_mime_binary *binary, const struct ph_mime_source *source, uint64_t offset,
	uint64_t count, const struct ph_mime_sink *sink)
{
	struct range range = { offset, count, sink };
	const struct ph_mime_sink pieces = { write_range, &range };
	struct ph_mime_binary from = *binary;
	/* Without an encoding nothing before the range need be read. */
	if (from.encoding == PH_MIME_IDENTITY) {
		range.skip = 0;
		from.offset += offset < from.size ? offset : from.size;
		from.size -= offset < from.size ? offset : from.size;
	}
	return count > 0 ? decode(&from, source, &pieces) : 0;
}
