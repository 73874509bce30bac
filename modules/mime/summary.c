/* A message's summary as bytes:
 *
 *   summary = version size known time zone 17 * text count count * part
 *   part    = depth encoding 5 * text header-offset header-size body-size header-lines body-lines
 *   text    = length bytes
 *
 * Numbers are written seven bits to a byte, the lowest first, the eighth bit telling that more come; signed
 * ones with the sign in the lowest bit. Parts stand in the order of the message, each before its children.
 * The texts come before the parts, so that they are found without reading the tree. Nothing in it is trusted
 * when it is read: a damaged summary is refused, and the message can be parsed again. */
#include "summary.h"

#include <posthorn/error.h>

enum { VERSION = 2, DEPTH_MAX = 500, PART_BYTES_MIN = 12 };

/* The texts, in their order. */
#define TEXTS(message)                                                                                  \
	{                                                                                               \
		&(message)->envelope, &(message)->body, &(message)->bodystructure, &(message)->subject, \
			&(message)->from, &(message)->to, &(message)->cc, &(message)->bcc,              \
			&(message)->message_id, &(message)->in_reply_to, &(message)->references,        \
			&(message)->preview, &(message)->sort_from, &(message)->sort_to,                \
			&(message)->sort_cc, &(message)->display_from, &(message)->display_to           \
	}
#define PART_TEXTS(part)                                                                                   \
	{                                                                                                  \
		&(part)->type, &(part)->subtype, &(part)->charset, &(part)->filename, &(part)->disposition \
	}
enum { TEXT_COUNT = 17, PART_TEXT_COUNT = 5 };

/* --- writing --- */

static void put_number(struct ph_buf *buf, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		ph_buf_add_char(buf, (char)(number | 0x80));
	ph_buf_add_char(buf, (char)number);
}

static void put_signed(struct ph_buf *buf, int64_t number)
{
	put_number(buf, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

static void put_text(struct ph_buf *buf, struct ph_str text)
{
	put_number(buf, text.len);
	ph_buf_add_str(buf, text);
}

static void put_part(struct ph_buf *buf, const struct ph_mime_part *part, unsigned depth)
{
	const struct ph_str *texts[PART_TEXT_COUNT] = PART_TEXTS(part);
	put_number(buf, depth);
	put_number(buf, part->encoding);
	for (size_t i = 0; i < PART_TEXT_COUNT; i++)
		put_text(buf, *texts[i]);
	put_number(buf, part->header_offset);
	put_number(buf, part->header_size);
	put_number(buf, part->body_size);
	put_number(buf, part->header_lines);
	put_number(buf, part->body_lines);
}

/* The part that comes next in the message, and how much deeper it lies. */
static const struct ph_mime_part *next_part(const struct ph_mime_part *part, unsigned *depth)
{
	if (part->children) {
		++*depth;
		return part->children;
	}
	for (; part && !part->next; part = part->parent)
		--*depth;
	return part ? part->next : NULL;
}

void summary_encode(const struct ph_mime_message *message, struct ph_buf *buf)
{
	const struct ph_str *texts[TEXT_COUNT] = TEXTS(message);
	size_t count = 0;
	unsigned depth = 0;
	put_number(buf, VERSION);
	put_number(buf, message->size);
	put_number(buf, message->date.known);
	put_signed(buf, message->date.time);
	put_signed(buf, message->date.zone);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		put_text(buf, *texts[i]);
	for (const struct ph_mime_part *part = message->root; part; part = next_part(part, &depth))
		count++;
	put_number(buf, count);
	depth = 0;
	for (const struct ph_mime_part *part = message->root; part; part = next_part(part, &depth))
		put_part(buf, part, depth);
}

/* --- reading --- */

struct reader {
	struct ph_str rest;
	bool failed;
};

static uint64_t get_number(struct reader *reader)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 64 && reader->rest.len > 0; shift += 7) {
		unsigned char byte = (unsigned char)*reader->rest.data;
		reader->rest = ph_str_slice(reader->rest, 1, reader->rest.len);
		if (shift == 63 && byte > 1)
			break;
		number |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80)
			return number;
	}
	reader->failed = true;
	return 0;
}

static uint64_t get_bounded(struct reader *reader, uint64_t max)
{
	uint64_t number = get_number(reader);
	if (number <= max)
		return number;
	reader->failed = true;
	return 0;
}

