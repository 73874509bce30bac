/* base64 in place of NULs. What is declared "binary" may hold NULs, and a client may store it (RFC
 * 3516, 4.4), but no literal of FETCH BODY[] can show it (RFC 3501, 9: CHAR8). Only leaves that hold one are
 * written anew: all others keep their bytes, and so their signatures. The message goes by once, in pieces. */
#include <config.h>

#include "encode_nul.h"

#include <posthorn/error.h>

#include "binary.h"
#include "encode.h"
#include "header.h"
#include "source.h"

enum { LINE_BYTES = 57, HEADER_MAX = 1024 * 1024 };

struct writing {
	const struct ph_mime_source *source;
	const struct ph_mime_sink *sink;
	uint64_t at;           /* of the message, that is written up to here */
	struct ph_buf pending; /* bytes that make no whole line yet; or a header */
	struct ph_buf encoded;
};

/* Up to this offset, as it is. */
static int copy_until(struct writing *writing, uint64_t offset)
{
	uint64_t size = offset - writing->at;

	writing->at = offset;
	return source_copy(writing->source, writing->at - size, size, writing->sink);
}

static int keep(void *arg, struct ph_str bytes)
{
	struct writing *writing = arg;

	return ph_buf_add_str(&writing->pending, bytes) ? 0 : PH_E_LIMIT;
}

static int write_text(struct writing *writing, struct ph_str text)
{
	return text.len > 0 ? writing->sink->write(writing->sink->arg, text) : 0;
}

/* A part's header, with its encoding changed where it stands. */
static int write_changed(struct writing *writing, struct ph_str header)
{
	struct ph_str rest = header;
	struct ph_mime_field field;
	int result = 0;

	while (result == 0 && header_find(&rest, "Content-Transfer-Encoding", &field)) {
		result = write_text(writing, ph_str_of(header.data, (size_t)(field.raw.data - header.data)));
		if (result == 0)
			result = write_text(writing, PH_STR("Content-Transfer-Encoding: base64\r\n"));
		header = rest;
	}
	return result == 0 ? write_text(writing, header) : result;
}

static int write_header(struct writing *writing, const struct ph_mime_part *part)
{
	const struct ph_mime_sink sink = { keep, writing };
	int result;

	ph_buf_reset(&writing->pending);
	result = source_copy(writing->source, part->header_offset, part->header_size, &sink);
	if (result == 0)
		result = write_changed(writing, ph_buf_str(&writing->pending));
	ph_buf_reset(&writing->pending);
	writing->at += part->header_size;
	return result;
}

/* Writes what makes whole lines; `last`: and the rest. */
static int write_lines(struct writing *writing, bool last)
{
	struct ph_str bytes = ph_buf_str(&writing->pending);
	size_t whole = last ? bytes.len : bytes.len / LINE_BYTES * LINE_BYTES;

	ph_buf_reset(&writing->encoded);
	encode_body(ph_str_slice(bytes, 0, whole), PH_MIME_BASE64, &writing->encoded);
	ph_buf_consume(&writing->pending, whole);
	return write_text(writing, ph_buf_str(&writing->encoded));
}

static int encode_piece(void *arg, struct ph_str bytes)
{
	int result = keep(arg, bytes);

	return result < 0 ? result : write_lines(arg, false);
}

static int write_encoded(struct writing *writing, const struct ph_mime_part *part)
{
	const struct ph_mime_sink sink = { encode_piece, writing };
	int result = copy_until(writing, part->header_offset);

	if (result == 0)
		result = write_header(writing, part);
	if (result == 0)
		result = source_copy(writing->source, writing->at, part->body_size, &sink);
	writing->at += part->body_size;
	return result == 0 ? write_lines(writing, true) : result;
}

/* 1, 0 or a negative code. */
static int holds_nul(const struct writing *writing, const struct ph_mime_part *part)
{
	const struct ph_mime_binary bytes = { ph_mime_body_offset(part), part->body_size, PH_MIME_IDENTITY };
	uint64_t size;
	bool has_nul;
	int result;

	if (!ph_str_eq(part->encoding_name, PH_STR("binary")))
		return 0;
	result = binary_size(&bytes, writing->source, &size, &has_nul);
	return result < 0 ? result : has_nul;
}

static int write_parts(struct writing *writing, const struct ph_mime_part *part)
{
	int result = 0;

	for (; part && result == 0; part = part->next) {
		if (part->children) {
			result = write_parts(writing, part->children);
			continue;
		}
		result = holds_nul(writing, part);
		if (result == 1)
			result = write_encoded(writing, part);
	}
	return result;
}

int encode_nul(const struct ph_mime_message *message, const struct ph_mime_source *source,
	const struct ph_mime_sink *sink)
{
	struct writing writing = { .source = source, .sink = sink };
	int result;

	ph_buf_init(&writing.pending, HEADER_MAX);
	ph_buf_init(&writing.encoded, SIZE_MAX);
	result = write_parts(&writing, message->root);
	if (result == 0)
		result = copy_until(&writing, message->size);
	ph_buf_free(&writing.pending);
	ph_buf_free(&writing.encoded);
	return result;
}