static int64_t get_signed(struct reader *reader)
{
	uint64_t number = get_number(reader);
	return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

static struct ph_str get_text(struct reader *reader)
{
	size_t length = (size_t)get_bounded(reader, reader->rest.len);
	struct ph_str text = ph_str_slice(reader->rest, 0, length);
	reader->rest = ph_str_slice(reader->rest, length, reader->rest.len);
	return text;
}

static void get_message(struct reader *reader, struct ph_mime_message *message)
{
	*message = (struct ph_mime_message){ 0 };
	struct ph_str *texts[TEXT_COUNT] = TEXTS(message);
	if (get_number(reader) != VERSION)
		reader->failed = true;
	message->size = get_number(reader);
	message->date.known = get_bounded(reader, 1);
	message->date.time = get_signed(reader);
	int64_t zone = get_signed(reader);
	if (zone < -1440 || zone > 1440)
		reader->failed = true;
	else
		message->date.zone = (int)zone;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		*texts[i] = get_text(reader);
}

static void get_part(struct reader *reader, uint64_t message_size, struct ph_mime_part *part)
{
	struct ph_str *texts[PART_TEXT_COUNT] = PART_TEXTS(part);
	part->encoding = (enum ph_mime_encoding)get_bounded(reader, PH_MIME_UNKNOWN);
	for (size_t i = 0; i < PART_TEXT_COUNT; i++)
		*texts[i] = get_text(reader);
	part->header_offset = get_bounded(reader, message_size);
	part->header_size = get_bounded(reader, message_size - part->header_offset);
	part->body_size = get_bounded(reader, message_size - ph_mime_body_offset(part));
	part->header_lines = (uint32_t)get_bounded(reader, UINT32_MAX);
	part->body_lines = (uint32_t)get_bounded(reader, UINT32_MAX);
}

static bool is_message_part(const struct ph_mime_part *part)
{
	return ph_mime_is(part, "message", "rfc822");
}

/* Hangs a part of this depth behind or under the one before it. False when it cannot be there. */
static bool place(struct ph_mime_part *part, struct ph_mime_part *before, size_t before_depth, size_t depth)
{
	if (!before)
		return depth == 0;
	if (depth == 0 || depth > before_depth + 1)
		return false;
	if (depth == before_depth + 1) {
		if (!is_message_part(before) && !ph_mime_is(before, "multipart", NULL))
			return false;
		part->parent = before;
		before->children = part;
		return true;
	}
	for (; before_depth > depth; before_depth--)
		before = before->parent;
	if (is_message_part(before->parent))
		return false;
	part->parent = before->parent;
	before->next = part;
	return true;
}

static bool is_complete(const struct ph_mime_part *part)
{
	return part->children || (!is_message_part(part) && !ph_mime_is(part, "multipart", NULL));
}

static int get_parts(struct reader *reader, struct ph_pool *pool, struct ph_mime_message *message)
{
	size_t count = (size_t)get_bounded(reader, reader->rest.len / PART_BYTES_MIN);
	if (reader->failed || count == 0)
		return PH_E_CORRUPT;
	struct ph_mime_part *parts = ph_pool_array(pool, count, sizeof *parts);
	if (!parts)
		return PH_E_LIMIT;
	size_t depth_before = 0;
	for (size_t i = 0; i < count; i++) {
		size_t depth = (size_t)get_bounded(reader, DEPTH_MAX);
		get_part(reader, message->size, &parts[i]);
		if (reader->failed || !place(&parts[i], i ? &parts[i - 1] : NULL, depth_before, depth))
			return PH_E_CORRUPT;
		depth_before = depth;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_complete(&parts[i]))
			return PH_E_CORRUPT;
	message->root = parts;
	return reader->rest.len == 0 ? 0 : PH_E_CORRUPT;
}

int summary_view(struct ph_str bytes, struct ph_mime_message *message_r)
{
	struct reader reader = { .rest = bytes };
	get_message(&reader, message_r);
	return reader.failed ? PH_E_CORRUPT : 0;
}

int summary_decode(struct ph_str bytes, struct ph_pool *pool, struct ph_mime_message *message_r)
{
	struct reader reader = { .rest = bytes };
	get_message(&reader, message_r);
	return reader.failed ? PH_E_CORRUPT : get_parts(&reader, pool, message_r);
}
